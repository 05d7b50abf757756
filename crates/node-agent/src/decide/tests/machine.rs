//! The machine from any state, with a step that fails anywhere: it ends, at the target or where it began, and what is
//! not ours is as it was.

use crds::gpu_node::{GpuStatus, MigInstance, MigMode, MigTarget, PlacedProfile, Target};
use proptest::prelude::*;

use crate::decide::{Move, check, layout, next_move};
use crate::journal::{Stage, Task};
use crate::world::{World, a100, at, cut, holder, target};

/// More moves than any operation on one GPU can need: 8 instances go and 8 come, twice, in two steps each.
const MOVES: usize = 100;

/// Places of an A100 that share no slice, from any list of them.
fn disjoint(wishes: Vec<(usize, usize)>) -> Vec<PlacedProfile> {
    let gpu = a100("G");
    let mut gpu = World::new(vec![gpu]);
    for (profile, place) in wishes {
        let offer = &gpu.gpus[0].profiles[profile % 5].clone();
        let start = offer.placements[place % offer.placements.len()].start;
        let at = PlacedProfile {
            start,
            profile: offer.name.clone(),
        };
        // A place that is taken is no wish.
        let _ = gpu.take(&crate::decide::Step::CreateInstance {
            gpu: "G".to_owned(),
            at,
        });
    }
    let instances = gpu.gpus[0].instances.iter();
    instances
        .map(|it| PlacedProfile {
            start: it.start,
            profile: it.profile.clone(),
        })
        .collect()
}

pub fn places() -> impl Strategy<Value = Vec<PlacedProfile>> {
    proptest::collection::vec((0..5_usize, 0..7_usize), 0..8).prop_map(disjoint)
}

/// A GPU in any state: mode, instances of ours and of others, whole devices or not; some of others are divided.
pub fn gpu() -> impl Strategy<Value = GpuStatus> {
    let kinds = proptest::collection::vec(any::<(bool, bool, bool)>(), 8);
    (any::<bool>(), any::<bool>(), places(), kinds).prop_map(|(enabled, stuck, places, kinds)| {
        let enabled = enabled || !places.is_empty();
        let mode = |on| {
            if on {
                MigMode::Enabled
            } else {
                MigMode::Disabled
            }
        };
        let names: Vec<_> = places.iter().map(|it| (&*it.profile, it.start)).collect();
        let mut gpu = cut(a100("G"), &names);
        gpu.mig.current = mode(enabled);
        gpu.mig.pending = mode(enabled != (stuck && places.is_empty()));
        for (instance, (owned, whole, divided)) in gpu.instances.iter_mut().zip(kinds) {
            instance.owned = owned;
            instance.uuid = instance.uuid.take().filter(|_| whole);
            if divided && !owned && !whole {
                instance.parts = vec![format!("MIG-part-{}", instance.start)];
            }
        }
        gpu
    })
}

fn wish() -> impl Strategy<Value = Target> {
    (any::<bool>(), any::<bool>(), places()).prop_map(|(enabled, adopt, instances)| {
        let mut target = target("G", &[]);
        target.adopt = adopt;
        let enabled = enabled || !instances.is_empty();
        target.gpus[0].mig = MigTarget { enabled, instances };
        target
    })
}

pub fn begin(gpu: &GpuStatus, target: &Target) -> Task {
    Task {
        id: 7,
        target: target.clone(),
        previous: layout::present(std::slice::from_ref(gpu), target),
        stage: Stage::Clearing,
    }
}

/// Moves until the operation is over; returns the stages.
pub fn run(world: &mut World, task: &mut Task) -> Vec<Stage> {
    let mut stages = vec![task.stage.clone()];
    for _ in 0..MOVES {
        match next_move(task, &world.gpus, Ok(())) {
            Move::Over => return stages,
            Move::Wait(why) => panic!("waits for {why}"),
            Move::Enter(stage) => task.stage = stage,
            Move::Take(step) => {
                let Err(error) = world.take(&step) else {
                    continue;
                };
                task.stage = task.stage.failed(error);
            }
        }
        stages.push(task.stage.clone());
    }
    panic!("does not end: {stages:?} {:?}", world.taken);
}

fn foreign(gpus: &[GpuStatus]) -> Vec<MigInstance> {
    let instances = gpus.iter().flat_map(|gpu| &gpu.instances);
    instances.filter(|it| !it.owned).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn without_a_failure_every_target_that_can_be_had_is_reached(gpu in gpu(), target in wish()) {
        prop_assume!(check(std::slice::from_ref(&gpu), &target, Ok(())).is_ok());
        let mut world = World::new(vec![gpu.clone()]);
        let mut task = begin(&gpu, &target);
        let stages = run(&mut world, &mut task);
        prop_assert_eq!(stages, [Stage::Clearing, Stage::Building, Stage::Done]);
        prop_assert_eq!(plan::change::is_reached(&world.gpus, &target), Ok(()));
        if !target.adopt {
            prop_assert_eq!(foreign(&world.gpus), foreign(&[gpu]));
        }
    }

    #[test]
    fn a_step_that_fails_leads_back_and_what_is_kept_is_never_touched(
        gpu in gpu(), target in wish(), fails_after in 0..20_usize,
    ) {
        prop_assume!(check(std::slice::from_ref(&gpu), &target, Ok(())).is_ok());
        let mut world = World::new(vec![gpu.clone()]);
        world.fails_after = Some(fails_after);
        let mut task = begin(&gpu, &target);
        run(&mut world, &mut task);
        match &task.stage {
            Stage::Done => prop_assert!(world.fails_after.is_some(), "the failure was swallowed"),
            Stage::RolledBack { error } => {
                prop_assert!(error.contains("told to fail"), "{}", error);
                prop_assert_eq!(layout::is_reached(&world.gpus, &task.previous), Ok(()));
            }
            other => prop_assert!(false, "{:?}", other),
        }
        if !target.adopt {
            prop_assert_eq!(foreign(&world.gpus), foreign(std::slice::from_ref(&gpu)));
        }
        // What stands before and is wanted is the same device afterwards, not one like it.
        for kept in gpu.instances.iter().filter(|it| it.uuid.is_some()) {
            let wanted = &target.gpus[0].mig.instances;
            if wanted.iter().any(|it| it.start == kept.start && it.profile == kept.profile) {
                prop_assert!(world.gpus[0].instances.contains(kept));
            }
        }
    }

    #[test]
    fn an_operation_that_is_taken_up_in_any_stage_ends(
        now in gpu(), before in gpu(), target in wish(), undo in any::<bool>(),
    ) {
        let error = "because".to_owned();
        for stage in [
            Stage::Clearing,
            Stage::Building,
            Stage::UndoClearing { error: error.clone() },
            Stage::UndoBuilding { error: error.clone() },
        ] {
            let mut task = begin(if undo { &before } else { &now }, &target);
            task.stage = stage;
            run(&mut World::new(vec![now.clone()]), &mut task);
            prop_assert!(!task.stage.is_under_way());
        }
    }
}

#[test]
fn nothing_is_destroyed_while_nobody_knows_who_holds_what_but_what_is_missing_is_made() {
    let gpu = cut(a100("G"), &[("1g.5gb", 0)]);
    let mut task = begin(&gpu, &target("G", &[("3g.20gb", 4)]));
    let waits = next_move(&task, std::slice::from_ref(&gpu), Err("no kubelet"));
    let Move::Wait(why) = waits else {
        panic!("{waits:?}");
    };
    let said = "did not destroy MIG-G-0, 1g.5gb at slice 0 of GPU G: nobody knows who holds the devices, no kubelet";
    assert_eq!(why, said);
    task.stage = Stage::Building;
    let makes = next_move(&task, &[gpu], Err("no kubelet"));
    assert!(matches!(makes, Move::Take(_)), "{makes:?}");
}

#[test]
fn a_pod_that_comes_back_onto_a_device_that_goes_turns_the_operation_round() {
    let mut gpu = cut(a100("G"), &[("1g.5gb", 0), ("1g.5gb", 1)]);
    let task = begin(&gpu, &target("G", &[("3g.20gb", 4)]));
    gpu.holders.push(holder("a", "MIG-G-1"));
    let first = next_move(&task, std::slice::from_ref(&gpu), Ok(()));
    assert!(matches!(first, Move::Take(_)), "{first:?}");
    gpu.holders.push(holder("b", "MIG-G-0"));
    let turns = next_move(&task, &[gpu], Ok(()));
    let Move::Enter(Stage::UndoClearing { error }) = turns else {
        panic!("{turns:?}");
    };
    assert!(error.ends_with(": pod default/b holds MIG-G-0"), "{error}");
}

#[test]
fn an_adopted_instance_goes_with_its_parts_unless_somebody_is_on_one() {
    let mut gpu = cut(a100("G"), &[("3g.20gb", 0)]);
    let theirs = at(&mut gpu, 0);
    (theirs.uuid, theirs.owned) = (None, false);
    theirs.parts = vec!["MIG-a".to_owned(), "MIG-b".to_owned()];
    let mut target = target("G", &[("7g.40gb", 0)]);
    target.adopt = true;
    let task = begin(&gpu, &target);
    let goes = next_move(&task, std::slice::from_ref(&gpu), Ok(()));
    assert!(matches!(goes, Move::Take(_)), "{goes:?}");
    gpu.holders.push(holder("b", "MIG-b"));
    let turns = next_move(&task, &[gpu], Ok(()));
    let Move::Enter(Stage::UndoClearing { error }) = turns else {
        panic!("{turns:?}");
    };
    assert!(error.ends_with(": pod default/b holds MIG-b"), "{error}");
}

#[test]
fn what_somebody_had_divided_comes_back_as_one_device_and_that_is_told() {
    let mut gpu = cut(a100("G"), &[("1g.5gb", 0), ("3g.20gb", 4)]);
    let theirs = at(&mut gpu, 4);
    (theirs.uuid, theirs.owned) = (None, false);
    theirs.parts = vec!["MIG-a".to_owned()];
    let mut target = target("G", &[("7g.40gb", 0)]);
    target.adopt = true;
    // It goes with the third step, and nothing is made anew before the fourth.
    for (fails_after, stands) in [(1, true), (2, true), (3, false), (4, false)] {
        let mut world = World::new(vec![gpu.clone()]);
        world.fails_after = Some(fails_after);
        let mut task = begin(&gpu, &target);
        run(&mut world, &mut task);
        let Stage::RolledBack { error } = &task.stage else {
            panic!("{fails_after}: {task:?}");
        };
        let told = "of GPU G: 3g.20gb at slice 4, which somebody else had made with MIG-a in it, is one device now";
        assert_eq!(error.contains(told), !stands, "{fails_after}: {error}");
        let back = at(&mut world.gpus[0], 4);
        assert_eq!(back.parts.is_empty(), !stands, "{fails_after}");
        assert_eq!(back.uuid.is_some(), !stands, "{fails_after}");
    }
}

#[test]
fn what_is_left_of_an_adopted_instance_is_filled_where_it_stands() {
    let mut gpu = cut(a100("G"), &[("3g.20gb", 4)]);
    let theirs = at(&mut gpu, 4);
    (theirs.uuid, theirs.owned) = (None, false);
    theirs.parts = vec!["MIG-a".to_owned()];
    let mut task = begin(&gpu, &target("G", &[]));
    task.stage = task.stage.failed("it is in use".to_owned());
    // Emptied, and ours by that.
    let left = at(&mut gpu, 4);
    left.parts.clear();
    left.owned = true;
    let mut world = World::new(vec![gpu]);
    run(&mut world, &mut task);
    assert_eq!(world.taken.len(), 1, "{:?}", world.taken);
    assert!(at(&mut world.gpus[0], 4).uuid.is_some());
}

#[test]
fn a_failure_on_the_way_back_is_the_end_and_both_reasons_are_told() {
    let gpu = cut(a100("G"), &[("1g.5gb", 0)]);
    let mut task = begin(&gpu, &target("G", &[("3g.20gb", 4)]));
    let mut world = World::new(vec![gpu]);
    let Move::Take(step) = next_move(&task, &world.gpus, Ok(())) else {
        panic!("destroys first");
    };
    world.take(&step).unwrap();
    task.stage = task.stage.failed("the first".to_owned());
    world.fails_after = Some(0);
    run(&mut world, &mut task);
    let Stage::Failed { error } = &task.stage else {
        panic!("{task:?}");
    };
    assert!(
        error.starts_with("the first; going back failed too: cannot create"),
        "{error}"
    );
}

#[test]
fn a_gpu_that_is_gone_turns_the_operation_round_and_then_ends_it() {
    let gpu = cut(a100("G"), &[("1g.5gb", 0)]);
    let mut task = begin(&gpu, &target("G", &[("3g.20gb", 4)]));
    run(&mut World::new(vec![a100("H")]), &mut task);
    let said = "GPU G is not on this node any more";
    assert_eq!(
        task.stage,
        Stage::Failed {
            error: format!("{said}; going back failed too: {said}")
        }
    );
}

#[test]
fn what_stands_half_where_it_was_is_filled_on_the_way_back() {
    let mut gpu = cut(a100("G"), &[("1g.5gb", 0)]);
    let mut task = begin(&gpu, &target("G", &[]));
    at(&mut gpu, 0).uuid = None;
    task.stage = task.stage.failed("it is in use".to_owned());
    let mut world = World::new(vec![gpu]);
    run(&mut world, &mut task);
    assert_eq!(world.taken.len(), 1, "{:?}", world.taken);
}
