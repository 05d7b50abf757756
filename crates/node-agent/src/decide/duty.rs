//! What is to be done about the operator's operation now.

use crds::gpu_node::{AgentOperation, AgentStage, Operation, OperationStage};

use crate::journal::{Stage, Task};

/// What is to be done about the operator's operation now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Nothing is asked, or everything is said.
    Idle,
    /// The journal has an operation under way: it is finished, whatever the operator asks by now.
    Continue,
    /// The operator has been told `Destroying`, the journal only intends it: the agent died in between, and begins now.
    Confirm,
    /// Check the target, say `Ready` or `Refused`.
    Prepare,
    /// Check once more, and begin.
    Begin,
    /// Say that nothing will be done.
    Abort,
    /// The operator has been told that the GPUs are being changed, and the journal knows nothing of it.
    Lost,
}

/// What is to be done, from what the operator asks, what the agent has said in the `GpuNode`, and the journal.
pub fn duty(asked: Option<&Operation>, said: Option<&AgentOperation>, task: Option<&Task>) -> Duty {
    if let Some(task) = task {
        let has_said = said.is_some_and(|said| said.id == task.id && has_begun(said.stage));
        match task.stage {
            Stage::Intended if has_said => return Duty::Confirm,
            Stage::Intended => {}
            Stage::Clearing
            | Stage::Building
            | Stage::UndoClearing { .. }
            | Stage::UndoBuilding { .. } => return Duty::Continue,
            Stage::Done | Stage::RolledBack { .. } | Stage::Failed { .. } => {
                if asked.is_none_or(|asked| asked.id == task.id) {
                    return Duty::Idle;
                }
            }
        }
    }
    let Some(asked) = asked else {
        return Duty::Idle;
    };
    match said.filter(|said| said.id == asked.id).map(|it| it.stage) {
        None | Some(AgentStage::Ready) => match asked.stage {
            OperationStage::Prepare => Duty::Prepare,
            OperationStage::Proceed => Duty::Begin,
            OperationStage::Abort => Duty::Abort,
        },
        Some(AgentStage::Destroying | AgentStage::Creating) => Duty::Lost,
        Some(
            AgentStage::Refused | AgentStage::Done | AgentStage::RolledBack | AgentStage::Failed,
        ) => Duty::Idle,
    }
}

/// Whether the operator has been told that the point of no return is passed.
const fn has_begun(stage: AgentStage) -> bool {
    match stage {
        AgentStage::Destroying | AgentStage::Creating => true,
        AgentStage::Ready
        | AgentStage::Refused
        | AgentStage::Done
        | AgentStage::RolledBack
        | AgentStage::Failed => false,
    }
}
