//! What is heard of the MPS daemon of a node.

mod contested;
mod cut_off;

pub(super) use contested::another;
pub(super) use cut_off::kept;
#[cfg(test)]
pub(super) use cut_off::names_somebody;

use std::collections::BTreeSet;

use crds::gpu_node::{
    GpuStatus, MaintenanceStatus, MpsDaemon, MpsDeath, MpsHeard, MpsProcess, Phase, Target,
};
use crds::policy::StrategyType;

use super::survey;
use super::turn::Turn;
use super::waiting::{Wait, Waiting};
use crate::reason::Reason;
use crate::resolve::Goal;

/// Whether a step on this status has use for [`super::Observed::pods`] although nothing is to be done: pods are named that may
/// have been started again, or one may have come.
pub fn wants_pods(status: &MaintenanceStatus) -> bool {
    cut_off::names_somebody(status) || contested::may_come(status)
}

/// Brings the conditions about the pods of the node up to date, whatever the phase.
pub(super) fn update(turn: &mut Turn) {
    cut_off::update(turn);
    contested::update(turn);
}

/// Tells of the latest death, once, whatever the phase: pods were cut off by it.
pub(super) fn tell(turn: &mut Turn) {
    let Some(daemon) = daemon(turn) else {
        return;
    };
    let before = turn.status.mps_heard.take().unwrap_or_default();
    let heard = MpsHeard {
        death: daemon.last_death.as_ref().map(|death| death.at.clone()),
        started_at: daemon.started_at.clone(),
        given_up: daemon.given_up.as_ref().and(before.given_up),
    };
    let is_news = heard.death != before.death;
    turn.status.mps_heard = (heard != MpsHeard::default()).then_some(heard);
    if turn.status.phase == Phase::Quarantined {
        answer_for(turn);
    }
    if let Some(death) = daemon.last_death.as_ref().filter(|_| is_news) {
        let (reason, message) = died(death);
        turn.warn(reason, message);
    }
}

/// Whether a death is told in this look: its event names the pods.
fn is_death_new(turn: &Turn) -> bool {
    let death = |heard: Option<&MpsHeard>| heard?.death.clone();
    let now = death(turn.status.mps_heard.as_ref());
    now.is_some() && now != death(turn.seen.maintenance.mps_heard.as_ref())
}

/// Whether the daemon was given up, and the node has not been quarantined since.
pub(super) fn is_unanswered(turn: &Turn) -> bool {
    let now = daemon(turn).and_then(|daemon| daemon.given_up.as_ref());
    let heard = turn.status.mps_heard.as_ref();
    now.is_some() && now != heard.and_then(|heard| heard.given_up.as_ref())
}

/// The node is out of service by now, so that it is not cordoned for the same daemon again.
pub(super) fn answer_for(turn: &mut Turn) {
    if let Some(given_up) = daemon(turn).and_then(|daemon| daemon.given_up.clone()) {
        let heard = turn.status.mps_heard.get_or_insert_default();
        heard.given_up = Some(given_up);
    }
}

/// Why the daemon that was to serve this target was given up.
pub(super) fn given_up(turn: &Turn, target: &Target) -> String {
    let trouble = daemon(turn).and_then(|daemon| daemon.trouble.as_deref());
    let trouble = trouble.map_or_else(String::new, |trouble| format!(" ({trouble})"));
    let gpus = target.gpus.iter().filter(|gpu| gpu.through_mps().is_some());
    let gpus: Vec<_> = gpus.map(|gpu| gpu.index.to_string()).collect();
    format!(
        "the MPS daemon of GPU {}, or its servers, died too often and stay down{trouble}; pods that come here would find \
         nobody to serve them; see the log of the node's agent",
        gpus.join(", ")
    )
}

/// Whether a target has GPUs that are served through MPS.
pub(super) fn is_wanted(target: &Target) -> bool {
    let mut gpus = target.gpus.iter();
    gpus.any(|gpu| gpu.sharing.r#type == StrategyType::Mps)
}

/// An agent that may not run the daemon says nothing of it.
pub(super) fn not_enabled(turn: &Turn, goal: &Goal) -> Option<Wait> {
    let lacks = is_wanted(&goal.target) && daemon(turn).is_none();
    lacks.then(|| {
        let message = "the node's agent to be allowed to run the MPS daemon: install the chart with agent.mps.enabled=true";
        Wait::new(Waiting::MpsNotEnabled, message)
    })
}

/// GPUs that are served through MPS, or should be.
pub(super) fn served<'a>(turn: &Turn<'a>) -> impl Iterator<Item = &'a GpuStatus> {
    let targets = turn.status.verified.iter().chain(&turn.seen.spec.target);
    let targets = targets.flat_map(|target| &target.gpus);
    let meant = targets.filter(|target| target.through_mps().is_some());
    let meant: BTreeSet<_> = meant.map(|target| target.uuid.clone()).collect();
    let gpus = turn.gpus().iter();
    gpus.filter(move |gpu| gpu.mps.is_some() || meant.contains(&gpu.uuid))
}

fn daemon<'a>(turn: &Turn<'a>) -> Option<&'a MpsDaemon> {
    turn.seen.agent?.mps.as_ref()
}

fn died(death: &MpsDeath) -> (Reason, String) {
    let (reason, who) = match death.of {
        MpsProcess::Daemon => (Reason::MpsDaemonDied, "the MPS control daemon has died"),
        MpsProcess::Server => (Reason::MpsServerDied, "an MPS server has died"),
    };
    let hit = if death.pods.is_empty() {
        "no pod had one of its GPUs".to_owned()
    } else {
        let pods = survey::some(&death.pods, String::clone);
        format!(
            "cut off are the CUDA contexts of {pods}; what these pods run on the GPU has to be started again"
        )
    };
    (reason, format!("{who} ({}): {hit}", death.how))
}
