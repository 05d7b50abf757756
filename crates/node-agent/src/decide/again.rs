//! What is done about a step that comes up again although it was taken: nothing changed.

use crds::gpu_node::GpuStatus;

use super::Step;
use super::next::is_on;

/// Why there is nothing more to do about a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// The driver did not do what it said. A sentence.
    NoEffect(String),
    /// The GPU was reset, and its MIG mode is pending still.
    NeedsReboot {
        /// Which GPU.
        gpu: String,
        /// The mode that is wanted.
        enabled: bool,
    },
}

/// The step to take instead of `step`, if `took` is the one that was taken just before it.
///
/// The driver takes a MIG mode that it cannot bring about at once as pending. If nobody holds the GPU, which whoever
/// proposes the step has found out afresh, a reset brings it about; and if a reset does not, only a reboot may.
pub fn again(step: Step, took: Option<&Step>, gpus: &[GpuStatus]) -> Result<Step, Stuck> {
    match (&step, took) {
        (Step::SetMode { gpu, enabled }, Some(Step::Reset { gpu: reset })) if gpu == reset => {
            let (gpu, enabled) = (gpu.clone(), *enabled);
            Err(Stuck::NeedsReboot { gpu, enabled })
        }
        (Step::SetMode { gpu, enabled }, Some(before))
            if *before == step && is_pending(gpus, gpu, *enabled) =>
        {
            Ok(Step::Reset { gpu: gpu.clone() })
        }
        (_, Some(before)) if *before == step => Err(Stuck::NoEffect(format!(
            "the driver agreed to {step}, and nothing changed"
        ))),
        (_, _) => Ok(step),
    }
}

/// Whether this mode is set, and not in effect. With instances on the GPU it is not for a reset to take them away.
fn is_pending(gpus: &[GpuStatus], gpu: &str, enabled: bool) -> bool {
    let mut found = gpus.iter().filter(|it| it.uuid == gpu);
    found.any(|it| {
        let is_set = is_on(it.mig.pending) == enabled && is_on(it.mig.current) != enabled;
        is_set && it.instances.is_empty()
    })
}
