//! Every value counts.

use crds::gpu_node::{ComputeMode, GpuStatus, MigMode};

use super::{Inventory, differences};

const INVENTORY: &str = r#"{
  "driverVersion": "580.95.05",
  "gpus": [{
    "index": 0, "uuid": "GPU-1", "product": "NVIDIA A100-SXM4-40GB", "memoryMiB": 40960,
    "computeCapability": "8.0", "computeMode": "Default",
    "mig": {"current": "Enabled", "pending": "Enabled"},
    "instances": [{"profile": "3g.20gb", "start": 4, "size": 4, "uuid": "MIG-1", "owned": false}],
    "profiles": [
      {"name": "2g.10gb", "id": 14, "slices": 2, "max": 3, "memoryMiB": 9856,
       "placements": [{"start": 0, "size": 2}, {"start": 2, "size": 2}]},
      {"name": "3g.20gb", "id": 9, "slices": 3, "max": 2, "memoryMiB": 19968,
       "placements": [{"start": 0, "size": 4}, {"start": 4, "size": 4}]}
    ],
    "processes": [{"pid": 7, "device": "MIG-1"}]
  }]
}"#;

fn inventory() -> Inventory {
    Inventory::parse("test", INVENTORY).unwrap()
}

/// The places of the differences after a change of what the other program says.
fn after(change: impl FnOnce(&mut GpuStatus)) -> Vec<String> {
    let mut other = inventory();
    change(&mut other.gpus[0]);
    let found = differences(&inventory(), &other).differences;
    found
        .into_iter()
        .map(|difference| difference.place)
        .collect()
}

#[test]
fn a_change_of_any_value_is_a_difference() {
    type Change = fn(&mut GpuStatus);
    let table: [(&str, Change); 21] = [
        ("index", |gpu| gpu.index = 1),
        ("uuid", |gpu| gpu.uuid.push('2')),
        ("product", |gpu| gpu.product.push('2')),
        ("memoryMiB", |gpu| gpu.memory_mib += 1),
        ("computeCapability", |gpu| gpu.compute_capability = None),
        ("computeMode", |gpu| {
            gpu.compute_mode = Some(ComputeMode::ExclusiveProcess);
        }),
        ("mig.pending", |gpu| gpu.mig.pending = MigMode::Disabled),
        ("instances", |gpu| gpu.instances.clear()),
        ("instances[0].profile", |gpu| {
            gpu.instances[0].profile.push('+');
        }),
        ("instances[0].start", |gpu| gpu.instances[0].start = 0),
        ("instances[0].size", |gpu| gpu.instances[0].size = 2),
        ("instances[0].uuid", |gpu| gpu.instances[0].uuid = None),
        ("instances[0].owned", |gpu| gpu.instances[0].owned = true),
        // In the order of their ids.
        ("profiles[0].name", |gpu| gpu.profiles[1].name.push('+')),
        ("profiles[0].slices", |gpu| gpu.profiles[1].slices = 4),
        ("profiles[1].max", |gpu| gpu.profiles[0].max = 4),
        ("profiles[1].memoryMiB", |gpu| {
            gpu.profiles[0].memory_mib += 6;
        }),
        ("profiles[1].placements[1].start", |gpu| {
            gpu.profiles[0].placements[1].start = 4;
        }),
        ("profiles[1].placements[1]", |gpu| {
            gpu.profiles[0].placements.truncate(1);
        }),
        ("processes[0].pid", |gpu| gpu.processes[0].pid = 8),
        ("processes[0].device", |gpu| {
            gpu.processes[0].device.push('2');
        }),
    ];
    assert_eq!(after(|_| ()), [""; 0]);
    for (place, change) in table {
        assert_eq!(after(change), [format!("gpus[0].{place}")]);
    }
}

#[test]
fn a_gpu_that_one_of_them_does_not_see_is_a_difference() {
    let (agent, mut other) = (inventory(), inventory());
    other.gpus.clear();
    let places = |a, b| differences(a, b).differences.len();
    assert_eq!(places(&agent, &other), 1);
    assert_eq!(places(&other, &agent), 1);
}

#[test]
fn lists_are_compared_in_one_order() {
    assert_eq!(after(|gpu| gpu.profiles.reverse()), [""; 0]);
}

#[test]
fn a_profile_that_the_other_does_not_list_is_told_and_no_difference() {
    let (agent, mut other) = (inventory(), inventory());
    other.gpus[0].profiles.remove(0);
    let found = differences(&agent, &other);
    assert_eq!(found.differences, []);
    assert_eq!(found.unlisted, [(0, "2g.10gb".to_owned())]);
    // The other way round the agent lacks something.
    assert_eq!(differences(&other, &agent).differences.len(), 1);
}

#[test]
fn the_counts_of_an_a30_are_corrected_downwards_and_no_others() {
    let counted = |product: &str, max| {
        let (mut agent, mut other) = (inventory(), inventory());
        product.clone_into(&mut agent.gpus[0].product);
        product.clone_into(&mut other.gpus[0].product);
        other.gpus[0].profiles[0].max = max;
        let found = differences(&agent, &other);
        (found.differences.len(), found.corrected.len())
    };
    assert_eq!(counted("NVIDIA A30", 4), (0, 1));
    assert_eq!(counted("NVIDIA A30", 2), (1, 0));
    assert_eq!(counted("NVIDIA A100-SXM4-40GB", 4), (1, 0));
}

#[test]
fn a_difference_says_who_says_what() {
    let mut other = inventory();
    other.gpus[0].profiles[0].max = 4;
    let found = &differences(&inventory(), &other).differences[0];
    let expected = "gpus[0].profiles[1].max: the agent says 3, the other 4";
    assert_eq!(found.to_string(), expected);
}
