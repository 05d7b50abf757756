//! What is done about the operation, and what is said of it.

use crds::gpu_node::{AgentStage, Operation, OperationStage, Target};
use tracing::{debug, error, info};

use super::{Agent, Next, POLL, SOON, View};
use crate::decide::status::{Answer, Unready};
use crate::decide::{Duty, check, duty, lost_operation, mps, without_reboot};
use crate::engine::{EngineError, Progress};
use crate::journal::Task;
use crate::observation::Observation;

/// Why an operation is refused that the operator has called off.
const ABORTED: &str = "aborted by the operator; nothing was changed";

/// What is said about an operation.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Say {
    /// Nothing, of the GPUs neither: what stands in the `GpuNode` is not known, and may be more than was said before.
    Nothing,
    /// What was said before.
    Keep,
    /// This.
    Answer(Answer),
}

impl Agent {
    /// Does what is due, at most one step.
    pub(super) async fn operate(
        &mut self,
        seen: &Observation,
        unready: Option<&Unready>,
    ) -> Result<(Say, Next), EngineError> {
        if !self.is_under_way()
            && let Some(next) = self.recover(seen).await?
        {
            return Ok((Say::Keep, next));
        }
        let view = self.view.as_ref();
        let asked = view.and_then(View::asked).cloned();
        let said = view.and_then(View::operation);
        let due = duty(asked.as_ref(), said, self.task());
        match (due, asked) {
            (Duty::Continue, _) => self.advance(seen).await,
            (Duty::Confirm, _) => self.confirm(),
            (Duty::Lost, Some(asked)) => Ok(self.lost(&asked)),
            (Duty::Abort, Some(asked)) => self.abort(&asked),
            (Duty::Prepare, Some(asked)) => Ok(self.prepare(seen, unready, &asked)),
            (Duty::Begin, Some(asked)) => self.begin(seen, unready, &asked).await,
            (Duty::Idle | Duty::Lost | Duty::Abort | Duty::Prepare | Duty::Begin, _) => {
                self.idle(seen)
            }
        }
    }

    pub(super) fn task(&self) -> Option<&Task> {
        self.engine.as_ref()?.record().operation.as_ref()
    }

    /// Restores what a reboot has taken away. None: nothing to do.
    async fn recover(&mut self, seen: &Observation) -> Result<Option<Next>, EngineError> {
        let Some(engine) = &mut self.engine else {
            return Ok(None);
        };
        Ok(match engine.recover(seen).await? {
            Progress::Stepped | Progress::Entered => Some(Next::Now),
            Progress::Waiting(_) | Progress::Over => None,
        })
    }

    fn idle(&mut self, seen: &Observation) -> Result<(Say, Next), EngineError> {
        if let Some(engine) = &mut self.engine {
            engine.learn(seen)?;
            // Not while it is unknown what the `GpuNode` says.
            if let Some(view) = &self.view {
                engine.drop_intent()?;
                // The pods that MPS serves still need it.
                if view.spec.target.is_none() && !mps::is_needed(&seen.gpus) {
                    engine.forget()?;
                }
            }
        }
        let said = self.view.as_ref().and_then(View::operation);
        let newer = |task: &&Task| said.is_none_or(|said| said.id <= task.id);
        let answer = self.task().filter(newer).and_then(told);
        let say = answer.map_or(Say::Keep, Say::Answer);
        Ok((say, Next::After(POLL)))
    }

    async fn advance(&mut self, seen: &Observation) -> Result<(Say, Next), EngineError> {
        let Some(engine) = &mut self.engine else {
            return Ok((Say::Keep, Next::After(POLL)));
        };
        let progress = engine.advance(seen).await?;
        let say = self.task().and_then(told).map_or(Say::Keep, Say::Answer);
        let next = match progress {
            Progress::Stepped | Progress::Entered | Progress::Over => Next::Now,
            Progress::Waiting(why) => {
                debug!(why, "the operation waits");
                Next::After(SOON)
            }
        };
        Ok((say, next))
    }

    /// Without the journal nobody knows how far it is.
    fn lost(&self, asked: &Operation) -> (Say, Next) {
        if self.engine.is_none() {
            return (Say::Keep, Next::After(SOON));
        }
        let message = lost_operation(asked.id, &self.kept);
        error!("{message}");
        let mut answer = Answer::new(asked.id, AgentStage::Failed, Some(message));
        let said = self.view.as_ref().and_then(View::operation);
        answer.previous = said.map(|said| said.previous.clone()).unwrap_or_default();
        (Say::Answer(answer), Next::After(POLL))
    }

    fn abort(&mut self, asked: &Operation) -> Result<(Say, Next), EngineError> {
        if let Some(engine) = &mut self.engine {
            engine.drop_intent()?;
        }
        Ok(self.refuse(asked.id, ABORTED))
    }

    pub(super) fn refuse(&self, id: i64, why: impl Into<String>) -> (Say, Next) {
        let why = why.into();
        let view = self.view.as_ref();
        if !view.is_some_and(|view| view.has_said(id, AgentStage::Refused)) {
            info!(operation = id, why, "refused");
            self.metrics.refused();
        }
        let answer = Answer::new(id, AgentStage::Refused, Some(why));
        (Say::Answer(answer), Next::After(POLL))
    }

    fn prepare(
        &self,
        seen: &Observation,
        unready: Option<&Unready>,
        asked: &Operation,
    ) -> (Say, Next) {
        let view = self.view.as_ref();
        let target = view.and_then(|view| view.spec.target.as_ref());
        match can_be_had(seen, unready, target) {
            Err(why) if !self.keeps_ready(unready, asked) => self.refuse(asked.id, why),
            Ok(_) | Err(_) => {
                let answer = Answer::new(asked.id, AgentStage::Ready, None);
                (Say::Answer(answer), Next::After(POLL))
            }
        }
    }

    /// Whether an operation that was found in order stays so although the node cannot be read at the moment: a kubelet
    /// that restarts does not end a drain. Before anything is destroyed everything is read again.
    fn keeps_ready(&self, unready: Option<&Unready>, asked: &Operation) -> bool {
        let view = self.view.as_ref();
        unready.is_some() && view.is_some_and(|view| view.has_said(asked.id, AgentStage::Ready))
    }
}

/// The target, if it can be had now.
pub(super) fn can_be_had<'a>(
    seen: &Observation,
    unready: Option<&Unready>,
    target: Option<&'a Target>,
) -> Result<&'a Target, String> {
    if let Some(unready) = unready {
        return Err(unready.message.clone());
    }
    let target = target.ok_or("the operation comes without a target")?;
    check(&seen.gpus, target, seen.mps())?;
    without_reboot(&seen.gpus, target, &seen.needs_reboot)?;
    Ok(target)
}

/// What the operator is told about an operation in the journal.
fn told(task: &Task) -> Option<Answer> {
    Some(Answer {
        id: task.id,
        stage: task.stage.reported()?,
        error: task.stage.error().map(str::to_owned),
        previous: task.previous.clone(),
    })
}

impl Agent {
    /// What is said about an operation while the GPUs cannot be read: an agent that is in the middle goes on beating.
    pub(super) fn say_blind(&self, unready: Option<&Unready>) -> Say {
        let view = self.view.as_ref();
        let asked = view.and_then(View::asked);
        match duty(asked, view.and_then(View::operation), self.task()) {
            Duty::Continue => self.task().and_then(told).map_or(Say::Keep, Say::Answer),
            Duty::Prepare | Duty::Begin | Duty::Abort => {
                asked.map_or(Say::Keep, |asked| self.answer_blind(unready, asked))
            }
            Duty::Idle | Duty::Confirm | Duty::Lost => Say::Keep,
        }
    }

    fn answer_blind(&self, unready: Option<&Unready>, asked: &Operation) -> Say {
        let is_preparing = asked.stage == OperationStage::Prepare;
        if is_preparing && self.keeps_ready(unready, asked) {
            return Say::Answer(Answer::new(asked.id, AgentStage::Ready, None));
        }
        let why = match asked.stage {
            OperationStage::Abort => ABORTED,
            OperationStage::Prepare | OperationStage::Proceed => {
                unready.map_or("the GPUs cannot be read", |it| &it.message)
            }
        };
        self.refuse(asked.id, why).0
    }
}
