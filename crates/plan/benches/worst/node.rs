//! Nodes whose pods are on several GPUs, made at random.

use std::collections::BTreeSet;
use std::hint::black_box;

use crds::GpuSharingPolicy;
use crds::gpu_node::{GpuStatus, Holder, MigInstance, MigMode, MigModeStatus};
use plan::resolve::goal;
use products::Mig;
use serde_json::{Value, json};

use crate::{Worst, say};

const PRODUCT: &str = "A100-SXM4-40GB";
const NODES: u64 = 4_000;

/// What the policies of some nodes are like.
struct Series {
    words: &'static str,
    /// So many overrides at most, each for fewer GPUs than this.
    overrides: usize,
    count: usize,
    /// So many of the layouts.
    layouts: usize,
}

const SERIES: [Series; 2] = [
    Series {
        words: "one override at most",
        overrides: 1,
        count: 8,
        layouts: 6,
    },
    Series {
        words: "eight overrides at most",
        overrides: 8,
        count: 4,
        layouts: 9,
    },
];

/// A node as numbers.
#[derive(Clone, Debug)]
struct Case {
    gpus: Vec<GpuStatus>,
    policy: GpuSharingPolicy,
    protected: BTreeSet<String>,
    words: String,
}

/// The next of a series of numbers that look random, below `most`: the mix of `SplitMix64`.
fn next(state: &mut u64, most: usize) -> usize {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    usize::try_from((mixed ^ (mixed >> 31)) % most as u64).unwrap_or_default()
}

fn layouts() -> [Value; 9] {
    [
        json!({"3g.20gb": 1, "2g.10gb": 1, "1g.5gb": 2}),
        json!({"3g.20gb": 2}),
        json!({"2g.10gb": 1, "1g.5gb": 5}),
        json!({"2g.10gb": 2, "1g.5gb": 3}),
        json!({"1g.10gb": 1, "1g.5gb": 5}),
        json!({"4g.20gb": 1, "1g.5gb": 3}),
        json!({"1g.5gb": 4}),
        json!({"1g.5gb": 6}),
        json!({"1g.10gb": 3}),
    ]
}

/// Eight GPUs in seven slices each, and pods of `spread` slices that lie anywhere.
#[expect(clippy::expect_used, reason = "the text is right here")]
fn case(seed: u64, series: &Series) -> Case {
    let mut state = seed;
    let pods = 4 + next(&mut state, 28);
    let spread = 2 + next(&mut state, 7);
    let mut gpus: Vec<_> = (0..8).map(gpu).collect();
    for slice in 0..pods * spread {
        let (index, start) = (next(&mut state, 8), next(&mut state, 7));
        let device = format!("MIG-{index}-{start}");
        let gpu = &mut gpus[index];
        if gpu.holders.iter().all(|it| it.device != device) {
            gpu.holders.push(Holder {
                namespace: "ml".to_owned(),
                pod: format!("job-{}", slice / spread),
                container: "main".to_owned(),
                device,
                resource: String::new(),
            });
        }
    }
    let strategy = |state: &mut u64| {
        let layout = &layouts()[next(state, series.layouts)];
        json!({"type": "MIG", "mig": {"layout": layout}})
    };
    let mut spec = json!({"strategy": strategy(&mut state)});
    let mut overrides = Vec::new();
    for _ in 0..series.overrides {
        let count = next(&mut state, series.count);
        if count > 0 {
            overrides.push(json!({"gpus": {"count": count}, "strategy": strategy(&mut state)}));
        }
    }
    spec["overrides"] = json!(overrides);
    let protected = (0..next(&mut state, 4)).map(|pod| format!("ml/job-{pod}"));
    Case {
        gpus,
        protected: protected.collect(),
        words: format!("seed {seed}: {pods} pods on {spread} slices each, {spec}"),
        policy: GpuSharingPolicy::new("p", serde_json::from_value(spec).expect("a spec")),
    }
}

fn gpu(index: i32) -> GpuStatus {
    let instance = |start| MigInstance {
        profile: "1g.5gb".to_owned(),
        start,
        size: 1,
        uuid: Some(format!("MIG-{index}-{start}")),
        parts: Vec::new(),
        owned: true,
    };
    let mig = products::find(PRODUCT).and_then(|found| found.mig.as_ref());
    GpuStatus {
        index,
        uuid: format!("GPU-{index}"),
        product: PRODUCT.to_owned(),
        memory_mib: 40960,
        compute_capability: None,
        mig: MigModeStatus {
            current: MigMode::Enabled,
            pending: MigMode::Enabled,
        },
        instances: (0..7).map(instance).collect(),
        profiles: mig.map(Mig::offers).unwrap_or_default(),
        compute_mode: None,
        holders: Vec::new(),
        processes: Vec::new(),
    }
}

fn plan(case: &Case) {
    let _ = black_box(goal(&case.policy, &case.gpus, &case.protected));
}

/// Prints the nodes that take the longest.
pub fn worst() {
    for series in &SERIES {
        let mut worst = Worst::new();
        for seed in 0..NODES {
            worst.look(&case(seed, series), plan);
        }
        let words = series.words;
        say(format_args!("a node of 8 GPUs, {NODES} of them, {words}:"));
        for (took, case) in worst.settle(plan) {
            let took = took.as_secs_f64() * 1e6;
            say(format_args!("  {took:.0} µs: {}", case.words));
        }
    }
}
