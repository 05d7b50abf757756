//! What differs between the GPUs of a node and their target, and whom that disturbs.

mod difference;
mod mps;
mod overdrawn;
mod reached;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crds::gpu_node::{ChangeClass, GpuPlan, GpuStatus, Target};

pub(crate) use difference::is_on;
pub(crate) use overdrawn::is_overdrawn;
pub use reached::{differences, is_reached};

/// What differs between the GPUs of a node and their target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The most that is disturbed: `None`, `Devices` or `Gpus`. What the device plugin is told (`ConfigOnly`) cannot be
    /// seen on the GPUs.
    pub class: ChangeClass,
    /// The GPUs that change, in the target's order.
    pub gpus: Vec<GpuPlan>,
    /// UUIDs of the devices that go or change: whoever holds one must leave.
    pub affected: BTreeSet<String>,
    /// Why devices that stay must be emptied, each a sentence without its full stop.
    pub emptied: Vec<String>,
}

/// What it takes to get from the GPUs as they are to their target.
///
/// - An instance that is not at the place that the target has for its profile goes, and so does one without a whole
///   compute instance, at any place. Instances that others have made stay unless the target adopts.
/// - Switching MIG mode takes the whole GPU with everything on it. To take back a switch that is pending disturbs nobody:
///   the mode in effect stays.
/// - To start, stop or change the MPS daemon of a node takes every GPU that it serves, or is to serve, with everybody on it.
/// - A GPU or slice with more pods on it than may share it must be emptied: nobody can say which of them should stay. So
///   must one that a pod has under another name than it will be advertised by: it would be handed out once more.
///
/// Can be computed at any time from a fresh observation: what is done already is no difference any more. GPUs that the
/// target does not name are left alone; for GPUs that are not there see [`is_reached`].
pub fn between(current: &[GpuStatus], target: &Target) -> Change {
    let mut change = Change {
        class: ChangeClass::None,
        gpus: Vec::new(),
        affected: BTreeSet::new(),
        emptied: Vec::new(),
    };
    let restarts = mps::restarts(current, target);
    for wanted in &target.gpus {
        let Some(gpu) = current.iter().find(|gpu| gpu.uuid == wanted.uuid) else {
            continue;
        };
        let found = difference::of(gpu, wanted, target, restarts);
        if found.class != ChangeClass::None {
            change.class = change.class.max(found.class);
            change.gpus.push(found.plan);
            change.affected.extend(found.affected);
            change.emptied.extend(found.emptied);
        }
    }
    change
}
