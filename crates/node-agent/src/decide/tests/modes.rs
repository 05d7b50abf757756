//! MIG modes that are pending: what is done about them, and what is told.

use crds::gpu_node::{GpuStatus, MigMode, PreviousGpu};
use jiff::Timestamp;

use crate::decide::conditions::modes_settled;
use crate::decide::next::{Way, clearing};
use crate::decide::{Move, Step, Stuck, again, layout, next_move, without_reboot};
use crate::journal::{NeedsReboot, Stage, Task};
use crate::world::{a100, cut, holder, place, target};

const FORWARD: Way = Way::Forward { adopt: false };

fn gpu(uuid: &str, current: MigMode, pending: MigMode) -> GpuStatus {
    let mut gpu = a100(uuid);
    (gpu.mig.current, gpu.mig.pending) = (current, pending);
    gpu
}

fn set(enabled: bool) -> Step {
    let gpu = "G".to_owned();
    Step::SetMode { gpu, enabled }
}

fn reset(gpu: &str) -> Step {
    Step::Reset { gpu: gpu.into() }
}

fn needs(enabled: bool) -> NeedsReboot {
    NeedsReboot {
        gpu: "G".to_owned(),
        enabled,
        boot_id: "first".to_owned(),
        why: "it does not reset".to_owned(),
    }
}

#[test]
fn a_mode_that_stays_pending_is_tried_once_then_by_a_reset_and_then_given_up() {
    use MigMode::{Disabled, Enabled};
    let waits = || gpu("G", Disabled, Enabled);
    let mut cut_up = cut(gpu("G", Enabled, Disabled), &[("1g.5gb", 0)]);
    cut_up.instances[0].owned = false;
    let no_effect = |step: &Step| {
        let why = format!("the driver agreed to {step}, and nothing changed");
        Err(Stuck::NoEffect(why))
    };
    let reboot = Stuck::NeedsReboot {
        gpu: "G".to_owned(),
        enabled: true,
    };
    let create = Step::CreateInstance {
        gpu: "G".to_owned(),
        at: place("1g.5gb", 0),
    };
    let rows = [
        ("the first time", set(true), None, waits(), Ok(set(true))),
        (
            "pending",
            set(true),
            Some(set(true)),
            waits(),
            Ok(reset("G")),
        ),
        (
            "pending after the reset",
            set(true),
            Some(reset("G")),
            waits(),
            Err(reboot),
        ),
        (
            "not even pending",
            set(true),
            Some(set(true)),
            gpu("G", Disabled, Disabled),
            no_effect(&set(true)),
        ),
        (
            "taken back, and pending still",
            set(false),
            Some(set(false)),
            waits(),
            no_effect(&set(false)),
        ),
        (
            "instances on it",
            set(false),
            Some(set(false)),
            cut_up,
            no_effect(&set(false)),
        ),
        (
            "the other way after it was set",
            set(false),
            Some(set(true)),
            waits(),
            Ok(set(false)),
        ),
        (
            "another GPU was reset",
            set(true),
            Some(reset("H")),
            waits(),
            Ok(set(true)),
        ),
        (
            "any other step",
            create.clone(),
            Some(create.clone()),
            a100("G"),
            no_effect(&create),
        ),
    ];
    for (name, step, took, gpu, expected) in rows {
        assert_eq!(again(step, took.as_ref(), &[gpu]), expected, "{name}");
    }
}

#[test]
fn modes_of_empty_gpus_are_switched_before_anything_is_destroyed() {
    let whole = gpu("G", MigMode::Disabled, MigMode::Disabled);
    let gpus = [cut(a100("F"), &[("1g.5gb", 0)]), whole];
    let layout: Vec<PreviousGpu> = ["F", "G"]
        .iter()
        .flat_map(|uuid| layout::wanted(&target(uuid, &[("7g.40gb", 0)])))
        .collect();
    assert_eq!(clearing(&gpus, &layout, FORWARD), Some(set(true)));
}

/// Where only a reboot ends MIG mode on G, F keeps what it has.
#[test]
fn a_gpu_whose_mode_changes_is_cleared_before_any_other_is_touched() {
    let slice = |uuid: &str| cut(a100(uuid), &[("1g.5gb", 0)]);
    let layout: Vec<PreviousGpu> = [target("F", &[("7g.40gb", 0)]), target("G", &[])]
        .iter()
        .flat_map(layout::wanted)
        .collect();
    let destroys = |uuid: &str| Step::DestroyDevice {
        gpu: uuid.to_owned(),
        at: place("1g.5gb", 0),
        device: slice(uuid).instances[0].uuid.clone().unwrap(),
    };
    let emptied = gpu("G", MigMode::Enabled, MigMode::Enabled);
    let switched = gpu("G", MigMode::Disabled, MigMode::Disabled);
    for (g, expected) in [
        (slice("G"), destroys("G")),
        (emptied, set(false)),
        (switched, destroys("F")),
    ] {
        assert_eq!(clearing(&[slice("F"), g], &layout, FORWARD), Some(expected));
    }
}

#[test]
fn a_switch_that_somebody_left_pending_is_taken_back_under_running_pods() {
    let mut gpu = cut(a100("G"), &[("1g.5gb", 0)]);
    gpu.mig.pending = MigMode::Disabled;
    gpu.holders.push(holder("a", "MIG-G-0"));
    let target = target("G", &[("1g.5gb", 0)]);
    let gpus = [gpu];
    let task = Task {
        id: 7,
        previous: layout::present(&gpus, &target),
        target,
        stage: Stage::Clearing,
    };
    assert_eq!(next_move(&task, &gpus, Ok(())), Move::Take(set(true)));
}

#[test]
fn what_needs_a_reboot_is_refused_until_then_and_nothing_else_is() {
    let whole = [gpu("G", MigMode::Disabled, MigMode::Disabled)];
    let cut_up = target("G", &[("7g.40gb", 0)]);
    let said = without_reboot(&whole, &cut_up, &[needs(true)]).unwrap_err();
    assert_eq!(
        said,
        "RebootRequired: MIG mode of GPU 0 (G) cannot be turned on while the node runs: it does not reset. Turn it on \
         with `nvidia-smi -i G -mig 1` and reboot the node; what is wanted is tried again then"
    );
    assert_eq!(
        without_reboot(&whole, &target("G", &[]), &[needs(true)]),
        Ok(())
    );
    assert_eq!(
        without_reboot(&whole, &target("H", &[("7g.40gb", 0)]), &[needs(true)]),
        Ok(())
    );
    // Somebody has brought it about.
    assert_eq!(
        without_reboot(&[a100("G")], &cut_up, &[needs(true)]),
        Ok(())
    );
    assert_eq!(without_reboot(&whole, &cut_up, &[needs(false)]), Ok(()));
}

#[test]
fn a_pending_mode_and_one_that_needs_a_reboot_are_told_with_what_to_do() {
    use MigMode::{Disabled, Enabled, NotSupported};
    let told = |gpus: &[GpuStatus], needs: &[NeedsReboot]| {
        let mut conditions = Vec::new();
        modes_settled(&mut conditions, gpus, needs, Timestamp::UNIX_EPOCH);
        let told = conditions.remove(0);
        (told.status, told.reason, told.message)
    };
    let quiet = [
        gpu("A", Enabled, Enabled),
        gpu("B", Disabled, Disabled),
        gpu("C", NotSupported, NotSupported),
    ];
    let (status, reason, _) = told(&quiet, &[]);
    assert_eq!((&*status, &*reason), ("True", "InEffect"));
    let waits = [gpu("G", Disabled, Enabled), gpu("H", Enabled, Disabled)];
    let (status, reason, message) = told(&waits, &[]);
    assert_eq!((&*status, &*reason), ("False", "ModePending"));
    assert!(
        message.contains("MIG mode of GPU 0 (G) is off, and will be on after the next reset")
            && message.contains("`nvidia-smi -i G -mig 0` takes it back; MIG mode of GPU 0 (H)"),
        "{message}"
    );
    let (status, reason, message) = told(&waits, &[needs(true)]);
    assert_eq!((&*status, &*reason), ("False", "RebootRequired"));
    assert!(
        message.starts_with("RebootRequired: MIG mode of GPU 0 (G)"),
        "{message}"
    );
}
