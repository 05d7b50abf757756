//! How a GPU is to be cut by a part of a policy, or why it cannot be.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use crds::gpu_node::{GpuStatus, MigMode};
use crds::policy::{Mig, MigPreset};

use super::parts::Part;
use super::products::any_matches;
use super::{Problem, ProblemReason};
use crate::layout::{self, Infeasible, Obstacle};

/// The numbers of slices by profile for a GPU, and the field that says so.
pub(super) fn wanted<'a>(
    gpu: &GpuStatus,
    mig: &'a Mig,
    path: &str,
) -> Result<(Cow<'a, BTreeMap<String, i32>>, String), Problem> {
    let product = mig.per_product.iter().enumerate();
    let mut product = product.filter(|(_, it)| any_matches(&it.products, &gpu.product));
    let (counts, preset, path) = match product.next() {
        Some((index, it)) => (
            &it.layout,
            it.preset,
            format!("{path}.mig.perProduct[{index}]"),
        ),
        None => (&mig.layout, mig.preset, format!("{path}.mig")),
    };
    if gpu.mig.current == MigMode::NotSupported {
        let message = format!(
            "GPU {} is a {}, which has no MIG; select nodes whose GPUs have it, or give this product another strategy in spec.overrides",
            gpu.index, gpu.product
        );
        return Err(Problem::new(ProblemReason::MigNotSupported, path, message));
    }
    match (counts, preset) {
        (Some(counts), _) => Ok((Cow::Borrowed(counts), format!("{path}.layout"))),
        (None, preset) => {
            let path = format!("{path}.preset");
            // The API server sees to it that one of them is set.
            let preset = preset.unwrap_or(MigPreset::Balanced);
            let counts = layout::preset(preset, &gpu.profiles);
            let counts =
                counts.map_err(|error| infeasible(gpu, false, path.clone(), &error, &[]))?;
            Ok((Cow::Owned(counts), path))
        }
    }
}

/// Turning MIG off takes every instance along, also those that are not ours to destroy; and not every GPU can give to MPS
/// clients what a policy says.
pub(super) fn whole(gpu: &GpuStatus, part: &Part<'_>, adopt: bool) -> Result<(), Problem> {
    part.mps(gpu)?;
    let foreign = gpu.instances.iter().filter(|instance| !instance.owned);
    let foreign: Vec<_> = foreign
        .map(|instance| format!("{} at slice {}", instance.profile, instance.start))
        .collect();
    if adopt || foreign.is_empty() {
        return Ok(());
    }
    let index = gpu.index;
    let message = format!(
        "GPU {index} has {}, made by somebody else; destroy what is there by hand, or let a policy of type MIG with \
         mig.adopt take it over first",
        foreign.join(", ")
    );
    let path = part.strategy_path();
    Err(Problem::new(ProblemReason::ForeignInstances, path, message))
}

pub(super) fn infeasible(
    gpu: &GpuStatus,
    adopt: bool,
    path: String,
    error: &Infeasible,
    instead: &[BTreeMap<String, i32>],
) -> Problem {
    let reason = match error {
        Infeasible::NotOffered { .. }
        | Infeasible::TooMany { .. }
        | Infeasible::TooLarge { .. }
        | Infeasible::MediaEngines { .. } => ProblemReason::NoPlacement,
        Infeasible::Blocked { by, .. } if by.iter().any(|it| is_foreign(gpu, adopt, it)) => {
            ProblemReason::ForeignInstances
        }
        Infeasible::Blocked { .. } => ProblemReason::Blocked,
        Infeasible::NothingOffered | Infeasible::Implausible { .. } => ProblemReason::NoInventory,
    };
    let mut message = format!("GPU {} ({}): {error}", gpu.index, gpu.product);
    if !instead.is_empty() {
        let instead: Vec<_> = instead.iter().map(layout::counts).collect();
        // Writing to a String cannot fail.
        let _ = write!(message, "; there is room for {}", instead.join(", or for "));
    }
    Problem::new(reason, path, message)
}

/// Whether an obstacle is an instance that somebody else has made.
fn is_foreign(gpu: &GpuStatus, adopt: bool, obstacle: &Obstacle) -> bool {
    let mut instances = gpu.instances.iter();
    let there = instances.find(|instance| instance.start == obstacle.start);
    !adopt && there.is_some_and(|instance| !instance.owned)
}
