//! The agent's own `GpuNode`, as far as the agent needs it.

use crds::gpu_node::{AgentOperation, AgentStage, AgentStatus, Operation};
use crds::{GpuNode, GpuNodeSpec};
use kube::ResourceExt;

/// The `GpuNode` as last read, with what the agent last wrote into it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct View {
    pub(super) uid: String,
    /// What the agent's conditions are about.
    pub(super) generation: Option<i64>,
    pub(super) spec: GpuNodeSpec,
    /// What stands in `status.agent`. Unset: nothing.
    pub(super) said: Option<AgentStatus>,
}

impl View {
    pub(super) fn of(object: GpuNode) -> Self {
        Self {
            uid: object.uid().unwrap_or_default(),
            generation: object.metadata.generation,
            spec: object.spec,
            said: object.status.and_then(|status| status.agent),
        }
    }

    /// Takes in what a watch says. It may be older than what the agent has written since.
    pub(super) fn hear(&mut self, object: GpuNode) {
        let heard = Self::of(object);
        if heard.uid == self.uid {
            self.spec = heard.spec;
            self.generation = heard.generation;
        } else {
            *self = heard;
        }
    }

    pub(super) fn asked(&self) -> Option<&Operation> {
        self.spec.operation.as_ref()
    }

    pub(super) fn operation(&self) -> Option<&AgentOperation> {
        self.said.as_ref()?.operation.as_ref()
    }

    /// Whether this was the last word about this operation.
    pub(super) fn has_said(&self, id: i64, stage: AgentStage) -> bool {
        let said = self.operation().filter(|said| said.id == id);
        said.is_some_and(|said| said.stage == stage)
    }
}
