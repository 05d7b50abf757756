//! Fifty random changes of a GPU's layout, planned by us, and by clearing the GPU and trying every order.
//!
//! Clearing is what NVIDIA's mig-parted does (`pkg/mig/config`): nothing if the numbers are right already; else every
//! instance goes, and the wanted ones are made, the largest first, where the driver puts them; if one finds no room all go
//! again, and the next order is tried. Both work on simulated GPUs under the driver's rules. The seconds are those of the
//! simulated driver's real pace, added up call by call: nobody waits for them.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::{Write, stdout};

use nvml_sim::{InstanceView, Pace, SimulatedNode};
use plan::layout::{Existing, Layout, Occupancy, Step, search};
use products::Mig;

const CHANGES: u64 = 50;

/// What a change has cost.
#[derive(Clone, Copy, Default)]
struct Cost {
    destroyed: u64,
    created: u64,
    evicted: u64,
    millis: u64,
    failed: u64,
}

impl Cost {
    fn add(&mut self, other: Self) {
        self.destroyed += other.destroyed;
        self.created += other.created;
        self.evicted += other.evicted;
        self.millis += other.millis;
        self.failed += other.failed;
    }
}

/// The same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap_or_default()
    }
}

/// One GPU, and how long its driver takes.
struct Gpu {
    node: SimulatedNode,
    millis: BTreeMap<String, u64>,
    cost: Cost,
}

impl Gpu {
    fn takes(&mut self, functions: &[&str]) {
        let millis = functions.iter().filter_map(|it| self.millis.get(*it));
        self.cost.millis += millis.sum::<u64>();
    }

    fn instances(&self) -> Result<Vec<InstanceView>, Box<dyn Error>> {
        Ok(self.node.gpus()?.remove(0).instances)
    }

    fn destroy(&mut self, instance: &InstanceView) -> Result<(), Box<dyn Error>> {
        for device in &instance.mig_uuids {
            self.node.destroy_instance(device)?;
        }
        self.cost.destroyed += 1;
        self.takes(&["nvmlComputeInstanceDestroy", "nvmlGpuInstanceDestroy"]);
        Ok(())
    }

    /// False: there is no room.
    fn create(&mut self, profile: &str, start: Option<u32>) -> bool {
        self.takes(&["nvmlDeviceCreateGpuInstanceWithPlacement"]);
        let is_made = self.node.create_instance(0, profile, start).is_ok();
        if is_made {
            self.cost.created += 1;
            self.takes(&["nvmlGpuInstanceCreateComputeInstance"]);
        }
        is_made
    }

    fn clear(&mut self) -> Result<(), Box<dyn Error>> {
        for instance in self.instances()? {
            self.destroy(&instance)?;
        }
        Ok(())
    }
}

/// Instances put at random where there is room.
fn fill(gpu: &mut Gpu, mig: &Mig, random: &mut Random) {
    for _ in 0..random.below(10) {
        let profile = &mig.profiles[random.below(mig.profiles.len())];
        let start = profile.starts[random.below(profile.starts.len())];
        gpu.create(profile.name, Some(start));
    }
    gpu.cost = Cost::default();
}

fn ours(gpu: &mut Gpu, layout: &Layout) -> Result<(), Box<dyn Error>> {
    gpu.cost.evicted = layout.evicted.len() as u64;
    for step in layout.steps() {
        match step {
            Step::Destroy(at) => {
                let is_there = |it: &InstanceView| it.start.cast_signed() == at.start;
                let instance = gpu.instances()?.into_iter().find(is_there);
                gpu.destroy(&instance.ok_or("an instance that goes is not there")?)?;
            }
            Step::Create(at) => {
                if !gpu.create(&at.profile, Some(at.start.cast_unsigned())) {
                    return Err("the plan does not work".into());
                }
            }
        }
    }
    Ok(())
}

fn clearing(gpu: &mut Gpu, wanted: &[&str], held: &BTreeSet<u32>) -> Result<(), Box<dyn Error>> {
    let mut there: Vec<_> = gpu.instances()?.into_iter().map(|it| it.profile).collect();
    there.sort();
    let mut sorted = wanted.to_vec();
    sorted.sort_unstable();
    if there == sorted {
        return Ok(());
    }
    gpu.cost.evicted = held.len() as u64;
    for order in orders(wanted) {
        gpu.clear()?;
        if order.iter().all(|profile| gpu.create(profile, None)) {
            return Ok(());
        }
    }
    gpu.clear()?;
    gpu.cost.failed = 1;
    Ok(())
}

/// Every order once, that of the list first.
fn orders<'a>(profiles: &[&'a str]) -> Vec<Vec<&'a str>> {
    if profiles.is_empty() {
        return vec![Vec::new()];
    }
    let mut orders = Vec::new();
    for (index, first) in profiles.iter().enumerate() {
        if profiles[..index].contains(first) {
            continue;
        }
        let rest = [&profiles[..index], &profiles[index + 1..]].concat();
        let more = orders_from(first, &rest);
        orders.extend(more);
    }
    orders
}

fn orders_from<'a>(first: &'a str, rest: &[&'a str]) -> Vec<Vec<&'a str>> {
    let with = |rest: Vec<&'a str>| [vec![first], rest].concat();
    orders(rest).into_iter().map(with).collect()
}

/// The GPU of a change as it is before it, in a file of its own.
fn before(
    change: u64,
    product: &str,
    mig: &Mig,
    name: &str,
) -> Result<(tempfile::TempDir, Gpu, Random), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(name);
    let node = SimulatedNode::create(path, Some(change), &[product])?;
    node.set_mig_mode(0, true)?;
    node.set_pace(Pace::Real)?;
    let millis = node.state()?.latency_ms;
    let mut gpu = Gpu {
        node,
        millis,
        cost: Cost::default(),
    };
    let mut random =
        Random(0x9E37_79B9_7F4A_7C15 ^ (change + 1).wrapping_mul(0xD1B5_4A32_D192_ED03));
    fill(&mut gpu, mig, &mut random);
    Ok((folder, gpu, random))
}

/// A change on both ways; none if what is wanted is there already.
fn change(number: u64) -> Result<Option<[Cost; 2]>, Box<dyn Error>> {
    let all = products::ALL
        .iter()
        .filter_map(|it| Some((it.key, it.mig.as_ref()?)));
    let all: Vec<_> = all.collect();
    let (product, mig) = all[usize::try_from(number)? % all.len()];
    let (_ours, mut one, mut random) = before(number, product, mig, "ours.json")?;
    let (_theirs, mut other, _) = before(number, product, mig, "theirs.json")?;
    let there = one.instances()?;
    let held: BTreeSet<_> = there
        .iter()
        .map(|it| it.start)
        .filter(|_| random.below(2) == 0)
        .collect();

    // What is wanted is what some other GPU has.
    let (_wanted, mut model, _) = before(number + 1000, product, mig, "wanted.json")?;
    fill(&mut model, mig, &mut random);
    let mut profiles: Vec<_> = model
        .instances()?
        .into_iter()
        .map(|it| it.profile)
        .collect();
    let size = |name: &str| {
        mig.by_name(name)
            .map(|it| (it.compute_slices, it.memory_mib))
    };
    profiles.sort_by_key(|name| std::cmp::Reverse(size(name)));
    let mut wanted = BTreeMap::new();
    for profile in &profiles {
        *wanted.entry(profile.clone()).or_insert(0) += 1;
    }
    let existing: Vec<_> = there.iter().map(|it| existing(it, &held)).collect();
    let layout = search(&mig.offers(), &existing, &wanted)?;
    if layout.destroyed.is_empty() && layout.created.is_empty() {
        return Ok(None);
    }
    ours(&mut one, &layout)?;
    let profiles: Vec<_> = profiles.iter().map(String::as_str).collect();
    clearing(&mut other, &profiles, &held)?;
    Ok(Some([one.cost, other.cost]))
}

fn existing(instance: &InstanceView, held: &BTreeSet<u32>) -> Existing {
    Existing {
        profile: instance.profile.clone(),
        start: instance.start.cast_signed(),
        size: instance.size.cast_signed(),
        whole: true,
        occupancy: if held.contains(&instance.start) {
            Occupancy::Pods(BTreeSet::from([format!("pod-{}", instance.start)]))
        } else {
            Occupancy::Free
        },
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut sums = [Cost::default(); 2];
    let changes = (0..).map(change).filter_map(Result::transpose);
    for costs in changes.take(usize::try_from(CHANGES)?) {
        for (sum, cost) in sums.iter_mut().zip(costs?) {
            sum.add(cost);
        }
    }
    let mut out = stdout();
    writeln!(
        out,
        "{CHANGES} changes   destroyed  created  pods evicted  seconds  failed"
    )?;
    for (name, sum) in ["ours", "clearing"].iter().zip(&sums) {
        let seconds = sum.millis / 1000;
        let Cost {
            destroyed,
            created,
            evicted,
            failed,
            ..
        } = sum;
        writeln!(
            out,
            "{name:<10} {destroyed:>11} {created:>8} {evicted:>13} {seconds:>8} {failed:>7}"
        )?;
    }
    Ok(())
}
