//! Pods that were to be gone by now.

use crds::gpu_node::BlockedPod;
use jiff::{SignedDuration, Timestamp};

use crate::conditions;
use crate::pod::PodView;
use crate::quoted::quoted;
use crate::reason::Reason;

/// What keeps a pod that is still there so long after its grace was over; none: it may yet end. It is waited for all the
/// same: as long as it is there it may hold its device.
pub fn stuck(pod: &PodView, after: SignedDuration, now: Timestamp) -> Option<BlockedPod> {
    let until = pod.leaving_until?;
    let is_late = now.duration_since(until) >= after;
    is_late.then(|| BlockedPod {
        pod: pod.name(),
        reason: Reason::StuckTerminating.as_str().to_owned(),
        message: format!(
            "it was to be gone at {}{}",
            conditions::seconds(until).0,
            why(pod)
        ),
    })
}

fn why(pod: &PodView) -> String {
    let Some(finalizers) = quoted(&pod.finalizers.join(", ")) else {
        return " and no finalizer keeps it: see whether the kubelet on its node runs, and what its containers wait for"
            .to_owned();
    };
    format!(
        " and is kept by its finalizers {finalizers}: see why whoever set them does not take them off"
    )
}
