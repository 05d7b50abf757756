//! Others that divide a node's GPUs, or are about to take them away: seen by what they write on the Node.
//!
//! ```text
//! NVIDIA's MIG Manager       would undo a layout: refused, or taken over with `spec.takeOver` and given back later
//! NVIDIA's GPU clients       keep GPUs open: paused while a mode changes, always resumed
//! NVIDIA's driver upgrade    takes the driver away for a while: nothing is begun meanwhile
//! NVIDIA's MPS daemon        serves the same GPUs at the same place: no MPS beside it
//! HAMi, nos, InstaSlice,     divide the same GPUs by their own rules: hands off
//! NVIDIA's DRA driver
//! ```

mod gpu_clients;
mod mig_manager;
mod mps_daemon;
mod others;
#[cfg(test)]
mod tests;

pub use gpu_clients::GpuClients;
pub(crate) use gpu_clients::labels_of;
pub use mig_manager::MigManager;
pub(crate) use mps_daemon::is_mps_daemon;
pub use others::{is_read_annotation, is_read_resource};

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Node;
use kube::ResourceExt;

use crate::resolve::{Problem, ProblemReason};

/// State of the GPU operator's driver upgrade on a node (`NVIDIA/k8s-operator-libs`, `pkg/upgrade/consts.go`).
const LABEL_DRIVER_UPGRADE: &str = "nvidia.com/gpu-driver-upgrade-state";
/// The upgrade is over.
const UPGRADE_DONE: &str = "upgrade-done";
/// The upgrade has failed, and a person must see to it.
const UPGRADE_FAILED: &str = "upgrade-failed";

/// Who else has to do with a node's GPUs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Neighbours {
    /// NVIDIA's MIG Manager.
    pub mig_manager: MigManager,
    /// Whoever else divides the GPUs: who it is and by what that is seen, in words.
    pub manager: Option<String>,
    /// The state of a driver upgrade that is not over.
    pub driver_upgrade: Option<String>,
    /// NVIDIA's programs that keep GPUs open.
    pub clients: GpuClients,
}

impl Neighbours {
    /// Those that are seen on the Node itself.
    pub fn of(node: &Node) -> Self {
        let status = node.status.as_ref();
        let allocatable = status.and_then(|status| status.allocatable.as_ref());
        let resources = allocatable.into_iter().flat_map(BTreeMap::keys);
        let (labels, annotations) = (node.labels(), node.annotations());
        let upgrade = labels.get(LABEL_DRIVER_UPGRADE);
        Self {
            mig_manager: MigManager::of(labels, annotations),
            manager: others::manager(labels, annotations, resources),
            driver_upgrade: upgrade
                .filter(|state| !state.is_empty() && *state != UPGRADE_DONE)
                .cloned(),
            clients: GpuClients::of(node),
        }
    }

    /// The same with what is known of the node's `ResourceSlices`: the name of one that NVIDIA's DRA driver has published.
    #[must_use]
    pub fn with_slice(mut self, slice: Option<&str>) -> Self {
        if self.manager.is_none() {
            self.manager = slice.map(others::dra_driver);
        }
        self
    }

    /// What forbids a policy on the node, whatever it says.
    pub(crate) fn objection(&self) -> Option<Problem> {
        let manager = self.manager.as_ref()?;
        let message = format!(
            "{manager}: two managers would undo each other's work; take the node out of one of them"
        );
        Some(problem("spec.nodeSelector", message))
    }

    /// What forbids a policy on the node that has to do with MIG, unless it takes nodes over.
    pub(crate) fn mig_objection(&self) -> Option<Problem> {
        let message = match &self.mig_manager {
            MigManager::Away | MigManager::KeptAway => return None,
            MigManager::Acts { evidence, .. } => format!(
                "NVIDIA's MIG Manager divides the GPUs of this node ({evidence}) and would undo the layout; set \
                 spec.takeOver to true, or label the node {}=false",
                crds::names::LABEL_MIG_MANAGER
            ),
            MigManager::TakenOver { .. } => {
                "the node was taken from NVIDIA's MIG Manager and is given back to it: spec.takeOver is not true any more"
                    .to_owned()
            }
        };
        Some(problem("spec.takeOver", message))
    }

    /// What is waited for until the driver's upgrade is over.
    pub(crate) fn driver_upgrade(&self) -> Option<String> {
        let state = self.driver_upgrade.as_ref()?;
        let label = format!("{LABEL_DRIVER_UPGRADE}={state}");
        Some(if state == UPGRADE_FAILED {
            format!(
                "somebody to see to NVIDIA's driver upgrade, which failed on this node (label {label}); then the change begins"
            )
        } else {
            format!(
                "NVIDIA's driver upgrade on this node to end (label {label}); then the change begins"
            )
        })
    }
}

fn problem(path: &str, message: String) -> Problem {
    Problem::new(ProblemReason::ForeignManager, path, message)
}
