//! The agent is killed, and another started, at every point of an operation: between any two calls of the driver, before
//! and after the effect of each, between any two things that the journal asks of the disk, and around each write of the
//! `GpuNode`.
//!
//! A point is told by what it leaves on the disk (GPUs, journal, `GpuNode`): two points with the same disk are the same
//! for whoever starts next. The agent is killed for real, by SIGKILL, at the first of each.

mod corrupted;
pub mod enumerate;
mod stranded;

use std::collections::BTreeMap;
use std::io::{self, Write};

use crds::gpu_node::{AgentOperation, AgentStage};
use nvml_sim::state::When;
use nvml_sim::{Client, SimulatedNode};

use super::ordeal::folder::{Folder, Snapshot};
use super::ordeal::gatekeeper::run;
use super::ordeal::outcome::{Layouts, Meanwhile, Outcome};
use super::ordeal::scenario::{A30, Scenario};
use enumerate::{killed_at, points};

/// How many ends of each kind there were.
type Tally = BTreeMap<String, usize>;

/// Something happens to a node whose agent is dead. The devices that are held from then on.
fn happens(meanwhile: Meanwhile, folder: &Folder) -> Vec<String> {
    let node = folder.node();
    let gpu = node.gpus().unwrap().remove(0);
    let instances = gpu.instances.into_iter();
    let mut devices: Vec<_> = instances.flat_map(|it| it.mig_uuids).collect();
    if devices.is_empty() {
        devices.push(gpu.uuid);
    }
    match meanwhile {
        Meanwhile::Nothing => Vec::new(),
        Meanwhile::Holders { first } => {
            // Each by the word of the kubelet alone, or of NVML alone.
            let is_pods = |number: usize| number.is_multiple_of(2) == first;
            let numbered = || devices.iter().cloned().enumerate();
            let pods: Vec<_> = numbered()
                .filter(|it| is_pods(it.0))
                .map(|it| it.1)
                .collect();
            folder.hold(&pods);
            for (pid, (number, device)) in (100..).zip(numbered()) {
                if !is_pods(number) {
                    attach(&node, &device, pid);
                }
            }
            devices
        }
        Meanwhile::Reboot => {
            node.reboot().unwrap();
            Vec::new()
        }
    }
}

/// A process comes to a MIG device, or to the GPU while it has none.
fn attach(node: &SimulatedNode, device: &str, pid: u32) {
    let client = Client {
        pid,
        name: "train".to_owned(),
        memory_mib: 10,
    };
    let come = if device.starts_with("GPU-") {
        node.attach(0, client)
    } else {
        node.attach_mig(device, client)
    };
    come.unwrap();
}

/// Another agent goes on from what a dead one left.
fn go_on(
    scenario: &Scenario,
    layouts: &Layouts,
    left: &Snapshot,
    meanwhile: Meanwhile,
) -> AgentStage {
    let folder = Folder::with(left);
    let held = happens(meanwhile, &folder);
    let mode = folder.node().gpus().unwrap()[0].mig_mode;
    run(&folder);
    let outcome = Outcome {
        layouts,
        folder: &folder,
        meanwhile,
        held: &held,
        mode: mode.unwrap(),
        denied: false,
    };
    let stage = outcome.check();
    let operation = folder.operation();
    let is_fine = match stage {
        AgentStage::Done => true,
        AgentStage::RolledBack => {
            scenario.fault.is_some() || !held.is_empty() || is_worn_out(&operation)
        }
        AgentStage::Failed => {
            let always = scenario.fault.is_some_and(|(_, when)| when == When::Every);
            always || !held.is_empty() || is_worn_out(&operation)
        }
        AgentStage::Refused => !held.is_empty(),
        AgentStage::Ready | AgentStage::Destroying | AgentStage::Creating => false,
    };
    assert!(is_fine, "{meanwhile:?}: {operation:?}");
    stage
}

/// Whether a step was given up because agents died of it again and again.
fn is_worn_out(operation: &AgentOperation) -> bool {
    let error = operation.error.as_ref();
    error.is_some_and(|error| error.contains("the agent has ended 3 times while it was to"))
}

/// Kills the agent at every point, and lets another go on whatever happens meanwhile.
fn dies_everywhere(scenario: &Scenario) {
    let start = scenario.start();
    let points = points(&start.disk);
    let mut tally = Tally::new();
    for (number, point) in points.distinct.iter().enumerate() {
        let left = killed_at(&start.disk, point);
        let first = number.is_multiple_of(2);
        for meanwhile in [
            Meanwhile::Nothing,
            Meanwhile::Holders { first },
            Meanwhile::Reboot,
        ] {
            let stage = go_on(scenario, &start.layouts, &left, meanwhile);
            *tally
                .entry(format!("{} {stage:?}", meanwhile.name()))
                .or_default() += 1;
        }
    }
    say(scenario, points.count, points.distinct.len(), &tally);
}

fn say(scenario: &Scenario, points: usize, kills: usize, tally: &Tally) {
    let name = scenario.name;
    let told = format!(
        "{name}: {points} points, {kills} different on disk, and how it ended from each: {tally:?}"
    );
    writeln!(io::stdout(), "{told}").unwrap();
}

#[test]
fn a_change_that_keeps_an_instance_survives_the_death_of_its_agent() {
    dies_everywhere(&Scenario {
        name: "a change that keeps an instance",
        ours: &[("1g.6gb", 0), ("1g.6gb", 1), ("2g.12gb", 2)],
        target: &[("2g.12gb", 0), ("2g.12gb", 2)],
        ..A30
    });
}

#[test]
fn a_gpu_that_is_cut_for_the_first_time_survives_it() {
    dies_everywhere(&Scenario {
        name: "MIG mode on",
        target: &[("1g.6gb", 0), ("2g.12gb", 2)],
        ..A30
    });
}

#[test]
fn a_gpu_that_becomes_whole_again_survives_it() {
    dies_everywhere(&Scenario {
        name: "MIG mode off",
        ours: &[("2g.12gb", 0)],
        ..A30
    });
}

#[test]
fn instances_of_others_that_are_adopted_survive_it_as_they_are_or_as_ours() {
    dies_everywhere(&Scenario {
        name: "adoption",
        ours: &[("1g.6gb", 0)],
        foreign: &[("1g.6gb", 1, &[1]), ("2g.12gb", 2, &[1, 1])],
        target: &[("2g.12gb", 0), ("2g.12gb", 2)],
        adopt: true,
        ..A30
    });
}

#[test]
fn instances_of_others_beside_the_change_are_as_they_were() {
    dies_everywhere(&Scenario {
        name: "beside others",
        ours: &[("1g.6gb", 0)],
        foreign: &[("2g.12gb", 2, &[1, 1])],
        target: &[("1g.6gb", 1)],
        ..A30
    });
}

#[test]
fn the_way_back_survives_it() {
    dies_everywhere(&Scenario {
        name: "a failure and the way back",
        ours: &[("1g.6gb", 0), ("2g.12gb", 2)],
        target: &[("2g.12gb", 0), ("2g.12gb", 2)],
        fault: Some(("nvmlGpuInstanceCreateComputeInstance", When::Nth(1))),
        ..A30
    });
}

#[test]
#[ignore = "takes minutes: make crash"]
fn an_end_without_a_way_back_survives_it() {
    dies_everywhere(&Scenario {
        name: "no way back",
        ours: &[("1g.6gb", 0)],
        target: &[("2g.12gb", 0)],
        fault: Some(("nvmlGpuInstanceCreateComputeInstance", When::Every)),
        ..A30
    });
}

#[test]
#[ignore = "takes minutes: make crash"]
fn a_whole_a100_that_is_cut_anew_survives_it() {
    dies_everywhere(&Scenario {
        name: "an A100 cut anew",
        product: "A100-SXM4-40GB",
        ours: &[
            ("1g.5gb", 0),
            ("1g.5gb", 1),
            ("1g.5gb", 2),
            ("1g.5gb", 3),
            ("1g.5gb", 4),
            ("1g.5gb", 5),
            ("1g.5gb", 6),
        ],
        target: &[("1g.5gb", 0), ("1g.5gb", 1), ("2g.10gb", 2), ("3g.20gb", 4)],
        ..A30
    });
}
