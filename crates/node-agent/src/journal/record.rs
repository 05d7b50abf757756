//! What the agent must not forget.

use crds::gpu_node::{GpuStatus, MigInstance, PlacedProfile, PreviousGpu};
use serde::{Deserialize, Serialize};

use super::made::{Made, Making};
use super::task::Task;
use crate::decide::{Step, layout};

/// How often a step is begun before it is given up: an agent that ends each time is ended by the step.
const TRIES: u32 = 3;

/// Everything that must outlive the agent.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Record {
    /// The boot during which the layout was last put in order. Empty: never.
    pub boot_id: String,
    /// Instances that this agent made or adopted.
    pub made: Vec<Made>,
    /// The layout that was last reached and read back, GPU by GPU: what a reboot must not take away.
    pub verified: Vec<PreviousGpu>,
    /// The latest operation that was to destroy something.
    pub operation: Option<Task>,
    /// The latest step, from before the driver was asked for it until the stage ends.
    pub step: Option<Begun>,
    /// MIG modes that could not be brought about, one at most of each GPU. Not tried again during the same boot.
    pub needs_reboot: Vec<NeedsReboot>,
}

/// A step that was begun. Whether it had its effect only a look at the GPUs can tell.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Begun {
    /// What was asked of the driver.
    pub step: Step,
    /// In which boot.
    pub boot_id: String,
    /// How often in a row, by this agent and those before it.
    pub times: u32,
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

impl Record {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether an instance is ours: made at this place by us in this boot, and not made again by somebody else since.
    pub fn owns(&self, boot_id: &str, gpu: &str, instance: &MigInstance) -> bool {
        self.made.iter().any(|made| made.is(boot_id, gpu, instance))
    }

    /// Whether a step may be begun once more.
    ///
    /// # Errors
    /// It has ended the agent too often. A sentence.
    pub fn may_begin(&self, step: &Step, boot_id: &str) -> Result<(), String> {
        match self.tries(step, boot_id) {
            tries if tries < TRIES => Ok(()),
            tries => Err(format!(
                "the agent has ended {tries} times while it was to {step}; see its log from before, and the kernel's"
            )),
        }
    }

    /// Says that a step is about to be taken, and so what will be ours by it.
    pub fn begin(&mut self, step: &Step, boot_id: &str) {
        self.step = Some(Begun {
            times: self.tries(step, boot_id) + 1,
            step: step.clone(),
            boot_id: boot_id.to_owned(),
        });
        match step {
            Step::CreateInstance { gpu, at } => self.claim(gpu, at, boot_id, Making::Empty),
            Step::CreateDevice { gpu, at } => self.claim(gpu, at, boot_id, Making::Filling),
            // What others have made is ours from when it is empty: nobody else will take it away.
            Step::DestroyDevice { gpu, at, .. } | Step::DestroyInstance { gpu, at } => {
                let known =
                    |it: &Made| it.boot_id == boot_id && it.stands_at(gpu, &at.profile, at.start);
                if !self.made.iter().any(known) {
                    self.claim(gpu, at, boot_id, Making::Empty);
                }
            }
            Step::SetMode { .. } | Step::Reset { .. } | Step::StopMps | Step::StartMps { .. } => {}
        }
    }

    /// Says how far an instance is. A device that stood there is forgotten only for another: until then it may stand
    /// there still, whatever a driver says that fails.
    pub fn claim(&mut self, gpu: &str, at: &PlacedProfile, boot_id: &str, making: Making) {
        self.disclaim(gpu, at);
        if let Making::Device(_) = making {
            self.forget(gpu, at);
        }
        self.made.push(Made {
            gpu: gpu.to_owned(),
            at: at.clone(),
            boot_id: boot_id.to_owned(),
            making,
        });
    }

    /// Says that an instance that was about to be made was not made after all.
    pub fn disclaim(&mut self, gpu: &str, at: &PlacedProfile) {
        self.made
            .retain(|made| made.is_device() || !made.stands_at(gpu, &at.profile, at.start));
    }

    /// Says that an instance was destroyed.
    pub fn forget(&mut self, gpu: &str, at: &PlacedProfile) {
        self.made
            .retain(|made| !made.stands_at(gpu, &at.profile, at.start));
    }

    /// Says that the target of an operation is reached. What stands where it wanted it is ours from now on.
    pub fn finish(&mut self, task: &Task, boot_id: &str, gpus: &[GpuStatus]) {
        for wanted in &task.target.gpus {
            let gpu = gpus.iter().find(|gpu| gpu.uuid == wanted.uuid);
            let instances = gpu.into_iter().flat_map(|gpu| &gpu.instances);
            for instance in instances.filter(|it| task.target.adopt || it.owned) {
                let at = PlacedProfile {
                    start: instance.start,
                    profile: instance.profile.clone(),
                };
                let making = instance.uuid.clone().map_or(Making::Empty, Making::Device);
                self.claim(&wanted.uuid, &at, boot_id, making);
            }
        }
        self.learn(boot_id, gpus);
        self.verify(&layout::wanted(&task.target));
    }

    /// Learns from a look how far the instances are that were about to be made. A device that is not to be seen is
    /// forgotten only with its boot: a driver that fails for a moment must not make it somebody else's.
    pub fn learn(&mut self, boot_id: &str, gpus: &[GpuStatus]) {
        self.made.retain_mut(|made| {
            made.learn(boot_id, gpus) || (made.is_device() && made.boot_id == boot_id)
        });
    }

    /// Says that a mode could not be brought about.
    pub fn give_up(&mut self, need: NeedsReboot) {
        self.needs_reboot.retain(|known| known.gpu != need.gpu);
        self.needs_reboot.push(need);
    }

    fn tries(&self, step: &Step, boot_id: &str) -> u32 {
        let begun = self.step.as_ref();
        let same = begun.filter(|begun| begun.step == *step && begun.boot_id == boot_id);
        same.map_or(0, |begun| begun.times)
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
