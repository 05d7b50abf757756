//! From any state that the objects can be in, however they came to be in it, the node settles.

use crds::gpu_node::{
    AgentOperation, AgentStage, ChangeClass, MaintenanceStatus, Operation, OperationResult,
    OperationSnapshot, OperationStage, Outcome, Phase,
};
use crds::policy::{DrainSettings, OnWindowClose};
use proptest::prelude::*;

use super::fixtures::{self, AFTER, BEFORE, OTHER};
use super::properties::{check_settled, more_cases, settles};
use super::world::{Want, World};
use crate::conditions;

type Layout = &'static [(&'static str, i32)];

#[derive(Clone, Debug)]
struct Anywhere {
    phase: Phase,
    ids: [i64; 4],
    deadline: Option<i64>,
    outcome: Option<OperationResult>,
    is_operating: bool,
    target: Option<Layout>,
    verified: Option<Layout>,
    asked: Option<OperationStage>,
    answered: Option<AgentStage>,
    gpu: Layout,
    /// Marked and tainted, remembers an earlier cordon, unschedulable, written by us.
    node: [bool; 4],
    want: Want,
}

fn layout() -> impl Strategy<Value = Layout> {
    prop_oneof![Just(BEFORE), Just(AFTER), Just(OTHER)]
}

fn phase() -> impl Strategy<Value = Phase> {
    prop::sample::select(vec![
        Phase::Unmanaged,
        Phase::InSync,
        Phase::Pending,
        Phase::Preparing,
        Phase::Cordoning,
        Phase::WaitingJobs,
        Phase::Draining,
        Phase::Repartitioning,
        Phase::RollingBack,
        Phase::Validating,
        Phase::Uncordoning,
        Phase::Releasing,
        Phase::Quarantined,
    ])
}

fn anywhere() -> impl Strategy<Value = Anywhere> {
    let results = prop::sample::select(vec![
        OperationResult::Succeeded,
        OperationResult::Released,
        OperationResult::Failed,
        OperationResult::RolledBack,
        OperationResult::Quarantined,
    ]);
    let asked = prop::sample::select(vec![
        OperationStage::Prepare,
        OperationStage::Proceed,
        OperationStage::Abort,
    ]);
    let answered = prop::sample::select(vec![
        AgentStage::Ready,
        AgentStage::Refused,
        AgentStage::Destroying,
        AgentStage::Creating,
        AgentStage::Done,
        AgentStage::RolledBack,
        AgentStage::Failed,
    ]);
    let want = prop_oneof![
        4 => layout().prop_map(Want::Layout),
        1 => Just(Want::Nothing),
        1 => Just(Want::Impossible),
    ];
    let ids = prop::array::uniform4(prop_oneof![4 => Just(7_i64), 1 => Just(6), 1 => Just(8)]);
    let status = (
        phase(),
        ids,
        prop::option::of(-100..100_i64),
        prop::option::of(results),
        prop::bool::weighted(0.9),
    );
    let spec = (
        prop::option::weighted(0.9, layout()),
        prop::option::of(layout()),
        prop::option::weighted(0.8, asked),
        prop::option::weighted(0.8, answered),
        layout(),
    );
    let node = prop::array::uniform4(any::<bool>());
    (status, spec, node, want).prop_map(|(status, spec, node, want)| Anywhere {
        phase: status.0,
        ids: status.1,
        deadline: status.2,
        outcome: status.3,
        is_operating: status.4,
        target: spec.0,
        verified: spec.1,
        asked: spec.2,
        answered: spec.3,
        gpu: spec.4,
        node,
        want,
    })
}

fn world(from: &Anywhere) -> World {
    let mut world = World::new();
    let [status_id, asked_id, answered_id, marker] = from.ids;
    world.wants(from.want);
    world.gpu = fixtures::gpu(from.gpu);
    world.pods.clear();
    world.devices.clear();
    for slice in world.gpu.instances.clone() {
        world.bind(&slice.uuid.unwrap());
    }
    world.journal = from.answered.map(|stage| AgentOperation {
        id: answered_id,
        stage,
        beat: conditions::microseconds(world.now),
        error: None,
        previous: Vec::new(),
    });
    world.spec.target = from.target.map(fixtures::target);
    world.spec.operation = from.asked.map(|stage| Operation {
        id: asked_id,
        class: ChangeClass::Devices,
        stage,
    });
    world.maintenance = status(from, status_id, &world);
    let [is_marked, pre_cordoned, unschedulable, ours] = from.node;
    world.admin_keeps_it_cordoned = unschedulable && (!is_marked || pre_cordoned || !ours);
    world.change_node(|node| {
        node.operation = is_marked.then_some(marker);
        node.pre_cordoned = is_marked && pre_cordoned;
        node.unschedulable = unschedulable;
        node.cordon_is_ours = ours;
        node.tainted = is_marked;
    });
    world
}

fn status(from: &Anywhere, id: i64, world: &World) -> MaintenanceStatus {
    let after = |seconds: i64| world.now + jiff::SignedDuration::from_secs(seconds);
    MaintenanceStatus {
        phase: from.phase,
        phase_since: Some(conditions::microseconds(after(-200))),
        waiting_for: Some("something".to_owned()),
        operation_id: id,
        deadline: from
            .deadline
            .map(|seconds| conditions::seconds(after(seconds))),
        outcome: from.outcome.map(|result| Outcome {
            result,
            reason: "Somehow".to_owned(),
            message: "somehow".to_owned(),
        }),
        snapshot: from.is_operating.then(|| OperationSnapshot {
            policy: fixtures::POLICY.to_owned(),
            policy_uid: "policy-uid".to_owned(),
            generation: 1,
            drain: DrainSettings::default(),
            on_window_close: OnWindowClose::Abort,
        }),
        verified: from.verified.map(fixtures::target),
        ..MaintenanceStatus::default()
    }
}

proptest! {
    #![proptest_config(more_cases())]

    #[test]
    fn from_any_state_the_node_settles_and_no_rule_is_broken(from in anywhere()) {
        let mut world = world(&from);
        settles(&mut world);
        check_settled(&mut world);
    }
}
