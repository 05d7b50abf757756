//! One move of an operation that is under way.
//!
//! ```text
//! Clearing ──► Building ──► Done
//!    │ a step fails │
//!    ▼              ▼
//! UndoClearing ──► UndoBuilding ──► RolledBack
//!    │ a step fails │
//!    └──────► Failed ◄┘
//! ```

use std::collections::BTreeSet;

use crds::gpu_node::{GpuStatus, MigInstance, PreviousGpu};

use super::next::{Way, building, clearing, is_at, is_on};
use super::{Step, in_the_way, layout, mps};
use crate::journal::{Stage, Task};

/// One move of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// Change one thing, and look again.
    Take(Step),
    /// The next stage begins, or the operation is over.
    Enter(Stage),
    /// Nothing may be done before this sentence is not true any more.
    Wait(String),
    /// The operation is over.
    Over,
}

/// The next move of an operation on the GPUs as they are. `holders` says why nobody knows who holds devices, if so.
pub fn next_move(task: &Task, gpus: &[GpuStatus], holders: Result<(), &str>) -> Move {
    let wanted = layout::wanted(&task.target);
    match &task.stage {
        Stage::Clearing => {
            let adopt = task.target.adopt;
            let step = mps::stopping(gpus, &wanted);
            let step = step.or_else(|| clearing(gpus, &wanted, Way::Forward { adopt }));
            clear(&task.stage, step, gpus, holders, Stage::Building)
        }
        Stage::Building => build(&task.stage, gpus, &wanted, holders, Stage::Done),
        Stage::UndoClearing { error } => {
            let step = mps::stopping(gpus, &task.previous);
            let step = step.or_else(|| clearing(gpus, &task.previous, Way::Back));
            let then = Stage::UndoBuilding {
                error: error.clone(),
            };
            clear(&task.stage, step, gpus, holders, then)
        }
        Stage::UndoBuilding { error } => {
            let changed = layout::changed(gpus, &task.previous);
            let told: Vec<_> = [error.clone()].into_iter().chain(changed).collect();
            let then = Stage::RolledBack {
                error: told.join("; "),
            };
            build(&task.stage, gpus, &task.previous, holders, then)
        }
        Stage::Intended | Stage::Done | Stage::RolledBack { .. } | Stage::Failed { .. } => {
            Move::Over
        }
    }
}

fn clear(
    stage: &Stage,
    step: Option<Step>,
    gpus: &[GpuStatus],
    holders: Result<(), &str>,
    then: Stage,
) -> Move {
    match step {
        None => Move::Enter(then),
        Some(step) => take(stage, step, gpus, holders),
    }
}

/// Takes a step if nobody is on what it takes away.
fn take(stage: &Stage, step: Step, gpus: &[GpuStatus], holders: Result<(), &str>) -> Move {
    if let Err(why) = holders {
        return Move::Wait(format!(
            "did not {step}: nobody knows who holds the devices, {why}"
        ));
    }
    let blocked = in_the_way(gpus, &touched(&step, gpus));
    if blocked.is_empty() {
        return Move::Take(step);
    }
    let who = blocked.join("; ");
    Move::Enter(stage.failed(format!("did not {step}: {who}")))
}

/// UUIDs of the devices that a step takes away.
fn touched(step: &Step, gpus: &[GpuStatus]) -> BTreeSet<String> {
    match step {
        Step::DestroyDevice { device, .. } => BTreeSet::from([device.clone()]),
        // To take back a change that is pending disturbs nobody: the mode in effect stays.
        Step::SetMode { gpu, enabled } if has_mode(gpus, gpu, *enabled) => BTreeSet::new(),
        Step::SetMode { gpu, .. } | Step::Reset { gpu } => {
            let slices = instances(gpus, gpu).flat_map(MigInstance::devices);
            slices.chain([gpu]).cloned().collect()
        }
        Step::DestroyInstance { gpu, at } => {
            let here = instances(gpus, gpu).filter(|it| is_at(it, at));
            here.flat_map(MigInstance::devices).cloned().collect()
        }
        Step::CreateInstance { .. } | Step::CreateDevice { .. } => BTreeSet::new(),
        Step::StopMps => {
            let served = gpus.iter().filter(|gpu| gpu.mps.is_some());
            served.map(|gpu| gpu.uuid.clone()).collect()
        }
        // Whoever is on a GPU now would be no client of it.
        Step::StartMps { gpus } => gpus.iter().map(|it| it.gpu.clone()).collect(),
    }
}

fn has_mode(gpus: &[GpuStatus], gpu: &str, enabled: bool) -> bool {
    let mut found = gpus.iter().filter(|it| it.uuid == gpu);
    found.any(|it| is_on(it.mig.current) == enabled)
}

/// The instances of the GPU with this UUID.
fn instances<'a>(gpus: &'a [GpuStatus], gpu: &str) -> impl Iterator<Item = &'a MigInstance> {
    let found = gpus.iter().filter(move |it| it.uuid == gpu);
    found.flat_map(|gpu| &gpu.instances)
}

fn build(
    stage: &Stage,
    gpus: &[GpuStatus],
    goal: &[PreviousGpu],
    holders: Result<(), &str>,
    then: Stage,
) -> Move {
    if let Some(step) = building(gpus, goal) {
        return Move::Take(step);
    }
    if let Some(step) = mps::starting(gpus, goal) {
        return take(stage, step, gpus, holders);
    }
    match layout::is_reached(gpus, goal) {
        Ok(()) => Move::Enter(then),
        Err(differs) => Move::Enter(stage.failed(differs)),
    }
}
