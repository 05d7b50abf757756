//! `nvidia-smi --query-gpu`: the GPUs themselves.

use crds::gpu_node::{ComputeMode, GpuStatus, MigMode, MigModeStatus};

use crate::{Error, Machine, Output, Result};

const FIELDS: &str = "index,uuid,name,memory.total,compute_cap,mig.mode.current,mig.mode.pending,\
    compute_mode,driver_version";

/// The driver's version, and each GPU without what is on it.
pub fn read(machine: &Machine) -> Result<(String, Vec<GpuStatus>)> {
    let query = format!("--query-gpu={FIELDS}");
    let output = machine.smi(&[&query, "--format=csv,noheader,nounits"])?;
    let command = output.command.clone();
    let text = output.success()?;
    let mut version = String::new();
    let mut gpus = Vec::new();
    for line in text.lines() {
        let cells: Vec<_> = line.split(", ").collect();
        let unknown = || Output::unreadable(&command, format!("the line {line:?}"));
        let cells: [&str; 9] = cells.try_into().map_err(|_| unknown())?;
        let [.., driver] = cells;
        driver.clone_into(&mut version);
        gpus.push(gpu(cells, unknown)?);
    }
    Ok((version, gpus))
}

fn gpu(cells: [&str; 9], unknown: impl Fn() -> Error) -> Result<GpuStatus> {
    let [
        index,
        uuid,
        name,
        memory,
        capability,
        current,
        pending,
        compute,
        _,
    ] = cells;
    Ok(GpuStatus {
        index: index.parse().map_err(|_| unknown())?,
        uuid: uuid.to_owned(),
        product: name.to_owned(),
        memory_mib: memory.parse().map_err(|_| unknown())?,
        compute_capability: answered(capability).map(str::to_owned),
        mig: MigModeStatus {
            current: mig_mode(current).ok_or_else(&unknown)?,
            pending: mig_mode(pending).ok_or_else(&unknown)?,
        },
        compute_mode: match compute {
            "Default" => Some(ComputeMode::Default),
            "Prohibited" => Some(ComputeMode::Prohibited),
            "Exclusive_Process" => Some(ComputeMode::ExclusiveProcess),
            other if answered(other).is_none() => None,
            _ => return Err(unknown()),
        },
        instances: Vec::new(),
        profiles: Vec::new(),
        mps: None,
        holders: Vec::new(),
        processes: Vec::new(),
    })
}

fn mig_mode(cell: &str) -> Option<MigMode> {
    match answered(cell) {
        None => Some(MigMode::NotSupported),
        Some("Enabled") => Some(MigMode::Enabled),
        Some("Disabled") => Some(MigMode::Disabled),
        Some(_) => None,
    }
}

/// What the driver does not answer stands in brackets: `[N/A]`.
fn answered(cell: &str) -> Option<&str> {
    (!cell.starts_with('[')).then_some(cell)
}
