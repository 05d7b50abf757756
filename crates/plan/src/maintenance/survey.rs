//! Who is in the way of a change, and the plan that people read.

use std::collections::BTreeSet;

use crds::gpu_node::OperationPlan;
use crds::policy::DrainSettings;
use jiff::Timestamp;

use super::{Limits, Observed};
use crate::change::Change;
use crate::drain::{Assessment, Question};
use crate::pod::PodView;

/// Who must leave for these devices to change.
pub(super) fn assess<'a>(
    seen: &'a Observed<'a>,
    limits: &Limits,
    now: Timestamp,
    settings: &'a DrainSettings,
    affected: &'a BTreeSet<String>,
) -> Assessment<'a> {
    Assessment::of(Question {
        settings,
        affected,
        gpus: seen.agent.map_or(&[], |agent| agent.gpus.as_slice()),
        pods: seen.pods,
        admission: limits.admission,
        now,
    })
}

/// What a change means, before any pod has been asked to leave.
pub(super) fn plan(change: &Change, assessment: &Assessment) -> OperationPlan {
    let leave = [
        &assessment.victims,
        &assessment.leaving,
        &assessment.undecided,
    ];
    let mut victims: Vec<String> = leave
        .into_iter()
        .flatten()
        .map(|pod| PodView::name(pod))
        .collect();
    victims.sort();
    OperationPlan {
        class: change.class,
        gpus: change.gpus.clone(),
        victims,
        untouched: assessment.untouched.clone(),
        unprotected: Vec::new(),
    }
}

/// At most three of these, in words.
pub(super) fn some<T>(all: &[T], word: impl Fn(&T) -> String) -> String {
    first(3, all, word)
}

/// At most so many of these, in words.
pub(super) fn first<T>(shown: usize, all: &[T], word: impl Fn(&T) -> String) -> String {
    let text = all
        .iter()
        .take(shown)
        .map(word)
        .collect::<Vec<_>>()
        .join("; ");
    if all.len() > shown {
        return format!("{text}; and {} more", all.len() - shown);
    }
    text
}
