//! Small parts by themselves.

use crds::gpu_node::{AgentOperation, AgentStage, AgentStatus};
use jiff::SignedDuration;

use super::fixtures::start;
use crate::conditions;
use crate::maintenance::{Limits, Pulse, Waiting};
use crate::resolve::ProblemReason;

#[test]
fn the_wait_doubles_up_to_six_hours_and_never_overflows() {
    let limits = Limits::default();
    for (attempts, minutes) in [
        (-1, 0),
        (0, 0),
        (1, 5),
        (2, 10),
        (3, 20),
        (7, 320),
        (8, 360),
        (9, 360),
        (40, 360),
        (i32::MAX, 360),
    ] {
        assert_eq!(
            limits.wait_after(attempts),
            SignedDuration::from_mins(minutes),
            "{attempts}"
        );
    }
}

#[test]
fn an_agent_is_heard_when_its_beat_changes_whatever_its_clock_says() {
    let agent = |beat: i64| AgentStatus {
        operation: Some(AgentOperation {
            id: 1,
            stage: AgentStage::Ready,
            beat: conditions::microseconds(start() + SignedDuration::from_hours(beat)),
            error: None,
            previous: Vec::new(),
        }),
        ..AgentStatus::default()
    };
    let at = |seconds: i64| start() + SignedDuration::from_secs(seconds);
    let mut pulse = Pulse::default();
    assert_eq!(pulse.hear(None, at(0)), at(0));
    assert_eq!(pulse.hear(None, at(9)), at(0));
    assert_eq!(pulse.hear(Some(&agent(-5)), at(10)), at(10));
    assert_eq!(pulse.hear(Some(&agent(-5)), at(50)), at(10));
    assert_eq!(
        pulse.hear(Some(&agent(-6)), at(60)),
        at(60),
        "its clock was set back"
    );
    assert_eq!(
        pulse.hear(Some(&agent(-6)), at(5)),
        at(5),
        "the operator's was"
    );
    assert_eq!(pulse.hear(Some(&agent(-6)), at(9)), at(5));
}

#[test]
fn what_is_in_the_way_on_a_node_is_called_by_its_name() {
    for (problem, waiting) in [
        (ProblemReason::ForeignInstances, "ForeignInstances"),
        (ProblemReason::TooFewGpus, "TooFewGpus"),
        (ProblemReason::Blocked, "PreflightBlocked"),
        (ProblemReason::Conflict, "PolicyInvalid"),
    ] {
        assert_eq!(Waiting::because_of(problem).reason().as_str(), waiting);
    }
}
