//! What the GPUs of a node guarantee to a pod, as labels.

use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::{GpuTarget, Target};
use crds::names::{
    LABEL_FAULT_ISOLATION, LABEL_MAX_SHARERS, LABEL_MEMORY_ISOLATION, LABEL_POLICY, LABEL_STRATEGY,
};
use crds::policy::StrategyType;

#[cfg(test)]
mod tests;

/// A way to share, as the label [`LABEL_STRATEGY`] says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Exclusive,
    TimeSlicing,
    Mps,
    Mig,
    MigTimeSlicing,
}

/// What keeps sharers apart; the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Isolation {
    None,
    ClientLimit,
    Hardware,
}

/// The labels of a node whose GPUs are as the target says: [`crds::names::GUARANTEE_LABELS`], all of them. Where GPUs
/// differ, a pod can count on the weakest only, and the strategy is `mixed`.
pub fn labels(target: &Target, policy: &str) -> BTreeMap<String, String> {
    let ways: BTreeSet<_> = target.gpus.iter().map(way).collect();
    let memory = ways.iter().map(|way| way.memory()).min();
    let faults = ways.iter().map(|way| way.faults()).min();
    let sharers = target.gpus.iter().map(sharers).max();
    [
        (LABEL_STRATEGY, strategy(target).to_owned()),
        (LABEL_MEMORY_ISOLATION, word(memory)),
        (LABEL_FAULT_ISOLATION, word(faults)),
        (LABEL_MAX_SHARERS, sharers.unwrap_or(1).to_string()),
        (LABEL_POLICY, policy.to_owned()),
    ]
    .map(|(label, value)| (label.to_owned(), value))
    .into()
}

/// What takes all of these labels off a node: to be done before its GPUs, or what is handed out of them, may change.
pub fn withdrawn(labels: &BTreeMap<String, String>) -> BTreeMap<String, Option<String>> {
    let labels = labels.keys();
    labels.map(|label| (label.clone(), None)).collect()
}

/// The strategy of a whole node: `exclusive`, `time-slicing`, `mps`, `mig`, `mig-time-slicing`, or `mixed`.
pub fn strategy(target: &Target) -> &'static str {
    let ways: BTreeSet<_> = target.gpus.iter().map(way).collect();
    match (ways.len(), ways.first()) {
        (_, None) => Way::Exclusive.as_str(),
        (1, Some(way)) => way.as_str(),
        (_, Some(_)) => "mixed",
    }
}

/// The most pods that share the GPU, or one of its slices.
fn sharers(gpu: &GpuTarget) -> i32 {
    let slices = gpu.mig.instances.iter();
    let slices = slices.map(|slice| gpu.sharing.replicas_of(&slice.profile));
    let whole = (!gpu.mig.enabled).then_some(gpu.sharing.replicas);
    slices.chain(whole).max().unwrap_or(1).max(1)
}

fn way(gpu: &GpuTarget) -> Way {
    match (gpu.mig.enabled, sharers(gpu) > 1, gpu.sharing.r#type) {
        (true, false, _) => Way::Mig,
        (true, true, _) => Way::MigTimeSlicing,
        (false, _, StrategyType::Mps) => Way::Mps,
        (false, true, _) => Way::TimeSlicing,
        (false, false, _) => Way::Exclusive,
    }
}

impl Way {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Exclusive => "exclusive",
            Self::TimeSlicing => "time-slicing",
            Self::Mps => "mps",
            Self::Mig => "mig",
            Self::MigTimeSlicing => "mig-time-slicing",
        }
    }

    const fn memory(self) -> Isolation {
        match self {
            Self::Exclusive | Self::Mig => Isolation::Hardware,
            Self::Mps => Isolation::ClientLimit,
            Self::TimeSlicing | Self::MigTimeSlicing => Isolation::None,
        }
    }

    const fn faults(self) -> Isolation {
        match self {
            Self::Exclusive | Self::Mig => Isolation::Hardware,
            Self::Mps | Self::TimeSlicing | Self::MigTimeSlicing => Isolation::None,
        }
    }
}

fn word(isolation: Option<Isolation>) -> String {
    let word = match isolation {
        Some(Isolation::Hardware) | None => "hardware",
        Some(Isolation::ClientLimit) => "client-limit",
        Some(Isolation::None) => "none",
    };
    word.to_owned()
}
