//! Deaths: noticed, told with the GPUs that they hit, and repaired.

use std::time::{Duration, Instant};

use crate::bed::{eventually, signal};
use crate::{Bed, Server};

/// So soon a death is told.
const SOON: Duration = Duration::from_secs(2);

#[test]
#[ignore = "needs NVIDIA's MPS daemon: make mps"]
fn a_killed_daemon_is_noticed_and_another_serves() {
    let bed = Bed::new(Server::Real);
    let mut agent = bed.agent();
    let daemon = agent.serves();
    let killed = Instant::now();
    signal(daemon, "KILL");
    let told = agent.hears("DaemonEnded");
    let noticed = killed.elapsed();
    let other = agent.serves();
    println!(
        "noticed after {noticed:?}, served again after {:?}",
        killed.elapsed()
    );
    assert!(noticed < SOON, "{noticed:?}");
    assert_eq!(told["gpus"].as_array().unwrap().len(), 2);
    assert_ne!(daemon, other);
    bed.assert_serves();
    assert!(agent.ends());
    bed.assert_given_back();
}

#[test]
#[ignore = "needs NVIDIA's MPS daemon: make mps"]
fn a_killed_server_is_noticed_and_the_daemon_stays() {
    let bed = Bed::new(Server::Sleeps);
    let mut agent = bed.agent();
    agent.serves();
    bed.ask("start_server -uid 0");
    let server: i32 = bed.ask("get_server_list").parse().unwrap();
    let killed = Instant::now();
    signal(server, "KILL");
    let told = agent.hears("ServerEnded");
    println!("noticed after {:?}", killed.elapsed());
    assert!(killed.elapsed() < SOON);
    assert_eq!(told["pid"], server);
    assert_eq!(told["gpus"].as_array().unwrap().len(), 2);
    bed.assert_serves();
    assert!(agent.ends());
    bed.assert_given_back();
}

#[test]
#[ignore = "needs NVIDIA's MPS daemon: make mps"]
fn servers_that_fail_again_and_again_bring_the_daemon_down_and_the_gpus_are_given_back() {
    let bed = Bed::new(Server::Real);
    let mut agent = bed.agent();
    agent.serves();
    for _ in 0..5 {
        bed.ask("start_server -uid 0");
        assert_eq!(agent.hears("ServerEnded")["status"], 1);
    }
    agent.is_at("MpsCrashLooping");
    eventually("the GPUs are given back", || !bed.note().exists());
    bed.assert_given_back();
    assert!(agent.ends());
}

#[test]
#[ignore = "needs NVIDIA's MPS daemon: make mps"]
fn a_daemon_that_hangs_is_killed_and_another_serves() {
    let bed = Bed::new(Server::Sleeps);
    let mut agent = bed.agent();
    let daemon = agent.serves();
    bed.ask("start_server -uid 0");
    signal(daemon, "STOP");
    agent.hears("DaemonEnded");
    assert_ne!(agent.serves(), daemon);
    assert_eq!(bed.ask("get_server_list"), "", "its server is gone with it");
    bed.assert_serves();
    assert!(agent.ends());
    bed.assert_given_back();
}
