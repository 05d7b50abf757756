//! The MPS daemon in an operation, and without one.

use crds::gpu_node::{GpuStatus, MigMode, PreviousGpu, Target};

use super::super::{Move, Step, layout, mps, next_move};
use crate::journal::{Record, Stage, Task};
use crate::world::{World, a100, cut, holder, served, t4, target};

fn task(gpus: &[GpuStatus], target: &Target) -> Task {
    Task {
        id: 1,
        target: target.clone(),
        previous: layout::present(gpus, target),
        stage: Stage::Clearing,
    }
}

/// Goes on to the end: the names of the steps, and the last stage.
fn goes(world: &mut World, mut task: Task) -> (Vec<&'static str>, Stage) {
    let mut names = Vec::new();
    for _ in 0..100 {
        match next_move(&task, &world.gpus, Ok(())) {
            Move::Take(step) => match world.take(&step) {
                Ok(_) => names.push(step.name()),
                Err(why) => task.stage = task.stage.failed(why),
            },
            Move::Enter(stage) => task.stage = stage,
            Move::Wait(why) => panic!("waits: {why}"),
            Move::Over => return (names, task.stage),
        }
    }
    panic!("does not end: {names:?}")
}

/// Not cut any more.
fn plain(uuid: &str) -> GpuStatus {
    let mut gpu = a100(uuid);
    (gpu.mig.current, gpu.mig.pending) = (MigMode::Disabled, MigMode::Disabled);
    gpu
}

#[test]
fn mps_is_stopped_before_anything_else_and_started_after_it() {
    let halves = target("G", &[("3g.20gb", 0)]);
    let slices = cut(a100("G"), &[("1g.5gb", 0)]);
    let mut four = plain("G");
    four.mps = Some(served("G", 4).gpus[0].sharing.clone());
    for (gpu, target, steps) in [
        (plain("G"), served("G", 4), vec!["start_mps"]),
        (four.clone(), served("G", 2), vec!["stop_mps", "start_mps"]),
        (four.clone(), target("G", &[]), vec!["stop_mps"]),
        (four.clone(), served("G", 4), vec![]),
        (
            slices,
            served("G", 4),
            vec![
                "destroy_compute_instance",
                "destroy_gpu_instance",
                "set_mode",
                "start_mps",
            ],
        ),
        (
            four,
            halves,
            vec![
                "stop_mps",
                "set_mode",
                "create_gpu_instance",
                "create_compute_instance",
            ],
        ),
    ] {
        let mut world = World::new(vec![gpu]);
        let task = task(&world.gpus, &target);
        assert_eq!(goes(&mut world, task), (steps, Stage::Done));
        let wanted = target.gpus[0].through_mps();
        assert_eq!(world.gpus[0].mps.as_ref(), wanted);
    }
}

#[test]
fn a_failure_leads_back_to_the_daemon_from_before_or_to_none() {
    let before = served("G", 4).gpus[0].sharing.clone();
    let mut four = plain("G");
    four.mps = Some(before.clone());
    for (gpu, target, fails_after, steps) in [
        (plain("G"), served("G", 2), 0, vec![]),
        (four.clone(), served("G", 2), 0, vec![]),
        (
            four.clone(),
            served("G", 2),
            1,
            vec!["stop_mps", "start_mps"],
        ),
        (
            four,
            target("G", &[("3g.20gb", 0)]),
            2,
            vec!["stop_mps", "set_mode", "set_mode", "start_mps"],
        ),
    ] {
        let served_before = gpu.mps.clone();
        let mut world = World::new(vec![gpu]);
        world.fails_after = Some(fails_after);
        let task = task(&world.gpus, &target);
        let (taken, stage) = goes(&mut world, task);
        assert_eq!(taken, steps);
        assert!(matches!(stage, Stage::RolledBack { .. }), "{stage:?}");
        assert_eq!(world.gpus[0].mps, served_before);
    }
}

#[test]
fn a_pod_on_a_gpu_keeps_the_daemon_as_it_is() {
    let mut four = plain("G");
    four.mps = Some(served("G", 4).gpus[0].sharing.clone());
    for (mut gpu, wanted) in [(four, target("G", &[])), (plain("G"), served("G", 4))] {
        gpu.holders = vec![holder("a", "G")];
        let mut world = World::new(vec![gpu]);
        let task = task(&world.gpus, &wanted);
        let (taken, stage) = goes(&mut world, task);
        assert_eq!(taken, Vec::<&str>::new());
        let error = stage.error().unwrap();
        assert!(error.contains("pod default/a holds G"), "{error}");
    }
}

#[test]
fn what_was_verified_is_served_by_every_agent_except_during_an_operation() {
    let mut gpus = [t4("G"), t4("H")];
    gpus[1].index = 1;
    let known = |uuid: &str| layout::wanted(&served(uuid, 4));
    let mut record = Record::new();
    record.verified = [known("H"), known("G"), known("gone")].concat();
    let uuids = |record: &Record| {
        let served = mps::verified(record, &gpus)?;
        Some(served.into_iter().map(|it| it.gpu).collect::<Vec<_>>())
    };
    let both = Some(vec!["G".to_owned(), "H".to_owned()]);
    assert_eq!(uuids(&record), both);
    let error = String::new;
    for (stage, expected) in [
        (Stage::Intended, both.clone()),
        (Stage::Clearing, None),
        (Stage::Building, None),
        (Stage::UndoClearing { error: error() }, None),
        (Stage::UndoBuilding { error: error() }, None),
        (Stage::Done, both.clone()),
        (Stage::RolledBack { error: error() }, both),
        (Stage::Failed { error: error() }, None),
    ] {
        record.operation = Some(Task {
            stage,
            ..task(&gpus, &target("G", &[]))
        });
        assert_eq!(uuids(&record), expected, "{:?}", record.operation);
    }
    assert_eq!(mps::verified(&Record::new(), &gpus), Some(vec![]));
}

#[test]
fn a_gpu_that_is_cut_is_served_by_nobody() {
    let layout: Vec<PreviousGpu> = layout::wanted(&served("G", 4));
    assert_eq!(mps::starting(&[a100("G")], &layout), None);
    let mut pending = plain("G");
    pending.mig.pending = MigMode::Enabled;
    assert_eq!(mps::starting(&[pending], &layout), None);
    assert!(matches!(
        mps::starting(&[plain("G")], &layout),
        Some(Step::StartMps { .. })
    ));
}

#[test]
fn a_target_with_mps_is_refused_where_it_cannot_be_had() {
    let four = served("G", 4);
    assert_eq!(mps::check(&four, Ok(())), Ok(()));
    assert_eq!(mps::check(&target("G", &[]), Err("no")), Ok(()));
    assert_eq!(mps::check(&four, Err("no")), Err("no".to_owned()));
    let mut two = four.clone();
    two.gpus.extend(served("H", 2).gpus);
    let refused = mps::check(&two, Ok(())).unwrap_err();
    assert!(refused.contains("one activeThreadPercentage"), "{refused}");
    let mut old = four;
    old.gpus[0].sharing.mps = None;
    let refused = mps::check(&old, Ok(())).unwrap_err();
    assert!(refused.contains("update the operator"), "{refused}");
}

#[test]
fn the_daemon_is_told_the_limits_of_each_gpu_by_its_index() {
    let mut other = t4("H");
    other.index = 1;
    let mut layout = layout::wanted(&served("G", 4));
    layout.extend(layout::wanted(&served("H", 4)));
    let Some(Step::StartMps { gpus }) = mps::starting(&[other, t4("G")], &layout) else {
        panic!("starts nothing");
    };
    let setup = mps::setup(&gpus).unwrap();
    assert_eq!(setup.gpus, ["G", "H"]);
    assert_eq!(setup.limits.active_thread_percentage, 25);
    assert_eq!(setup.limits.memory_mib, [(0, 3_840), (1, 3_840)].into());
    assert_eq!(mps::setup(&[]), None);
}
