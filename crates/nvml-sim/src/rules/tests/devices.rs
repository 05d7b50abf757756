//! Compute instances, the processes on them, and what is in use.

use super::*;

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
        crate::rules::compute_instance(&state.gpus[0], serial)
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
fn every_profile_can_be_filled_and_be_divided_into_single_slices() {
    let products = products::ALL.iter().filter(|product| product.mig.is_some());
    for (product, profile) in products
        .flat_map(|product| {
            product
                .mig
                .iter()
                .map(move |mig| (product.key, mig.profiles))
        })
        .flat_map(|(product, profiles)| profiles.iter().map(move |profile| (product, profile)))
    {
        let what = format!("{product} {}", profile.name);
        let mut state = mig_node(product);
        let (gi, whole) = create_device(&mut state, profile.name);
        let slices = |state: &State| {
            let computes = state.gpus[0].compute_instances();
            computes.count()
        };
        assert_eq!(slices(&state), 1, "{what}");
        destroy_compute_instance(&mut state, 0, whole).unwrap();
        while create_compute_instance(&mut state, 0, gi, 0, None).is_ok() {}
        assert_eq!(slices(&state), profile.compute_slices as usize, "{what}");
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
