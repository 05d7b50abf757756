//! What a reboot took away, made again at once where nobody is on the GPU: there is nobody to drain.

use std::collections::BTreeMap;

use crds::gpu_node::GpuStatus;

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

/// The next step of recovery. Only what is missing is made; nothing is ever destroyed. Left to an operation is a GPU with
/// somebody on it, with instances that others have made, or that is among those `given_up` (by UUID, with the reason). A
/// mode that somebody rebooted the node for is left as it is.
pub fn recovery(
    record: &Record,
    boot_id: &str,
    gpus: &[GpuStatus],
    holders: Result<(), &str>,
    given_up: &BTreeMap<String, String>,
) -> Recovery {
    if record.boot_id == boot_id || record.boot_id.is_empty() {
        return Recovery::Over;
    }
    let free: Vec<_> = gpus
        .iter()
        .filter(|gpu| is_free(gpu) && !given_up.contains_key(&gpu.uuid))
        .cloned()
        .collect();
    let step = mode(&free, record).or_else(|| building(&free, &record.verified));
    match (step, holders) {
        (None, _) => Recovery::Over,
        (Some(_), Err(_)) => Recovery::Wait,
        (Some(step), Ok(())) => Recovery::Take(step),
    }
}

fn is_free(gpu: &GpuStatus) -> bool {
    gpu.holders.is_empty() && gpu.processes.is_empty() && gpu.instances.iter().all(|it| it.owned)
}

/// Whether somebody was told to reboot the node for this mode, and has.
fn is_chosen(record: &Record, gpu: &GpuStatus) -> bool {
    let mut needs = record.needs_reboot.iter();
    needs.any(|need| need.gpu == gpu.uuid && is_on(gpu.mig.current) == need.enabled)
}

/// On some GPUs MIG mode does not outlive a reboot.
fn mode(gpus: &[GpuStatus], record: &Record) -> Option<Step> {
    record.verified.iter().find_map(|wanted| {
        let mut found = gpus.iter().filter(|gpu| gpu.uuid == wanted.uuid);
        let enabled = wanted.mig.enabled;
        let gpu =
            found.find(|gpu| gpu.instances.is_empty() && is_on(gpu.mig.current) != enabled)?;
        if is_chosen(record, gpu) {
            return None;
        }
        Some(Step::SetMode {
            gpu: gpu.uuid.clone(),
            enabled,
        })
    })
}
