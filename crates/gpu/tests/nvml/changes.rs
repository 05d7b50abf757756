//! One change at a time, and what refuses it.

use crds::gpu_node::{ComputeMode, MigInstance, MigMode};
use gpu::{Driver, Error, Nvml};
use nvml_sim::state::{Fault, Until, When};
use nvml_sim::{Client, SimulatedNode};

use crate::own_process::{load, on_a_node};
use crate::{A100, at, first};

const H100: &str = "H100-SXM5-80GB";

/// The node's driver, and the UUID of its first GPU, with MIG mode on.
fn sliced(node: &SimulatedNode) -> (Nvml, String) {
    node.set_mig_mode(0, true).unwrap();
    let mut driver = load(node).unwrap();
    let gpu = first(&mut driver).uuid;
    (driver, gpu)
}

fn occupy(node: &SimulatedNode, mig: Option<&str>) {
    let client = Client {
        pid: 7,
        name: "train".to_owned(),
        memory_mib: 100,
    };
    match mig {
        Some(uuid) => node.attach_mig(uuid, client).unwrap(),
        None => node.attach(0, client).unwrap(),
    }
}

fn instances(driver: &mut Nvml) -> Vec<MigInstance> {
    first(driver).instances
}

#[test]
fn a_compute_mode_is_set_on_one_gpu_and_read_back() {
    on_a_node(&[A100, "T4"], |node| {
        let mut driver = load(node).unwrap();
        let gpu = first(&mut driver).uuid;
        for mode in [ComputeMode::ExclusiveProcess, ComputeMode::Default] {
            driver.set_compute_mode(&gpu, mode).unwrap();
            let gpus = driver.inventory().unwrap().gpus;
            let modes: Vec<_> = gpus.iter().map(|gpu| gpu.compute_mode).collect();
            assert_eq!(modes, [Some(mode), Some(ComputeMode::Default)]);
        }
        let refused = driver.set_compute_mode("GPU-0", ComputeMode::Default);
        assert_eq!(refused, Err(Error::NoSuchGpu("GPU-0".to_owned())));
    });
}

#[test]
fn mig_mode_goes_on_and_off_and_twice_is_once() {
    on_a_node(&[A100], |node| {
        let mut driver = load(node).unwrap();
        let gpu = first(&mut driver).uuid;
        for (enabled, mode) in [(true, MigMode::Enabled), (false, MigMode::Disabled)] {
            driver.set_mig_mode(&gpu, enabled).unwrap();
            driver.set_mig_mode(&gpu, enabled).unwrap();
            let mig = first(&mut driver).mig;
            assert_eq!((mig.current, mig.pending), (mode, mode));
        }
    });
}

#[test]
fn a_mode_that_waits_for_a_reset_is_no_success_and_can_be_taken_back() {
    on_a_node(&[A100], |node| {
        let mut driver = load(node).unwrap();
        let gpu = first(&mut driver).uuid;
        occupy(node, None);
        let error = driver.set_mig_mode(&gpu, true).unwrap_err();
        let why = "NVML answered IN_USE (19)".to_owned();
        assert_eq!(
            error,
            Error::ResetNeeded {
                gpu: gpu.clone(),
                enabled: true,
                why
            }
        );
        let mig = first(&mut driver).mig;
        assert_eq!(
            (mig.current, mig.pending),
            (MigMode::Disabled, MigMode::Enabled)
        );
        driver.set_mig_mode(&gpu, false).unwrap();
        let mig = first(&mut driver).mig;
        assert_eq!(
            (mig.current, mig.pending),
            (MigMode::Disabled, MigMode::Disabled)
        );
    });
}

#[test]
fn a_mode_that_stays_pending_on_an_idle_gpu_needs_a_reset() {
    on_a_node(&[A100], |node| {
        let mut driver = load(node).unwrap();
        let gpu = first(&mut driver).uuid;
        node.stick_mode(0, Until::Reboot).unwrap();
        let said = driver.set_mig_mode(&gpu, true).unwrap_err().to_string();
        assert!(
            said.contains("will be on only after a reset: NVML answered RESET_REQUIRED (16)"),
            "{said}"
        );
    });
}

#[test]
fn a_gpu_that_changes_at_once_refuses_while_it_is_busy() {
    on_a_node(&[H100], |node| {
        let mut driver = load(node).unwrap();
        let gpu = first(&mut driver).uuid;
        occupy(node, None);
        let doing = "turn MIG mode on".to_owned();
        assert_eq!(
            driver.set_mig_mode(&gpu, true),
            Err(Error::Busy { doing, gpu })
        );
    });
}

#[test]
fn an_instance_is_made_where_it_was_asked_for_and_goes_again() {
    on_a_node(&[A100], |node| {
        let (mut driver, gpu) = sliced(node);
        for place in [at(4, "3g.20gb"), at(2, "2g.10gb"), at(1, "1g.5gb+me")] {
            driver.create_gpu_instance(&gpu, &place).unwrap();
            let uuid = driver.create_compute_instance(&gpu, &place).unwrap();
            let made = instances(&mut driver);
            let made: Vec<_> = made
                .iter()
                .filter(|made| made.start == place.start)
                .collect();
            assert_eq!(made.len(), 1);
            assert_eq!(
                (&made[0].profile, &made[0].uuid),
                (&place.profile, &Some(uuid))
            );
        }
        assert_eq!(instances(&mut driver).len(), 3);
        for place in [at(4, "3g.20gb"), at(2, "2g.10gb"), at(1, "1g.5gb+me")] {
            driver.destroy_compute_instances(&gpu, &place).unwrap();
            driver.destroy_compute_instances(&gpu, &place).unwrap();
            driver.destroy_gpu_instance(&gpu, &place).unwrap();
        }
        assert_eq!(instances(&mut driver), []);
    });
}

#[test]
fn every_profile_can_be_filled() {
    on_a_node(&[A100], |node| {
        let (mut driver, gpu) = sliced(node);
        for offer in first(&mut driver).profiles {
            let place = at(offer.placements[0].start, &offer.name);
            driver.create_gpu_instance(&gpu, &place).unwrap();
            let uuid = driver.create_compute_instance(&gpu, &place).unwrap();
            assert_eq!(
                instances(&mut driver)[0].uuid.as_ref(),
                Some(&uuid),
                "{}",
                offer.name
            );
            driver.destroy_compute_instances(&gpu, &place).unwrap();
            driver.destroy_gpu_instance(&gpu, &place).unwrap();
        }
    });
}

#[test]
fn a_recreated_instance_has_another_uuid() {
    on_a_node(&[A100], |node| {
        let (mut driver, gpu) = sliced(node);
        let place = at(0, "7g.40gb");
        driver.create_gpu_instance(&gpu, &place).unwrap();
        let before = driver.create_compute_instance(&gpu, &place).unwrap();
        driver.destroy_compute_instances(&gpu, &place).unwrap();
        assert_ne!(
            driver.create_compute_instance(&gpu, &place).unwrap(),
            before
        );
    });
}

#[test]
fn nothing_is_taken_from_under_a_process() {
    on_a_node(&[A100], |node| {
        let (mut driver, gpu) = sliced(node);
        let place = at(4, "3g.20gb");
        let uuid = node.create_instance(0, "3g.20gb", Some(4)).unwrap();
        occupy(node, Some(&uuid));
        let before = first(&mut driver);
        let busy = |doing: &str| Error::Busy {
            doing: format!("{doing} the 3g.20gb instance at slice 4"),
            gpu: gpu.clone(),
        };
        let refused = driver.destroy_compute_instances(&gpu, &place).unwrap_err();
        assert_eq!(refused, busy("destroy the compute instances of"));
        assert_eq!(
            driver.destroy_gpu_instance(&gpu, &place).unwrap_err(),
            busy("destroy")
        );
        assert_eq!(first(&mut driver), before);
    });
}

#[test]
fn slices_are_given_once() {
    on_a_node(&[A100], |node| {
        let (mut driver, gpu) = sliced(node);
        driver.create_gpu_instance(&gpu, &at(0, "4g.20gb")).unwrap();
        let no_room = |doing: &str| Error::NoRoom {
            doing: doing.to_owned(),
            gpu: gpu.clone(),
        };
        let taken = driver
            .create_gpu_instance(&gpu, &at(2, "2g.10gb"))
            .unwrap_err();
        assert_eq!(taken, no_room("create the 2g.10gb instance at slice 2"));
        driver
            .create_compute_instance(&gpu, &at(0, "4g.20gb"))
            .unwrap();
        let filled = driver
            .create_compute_instance(&gpu, &at(0, "4g.20gb"))
            .unwrap_err();
        assert_eq!(
            filled,
            no_room("create a compute instance in the 4g.20gb instance at slice 0")
        );
    });
}

#[test]
fn what_is_not_there_is_told_apart() {
    on_a_node(&[A100], |node| {
        let (mut driver, gpu) = sliced(node);
        let nobody = "GPU-00000000-0000-0000-0000-000000000000";
        let place = at(0, "3g.20gb");
        let missing = driver.create_gpu_instance(nobody, &place).unwrap_err();
        assert_eq!(missing, Error::NoSuchGpu(nobody.to_owned()));
        let said = driver
            .create_gpu_instance(&gpu, &at(0, "9g.99gb"))
            .unwrap_err()
            .to_string();
        assert!(
            said.contains("does not offer 9g.99gb at slice 0; it offers 1g.5gb at slice 0, 1"),
            "{said}"
        );
        let said = driver
            .create_gpu_instance(&gpu, &at(3, "3g.20gb"))
            .unwrap_err()
            .to_string();
        assert!(
            said.ends_with("does not offer 3g.20gb at slice 3; it offers 3g.20gb at slice 0, 4"),
            "{said}"
        );
        driver.create_gpu_instance(&gpu, &at(4, "3g.20gb")).unwrap();
        let gone = Error::NoSuchInstance {
            gpu: gpu.clone(),
            profile: place.profile.clone(),
            start: 0,
        };
        assert_eq!(
            driver.create_compute_instance(&gpu, &place),
            Err(gone.clone())
        );
        assert_eq!(
            driver.destroy_compute_instances(&gpu, &place),
            Err(gone.clone())
        );
        assert_eq!(driver.destroy_gpu_instance(&gpu, &place), Err(gone));
    });
}

#[test]
fn a_failing_call_is_named_with_its_gpu() {
    on_a_node(&[A100], |node| {
        let (mut driver, gpu) = sliced(node);
        let function = "nvmlDeviceCreateGpuInstanceWithPlacement".to_owned();
        node.inject(Fault {
            function,
            code: 999,
            when: When::Nth(1),
        })
        .unwrap();
        let said = driver
            .create_gpu_instance(&gpu, &at(0, "3g.20gb"))
            .unwrap_err()
            .to_string();
        let wanted = format!(
            "cannot call nvmlDeviceCreateGpuInstanceWithPlacement on GPU {gpu}: UNKNOWN (999); "
        );
        assert!(said.starts_with(&wanted), "{said}");
        assert_eq!(instances(&mut driver), []);
    });
}

#[test]
fn an_instance_that_nothing_fills_is_not_filled_with_less() {
    on_a_node(&[A100], |node| {
        let (mut driver, gpu) = sliced(node);
        let place = at(0, "3g.20gb");
        driver.create_gpu_instance(&gpu, &place).unwrap();
        let function = "nvmlGpuInstanceGetComputeInstanceProfileInfo".to_owned();
        // The third of the enum is the one with three slices.
        node.inject(Fault {
            function,
            code: 3,
            when: When::Nth(3),
        })
        .unwrap();
        let error = driver.create_compute_instance(&gpu, &place).unwrap_err();
        assert!(matches!(error, Error::NoSuchProfile { .. }), "{error:?}");
        assert_eq!(instances(&mut driver)[0].uuid, None);
    });
}
