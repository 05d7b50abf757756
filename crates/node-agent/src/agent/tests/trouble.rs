//! Nodes, kubelets, journals and API servers that are not in order.

use std::fs;
use std::time::Duration;

use crds::gpu_node::{AgentStage, OperationStage};
use http::Method;

use super::bed::{Bed, halves, small, spec};
use crate::agent::{Next, POLL, SOON};
use crate::api::fake::Trouble;
use crate::world::{World, a100};

#[tokio::test]
async fn a_node_without_gpus_gets_no_gpu_node_and_says_why() {
    let mut bed = Bed::bare(World::new(Vec::new()));
    let mut looks = Vec::new();
    for _ in 0..6 {
        looks.push(bed.look().await);
    }
    let after = |seconds| Next::After(Duration::from_secs(seconds));
    assert_eq!(looks, [5, 10, 20, 40, 60, 60].map(after));
    assert!(bed.api.object().is_none());
    let closed = bed.readiness.closed();
    let driver = closed.iter().find(|(name, _)| *name == "driver").unwrap();
    assert!(
        driver.1.starts_with("the driver shows no GPU"),
        "{driver:?}"
    );
    bed.shared.world().gpus = vec![a100("G")];
    assert_eq!(bed.look().await, Next::After(POLL));
    assert_eq!(bed.readiness.closed(), []);
    assert!(bed.ready().0);
}

#[tokio::test]
async fn a_silent_kubelet_is_no_idle_node() {
    let mut bed = Bed::new().await;
    bed.kubelet.refuse();
    bed.look().await;
    let (holds, reason, message) = bed.ready();
    assert!(
        !holds && message.contains("does not list its pods"),
        "{message}"
    );
    assert_eq!(reason, "HoldersUnknown");
    assert_eq!(bed.readiness.closed()[0].0, "kubelet");
    bed.ask(OperationStage::Prepare, halves());
    bed.look().await;
    assert_eq!(bed.stage(), AgentStage::Refused);
    assert!(bed.error().contains("does not list its pods"));
}

#[tokio::test]
async fn a_kubelet_that_restarts_during_a_drain_ends_nothing_but_nothing_begins_without_it() {
    let mut bed = Bed::new().await;
    bed.ask(OperationStage::Prepare, halves());
    bed.look().await;
    bed.kubelet.refuse();
    bed.look().await;
    assert_eq!(bed.stage(), AgentStage::Ready);
    assert!(!bed.ready().0);
    bed.ask(OperationStage::Proceed, halves());
    bed.settle().await;
    assert_eq!(bed.stage(), AgentStage::Refused);
    assert_eq!(bed.taken(), 0);
}

#[tokio::test]
async fn what_an_unreadable_journal_said_is_unknown_and_its_instances_are_somebody_elses() {
    let mut bed = Bed::new().await;
    bed.ask(OperationStage::Proceed, halves());
    bed.settle().await;
    assert_eq!(bed.stage(), AgentStage::Done);
    let taken = bed.taken();
    fs::write(bed.journal(), "{torn").unwrap();
    bed.restart();
    bed.look().await;
    let kept = bed.journal().with_extension("json.unreadable-1");
    assert_eq!(fs::read_to_string(&kept).unwrap(), "{torn");
    let (lost, reason, message) = bed.condition("JournalLost");
    assert!(lost && reason == "Unreadable");
    assert!(message.contains(kept.to_str().unwrap()), "{message}");
    assert!(message.contains("mig.adopt"), "{message}");
    assert!(bed.ready().0);
    assert!(bed.said().gpus[0].instances.iter().all(|it| !it.owned));

    let mut asked = spec(OperationStage::Proceed, small());
    asked.operation.as_mut().unwrap().id = 8;
    bed.api.set_spec(&asked);
    bed.hear();
    bed.settle().await;
    assert_eq!(bed.stage(), AgentStage::Refused);
    assert!(bed.error().contains("made by somebody else"));
    assert_eq!(bed.taken(), taken);

    asked.operation.as_mut().unwrap().id = 9;
    asked.target.as_mut().unwrap().adopt = true;
    bed.api.set_spec(&asked);
    bed.hear();
    bed.settle().await;
    assert_eq!(bed.stage(), AgentStage::Done, "{:?}", bed.operation());
    assert!(bed.said().gpus[0].instances.iter().all(|it| it.owned));
    assert!(bed.condition("JournalLost").0, "until a person has seen it");
    fs::remove_file(kept).unwrap();
    bed.look().await;
    assert!(!bed.condition("JournalLost").0);
}

#[tokio::test]
async fn an_operation_that_the_journal_has_lost_is_for_a_person() {
    for unreadable in [false, true] {
        let mut bed = Bed::new().await;
        bed.ask(OperationStage::Proceed, halves());
        bed.look().await;
        let kept = bed.journal().with_extension("json.unreadable-1");
        let said = if unreadable {
            fs::write(bed.journal(), "{torn").unwrap();
            format!("cannot be read and is kept as {}", kept.display())
        } else {
            fs::remove_file(bed.journal()).unwrap();
            "the journal knows nothing of it".to_owned()
        };
        bed.restart();
        bed.settle().await;
        assert_eq!(bed.stage(), AgentStage::Failed);
        assert!(bed.error().contains(&said), "{}", bed.error());
        assert_eq!(bed.operation().previous.len(), 1);
        assert_eq!(bed.taken(), 0);
        assert_eq!(kept.exists(), unreadable);
        bed.restart();
        bed.settle().await;
        assert_eq!(bed.stage(), AgentStage::Failed, "and stays so");
        assert_eq!(bed.taken(), 0);
    }
}

#[tokio::test]
async fn a_disk_that_fills_up_stops_an_operation_until_there_is_room() {
    let mut bed = Bed::new().await;
    bed.ask(OperationStage::Proceed, halves());
    bed.look().await;
    let blocks = bed.folder.path().join("journal/journal.json.new");
    fs::create_dir(&blocks).unwrap();
    assert_eq!(bed.look().await, Next::After(SOON));
    let taken = bed.taken();
    assert_eq!(bed.look().await, Next::After(SOON));
    assert_eq!(bed.taken(), taken);
    assert_eq!(bed.ready().1, "JournalUnwritable");
    fs::remove_dir(blocks).unwrap();
    bed.settle().await;
    assert_eq!(bed.stage(), AgentStage::Done);
}

#[tokio::test]
async fn a_gpu_node_that_is_deleted_is_made_again() {
    let mut bed = Bed::new().await;
    bed.api.delete();
    bed.hear();
    bed.look().await;
    assert!(bed.ready().0);
    // Also if the agent hears of it only when it writes.
    bed.api.delete();
    bed.shared.world().gpus[0].product = "another".to_owned();
    bed.look().await;
    assert!(bed.api.object().is_none());
    bed.hear();
    bed.look().await;
    assert_eq!(bed.said().summary.product, "another");
}

#[tokio::test]
async fn a_gpu_that_is_lost_keeps_what_was_known_of_it_and_says_so() {
    let mut bed = Bed::new().await;
    let before = bed.said().gpus;
    bed.shared.world().gpus.clear();
    bed.look().await;
    let (holds, reason, _) = bed.ready();
    assert!(!holds);
    assert_eq!((reason.as_str(), bed.said().gpus), ("NoGpus", before));
    bed.ask(OperationStage::Prepare, halves());
    bed.look().await;
    assert_eq!(bed.stage(), AgentStage::Refused);
}

#[tokio::test]
async fn an_api_server_that_is_away_is_no_reason_to_end() {
    let mut bed = Bed::bare(World::new(vec![a100("G")]));
    bed.api.trouble(Method::POST, Trouble::Refuse(503));
    assert_eq!(bed.look().await, Next::After(POLL));
    let closed = bed.readiness.closed();
    assert_eq!(closed[0].0, "GpuNode");
    bed.look().await;
    assert_eq!(bed.readiness.closed(), []);
    let mut asked = spec(OperationStage::Proceed, halves());
    asked.target = None;
    bed.api.set_spec(&asked);
    bed.hear();
    bed.settle().await;
    assert!(bed.error().contains("without a target"));
}
