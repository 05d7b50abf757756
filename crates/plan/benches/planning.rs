//! How long planning takes: the search for the placements of an 8-GPU node, of 1,000 such nodes, and of the worst GPU.

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;

use crds::gpu_node::{
    GpuStatus, GpuTarget, Holder, MigInstance, MigMode, MigModeStatus, MigTarget, ProfileOffer,
    SharingTarget, Target,
};
use crds::policy::StrategyType;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use plan::change::{Change, between};
use plan::layout::{Existing, Occupancy, existing, search};
use products::Mig;

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

/// Everything that planning a node's slices takes: occupants, placements, and what differs then.
fn plan(gpus: &[GpuStatus], wanted: &BTreeMap<String, i32>) -> Change {
    let target = |gpu: &GpuStatus| GpuTarget {
        uuid: gpu.uuid.clone(),
        index: gpu.index,
        mig: MigTarget {
            enabled: true,
            instances: search(&gpu.profiles, &existing(gpu, false), wanted)
                .map(|layout| layout.instances)
                .unwrap_or_default(),
        },
        sharing: SharingTarget {
            r#type: StrategyType::Mig,
            replicas: 1,
        },
    };
    let target = Target {
        gpus: gpus.iter().map(target).collect(),
        ..Target::default()
    };
    between(gpus, &target)
}

fn nodes(criterion: &mut Criterion) {
    let goals = [
        (
            "reshape",
            wanted(&[("3g.20gb", 1), ("2g.10gb", 1), ("1g.5gb", 2)]),
        ),
        ("as it is", wanted(&[("1g.5gb", 7)])),
    ];
    let fleet: Vec<_> = (0..1_000).map(node).collect();
    for (name, wanted) in &goals {
        criterion.bench_function(&format!("one node of 8 GPUs, {name}"), |bencher| {
            bencher.iter(|| plan(black_box(&fleet[0]), wanted));
        });
        criterion.bench_function(&format!("1,000 nodes of 8 GPUs, {name}"), |bencher| {
            let each = || black_box(&fleet).iter().map(|gpus| plan(gpus, wanted));
            bencher.iter(|| each().filter(|change| !change.gpus.is_empty()).count());
        });
    }
}

/// Seven slices, each with as many pods as may share it, all of which could stay.
fn crowd(unmovable: bool) -> Vec<Existing> {
    let pods = |start: i32| (0..48).map(move |pod| format!("ml/worker-{start}-{pod}"));
    let occupancy = |start| match (unmovable, start) {
        (true, 6) => Occupancy::Unmovable("made by somebody else".to_owned()),
        _ => Occupancy::Pods(pods(start).collect::<BTreeSet<_>>()),
    };
    let instance = |start| Existing {
        profile: "1g.5gb".to_owned(),
        start,
        size: 1,
        whole: true,
        occupancy: occupancy(start),
    };
    (0..7).map(instance).collect()
}

fn worst(criterion: &mut Criterion) {
    let offers = offers("A100-SXM4-40GB");
    let cases = [
        (
            "every choice fails, nothing fits",
            wanted(&[("3g.20gb", 2), ("1g.5gb", 1)]),
            false,
        ),
        (
            "every choice fails, one is in the way",
            wanted(&[("1g.5gb", 3), ("1g.10gb", 2)]),
            true,
        ),
        (
            "48 pods on each slice",
            wanted(&[("1g.5gb", 4), ("3g.20gb", 1)]),
            false,
        ),
        (
            "most placements",
            wanted(&[("1g.5gb", 3), ("1g.10gb", 1), ("1g.5gb+me", 1)]),
            false,
        ),
    ];
    let mut group = criterion.benchmark_group("one GPU");
    for (name, wanted, unmovable) in &cases {
        let existing = crowd(*unmovable);
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| search(&offers, black_box(&existing), wanted));
        });
    }
    group.finish();
}

criterion_group!(benches, nodes, worst);
criterion_main!(benches);
