//! Ends that do not go well.

use crate::bed::signal;
use crate::{Bed, Server};

#[test]
#[ignore = "needs NVIDIA's MPS daemon: make mps"]
fn a_daemon_that_does_not_quit_is_killed() {
    let bed = Bed::new(Server::Real);
    let mut agent = bed.agent();
    signal(agent.serves(), "STOP");
    assert!(agent.ends());
    bed.assert_given_back();
}

#[test]
#[ignore = "needs NVIDIA's MPS daemon: make mps"]
fn a_server_that_does_not_end_is_killed_with_its_daemon() {
    let bed = Bed::new(Server::Sleeps);
    let mut agent = bed.agent();
    agent.serves();
    bed.ask("start_server -uid 0");
    assert!(agent.ends());
    bed.assert_given_back();
}

#[test]
#[ignore = "needs NVIDIA's MPS daemon: make mps"]
fn a_server_that_outlives_its_daemon_is_killed() {
    let bed = Bed::new(Server::Sleeps);
    let mut agent = bed.agent();
    let daemon = agent.serves();
    bed.ask("start_server -uid 0");
    signal(daemon, "KILL");
    agent.hears("DaemonEnded");
    assert!(agent.ends());
    bed.assert_given_back();
}
