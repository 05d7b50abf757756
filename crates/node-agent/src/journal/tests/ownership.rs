//! Which instances are ours.

use crds::gpu_node::{GpuStatus, MigInstance};

use super::file::task;
use crate::decide::Step;
use crate::journal::{Making, Record, Stage};
use crate::world::{a100, at, cut, place};

/// The one instance of GPU `G`, in boot `first`.
fn owns(record: &Record, gpu: &GpuStatus) -> bool {
    record.owns("first", &gpu.uuid, &gpu.instances[0])
}

fn device(uuid: &str) -> Making {
    Making::Device(uuid.to_owned())
}

/// An instance with this MIG device and these parts.
fn instance(uuid: Option<&str>, parts: &[&str]) -> MigInstance {
    let mut gpu = cut(a100("G"), &[("1g.5gb", 0)]);
    let instance = at(&mut gpu, 0);
    instance.uuid = uuid.map(str::to_owned);
    instance.parts = parts.iter().map(|&part| part.to_owned()).collect();
    instance.clone()
}

#[test]
fn an_instance_is_ours_only_as_far_as_we_made_it() {
    let empty = || instance(None, &[]);
    let whole = || instance(Some("MIG-1"), &[]);
    let divided = || instance(None, &["MIG-2"]);
    for (making, found, ours) in [
        (Making::Empty, empty(), true),
        // Somebody was faster: we had not begun to put anything into it.
        (Making::Empty, whole(), false),
        (Making::Empty, divided(), false),
        (Making::Filling, empty(), true),
        (Making::Filling, whole(), true),
        (device("MIG-1"), whole(), true),
        (device("MIG-1"), empty(), true),
        // Somebody has made another in its place.
        (device("MIG-0"), whole(), false),
    ] {
        let mut record = Record::new();
        let case = format!("{making:?} {found:?}");
        record.claim("G", &place("1g.5gb", 0), "first", making);
        assert_eq!(record.owns("first", "G", &found), ours, "{case}");
        // Another boot, GPU, profile or place is another instance.
        assert!(!record.owns("second", "G", &found), "{case}");
        assert!(!record.owns("first", "H", &found), "{case}");
        let moved = MigInstance {
            start: 1,
            ..found.clone()
        };
        assert!(!record.owns("first", "G", &moved), "{case}");
        let wide = MigInstance {
            profile: "2g.10gb".to_owned(),
            ..found
        };
        assert!(!record.owns("first", "G", &wide), "{case}");
    }
}

#[test]
fn an_instance_is_ours_until_somebody_else_makes_one_in_its_place() {
    let at_0 = place("1g.5gb", 0);
    let (gpu_0, at_place) = ("G".to_owned(), at_0.clone());
    let mut gpu = cut(a100("G"), &[("1g.5gb", 0)]);
    let mut record = Record::new();
    assert!(!owns(&record, &gpu), "nothing was made");
    let (gpu_1, at_1) = (gpu_0.clone(), at_place.clone());
    record.begin(
        &Step::CreateInstance {
            gpu: gpu_1,
            at: at_1,
        },
        "first",
    );
    assert!(!owns(&record, &gpu), "we have not filled it");
    record.begin(
        &Step::CreateDevice {
            gpu: gpu_0,
            at: at_place,
        },
        "first",
    );
    assert!(owns(&record, &gpu), "we were about to fill it");
    record.learn("first", std::slice::from_ref(&gpu));
    at(&mut gpu, 0).uuid = None;
    assert!(owns(&record, &gpu), "its compute instance is gone");
    at(&mut gpu, 0).uuid = Some("MIG-other".to_owned());
    assert!(!owns(&record, &gpu), "somebody made it again");
    record.claim("G", &at_0, "first", device("MIG-other"));
    assert!(owns(&record, &gpu), "we made it again");
    assert_eq!(record.made.len(), 1);
    let whole = gpu.clone();
    gpu.instances.clear();
    record.learn("first", std::slice::from_ref(&gpu));
    assert!(owns(&record, &whole), "it may be there again");
    record.forget("G", &at_0);
    assert!(record.made.is_empty(), "we destroyed it");
    record.claim("G", &at_0, "first", device("MIG-other"));
    record.learn("second", &[whole]);
    assert!(record.made.is_empty(), "nothing outlives a reboot");
}

#[test]
fn what_somebody_else_made_is_ours_from_when_we_emptied_it() {
    let mut gpu = cut(a100("G"), &[("1g.5gb", 0)]);
    let mut record = Record::new();
    let (on, at_0) = ("G".to_owned(), place("1g.5gb", 0));
    let device = "MIG-G-0".to_owned();
    record.begin(
        &Step::DestroyDevice {
            gpu: on,
            at: at_0,
            device,
        },
        "first",
    );
    assert!(!owns(&record, &gpu), "it may be refused");
    at(&mut gpu, 0).uuid = None;
    assert!(owns(&record, &gpu));
}

#[test]
fn an_instance_that_was_begun_to_be_destroyed_stays_ours() {
    let gpu = cut(a100("G"), &[("1g.5gb", 0)]);
    let mut record = Record::new();
    record.claim("G", &place("1g.5gb", 0), "first", device("MIG-G-0"));
    let (on, at_0) = ("G".to_owned(), place("1g.5gb", 0));
    let device = "MIG-G-0".to_owned();
    record.begin(
        &Step::DestroyDevice {
            gpu: on,
            at: at_0,
            device,
        },
        "first",
    );
    assert!(owns(&record, &gpu));
}

#[test]
fn a_step_that_ends_the_agent_each_time_is_given_up() {
    let mut record = Record::new();
    let step = Step::SetMode {
        gpu: "G".to_owned(),
        enabled: true,
    };
    for _ in 0..3 {
        assert_eq!(record.may_begin(&step, "first"), Ok(()));
        record.begin(&step, "first");
    }
    let said = record.may_begin(&step, "first").unwrap_err();
    assert!(said.starts_with("the agent has ended 3 times while it was to turn MIG mode"));
    assert_eq!(record.may_begin(&step, "second"), Ok(()), "another boot");
    let other = Step::SetMode {
        gpu: "H".to_owned(),
        enabled: true,
    };
    assert_eq!(record.may_begin(&other, "first"), Ok(()));
    record.begin(&other, "first");
    assert_eq!(record.may_begin(&step, "first"), Ok(()), "it got further");
}

#[test]
fn an_adopting_operation_makes_what_it_keeps_its_own() {
    for adopt in [false, true] {
        let mut gpu = cut(a100("G"), &[("1g.5gb", 0), ("3g.20gb", 4)]);
        at(&mut gpu, 0).owned = false;
        let mut task = task(Stage::Building);
        task.target.adopt = adopt;
        let mut record = Record::new();
        record.finish(&task, "first", std::slice::from_ref(&gpu));
        assert_eq!(record.owns("first", "G", at(&mut gpu, 0)), adopt);
        assert!(record.owns("first", "G", at(&mut gpu, 4)));
        assert_eq!(record.verified.len(), 1);
        record.finish(&task, "first", &[gpu]);
        assert_eq!(record.verified.len(), 1, "one layout for each GPU");
    }
}
