//! What is there while a daemon serves, and what is left when it does not any more.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::{Bed, Server};

#[test]
#[ignore = "needs NVIDIA's MPS daemon: make mps"]
fn a_daemon_serves_with_its_limits_and_everything_is_given_back() {
    let bed = Bed::new(Server::Real);
    bed.assert_given_back();
    let mut agent = bed.agent();
    agent.serves();
    bed.assert_serves();
    for folder in ["pipe", "log"] {
        let mode = fs::metadata(bed.at(folder)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755, "{folder}");
    }
    assert!(agent.ends());
    bed.assert_given_back();
}

#[test]
#[ignore = "needs NVIDIA's MPS daemon: make mps"]
fn what_a_dead_daemon_has_left_is_used_again() {
    let bed = Bed::new(Server::Real);
    let mut dead = bed.foreign_daemon();
    dead.kill().unwrap();
    dead.wait().unwrap();
    assert!(bed.at("pipe/control").exists());
    let mut agent = bed.agent();
    agent.serves();
    bed.assert_serves();
    assert!(agent.ends());
    bed.assert_given_back();
}

#[test]
#[ignore = "needs NVIDIA's MPS daemon: make mps"]
fn a_setup_that_the_gpus_cannot_have_touches_nothing() {
    let bed = Bed::new(Server::Real);
    bed.node.set_mig_mode(0, true).unwrap();
    assert!(!bed.agent().ended());
    bed.assert_given_back();
}
