//! The node's agent, as far as the operator can tell: reads first, acts later, compares and swaps.

use crds::gpu_node::{
    AgentOperation, AgentStage, AgentStatus, Holder, MigMode, MigTarget, OperationStage,
    PlacedProfile, PreviousGpu, Target,
};

use super::{Fault, World};
use crate::change;
use crate::conditions;
use crate::maintenance::tests::fixtures;

impl World {
    /// Reads the spec, to act on it later.
    pub(in super::super) fn agent_reads(&mut self) {
        if self.agent_is_up {
            self.agent_saw = Some((self.spec.clone(), self.gpu_node_version));
        }
    }

    /// Reads and acts at once.
    pub(in super::super) fn agent_acts(&mut self) {
        self.agent_reads();
        self.agent_goes_on();
    }

    /// Takes one step on what was read last; reports what it sees.
    pub(in super::super) fn agent_goes_on(&mut self) {
        if !self.agent_is_up || self.node.is_none() {
            return;
        }
        if let Some((spec, version)) = self.agent_saw.take() {
            self.takes_one_step(&spec, version);
        }
        self.reports();
    }

    fn takes_one_step(&mut self, spec: &crds::GpuNodeSpec, version: u64) {
        let stage = self.journal.as_ref().map(|operation| operation.stage);
        let target = spec.target.clone().unwrap_or_default();
        match stage {
            Some(AgentStage::Destroying) => return self.destroys(&target),
            Some(AgentStage::Creating) => return self.creates(&target),
            Some(_) | None => {}
        }
        let Some(asked) = &spec.operation else { return };
        let is_known = self
            .journal
            .as_ref()
            .is_some_and(|operation| operation.id == asked.id);
        match (asked.stage, stage.filter(|_| is_known)) {
            (OperationStage::Prepare, None) if self.fault == Some(Fault::Refuse) => {
                self.fault = None;
                self.answers(asked.id, AgentStage::Refused, Some("told to"));
            }
            (OperationStage::Prepare, None) => self.answers(asked.id, AgentStage::Ready, None),
            (OperationStage::Abort, None | Some(AgentStage::Ready)) => {
                self.answers(
                    asked.id,
                    AgentStage::Refused,
                    Some("aborted by the operator"),
                );
            }
            (OperationStage::Proceed, Some(AgentStage::Ready)) => {
                self.begins(asked.id, &target, version);
            }
            (OperationStage::Prepare | OperationStage::Abort | OperationStage::Proceed, _) => {}
        }
    }

    /// The fence: only if nothing has been written to the object since the go-ahead was read.
    fn begins(&mut self, id: i64, target: &Target, version: u64) {
        let affected = change::between(std::slice::from_ref(&self.gpu), target).affected;
        if self
            .devices
            .values()
            .any(|device| affected.contains(device))
        {
            self.answers(id, AgentStage::Refused, Some("held"));
        } else if version == self.gpu_node_version {
            self.answers(id, AgentStage::Destroying, None);
            self.reports();
        }
    }

    fn destroys(&mut self, target: &Target) {
        let wanted = target
            .gpus
            .first()
            .map(|gpu| gpu.mig.instances.clone())
            .unwrap_or_default();
        if let Some(operation) = &mut self.journal {
            operation.previous = vec![PreviousGpu {
                uuid: fixtures::GPU.to_owned(),
                mig: MigTarget {
                    enabled: self.gpu.mig.current == MigMode::Enabled,
                    instances: self.gpu.instances.iter().map(place).collect(),
                },
                divided: Vec::new(),
                mps: None,
            }];
        }
        self.gpu
            .instances
            .retain(|slice| wanted.contains(&place(slice)));
        self.stage(AgentStage::Creating, None);
    }

    fn creates(&mut self, target: &Target) {
        let fault = self.fault.take();
        let previous = self
            .journal
            .as_ref()
            .and_then(|operation| operation.previous.first().cloned());
        match fault {
            Some(Fault::CreateAndRollBack) => {
                self.gpu.instances.clear();
                self.stage(AgentStage::Failed, Some("cannot create, cannot go back"));
            }
            Some(Fault::Create) => {
                self.makes(&previous.map(|gpu| gpu.mig.instances).unwrap_or_default());
                self.stage(AgentStage::RolledBack, Some("cannot create"));
            }
            Some(Fault::Refuse) | None => {
                let wanted = target.gpus.first().map(|gpu| gpu.mig.instances.clone());
                self.makes(&wanted.unwrap_or_default());
                self.stage(AgentStage::Done, None);
            }
        }
    }

    /// Creates what is missing, each with a UUID that never was, and removes what is not wanted.
    pub(in super::super) fn makes(&mut self, wanted: &[PlacedProfile]) {
        self.gpu
            .instances
            .retain(|slice| wanted.contains(&place(slice)));
        if !wanted.is_empty() {
            self.gpu.mig = fixtures::gpu(&[]).mig;
        }
        for spot in wanted {
            if !self.gpu.instances.iter().any(|slice| place(slice) == *spot) {
                self.created += 1;
                let uuid = format!("MIG-new-{}", self.created);
                self.gpu
                    .instances
                    .push(fixtures::instance(&spot.profile, spot.start, &uuid));
            }
        }
        self.gpu.instances.sort_by_key(|slice| slice.start);
    }

    /// By its name, if it is a pod of the API server's.
    fn holder(&self, uid: &str, device: &str) -> Holder {
        let pod = self.pods.iter().find(|pod| pod.reference.uid == uid);
        let (namespace, name) = pod.map_or(("default", uid), |pod| {
            (&pod.reference.namespace, &pod.reference.name)
        });
        fixtures::holder(namespace, name, device)
    }

    /// Something that is not so, until it reports again.
    pub(in super::super) fn agent_lies(
        &mut self,
        id: i64,
        stage: AgentStage,
        error: Option<String>,
    ) {
        let beat = conditions::microseconds(self.now);
        if let Some(agent) = &mut self.agent {
            agent.operation = Some(AgentOperation {
                id,
                stage,
                beat,
                error,
                previous: Vec::new(),
            });
            self.gpu_node_version += 1;
        }
    }

    fn words(&self, own: Option<&str>) -> Option<String> {
        own.map(|own| self.agent_words.clone().unwrap_or_else(|| own.to_owned()))
    }

    fn stage(&mut self, stage: AgentStage, error: Option<&str>) {
        let error = self.words(error);
        if let Some(operation) = &mut self.journal {
            operation.stage = stage;
            operation.error = error;
        }
    }

    fn answers(&mut self, id: i64, stage: AgentStage, error: Option<&str>) {
        self.journal = Some(AgentOperation {
            id,
            stage,
            beat: conditions::microseconds(self.now),
            error: self.words(error),
            previous: Vec::new(),
        });
    }

    /// Writes what it sees, if that is news; beats while an operation waits for it.
    fn reports(&mut self) {
        let is_waited_for = self.spec.operation.is_some();
        let beats = |operation: &&mut AgentOperation| {
            let waits = [
                AgentStage::Ready,
                AgentStage::Destroying,
                AgentStage::Creating,
            ];
            is_waited_for && waits.contains(&operation.stage)
        };
        if let Some(operation) = self.journal.as_mut().filter(beats) {
            operation.beat = conditions::microseconds(self.now);
        }
        self.gpu.holders = self
            .devices
            .iter()
            .map(|(pod, device)| self.holder(pod, device))
            .collect();
        let status = AgentStatus {
            boot_id: "boot".to_owned(),
            gpus: vec![self.gpu.clone()],
            operation: self.journal.clone(),
            mps: self.daemon.clone(),
            conditions: vec![self.ready()],
            ..AgentStatus::default()
        };
        if self.agent.as_ref() != Some(&status) {
            self.agent = Some(status);
            self.gpu_node_version += 1;
        }
    }
}

fn place(slice: &crds::gpu_node::MigInstance) -> PlacedProfile {
    PlacedProfile {
        start: slice.start,
        profile: slice.profile.clone(),
    }
}
