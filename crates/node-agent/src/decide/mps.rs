//! The MPS daemon of the node: what it is to serve, and the steps that change that.

use crds::gpu_node::{GpuStatus, GpuTarget, PreviousGpu, SharingTarget, Target};
use plan::mps::{Limits, Setup};

use super::Step;
use super::next::is_on;
use super::step::Served;
use crate::journal::{Record, Stage};

/// What the daemon is to serve without an operation: what was verified, also after a restart of the agent and after a reboot.
/// None: an operation decides that now, or has left the GPUs in an unknown state.
pub fn verified(record: &Record, gpus: &[GpuStatus]) -> Option<Vec<Served>> {
    let is_free = match record.operation.as_ref().map(|task| &task.stage) {
        None | Some(Stage::Intended | Stage::Done | Stage::RolledBack { .. }) => true,
        Some(
            Stage::Clearing
            | Stage::Building
            | Stage::UndoClearing { .. }
            | Stage::UndoBuilding { .. }
            | Stage::Failed { .. },
        ) => false,
    };
    is_free.then(|| served(gpus, &record.verified))
}

/// What somebody who asks for nothing any more leaves behind: the pods that have a GPU of the daemon still need it. Then
/// what was verified is not forgotten before they are gone.
pub fn is_needed(gpus: &[GpuStatus]) -> bool {
    let mut served = gpus.iter().filter(|gpu| gpu.mps.is_some());
    served.any(|gpu| !gpu.holders.is_empty())
}

/// The first step from how the daemon serves to this layout: it serves otherwise, and is stopped.
pub fn stopping(gpus: &[GpuStatus], layout: &[PreviousGpu]) -> Option<Step> {
    let serves = serving_now(gpus);
    (!serves.is_empty() && serves != served(gpus, layout)).then_some(Step::StopMps)
}

/// The last step to this layout: the daemon is to serve, and does not.
pub fn starting(gpus: &[GpuStatus], layout: &[PreviousGpu]) -> Option<Step> {
    let wanted = served(gpus, layout);
    let lacks = !wanted.is_empty() && serving_now(gpus) != wanted;
    lacks.then_some(Step::StartMps { gpus: wanted })
}

/// The setup of a daemon that serves these GPUs. None: nobody wants one.
pub fn setup(gpus: &[Served]) -> Option<Setup> {
    let clients = gpus
        .iter()
        .filter_map(|it| Some((it.index, it.sharing.mps?)));
    (!gpus.is_empty()).then(|| Setup {
        gpus: gpus.iter().map(|it| it.gpu.clone()).collect(),
        limits: Limits::of(clients),
    })
}

/// Whether the target's MPS can be had. `can`: whether MPS can be had at all, or a sentence that says why not.
pub fn check(target: &Target, can: Result<(), &str>) -> Result<(), String> {
    let wanted: Vec<_> = target
        .gpus
        .iter()
        .filter_map(GpuTarget::through_mps)
        .collect();
    let Some(first) = wanted.first() else {
        return Ok(());
    };
    can?;
    let percentage = |it: &SharingTarget| it.mps.map(|mps| mps.active_thread_percentage);
    if wanted.iter().any(|it| it.mps.is_none()) {
        return Err("the target has MPS without limits; update the operator".to_owned());
    }
    if wanted.iter().any(|it| percentage(it) != percentage(first)) {
        return Err(
            "an MPS daemon knows one activeThreadPercentage for all its GPUs, and the target has several"
                .to_owned(),
        );
    }
    Ok(())
}

fn serving_now(gpus: &[GpuStatus]) -> Vec<Served> {
    let each = gpus.iter().filter_map(|gpu| serves(gpu, gpu.mps.clone()));
    by_index(each.collect())
}

/// A GPU that is cut, or that is not there, is served by nobody.
fn served(gpus: &[GpuStatus], layout: &[PreviousGpu]) -> Vec<Served> {
    let each = layout.iter().filter_map(|wanted| {
        let gpu = gpus.iter().find(|gpu| gpu.uuid == wanted.uuid)?;
        let is_whole = !is_on(gpu.mig.current) && !is_on(gpu.mig.pending);
        serves(gpu, wanted.mps.clone().filter(|_| is_whole))
    });
    by_index(each.collect())
}

fn serves(gpu: &GpuStatus, sharing: Option<SharingTarget>) -> Option<Served> {
    Some(Served {
        gpu: gpu.uuid.clone(),
        index: gpu.index,
        sharing: sharing?,
    })
}

fn by_index(mut gpus: Vec<Served>) -> Vec<Served> {
    gpus.sort_by_key(|it| it.index);
    gpus
}
