//! An agent that dies again and again.
//!
//! From every disk that a dead agent may leave, another is started and may die at every point: until no new disk turns
//! up. From each of them, an agent that nobody kills comes to a good end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nvml_sim::state::When;
use serde_json::Value;

use super::enumerate::points;
use super::{go_on, say};
use crate::agent::tests::ordeal::folder::Snapshot;
use crate::agent::tests::ordeal::outcome::Meanwhile;
use crate::agent::tests::ordeal::scenario::{A30, Scenario};

/// What the next agent can tell of a disk: no times of day, and no unfinished journal, which it overwrites.
fn essence(disk: &Snapshot) -> Snapshot {
    let unfinished = Path::new("journal/journal.json.new");
    let files = disk.iter().filter(|(path, _)| *path != unfinished);
    let files = files.map(|(path, bytes)| {
        let dated = path == Path::new("gpu-node.json");
        let bytes = if dated {
            timeless(bytes)
        } else {
            bytes.clone()
        };
        (path.clone(), bytes)
    });
    files.collect::<BTreeMap<PathBuf, _>>()
}

fn timeless(bytes: &[u8]) -> Vec<u8> {
    let mut object: Value = serde_json::from_slice(bytes).unwrap();
    strip(&mut object);
    serde_json::to_vec(&object).unwrap()
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for name in ["beat", "lastTransitionTime", "resourceVersion"] {
                fields.remove(name);
            }
            fields.values_mut().for_each(strip);
        }
        Value::Array(entries) => entries.iter_mut().for_each(strip),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Lets agents die until no new disk turns up.
fn dies_again_and_again(scenario: &Scenario) {
    let start = scenario.start();
    let mut known = vec![essence(&start.disk)];
    let mut left = vec![start.disk.clone()];
    let (mut runs, mut count, mut tally) = (0, 0, super::Tally::new());
    while let Some(disk) = left.pop() {
        let points = points(&disk);
        (runs, count) = (runs + 1, count + points.count);
        for point in points.distinct {
            let essence = essence(&point.disk);
            if !known.contains(&essence) {
                known.push(essence);
                left.push(point.disk);
            }
        }
        let stage = go_on(scenario, &start.layouts, &disk, Meanwhile::Nothing);
        *tally.entry(format!("{stage:?}")).or_default() += 1;
    }
    assert_eq!(runs, known.len());
    say(scenario, count, runs, &tally);
}

#[test]
fn an_agent_that_dies_any_number_of_times_comes_to_a_good_end() {
    dies_again_and_again(&Scenario {
        name: "any number of deaths while MIG mode goes off",
        ours: &[("4g.24gb", 0)],
        ..A30
    });
}

#[test]
#[ignore = "takes minutes: make crash"]
fn an_agent_that_dies_any_number_of_times_while_one_goes_and_another_comes() {
    dies_again_and_again(&Scenario {
        name: "any number of deaths while one goes and another comes",
        ours: &[("1g.6gb", 0)],
        target: &[("2g.12gb", 0)],
        ..A30
    });
}

#[test]
#[ignore = "takes minutes: make crash"]
fn an_agent_that_dies_any_number_of_times_on_the_way_back_too() {
    dies_again_and_again(&Scenario {
        name: "any number of deaths on the way back",
        ours: &[("1g.6gb", 0)],
        target: &[("2g.12gb", 0)],
        fault: Some(("nvmlGpuInstanceCreateComputeInstance", When::Nth(1))),
        ..A30
    });
}
