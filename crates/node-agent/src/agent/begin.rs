//! The point of no return.

use crds::gpu_node::{AgentStage, Operation};

use super::operate::{Say, can_be_had};
use super::{Agent, Next, SOON, View};
use crate::api::ApiError;
use crate::decide::status::{Answer, Unready};
use crate::decide::{Duty, duty, in_the_way};
use crate::engine::EngineError;
use crate::observation::Observation;

impl Agent {
    /// Begins: journal, then the operator's knowledge at exactly the version that asks for it, then the
    /// journal again, and only then the first step.
    pub(super) async fn begin(
        &mut self,
        seen: &Observation,
        unready: Option<&Unready>,
        asked: &Operation,
    ) -> Result<(Say, Next), EngineError> {
        let object = match self.api.get().await {
            Ok(object) => object,
            Err(error) => return Ok(self.not_now(&error)),
        };
        let fresh = View::of(object.clone());
        let due = duty(fresh.asked(), fresh.operation(), self.task());
        self.view = Some(fresh);
        if due != Duty::Begin || self.view.as_ref().and_then(View::asked) != Some(asked) {
            return Ok((Say::Keep, Next::Now));
        }
        let target = match can_be_had(seen, unready, object.spec.target.as_ref()) {
            Ok(target) => target,
            Err(why) => return Ok(self.refuse(asked.id, why)),
        };
        let affected = plan::change::between(&seen.gpus, target).affected;
        let blocked = in_the_way(&seen.gpus, &affected);
        if !blocked.is_empty() {
            return Ok(self.refuse(asked.id, format!("in the way: {}", blocked.join("; "))));
        }
        let Some(engine) = &mut self.engine else {
            return Ok((Say::Keep, Next::After(SOON)));
        };
        let mut answer = Answer::new(asked.id, AgentStage::Destroying, None);
        answer.previous = engine.intend(asked.id, target, seen)?;
        match self.announce(&object, seen, answer).await {
            Ok(()) => self.confirm(),
            Err(error) => Ok(self.not_now(&error)),
        }
    }

    /// The operator knows.
    pub(super) fn confirm(&mut self) -> Result<(Say, Next), EngineError> {
        if let Some(engine) = &mut self.engine {
            engine.confirm()?;
        }
        Ok((Say::Keep, Next::Now))
    }

    /// The next look begins with a fresh read, which tells whether a write that was not answered was done. To repeat what
    /// was said before would take the word back, if it was.
    fn not_now(&mut self, error: &ApiError) -> (Say, Next) {
        self.api_failed(error);
        (Say::Nothing, Next::After(SOON))
    }
}
