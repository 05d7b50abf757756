//! How long each part of an operation may take.

use jiff::SignedDuration;

/// How long each part of an operation may take. The defaults are those of the product; tests shorten them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The agent must answer `Prepare` within this.
    pub prepare: SignedDuration,
    /// The node must show the cordon within this; an uncordon that takes longer is reported.
    pub cordon: SignedDuration,
    /// The agent must have changed the GPUs, or have put them back, within this.
    pub repartition: SignedDuration,
    /// The node must advertise the new devices within this.
    pub validate: SignedDuration,
    /// The node's label names a configuration only when it has been published for so long. The kubelet brings a new entry
    /// of a `ConfigMap` to the pods with its next sync, once a minute or so (`pkg/kubelet/kubelet.go`, `syncFrequency` with
    /// jitter, and the watch's delay), and the plugin's config manager ends with an error when the label names one that it
    /// does not have (`NVIDIA/k8s-device-plugin` v0.20.0, `cmd/config-manager/main.go:335-393`).
    pub config_delay: SignedDuration,
    /// A device plugin that has not done what it was told so long after it is looked into.
    pub diagnose: SignedDuration,
    /// A node that advertises the right numbers before the plugin has read its new devices may take pods only so long
    /// after the plugin was told: nothing else shows that it has read them.
    pub settle: SignedDuration,
    /// Nobody who must leave may be seen for so long before a drain counts as complete: a pod may have been bound just
    /// before the cordon.
    pub quiet: SignedDuration,
    /// After the drain's timeout with `onTimeout: Force`, pods that are deleted must be gone within this.
    pub force: SignedDuration,
    /// A pod that is still there so long after its grace is named, with what keeps it.
    pub stuck: SignedDuration,
    /// An agent that has not been heard for so long during an operation is lost.
    pub agent_lost: SignedDuration,
    /// So long after it was bound, a pod that the kubelet does not list as a holder is evicted like one that it does.
    pub admission: SignedDuration,
    /// Wait after the first operation that did not succeed; doubles with each further one.
    pub back_off: SignedDuration,
    /// The longest such wait.
    pub longest_back_off: SignedDuration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            prepare: SignedDuration::from_secs(30),
            cordon: SignedDuration::from_mins(2),
            repartition: SignedDuration::from_mins(5),
            validate: SignedDuration::from_mins(5),
            config_delay: SignedDuration::from_secs(90),
            diagnose: SignedDuration::from_mins(2),
            settle: SignedDuration::from_secs(10),
            quiet: SignedDuration::from_secs(5),
            force: SignedDuration::from_mins(5),
            stuck: SignedDuration::from_mins(1),
            agent_lost: SignedDuration::from_secs(30),
            admission: SignedDuration::from_secs(15),
            back_off: SignedDuration::from_mins(5),
            longest_back_off: SignedDuration::from_hours(6),
        }
    }
}

impl Limits {
    /// The wait after so many operations in a row that did not succeed; none after 0.
    pub fn wait_after(&self, attempts: i32) -> SignedDuration {
        let doublings = match u32::try_from(attempts) {
            Ok(0) | Err(_) => return SignedDuration::ZERO,
            Ok(attempts) => attempts.saturating_sub(1),
        };
        let factor = 2_i32.saturating_pow(doublings);
        self.back_off
            .checked_mul(factor)
            .map_or(self.longest_back_off, |wait| {
                wait.min(self.longest_back_off)
            })
    }
}
