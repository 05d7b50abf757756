//! From each strategy to each other on a GPU that is full of pods: what changes, and how many of them have to leave.

use std::collections::BTreeSet;

use crds::gpu_node::{ChangeClass, GpuStatus, GpuTarget, Holder, MigInstance, MigMode};
use serde_json::{Value, json};

use super::super::{Goal, goal};
use super::{a100, policy};

const STRATEGIES: [&str; 5] = ["Exclusive", "TimeSlicing", "MPS", "MIG", "hybrid"];

fn strategy(name: &str) -> Value {
    let layout = json!({"3g.20gb": 1, "1g.5gb": 2});
    match name {
        "Exclusive" => json!({"type": "Exclusive"}),
        "TimeSlicing" => json!({"type": "TimeSlicing", "timeSlicing": {"replicas": 2}}),
        "MPS" => json!({"type": "MPS", "mps": {"replicas": 2}}),
        "MIG" => json!({"type": "MIG", "mig": {"layout": layout}}),
        _ => json!({"type": "MIG", "mig": {"layout": layout, "timeSlicing": {"replicas": 2}}}),
    }
}

fn reach(name: &str, gpu: &GpuStatus) -> Goal {
    let policy = policy(json!({"strategy": strategy(name)}));
    goal(&policy, std::slice::from_ref(gpu), &BTreeSet::new()).unwrap()
}

/// An A100 as its target says, and as many pods on each of its devices as may share it.
fn full(name: &str) -> GpuStatus {
    let target = reach(name, &a100(0, &[])).target.gpus.remove(0);
    let mut gpu = a100(0, &[]);
    gpu.mps = target.through_mps().cloned();
    if !target.mig.enabled {
        gpu.mig.current = MigMode::Disabled;
        gpu.mig.pending = MigMode::Disabled;
    }
    gpu.instances = target.mig.instances.iter().map(slice).collect();
    gpu.holders = holders(&gpu, &target);
    gpu
}

fn slice(placed: &crds::gpu_node::PlacedProfile) -> MigInstance {
    MigInstance {
        profile: placed.profile.clone(),
        start: placed.start,
        size: if placed.profile == "3g.20gb" { 4 } else { 1 },
        uuid: Some(format!("MIG-0-{}", placed.start)),
        parts: Vec::new(),
        owned: true,
    }
}

fn holders(gpu: &GpuStatus, target: &GpuTarget) -> Vec<Holder> {
    let slices = gpu.instances.iter().map(|slice| {
        let resource = format!("nvidia.com/mig-{}", slice.profile);
        (slice.uuid.clone().unwrap(), resource)
    });
    let whole = (!target.mig.enabled).then(|| (gpu.uuid.clone(), "nvidia.com/gpu".to_owned()));
    let devices = slices.chain(whole);
    let pods = devices.flat_map(|(device, resource)| {
        (0..target.sharing.replicas).map(move |number| Holder {
            namespace: "a".to_owned(),
            pod: format!("{device}-{number}"),
            container: "main".to_owned(),
            device: device.clone(),
            resource: resource.clone(),
        })
    });
    pods.collect()
}

/// The class of the change, and how many of how many pods leave for it.
fn change(from: &str, to: &str) -> String {
    let gpu = full(from);
    let goal = reach(to, &gpu);
    let class = match goal.change.class {
        ChangeClass::None if goal.target != reach(from, &gpu).target => ChangeClass::ConfigOnly,
        class => class,
    };
    let leaves = |it: &&Holder| goal.change.affected.contains(&it.device);
    let leaving = gpu.holders.iter().filter(leaves).count();
    format!("{class:?} {leaving}/{}", gpu.holders.len())
}

#[test]
fn each_change_of_strategy_has_its_class_and_sends_away_whom_it_must() {
    let mut table = vec![format!("{:<11} {}", "", row(STRATEGIES))];
    for from in STRATEGIES {
        let changes = STRATEGIES.map(|to| change(from, to));
        table.push(format!("{from:<11} {}", row(changes)));
    }
    let lines = table.iter().map(|line| line.trim_end());
    let table = lines.collect::<Vec<_>>().join("\n");
    let expected = "            \
            Exclusive      TimeSlicing    MPS            MIG            hybrid
Exclusive   None 0/1       ConfigOnly 0/1 Gpus 1/1       Gpus 1/1       Gpus 1/1
TimeSlicing Gpus 2/2       None 0/2       Gpus 2/2       Gpus 2/2       Gpus 2/2
MPS         Gpus 2/2       Gpus 2/2       None 0/2       Gpus 2/2       Gpus 2/2
MIG         Gpus 3/3       Gpus 3/3       Gpus 3/3       None 0/3       ConfigOnly 0/3
hybrid      Gpus 6/6       Gpus 6/6       Gpus 6/6       Gpus 6/6       None 0/6";
    assert_eq!(table, expected, "\n{table}");
}

fn row(cells: [impl std::fmt::Display; 5]) -> String {
    cells.map(|cell| format!("{cell:<14}")).join(" ")
}
