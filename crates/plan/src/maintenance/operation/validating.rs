//! The node must advertise the new devices before pods may come.

use std::collections::BTreeMap;

use crds::gpu_node::{OperationResult, Phase, PluginConfigStatus, Target};

use jiff::Timestamp;

use super::super::settled::words;
use super::super::turn::Turn;
use super::super::{Effect, plugin, publication, refresh};
use super::{conclusion, outcome, quarantine, rolling_back};
use crate::change;
use crate::conditions::{self, Verdict};
use crate::plugin_config;
use crate::reason::Reason;

pub(super) fn enter(turn: &mut Turn) {
    let chosen = turn.status.plugin_config.as_ref().map(|chosen| &chosen.key);
    let is_told = chosen.is_some() && turn.node.plugin_config.as_ref() == chosen;
    let is_coincidence = !is_told && is_valid(turn, &in_effect(turn)).is_ok();
    let (reason, message) = if is_coincidence {
        (
            Reason::SameNumbers,
            "the device plugin has as many devices as it had, and must read the new ones",
        )
    } else {
        (
            Reason::AwaitingPlugin,
            "the device plugin must read the new devices",
        )
    };
    await_plugin(turn, reason, message);
}

fn await_plugin(turn: &mut Turn, reason: Reason, message: &str) {
    turn.enter(Phase::Validating, Some(turn.limits.validate));
    turn.condition("Validated", Verdict::False, reason, message);
    turn.wait_for(sentence(turn));
}

/// The plugin is seen to have been told, although the numbers cannot show when it has read the devices: its time begins
/// now, however long ago an operator meant to tell it.
fn begins_to_settle(turn: &mut Turn) -> bool {
    let validated = conditions::find(&turn.status.conditions, "Validated");
    let begins =
        validated.is_some_and(|validated| validated.reason == Reason::SameNumbers.as_str());
    if begins {
        let message = "the device plugin has been told, and needs time to read the new devices";
        await_plugin(turn, Reason::Settling, message);
    }
    begins
}

/// When the plugin has had time to read the devices, if nothing else will show that it has.
fn settled_at(turn: &Turn) -> Option<Timestamp> {
    let validated = conditions::find(&turn.status.conditions, "Validated")?;
    let since = turn.status.phase_since.as_ref()?.0;
    let at = since.saturating_add(turn.limits.settle).ok()?;
    (validated.reason == Reason::Settling.as_str() && turn.now < at).then_some(at)
}

pub(super) fn look(turn: &mut Turn) {
    let target = in_effect(turn);
    let chosen = turn
        .status
        .plugin_config
        .as_ref()
        .map(|chosen| chosen.key.clone());
    let Some(key) = chosen.filter(|key| plugin_config::holds(&target, key)) else {
        return choose(turn, &target);
    };
    publication::publish(turn, &target, &key);
    if turn.node.plugin_config.as_ref() != Some(&key) {
        tell(turn, &target, key);
    } else if let Err(differs) = is_valid(turn, &target) {
        late(turn, &target, &differs);
    } else {
        succeeds(turn, target);
    }
}

/// Tells the plugin by the node's label, once the kubelets have had the time to bring it what the label will name. The
/// plugin's own time begins then.
fn tell(turn: &mut Turn, target: &Target, key: String) {
    let spreading = publication::spreading(turn, target, &key);
    let told = spreading.as_ref().map_or(turn.now, |key| key.until);
    let deadline = told.saturating_add(turn.limits.validate);
    turn.status.deadline = Some(conditions::seconds(deadline.unwrap_or(Timestamp::MAX)));
    let advertised = sentence(turn);
    if let Some(spreading) = spreading {
        turn.wait_for(format!("{}; after that {advertised}", spreading.sentence()));
        turn.wake(spreading.until);
    } else {
        turn.wait_for(advertised);
        let label = crds::names::LABEL_PLUGIN_CONFIG.to_owned();
        turn.effect(Effect::Label(BTreeMap::from([(label, Some(key))])));
    }
}

/// The numbers are right, and are no coincidence any more.
fn succeeds(turn: &mut Turn, target: Target) {
    if begins_to_settle(turn) {
        return;
    }
    if let Some(moment) = settled_at(turn) {
        return turn.wake(moment);
    }
    let message = "the node advertises the devices that it has now";
    turn.condition("Validated", Verdict::True, Reason::Validated, message);
    turn.status.verified = Some(target);
    refresh::restart(turn);
    conclusion::uncordon(turn);
}

/// Chooses a key unlike the node's label, so that the plugin reads the devices afresh.
pub(super) fn choose(turn: &mut Turn, target: &Target) {
    turn.status.plugin_config = Some(PluginConfigStatus {
        key: plugin_config::key(target, turn.node.plugin_config.as_deref()),
        operation_id: turn.status.operation_id,
        restarted_at: None,
    });
}

/// The target that the node is to be left with: that of the operation or, after a rollback, that of before.
pub(super) fn in_effect(turn: &Turn) -> Target {
    let outcome = turn.status.outcome.as_ref().map(|outcome| outcome.result);
    match outcome {
        Some(OperationResult::RolledBack) => rolling_back::before(turn),
        None
        | Some(
            OperationResult::Succeeded
            | OperationResult::Released
            | OperationResult::Failed
            | OperationResult::Quarantined,
        ) => turn.target(),
    }
}

/// Whether the GPUs are as they should be and the scheduler sees exactly them. The error is a sentence.
pub(super) fn is_valid(turn: &Turn, target: &Target) -> Result<(), String> {
    change::is_reached(turn.gpus(), target)?;
    let expected = plugin_config::advertised(turn.gpus(), target);
    if turn.node.resources == expected {
        return Ok(());
    }
    let (is, should) = (words(&turn.node.resources), words(&expected));
    Err(format!("the node advertises {is} instead of {should}"))
}

fn late(turn: &mut Turn, target: &Target, differs: &str) {
    plugin::watch(turn);
    let causes = plugin::causes(turn, target);
    if turn.is_overdue() && plugin::restarts(turn, target) {
        turn.wait_for(sentence(turn));
    } else if turn.is_overdue() {
        let message = format!("{differs}; {causes}");
        turn.condition(
            "Validated",
            Verdict::False,
            Reason::ValidationTimedOut,
            message.clone(),
        );
        quarantine(
            turn,
            outcome(
                OperationResult::Quarantined,
                Reason::ValidationTimedOut,
                message,
            ),
        );
    } else if turn.seen.stack.is_some() {
        turn.wait_for(format!("{}; {causes}", sentence(turn)));
    }
}

fn sentence(turn: &Turn) -> String {
    format!(
        "the node to advertise the devices that it has now until {}; then it is quarantined",
        turn.deadline()
    )
}
