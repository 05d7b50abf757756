//! What a reboot took away, made again at once where nobody is on the GPU: there is nobody to drain.

use crds::gpu_node::{GpuStatus, PreviousGpu};

use super::Step;
use super::next::{building, is_on};
use crate::journal::Record;

/// What there is to do after a reboot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// The node has not been rebooted since the layout was last in order, or there is nothing (more) to make.
    Over,
    /// Who holds devices is not known yet.
    Wait,
    /// Make one thing, and look again.
    Take(Step),
}

/// The next step of recovery. Only what is missing is made; nothing is ever destroyed, and a GPU with somebody on it,
/// or with instances that others have made, is left to an operation.
pub fn recovery(
    record: &Record,
    boot_id: &str,
    gpus: &[GpuStatus],
    holders: Result<(), &str>,
) -> Recovery {
    if record.boot_id == boot_id || record.boot_id.is_empty() {
        return Recovery::Over;
    }
    let free: Vec<_> = gpus.iter().filter(|gpu| is_free(gpu)).cloned().collect();
    let step = mode(&free, &record.verified).or_else(|| building(&free, &record.verified));
    match (step, holders) {
        (None, _) => Recovery::Over,
        (Some(_), Err(_)) => Recovery::Wait,
        (Some(step), Ok(())) => Recovery::Take(step),
    }
}

fn is_free(gpu: &GpuStatus) -> bool {
    gpu.holders.is_empty() && gpu.processes.is_empty() && gpu.instances.iter().all(|it| it.owned)
}

/// On some GPUs MIG mode does not outlive a reboot.
fn mode(gpus: &[GpuStatus], verified: &[PreviousGpu]) -> Option<Step> {
    verified.iter().find_map(|wanted| {
        let mut found = gpus.iter().filter(|gpu| gpu.uuid == wanted.uuid);
        let enabled = wanted.mig.enabled;
        let gpu =
            found.find(|gpu| gpu.instances.is_empty() && is_on(gpu.mig.current) != enabled)?;
        Some(Step::SetMode {
            gpu: gpu.uuid.clone(),
            enabled,
        })
    })
}
