//! What must hold when another agent has gone on: whatever the first one died of, and whatever came meanwhile.

use std::collections::BTreeSet;

use crds::gpu_node::{AgentStage, MigInstance, PreviousGpu};
use nvml_sim::state::MigMode;
use nvml_sim::{GpuView, InstanceView};

use super::folder::Folder;
use crate::decide::status::is_over;

/// The layouts that an operation may end in.
pub struct Layouts {
    /// The GPU when the operation began.
    pub before: GpuView,
    /// Devices that others have made.
    pub foreign: Vec<String>,
    /// Profiles and places that are wanted.
    pub target: Vec<(String, u32)>,
    /// Whether those of others may go.
    pub adopt: bool,
}

/// What happened between the death of the one and the start of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meanwhile {
    /// Nothing.
    Nothing,
    /// Somebody came to every device: a pod that NVML does not know, or a process that the kubelet does not know.
    Holders {
        /// Whether the first of them has a pod; then every other.
        first: bool,
    },
    /// The node was rebooted.
    Reboot,
}

impl Meanwhile {
    /// One word for the tally.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "alone",
            Self::Holders { .. } => "held",
            Self::Reboot => "rebooted",
        }
    }
}

/// How an operation ended.
pub struct Outcome<'a> {
    pub layouts: &'a Layouts,
    pub folder: &'a Folder,
    pub meanwhile: Meanwhile,
    /// Devices with somebody on them since the death.
    pub held: &'a [String],
    /// The MIG mode at that time.
    pub mode: MigMode,
    /// Whether the driver denies what there is: then nobody can tell it.
    pub denied: bool,
}

impl Outcome<'_> {
    /// Checks what holds at any moment, and of an operation that is over, how it ended. Returns what was told of it.
    pub fn check(&self) -> AgentStage {
        let operation = self.folder.operation();
        let now = self.folder.node().gpus().unwrap().remove(0);
        let context = format!("{operation:?}\nfrom {:?}\nto {now:?}", self.layouts.before);
        self.nobody_lost_a_device(&now, &context);
        self.nothing_of_ours_is_forgotten(&now, &context);
        let unreadable = self.folder.path().join("journal/journal.json.unreadable-1");
        assert!(!unreadable.exists(), "{context}");
        if is_over(operation.stage) && !self.denied {
            self.the_operator_knows(&now, &context);
        }
        match operation.stage {
            AgentStage::Done => {
                assert_eq!(self.places(&now), self.layouts.target, "{context}");
                self.is_whole(&now, &context);
            }
            AgentStage::RolledBack => {
                self.is_back(&now, &operation.previous, &context);
                self.is_whole(&now, &context);
            }
            AgentStage::Refused => {
                assert_eq!(now.instances, self.layouts.before.instances, "{context}");
            }
            AgentStage::Failed => assert!(operation.error.is_some(), "{context}"),
            AgentStage::Ready | AgentStage::Destroying | AgentStage::Creating => {}
        }
        operation.stage
    }

    fn nobody_lost_a_device(&self, now: &GpuView, context: &str) {
        let devices: BTreeSet<_> = now.instances.iter().flat_map(|it| &it.mig_uuids).collect();
        for held in self.held {
            let is_there =
                devices.contains(held) || (*held == now.uuid && now.mig_mode == Some(self.mode));
            assert!(is_there, "{held} was held\n{context}");
        }
        if self.meanwhile == Meanwhile::Reboot {
            return;
        }
        for instance in &self.layouts.before.instances {
            let is_foreign = self.is_foreign(instance);
            let is_wanted =
                self.layouts.target.contains(&place(instance)) && instance.mig_uuids.len() == 1;
            if is_wanted || (is_foreign && !self.layouts.adopt) {
                assert!(
                    now.instances.contains(instance),
                    "{instance:?} was kept\n{context}"
                );
            }
        }
    }

    /// Every instance that others have not made is known as ours.
    fn nothing_of_ours_is_forgotten(&self, now: &GpuView, context: &str) {
        let record = self.folder.record();
        let boot_id = self.folder.node().state().unwrap().boot_id;
        for instance in &now.instances {
            let owned = record.owns(&boot_id, &now.uuid, &as_reported(instance));
            assert!(
                owned || self.is_foreign(instance),
                "the journal has forgotten {instance:?}\n{context}"
            );
        }
    }

    /// What is told of the instances is what there is.
    fn the_operator_knows(&self, now: &GpuView, context: &str) {
        let told = &self.folder.said().gpus[0].instances;
        let (told_places, places): (Vec<_>, Vec<_>) = (
            told.iter()
                .map(|it| (it.profile.clone(), it.start.cast_unsigned()))
                .collect(),
            now.instances.iter().map(place).collect(),
        );
        assert_eq!(told_places, places, "{context}");
        for (instance, told) in now.instances.iter().zip(told) {
            let was_there = self.layouts.before.instances.contains(instance);
            let is_ours = !was_there && !self.is_foreign(instance);
            assert!(
                told.owned || !is_ours,
                "{instance:?} is nobody's\n{context}"
            );
        }
    }

    fn is_whole(&self, now: &GpuView, context: &str) {
        let mode = now.mig_mode.unwrap();
        assert_eq!(mode.current, mode.pending, "{context}");
        for instance in &now.instances {
            let is_whole = instance.mig_uuids.len() == 1 || self.is_foreign(instance);
            assert!(is_whole, "{instance:?}\n{context}");
        }
    }

    fn is_foreign(&self, instance: &InstanceView) -> bool {
        let mut devices = instance.mig_uuids.iter();
        devices.any(|device| self.layouts.foreign.contains(device))
    }

    /// What stands, but for what others have made and no operation may touch.
    fn places(&self, gpu: &GpuView) -> Vec<(String, u32)> {
        let spared = |it: &&InstanceView| !self.layouts.adopt && self.is_foreign(it);
        let instances = gpu.instances.iter().filter(|it| !spared(it));
        instances.map(place).collect()
    }

    /// The devices that pods can use are those that the operator was told to come back.
    fn is_back(&self, now: &GpuView, previous: &[PreviousGpu], context: &str) {
        let previous = previous.iter().flat_map(|gpu| &gpu.mig.instances);
        let previous = previous.map(|it| (it.profile.clone(), it.start.cast_unsigned()));
        let previous: Vec<_> = previous.collect();
        assert_eq!(self.whole(now), previous, "{context}");
        // After a reboot the layout from before is what recovery could restore.
        if self.meanwhile != Meanwhile::Reboot {
            assert_eq!(self.whole(&self.layouts.before), previous, "{context}");
        }
    }

    /// Instances that one device fills. What is left of a divided one is none.
    fn whole(&self, gpu: &GpuView) -> Vec<(String, u32)> {
        let before = self.layouts.before.instances.iter();
        let divided: Vec<_> = before
            .filter(|it| it.mig_uuids.len() > 1)
            .flat_map(|it| &it.mig_uuids)
            .collect();
        let is_whole = |it: &&InstanceView| match it.mig_uuids.as_slice() {
            [device] => !divided.contains(&device),
            _ => false,
        };
        gpu.instances.iter().filter(is_whole).map(place).collect()
    }
}

/// The instance as the agent sees it; those of ours are filled by one device.
fn as_reported(instance: &InstanceView) -> MigInstance {
    let (uuid, parts) = match instance.mig_uuids.as_slice() {
        [whole] => (Some(whole.clone()), Vec::new()),
        several => (None, several.to_vec()),
    };
    MigInstance {
        profile: instance.profile.clone(),
        start: instance.start.cast_signed(),
        size: instance.size.cast_signed(),
        uuid,
        parts,
        owned: false,
    }
}

fn place(instance: &InstanceView) -> (String, u32) {
    (instance.profile.clone(), instance.start)
}
