//! MIG modes that stay pending: the reset of that GPU, and what is left when it does not help.

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::{env, fs, process};

use crds::gpu_node::Target;
use nvml_sim::state::Until;
use nvml_sim::{Client, SimulatedNode};

use super::{A100, Bed, MIXED, MOVES, SMALL, names, on_a_node, stage};
use crate::decide::without_reboot;
use crate::engine::Progress;
use crate::journal::{Record, Stage};

/// Lets a script stand in for `nvidia-smi`.
fn command(node: &SimulatedNode, script: &str) {
    let path: PathBuf = node.path().with_file_name("nvidia-smi");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Lets one stand in that resets simulated GPUs, as [`plays_nvidia_smi`].
fn real_one(node: &SimulatedNode) {
    let program = env::current_exe().unwrap();
    let test = "engine::tests::modes::plays_nvidia_smi";
    let program = program.display();
    let script = format!("RESET_GPU=$3 exec '{program}' --exact {test} --ignored --nocapture");
    command(node, &script);
}

#[test]
#[ignore = "run by the other tests here in the place of nvidia-smi"]
fn plays_nvidia_smi() {
    let asked = env::var("RESET_GPU").unwrap();
    let node = SimulatedNode::open(env::var_os("NVML_SIM_STATE").unwrap()).unwrap();
    let gpus = node.gpus().unwrap();
    let index = gpus.iter().position(|gpu| gpu.uuid == asked).unwrap();
    if node.reset(index).is_err() {
        let refused = format!("GPU {asked} is currently in use by another process.");
        writeln!(io::stdout(), "{refused}").unwrap();
        process::exit(255);
    }
}

/// (current, pending) of the first GPU, as the driver has it.
fn mode(node: &SimulatedNode) -> (bool, bool) {
    let mode = node.state().unwrap().gpus[0].mig_mode.unwrap();
    (mode.current, mode.pending)
}

fn rolled_back(record: &Record) -> &str {
    match stage(record) {
        Stage::RolledBack { error } => error,
        other => panic!("{other:?}"),
    }
}

fn mixed(bed: &Bed<'_>) -> Target {
    bed.target(&MIXED)
}

#[test]
fn a_mode_that_stays_pending_is_brought_about_by_a_reset_of_that_gpu() {
    on_a_node(&["A100-SXM4-40GB", "A100-SXM4-40GB"], async |node| {
        let bed = Bed { node };
        real_one(node);
        node.set_mig_mode(1, true).unwrap();
        node.create_instance(1, "3g.20gb", Some(4)).unwrap();
        let other = node.gpus().unwrap()[1].clone();
        node.stick_mode(0, Until::Reset).unwrap();
        let record = bed.operate(&mixed(&bed)).await;
        assert_eq!(*stage(&record), Stage::Done);
        assert_eq!(bed.slices(), names(&MIXED));
        let record = bed.operate(&bed.target(&[])).await;
        assert_eq!(*stage(&record), Stage::Done);
        assert_eq!(mode(node), (false, false));
        assert_eq!(node.gpus().unwrap()[1], other);
    });
}

#[test]
fn an_agent_that_dies_all_the_time_brings_a_pending_mode_about_or_takes_it_back() {
    on_a_node(A100, async |node| {
        let bed = Bed { node };
        real_one(node);
        node.stick_mode(0, Until::Reset).unwrap();
        for dies_at in 1..6 {
            let mut engine = bed.engine();
            bed.begin(&mut engine, &mixed(&bed)).await;
            let mut moves = 0;
            let dies = || {
                moves += 1;
                moves == dies_at
            };
            let record = bed.finish(engine, dies).await;
            assert_eq!(*stage(&record), Stage::Done, "{dies_at}");
            let record = bed.operate(&bed.target(&[])).await;
            assert_eq!(*stage(&record), Stage::Done, "{dies_at}");
        }
    });
}

#[test]
fn a_mode_that_a_reset_does_not_bring_about_is_taken_back_and_not_tried_again_before_a_reboot() {
    on_a_node(A100, async |node| {
        let bed = Bed { node };
        for script in [
            "exit 0",
            "echo Resetting GPU $3 is not supported.; exit 255",
        ] {
            command(node, script);
            node.stick_mode(0, Until::Reboot).unwrap();
            let target = mixed(&bed);
            let record = bed.operate(&target).await;
            let error = rolled_back(&record);
            assert!(
                error.starts_with("RebootRequired: MIG mode of GPU 0"),
                "{error}"
            );
            assert_eq!(mode(node), (false, false), "{script}");
            let engine = bed.engine();
            let seen = bed.look(&engine).await;
            let refused = without_reboot(&seen.gpus, &target, &seen.needs_reboot);
            assert_eq!(refused, Err(error.to_owned()));
            drop(engine);
            node.reboot().unwrap();
            let engine = bed.engine();
            let seen = bed.look(&engine).await;
            assert_eq!(seen.needs_reboot, [], "{script}");
            drop(engine);
            // It is not stuck any more.
            let record = bed.operate(&target).await;
            assert_eq!(*stage(&record), Stage::Done, "{script}");
            assert_eq!(record.needs_reboot, []);
            bed.operate(&bed.target(&[])).await;
        }
    });
}

#[test]
fn a_reset_that_fails_is_told_in_the_command_s_words_and_tried_again_by_the_next_operation() {
    on_a_node(A100, async |node| {
        let bed = Bed { node };
        node.stick_mode(0, Until::Reset).unwrap();
        command(node, "echo GPU is in use by nvidia-persistenced; exit 255");
        let record = bed.operate(&mixed(&bed)).await;
        let error = rolled_back(&record);
        assert!(
            error.contains("in use by nvidia-persistenced") && !error.contains("RebootRequired"),
            "{error}"
        );
        assert_eq!((mode(node), record.needs_reboot), ((false, false), vec![]));
        real_one(node);
        assert_eq!(*stage(&bed.operate(&mixed(&bed)).await), Stage::Done);
    });
}

#[test]
fn a_gpu_that_somebody_holds_is_not_reset_and_he_is_named() {
    on_a_node(A100, async |node| {
        let bed = Bed { node };
        command(node, "echo must not run >&2; exit 99");
        let mut engine = bed.engine();
        bed.begin(&mut engine, &bed.target(&SMALL)).await;
        let seen = bed.look(&engine).await;
        // Between the look and the step.
        let client = Client {
            pid: 7,
            name: "train".to_owned(),
            memory_mib: 100,
        };
        node.attach(0, client).unwrap();
        assert_eq!(engine.advance(&seen).await.unwrap(), Progress::Stepped);
        assert_eq!(mode(node), (false, true));
        let record = bed.finish(engine, || false).await;
        let error = rolled_back(&record);
        assert!(
            error.contains("process 7 of no pod runs on GPU-"),
            "{error}"
        );
        assert_eq!(mode(node), (false, false));
    });
}

#[test]
fn a_mode_of_hopper_that_a_reboot_took_away_comes_back_with_the_layout() {
    on_a_node(&["H100-SXM5-80GB"], async |node| {
        let bed = Bed { node };
        let halves = [("3g.40gb", 0), ("3g.40gb", 4)];
        bed.operate(&bed.target(&halves)).await;
        node.reboot().unwrap();
        assert_eq!(mode(node), (false, false));
        let mut engine = bed.engine();
        for _ in 0..MOVES {
            let seen = bed.look(&engine).await;
            if engine.recover(&seen).await.unwrap() == Progress::Over {
                break;
            }
        }
        assert_eq!((mode(node), bed.slices()), ((true, true), names(&halves)));
    });
}
