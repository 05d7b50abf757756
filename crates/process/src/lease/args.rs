//! Which lease to contend for, as whom, and how patiently.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use tower::util::rng::{HasherRng, Rng};

use crate::duration;

/// Where a pod's service account says which namespace it is in.
const NAMESPACE_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// Flags of leader election; flatten them into a binary's flags.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Leader election")]
pub struct LeaseArgs {
    /// Namespace of the lease; unset: the namespace of the pod this runs in, else `default`
    #[arg(long, value_name = "NAMESPACE")]
    pub lease_namespace: Option<String>,

    /// Name of the lease; unset: the name of this program
    #[arg(long, value_name = "NAME")]
    pub lease_name: Option<String>,

    /// How long others wait before they take over from a leader that has fallen silent
    #[arg(long, default_value = "15s", value_name = "DURATION", value_parser = duration::positive)]
    pub lease_duration: Duration,

    /// How long a leader goes on without a successful renewal; shorter than the lease duration
    #[arg(long, default_value = "10s", value_name = "DURATION", value_parser = duration::positive)]
    pub renew_deadline: Duration,

    /// Time between renewals (±20 %); a lease that another holds is looked at at least every second
    #[arg(long, default_value = "2s", value_name = "DURATION", value_parser = duration::positive)]
    pub retry_period: Duration,

    /// Name of the pod this runs in, the readable part of the identity; unset: the host's name
    #[arg(long, env = "POD_NAME", value_name = "NAME")]
    pub pod_name: Option<String>,
}

impl LeaseArgs {
    /// What these flags say for `program`. Reads the pod's namespace and the host's name.
    ///
    /// The identity ends in random digits, so that no two processes ever share one: a restarted
    /// container must not take the record of its predecessor for its own.
    pub fn config(&self, program: &str) -> Result<ElectionConfig, TimingError> {
        let timing = Timing {
            lease_duration: self.lease_duration,
            renew_deadline: self.renew_deadline,
            retry_period: self.retry_period,
        };
        let host = || {
            rustix::system::uname()
                .nodename()
                .to_string_lossy()
                .into_owned()
        };
        let readable = self.pod_name.clone().unwrap_or_else(host);
        let namespace = self.lease_namespace.clone();
        Ok(ElectionConfig {
            namespace: namespace.unwrap_or_else(|| own_namespace(Path::new(NAMESPACE_FILE))),
            name: self
                .lease_name
                .clone()
                .unwrap_or_else(|| program.to_owned()),
            identity: format!("{readable}_{:016x}", HasherRng::default().next_u64()),
            timing: timing.checked()?,
        })
    }
}

/// The namespace that this file names; `default` outside of a pod.
fn own_namespace(file: &Path) -> String {
    std::fs::read_to_string(file)
        .ok()
        .map(|text| text.trim().to_owned())
        .filter(|namespace| !namespace.is_empty())
        .unwrap_or_else(|| "default".to_owned())
}

/// Which lease to contend for, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElectionConfig {
    /// Namespace of the lease; it must exist.
    pub namespace: String,
    /// Name of the lease; it is created if it does not exist.
    pub name: String,
    /// Written into the lease while we hold it; no other process may use it.
    pub identity: String,
    /// How patiently.
    pub timing: Timing,
}

/// The three times of an election.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long others wait before they take over from a silent leader. Written to the lease in
    /// whole seconds, rounded up.
    pub lease_duration: Duration,
    /// How long a leader goes on without a successful renewal.
    pub renew_deadline: Duration,
    /// Time between renewals, give or take 20 %. The longest time between looks at a lease that another holds, which is
    /// never more than a second.
    pub retry_period: Duration,
}

/// Times that would let two leaders act at once, or let one lose its lease without need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimingError {
    /// A leader would still act while others take its lease.
    #[error(
        "--renew-deadline {deadline:?} is not shorter than --lease-duration {lease:?}: two leaders \
         could act at once; leave some seconds between them"
    )]
    DeadlineTooLong {
        /// `--renew-deadline`.
        deadline: Duration,
        /// `--lease-duration`.
        lease: Duration,
    },
    /// One failed renewal would already end the leadership.
    #[error(
        "--retry-period {retry:?} fits less than twice into --renew-deadline {deadline:?}: one \
         failed renewal would end the leadership; shorten the period"
    )]
    RetryTooSlow {
        /// `--retry-period`.
        retry: Duration,
        /// `--renew-deadline`.
        deadline: Duration,
    },
}

impl Timing {
    /// These times, if they are safe.
    pub fn checked(self) -> Result<Self, TimingError> {
        let Self {
            lease_duration: lease,
            renew_deadline: deadline,
            retry_period: retry,
        } = self;
        if deadline >= lease {
            return Err(TimingError::DeadlineTooLong { deadline, lease });
        }
        if retry > deadline / 2 {
            return Err(TimingError::RetryTooSlow { retry, deadline });
        }
        Ok(self)
    }

    /// The longest that one request may take: a leader can try at least twice.
    pub(super) fn request_timeout(self) -> Duration {
        self.renew_deadline / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(lease: u64, deadline: u64, retry: u64) -> Timing {
        Timing {
            lease_duration: Duration::from_secs(lease),
            renew_deadline: Duration::from_secs(deadline),
            retry_period: Duration::from_secs(retry),
        }
    }

    #[test]
    fn times_under_which_two_could_lead_are_refused() {
        assert!(timing(15, 10, 2).checked().is_ok());
        for (lease, deadline) in [(15, 15), (15, 16)] {
            let error = timing(lease, deadline, 2).checked().unwrap_err();
            assert!(
                matches!(error, TimingError::DeadlineTooLong { .. }),
                "{error}"
            );
        }
        let error = timing(15, 10, 6).checked().unwrap_err();
        assert!(matches!(error, TimingError::RetryTooSlow { .. }), "{error}");
    }

    #[test]
    fn the_namespace_is_the_pods_own_or_default() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("namespace");
        assert_eq!(own_namespace(&file), "default");
        std::fs::write(&file, "operators\n").unwrap();
        assert_eq!(own_namespace(&file), "operators");
        std::fs::write(&file, "\n").unwrap();
        assert_eq!(own_namespace(&file), "default");
    }

    #[test]
    fn two_processes_of_one_pod_have_different_identities() {
        let args = LeaseArgs {
            lease_namespace: Some("here".into()),
            lease_name: None,
            lease_duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
            pod_name: Some("pod-0".into()),
        };
        let (one, other) = (
            args.config("tester").unwrap(),
            args.config("tester").unwrap(),
        );
        assert!(one.identity.starts_with("pod-0_"), "{}", one.identity);
        assert_ne!(one.identity, other.identity);
        assert_eq!(
            (one.namespace.as_str(), one.name.as_str()),
            ("here", "tester")
        );
    }
}
