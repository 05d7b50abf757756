//! NVIDIA's own MPS daemon on a node whose GPUs are served by ours, or are to be.
//!
//! Before a change it has to leave. It may come later, too: GPU feature discovery labels a node `nvidia.com/mps.capable=true`
//! once the plugin is told of MPS, and NVIDIA's `DaemonSet` goes by that label (`NVIDIA/k8s-device-plugin` v0.20.0,
//! `internal/lm/nvml.go:176-211`). Then people are told for as long as it is there.

use crds::gpu_node::MaintenanceStatus;
use jiff::SignedDuration;

use super::super::turn::Turn;
use super::super::waiting::{Wait, Waiting};
use super::is_wanted;
use crate::conditions::{self, Verdict};
use crate::pod::PodView;
use crate::reason::Reason;
use crate::resolve::Goal;

/// The condition that names it.
const CONTESTED: &str = "MpsContested";
/// Nothing of the Node or the `GpuNode` changes when its pod comes: so often it is looked for.
const PERIOD: SignedDuration = SignedDuration::from_mins(1);

/// What a node waits for that is to be served: the daemons would take each other for the one that their clients have.
pub(in super::super) fn another(turn: &Turn, goal: &Goal) -> Option<Wait> {
    let pod = pod(turn).filter(|_| is_wanted(&goal.target))?;
    let message = format!(
        "pod {}, NVIDIA's own MPS daemon, to leave the node: the agent runs the daemon here; keep that DaemonSet away from the node",
        pod.name()
    );
    Some(Wait::new(Waiting::TwoMpsOwners, message))
}

/// Whether it may come to a node with this status.
pub(super) fn may_come(status: &MaintenanceStatus) -> bool {
    status.verified.as_ref().is_some_and(is_wanted)
}

/// Brings the condition up to date; a node to which it never came has none.
pub(super) fn update(turn: &mut Turn) {
    let may_come = may_come(&turn.status);
    if may_come {
        turn.wake(turn.after(PERIOD));
    }
    if let Some(name) = pod(turn).filter(|_| may_come).map(PodView::name) {
        return tell(turn, &name);
    }
    let was_looked_for = !may_come || !turn.seen.pods.is_empty();
    if was_looked_for && conditions::holds(&turn.status.conditions, CONTESTED) {
        let message = "no other MPS daemon is on the node";
        turn.condition(CONTESTED, Verdict::False, Reason::MpsServing, message);
    }
}

fn tell(turn: &mut Turn, pod: &str) {
    let message = format!(
        "pod {pod}, NVIDIA's own MPS daemon, is on the node beside the agent's: it mounts the clients' /dev/shm anew and can end \
         the daemon that serves them; keep that DaemonSet away from the node"
    );
    if !conditions::holds(&turn.seen.maintenance.conditions, CONTESTED) {
        turn.warn(Reason::TwoMpsOwners, message.clone());
    }
    turn.condition(CONTESTED, Verdict::True, Reason::TwoMpsOwners, message);
}

fn pod<'a>(turn: &Turn<'a>) -> Option<&'a PodView> {
    let mut pods = turn.seen.pods.iter();
    pods.find(|pod| pod.is_mps_daemon && !pod.finished)
}
