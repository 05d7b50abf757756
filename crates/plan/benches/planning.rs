//! How long planning takes: the search for the placements of an 8-GPU node, of 1,000 such nodes, and of the worst GPUs.

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;

use crds::GpuSharingPolicy;
use crds::gpu_node::{GpuStatus, Holder, MigInstance, MigMode, MigModeStatus, ProfileOffer};
use criterion::{Criterion, criterion_group, criterion_main};
use plan::change::Change;
use plan::layout::{Existing, Occupancy, alternatives, search};
use plan::resolve::goal;
use products::Mig;
use serde_json::json;

const GPUS: i32 = 8;

fn offers(product: &str) -> Vec<ProfileOffer> {
    let mig = products::find(product).and_then(|found| found.mig.as_ref());
    mig.map(Mig::offers).unwrap_or_default()
}

/// An A100 cut into seven; pods hold some slices, other ones on each GPU.
fn gpu(node: i32, index: i32) -> GpuStatus {
    let device = |start: i32| format!("MIG-{node}-{index}-{start}");
    let instance = |start| MigInstance {
        profile: "1g.5gb".to_owned(),
        start,
        size: 1,
        uuid: Some(device(start)),
        parts: Vec::new(),
        owned: true,
    };
    let holder = |start: i32| Holder {
        namespace: "ml".to_owned(),
        pod: format!("worker-{node}-{index}-{start}"),
        container: "main".to_owned(),
        device: device(start),
        resource: String::new(),
    };
    let holds = |start: &i32| (node + index + start) % 3 == 0;
    GpuStatus {
        index,
        uuid: format!("GPU-{node}-{index}"),
        product: "NVIDIA A100-SXM4-40GB".to_owned(),
        memory_mib: 40960,
        compute_capability: Some("8.0".to_owned()),
        mig: MigModeStatus {
            current: MigMode::Enabled,
            pending: MigMode::Enabled,
        },
        instances: (0..7).map(instance).collect(),
        profiles: offers("A100-SXM4-40GB"),
        compute_mode: None,
        mps: None,
        holders: (0..7).filter(holds).map(holder).collect(),
        processes: Vec::new(),
    }
}

fn node(node: i32) -> Vec<GpuStatus> {
    (0..GPUS).map(|index| gpu(node, index)).collect()
}

fn wanted(numbers: &[(&str, i32)]) -> BTreeMap<String, i32> {
    let own = |&(profile, number): &(&str, i32)| (profile.to_owned(), number);
    numbers.iter().map(own).collect()
}

/// A policy that cuts every GPU like this.
#[expect(clippy::expect_used, reason = "the text is right here")]
fn policy(layout: &serde_json::Value) -> GpuSharingPolicy {
    let spec = json!({"strategy": {"type": "MIG", "mig": {"layout": layout}}});
    GpuSharingPolicy::new("p", serde_json::from_value(spec).expect("a policy's spec"))
}

/// Everything that planning a node takes: occupants, placements, what differs then, and what the node promises.
fn plan(gpus: &[GpuStatus], policy: &GpuSharingPolicy) -> Option<Change> {
    let goal = goal(policy, gpus, &BTreeSet::new()).ok()?;
    Some(goal.change)
}

fn nodes(criterion: &mut Criterion) {
    let goals = [
        (
            "reshape",
            policy(&json!({"3g.20gb": 1, "2g.10gb": 1, "1g.5gb": 2})),
        ),
        ("as it is", policy(&json!({"1g.5gb": 7}))),
    ];
    let fleet: Vec<_> = (0..1_000).map(node).collect();
    for (name, policy) in &goals {
        criterion.bench_function(&format!("one node of 8 GPUs, {name}"), |bencher| {
            bencher.iter(|| plan(black_box(&fleet[0]), policy));
        });
        criterion.bench_function(&format!("1,000 nodes of 8 GPUs, {name}"), |bencher| {
            let each = || {
                black_box(&fleet)
                    .iter()
                    .filter_map(|gpus| plan(gpus, policy))
            };
            bencher.iter(|| each().filter(|change| !change.gpus.is_empty()).count());
        });
    }
}

/// Instances of an A100 by profile, start and size; on each as many pods.
fn standing(of: &[(&str, i32, i32)], pods: usize) -> Vec<Existing> {
    let instance = |&(profile, start, size): &(&str, i32, i32)| {
        let pods = (0..pods).map(|pod| format!("ml/worker-{start}-{pod}"));
        Existing {
            profile: profile.to_owned(),
            start,
            size,
            whole: true,
            occupancy: Occupancy::Pods(pods.collect()),
        }
    };
    of.iter().map(instance).collect()
}

/// Instances that must stay.
fn in_the_way(of: &[(&str, i32, i32)]) -> Vec<Existing> {
    let mut existing = standing(of, 0);
    for instance in &mut existing {
        instance.occupancy = Occupancy::Unmovable("made by somebody else".to_owned());
    }
    existing
}

fn smallest(starts: &[i32]) -> Vec<(&'static str, i32, i32)> {
    starts.iter().map(|start| ("1g.5gb", *start, 1)).collect()
}

/// The worst that the bench `worst` has found among the legal states, and a crowd on every slice.
fn worst(criterion: &mut Criterion) {
    let offers = offers("A100-SXM4-40GB");
    let mut all_but_one = in_the_way(&smallest(&[0, 1, 3, 4, 5, 6]));
    all_but_one.extend(standing(&smallest(&[2]), 1));
    let mut held = standing(&smallest(&[1, 2, 3, 4, 5]), 1);
    held.extend(standing(&[("1g.10gb", 6, 2)], 1));
    let crowd = standing(&smallest(&[0, 1, 2, 3, 4, 5, 6]), 48);

    let mut group = criterion.benchmark_group("one GPU");
    let blocked = wanted(&[("1g.10gb", 1), ("1g.5gb", 4), ("1g.5gb+me", 1)]);
    group.bench_function("refused: all but one slice is in the way", |bencher| {
        bencher.iter(|| search(&offers, black_box(&all_but_one), &blocked));
    });
    let too_much = wanted(&[("1g.10gb", 1), ("1g.5gb", 6), ("7g.40gb", 1)]);
    group.bench_function("alternatives to what no GPU can have", |bencher| {
        bencher.iter(|| alternatives(&offers, black_box(&held), &too_much));
    });
    let some = wanted(&[("1g.5gb", 4), ("3g.20gb", 1)]);
    group.bench_function("48 pods on each of seven slices", |bencher| {
        bencher.iter(|| search(&offers, black_box(&crowd), &some));
    });
    group.finish();
}

criterion_group!(benches, nodes, worst);
criterion_main!(benches);
