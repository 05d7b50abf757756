//! `nvidia-smi mig -lgi` and `-lci`: what instances exist.

use super::cells::{Cells, rows};
use crate::{Machine, Result};

/// A GPU instance.
pub struct Instance {
    /// Index of its GPU.
    pub gpu: i32,
    /// Name of its profile.
    pub profile: String,
    /// Unique on its GPU.
    pub id: u32,
    /// First memory slice.
    pub start: i32,
    /// Memory slices.
    pub size: i32,
}

/// A compute instance.
pub struct Compute {
    /// Index of its GPU.
    pub gpu: i32,
    /// Id of its GPU instance.
    pub of: u32,
    /// Name of its profile; that of the GPU instance if it fills it.
    pub profile: String,
    /// Unique in its GPU instance.
    pub id: u32,
}

/// All of every GPU.
pub fn read(machine: &Machine) -> Result<(Vec<Instance>, Vec<Compute>)> {
    let (command, text) = machine.listing(&["mig", "-lgi"])?;
    let instances = rows(&command, &text).map(instance).collect::<Result<_>>()?;
    let (command, text) = machine.listing(&["mig", "-lci"])?;
    let computes = rows(&command, &text).map(compute).collect::<Result<_>>()?;
    Ok((instances, computes))
}

/// `0  MIG 3g.20gb  9  1  4:4`
fn instance(mut cells: Cells<'_>) -> Result<Instance> {
    let gpu = cells.number()?;
    let profile = cells.profile()?;
    let _profile_id: u32 = cells.number()?;
    let id = cells.number()?;
    let (start, size) = cells.pair(':')?;
    Ok(Instance {
        gpu,
        profile,
        id,
        start,
        size,
    })
}

/// `0  1  MIG 3g.20gb  2  0  0:3`
fn compute(mut cells: Cells<'_>) -> Result<Compute> {
    let (gpu, of) = (cells.number()?, cells.number()?);
    let profile = cells.profile()?;
    let _profile_id: u32 = cells.number()?;
    let id = cells.number()?;
    Ok(Compute {
        gpu,
        of,
        profile,
        id,
    })
}
