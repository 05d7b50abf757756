//! Pods that are clients of an MPS daemon, or of a server of it, that is gone. Their CUDA contexts are lost, and no daemon that is
//! started later gives them back: only a process that begins anew has others. So they are named for as long as they run.
//!
//! Who began before the latest end or start of a daemon is cut off, be it that the daemon has died, that its agent was replaced,
//! or that the node has booted and the pod was there first, with a `/dev/shm` from before the daemon's was mounted.

use std::collections::BTreeSet;

use crds::gpu_node::MaintenanceStatus;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::super::survey;
use super::super::turn::Turn;
use super::{daemon, served};
use crate::conditions::{self, Verdict};
use crate::pod::PodView;
use crate::reason::Reason;

/// The condition that names them.
const CUT_OFF: &str = "MpsClientsCutOff";
/// A container that is started again changes nothing of the `GpuNode`: so often it is looked for.
const PERIOD: SignedDuration = SignedDuration::from_secs(30);
/// So many are named: a condition has an end.
const NAMED: usize = 50;

/// Whether this status names any: they may have been started again.
pub(in super::super) fn names_somebody(status: &MaintenanceStatus) -> bool {
    conditions::holds(&status.conditions, CUT_OFF)
}

/// Of a status that is begun anew, what is not to be forgotten.
pub(in super::super) fn kept(conditions: &mut Vec<Condition>) -> Vec<Condition> {
    let mut kept = std::mem::take(conditions);
    kept.retain(|condition| condition.type_ == CUT_OFF);
    kept
}

/// Brings the condition up to date; a node that has never lost a client has none.
pub(super) fn update(turn: &mut Turn) {
    let is_known = conditions::find(&turn.status.conditions, CUT_OFF).is_some();
    if let Some(pods) = clients(turn) {
        if !pods.is_empty() {
            name(turn, &pods);
        } else if is_known {
            let message = "every pod with a GPU of the MPS daemon was started after it";
            let reason = Reason::MpsClientsConnected;
            turn.condition(CUT_OFF, Verdict::False, reason, message);
        }
    }
    if names_somebody(&turn.status) {
        turn.wake(turn.after(PERIOD));
    }
}

/// Who is cut off, by name. None: the pods were not looked at.
fn clients(turn: &Turn) -> Option<Vec<String>> {
    let holders = holders(turn);
    let Some(end) = latest_end(turn).filter(|_| !holders.is_empty()) else {
        return Some(Vec::new());
    };
    if turn.seen.pods.is_empty() {
        return None;
    }
    let began = |pod: &PodView| pod.gpu_since.filter(|_| !pod.finished);
    let pods = turn.seen.pods.iter();
    let lost = pods.filter(|pod| began(pod).is_some_and(|began| began < end));
    let names = lost.map(PodView::name).filter(|it| holders.contains(it));
    Some(names.collect::<BTreeSet<_>>().into_iter().collect())
}

/// In whole seconds, as the kubelet counts: who was started again within the second is not cut off.
fn latest_end(turn: &Turn) -> Option<Timestamp> {
    let daemon = daemon(turn)?;
    let death = daemon.last_death.as_ref().map(|death| death.at.0);
    let start = daemon.started_at.as_ref().map(|start| start.0);
    Some(conditions::seconds(death.max(start)?).0)
}

/// Pods with a GPU that is served through MPS, or should be.
fn holders(turn: &Turn) -> BTreeSet<String> {
    let holders = served(turn).flat_map(|gpu| &gpu.holders);
    let names = holders.map(|holder| format!("{}/{}", holder.namespace, holder.pod));
    names.collect()
}

fn name(turn: &mut Turn, pods: &[String]) {
    let names = survey::first(NAMED, pods, String::clone);
    let message = format!(
        "the MPS daemon or server that these pods were clients of is gone, and what they run on the GPU with it: {names}; delete \
         the pods or start their containers again"
    );
    let is_news = !conditions::holds(&turn.seen.maintenance.conditions, CUT_OFF);
    if is_news && !super::is_death_new(turn) {
        turn.warn(Reason::MpsClientsCutOff, message.clone());
    }
    turn.condition(CUT_OFF, Verdict::True, Reason::MpsClientsCutOff, message);
}
