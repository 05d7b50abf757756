//! What things are called.

/// What things are called.
#[derive(Clone, Debug)]
pub(in super::super) struct Names {
    pub(in super::super) node: String,
    pub(in super::super) namespace: String,
    pub(in super::super) policy: String,
    pub(in super::super) pods: PodNames,
}

/// How pods are called, after their number.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum PodNames {
    /// `pod-7`.
    Plain,
    /// `7`.
    Digits,
    /// As long as a name may be, with a dot wherever one may be.
    Longest,
}

/// The longest name of a node or a pod.
const LONGEST: usize = 253;

impl Default for Names {
    fn default() -> Self {
        Self {
            node: "n1".to_owned(),
            namespace: "default".to_owned(),
            policy: super::fixtures::POLICY.to_owned(),
            pods: PodNames::Plain,
        }
    }
}

impl Names {
    /// The name of the pod with this number.
    pub(super) fn pod(&self, number: u32) -> String {
        match self.pods {
            PodNames::Plain => format!("pod-{number}"),
            PodNames::Digits => number.to_string(),
            PodNames::Longest => dotted(&number.to_string()),
        }
    }
}

/// The longest name that begins so.
pub(in super::super) fn dotted(beginning: &str) -> String {
    let rest = LONGEST - beginning.len();
    let dots = ".a".repeat(rest / 2);
    format!("{}{beginning}{dots}", "x".repeat(rest % 2))
}
