//! What the agent must not forget.

use crds::gpu_node::{AgentStage, GpuStatus, MigInstance, PlacedProfile, PreviousGpu, Target};
use serde::{Deserialize, Serialize};

use crate::decide::layout;

/// The version of the format that this agent writes and reads.
pub const VERSION: u32 = 1;

/// Everything that must outlive the agent.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Record {
    /// [`VERSION`].
    pub version: u32,
    /// The boot during which the layout was last put in order. Empty: never.
    pub boot_id: String,
    /// Instances that this agent made or adopted.
    pub made: Vec<Made>,
    /// The layout that was last reached and read back, GPU by GPU: what a reboot must not take away.
    pub verified: Vec<PreviousGpu>,
    /// The latest operation that was to destroy something.
    pub operation: Option<Task>,
    /// MIG modes that could not be brought about, one at most of each GPU. Not tried again during the same boot.
    #[serde(default)]
    pub needs_reboot: Vec<NeedsReboot>,
}

/// A MIG mode that only a reboot brings.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NeedsReboot {
    /// UUID of the GPU.
    pub gpu: String,
    /// The mode.
    pub enabled: bool,
    /// The boot during which it was tried.
    pub boot_id: String,
    /// Why it could not be brought about: a clause for people.
    pub why: String,
}

/// An instance that this agent made or adopted.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Made {
    /// UUID of the GPU.
    pub gpu: String,
    /// Profile and place.
    pub at: PlacedProfile,
    /// UUID of the MIG device. Unset: it was about to be made.
    pub device: Option<String>,
}

/// An operation from the decision to destroy on.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Task {
    /// The operator's number.
    pub id: i64,
    /// Where it goes.
    pub target: Target,
    /// Where it goes back to.
    pub previous: Vec<PreviousGpu>,
    /// How far it is.
    pub stage: Stage,
}

/// How far an operation is.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all_fields = "camelCase")]
pub enum Stage {
    /// The operator may not know yet: it has begun only if the `GpuNode` says `Destroying`.
    Intended,
    /// What is not wanted goes.
    Clearing,
    /// What is wanted is made.
    Building,
    /// A step failed: what was made goes again.
    UndoClearing {
        /// Why.
        error: String,
    },
    /// A step failed: what was destroyed is made again.
    UndoBuilding {
        /// Why.
        error: String,
    },
    /// The target is reached and read back.
    Done,
    /// The layout from before is back and read back.
    RolledBack {
        /// Why.
        error: String,
    },
    /// Neither could be reached.
    Failed {
        /// Why.
        error: String,
    },
}

impl Stage {
    /// Whether the GPUs are being changed: the only ways out are the target, the layout before, or a person.
    pub const fn is_under_way(&self) -> bool {
        match self {
            Self::Clearing
            | Self::Building
            | Self::UndoClearing { .. }
            | Self::UndoBuilding { .. } => true,
            Self::Intended | Self::Done | Self::RolledBack { .. } | Self::Failed { .. } => false,
        }
    }

    /// What the operator is told; nothing about an intent.
    pub const fn reported(&self) -> Option<AgentStage> {
        match self {
            Self::Intended => None,
            Self::Clearing | Self::UndoClearing { .. } => Some(AgentStage::Destroying),
            Self::Building | Self::UndoBuilding { .. } => Some(AgentStage::Creating),
            Self::Done => Some(AgentStage::Done),
            Self::RolledBack { .. } => Some(AgentStage::RolledBack),
            Self::Failed { .. } => Some(AgentStage::Failed),
        }
    }

    /// What went wrong, if something did.
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Intended | Self::Clearing | Self::Building | Self::Done => None,
            Self::UndoClearing { error }
            | Self::UndoBuilding { error }
            | Self::RolledBack { error }
            | Self::Failed { error } => Some(error),
        }
    }

    /// Where it goes on after a failure: back, or nowhere if it was going back already.
    #[must_use]
    pub fn failed(&self, why: String) -> Self {
        match self.error() {
            None => Self::UndoClearing { error: why },
            Some(first) => Self::Failed {
                error: format!("{first}; going back failed too: {why}"),
            },
        }
    }
}

impl Record {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self {
            version: VERSION,
            ..Self::default()
        }
    }

    /// Whether an instance is ours: made at this place by us, and not made again by somebody else since.
    pub fn owns(&self, gpu: &str, instance: &MigInstance) -> bool {
        self.made.iter().any(|made| made.is(gpu, instance))
    }

    /// Says that an instance is about to be made, or that this is its device.
    pub fn claim(&mut self, gpu: &str, at: &PlacedProfile, device: Option<String>) {
        self.disclaim(gpu, at);
        self.made.push(Made {
            gpu: gpu.to_owned(),
            at: at.clone(),
            device,
        });
    }

    /// Says that an instance was not made after all.
    pub fn disclaim(&mut self, gpu: &str, at: &PlacedProfile) {
        self.made.retain(|made| made.gpu != gpu || made.at != *at);
    }

    /// Says that the target of an operation is reached. What stands where it wanted it is ours from now on.
    pub fn finish(&mut self, task: &Task, gpus: &[GpuStatus]) {
        for wanted in &task.target.gpus {
            let gpu = gpus.iter().find(|gpu| gpu.uuid == wanted.uuid);
            let instances = gpu.into_iter().flat_map(|gpu| &gpu.instances);
            for instance in instances.filter(|it| task.target.adopt || it.owned) {
                let at = PlacedProfile {
                    start: instance.start,
                    profile: instance.profile.clone(),
                };
                self.claim(&wanted.uuid, &at, instance.uuid.clone());
            }
        }
        self.verify(&layout::wanted(&task.target));
    }

    /// Forgets instances that are gone, and learns the devices of those that were about to be made. Not while GPUs are
    /// being changed.
    pub fn settle(&mut self, gpus: &[GpuStatus]) {
        self.made.retain_mut(|made| {
            let gpu = gpus.iter().find(|gpu| gpu.uuid == made.gpu);
            let mut instances = gpu.into_iter().flat_map(|gpu| &gpu.instances);
            let Some(instance) = instances.find(|it| made.is(&made.gpu, it)) else {
                return false;
            };
            if instance.uuid.is_some() {
                made.device.clone_from(&instance.uuid);
            }
            true
        });
    }

    /// Says that a mode could not be brought about.
    pub fn give_up(&mut self, need: NeedsReboot) {
        self.needs_reboot.retain(|known| known.gpu != need.gpu);
        self.needs_reboot.push(need);
    }

    /// Says that the GPUs of this layout have it.
    fn verify(&mut self, layout: &[PreviousGpu]) {
        self.needs_reboot
            .retain(|need| layout.iter().all(|gpu| gpu.uuid != need.gpu));
        self.verified
            .retain(|known| layout.iter().all(|gpu| gpu.uuid != known.uuid));
        self.verified.extend_from_slice(layout);
    }
}

impl Made {
    fn is(&self, gpu: &str, instance: &MigInstance) -> bool {
        let same = match (&self.device, &instance.uuid) {
            (Some(ours), Some(found)) => ours == found,
            (None, _) | (_, None) => true,
        };
        same && self.gpu == gpu
            && self.at.start == instance.start
            && self.at.profile == instance.profile
    }
}
