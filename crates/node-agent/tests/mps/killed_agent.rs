//! The agent is killed; the next one repairs what it has left.

use nvml_sim::state::ComputeMode::{Default, ExclusiveProcess};

use crate::agent::Agent;
use crate::bed::{eventually, signal};
use crate::{Bed, Server};

/// Whether an agent has come so far.
type SoFar = fn(&Bed) -> bool;

/// Kills the agent once it is so far, and starts another: it serves, and gives everything back.
fn repaired(server: Server, so_far: impl FnOnce(&Bed, &mut Agent)) {
    let bed = Bed::new(server);
    let mut agent = bed.agent();
    so_far(&bed, &mut agent);
    agent.kill();
    let mut next = bed.agent();
    next.serves();
    bed.assert_serves();
    assert!(next.ends());
    bed.assert_given_back();
}

#[test]
#[ignore = "needs NVIDIA's MPS daemon: make mps"]
fn an_agent_that_is_killed_at_any_step_of_the_start_is_repaired() {
    let steps: [(&str, SoFar); 6] = [
        ("noted", |bed| bed.note().exists()),
        ("one mode", |bed| bed.modes()[0] == ExclusiveProcess),
        ("both modes", |bed| bed.modes()[1] == ExclusiveProcess),
        ("directory", |bed| bed.at("pipe").exists()),
        ("daemon", |bed| bed.at("pipe/control").exists()),
        ("limits", |bed| bed.at(".started").exists()),
    ];
    for (what, is_so_far) in steps {
        repaired(Server::Real, |bed, _| eventually(what, || is_so_far(bed)));
    }
}

#[test]
#[ignore = "needs NVIDIA's MPS daemon: make mps"]
fn an_agent_that_is_killed_while_it_serves_is_repaired() {
    repaired(Server::Real, |_, agent| {
        agent.serves();
    });
    repaired(Server::Sleeps, |bed, agent| {
        agent.serves();
        bed.ask("start_server -uid 0");
    });
    repaired(Server::Sleeps, |bed, agent| {
        let daemon = agent.serves();
        bed.ask("start_server -uid 0");
        signal(daemon, "KILL");
    });
    repaired(Server::Real, |_, agent| {
        signal(agent.serves(), "STOP");
    });
}

/// NVIDIA's daemon closes its standard input when a server of it ends, and the servers that it starts then have none.
#[test]
#[ignore = "needs NVIDIA's MPS daemon: make mps"]
fn an_agent_that_is_killed_after_a_server_has_ended_is_repaired() {
    repaired(Server::Real, |bed, agent| {
        agent.serves();
        bed.ask("start_server -uid 0");
        agent.hears("ServerEnded");
    });
    repaired(Server::Sleeps, |bed, agent| {
        agent.serves();
        bed.ask("start_server -uid 0");
        signal(bed.ask("get_server_list").parse().unwrap(), "KILL");
        agent.hears("ServerEnded");
        bed.ask("start_server -uid 0");
    });
}

#[test]
#[ignore = "needs NVIDIA's MPS daemon: make mps"]
fn an_agent_that_is_killed_while_it_ends_is_repaired() {
    let ends = |agent: &mut Agent| {
        agent.serves();
        agent.ask_to_end();
    };
    repaired(Server::Real, |_, agent| {
        ends(agent);
        agent.is_at("Stopping");
    });
    repaired(Server::Real, |_, agent| {
        ends(agent);
        agent.hears("DaemonEnded");
    });
    repaired(Server::Real, |bed, agent| {
        ends(agent);
        eventually("given back", || bed.modes()[0] == Default);
    });
}

#[test]
#[ignore = "needs NVIDIA's MPS daemon: make mps"]
fn a_gpu_is_given_back_though_nobody_wants_to_serve_any_more() {
    let bed = Bed::new(Server::Real);
    let mut agent = bed.agent();
    agent.serves();
    agent.kill();
    // Nothing can be served now: the next agent gives back first, and fails then.
    bed.node.set_mig_mode(0, true).unwrap();
    assert!(!bed.agent().ended());
    bed.assert_given_back();
}
