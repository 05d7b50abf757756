//! Whether a policy gives its workloads what they need, as `spec.workload` says it.

use crds::GpuSharingPolicySpec;
use crds::gpu_node::{GpuStatus, GpuTarget, PlacedProfile, ProfileOffer};
use crds::policy::{Isolation, Strategy, StrategyType, Workload};

use super::parts::Part;
use super::slices::wanted;
use super::{Problem, ProblemReason};

/// What needs no hardware to see: what a strategy does not isolate.
pub(super) fn check(spec: &GpuSharingPolicySpec) -> Vec<Problem> {
    let Some(workload) = &spec.workload else {
        return Vec::new();
    };
    let overrides = spec.overrides.iter().enumerate();
    let overrides =
        overrides.map(|(index, it)| (&it.strategy, format!("spec.overrides[{index}].strategy")));
    let own = (&spec.strategy, "spec.strategy".to_owned());
    let every = [own].into_iter().chain(overrides);
    every
        .filter_map(|(strategy, path)| unlike(strategy, workload, format!("{path}.type")))
        .collect()
}

fn unlike(strategy: &Strategy, workload: &Workload, path: String) -> Option<Problem> {
    let shared = match strategy.r#type {
        StrategyType::TimeSlicing => {
            "TimeSlicing keeps neither their memory nor their faults from the others on the GPU"
        }
        StrategyType::Mps => {
            "MPS limits what each may allocate and keeps no fault from the others on the GPU"
        }
        StrategyType::Mig if is_shared(strategy) => {
            "mig.timeSlicing keeps neither their memory nor their faults from the others on the slice"
        }
        StrategyType::Exclusive | StrategyType::Mig | StrategyType::Auto => return None,
    };
    if workload.isolation == Isolation::Hard {
        let message = format!(
            "the workloads need isolation Hard, and {shared}; use MIG without timeSlicing, or Exclusive, or \
             set spec.workload.isolation to None"
        );
        return Some(Problem::new(
            ProblemReason::IsolationNotGiven,
            path,
            message,
        ));
    }
    let is_untrusted = strategy.r#type == StrategyType::Mps && !workload.trusted;
    is_untrusted.then(|| {
        let message = "workloads that share a GPU through MPS share one server, and a fatal fault of one ends all of them; \
                       use MIG, TimeSlicing or Exclusive, or set spec.workload.trusted to true if they trust each other";
        Problem::new(ProblemReason::NotTrusted, path, message)
    })
}

/// Whether several pods may share a slice.
fn is_shared(strategy: &Strategy) -> bool {
    let mig = strategy.mig.as_ref();
    mig.is_some_and(|mig| mig.time_slicing.is_some())
}

/// Whether the GPUs of a node have the memory for as many workloads as may share each device.
pub(super) fn fits(
    workload: Option<&Workload>,
    followed: &[&Part<'_>],
    targets: &[GpuTarget],
    gpus: &[&GpuStatus],
) -> Result<(), Problem> {
    // The API server refuses what is no amount.
    let memory = workload.and_then(|workload| workload.memory.as_ref()?.bytes().ok());
    let Some(memory) = memory else {
        return Ok(());
    };
    let each = followed.iter().zip(targets).zip(gpus);
    let mut problems =
        each.filter_map(|((part, target), gpu)| too_small(memory, part, target, gpu));
    problems.next().map_or(Ok(()), Err)
}

fn too_small(need: u64, part: &Part<'_>, target: &GpuTarget, gpu: &GpuStatus) -> Option<Problem> {
    match &part.strategy.mig {
        Some(mig) => {
            let (_, path) = wanted(gpu, mig, &part.strategy_path()).ok()?;
            slices_too_small(need, part, target, gpu, path)
        }
        None => whole_too_small(need, part, target, gpu),
    }
}

/// With limits that may exceed the GPU, MPS is asked for just that.
fn whole_too_small(
    need: u64,
    part: &Part<'_>,
    target: &GpuTarget,
    gpu: &GpuStatus,
) -> Option<Problem> {
    let mps = part.strategy.mps.as_ref();
    let replicas = target.sharing.replicas;
    let limit = target
        .sharing
        .mps
        .as_ref()
        .and_then(|it| it.memory_limit_mib);
    if let Some(limit) = limit.filter(|limit| !holds(*limit, 1, need)) {
        return Some(limited(part, limit, need));
    }
    let is_meant = mps.is_some_and(|mps| mps.allow_memory_oversubscription);
    if is_meant || holds(gpu.memory_mib, replicas, need) {
        return None;
    }
    let device = format!("GPU {}, a {},", gpu.index, gpu.product);
    Some(overcommitted(
        part.strategy_path(),
        &device,
        gpu.memory_mib,
        replicas,
        need,
    ))
}

/// Whatever else is on the GPU, no workload can allocate more than the limit.
fn limited(part: &Part<'_>, limit_mib: i64, need: u64) -> Problem {
    let message = format!(
        "a workload needs {}, and MPS gives each {}; raise the limit, or lower spec.workload.memory",
        spoken_bytes(need),
        spoken(limit_mib)
    );
    let path = format!("{}.mps.memoryLimit", part.strategy_path());
    Problem::new(ProblemReason::MemoryOvercommitted, path, message)
}

/// Some slice must do: the others may be for other workloads.
fn slices_too_small(
    need: u64,
    part: &Part<'_>,
    target: &GpuTarget,
    gpu: &GpuStatus,
    path: String,
) -> Option<Problem> {
    let offer = |slice: &PlacedProfile| gpu.profiles.iter().find(|it| it.name == slice.profile);
    let slices: Vec<_> = target.mig.instances.iter().filter_map(offer).collect();
    let replicas = |slice: &ProfileOffer| {
        let own = target.sharing.per_profile.get(&slice.name);
        *own.unwrap_or(&target.sharing.replicas)
    };
    let does = |slice: &&&ProfileOffer| holds(slice.memory_mib, replicas(slice), need);
    if slices.is_empty() || slices.iter().any(|slice| does(&slice)) {
        return None;
    }
    let largest = slices.iter().max_by_key(|slice| slice.memory_mib)?;
    if holds(largest.memory_mib, 1, need) {
        let device = format!("a slice of {} on GPU {}", largest.name, gpu.index);
        let (memory, replicas) = (largest.memory_mib, replicas(largest));
        return Some(overcommitted(
            part.time_slicing_path(),
            &device,
            memory,
            replicas,
            need,
        ));
    }
    let instead = match smallest_for(need, gpu) {
        Some(profile) => format!(
            "{} would do, with {}",
            profile.name,
            spoken(profile.memory_mib)
        ),
        None => format!(
            "GPU {}, a {}, offers no slice that would do",
            gpu.index, gpu.product
        ),
    };
    let message = format!(
        "a workload needs {}, and the largest slice, {}, has {}; {instead}; change the layout, or lower \
         spec.workload.memory",
        spoken_bytes(need),
        largest.name,
        spoken(largest.memory_mib),
    );
    Some(Problem::new(ProblemReason::ProfileTooSmall, path, message))
}

/// The least of what the GPU offers that holds so much, with the fewest compute slices.
fn smallest_for(need: u64, gpu: &GpuStatus) -> Option<&ProfileOffer> {
    let does = gpu
        .profiles
        .iter()
        .filter(|it| holds(it.memory_mib, 1, need));
    does.min_by_key(|it| (it.memory_mib, it.slices, it.name.as_str()))
}

fn overcommitted(path: String, device: &str, memory: i64, replicas: i32, need: u64) -> Problem {
    let workloads = match replicas {
        1 => "one workload needs".to_owned(),
        more => format!("{more} workloads that may share it need"),
    };
    let message = format!(
        "{device} has {}, and {workloads} {} {}; allow fewer to share it, or lower spec.workload.memory",
        spoken(memory),
        spoken_bytes(need),
        if replicas == 1 { "alone" } else { "each" },
    );
    Problem::new(ProblemReason::MemoryOvercommitted, path, message)
}

fn holds(memory_mib: i64, replicas: i32, need: u64) -> bool {
    let memory = u64::try_from(memory_mib).unwrap_or_default();
    let replicas = u64::try_from(replicas.max(1)).unwrap_or(1);
    need.saturating_mul(replicas) <= memory.saturating_mul(1 << 20)
}

fn spoken(memory_mib: i64) -> String {
    format!("{memory_mib} MiB")
}

/// Rounded up: what is a little more than there is must not look like as much.
fn spoken_bytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}
