//! What a node promises to pods holds for as long as it says so: promises go before whatever could break them.

use std::collections::BTreeMap;

use crds::GpuNodeSpec;
use crds::gpu_node::{OperationStage, Phase};
use crds::names::{ANNOTATION_MIG_MANAGER, GUARANTEE_LABELS, LABEL_PLUGIN_CONFIG};

use super::Snapshot;
use crate::maintenance::{Effect, Step};
use crate::resolve::Wish;

/// What a node promises to pods, by label.
type Promises = BTreeMap<String, String>;

/// Checks the effects in the order in which they are performed.
pub(super) fn check(seen: &Snapshot, step: &Step) {
    let Some(node) = &seen.node else { return };
    let mut promises = node.guarantees.clone();
    for effect in &step.effects {
        match effect {
            Effect::Cordon { .. } => promises.clear(),
            Effect::Label(labels) => {
                change(&mut promises, labels);
                let is_told = labels.contains_key(LABEL_PLUGIN_CONFIG);
                assert!(
                    !is_told || keeps(seen, &promises),
                    "the device plugin is told something that breaks {promises:?}"
                );
            }
            Effect::Remember {
                labels,
                annotations,
            } => {
                change(&mut promises, labels);
                let is_given_back = annotations.get(ANNOTATION_MIG_MANAGER) == Some(&None);
                assert!(
                    !is_given_back || promises.is_empty(),
                    "given back to MIG Manager with {promises:?}"
                );
            }
            Effect::Ask(spec) => assert!(
                !lets_change(seen, spec) || promises.is_empty(),
                "the agent may change the GPUs in spite of {promises:?}"
            ),
            Effect::Uncordon { .. }
            | Effect::PublishConfig { .. }
            | Effect::Evict { .. }
            | Effect::Delete { .. }
            | Effect::Restart(_) => {}
        }
    }
    assert!(
        !is_changed_in(step.status.phase) || promises.is_empty(),
        "the GPUs change in spite of {promises:?}"
    );
}

fn is_changed_in(phase: Phase) -> bool {
    matches!(phase, Phase::Repartitioning | Phase::RollingBack)
}

fn change(promises: &mut Promises, labels: &BTreeMap<String, Option<String>>) {
    let ours = labels
        .iter()
        .filter(|(label, _)| GUARANTEE_LABELS.contains(&label.as_str()));
    for (label, value) in ours {
        promises.remove(label);
        promises.extend(value.clone().map(|value| (label.clone(), value)));
    }
}

/// What stands is what will be so under the configuration that is wanted.
fn keeps(seen: &Snapshot, promises: &Promises) -> bool {
    let wanted = match &seen.wish {
        Wish::Goal(goal) => &goal.guarantees,
        Wish::Unmanaged | Wish::Refused { .. } => return promises.is_empty(),
    };
    let mut all = promises.iter();
    all.all(|(label, value)| wanted.get(label) == Some(value))
}

/// It is told to go ahead, or that nobody wants anything of it any more: then it ends its MPS daemon.
fn lets_change(seen: &Snapshot, spec: &GpuNodeSpec) -> bool {
    let goes_ahead = |spec: &GpuNodeSpec| {
        let stage = spec.operation.as_ref().map(|operation| operation.stage);
        stage == Some(OperationStage::Proceed)
    };
    let is_go_ahead = goes_ahead(spec) && !goes_ahead(&seen.spec);
    let is_over = spec.target.is_none() && seen.spec.target.is_some();
    is_go_ahead || is_over
}
