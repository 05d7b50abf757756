//! A gatekeeper sees each call begin and end, and may answer in its place, before or after its effect.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::{env, thread};

use nvml_sim::SimulatedNode;

use crate::A100;
use crate::own_process::load;

const SET: &str = "nvmlDeviceSetMigMode";

/// Turns MIG mode on through the library, twice.
#[test]
#[ignore = "run by the other test here behind its gate"]
fn behind_the_gate() {
    let nvml = load();
    let device = nvml.device_by_index(0).unwrap();
    let refused = device.set_mig_mode(true).unwrap_err();
    assert_eq!(u32::from(refused), 4, "in place of the call");
    let lost = device.set_mig_mode(true).unwrap_err();
    assert_eq!(u32::from(lost), 10, "in place of its answer");
    device.mig_mode().unwrap();
}

#[test]
fn a_gatekeeper_is_asked_before_and_after_each_call_and_may_answer_instead() {
    let folder = tempfile::tempdir().unwrap();
    let (state, gate) = (folder.path().join("gpus.json"), folder.path().join("gate"));
    let node = SimulatedNode::create(&state, Some(1), &[A100]).unwrap();
    let listener = UnixListener::bind(&gate).unwrap();
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "gate::behind_the_gate", "--ignored"])
        .env("NVML_SIM_STATE", &state)
        .env("NVML_SIM_GATE", &gate)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let keeper = thread::spawn(move || {
        let mut connection = BufReader::new(listener.accept().unwrap().0);
        let (mut seen, mut sets) = (Vec::new(), 0);
        loop {
            let mut line = String::new();
            if connection.read_line(&mut line).unwrap() == 0 {
                return seen;
            }
            let line = line.trim().to_owned();
            sets += u32::from(line == format!("{SET} begins"));
            let enabled = node.gpus().unwrap()[0].mig_mode.unwrap().current;
            let instead = match (line == format!("{SET} begins"), line.starts_with(SET), sets) {
                (true, _, 1) => "4\n",
                (false, true, 2) => "10\n",
                _ => "\n",
            };
            seen.push((line, enabled));
            connection.get_mut().write_all(instead.as_bytes()).unwrap();
        }
    });
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let seen = keeper.join().unwrap();
    let of_set: Vec<_> = seen
        .iter()
        .filter(|(line, _)| line.starts_with(SET))
        .collect();
    let expected = [
        (format!("{SET} begins"), false),
        (format!("{SET} begins"), false),
        (format!("{SET} ends 0"), true),
    ];
    assert_eq!(of_set, expected.each_ref());
    assert_eq!(seen[0].0, "nvmlInit_v2 begins");
    assert_eq!(seen.last().unwrap().0, "nvmlShutdown ends 0");
}
