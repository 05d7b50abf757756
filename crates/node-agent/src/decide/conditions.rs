//! The conditions about the GPUs: MIG modes that are not in effect, and a layout that is not the one that was verified.

use crds::gpu_node::{GpuStatus, PreviousGpu};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use plan::conditions::{self, Verdict};

use super::layout;
use super::next::is_on;
use super::reboot;
use crate::journal::NeedsReboot;

/// The condition `ModesSettled`: no GPU has a MIG mode that is pending, and none needs a reboot to get one.
pub fn modes_settled(
    conditions: &mut Vec<Condition>,
    gpus: &[GpuStatus],
    needs: &[NeedsReboot],
    now: Timestamp,
) {
    let reboots = needs.iter().map(|need| reboot::sentence(gpus, need));
    let reboots: Vec<_> = reboots.collect();
    let pending: Vec<_> = gpus.iter().filter_map(pending).collect();
    let (reason, message) = match (reboots.is_empty(), pending.is_empty()) {
        (false, _) => ("RebootRequired", reboots.join("; ")),
        (true, false) => ("ModePending", pending.join("; ")),
        (true, true) => (
            "InEffect",
            "every MIG mode that was set is in effect".into(),
        ),
    };
    let verdict = Verdict::from(reason == "InEffect");
    conditions::set(
        conditions,
        "ModesSettled",
        verdict,
        reason,
        &message,
        None,
        now,
    );
}

/// What a GPU's pending MIG mode means, and what becomes of it. None: none is pending.
fn pending(gpu: &GpuStatus) -> Option<String> {
    let word = |on| if on { "on" } else { "off" };
    let (is, will_be) = (is_on(gpu.mig.current), is_on(gpu.mig.pending));
    (is != will_be).then(|| {
        format!(
            "MIG mode of GPU {} ({}) is {}, and will be {} after the next reset of the GPU or reboot of the node, which \
             takes everything off it; an operation on this GPU settles it, or \
             `nvidia-smi -i {} -mig {}` takes it back",
            gpu.index,
            gpu.uuid,
            word(is),
            word(will_be),
            gpu.uuid,
            u8::from(is)
        )
    })
}

/// The condition `Drifted`, about the GPUs as they are: each difference from what was last verified.
pub fn drifted(
    conditions: &mut Vec<Condition>,
    gpus: &[GpuStatus],
    verified: &[PreviousGpu],
    now: Timestamp,
) {
    let differs = layout::differences(gpus, verified);
    let (reason, message) = match (differs.is_empty(), verified.is_empty()) {
        (false, _) => ("Differs", differs.join("; ")),
        (true, true) => (
            "NothingVerified",
            "no operation has set these GPUs yet".into(),
        ),
        (true, false) => ("AsVerified", "the GPUs are as last verified".into()),
    };
    let verdict = Verdict::from(!differs.is_empty());
    conditions::set(conditions, "Drifted", verdict, reason, &message, None, now);
}
