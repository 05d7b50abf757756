//! Programs of NVIDIA's that read a node's devices when they start and never again, such as GPU feature discovery and the DCGM
//! exporter: their pods are deleted once a repartition is verified, and come back seeing what is there now.

use super::Effect;
use super::turn::Turn;
use crate::pod::{Controller, PodView};

/// Which pods read devices only when they start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refresh {
    /// The namespace in which they are.
    pub namespace: String,
    /// Labels with their values: a pod with any of them is one.
    pub labels: Vec<(String, String)>,
}

impl Refresh {
    /// Only what a `DaemonSet` makes anew at once.
    fn concerns(&self, pod: &PodView) -> bool {
        let is_one = |(key, value): &(String, String)| pod.labels.get(key) == Some(value);
        pod.reference.namespace == self.namespace
            && pod.controller == Controller::DaemonSet
            && pod.leaving_since.is_none()
            && self.labels.iter().any(is_one)
    }
}

/// Has the node's pods that are concerned made anew. An operator that dies before it has written down that the node is
/// verified does so again, which harms nobody.
pub(super) fn restart(turn: &mut Turn) {
    let seen = turn.seen;
    for pod in seen.pods.iter().filter(|pod| seen.refresh.concerns(pod)) {
        turn.effect(Effect::Restart(pod.reference.clone()));
    }
}
