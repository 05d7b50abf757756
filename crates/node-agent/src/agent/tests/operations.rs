//! Operations as the operator sees them.

use std::sync::{Arc, Mutex};

use crds::gpu_node::{AgentStage, OperationStage};
use serde_json::Value;

use super::bed::{Bed, halves, small, spec};
use crate::agent::{Next, POLL};
use crate::api::fake::Trouble;
use crate::kubelet::played::pod;

use OperationStage::{Abort, Prepare, Proceed};

/// The GPU is cut into small slices by an operation, whose spec is then withdrawn.
async fn cut_small(bed: &mut Bed) {
    bed.ask(Proceed, small());
    bed.settle().await;
    assert_eq!(bed.stage(), AgentStage::Done);
    // So that operation 7 can be asked for once more, it is forgotten.
    std::fs::remove_file(bed.journal()).unwrap();
    bed.api.delete();
    bed.restart();
    bed.look().await;
    let mut world = bed.shared.world();
    world.taken.clear();
}

#[tokio::test]
async fn an_operation_is_prepared_begun_and_done_and_then_there_is_silence() {
    let mut bed = Bed::new().await;
    assert_eq!(bed.readiness.closed(), []);
    assert_eq!(bed.said().summary.layout, "no slices");
    bed.api.writes();

    bed.ask(Prepare, halves());
    assert_eq!(bed.look().await, Next::After(POLL));
    assert_eq!(bed.stage(), AgentStage::Ready);
    assert_eq!(bed.taken(), 0);

    // Stage, error and version of each patch, and how many steps had been taken then.
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (log, shared) = (seen.clone(), bed.shared.clone());
    bed.api.on_patch(move |body: &Value| {
        let stage = body["status"]["agent"]["operation"]["stage"].clone();
        let version = body["metadata"]["resourceVersion"].is_string();
        let steps = shared.world().taken.len();
        log.lock().unwrap().push((stage, version, steps));
    });
    bed.ask(Proceed, halves());
    bed.settle().await;
    let seen: Vec<_> = seen.lock().unwrap().clone();
    let destroying = (Value::from("Destroying"), true, 0);
    assert_eq!(seen[0], destroying, "said at a version, before any step");
    assert_eq!(seen.last().unwrap(), &(Value::from("Done"), false, 4));
    assert!(seen[1..].iter().all(|it| !it.1), "{seen:?}");

    let said = bed.said();
    assert_eq!(said.summary.layout, "2x3g.20gb");
    assert!(said.gpus[0].instances.iter().all(|it| it.owned));
    assert_eq!(bed.operation().previous.len(), 1);
    bed.api.writes();
    bed.look().await;
    bed.restart();
    bed.settle().await;
    assert_eq!(bed.api.writes(), [], "nothing to tell");
}

#[tokio::test]
async fn an_operation_that_is_called_off_in_time_changes_nothing() {
    let mut bed = Bed::new().await;
    bed.ask(Prepare, halves());
    bed.look().await;
    // The operator gives up between the agent's last read and its word: one of the two is late.
    bed.ask(Proceed, halves());
    bed.trouble(Trouble::AfterSpec(Box::new(spec(Abort, halves()))));
    bed.look().await;
    assert_eq!(bed.stage(), AgentStage::Ready);
    bed.look().await;
    assert_eq!(bed.stage(), AgentStage::Refused);
    assert!(bed.error().contains("aborted by the operator"));
    assert_eq!(bed.taken(), 0);
    bed.ask(Proceed, halves());
    bed.settle().await;
    assert_eq!(
        bed.stage(),
        AgentStage::Refused,
        "a word that was given stands"
    );
    assert_eq!(bed.taken(), 0);
}

#[tokio::test]
async fn a_word_whose_answer_is_lost_was_given() {
    let mut bed = Bed::new().await;
    bed.ask(Prepare, halves());
    bed.look().await;
    bed.ask(Proceed, halves());
    bed.trouble(Trouble::LoseAnswer);
    bed.look().await;
    assert_eq!(bed.stage(), AgentStage::Destroying);
    assert_eq!(bed.taken(), 0, "nobody knew yet that it was given");
    bed.settle().await;
    assert_eq!(bed.stage(), AgentStage::Done);
}

#[tokio::test]
async fn an_agent_that_dies_before_its_word_begins_afresh_and_one_that_dies_after_it_goes_on() {
    for (trouble, aborted) in [
        (Trouble::Refuse(500), AgentStage::Refused),
        (Trouble::LoseAnswer, AgentStage::Done),
    ] {
        let mut bed = Bed::new().await;
        bed.ask(Proceed, halves());
        bed.trouble(trouble.clone());
        bed.look().await;
        bed.restart();
        bed.ask(Abort, halves());
        bed.settle().await;
        assert_eq!(bed.stage(), aborted, "{trouble:?}");
        assert_eq!(bed.taken() == 0, aborted == AgentStage::Refused);
    }
}

#[tokio::test]
async fn whoever_holds_a_device_that_goes_is_named_and_nothing_is_destroyed() {
    let mut bed = Bed::new().await;
    cut_small(&mut bed).await;
    let device = bed.said().gpus[0].instances[1].uuid.clone().unwrap();
    bed.kubelet
        .set(vec![pod("model", "nvidia.com/mig-1g.5gb", &[&device])]);
    bed.ask(Prepare, halves());
    bed.look().await;
    assert_eq!(
        bed.stage(),
        AgentStage::Refused,
        "these slices are nobody's: {}",
        bed.error()
    );

    let mut adopting = halves();
    adopting.adopt = true;
    let mut asked = spec(Proceed, adopting);
    asked.operation.as_mut().unwrap().id = 8;
    bed.api.set_spec(&asked);
    bed.hear();
    bed.settle().await;
    assert_eq!(
        bed.error(),
        format!("in the way: pod default/model holds {device}")
    );
    assert_eq!(bed.taken(), 0);
}

#[tokio::test]
async fn an_operation_is_finished_without_the_api_server_and_told_when_it_is_back() {
    let mut bed = Bed::new().await;
    bed.ask(Proceed, halves());
    bed.look().await;
    assert_eq!(bed.stage(), AgentStage::Destroying);
    for _ in 0..50 {
        bed.trouble(Trouble::Refuse(503));
    }
    for _ in 0..30 {
        bed.look().await;
    }
    assert_eq!(bed.taken(), 4);
    assert_eq!(bed.stage(), AgentStage::Destroying, "nobody could be told");
    for _ in 0..30 {
        bed.look().await;
    }
    assert_eq!(bed.stage(), AgentStage::Done);
}

#[tokio::test]
async fn a_failing_step_is_rolled_back_and_the_reason_told() {
    let mut bed = Bed::new().await;
    bed.shared.world().fails_after = Some(2);
    bed.ask(Proceed, halves());
    bed.settle().await;
    assert_eq!(bed.stage(), AgentStage::RolledBack);
    assert!(bed.error().contains("nvmlTold"), "{}", bed.error());
    assert!(bed.shared.world().gpus[0].instances.is_empty());
}

#[tokio::test]
async fn a_reboot_brings_back_what_is_still_wanted_and_nothing_else() {
    for (wanted, layout) in [(true, "2x3g.20gb"), (false, "no slices")] {
        let mut bed = Bed::new().await;
        bed.ask(Proceed, halves());
        bed.settle().await;
        let mut asked = spec(Proceed, halves());
        asked.operation = None;
        asked.target = asked.target.filter(|_| wanted);
        bed.api.set_spec(&asked);
        bed.hear();
        bed.look().await;
        bed.shared.world().gpus[0].instances.clear();
        std::fs::write(bed.folder.path().join("boot_id"), "second\n").unwrap();
        bed.restart();
        bed.settle().await;
        assert_eq!(bed.said().summary.layout, layout);
        assert_eq!(bed.said().boot_id, "second");
    }
}
