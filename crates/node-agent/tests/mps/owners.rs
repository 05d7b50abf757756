//! A pipe directory has one owner.

use nvml_sim::state::ComputeMode;

use crate::{Bed, Server};

#[test]
#[ignore = "needs NVIDIA's MPS daemon: make mps"]
fn a_daemon_of_somebody_else_is_left_alone_until_it_is_gone() {
    let bed = Bed::new(Server::Real);
    let mut foreign = bed.foreign_daemon();
    let mut agent = bed.agent();
    assert_eq!(agent.is_at("TwoMpsOwners")["pid"], foreign.id());
    assert_eq!(bed.modes(), [ComputeMode::Default; 2]);
    assert!(foreign.try_wait().unwrap().is_none());
    foreign.kill().unwrap();
    foreign.wait().unwrap();
    agent.serves();
    bed.assert_serves();
    assert!(agent.ends());
    bed.assert_given_back();
}

#[test]
#[ignore = "needs NVIDIA's MPS daemon: make mps"]
fn of_two_agents_one_serves() {
    let bed = Bed::new(Server::Real);
    let mut first = bed.agent();
    first.serves();
    assert!(!bed.agent().ended(), "the folder is taken");
    let mut other = bed.agent_with("another journal");
    other.is_at("TwoMpsOwners");
    assert!(other.ends());
    bed.assert_serves();
    assert!(first.ends());
    bed.assert_given_back();
}
