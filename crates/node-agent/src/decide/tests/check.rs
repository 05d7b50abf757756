//! Targets that can be had, and those that cannot.

use crds::gpu_node::{GpuStatus, MigMode, Target};

use crate::decide;
use crate::world::{a100, at, cut, t4, target};

fn check(gpus: &[GpuStatus], target: &Target) -> Result<(), String> {
    decide::check(gpus, target, Ok(()))
}

/// With one instance of somebody else's.
fn foreign(places: &[(&str, i32)], start: i32) -> GpuStatus {
    let mut gpu = cut(a100("G"), places);
    at(&mut gpu, start).owned = false;
    gpu
}

fn whole() -> GpuStatus {
    let mut gpu = a100("G");
    (gpu.mig.current, gpu.mig.pending) = (MigMode::Disabled, MigMode::Disabled);
    gpu
}

#[test]
fn a_target_that_cannot_be_had_is_refused_and_the_words_say_why() {
    type Places = &'static [(&'static str, i32)];
    let rows: [(&str, GpuStatus, Places, Option<&str>); 15] = [
        (
            "an empty GPU is cut",
            a100("G"),
            &[("3g.20gb", 4), ("1g.5gb", 0)],
            None,
        ),
        ("a whole GPU is cut", whole(), &[("7g.40gb", 0)], None),
        ("a GPU without MIG stays whole", t4("G"), &[], None),
        (
            "other GPUs do not matter",
            a100("H"),
            &[],
            Some("is not on this node any more"),
        ),
        (
            "no MIG",
            t4("G"),
            &[("1g.5gb", 0)],
            Some("Tesla T4 has no MIG"),
        ),
        (
            "unknown profile",
            a100("G"),
            &[("1g.10gb", 0)],
            Some("offers no 1g.10gb; it offers 1g.5gb, 2g"),
        ),
        (
            "unknown place",
            a100("G"),
            &[("3g.20gb", 2)],
            Some("3g.20gb cannot stand at slice 2, only at 0, 4"),
        ),
        (
            "the last is not forgotten",
            a100("G"),
            &[("3g.20gb", 0), ("1g.5gb", 7)],
            Some("1g.5gb cannot stand at slice 7"),
        ),
        (
            "two share slices",
            a100("G"),
            &[("4g.20gb", 0), ("1g.5gb", 3)],
            Some("4g.20gb at slice 0 and 1g.5gb at slice 3 would share slices"),
        ),
        (
            "one twice",
            a100("G"),
            &[("1g.5gb", 3), ("1g.5gb", 3)],
            Some("would share slices"),
        ),
        (
            "a foreign one beside",
            foreign(&[("1g.5gb", 0)], 0),
            &[("3g.20gb", 4)],
            None,
        ),
        (
            "a foreign one that is wanted",
            foreign(&[("1g.5gb", 0)], 0),
            &[("1g.5gb", 0)],
            None,
        ),
        (
            "a foreign one in the way",
            foreign(&[("1g.5gb", 1)], 1),
            &[("2g.10gb", 0)],
            Some(
                "2g.10gb at slice 0 cannot be made: 1g.5gb at slice 1 stands there, made by somebody else; set mig.adopt",
            ),
        ),
        (
            "a foreign one that reaches in",
            foreign(&[("3g.20gb", 0)], 0),
            &[("1g.5gb", 3)],
            Some("3g.20gb at slice 0 stands there"),
        ),
        (
            "a foreign one and no MIG",
            foreign(&[("1g.5gb", 0)], 0),
            &[],
            Some("MIG mode cannot be switched: 1g.5gb at slice 0 was made by somebody else"),
        ),
    ];
    for (name, gpu, places, wrong) in rows {
        let answer = check(std::slice::from_ref(&gpu), &target("G", places));
        match wrong {
            None => assert_eq!(answer, Ok(()), "{name}"),
            Some(wrong) => {
                let said = answer.unwrap_err();
                assert!(said.contains(wrong), "{name}: {said}");
            }
        }
        let mut adopting = target("G", places);
        adopting.adopt = true;
        let is_foreign = gpu.instances.iter().any(|it| !it.owned);
        assert!(!is_foreign || check(&[gpu], &adopting).is_ok(), "{name}");
    }
}

#[test]
fn an_instance_that_is_no_device_is_not_what_is_wanted() {
    let mut gpu = foreign(&[("1g.5gb", 0)], 0);
    at(&mut gpu, 0).uuid = None;
    let refused = |gpu: &GpuStatus| {
        let gpus = std::slice::from_ref(gpu);
        check(gpus, &target("G", &[("1g.5gb", 0)])).unwrap_err()
    };
    let said = refused(&gpu);
    assert!(said.contains("made by somebody else"), "{said}");
    at(&mut gpu, 0).parts = vec!["MIG-part".to_owned()];
    let said = refused(&gpu);
    assert!(said.contains("divided by somebody else"), "{said}");
}

#[test]
fn a_switch_that_somebody_left_pending_is_no_reason_to_refuse() {
    let mut gpu = foreign(&[("1g.5gb", 0)], 0);
    gpu.mig.pending = MigMode::Disabled;
    let beside = target("G", &[("3g.20gb", 4)]);
    assert_eq!(check(&[gpu], &beside), Ok(()));
}

#[test]
fn without_a_list_of_profiles_the_driver_has_the_last_word() {
    let mut gpu = whole();
    gpu.profiles.clear();
    assert_eq!(check(&[gpu], &target("G", &[("9g.90gb", 3)])), Ok(()));
}

#[test]
fn too_many_of_a_profile_are_refused_although_their_places_are_free() {
    let mut gpu = a100("G");
    gpu.profiles[0].max = 2;
    let three = [("1g.5gb", 0), ("1g.5gb", 1), ("1g.5gb", 2)];
    let said = check(&[gpu], &target("G", &three)).unwrap_err();
    assert!(
        said.contains("3 instances of 1g.5gb are wanted, and the GPU takes 2"),
        "{said}"
    );
}

#[test]
fn a_driver_that_does_not_say_what_it_offers_is_no_reason_to_begin() {
    let small = target("G", &[("1g.5gb", 0)]);
    let mut gpu = a100("G");
    gpu.profiles[0].placements.clear();
    let said = check(std::slice::from_ref(&gpu), &small).unwrap_err();
    assert!(said.ends_with("the driver tells no place at which 1g.5gb may stand"));
    gpu.profiles.clear();
    let said = check(std::slice::from_ref(&gpu), &small).unwrap_err();
    assert!(said.contains("MIG mode is on, and the driver offers no profile"));
    gpu.mig = whole().mig;
    assert_eq!(
        check(&[gpu], &small),
        Ok(()),
        "it may tell when the mode is on"
    );
}
