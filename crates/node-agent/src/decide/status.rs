//! What is reported: the operation, the summary, whether the agent can be believed.

use crds::gpu_node::{
    AgentOperation, AgentStage, GpuStatus, MigTarget, PlacedProfile, PreviousGpu, Summary,
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use plan::conditions::{self, Verdict};
use plan::reason::Reason;

use super::next::is_on;

/// How old the last beat may be before a new one is due; a look every 5 s renews it each time.
const BEAT: SignedDuration = SignedDuration::from_secs(4);

/// What the agent says about an operation, less the time.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The operation.
    pub id: i64,
    /// How far it is.
    pub stage: AgentStage,
    /// What went wrong or is in the way.
    pub error: Option<String>,
    /// The layout from before.
    pub previous: Vec<PreviousGpu>,
}

impl Answer {
    /// An answer from before anything was destroyed.
    pub fn new(id: i64, stage: AgentStage, error: Option<String>) -> Self {
        Self {
            id,
            stage,
            error,
            previous: Vec::new(),
        }
    }

    /// The answer with its beat: that of `said` if nothing is new and none is due.
    pub fn beating(self, said: Option<&AgentOperation>, now: Timestamp) -> AgentOperation {
        let same = |said: &&AgentOperation| {
            said.id == self.id
                && said.stage == self.stage
                && said.error == self.error
                && said.previous == self.previous
        };
        let age = |said: &AgentOperation| now.duration_since(said.beat.0);
        let kept = said
            .filter(same)
            .filter(|said| is_over(self.stage) || age(said).abs() < BEAT);
        AgentOperation {
            id: self.id,
            stage: self.stage,
            beat: kept.map_or_else(|| conditions::microseconds(now), |said| said.beat.clone()),
            error: self.error,
            previous: self.previous,
        }
    }
}

/// Whether nothing more will be said about an operation.
pub const fn is_over(stage: AgentStage) -> bool {
    match stage {
        AgentStage::Ready | AgentStage::Destroying | AgentStage::Creating => false,
        AgentStage::Refused | AgentStage::Done | AgentStage::RolledBack | AgentStage::Failed => {
            true
        }
    }
}

/// A node's GPUs in few words.
pub fn summary(gpus: &[GpuStatus]) -> Summary {
    let products = gpus.iter().map(|gpu| gpu.product.clone());
    let layouts = gpus.iter().map(|gpu| {
        let instances = gpu.instances.iter().map(|slice| PlacedProfile {
            start: slice.start,
            profile: slice.profile.clone(),
        });
        plan::layout::describe(&MigTarget {
            enabled: is_on(gpu.mig.current),
            instances: instances.collect(),
        })
    });
    let products: Vec<_> = counted(products)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let layouts: Vec<_> = counted(layouts)
        .into_iter()
        .map(|(layout, number)| match number {
            1 => layout,
            _ => format!("{layout} ({number} GPUs)"),
        })
        .collect();
    Summary {
        product: products.join(", "),
        gpus: i32::try_from(gpus.len()).unwrap_or(i32::MAX),
        layout: layouts.join(", "),
    }
}

/// Each text once, in order of appearance, and how often it is there.
fn counted(texts: impl Iterator<Item = String>) -> Vec<(String, usize)> {
    let mut all: Vec<(String, usize)> = Vec::new();
    for text in texts {
        match all.iter_mut().find(|(known, _)| *known == text) {
            Some((_, number)) => *number += 1,
            None => all.push((text, 1)),
        }
    }
    all
}

/// Whether the agent can be believed: a reason, and what is wrong if it cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unready {
    /// One word.
    pub reason: Reason,
    /// What is wrong, and what to do about it.
    pub message: String,
}

/// The condition `Ready`.
pub fn ready(conditions: &mut Vec<Condition>, unready: Option<&Unready>, now: Timestamp) {
    let (reason, message) = unready.map_or(
        (
            Reason::Observed,
            "the driver answers, and who holds the GPUs is known",
        ),
        |unready| (unready.reason, unready.message.as_str()),
    );
    let verdict = Verdict::from(unready.is_none());
    conditions::set(conditions, "Ready", verdict, reason, message, now);
}
