//! The device plugin does not do what it was told: why, as far as the API server shows it.

use crds::gpu_node::{MaintenanceStatus, Phase, Target};
use jiff::Timestamp;

use super::turn::Turn;
use super::{Effect, Limits};
use crate::conditions;
use crate::diagnosis::{self, PluginPod};
use crate::reason::Reason;

/// Whether a step on this status has use for [`super::Observed::stack`]: the node has been told to advertise something else
/// for a while, or has not done so in time.
pub fn wants_diagnosis(status: &MaintenanceStatus, now: Timestamp, limits: &Limits) -> bool {
    match status.phase {
        Phase::Validating => looks_at(status, limits).is_some_and(|moment| moment <= now),
        Phase::Pending => conditions::find(&status.conditions, "MaintenancePending")
            .is_some_and(|waits| waits.reason == Reason::NotAdvertised.as_str()),
        Phase::Unmanaged
        | Phase::InSync
        | Phase::Preparing
        | Phase::Cordoning
        | Phase::WaitingJobs
        | Phase::Draining
        | Phase::Repartitioning
        | Phase::RollingBack
        | Phase::Uncordoning
        | Phase::Releasing
        | Phase::Quarantined => false,
    }
}

/// So long after the plugin was told as it may take: from then to the deadline it has all its time.
fn looks_at(status: &MaintenanceStatus, limits: &Limits) -> Option<Timestamp> {
    let deadline = status.deadline.as_ref()?.0;
    let left = limits.validate.saturating_sub(limits.diagnose);
    deadline.saturating_sub(left).ok()
}

/// Looks into it in time.
pub(super) fn watch(turn: &mut Turn) {
    if let Some(moment) = looks_at(&turn.status, turn.limits).filter(|moment| *moment > turn.now) {
        turn.wake(moment);
    }
}

/// What is seen to keep the plugin from it, or where to look; and whether it was, or may be, made anew.
pub(super) fn causes(turn: &Turn, target: &Target) -> String {
    let stack = turn.seen.stack;
    let mut causes = stack.map_or_else(Vec::new, |stack| diagnosis::causes(stack, target));
    if causes.is_empty() {
        causes.push("see the device plugin's pod on this node".to_owned());
    }
    let restarted = restarted_at(&turn.status);
    causes.extend(restarted.map(|at| format!("its pods there were made anew at {at}")));
    if !turn.seen.may_restart_plugin {
        let pods = restartable(turn, target).iter();
        causes.extend(pods.map(|pod| {
            format!(
                "delete pod {} to have it made anew, or let the operator do so: devicePlugin.restart in its chart",
                pod.name
            )
        }));
    }
    causes.join("; ")
}

/// Has the plugin's pods on the node made anew, if the operator may: one that is stuck reads its configuration when it starts.
/// Once for each time that it is told something; then it has all its time again. Whether it has just now.
pub(super) fn restarts(turn: &mut Turn, target: &Target) -> bool {
    let was_restarted = restarted_at(&turn.status).is_some();
    let pods = restartable(turn, target);
    let Some(chosen) = &mut turn.status.plugin_config else {
        return false;
    };
    if !turn.seen.may_restart_plugin || was_restarted || pods.is_empty() {
        return false;
    }
    chosen.restarted_at = Some(conditions::microseconds(turn.now));
    let key = chosen.key.clone();
    turn.status.deadline = Some(conditions::seconds(turn.after(turn.limits.validate)));
    for pod in pods {
        turn.effect(Effect::Restart(pod.reference.clone()));
        let message = format!(
            "pod {} of NVIDIA's device plugin is made anew: it had not taken configuration {key} in time",
            pod.name
        );
        turn.warn(Reason::DevicePluginRestarted, message);
    }
    true
}

fn restartable<'a>(turn: &Turn<'a>, target: &Target) -> &'a [PluginPod] {
    let stack = turn.seen.stack;
    stack.map_or(&[], |stack| diagnosis::to_restart(stack, target))
}

fn restarted_at(status: &MaintenanceStatus) -> Option<Timestamp> {
    let chosen = status.plugin_config.as_ref()?;
    chosen
        .restarted_at
        .as_ref()
        .map(|at| conditions::seconds(at.0).0)
}
