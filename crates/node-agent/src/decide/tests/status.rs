//! What is reported.

use crds::gpu_node::{AgentOperation, AgentStage, MigMode};
use jiff::Timestamp;
use plan::reason::Reason;

use crate::decide::status::{Answer, Unready, ready, summary};
use crate::world::{a100, cut, t4};

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// The second of the beat that this stage of operation 7 has now.
fn beat(stage: AgentStage, said: &AgentOperation, now: i64) -> i64 {
    let answer = Answer::new(7, stage, None);
    answer.beating(Some(said), second(now)).beat.0.as_second()
}

#[test]
fn alike_gpus_are_written_once_with_their_number() {
    let halves = |uuid| cut(a100(uuid), &[("3g.20gb", 0), ("3g.20gb", 4)]);
    let mut whole = a100("D");
    whole.mig.current = MigMode::Disabled;
    let gpus = [halves("A"), t4("B"), halves("C"), whole, a100("E")];
    let summary = summary(&gpus);
    assert_eq!(summary.product, "NVIDIA A100-SXM4-40GB, Tesla T4");
    assert_eq!(summary.gpus, 5);
    assert_eq!(
        summary.layout,
        "2x3g.20gb (2 GPUs), whole (2 GPUs), no slices"
    );
}

#[test]
fn a_beat_is_new_when_it_is_due_or_there_is_news_and_an_end_beats_no_more() {
    for (stage, after, expected) in [
        (AgentStage::Ready, 3, 100),
        (AgentStage::Ready, 4, 104),
        (AgentStage::Destroying, 4, 104),
        (AgentStage::Creating, 4, 104),
        (AgentStage::Refused, 999, 100),
        (AgentStage::Done, 999, 100),
        (AgentStage::RolledBack, 999, 100),
        (AgentStage::Failed, 999, 100),
        // A clock that was set back.
        (AgentStage::Ready, -50, 50),
    ] {
        let said = Answer::new(7, stage, None).beating(None, second(100));
        assert_eq!(beat(stage, &said, 100 + after), expected, "{stage:?}");
        let other = Answer::new(6, stage, None).beating(None, second(100));
        assert_eq!(beat(stage, &other, 101), 101, "{stage:?}");
    }
    let said = Answer::new(7, AgentStage::Ready, None).beating(None, second(100));
    assert_eq!(beat(AgentStage::Destroying, &said, 101), 101);
}

#[test]
fn conditions_say_what_is_wrong_and_since_when() {
    let mut conditions = Vec::new();
    let reason = Reason::NoDriver;
    let message = "cannot load it".to_owned();
    ready(
        &mut conditions,
        Some(&Unready { reason, message }),
        second(1),
    );
    assert_eq!(conditions[0].status, "False");
    assert_eq!(
        (&*conditions[0].reason, &*conditions[0].message),
        ("NoDriver", "cannot load it")
    );
    ready(&mut conditions, None, second(2));
    ready(&mut conditions, None, second(3));
    assert_eq!(conditions.len(), 1);
    assert_eq!(conditions[0].status, "True");
    assert_eq!(conditions[0].last_transition_time.0, second(2));
}
