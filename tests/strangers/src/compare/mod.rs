//! Two accounts of the same GPUs, value by value.

#[cfg(test)]
mod tests;
mod values;

use std::fmt;

use crds::gpu_node::{GpuStatus, MigMode, ProfileOffer};
use serde_json::{Value, json};

use crate::{Error, Inventory, Machine, Result};

/// What came of comparing the agent with another program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Where they say different things. Empty: they agree.
    pub differences: Vec<Difference>,
    /// Profiles that the other does not list, as (GPU, name): a program that is older than the driver asks only for the
    /// profiles that it knows.
    pub unlisted: Vec<(i32, String)>,
    /// Counts of profiles that the driver gives wrong and the agent right.
    pub corrected: Vec<Difference>,
}

/// NVML counts instances of this product that no GPU of it can hold (mig-parted has the right ones, in
/// `pkg/mig/discovery`). The agent does not repeat it; nvidia-smi does.
const COUNTED_WRONG: &str = "NVIDIA A30";

/// A value on which two programs disagree.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where in the inventory: `gpus[0].profiles[2].max`.
    pub place: String,
    /// What the agent says; null for nothing.
    pub agent: Value,
    /// What the other says.
    pub other: Value,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            place,
            agent,
            other,
        } = self;
        write!(f, "{place}: the agent says {agent}, the other {other}")
    }
}

impl Machine {
    /// Compares the agent with nvidia-smi.
    ///
    /// # Errors
    /// One of them cannot be asked.
    pub fn compare(&self) -> Result<Comparison> {
        let mut before = self.inventory()?;
        let mut seen = self.nvidia_smi_inventory()?;
        // On a real machine a process may come or go between two questions.
        for _ in 0..2 {
            let after = self.inventory()?;
            if after == before {
                break;
            }
            before = after;
            seen = self.nvidia_smi_inventory()?;
        }
        Ok(differences(&before, &seen))
    }

    /// As [`Self::compare`], and fails if they disagree; `when` says after what they were asked.
    ///
    /// # Errors
    /// [`Error::Disagree`].
    pub fn agree(&self, when: &str) -> Result<Comparison> {
        let comparison = self.compare()?;
        if comparison.differences.is_empty() {
            return Ok(comparison);
        }
        let lines: Vec<_> = comparison
            .differences
            .iter()
            .map(ToString::to_string)
            .collect();
        Err(Error::Disagree {
            when: when.to_owned(),
            differences: lines.join("\n"),
        })
    }
}

/// Compares what the agent says with what another program says, as far as that one shows it.
pub fn differences(agent: &Inventory, other: &Inventory) -> Comparison {
    let mut agent = agent.clone();
    let mut unlisted = Vec::new();
    for (gpu, shown) in agent.gpus.iter_mut().zip(&other.gpus) {
        unlisted.extend(keep_shown(gpu, shown));
    }
    let wrong = |difference: &Difference| counted_wrong(&agent, difference);
    let all = values::differences(&in_order(agent.clone()), &in_order(other.clone()));
    let (corrected, differences) = all.into_iter().partition(wrong);
    Comparison {
        differences,
        unlisted,
        corrected,
    }
}

fn counted_wrong(agent: &Inventory, difference: &Difference) -> bool {
    let of = |gpu: &GpuStatus| {
        difference
            .place
            .starts_with(&format!("gpus[{}].", gpu.index))
    };
    let gpu = agent.gpus.iter().find(|gpu| of(gpu));
    gpu.is_some_and(|gpu| gpu.product == COUNTED_WRONG)
        && difference.place.ends_with("].max")
        && difference.agent.as_i64() < difference.other.as_i64()
}

/// Takes away the profiles that the other program does not list, and returns them.
fn keep_shown(gpu: &mut GpuStatus, shown: &GpuStatus) -> Vec<(i32, String)> {
    let listed = |offer: &ProfileOffer| shown.profiles.iter().any(|other| other.id == offer.id);
    let (kept, unlisted): (Vec<_>, Vec<_>) = gpu.profiles.drain(..).partition(listed);
    gpu.profiles = kept;
    if shown.mig.current == MigMode::Enabled {
        let names = unlisted.into_iter().map(|offer| (gpu.index, offer.name));
        names.collect()
    } else {
        // nvidia-smi lists no profiles while MIG is off.
        Vec::new()
    }
}

/// As JSON in an order that does not depend on the program. A profile's memory is in GiB with two digits, which is all
/// that nvidia-smi prints.
fn in_order(mut inventory: Inventory) -> Value {
    for gpu in &mut inventory.gpus {
        gpu.profiles.sort_by_key(|offer| offer.id);
        gpu.instances.sort_by_key(|instance| instance.start);
        gpu.processes.sort();
    }
    let mut value = json!(inventory);
    let profiles = values::all_of(&mut value, &["gpus", "profiles"]);
    for profile in profiles {
        if let Some(memory) = profile.get_mut("memoryMiB") {
            let gib = memory
                .as_f64()
                .map(|mib| format!("{:.2} GiB", mib / 1024.0));
            *memory = json!(gib);
        }
    }
    value
}
