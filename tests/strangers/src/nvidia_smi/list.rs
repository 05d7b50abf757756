//! `nvidia-smi -L`: the UUIDs of MIG devices, in the order of their indices, which it does not tell: it counts.

use crate::{Machine, Output, Result};

/// A MIG device.
pub struct Listed {
    /// Index of its GPU.
    pub gpu: i32,
    /// `MIG-...`
    pub uuid: String,
}

/// Those of every GPU.
pub fn read(machine: &Machine) -> Result<Vec<Listed>> {
    let output = machine.smi(&["-L"])?;
    let command = output.command.clone();
    let text = output.success()?;
    let mut gpu = 0;
    let mut listed = Vec::new();
    for line in text.lines() {
        let why = || Output::unreadable(&command, format!("the line {line:?}"));
        match line.strip_prefix("GPU ") {
            Some(rest) => gpu = index(rest).ok_or_else(why)?,
            None => listed.push(device(gpu, line).ok_or_else(why)?),
        }
    }
    Ok(listed)
}

/// `  MIG 3g.20gb     Device  0: (UUID: MIG-...)`
fn device(gpu: i32, line: &str) -> Option<Listed> {
    let (_, uuid) = line.split_once("(UUID: ")?;
    Some(Listed {
        gpu,
        uuid: uuid.strip_suffix(')')?.to_owned(),
    })
}

/// `0: NVIDIA A100 ...`
fn index(rest: &str) -> Option<i32> {
    rest.split_once(':')?.0.trim().parse().ok()
}
