//! What is to be done, for everything that may be asked, have been said, and stand in the journal.

use crds::gpu_node::{AgentOperation, AgentStage, ChangeClass, Operation, OperationStage, Target};
use plan::conditions::microseconds;

use crate::decide::{Duty, duty};
use crate::journal::{Stage, Task};

fn asked(id: i64, stage: OperationStage) -> Operation {
    let class = ChangeClass::Gpus;
    Operation { id, class, stage }
}

fn said(id: i64, stage: AgentStage) -> AgentOperation {
    AgentOperation {
        id,
        stage,
        beat: microseconds(jiff::Timestamp::UNIX_EPOCH),
        error: None,
        previous: Vec::new(),
    }
}

fn task(id: i64, stage: Stage) -> Task {
    Task {
        id,
        target: Target::default(),
        previous: Vec::new(),
        stage,
    }
}

fn why() -> String {
    "because".to_owned()
}

#[test]
fn before_anything_is_destroyed_the_operator_decides() {
    use AgentStage::{Creating, Destroying, Done, Failed, Ready, Refused, RolledBack};
    use OperationStage::{Abort, Prepare, Proceed};
    for (stage, answer, due) in [
        (Prepare, None, Duty::Prepare),
        (Prepare, Some((7, Ready)), Duty::Prepare),
        (Prepare, Some((6, Refused)), Duty::Prepare),
        (Prepare, Some((6, Destroying)), Duty::Prepare),
        (Proceed, Some((7, Ready)), Duty::Begin),
        (Proceed, None, Duty::Begin),
        (Abort, Some((7, Ready)), Duty::Abort),
        (Abort, None, Duty::Abort),
        // A word that was given stands.
        (Prepare, Some((7, Refused)), Duty::Idle),
        (Proceed, Some((7, Refused)), Duty::Idle),
        (Abort, Some((7, Refused)), Duty::Idle),
        (Proceed, Some((7, Done)), Duty::Idle),
        (Proceed, Some((7, RolledBack)), Duty::Idle),
        (Proceed, Some((7, Failed)), Duty::Idle),
        // The journal should know of these.
        (Proceed, Some((7, Destroying)), Duty::Lost),
        (Abort, Some((7, Creating)), Duty::Lost),
    ] {
        let answer = answer.map(|(id, stage)| said(id, stage));
        let due_now = duty(Some(&asked(7, stage)), answer.as_ref(), None);
        assert_eq!(due_now, due, "{stage:?} {answer:?}");
    }
    assert_eq!(duty(None, Some(&said(7, Ready)), None), Duty::Idle);
}

#[test]
fn what_is_under_way_is_finished_whatever_is_asked() {
    let ways = [
        Stage::Clearing,
        Stage::Building,
        Stage::UndoClearing { error: why() },
        Stage::UndoBuilding { error: why() },
    ];
    for stage in ways {
        let task = task(7, stage);
        for asked in [
            None,
            Some(asked(7, OperationStage::Abort)),
            Some(asked(8, OperationStage::Prepare)),
        ] {
            assert_eq!(duty(asked.as_ref(), None, Some(&task)), Duty::Continue);
        }
    }
}

#[test]
fn what_is_over_is_said_until_another_operation_is_asked_for() {
    let (error, proceed) = (why(), OperationStage::Proceed);
    let ends = [
        Stage::Done,
        Stage::RolledBack {
            error: error.clone(),
        },
        Stage::Failed { error },
    ];
    for stage in ends {
        let task = Some(&task(7, stage)).cloned();
        let said = said(7, AgentStage::Destroying);
        let same = duty(Some(&asked(7, proceed)), Some(&said), task.as_ref());
        assert_eq!(same, Duty::Idle);
        assert_eq!(duty(None, None, task.as_ref()), Duty::Idle);
        let next = asked(8, OperationStage::Prepare);
        assert_eq!(duty(Some(&next), Some(&said), task.as_ref()), Duty::Prepare);
    }
}

#[test]
fn an_intent_is_an_operation_only_if_the_operator_knows() {
    let intent = task(7, Stage::Intended);
    let due = |stage, said: Option<AgentOperation>| {
        duty(Some(&asked(7, stage)), said.as_ref(), Some(&intent))
    };
    let (proceed, abort) = (OperationStage::Proceed, OperationStage::Abort);
    let known = || Some(said(7, AgentStage::Destroying));
    assert_eq!(due(proceed, known()), Duty::Confirm);
    assert_eq!(due(abort, known()), Duty::Confirm);
    assert_eq!(due(proceed, Some(said(7, AgentStage::Ready))), Duty::Begin);
    assert_eq!(due(abort, Some(said(7, AgentStage::Ready))), Duty::Abort);
    assert_eq!(
        due(proceed, Some(said(6, AgentStage::Destroying))),
        Duty::Begin
    );
}
