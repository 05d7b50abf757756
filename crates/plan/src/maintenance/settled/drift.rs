//! What of a goal is not so yet, apart from the GPUs' layout.

use crds::gpu_node::ChangeClass;

use super::super::publication;
use super::super::turn::Turn;
use crate::change;
use crate::plugin_config;
use crate::resolve::Goal;

/// Whether pods must leave for the goal. Devices that have more holders than they should are no reason where the goal has
/// been verified before: the plugin does not hand out more than it says, so what is counted too often is about to end.
pub(super) fn is_disturbing(turn: &Turn, goal: &Goal) -> bool {
    let is_there = turn.status.verified.as_ref() == Some(&goal.target)
        && change::is_reached(turn.gpus(), &goal.target).is_ok();
    match goal.change.class {
        ChangeClass::None | ChangeClass::ConfigOnly => false,
        ChangeClass::Devices | ChangeClass::Gpus => !is_there,
    }
}

/// Whether anything but the GPUs' layout differs from the goal: what is asked of the agent, what was verified, what the
/// plugin is told, what the node advertises and what it promises. Another generation of a policy that asks for the same
/// is no difference.
pub(super) fn exists(turn: &Turn, goal: &Goal) -> bool {
    turn.seen.spec.target.as_ref() != Some(&goal.target)
        || turn.status.verified.as_ref() != Some(&goal.target)
        || !is_configured(turn, goal)
        || !is_advertised(turn, goal)
        || turn.node.guarantees != goal.guarantees
}

/// Whether the plugin is told what the goal needs: by the label, and by the entry that the label names.
pub(super) fn is_configured(turn: &Turn, goal: &Goal) -> bool {
    let chosen = turn.status.plugin_config.as_ref().map(|chosen| &chosen.key);
    turn.node.plugin_config.as_ref().is_some_and(|key| {
        chosen == Some(key)
            && plugin_config::holds(&goal.target, key)
            && publication::is_there(turn, &goal.target, key)
    })
}

/// Whether the node's allocatable resources are those of the GPUs as they are, under the goal's configuration.
pub(super) fn is_advertised(turn: &Turn, goal: &Goal) -> bool {
    turn.node.resources == plugin_config::advertised(turn.gpus(), &goal.target)
}
