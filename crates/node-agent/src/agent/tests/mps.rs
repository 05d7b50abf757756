//! The MPS daemon of an agent that looks when it is told to.

use crds::gpu_node::{AgentStage, MpsProcess, MpsState, OperationStage, SharingTarget};

use plan::mps::Stage;

use super::bed::{Bed, spec};
use crate::kubelet::played::pod;
use crate::mps::played::Event;
use crate::world::{World, served, t4, target};

/// A node with one GPU that may be served, whose agent has looked.
async fn bed(works: bool) -> Bed {
    let mut bed = Bed::bare(World::new(vec![t4("G")]));
    bed.daemon.plays(works);
    bed.look().await;
    bed
}

async fn operate(bed: &mut Bed, replicas: Option<i32>) {
    let target = replicas.map_or_else(|| target("G", &[]), |replicas| served("G", replicas));
    bed.ask(OperationStage::Proceed, target);
    bed.settle().await;
}

/// These pods have these GPUs.
fn hold(bed: &Bed, holders: &[(&str, &str)]) {
    let holders = holders.iter();
    let pods = holders.map(|(name, gpu)| pod(name, "nvidia.com/gpu", &[gpu]));
    bed.kubelet.set(pods.collect());
}

fn mps(bed: &Bed) -> Option<SharingTarget> {
    bed.said().gpus[0].mps.clone()
}

fn four() -> SharingTarget {
    served("G", 4).gpus[0].sharing.clone()
}

fn state(bed: &Bed) -> MpsState {
    bed.said().mps.unwrap().state
}

#[tokio::test]
async fn an_operation_starts_the_daemon_and_the_next_agent_does_without_one() {
    let mut bed = bed(true).await;
    assert_eq!((mps(&bed), state(&bed)), (None, MpsState::Absent));
    assert_eq!(bed.condition("MpsServing").1, "MpsNotWanted");
    operate(&mut bed, Some(4)).await;
    assert_eq!(bed.stage(), AgentStage::Done);
    assert_eq!((mps(&bed), state(&bed)), (Some(four()), MpsState::Running));
    assert!(bed.condition("MpsServing").0);
    let ordered = bed.daemon.ordered();
    assert!(ordered.is_some());
    bed.restart();
    bed.look().await;
    // It is told from the first look on: nobody is to think that a drain is needed for it.
    assert_eq!(mps(&bed), Some(four()));
    assert_eq!(bed.daemon.ordered(), ordered);
    // What the one before has left is ended first.
    let deadline = std::time::Duration::ZERO;
    let stage = Stage::Stopping { deadline };
    bed.daemon.tells(&Event::Stage { stage, pid: None });
    bed.look().await;
    assert_eq!(mps(&bed), Some(four()));
}

#[tokio::test]
async fn an_operation_stops_it_and_so_does_another_wish() {
    let mut bed = bed(true).await;
    operate(&mut bed, Some(4)).await;
    let mut other = spec(OperationStage::Proceed, target("G", &[]));
    other.operation.as_mut().unwrap().id = 8;
    bed.api.set_spec(&other);
    bed.hear();
    bed.settle().await;
    assert_eq!(bed.operation().id, 8);
    assert_eq!(bed.stage(), AgentStage::Done);
    assert_eq!(bed.operation().previous[0].mps, Some(four()));
    assert_eq!((mps(&bed), bed.daemon.ordered()), (None, None));
}

#[tokio::test]
async fn a_daemon_that_does_not_serve_leads_back() {
    let mut bed = bed(false).await;
    operate(&mut bed, Some(4)).await;
    assert_eq!(bed.stage(), AgentStage::RolledBack);
    assert!(bed.error().contains("MpsCrashLooping"), "{}", bed.error());
    assert_eq!((mps(&bed), bed.daemon.ordered()), (None, None));
}

#[tokio::test]
async fn an_agent_that_may_not_run_it_refuses_before_anything_is_touched() {
    let mut bed = bed(true).await;
    bed.agent.mps = crate::mps::Mps::none();
    bed.ask(OperationStage::Prepare, served("G", 4));
    bed.settle().await;
    assert_eq!(bed.stage(), AgentStage::Refused);
    let error = bed.error();
    assert!(error.contains("agent.mps.enabled=true"), "{error}");
    assert_eq!(bed.said().mps, None);
}

#[tokio::test]
async fn memory_that_clients_would_not_share_is_refused_too() {
    let mut bed = bed(true).await;
    let shared = bed.folder.path().join("mps/shm");
    std::fs::remove_dir(&shared).unwrap();
    bed.ask(OperationStage::Prepare, served("G", 4));
    bed.settle().await;
    assert_eq!(bed.stage(), AgentStage::Refused);
    assert!(bed.error().contains("mps/shm"), "{}", bed.error());
}

#[tokio::test]
async fn a_death_names_the_pods_that_had_a_gpu_of_the_daemon() {
    let mut bed = bed(true).await;
    operate(&mut bed, Some(4)).await;
    hold(&bed, &[("b", "G"), ("a", "G"), ("c", "other")]);
    bed.daemon.dies();
    bed.look().await;
    let death = bed.said().mps.unwrap().last_death.unwrap();
    assert_eq!(
        (death.of, death.how.as_str()),
        (MpsProcess::Daemon, "signal: 9 (SIGKILL)")
    );
    assert_eq!(death.pods, ["default/a", "default/b"]);
    // Those who come later were not hit by it.
    hold(&bed, &[("d", "G")]);
    bed.look().await;
    assert_eq!(bed.said().mps.unwrap().last_death, Some(death));
}

#[tokio::test]
async fn without_a_policy_it_serves_until_the_last_pod_of_it_has_left() {
    let mut bed = bed(true).await;
    operate(&mut bed, Some(4)).await;
    hold(&bed, &[("a", "G")]);
    bed.api.set_spec(&crds::GpuNodeSpec::default());
    bed.hear();
    bed.look().await;
    bed.look().await;
    assert_eq!(mps(&bed), Some(four()));
    assert!(bed.daemon.ordered().is_some());
    hold(&bed, &[]);
    bed.look().await;
    bed.look().await;
    assert_eq!((mps(&bed), bed.daemon.ordered()), (None, None));
}
