//! Configurations of the device plugin are published long before the node's label names them: the kubelet takes its time to
//! bring them to the plugin's pod, and the plugin's config manager ends with an error if the label is there first.
//!
//! Since when a key is there stands beside it in the `ConfigMap`, so that nobody waits for one that another node uses already.
//! For the same reason every configuration has both of its keys published at once: the one that this node is told next was
//! there before.

use crds::gpu_node::Target;
use jiff::Timestamp;

use super::Effect;
use super::turn::Turn;
use super::waiting::{Wait, Waiting};
use crate::conditions;
use crate::plugin_config;
use crate::resolve::Goal;

/// A key that was published a moment ago.
pub(super) struct Spreading {
    /// When the kubelets have had the time to bring it to the plugins.
    pub(super) until: Timestamp,
    sentence: String,
}

impl Spreading {
    /// What is waited for and until when: no whole sentence.
    pub(super) fn sentence(&self) -> &str {
        &self.sentence
    }
}

impl From<Spreading> for Wait {
    fn from(key: Spreading) -> Self {
        Self::new(Waiting::AwaitingKubelet, key.sentence).until(Some(key.until))
    }
}

/// Publishes what the node will be told once the goal is reached, unless people have said that nothing is to be done for its
/// policy: a dry run touches nothing, and whoever pauses a policy expects nothing new in the name of it.
pub(super) fn ahead_of(turn: &mut Turn, goal: &Goal) {
    let policy = turn.seen.policy;
    if policy.is_some_and(|it| it.valid && !it.spec.paused && !it.spec.dry_run) {
        ahead(turn, &goal.target);
    }
}

/// Publishes every key that the node may be told next for a target: not the one that it is told now, whose content may have
/// been read as somebody has changed it.
pub(super) fn ahead(turn: &mut Turn, target: &Target) {
    for key in plugin_config::keys(target) {
        if turn.node.plugin_config.as_ref() != Some(&key) {
            publish(turn, target, &key);
        }
    }
}

/// Publishes a key, unless it is there already. Whether there was anything to do.
///
/// A key that is there since a moment ahead is published anew: that clock was wrong, and nobody waits for it to be right.
pub(super) fn publish(turn: &mut Turn, target: &Target, key: &str) -> bool {
    if since(turn, target, key).is_some() {
        return false;
    }
    turn.effect(Effect::PublishConfig {
        key: key.to_owned(),
        content: plugin_config::render(target),
        since: conditions::microseconds(turn.now).0,
    });
    true
}

/// Whether the key holds what the target needs.
pub(super) fn is_there(turn: &Turn, target: &Target, key: &str) -> bool {
    let entry = turn.seen.configs.get(key);
    entry.is_some_and(|entry| entry.content == plugin_config::render(target))
}

fn since(turn: &Turn, target: &Target, key: &str) -> Option<Timestamp> {
    let since = turn.seen.configs.get(key)?.since;
    since.filter(|since| *since <= turn.now && is_there(turn, target, key))
}

/// Whether the kubelets need more time for a key that is there, or is published by this very step.
pub(super) fn spreading(turn: &Turn, target: &Target, key: &str) -> Option<Spreading> {
    let since = since(turn, target, key).unwrap_or(turn.now);
    let until = since.saturating_add(turn.limits.config_delay);
    let until = until.unwrap_or(Timestamp::MAX);
    (until > turn.now).then(|| Spreading {
        until,
        sentence: format!(
            "the kubelets to have configuration {key} until {}: it was published at {}",
            conditions::seconds(until).0,
            conditions::seconds(since).0
        ),
    })
}
