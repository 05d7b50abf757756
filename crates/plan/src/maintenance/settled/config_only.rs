//! Changes that disturb no pod: only what the device plugin is told, and what the node promises.

use std::collections::BTreeMap;

use crds::GpuNodeSpec;
use crds::gpu_node::{ChangeClass, OperationPlan, Phase, PluginConfigStatus};

use super::super::turn::Turn;
use super::super::waiting::{Wait, Waiting};
use super::super::{Effect, neighbours, plugin, publication};
use super::{drift, gates, pend};
use crate::conditions::{self, Verdict};
use crate::plugin_config;
use crate::reason::Reason;
use crate::resolve::{Goal, Wish};

/// Begins, or says what is waited for. The configuration is published meanwhile.
pub(super) fn strive(turn: &mut Turn, goal: &Goal) {
    let choice = choice(turn, goal);
    if choice.is_some() {
        publication::ahead_of(turn, goal);
    }
    match held_up(turn, goal, choice.as_ref()) {
        Some(wait) => {
            turn.status.plan = Some(plan());
            pend(turn, wait);
        }
        None => begin(turn, goal, choice),
    }
}

/// What even a change that disturbs nobody waits for. After a failure it waits as operations do.
fn held_up(turn: &Turn, goal: &Goal, choice: Option<&PluginConfigStatus>) -> Option<Wait> {
    let spreads = || publication::spreading(turn, &goal.target, &choice?.key);
    gates::person(turn, goal)
        .or_else(|| neighbours::driver_upgrade(turn))
        .or_else(|| back_off(turn, goal))
        .or_else(|| spreads().map(Wait::from))
}

fn back_off(turn: &Turn, goal: &Goal) -> Option<Wait> {
    let next = turn.status.next_attempt.as_ref().map(|next| next.0);
    let next = next.filter(|next| *next > turn.now)?;
    let message = format!("the next attempt at {next}: {}", mismatch(turn, goal));
    Some(Wait::new(Waiting::NotAdvertised, message).until(Some(next)))
}

/// Enters phase `Validating` without an operation: no slot, no window, no cordon.
fn begin(turn: &mut Turn, goal: &Goal, choice: Option<PluginConfigStatus>) {
    turn.enter(Phase::Validating, Some(turn.limits.validate));
    if choice.is_some() {
        turn.status.plugin_config = choice;
    }
    turn.status.strategy = Some(goal.strategy.clone());
    turn.status.plan = Some(plan());
    turn.condition(
        "MaintenancePending",
        Verdict::False,
        Reason::ConfigOnly,
        "only the device plugin's configuration changes",
    );
    turn.condition(
        "Synced",
        Verdict::False,
        Reason::ConfigOnly,
        "the node does not advertise yet what the policy says",
    );
    turn.wait_for(sentence(turn));
}

fn sentence(turn: &Turn) -> String {
    let deadline = turn.deadline();
    format!(
        "the device plugin to advertise what the policy says until {deadline}; then it is tried again later"
    )
}

/// A plan that touches no GPU and no pod.
pub(super) const fn plan() -> OperationPlan {
    OperationPlan {
        class: ChangeClass::ConfigOnly,
        gpus: Vec::new(),
        victims: Vec::new(),
        untouched: Vec::new(),
        unprotected: Vec::new(),
    }
}

/// A key unlike the node's label, where the plugin has to read its devices: it does so only when the label changes.
fn choice(turn: &Turn, goal: &Goal) -> Option<PluginConfigStatus> {
    let is_read = drift::is_configured(turn, goal) && drift::is_advertised(turn, goal);
    (!is_read).then(|| PluginConfigStatus {
        key: plugin_config::key(&goal.target, turn.node.plugin_config.as_deref()),
        operation_id: turn.status.operation_id,
        restarted_at: None,
    })
}

/// Phase `Validating` without an operation. When it is over, or something else is wanted by now, the node is looked at
/// afresh.
pub(in super::super) fn config_only(turn: &mut Turn) {
    let Some((goal, key)) = under_way(turn) else {
        return super::look(turn);
    };
    if writes(turn, goal, &key) {
        return;
    }
    if !drift::is_advertised(turn, goal) {
        return await_plugin(turn, goal);
    }
    if turn.node.guarantees != goal.guarantees {
        turn.effect(Effect::Label(promises(turn, goal)));
        return;
    }
    turn.status.verified = Some(goal.target.clone());
    super::look(turn);
}

/// The goal and the key chosen for it, as long as nothing speaks against going on.
fn under_way<'a>(turn: &Turn<'a>) -> Option<(&'a Goal, String)> {
    let goal = match turn.seen.wish {
        Wish::Goal(goal) => goal,
        Wish::Unmanaged | Wish::Refused { .. } => return None,
    };
    let objection = gates::agent(turn).or_else(|| gates::person(turn, goal));
    if drift::is_disturbing(turn, goal) || objection.is_some() {
        return None;
    }
    let key = turn.status.plugin_config.as_ref()?.key.clone();
    let is_told = turn.node.plugin_config.as_ref() == Some(&key);
    let is_due = is_told || publication::spreading(turn, &goal.target, &key).is_none();
    (is_due && plugin_config::holds(&goal.target, &key)).then_some((goal, key))
}

fn writes(turn: &mut Turn, goal: &Goal, key: &str) -> bool {
    if publication::publish(turn, &goal.target, key) {
        return true;
    }
    let spec = GpuNodeSpec {
        policy: Some(goal.policy.clone()),
        target: Some(goal.target.clone()),
        operation: None,
    };
    if *turn.seen.spec != spec {
        turn.effect(Effect::Ask(spec));
        return true;
    }
    if turn.node.plugin_config.as_deref() != Some(key) {
        tell(turn, goal, key);
        return true;
    }
    false
}

/// Tells the plugin, whose time begins now.
fn tell(turn: &mut Turn, goal: &Goal, key: &str) {
    let mut labels = withdrawn(turn, goal);
    let label = crds::names::LABEL_PLUGIN_CONFIG.to_owned();
    labels.insert(label, Some(key.to_owned()));
    turn.effect(Effect::Label(labels));
    turn.status.deadline = Some(conditions::seconds(turn.after(turn.limits.validate)));
    turn.wait_for(sentence(turn));
}

fn await_plugin(turn: &mut Turn, goal: &Goal) {
    let withdrawn = withdrawn(turn, goal);
    if !withdrawn.is_empty() {
        turn.effect(Effect::Label(withdrawn));
        return;
    }
    plugin::watch(turn);
    if turn.seen.stack.is_some() {
        let causes = plugin::causes(turn, &goal.target);
        turn.wait_for(format!("{}; {causes}", sentence(turn)));
    }
    if turn.is_overdue() && plugin::restarts(turn, &goal.target) {
        turn.wait_for(sentence(turn));
    } else if turn.is_overdue() {
        turn.status.attempts = turn.status.attempts.saturating_add(1);
        let wait = turn.limits.wait_after(turn.status.attempts);
        turn.status.next_attempt = Some(conditions::seconds(turn.after(wait)));
        strive(turn, goal);
    }
}

/// Promises that are not the goal's are withdrawn before the plugin hands out anything else.
fn withdrawn(turn: &Turn, goal: &Goal) -> BTreeMap<String, Option<String>> {
    turn.node
        .guarantees
        .iter()
        .filter(|(label, value)| goal.guarantees.get(*label) != Some(*value))
        .map(|(label, _)| (label.clone(), None))
        .collect()
}

fn promises(turn: &Turn, goal: &Goal) -> BTreeMap<String, Option<String>> {
    let mut labels = withdrawn(turn, goal);
    let wanted = goal.guarantees.iter();
    labels.extend(wanted.map(|(label, value)| (label.clone(), Some(value.clone()))));
    labels
}

fn mismatch(turn: &Turn, goal: &Goal) -> String {
    let expected = plugin_config::advertised(turn.gpus(), &goal.target);
    format!(
        "the node advertises {} instead of {}; {}",
        words(&turn.node.resources),
        words(&expected),
        plugin::causes(turn, &goal.target)
    )
}

/// Resources in words.
pub(in super::super) fn words(resources: &BTreeMap<String, i64>) -> String {
    if resources.is_empty() {
        return "no GPU".to_owned();
    }
    let each = resources
        .iter()
        .map(|(name, count)| format!("{count} {name}"));
    each.collect::<Vec<_>>().join(" and ")
}
