//! The strategies as this test has them: two pods share where pods share.

use serde_json::{Value, json};

use crate::scene::{GPU, LARGE, SMALL};

/// A way to use an A100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    Exclusive,
    TimeSlicing,
    Mps,
    Mig,
    /// Pods take turns inside slices.
    Hybrid,
}

impl Strategy {
    /// All that this machine can have.
    pub fn all(has_mps: bool) -> Vec<Self> {
        let mut all = vec![
            Self::Exclusive,
            Self::TimeSlicing,
            Self::Mps,
            Self::Mig,
            Self::Hybrid,
        ];
        all.retain(|strategy| has_mps || *strategy != Self::Mps);
        all
    }

    /// As a policy says it. A null takes away what the policy has said before.
    pub fn said(self) -> Value {
        let two = json!({"replicas": 2});
        let mig =
            |shared: Value| json!({"layout": {"3g.20gb": 1, "1g.5gb": 2}, "timeSlicing": shared});
        let mut said = json!({"timeSlicing": null, "mps": null, "mig": null});
        let (kind, member, settings) = match self {
            Self::Exclusive => ("Exclusive", "mig", Value::Null),
            Self::TimeSlicing => ("TimeSlicing", "timeSlicing", two),
            Self::Mps => ("MPS", "mps", two),
            Self::Mig => ("MIG", "mig", mig(Value::Null)),
            Self::Hybrid => ("MIG", "mig", mig(two)),
        };
        said["type"] = kind.into();
        said[member] = settings;
        said
    }

    /// What a node advertises then.
    pub fn advertises(self) -> &'static [(&'static str, usize)] {
        match self {
            Self::Exclusive => &[(GPU, 1)],
            Self::TimeSlicing | Self::Mps => &[(GPU, 2)],
            Self::Mig => &[(LARGE, 1), (SMALL, 2)],
            Self::Hybrid => &[(LARGE, 2), (SMALL, 4)],
        }
    }

    /// What a node guarantees then: its strategy, what isolates memory and faults, how many pods share.
    pub fn guarantees(self) -> [&'static str; 4] {
        match self {
            Self::Exclusive => ["exclusive", "hardware", "hardware", "1"],
            Self::TimeSlicing => ["time-slicing", "none", "none", "2"],
            Self::Mps => ["mps", "client-limit", "none", "2"],
            Self::Mig => ["mig", "hardware", "hardware", "1"],
            Self::Hybrid => ["mig-time-slicing", "none", "none", "2"],
        }
    }
}
