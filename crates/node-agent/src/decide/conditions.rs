//! The conditions about the GPUs: MIG modes that are not in effect, a layout that is not the one that was verified,
//! instances that others have made, and the MPS daemon.

use std::collections::BTreeMap;

use crds::gpu_node::{GpuStatus, MpsDaemon, MpsState, PreviousGpu};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use plan::conditions::{self, Verdict};
use plan::reason::Reason;

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
        (false, _) => (Reason::RebootRequired, reboots.join("; ")),
        (true, false) => (Reason::ModePending, pending.join("; ")),
        (true, true) => (
            Reason::InEffect,
            "every MIG mode that was set is in effect".into(),
        ),
    };
    let verdict = Verdict::from(reason == Reason::InEffect);
    conditions::set(conditions, "ModesSettled", verdict, reason, &message, now);
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

/// The condition `Drifted`, about the GPUs as they are: each difference from what was last verified. `given_up` says, by
/// UUID, why a GPU could not be put in order after a reboot.
pub fn drifted(
    conditions: &mut Vec<Condition>,
    gpus: &[GpuStatus],
    verified: &[PreviousGpu],
    given_up: &BTreeMap<String, String>,
    now: Timestamp,
) {
    let differs = layout::differences(gpus, verified);
    let failures = given_up
        .iter()
        .map(|(gpu, why)| format!("GPU {gpu} could not be put in order after the reboot: {why}"));
    let told: Vec<_> = differs.iter().cloned().chain(failures).collect();
    let (reason, message) = match (differs.is_empty(), verified.is_empty()) {
        (false, _) if !given_up.is_empty() => (Reason::NotRestored, told.join("; ")),
        (false, _) => (Reason::Differs, told.join("; ")),
        (true, true) => (
            Reason::NothingVerified,
            "no operation has set these GPUs yet".into(),
        ),
        (true, false) => (Reason::AsVerified, "the GPUs are as last verified".into()),
    };
    let verdict = Verdict::from(!differs.is_empty());
    conditions::set(conditions, "Drifted", verdict, reason, &message, now);
}

/// The condition `ForeignInstances`: which instances somebody else has made or divided, and how they are adopted.
pub fn foreign_instances(conditions: &mut Vec<Condition>, gpus: &[GpuStatus], now: Timestamp) {
    let all: Vec<_> = gpus.iter().flat_map(foreign).collect();
    let (reason, message) = if all.is_empty() {
        let message = "every instance was made by this agent".into();
        (Reason::AllOurs, message)
    } else {
        let message = format!(
            "made or divided by somebody else: {}; they are left alone, and what is wanted must go around them. With \
             mig.adopt: true in the policy, operations may take them over or destroy them",
            all.join("; ")
        );
        (Reason::NotOurs, message)
    };
    let verdict = Verdict::from(!all.is_empty());
    conditions::set(
        conditions,
        "ForeignInstances",
        verdict,
        reason,
        &message,
        now,
    );
}

fn foreign(gpu: &GpuStatus) -> Vec<String> {
    let theirs = gpu.instances.iter().filter(|it| !it.owned);
    theirs
        .map(|it| {
            let inside = match (&it.uuid, &*it.parts) {
                (Some(device), _) => device.clone(),
                (None, []) => "no compute instance".to_owned(),
                (None, parts) => format!("divided: {}", parts.join(", ")),
            };
            let (profile, start, index) = (&it.profile, it.start, gpu.index);
            format!("{profile} at slice {start} of GPU {index} ({inside})")
        })
        .collect()
}

/// The condition `MpsServing`: whether the MPS daemon serves what it should. An agent that may not run one says nothing.
pub fn mps_serving(
    conditions: &mut Vec<Condition>,
    daemon: Option<&MpsDaemon>,
    wanted: bool,
    now: Timestamp,
) {
    const KIND: &str = "MpsServing";
    let Some(daemon) = daemon else {
        return conditions.retain(|it| it.type_ != KIND);
    };
    let (reason, message) = match daemon.state {
        MpsState::Absent if !wanted => (Reason::MpsNotWanted, "no operation has asked for MPS"),
        MpsState::Running => (
            Reason::MpsServing,
            "the MPS daemon serves its GPUs, with the limits that it was told and that were read back",
        ),
        MpsState::Absent | MpsState::Starting | MpsState::Dead | MpsState::Stopping => (
            Reason::MpsStarting,
            "the MPS daemon does not serve yet, or has died and is started again",
        ),
        MpsState::CrashLooping => (
            Reason::MpsCrashLooping,
            "the MPS daemon or its servers died too often; its GPUs are given back, and it stays down until an operation or \
             a new start of the agent tries again",
        ),
        MpsState::TwoOwners => (
            Reason::TwoMpsOwners,
            "another MPS daemon has the pipe directory; remove it, or the label nvidia.com/mps.capable from the node",
        ),
    };
    let trouble = daemon.trouble.as_deref();
    let trouble = trouble.filter(|_| reason != Reason::MpsServing);
    let message = trouble.map_or_else(
        || message.to_owned(),
        |trouble| format!("{message}: {trouble}"),
    );
    let verdict = Verdict::from(reason == Reason::MpsServing);
    conditions::set(conditions, KIND, verdict, reason, &message, now);
}
