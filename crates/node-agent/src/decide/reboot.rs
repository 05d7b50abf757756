//! MIG modes that only a reboot brings: what is remembered of them, and what is told.

use crds::gpu_node::{GpuStatus, Target};

use super::next::is_on;
use crate::journal::NeedsReboot;

/// Whether the target needs no mode that only a reboot brings. The error is a sentence for people.
pub fn without_reboot(
    gpus: &[GpuStatus],
    target: &Target,
    needs: &[NeedsReboot],
) -> Result<(), String> {
    let is_wanted = |need: &&NeedsReboot| {
        let mut wanted = target.gpus.iter().filter(|it| it.uuid == need.gpu);
        let mut found = gpus.iter().filter(|it| it.uuid == need.gpu);
        wanted.any(|it| it.mig.enabled == need.enabled)
            && found.any(|it| is_on(it.mig.current) != need.enabled)
    };
    let need = needs.iter().find(is_wanted);
    need.map_or(Ok(()), |need| Err(sentence(gpus, need)))
}

/// Which GPU, which mode, why, and what to do.
pub fn sentence(gpus: &[GpuStatus], need: &NeedsReboot) -> String {
    let NeedsReboot {
        gpu, enabled, why, ..
    } = need;
    let found = gpus.iter().find(|it| it.uuid == *gpu);
    let name = found.map_or_else(
        || format!("GPU {gpu}"),
        |found| format!("GPU {} ({gpu})", found.index),
    );
    let (mode, flag) = if *enabled { ("on", 1) } else { ("off", 0) };
    format!(
        "RebootRequired: MIG mode of {name} cannot be turned {mode} while the node runs: {why}. Turn it {mode} with \
         `nvidia-smi -i {gpu} -mig {flag}` and reboot the node; what is wanted is tried again then"
    )
}
