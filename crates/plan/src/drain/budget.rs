//! What the numbers of a disruption budget say about waiting for it.

use std::collections::BTreeSet;

use crds::gpu_node::BlockedPod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::EvictionMemory;
use crate::pod::PodView;
use crate::reason::Reason;
use crate::resolve;

/// A `PodDisruptionBudget` as its controller has counted it.
#[derive(Clone, Debug, PartialEq)]
pub struct BudgetView {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Which pods it covers.
    pub selector: Option<LabelSelector>,
    /// The numbers are those of its present spec.
    pub is_counted: bool,
    /// Evictions that it allows now (`status.disruptionsAllowed`).
    pub allowed: i32,
    /// Pods that it counts (`status.expectedPods`).
    pub expected: i32,
    /// How many of them must be healthy (`status.desiredHealthy`).
    pub wanted: i32,
}

/// What becomes of waiting for a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// Its numbers are not those of its spec: nothing can be told yet.
    Unknown,
    /// It may allow an eviction sooner or later.
    Open,
    /// It wants every pod that it counts to be healthy: it never allows an eviction while that is so.
    Hopeless,
}

impl BudgetView {
    /// The view of a budget as it was read.
    pub fn of(budget: &PodDisruptionBudget) -> Self {
        let meta = &budget.metadata;
        let status = budget.status.as_ref();
        let observed = status.and_then(|status| status.observed_generation);
        Self {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
            selector: budget.spec.as_ref().and_then(|spec| spec.selector.clone()),
            is_counted: observed >= meta.generation,
            allowed: status.map_or(0, |status| status.disruptions_allowed),
            expected: status.map_or(0, |status| status.expected_pods),
            wanted: status.map_or(0, |status| status.desired_healthy),
        }
    }

    /// What becomes of waiting for it.
    pub const fn outlook(&self) -> Outlook {
        if !self.is_counted {
            Outlook::Unknown
        } else if self.allowed == 0 && self.expected > 0 && self.wanted >= self.expected {
            Outlook::Hopeless
        } else {
            Outlook::Open
        }
    }

    /// As the eviction API has it: a budget with an empty selector covers nothing.
    fn covers(&self, pod: &PodView) -> bool {
        let is_empty = |selector: &&LabelSelector| **selector == LabelSelector::default();
        let selector = self.selector.as_ref().filter(|it| !is_empty(it));
        self.namespace == pod.reference.namespace
            && selector.is_some_and(|selector| resolve::matches(selector, &pod.labels))
    }
}

/// A refusal by a budget, with what the budget's own numbers add to it.
pub fn explained(block: &BlockedPod, pod: &PodView, budgets: &[BudgetView]) -> BlockedPod {
    let mut covering = budgets
        .iter()
        .filter(|budget| is_named(&block.message, &budget.name) && budget.covers(pod));
    let hopeless = covering.find(|budget| budget.outlook() == Outlook::Hopeless);
    match hopeless {
        Some(budget) if block.reason == Reason::DisruptionBudget.as_str() => BlockedPod {
            pod: block.pod.clone(),
            reason: Reason::HopelessDisruptionBudget.as_str().to_owned(),
            message: format!("{}. {}", block.message.trim_end_matches('.'), why(budget)),
        },
        Some(_) | None => block.clone(),
    }
}

/// The namespaces whose budgets are worth reading: those of pods that a budget protects.
pub fn namespaces<'a>(memories: impl IntoIterator<Item = &'a EvictionMemory>) -> BTreeSet<&'a str> {
    let is_budget = |block: &BlockedPod| block.reason == Reason::DisruptionBudget.as_str();
    let memories = memories.into_iter();
    memories
        .filter(|memory| memory.block.as_ref().is_some_and(is_budget))
        .map(|memory| memory.pod.namespace.as_str())
        .collect()
}

fn why(budget: &BudgetView) -> String {
    let BudgetView {
        namespace,
        name,
        expected,
        wanted,
        ..
    } = budget;
    format!(
        "This cannot succeed as things are: budget {namespace}/{name} counts {expected} pods and wants {wanted} of them healthy, so it never lets one go. Run more replicas, or give it another minAvailable or maxUnavailable"
    )
}

/// The server names the budget in its sentence, between blanks or quotes.
fn is_named(sentence: &str, name: &str) -> bool {
    sentence.split([' ', '"']).any(|word| word == name)
}
