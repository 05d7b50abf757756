//! The reset of one GPU by NVIDIA's command, for which a script stands in.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, process};

use crds::gpu_node::MigMode;
use gpu::{Driver, Error, Nvml, ResetCommand};
use nvml_sim::state::Until;
use nvml_sim::{Client, SimulatedNode};

use crate::own_process::{LOG, load, on_a_node};
use crate::{A100, first};

/// A command that does this, in the language of the shell. Its third argument is the GPU.
fn command(node: &SimulatedNode, script: &str) -> ResetCommand {
    let path: PathBuf = node.path().with_file_name("nvidia-smi");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    ResetCommand::new(path)
}

/// A command that resets the simulated GPU, as [`plays_nvidia_smi`].
fn real_one(node: &SimulatedNode) -> ResetCommand {
    let program = env::current_exe().unwrap();
    let script = format!(
        "[ \"$1 $2\" = '--gpu-reset -i' ] || exit 2\nRESET_GPU=$3 exec '{}' --exact resets::plays_nvidia_smi --ignored --nocapture",
        program.display()
    );
    command(node, &script)
}

#[test]
#[ignore = "run by the other tests here in the place of nvidia-smi"]
fn plays_nvidia_smi() {
    let asked = env::var("RESET_GPU").unwrap();
    let node = SimulatedNode::open(env::var_os("NVML_SIM_STATE").unwrap()).unwrap();
    let log = fs::read_to_string(env::var_os(LOG).unwrap()).unwrap();
    let is_open = !log.trim_end().ends_with("nvmlShutdown 0");
    let gpus = node.gpus().unwrap();
    let index = gpus.iter().position(|gpu| gpu.uuid == asked).unwrap();
    if is_open || node.reset(index).is_err() {
        let refused = format!("GPU {asked} is currently in use\nby another process.");
        writeln!(io::stdout(), "{refused}").unwrap();
        process::exit(255);
    }
}

fn reset(node: &SimulatedNode, command: ResetCommand, gpu: &str) -> Result<(), Error> {
    Box::new(load(node).unwrap().with_reset(command)).reset(gpu)
}

/// (current, pending) of the first GPU.
fn mode(driver: &mut Nvml) -> (MigMode, MigMode) {
    let mig = first(driver).mig;
    (mig.current, mig.pending)
}

#[test]
fn a_pending_mode_takes_effect_at_the_reset_of_that_gpu_and_no_other_is_touched() {
    on_a_node(&[A100, A100], |node| {
        node.set_mig_mode(1, true).unwrap();
        node.create_instance(1, "3g.20gb", Some(4)).unwrap();
        node.stick_mode(0, Until::Reset).unwrap();
        let mut driver = load(node).unwrap();
        let before = driver.inventory().unwrap().gpus;
        let pending = driver.set_mig_mode(&before[0].uuid, true).unwrap_err();
        assert!(matches!(pending, Error::ResetNeeded { .. }), "{pending:?}");
        drop(driver);
        reset(node, real_one(node), &before[0].uuid).unwrap();
        let mut driver = load(node).unwrap();
        assert_eq!(mode(&mut driver), (MigMode::Enabled, MigMode::Enabled));
        assert_eq!(driver.inventory().unwrap().gpus[1], before[1]);
    });
}

#[test]
fn a_gpu_in_use_is_not_reset_and_the_command_s_words_are_told() {
    on_a_node(&[A100], |node| {
        let client = Client {
            pid: 7,
            name: "train".to_owned(),
            memory_mib: 100,
        };
        node.attach(0, client).unwrap();
        let gpu = first(&mut load(node).unwrap()).uuid;
        let error = reset(node, real_one(node), &gpu).unwrap_err();
        let said = format!("GPU {gpu} is currently in use by another process.");
        assert!(matches!(error, Error::NotReset { .. }), "{error:?}");
        assert!(error.to_string().contains(&said), "{error}");
    });
}

#[test]
fn a_reset_that_the_platform_does_not_offer_is_told_apart_from_one_that_failed() {
    on_a_node(&[A100], |node| {
        let gpu = first(&mut load(node).unwrap()).uuid;
        for (script, is_offered) in [
            ("echo 'Unable to reset GPU' >&2; exit 255", true),
            ("exit 9", true),
            ("echo Resetting GPU $3 is not supported.; exit 255", false),
            ("echo Reboot the system to recover >&2; exit 1", false),
            ("exit 3", false),
        ] {
            let error = reset(node, command(node, script), &gpu).unwrap_err();
            let found = match error {
                Error::NotReset { .. } => true,
                Error::NoReset { .. } => false,
                other => panic!("{script}: {other:?}"),
            };
            assert_eq!(found, is_offered, "{script}");
        }
    });
}

#[test]
fn a_command_that_is_not_there_or_does_not_end_is_waited_for_no_longer_than_its_time() {
    on_a_node(&[A100], |node| {
        let gpu = first(&mut load(node).unwrap()).uuid;
        let missing = reset(node, ResetCommand::new("/nowhere/nvidia-smi"), &gpu);
        let said = missing.unwrap_err().to_string();
        assert!(said.contains("cannot run `/nowhere/nvidia-smi"), "{said}");
        let started = Instant::now();
        let pid = node.path().with_file_name("pid");
        let script = format!("echo $$ > '{}'; exec sleep 600", pid.display());
        let hangs = command(node, &script).within(Duration::from_millis(500));
        let said = reset(node, hangs, &gpu).unwrap_err().to_string();
        assert!(said.contains("did not end within"), "{said}");
        assert!(started.elapsed() < Duration::from_mins(1));
        // A shell that came to say nothing in its time was killed before.
        if let Ok(pid) = fs::read_to_string(pid) {
            assert!(!Path::new("/proc").join(pid.trim()).exists(), "{pid}");
        }
    });
}

#[test]
fn a_gpu_that_is_not_there_is_not_asked_for() {
    on_a_node(&[A100], |node| {
        let nobody = "GPU-00000000-0000-0000-0000-000000000000";
        let answer = reset(node, command(node, "exit 0"), nobody);
        assert_eq!(answer, Err(Error::NoSuchGpu(nobody.to_owned())));
    });
}
