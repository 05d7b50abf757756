//! Where GPU instances go, and a walk over every layout that a GPU can have.

use super::*;

/// Profile and start.
type At = (&'static str, u32);
/// What exists, what is wanted, what is answered.
type Row = (&'static [At], At, Result<(), Code>);
type Profiles = &'static [&'static str];
/// Starts and profile ids.
type Layout = &'static [(u32, u32)];

#[test]
fn placements_are_refused_for_the_right_reason() {
    let fits = Ok(());
    let full = Err(Code::InsufficientResources);
    let wrong = Err(Code::InvalidArgument);
    let table: &[Row] = &[
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
    refuses(A100, table);
}

fn refuses(product: &str, table: &[Row]) {
    for (existing, (profile, start), expected) in table {
        let mut state = mig_node(product);
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

#[test]
fn media_engines_are_shared_out_once() {
    let fits = Ok(());
    let full = Err(Code::InsufficientResources);
    let table: &[Row] = &[
        // All media engines leave room for instances without any, of both sizes, and for no other.
        (&[("1g.24gb+me.all", 0)], ("1g.24gb-me", 3), fits),
        (&[("1g.24gb+me.all", 0)], ("2g.48gb-me", 6), fits),
        (&[("1g.24gb+me.all", 0)], ("1g.24gb", 3), full),
        (&[("1g.24gb+me.all", 0)], ("1g.24gb+gfx", 3), full),
        (&[("1g.24gb+me.all", 0)], ("1g.24gb+me", 3), full),
        (&[("1g.24gb+me.all", 0)], ("2g.48gb+me.all", 6), full),
        (&[("1g.24gb-me", 0)], ("2g.48gb+me.all", 6), fits),
        (&[("1g.24gb", 0)], ("2g.48gb+me.all", 6), full),
        (&[("1g.24gb+me", 0)], ("1g.24gb+gfx", 3), fits),
        (&[("1g.24gb+me", 0)], ("1g.24gb+me", 3), full),
        // Placements are in twelfths.
        (&[], ("1g.24gb", 1), Err(Code::InvalidArgument)),
        (&[("1g.24gb", 3)], ("2g.48gb", 0), full),
    ];
    refuses("RTX-PRO-6000", table);
    // One optical flow accelerator, so one instance with media engines, whatever its size.
    let table: &[Row] = &[
        (&[("1g.6gb+me", 0)], ("2g.12gb+me", 2), full),
        (&[("2g.12gb+me", 0)], ("1g.6gb+me", 3), full),
        (&[("1g.6gb+me", 0)], ("2g.12gb", 2), fits),
    ];
    refuses("A30", table);
}

/// Every layout that any sequence of creations can reach: nothing is given away twice, and the driver says exactly what
/// would fit. One product of each shape; the numbers of layouts were counted by other means too.
#[test]
fn no_sequence_of_creations_and_destructions_makes_instances_overlap() {
    for (product, layouts) in [(A100, 2_319), ("A30", 76), ("RTX-PRO-6000", 717)] {
        let empty = mig_node(product);
        let mut seen = BTreeSet::from([layout(&empty)]);
        let mut next = VecDeque::from([empty]);
        while let Some(state) = next.pop_front() {
            for profile in mig(&state).profiles {
                for after in grown(&state, profile) {
                    if seen.insert(layout(&after)) {
                        next.push_back(after);
                    }
                }
            }
        }
        assert_eq!(seen.len(), layouts, "{product}");
    }
}

/// The states after one more instance of `profile`, at each start that the driver accepts.
fn grown(state: &State, profile: &Profile) -> Vec<State> {
    let mut fitting = Vec::new();
    for start in profile.starts {
        let mut after = state.clone();
        let created = create_gpu_instance(&mut after, 0, profile.id, Some(*start));
        let at = (layout(state), profile.name, start);
        assert_eq!(
            created.is_ok(),
            may_stand(state, profile.id, *start),
            "{at:?}"
        );
        let Ok(serial) = created else { continue };
        after.check().unwrap();
        fitting.push(after.clone());
        destroy_gpu_instance(&mut after, 0, serial).unwrap();
        assert_eq!(layout(&after), layout(state));
    }
    let capacity = remaining_capacity(&state.gpus[0], mig(state), profile) as usize;
    let chosen = create_gpu_instance(&mut state.clone(), 0, profile.id, None);
    let said = (capacity > 0, chosen.is_ok());
    let fits = !fitting.is_empty();
    assert_eq!(
        said,
        (fits, fits),
        "{} in {:?}",
        profile.name,
        layout(state)
    );
    assert!(capacity <= fitting.len());
    fitting
}

/// By counting slice by slice and by names, unlike the rule: would one more instance be within every limit?
fn may_stand(state: &State, profile_id: u32, start: u32) -> bool {
    let mig = mig(state);
    let mut all = layout(state);
    all.push((start, profile_id));
    let profile = |id| mig.by_id(id).unwrap();
    let mut owners = [0; 12];
    for (start, id) in &all {
        for slice in *start..*start + profile(*id).memory_slices {
            owners[slice as usize] += 1;
        }
    }
    let compute: u32 = all.iter().map(|(_, id)| profile(*id).compute_slices).sum();
    let alike = all.iter().filter(|(_, id)| *id == profile_id).count();
    let names = |end: &str| {
        all.iter()
            .filter(|at| profile(at.1).name.ends_with(end))
            .count()
    };
    let media = match names("+me.all") {
        0 => names("+me") <= 1,
        all_of_them => all_of_them == 1 && names("-me") == all.len() - 1,
    };
    owners.iter().all(|count| *count <= 1)
        && compute <= mig.compute_slices
        && alike <= profile(profile_id).max_instances as usize
        && media
}

#[test]
fn without_a_placement_the_driver_leaves_room_for_the_largest() {
    let table: &[(Profiles, Layout)] = &[
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
