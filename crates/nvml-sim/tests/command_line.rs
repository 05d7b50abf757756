//! The tool as a person uses it: what it prints, how it refuses, and what it leaves untouched.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

const TOOL: &str = env!("CARGO_BIN_EXE_nvml-sim");

fn tool(state: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(TOOL);
    command
        .env_remove("NVML_SIM_STATE")
        .arg("ctl")
        .arg("--state")
        .arg(state)
        .args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(state: &Path, arguments: &[&str]) -> Output {
    tool(state, arguments).output().unwrap()
}

/// Runs what must succeed; its output.
fn done(state: &Path, arguments: &[&str]) -> String {
    let output = run(state, arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A node with an A100 with MIG on, and a T4.
fn node() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("gpus.json");
    done(&state, &["init", "--gpu", "A100-SXM4-40GB", "--gpu", "T4"]);
    done(&state, &["mig", "enable", "0"]);
    (folder, state)
}

#[test]
fn a_persons_session_works() {
    let (_folder, state) = node();
    let uuid = done(&state, &["mig", "create", "0", "3g.20gb"]);
    let uuid = uuid.trim();
    done(
        &state,
        &[
            "attach", "--pid", "7", "--mig", uuid, "--name", "train", "--memory", "100",
        ],
    );
    let map = done(&state, &["show"]);
    assert!(
        map.contains(&format!("3g.20gb at 4:4, GPU instance 1, {uuid}")),
        "{map}"
    );
    let json = done(&state, &["show", "-o", "json"]);
    let gpus: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(gpus[0]["instances"][0]["migUuids"][0], uuid);
    assert_eq!(gpus[0]["processes"][0]["pid"], 7);
    assert_eq!(gpus[1]["product"], "T4");
    done(&state, &["detach", "--pid", "7"]);
    done(&state, &["mig", "destroy", uuid]);
    done(&state, &["mig", "disable", "0"]);
    done(&state, &["fault", "gpu-lost", "1"]);
    assert!(done(&state, &["show"]).contains("LOST"));
    done(&state, &["heal"]);
    assert!(!done(&state, &["show"]).contains("LOST"));
}

#[test]
fn the_help_lists_every_product() {
    for arguments in [&["ctl", "--help"][..], &["ctl", "init", "--help"]] {
        let output = Command::new(TOOL).args(arguments).output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        for product in products::ALL {
            assert!(
                help.contains(product.key),
                "{} is not in {help}",
                product.key
            );
        }
    }
}

#[test]
fn a_gpu_instance_can_be_divided_into_several_devices_or_not_at_all() {
    let (_folder, state) = node();
    let create = [
        "mig",
        "create",
        "0",
        "3g.20gb",
        "--compute",
        "2",
        "--compute",
    ];
    let uuids = done(&state, &[&create[..], &["1"]].concat());
    assert_eq!(uuids.lines().count(), 2, "{uuids}");
    let map = done(&state, &["show"]);
    assert!(uuids.lines().all(|uuid| map.contains(uuid)), "{map}");
    let before = fs::read(&state).unwrap();
    for wrong in ["2", "5"] {
        let output = run(&state, &[&create[..], &[wrong]].concat());
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert_eq!(fs::read(&state).unwrap(), before);
    }
}

#[test]
fn the_drivers_pace_and_quirks_are_set_and_healed() {
    let (_folder, state) = node();
    let before = fs::read(&state).unwrap();
    for arguments in [
        &["pace", "real"][..],
        &["quirk", "hide-profiles"],
        &["quirk", "renumber-profile", "7", "20"],
        &["quirk", "fail-profile", "5", "--code", "unknown"],
    ] {
        let unchanged = fs::read(&state).unwrap();
        done(&state, arguments);
        assert_ne!(fs::read(&state).unwrap(), unchanged, "{arguments:?}");
    }
    done(&state, &["pace", "at-once"]);
    done(&state, &["heal"]);
    assert_eq!(fs::read(&state).unwrap(), before);
}

#[test]
fn a_refusal_says_why_exits_with_one_and_changes_nothing() {
    let (_folder, state) = node();
    let uuid = done(&state, &["mig", "create", "0", "4g.20gb"]);
    let uuid = uuid.trim();
    done(&state, &["attach", "--pid", "7", "--mig", uuid]);
    let table: &[(&[&str], &str)] = &[
        (&["init", "--gpu", "T4"], "exists: choose another path"),
        (
            &["mig", "create", "0", "4g.20gb"],
            "Insufficient Resources (NVML code 23)",
        ),
        (
            &["mig", "create", "0", "5g.20gb"],
            "choose among 1g.5gb, 2g.10gb",
        ),
        (
            &["mig", "create", "2", "1g.5gb"],
            "there is no GPU 2: the node has 2",
        ),
        (
            &["mig", "create", "0", "3g.20gb", "--start", "1"],
            "Invalid Argument",
        ),
        (&["mig", "enable", "1"], "Not Supported"),
        (&["mig", "disable", "0"], "In use by another client"),
        (&["mig", "destroy", uuid], "In use by another client"),
        (&["mig", "destroy", "MIG-x"], "there is no MIG device MIG-x"),
        (&["reset", "0"], "In use by another client"),
        (
            &["attach", "--pid", "8", "--gpu", "1", "--memory", "999999"],
            "Insufficient Memory",
        ),
        (&["attach", "--pid", "8"], "--gpu <GPU>|--mig <MIG>"),
        (&["detach", "--pid", "99"], "process 99 holds no GPU"),
        (&["fault", "gpu-lost", "5"], "there is no GPU 5"),
        (
            &["fault", "call", "nvmlNo", "--code", "3"],
            "no function \"nvmlNo\"",
        ),
        (
            &["fault", "call", "nvmlDeviceGetUUID", "--code", "77"],
            "not an NVML code",
        ),
        (
            &[
                "fault",
                "call",
                "nvmlDeviceGetUUID",
                "--code",
                "3",
                "--nth",
                "0",
            ],
            "0 is not in",
        ),
    ];
    let before = fs::read(&state).unwrap();
    for (arguments, expected) in table {
        let output = run(&state, arguments);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {message}");
        assert!(message.contains(expected), "{arguments:?}: {message}");
        assert_eq!(fs::read(&state).unwrap(), before, "{arguments:?}");
    }
}

#[test]
fn a_node_that_cannot_be_made_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("gpus.json");
    let too_many = ["init"]
        .into_iter()
        .chain(["--gpu", "T4"].repeat(17))
        .collect::<Vec<_>>();
    for arguments in [&["init", "--gpu", "A1000"], &["show"][..], &too_many] {
        let output = run(&state, arguments);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(!state.exists());
    }
}

#[test]
fn a_file_that_does_not_parse_is_named_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("gpus.json");
    fs::write(&state, "{ \"version\": ").unwrap();
    for arguments in [
        &["show"][..],
        &["reboot"],
        &["heal"],
        &["init", "--gpu", "T4"],
    ] {
        let output = run(&state, arguments);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains("gpus.json"), "{message}");
        assert_eq!(fs::read(&state).unwrap(), b"{ \"version\": ");
    }
    let shown = String::from_utf8(run(&state, &["show"]).stderr).unwrap();
    assert!(shown.contains("line 1 column 13"), "{shown}");
}

#[test]
fn a_pending_mode_is_reported_and_a_reset_finishes_it() {
    let (_folder, state) = node();
    done(&state, &["attach", "--pid", "7", "--gpu", "0"]);
    let output = run(&state, &["mig", "disable", "0"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(message.contains("pending until it is reset"), "{message}");
    assert!(done(&state, &["show"]).contains("MIG on, off after a reset"));
    done(&state, &["detach", "--pid", "7"]);
    done(&state, &["reset", "0"]);
    assert!(done(&state, &["show"]).contains("MIG off"));
}

#[test]
fn a_reboot_changes_the_boot_id_in_the_file_beside_the_state() {
    let (folder, state) = node();
    let boot_id = || fs::read_to_string(folder.path().join("gpus.json.boot-id")).unwrap();
    let before = boot_id();
    let printed = done(&state, &["reboot"]);
    assert_ne!(boot_id(), before);
    assert_eq!(boot_id(), printed);
}

#[test]
fn of_many_processes_exactly_one_gets_the_placement() {
    let (_folder, state) = node();
    let create = ["mig", "create", "0", "3g.20gb", "--start", "0"];
    let children: Vec<Child> = (0..8)
        .map(|_| tool(&state, &create).spawn().unwrap())
        .collect();
    let outputs: Vec<_> = children
        .into_iter()
        .map(|child| child.wait_with_output().unwrap())
        .collect();
    assert_eq!(
        outputs
            .iter()
            .filter(|output| output.status.success())
            .count(),
        1,
        "{outputs:?}"
    );
    assert_eq!(done(&state, &["show"]).matches("3g.20gb at 0:4").count(), 1);
}

#[test]
fn a_process_killed_at_any_point_leaves_a_whole_state() {
    let (_folder, state) = node();
    for _ in 0..40 {
        let mut child = tool(&state, &["reboot"]).spawn().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        done(&state, &["show"]);
    }
}

#[test]
fn install_links_the_library_under_both_names() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("driver");
    for _ in 0..2 {
        let output = Command::new(TOOL)
            .arg("install")
            .arg(&target)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    for name in ["libnvidia-ml.so.1", "libnvidia-ml.so"] {
        assert!(fs::metadata(target.join(name)).unwrap().is_file(), "{name}");
    }
    fs::remove_file(target.join("libnvidia-ml.so.1")).unwrap();
    fs::write(target.join("libnvidia-ml.so.1"), "someone's own").unwrap();
    let output = Command::new(TOOL)
        .arg("install")
        .arg(&target)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        fs::read(target.join("libnvidia-ml.so.1")).unwrap(),
        b"someone's own"
    );
}
