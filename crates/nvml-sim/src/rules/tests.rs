//! Tables over the rules, and a walk over every layout that a GPU can have.

use std::collections::{BTreeSet, VecDeque};

use super::{
    Activation, attach, create_compute_instance, create_gpu_instance, destroy_compute_instance,
    destroy_gpu_instance, detach, reboot, remaining_capacity, reset, set_mig_mode,
};
use crate::Code;
use crate::product::{self, Mig, compute_profiles};
use crate::state::{ComputeMode, Process, State};

const A100: &str = "A100-SXM4-40GB";
const H100: &str = "H100-SXM5-80GB";

fn node(product: &str) -> State {
    State::new(1, &[product::find(product).unwrap()])
}

/// A node with one GPU, MIG on.
fn mig_node(product: &str) -> State {
    let mut state = node(product);
    assert_eq!(set_mig_mode(&mut state, 0, true), Ok(Activation::Done));
    state
}

fn mig(state: &State) -> &'static Mig {
    super::mig(&state.gpus[0]).unwrap()
}

/// Creates a GPU instance by name.
fn create(state: &mut State, profile: &str, start: Option<u32>) -> Result<u64, Code> {
    let id = mig(state).by_name(profile).unwrap().id;
    create_gpu_instance(state, 0, id, start)
}

/// Creates a GPU instance with a full compute instance; serials of both.
fn create_device(state: &mut State, profile: &str) -> (u64, u64) {
    let gi = create(state, profile, None).unwrap();
    let whole = compute_profiles(mig(state).by_name(profile).unwrap())
        .last()
        .unwrap()
        .id;
    (
        gi,
        create_compute_instance(state, 0, gi, whole, None).unwrap(),
    )
}

fn uuid_of(state: &State, serial: u64) -> String {
    super::compute_instance(&state.gpus[0], serial)
        .unwrap()
        .1
        .uuid
        .clone()
}

fn process(pid: u32, mig_uuid: Option<String>) -> Process {
    Process {
        pid,
        name: "train".to_owned(),
        memory_mib: 1_000,
        mig_uuid,
    }
}

fn layout(state: &State) -> Vec<(u32, u32)> {
    let mut all: Vec<_> = state.gpus[0]
        .instances
        .iter()
        .map(|gi| (gi.start, gi.profile_id))
        .collect();
    all.sort_unstable();
    all
}

#[test]
fn placements_are_refused_for_the_right_reason() {
    let fits = Ok(());
    let full = Err(Code::InsufficientResources);
    let wrong = Err(Code::InvalidArgument);
    let table: &[(&[(&str, u32)], (&str, u32), Result<(), Code>)] = &[
        (&[], ("3g.20gb", 0), fits),
        (&[("3g.20gb", 0)], ("3g.20gb", 0), full),
        (&[("3g.20gb", 0)], ("3g.20gb", 4), fits),
        (&[], ("3g.20gb", 2), wrong),
        (&[], ("2g.10gb", 6), wrong),
        (&[], ("1g.5gb", 7), wrong),
        (&[("1g.5gb", 5)], ("3g.20gb", 4), full),
        (&[("1g.5gb", 5)], ("7g.40gb", 0), full),
        (&[("4g.20gb", 0), ("3g.20gb", 4)], ("1g.5gb", 6), full),
        // One 1g+me only, though slices are free.
        (&[("1g.5gb+me", 0)], ("1g.5gb+me", 1), full),
        (&[("1g.5gb+me", 0)], ("1g.5gb", 1), fits),
        (&[("1g.10gb", 6)], ("1g.5gb", 6), full),
    ];
    for (existing, (profile, start), expected) in table {
        let mut state = mig_node(A100);
        for (profile, start) in *existing {
            create(&mut state, profile, Some(*start)).unwrap();
        }
        let before = state.clone();
        let result = create(&mut state, profile, Some(*start)).map(drop);
        assert_eq!(
            &result, expected,
            "{profile} at {start} beside {existing:?}"
        );
        assert!(
            result.is_ok() || state == before,
            "{profile} at {start}: a refusal left a trace"
        );
    }
}

#[test]
fn nothing_is_created_without_mig_mode_or_for_an_unknown_profile() {
    assert_eq!(
        create(&mut node(A100), "1g.5gb", None),
        Err(Code::NotSupported)
    );
    assert_eq!(
        create_gpu_instance(&mut node("T4"), 0, 19, None),
        Err(Code::NotSupported)
    );
    assert_eq!(
        create_gpu_instance(&mut mig_node(A100), 0, 99, None),
        Err(Code::InvalidArgument)
    );
    assert_eq!(
        create_gpu_instance(&mut mig_node(A100), 1, 19, None),
        Err(Code::InvalidArgument)
    );
}

/// Every layout that any sequence of creations can reach: none overlaps, and the driver says
/// exactly what would fit.
#[test]
fn no_sequence_of_creations_and_destructions_makes_instances_overlap() {
    let empty = mig_node(A100);
    let mig = mig(&empty);
    let mut seen = BTreeSet::from([layout(&empty)]);
    let mut next = VecDeque::from([empty]);
    while let Some(state) = next.pop_front() {
        for profile in mig.profiles {
            let mut fitting = 0;
            for start in profile.starts {
                let mut after = state.clone();
                let created = create_gpu_instance(&mut after, 0, profile.id, Some(*start));
                assert_eq!(created.is_ok(), may_stand(&state, profile.id, *start));
                let Ok(serial) = created else { continue };
                fitting += 1;
                after.check().unwrap();
                if seen.insert(layout(&after)) {
                    next.push_back(after.clone());
                }
                destroy_gpu_instance(&mut after, 0, serial).unwrap();
                assert_eq!(layout(&after), layout(&state));
            }
            let capacity = remaining_capacity(&state.gpus[0], mig, profile);
            assert_eq!(
                capacity > 0,
                fitting > 0,
                "{} in {:?}",
                profile.name,
                layout(&state)
            );
            assert!(capacity <= fitting);
            let chosen = create_gpu_instance(&mut state.clone(), 0, profile.id, None);
            assert_eq!(
                chosen.is_ok(),
                fitting > 0,
                "{} in {:?}",
                profile.name,
                layout(&state)
            );
        }
    }
    assert!(
        seen.len() > 1_000,
        "the walk ended early: {} layouts",
        seen.len()
    );
}

/// By counting slice by slice, unlike the rule: would one more instance be within every limit?
fn may_stand(state: &State, profile_id: u32, start: u32) -> bool {
    let mig = mig(state);
    let mut all = layout(state);
    all.push((start, profile_id));
    let profile = |id| mig.by_id(id).unwrap();
    let mut owners = [0; 8];
    for (start, id) in &all {
        for slice in *start..*start + profile(*id).memory_slices {
            owners[slice as usize] += 1;
        }
    }
    let compute: u32 = all.iter().map(|(_, id)| profile(*id).compute_slices).sum();
    let alike = all.iter().filter(|(_, id)| *id == profile_id).count();
    owners.iter().all(|count| *count <= 1)
        && compute <= 7
        && alike <= profile(profile_id).max_instances as usize
}

#[test]
fn without_a_placement_the_driver_leaves_room_for_the_largest() {
    let table: &[(&[&str], &[(u32, u32)])] = &[
        // (start, profile id): 3g = 9, 1g = 19, 2g = 14, 4g = 5.
        (&["3g.20gb"], &[(4, 9)]),
        (&["3g.20gb", "4g.20gb"], &[(0, 5), (4, 9)]),
        (&["1g.5gb"], &[(6, 19)]),
        (&["2g.10gb"], &[(4, 14)]),
        (
            &["1g.5gb", "4g.20gb", "2g.10gb"],
            &[(0, 5), (4, 14), (6, 19)],
        ),
        (&["3g.20gb", "3g.20gb"], &[(0, 9), (4, 9)]),
    ];
    for (profiles, expected) in table {
        let mut state = mig_node(A100);
        for profile in *profiles {
            create(&mut state, profile, None).unwrap();
        }
        assert_eq!(layout(&state), *expected, "{profiles:?}");
    }
}

#[test]
fn instance_ids_start_at_one_are_reused_and_the_whole_gpu_is_zero() {
    let mut state = mig_node(A100);
    let first = create(&mut state, "1g.5gb", None).unwrap();
    create(&mut state, "1g.5gb", None).unwrap();
    let ids = |state: &State| {
        state.gpus[0]
            .instances
            .iter()
            .map(|gi| gi.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&state), [1, 2]);
    destroy_gpu_instance(&mut state, 0, first).unwrap();
    create(&mut state, "1g.5gb", None).unwrap();
    assert_eq!(ids(&state), [2, 1]);
    let mut whole = mig_node(A100);
    create(&mut whole, "7g.40gb", None).unwrap();
    assert_eq!(ids(&whole), [0]);
}

#[test]
fn a_device_made_again_has_another_uuid_and_leaves_no_index_behind() {
    let mut state = mig_node(A100);
    let (_, other) = create_device(&mut state, "1g.5gb");
    let (gi, ci) = create_device(&mut state, "3g.20gb");
    let before = uuid_of(&state, ci);
    destroy_compute_instance(&mut state, 0, ci).unwrap();
    destroy_gpu_instance(&mut state, 0, gi).unwrap();
    let (_, again) = create_device(&mut state, "3g.20gb");
    assert_ne!(uuid_of(&state, again), before);
    let index = |serial| {
        super::compute_instance(&state.gpus[0], serial)
            .unwrap()
            .1
            .mig_index
    };
    assert_eq!((index(other), index(again)), (0, 1));
}

#[test]
fn compute_instances_share_out_their_gpu_instance() {
    // Inside a 3g: (existing profile ids, wanted, expected); ids 0 = 1c, 1 = 2c, 2 = 3c.
    let full = Err(Code::InsufficientResources);
    let table: &[(&[u32], u32, Result<(), Code>)] = &[
        (&[], 2, Ok(())),
        (&[2], 0, full),
        (&[1], 0, Ok(())),
        (&[1], 1, full),
        (&[1, 0], 0, full),
        (&[0, 0], 0, Ok(())),
        (&[0, 0, 0], 0, full),
        (&[0], 1, full),
        (&[], 3, Err(Code::InvalidArgument)),
    ];
    for (existing, wanted, expected) in table {
        let mut state = mig_node(A100);
        let gi = create(&mut state, "3g.20gb", None).unwrap();
        for id in *existing {
            create_compute_instance(&mut state, 0, gi, *id, None).unwrap();
        }
        let result = create_compute_instance(&mut state, 0, gi, *wanted, None).map(drop);
        assert_eq!(&result, expected, "{wanted} beside {existing:?}");
        state.check().unwrap();
    }
}

#[test]
fn what_is_in_use_is_not_destroyed() {
    let mut state = mig_node(A100);
    let (gi, ci) = create_device(&mut state, "2g.10gb");
    let uuid = uuid_of(&state, ci);
    attach(&mut state, 0, process(7, Some(uuid))).unwrap();
    assert_eq!(destroy_gpu_instance(&mut state, 0, gi), Err(Code::InUse));
    assert_eq!(
        destroy_compute_instance(&mut state, 0, ci),
        Err(Code::InUse)
    );
    assert_eq!(detach(&mut state, 7), 1);
    assert_eq!(destroy_gpu_instance(&mut state, 0, gi), Err(Code::InUse));
    assert_eq!(destroy_compute_instance(&mut state, 0, ci), Ok(()));
    assert_eq!(destroy_gpu_instance(&mut state, 0, gi), Ok(()));
    assert_eq!(
        destroy_compute_instance(&mut state, 0, ci),
        Err(Code::NotFound)
    );
    assert_eq!(destroy_gpu_instance(&mut state, 0, gi), Err(Code::NotFound));
}

/// (current, pending) of the first GPU.
fn mode(state: &State) -> (bool, bool) {
    let mode = state.gpus[0].mig_mode.unwrap();
    (mode.current, mode.pending)
}

#[test]
fn mig_mode_takes_effect_as_the_architecture_says() {
    let done = Ok(Activation::Done);
    let busy = Ok(Activation::Pending(Code::InUse));
    let stuck = Ok(Activation::Pending(Code::ResetRequired));
    let table = [
        // (product, busy, stuck, expected, current and pending mode afterwards)
        (A100, false, false, done, (true, true)),
        (A100, true, false, busy, (false, true)),
        (A100, false, true, stuck, (false, true)),
        (H100, false, false, done, (true, true)),
        (H100, true, false, Err(Code::InUse), (false, false)),
        (H100, false, true, stuck, (false, true)),
    ];
    for (product, is_busy, is_stuck, expected, after) in table {
        let mut state = node(product);
        state.gpus[0].mode_stuck = is_stuck;
        if is_busy {
            attach(&mut state, 0, process(7, None)).unwrap();
        }
        let what = format!("{product}, busy {is_busy}, stuck {is_stuck}");
        assert_eq!(set_mig_mode(&mut state, 0, true), expected, "{what}");
        assert_eq!(mode(&state), after, "{what}");
    }
    assert_eq!(
        set_mig_mode(&mut node("T4"), 0, true),
        Err(Code::NotSupported)
    );
}

#[test]
fn mig_mode_is_not_turned_off_under_instances() {
    for product in [A100, H100] {
        let mut state = mig_node(product);
        let gi = create_gpu_instance(&mut state, 0, 19, None).unwrap();
        assert_eq!(
            set_mig_mode(&mut state, 0, false),
            Err(Code::InUse),
            "{product}"
        );
        assert_eq!(
            set_mig_mode(&mut state, 0, true),
            Ok(Activation::Done),
            "{product}"
        );
        destroy_gpu_instance(&mut state, 0, gi).unwrap();
        assert_eq!(
            set_mig_mode(&mut state, 0, false),
            Ok(Activation::Done),
            "{product}"
        );
        assert_eq!(mode(&state), (false, false));
    }
}

#[test]
fn a_pending_mode_takes_effect_at_a_reset_which_a_busy_gpu_refuses() {
    let mut state = node(A100);
    attach(&mut state, 0, process(7, None)).unwrap();
    set_mig_mode(&mut state, 0, true).unwrap();
    assert_eq!(reset(&mut state, 0), Err(Code::InUse));
    detach(&mut state, 7);
    assert_eq!(reset(&mut state, 0), Ok(()));
    assert_eq!(mode(&state), (true, true));
    create_device(&mut state, "1g.5gb");
    assert_eq!(reset(&mut state, 0), Ok(()));
    assert_eq!(layout(&state), []);
}

#[test]
fn a_pending_mode_can_be_taken_back() {
    let mut state = node(A100);
    attach(&mut state, 0, process(7, None)).unwrap();
    set_mig_mode(&mut state, 0, true).unwrap();
    assert_eq!(set_mig_mode(&mut state, 0, false), Ok(Activation::Done));
    assert_eq!(mode(&state), (false, false));
}

#[test]
fn a_reboot_ends_everything_that_lives_in_the_driver() {
    for (product, mig_after) in [(A100, true), (H100, false)] {
        let mut state = mig_node(product);
        let gi = create_gpu_instance(&mut state, 0, 9, None).unwrap();
        let ci = create_compute_instance(&mut state, 0, gi, 2, None).unwrap();
        let uuid = uuid_of(&state, ci);
        attach(&mut state, 0, process(7, Some(uuid))).unwrap();
        state.gpus[0].compute_mode = ComputeMode::ExclusiveProcess;
        let before = state.clone();
        reboot(&mut state);
        assert_ne!(state.boot_id, before.boot_id);
        assert_eq!(state.gpus[0].uuid, before.gpus[0].uuid);
        assert_eq!(layout(&state), []);
        assert!(state.gpus[0].processes.is_empty());
        assert_eq!(state.gpus[0].compute_mode, ComputeMode::Default);
        assert_eq!(mode(&state), (mig_after, mig_after), "{product}");
        state.check().unwrap();
    }
}

#[test]
fn processes_need_a_device_that_exists_and_has_the_memory() {
    let mut state = mig_node(A100);
    let (_, ci) = create_device(&mut state, "1g.5gb");
    let uuid = uuid_of(&state, ci);
    let sized = |pid, memory_mib| Process {
        memory_mib,
        ..process(pid, Some(uuid.clone()))
    };
    assert_eq!(attach(&mut state, 0, sized(1, 4_000)), Ok(()));
    assert_eq!(attach(&mut state, 0, sized(2, 1_000)), Err(Code::Memory));
    assert_eq!(attach(&mut state, 0, sized(2, 864)), Ok(()));
    // The same process again: its memory is replaced, not added.
    assert_eq!(attach(&mut state, 0, sized(1, 3_000)), Ok(()));
    assert_eq!(state.gpus[0].processes.len(), 2);
    let nowhere = process(3, Some("MIG-none".to_owned()));
    assert_eq!(attach(&mut state, 0, nowhere), Err(Code::NotFound));
    assert_eq!(detach(&mut state, 99), 0);
}

#[test]
fn a_lost_gpu_answers_nothing_else() {
    let mut state = mig_node(A100);
    state.gpus[0].lost = true;
    assert_eq!(
        create_gpu_instance(&mut state, 0, 19, None),
        Err(Code::GpuIsLost)
    );
    assert_eq!(set_mig_mode(&mut state, 0, false), Err(Code::GpuIsLost));
    assert_eq!(
        attach(&mut state, 0, process(1, None)),
        Err(Code::GpuIsLost)
    );
    assert_eq!(reset(&mut state, 0), Err(Code::GpuIsLost));
}
