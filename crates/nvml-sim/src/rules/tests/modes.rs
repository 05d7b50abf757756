//! MIG mode, reset and reboot.

use super::*;

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
    let (reset, reboot) = (Some(Until::Reset), Some(Until::Reboot));
    let table = [
        // (product, busy, stuck until, expected, current and pending mode afterwards)
        (A100, false, None, done, (true, true)),
        (A100, true, None, busy, (false, true)),
        (A100, false, reset, busy, (false, true)),
        (A100, false, reboot, stuck, (false, true)),
        (H100, false, None, done, (true, true)),
        (H100, true, None, Err(Code::InUse), (false, false)),
        (H100, false, reboot, stuck, (false, true)),
    ];
    for (product, is_busy, until, expected, after) in table {
        let mut state = node(product);
        state.gpus[0].mode_stuck = until;
        if is_busy {
            attach(&mut state, 0, process(7, None)).unwrap();
        }
        let what = format!("{product}, busy {is_busy}, stuck {until:?}");
        assert_eq!(set_mig_mode(&mut state, 0, true), expected, "{what}");
        assert_eq!(mode(&state), after, "{what}");
    }
}

#[test]
fn every_product_without_mig_refuses_the_mode_and_has_none() {
    let without: Vec<_> = products::ALL
        .iter()
        .filter(|product| product.mig.is_none())
        .collect();
    assert_eq!(without.len(), 3);
    for product in without {
        let mut state = node(product.key);
        assert_eq!(state.gpus[0].mig_mode, None, "{}", product.key);
        for enable in [true, false] {
            let answer = set_mig_mode(&mut state, 0, enable);
            assert_eq!(answer, Err(Code::NotSupported), "{}", product.key);
        }
    }
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
fn a_mode_that_is_stuck_takes_effect_at_a_reset_or_only_at_a_reboot() {
    for (until, after_reset) in [(Until::Reset, true), (Until::Reboot, false)] {
        let mut state = node(A100);
        state.gpus[0].mode_stuck = Some(until);
        set_mig_mode(&mut state, 0, true).unwrap();
        assert_eq!(reset(&mut state, 0), Ok(()));
        assert_eq!(mode(&state), (after_reset, true), "{until:?}");
        reboot(&mut state);
        assert_eq!(mode(&state), (true, true), "{until:?}");
    }
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
