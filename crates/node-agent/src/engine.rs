//! Takes the steps: journal before hand, one step, and then somebody looks again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crds::gpu_node::{MigMode, PreviousGpu, Target};

use crate::decide::{
    Move, Recovery, Step, Stuck, again, layout, next_move, reboot_sentence, recovery,
};
use crate::driver::{DriverError, Gpus};
use crate::journal::{Journal, JournalError, Making, NeedsReboot, Record, Stage, Task};
use crate::metrics::Metrics;
use crate::mps::{Mps, Outcome};
use crate::observation::Observation;

/// Why a step of the MPS daemon is left to the next agent.
const ENDING: &str = "the agent ends, and its MPS daemon with it";

/// What an attempt to get on came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A step was taken, or has failed: look again at once.
    Stepped,
    /// Another stage has begun, or the operation is over: look again at once, and tell.
    Entered,
    /// Nothing can be done before this sentence is not true any more.
    Waiting(String),
    /// There is nothing to do.
    Over,
}

/// Why there is no progress.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Without the journal nothing is done.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Nobody answers for the driver.
    #[error(transparent)]
    Driver(#[from] DriverError),
}

/// The GPUs and the journal of a node.
#[derive(Debug)]
pub struct Engine {
    gpus: Gpus,
    journal: Journal,
    mps: Mps,
    metrics: Metrics,
    /// The step that was taken last, if nothing came between: taken twice in a row it has no effect. A MIG mode counts
    /// as taken when it is pending.
    took: Option<Step>,
    /// GPUs whose layout could not be made again after a reboot, by UUID, and why.
    given_up: BTreeMap<String, String>,
}

impl Engine {
    /// An engine that goes on where the journal ends.
    pub fn new(gpus: Gpus, journal: Journal, mps: Mps, metrics: Metrics) -> Self {
        Self {
            gpus,
            journal,
            mps,
            metrics,
            took: None,
            given_up: BTreeMap::new(),
        }
    }

    /// The journal.
    pub fn record(&self) -> &Record {
        self.journal.record()
    }

    /// Journals that nobody could read: see [`Journal::kept`].
    pub fn kept(&self) -> Result<Vec<PathBuf>, JournalError> {
        self.journal.kept()
    }

    /// GPUs whose layout could not be made again after a reboot, by UUID, and why. Until the next operation, or the next
    /// start of the agent.
    pub fn given_up(&self) -> &BTreeMap<String, String> {
        &self.given_up
    }

    /// Learns from a look while nothing is under way: how far our instances are.
    pub fn learn(&mut self, seen: &Observation) -> Result<(), JournalError> {
        self.journal
            .update(|record| record.learn(&seen.boot_id, &seen.gpus))
    }

    /// Writes down that an operation is about to begin.
    pub fn intend(
        &mut self,
        id: i64,
        target: &Target,
        seen: &Observation,
    ) -> Result<Vec<PreviousGpu>, JournalError> {
        let previous = layout::present(&seen.gpus, target);
        let task = Task {
            id,
            target: target.clone(),
            previous: previous.clone(),
            stage: Stage::Intended,
        };
        self.journal
            .update(|record| record.operation = Some(task))?;
        Ok(previous)
    }

    /// Writes down that the operator knows: the operation has begun.
    pub fn confirm(&mut self) -> Result<(), JournalError> {
        self.took = None;
        self.given_up.clear();
        self.stage(Stage::Clearing)
    }

    /// Forgets an operation that did not begin.
    pub fn drop_intent(&mut self) -> Result<(), JournalError> {
        self.journal.update(|record| {
            let intended = |task: &Task| task.stage == Stage::Intended;
            if record.operation.as_ref().is_some_and(intended) {
                record.operation = None;
            }
        })
    }

    /// Nothing is asked of this node any more: what it was is nobody's wish, and is not made again after a reboot.
    pub fn forget(&mut self) -> Result<(), JournalError> {
        self.journal.update(|record| record.verified.clear())
    }

    /// One move of the operation that is under way.
    pub async fn advance(&mut self, seen: &Observation) -> Result<Progress, EngineError> {
        let Some(task) = self.record().operation.clone() else {
            return Ok(Progress::Over);
        };
        match next_move(&task, &seen.gpus, seen.holders()) {
            Move::Over => Ok(Progress::Over),
            Move::Wait(why) => {
                self.took = None;
                Ok(Progress::Waiting(why))
            }
            Move::Enter(stage) => {
                self.enter(&task, stage, seen)?;
                Ok(Progress::Entered)
            }
            Move::Take(step) => match self.take(step, seen).await? {
                None => Ok(Progress::Waiting(ENDING.to_owned())),
                Some(Ok(())) => Ok(Progress::Stepped),
                Some(Err(why)) => {
                    self.enter(&task, task.stage.failed(why), seen)?;
                    Ok(Progress::Entered)
                }
            },
        }
    }

    /// One step of what a reboot has taken away. A GPU on which one fails is left to an operation.
    pub async fn recover(&mut self, seen: &Observation) -> Result<Progress, EngineError> {
        let holders = seen.holders();
        let record = self.record();
        match recovery(record, &seen.boot_id, &seen.gpus, holders, &self.given_up) {
            Recovery::Over => {
                self.rebooted(seen)?;
                Ok(Progress::Over)
            }
            Recovery::Wait => Ok(Progress::Waiting(
                "the node was rebooted; nobody knows yet who holds the devices".to_owned(),
            )),
            Recovery::Take(step) => {
                let gpu = step.gpu().map(str::to_owned);
                let Some(taken) = self.take(step, seen).await? else {
                    return Ok(Progress::Waiting(ENDING.to_owned()));
                };
                if let (Err(why), Some(gpu)) = (taken, gpu) {
                    tracing::error!(gpu, why, "cannot restore the layout from before the reboot");
                    self.took = None;
                    self.given_up.insert(gpu, why);
                }
                Ok(Progress::Stepped)
            }
        }
    }

    fn rebooted(&mut self, seen: &Observation) -> Result<(), JournalError> {
        self.took = None;
        self.journal.update(|record| {
            record.step = None;
            if !record.boot_id.is_empty() {
                record.boot_id.clone_from(&seen.boot_id);
            }
        })
    }

    /// Takes a step. The inner error is what the driver or the MPS daemon said, a sentence. None: the agent ends, and the next
    /// one takes it.
    async fn take(
        &mut self,
        step: Step,
        seen: &Observation,
    ) -> Result<Option<Result<(), String>>, EngineError> {
        let step = match again(step, self.took.as_ref(), &seen.gpus) {
            Ok(step) => step,
            Err(Stuck::NoEffect(why)) => return Ok(Some(Err(why))),
            Err(Stuck::NeedsReboot { gpu, enabled }) => {
                let why = "it stays pending although the GPU was reset".to_owned();
                return Ok(Some(Err(self.give_up(gpu, enabled, why, seen)?)));
            }
        };
        if let Err(why) = self.record().may_begin(&step, &seen.boot_id) {
            return Ok(Some(Err(why)));
        }
        self.journal
            .update(|record| record.begin(&step, &seen.boot_id))?;
        let started = std::time::Instant::now();
        let ended = match &step {
            Step::StopMps => self.mps.serve(&[]).await,
            Step::StartMps { gpus } => self.mps.serve(gpus).await,
            Step::SetMode { .. }
            | Step::Reset { .. }
            | Step::DestroyDevice { .. }
            | Step::DestroyInstance { .. }
            | Step::CreateInstance { .. }
            | Step::CreateDevice { .. } => {
                return self.ask_driver(step, seen, started).await.map(Some);
            }
        };
        self.metrics.stepped(step.name(), started.elapsed());
        match ended {
            Outcome::Ending => Ok(None),
            Outcome::Done => self.took(step, None, seen).map(|()| Some(Ok(()))),
            Outcome::Refused(why) => {
                tracing::warn!(%step, why, "a step failed");
                self.took = None;
                Ok(Some(Err(why)))
            }
        }
    }

    async fn ask_driver(
        &mut self,
        step: Step,
        seen: &Observation,
        started: std::time::Instant,
    ) -> Result<Result<(), String>, EngineError> {
        let taken = self.gpus.take(step.clone()).await;
        self.metrics.stepped(step.name(), started.elapsed());
        match taken {
            Ok(device) => self.took(step, device, seen).map(Ok),
            Err(DriverError::Driver(error)) => {
                tracing::warn!(%step, %error, "a step failed");
                self.refused(step, error, seen)
            }
            Err(gone @ DriverError::Gone) => Err(gone.into()),
        }
    }

    /// The driver refused a step. A MIG mode that is pending is no failure yet: a look tells what can be done about it.
    fn refused(
        &mut self,
        step: Step,
        error: gpu::Error,
        seen: &Observation,
    ) -> Result<Result<(), String>, EngineError> {
        match (&step, error) {
            (Step::SetMode { .. }, gpu::Error::ResetNeeded { .. }) => {
                self.took = Some(step);
                Ok(Ok(()))
            }
            (Step::Reset { gpu }, gpu::Error::NoReset { why, .. }) => {
                let mut found = seen.gpus.iter().filter(|it| it.uuid == *gpu);
                let enabled = found.any(|it| it.mig.pending == MigMode::Enabled);
                Ok(Err(self.give_up(gpu.clone(), enabled, why, seen)?))
            }
            (_, error) => {
                self.failed(&step, &error)?;
                Ok(Err(error.to_string()))
            }
        }
    }

    /// Only a reboot brings this mode: remembered, so that no pod is evicted for it again before that.
    fn give_up(
        &mut self,
        gpu: String,
        enabled: bool,
        why: String,
        seen: &Observation,
    ) -> Result<String, JournalError> {
        let need = NeedsReboot {
            gpu,
            enabled,
            boot_id: seen.boot_id.clone(),
            why,
        };
        let told = reboot_sentence(&seen.gpus, &need);
        self.took = None;
        self.journal.update(|record| record.give_up(need))?;
        Ok(told)
    }

    fn took(
        &mut self,
        step: Step,
        device: Option<String>,
        seen: &Observation,
    ) -> Result<(), EngineError> {
        tracing::info!(%step, device, "took a step");
        self.journal.update(|record| match (&step, device) {
            (Step::CreateDevice { gpu, at }, Some(device)) => {
                record.claim(gpu, at, &seen.boot_id, Making::Device(device));
            }
            (Step::DestroyInstance { gpu, at }, _) => record.forget(gpu, at),
            (
                Step::CreateDevice { .. }
                | Step::CreateInstance { .. }
                | Step::DestroyDevice { .. }
                | Step::SetMode { .. }
                | Step::Reset { .. }
                | Step::StopMps
                | Step::StartMps { .. },
                _,
            ) => {}
        })?;
        self.took = Some(step);
        Ok(())
    }

    /// An instance for which there was no room was not made, and is not ours, whoever makes it. After any other failure
    /// it may have been made.
    fn failed(&mut self, step: &Step, error: &gpu::Error) -> Result<(), JournalError> {
        self.took = None;
        match (step, error) {
            (Step::CreateInstance { gpu, at }, gpu::Error::NoRoom { .. }) => {
                self.journal.update(|record| record.disclaim(gpu, at))
            }
            _ => Ok(()),
        }
    }

    fn stage(&mut self, stage: Stage) -> Result<(), JournalError> {
        self.journal.update(|record| {
            record.step = None;
            if let Some(task) = &mut record.operation {
                task.stage = stage;
            }
        })
    }

    fn enter(&mut self, task: &Task, stage: Stage, seen: &Observation) -> Result<(), JournalError> {
        tracing::info!(operation = task.id, ?stage, "the next stage begins");
        self.took = None;
        if stage.is_under_way() {
            return self.stage(stage);
        }
        self.journal.update(|record| {
            record.step = None;
            record.boot_id.clone_from(&seen.boot_id);
            match stage {
                Stage::Done => record.finish(task, &seen.boot_id, &seen.gpus),
                Stage::RolledBack { .. } => record.learn(&seen.boot_id, &seen.gpus),
                // A step has failed, of which this look knows nothing yet.
                Stage::Failed { .. }
                | Stage::Intended
                | Stage::Clearing
                | Stage::Building
                | Stage::UndoClearing { .. }
                | Stage::UndoBuilding { .. } => {}
            }
            record.operation = Some(Task {
                stage: stage.clone(),
                ..task.clone()
            });
        })?;
        self.metrics.ended(&stage);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
