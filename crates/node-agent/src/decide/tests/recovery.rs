//! What is made again after a reboot, and what is not.

use std::collections::BTreeMap;

use crds::gpu_node::{GpuProcess, GpuStatus, MigMode, PreviousGpu};

use crate::decide::{self, Recovery, Step, layout};
use crate::journal::{NeedsReboot, Record};
use crate::world::{a100, at, cut, holder, place, target};

/// What there is to do where no GPU was given up.
fn recovery(
    record: &Record,
    boot_id: &str,
    gpus: &[GpuStatus],
    holders: Result<(), &str>,
) -> Recovery {
    decide::recovery(record, boot_id, gpus, holders, &BTreeMap::new())
}

fn record(verified: Vec<PreviousGpu>) -> Record {
    let mut record = Record::new();
    record.boot_id = "first".to_owned();
    record.verified = verified;
    record
}

fn seven() -> Record {
    record(layout::wanted(&target("G", &[("7g.40gb", 0)])))
}

fn create() -> Recovery {
    Recovery::Take(Step::CreateInstance {
        gpu: "G".to_owned(),
        at: place("7g.40gb", 0),
    })
}

fn after_reboot(gpu: GpuStatus) -> Recovery {
    recovery(&seven(), "second", &[gpu], Ok(()))
}

#[test]
fn what_a_reboot_took_away_is_made_again_where_nobody_is() {
    assert_eq!(after_reboot(a100("G")), create());
    let mut half = cut(a100("G"), &[("7g.40gb", 0)]);
    at(&mut half, 0).uuid = None;
    let (gpu, at) = ("G".to_owned(), place("7g.40gb", 0));
    let fill = Recovery::Take(Step::CreateDevice { gpu, at });
    assert_eq!(after_reboot(half), fill);
    assert_eq!(
        after_reboot(cut(a100("G"), &[("7g.40gb", 0)])),
        Recovery::Over
    );
}

#[test]
fn a_mode_that_a_reboot_took_away_is_set_first() {
    let mut whole = a100("G");
    (whole.mig.current, whole.mig.pending) = (MigMode::Disabled, MigMode::Disabled);
    let (gpu, enabled) = ("G".to_owned(), true);
    let set = Recovery::Take(Step::SetMode { gpu, enabled });
    assert_eq!(after_reboot(whole), set);
}

#[test]
fn a_gpu_with_somebody_on_it_is_left_to_an_operation() {
    let mut held = a100("G");
    held.holders.push(holder("a", "G"));
    assert_eq!(after_reboot(held), Recovery::Over);
    let mut busy = a100("G");
    let device = "G".to_owned();
    busy.processes.push(GpuProcess { pid: 1, device });
    assert_eq!(after_reboot(busy), Recovery::Over);
    let mut foreign = cut(a100("G"), &[("1g.5gb", 0)]);
    at(&mut foreign, 0).owned = false;
    assert_eq!(after_reboot(foreign), Recovery::Over);
}

#[test]
fn only_another_boot_and_a_known_layout_are_a_reason() {
    let gpus = [a100("G")];
    assert_eq!(recovery(&seven(), "first", &gpus, Ok(())), Recovery::Over);
    assert_eq!(
        recovery(&Record::new(), "second", &gpus, Ok(())),
        Recovery::Over
    );
    assert_eq!(
        recovery(&record(vec![]), "second", &gpus, Ok(())),
        Recovery::Over
    );
}

#[test]
fn nothing_is_made_while_nobody_knows_who_holds_what() {
    let answer = recovery(&seven(), "second", &[a100("G")], Err("no kubelet"));
    assert_eq!(answer, Recovery::Wait);
}

#[test]
fn a_gpu_that_is_held_or_was_given_up_does_not_keep_the_others_from_being_restored() {
    let layouts = ["G", "H", "I"].map(|uuid| layout::wanted(&target(uuid, &[("7g.40gb", 0)])));
    let record = record(layouts.concat());
    let mut held = a100("G");
    held.holders.push(holder("a", "G"));
    let gpus = [held, a100("H"), a100("I")];
    let given_up = |uuids: &[&str]| {
        let why = |uuid: &&str| ((*uuid).to_owned(), "no such profile".to_owned());
        let given_up = uuids.iter().map(why).collect();
        match decide::recovery(&record, "second", &gpus, Ok(()), &given_up) {
            Recovery::Take(step) => step.gpu().map(str::to_owned),
            Recovery::Over => None,
            Recovery::Wait => panic!("waits"),
        }
    };
    assert_eq!(given_up(&[]).as_deref(), Some("H"));
    assert_eq!(given_up(&["H"]).as_deref(), Some("I"));
    assert_eq!(given_up(&["H", "I"]), None);
}

#[test]
fn a_mode_that_somebody_rebooted_the_node_for_is_not_undone() {
    let mut record = record(layout::wanted(&target("G", &[])));
    let whole = Step::SetMode {
        gpu: "G".to_owned(),
        enabled: false,
    };
    let gpus = [a100("G")];
    let answer = recovery(&record, "second", &gpus, Ok(()));
    assert_eq!(answer, Recovery::Take(whole));
    record.give_up(NeedsReboot {
        gpu: "G".to_owned(),
        enabled: true,
        boot_id: "first".to_owned(),
        why: "it does not reset".to_owned(),
    });
    assert_eq!(recovery(&record, "second", &gpus, Ok(())), Recovery::Over);
    // Where it is the mode of the layout, the layout is made in it.
    record.verified = layout::wanted(&target("G", &[("7g.40gb", 0)]));
    assert_eq!(recovery(&record, "second", &gpus, Ok(())), create());
}
