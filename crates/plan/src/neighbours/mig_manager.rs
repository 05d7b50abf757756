//! NVIDIA's MIG Manager on a node, which reacts to labels and undoes what it did not do.

use std::collections::BTreeMap;

use crds::names::{ANNOTATION_MIG_MANAGER, LABEL_MIG_MANAGER};

/// The layout that MIG Manager is asked for, and how far it is (`NVIDIA/mig-parted` v0.15.0,
/// `pkg/mig/reconfigure/reconfigure.go:41-51`).
const LABEL_CONFIG: &str = "nvidia.com/mig.config";
const LABEL_STATE: &str = "nvidia.com/mig.config.state";
/// States in which it changes the GPUs.
const BUSY: [&str; 2] = ["pending", "rebooting"];
/// Label of its pods (`NVIDIA/gpu-operator` v26.7.0, `assets/state-mig-manager/0600_daemonset.yaml`).
const POD: (&str, &str) = ("app", "nvidia-mig-manager");

/// What NVIDIA's MIG Manager has to do with a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MigManager {
    /// It does not run here.
    #[default]
    Away,
    /// Its deploy label keeps it away; a pod of it may still be there.
    KeptAway,
    /// It runs here, or would when it is asked.
    Acts {
        /// The labels by which that is seen.
        evidence: String,
        /// The value of its deploy label; none: there is no such label.
        deployed: Option<String>,
        /// It is in the middle of a change, as its state label says.
        is_busy: bool,
    },
    /// The operator has taken the node from it.
    TakenOver {
        /// What its deploy label was before, or what somebody has written into it since; none: there was no such label.
        before: Option<String>,
        /// Nobody has changed the label since.
        is_intact: bool,
    },
}

impl MigManager {
    /// By the labels and annotations of a node. Any value but `true` of the deploy label keeps it away. Without a config label
    /// it does nothing (`NVIDIA/mig-parted` v0.15.0, `cmd/nvidia-mig-manager/main.go:103-110`), whatever the deploy label says:
    /// the GPU operator gives that to every node that can do MIG, also where it installs no MIG Manager. Without the deploy
    /// label whoever installed it by other means still asks it by its config label.
    pub(super) fn of(
        labels: &BTreeMap<String, String>,
        annotations: &BTreeMap<String, String>,
    ) -> Self {
        let label = |key: &str| labels.get(key).filter(|value| !value.is_empty());
        let deployed = label(LABEL_MIG_MANAGER);
        if let Some(before) = annotations.get(ANNOTATION_MIG_MANAGER) {
            let is_intact = deployed.is_some_and(|value| value == "false");
            let remembered = Some(before).filter(|before| !before.is_empty());
            let written_since = deployed.filter(|_| !is_intact);
            let before = written_since.or(remembered);
            return Self::TakenOver {
                before: before.cloned(),
                is_intact,
            };
        }
        if deployed.is_some_and(|value| value != "true") {
            return Self::KeptAway;
        }
        let is_busy = label(LABEL_STATE).is_some_and(|state| BUSY.contains(&state.as_str()));
        let finishes = is_busy && deployed.is_some();
        if label(LABEL_CONFIG).is_none() && !finishes {
            return Self::Away;
        }
        let seen = [LABEL_MIG_MANAGER, LABEL_CONFIG, LABEL_STATE];
        let seen = seen
            .into_iter()
            .filter_map(|key| Some(format!("{key}={}", label(key)?)));
        Self::Acts {
            evidence: seen.collect::<Vec<_>>().join(", "),
            deployed: deployed.cloned(),
            is_busy,
        }
    }

    /// Whether a pod with these labels is one of its own.
    pub(crate) fn is_pod(labels: &BTreeMap<String, String>) -> bool {
        labels.get(POD.0).is_some_and(|app| app == POD.1)
    }
}
