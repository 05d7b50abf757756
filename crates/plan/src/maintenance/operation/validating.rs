//! The node must advertise the new devices before pods may come.

use std::collections::BTreeMap;

use crds::gpu_node::{OperationResult, Phase, PluginConfigStatus, Target};

use super::super::Effect;
use super::super::settled::words;
use super::super::turn::Turn;
use super::{conclusion, outcome, quarantine, rolling_back};
use crate::change;
use crate::conditions::Verdict;
use crate::plugin_config;

pub(super) fn enter(turn: &mut Turn) {
    turn.enter(Phase::Validating, Some(turn.limits.validate));
    turn.wait_for(format!(
        "the node to advertise the devices that it has now until {}; then it is quarantined",
        turn.deadline()
    ));
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
    let content = plugin_config::render(&target);
    if turn.seen.configs.get(&key) != Some(&content) {
        turn.effect(Effect::PublishConfig {
            key: key.clone(),
            content,
        });
    }
    if turn.node.plugin_config.as_ref() != Some(&key) {
        let label = crds::names::LABEL_PLUGIN_CONFIG.to_owned();
        turn.effect(Effect::Label(BTreeMap::from([(label, Some(key))])));
    } else if let Err(differs) = is_valid(turn, &target) {
        late(turn, &differs);
    } else {
        let message = "the node advertises the devices that it has now";
        turn.condition("Validated", Verdict::True, "Validated", message);
        turn.status.verified = Some(target);
        conclusion::uncordon(turn);
    }
}

/// Chooses a key unlike the node's label, so that the plugin reads the devices afresh.
pub(super) fn choose(turn: &mut Turn, target: &Target) {
    turn.status.plugin_config = Some(PluginConfigStatus {
        key: plugin_config::key(target, turn.node.plugin_config.as_deref()),
        operation_id: turn.status.operation_id,
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

fn late(turn: &mut Turn, differs: &str) {
    if turn.is_overdue() {
        let message = format!("{differs}; see the device plugin's pod on this node");
        turn.condition(
            "Validated",
            Verdict::False,
            "ValidationTimedOut",
            message.clone(),
        );
        quarantine(
            turn,
            outcome(OperationResult::Quarantined, "ValidationTimedOut", message),
        );
    }
}
