//! Nodes of eight GPUs in seven slices each, whose pods are on several of them: made at random, and made anew a little
//! differently.

use std::collections::BTreeSet;
use std::fmt;

use crds::GpuSharingPolicy;
use crds::gpu_node::{GpuStatus, Holder, MigInstance, MigMode, MigModeStatus};
use products::Mig;
use serde_json::{Value, json};

const PRODUCT: &str = "A100-SXM4-40GB";
const GPUS: usize = 8;
const SLICES: usize = 7;
/// How many layouts there are.
pub const LAYOUTS: usize = 25;
/// The most pods there are to be.
const PODS: usize = 34;
/// The most pods that must not be evicted.
const PROTECTED: usize = 6;

/// What the policies of some nodes are like.
pub struct Series {
    pub words: &'static str,
    /// So many overrides at most, each for fewer GPUs than this.
    pub overrides: usize,
    pub count: usize,
    /// So many of the layouts.
    pub layouts: usize,
}

/// A node as numbers.
#[derive(Clone)]
pub struct Node {
    /// The pod on each slice.
    pods: [[Option<usize>; SLICES]; GPUS],
    /// The layout that GPUs get of which no override says anything.
    layout: usize,
    /// For so many GPUs each another layout.
    overrides: Vec<(usize, usize)>,
    /// So many pods must not be evicted.
    protected: usize,
}

/// A node as it is planned.
pub struct Case {
    pub gpus: Vec<GpuStatus>,
    pub policy: GpuSharingPolicy,
    pub protected: BTreeSet<String>,
}

impl Node {
    /// Pods of some slices each that lie anywhere.
    pub fn random(seed: u64, series: &Series) -> Self {
        let mut state = seed;
        let number = 4 + next(&mut state, 28);
        let spread = 2 + next(&mut state, 7);
        let mut pods = [[None; SLICES]; GPUS];
        for slice in 0..number * spread {
            let (gpu, start) = (next(&mut state, GPUS), next(&mut state, SLICES));
            pods[gpu][start].get_or_insert(slice / spread);
        }
        let layout = next(&mut state, series.layouts);
        let mut overrides = Vec::new();
        for _ in 0..series.overrides {
            let count = next(&mut state, series.count);
            if count > 0 {
                overrides.push((count, next(&mut state, series.layouts)));
            }
        }
        let protected = next(&mut state, 4);
        Self {
            pods,
            layout,
            overrides,
            protected,
        }
    }

    /// The same with one thing changed, or a few.
    pub fn changed(&self, state: &mut u64) -> Self {
        let mut changed = self.clone();
        for _ in 0..=next(state, 3) {
            changed.change(state);
        }
        changed
    }

    fn change(&mut self, state: &mut u64) {
        let number = self.overrides.len();
        match next(state, 8) {
            0 => self.layout = next(state, LAYOUTS),
            1 => self.protected = next(state, PROTECTED),
            2 if number > 0 => self.overrides[next(state, number)].1 = next(state, LAYOUTS),
            3 if number > 1 => {
                let (from, to) = (next(state, number), next(state, number));
                self.overrides[from].0 -= 1;
                self.overrides[to].0 += 1;
                self.overrides.retain(|(count, _)| *count > 0);
            }
            4 if number < GPUS => self.overrides.push((1, next(state, LAYOUTS))),
            _ => {
                let pod = (next(state, 8) > 0).then(|| next(state, PODS));
                self.pods[next(state, GPUS)][next(state, SLICES)] = pod;
            }
        }
    }

    fn spec(&self) -> Value {
        let layouts = layouts();
        let strategy = |layout: usize| json!({"type": "MIG", "mig": {"layout": layouts[layout]}});
        let overrides = self.overrides.iter();
        let overrides = overrides.map(
            |&(count, layout)| json!({"gpus": {"count": count}, "strategy": strategy(layout)}),
        );
        json!({"strategy": strategy(self.layout), "overrides": overrides.collect::<Vec<_>>()})
    }

    #[expect(clippy::expect_used, reason = "the text is right here")]
    pub fn case(&self) -> Case {
        let mut gpus: Vec<_> = (0..).map(gpu).take(GPUS).collect();
        for (gpu, slices) in gpus.iter_mut().zip(&self.pods) {
            let held = slices.iter().enumerate();
            let holder = |(start, pod): (usize, &Option<usize>)| {
                Some(Holder {
                    namespace: "ml".to_owned(),
                    pod: format!("job-{}", (*pod)?),
                    container: "main".to_owned(),
                    device: format!("MIG-{}-{start}", gpu.index),
                    resource: String::new(),
                })
            };
            gpu.holders = held.filter_map(holder).collect();
        }
        let spec = serde_json::from_value(self.spec()).expect("a spec");
        Case {
            gpus,
            policy: GpuSharingPolicy::new("p", spec),
            protected: (0..self.protected)
                .map(|pod| format!("ml/job-{pod}"))
                .collect(),
        }
    }
}

/// The policy, and on each GPU the pod of each slice.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, pods", self.spec())?;
        for gpu in &self.pods {
            let pods = gpu.map(|pod| pod.map_or_else(|| "-".to_owned(), |pod| pod.to_string()));
            write!(f, " {}", pods.join(","))?;
        }
        write!(f, ", {} protected", self.protected)
    }
}

/// The next of a series of numbers that look random, below `most`: the mix of `SplitMix64`.
pub fn next(state: &mut u64, most: usize) -> usize {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    usize::try_from((mixed ^ (mixed >> 31)) % most as u64).unwrap_or_default()
}

/// The layouts that parts of policies may want; those of a series are the first of them.
fn layouts() -> [Value; LAYOUTS] {
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
        json!({"1g.5gb+me": 1, "1g.5gb": 5}),
        json!({"2g.10gb": 1, "1g.5gb+me": 1, "1g.5gb": 3}),
        json!({"1g.10gb": 1, "1g.5gb+me": 1, "1g.5gb": 4}),
        json!({"2g.10gb": 1, "1g.5gb+me": 1, "1g.5gb": 2}),
        json!({"1g.5gb+me": 1, "1g.5gb": 6}),
        json!({"1g.5gb+me": 1, "1g.5gb": 4}),
        json!({"1g.5gb+me": 1, "1g.5gb": 3}),
        json!({"1g.5gb+me": 1, "1g.5gb": 2}),
        json!({"3g.20gb": 1, "1g.5gb+me": 1, "1g.5gb": 2}),
        json!({"2g.10gb": 1, "1g.10gb": 1, "1g.5gb+me": 1, "1g.5gb": 2}),
        json!({"2g.10gb": 1, "1g.10gb": 1, "1g.5gb": 3}),
        json!({"1g.10gb": 2, "1g.5gb": 3}),
        json!({"2g.10gb": 1, "1g.5gb": 4}),
        json!({"1g.10gb": 1, "1g.5gb": 4}),
        json!({"1g.5gb": 5}),
        json!({"1g.5gb": 3}),
    ]
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
        mps: None,
        holders: Vec::new(),
        processes: Vec::new(),
    }
}
