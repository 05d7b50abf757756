//! What a look at the GPUs shows.

use crds::gpu_node::{ComputeMode, GpuProcess, MigMode, MigModeStatus};
use gpu::{Code, Driver, Error};
use nvml_sim::state::{Fault, When};
use nvml_sim::{Client, SimulatedNode};

use crate::own_process::{load, on_a_node};
use crate::{A100, at, first};

const OFF: MigModeStatus = MigModeStatus {
    current: MigMode::Disabled,
    pending: MigMode::Disabled,
};

fn client(pid: u32) -> Client {
    Client {
        pid,
        name: "train".to_owned(),
        memory_mib: 100,
    }
}

fn fault(node: &SimulatedNode, function: &str, code: u32) {
    let function = function.to_owned();
    node.inject(Fault {
        function,
        code,
        when: When::Every,
    })
    .unwrap();
}

#[test]
fn gpus_are_listed_by_index_with_their_figures() {
    on_a_node(&[A100, "T4"], |node| {
        let inventory = load(node).unwrap().inventory().unwrap();
        assert!(!inventory.driver_version.is_empty());
        let [a100, t4] = inventory.gpus.as_slice() else {
            panic!("{:?}", inventory.gpus)
        };
        let known = node.gpus().unwrap();
        assert_eq!((a100.index, &a100.uuid), (0, &known[0].uuid));
        assert_eq!((t4.index, &t4.uuid), (1, &known[1].uuid));
        assert_eq!(
            (a100.product.as_str(), a100.memory_mib),
            ("NVIDIA A100-SXM4-40GB", 40_960)
        );
        assert_eq!((t4.product.as_str(), t4.memory_mib), ("Tesla T4", 15_360));
        assert_eq!(a100.compute_capability.as_deref(), Some("8.0"));
        assert_eq!(a100.compute_mode, Some(ComputeMode::Default));
        assert_eq!(a100.mig, OFF);
        assert!(a100.instances.is_empty() && a100.holders.is_empty() && a100.processes.is_empty());
    });
}

#[test]
fn a_gpu_without_mig_offers_nothing_and_cannot_turn_it_on() {
    on_a_node(&["T4"], |node| {
        let mut driver = load(node).unwrap();
        let t4 = first(&mut driver);
        assert_eq!(
            (t4.mig.current, t4.mig.pending),
            (MigMode::NotSupported, MigMode::NotSupported)
        );
        assert!(t4.profiles.is_empty());
        let error = driver.set_mig_mode(&t4.uuid, true).unwrap_err();
        let call = "nvmlDeviceSetMigMode";
        assert_eq!(
            error,
            Error::Call {
                call,
                gpu: Some(t4.uuid),
                code: Code::NOT_SUPPORTED
            }
        );
    });
}

#[test]
fn only_an_instance_filled_by_one_compute_instance_has_a_uuid() {
    on_a_node(&[A100], |node| {
        node.set_mig_mode(0, true).unwrap();
        let uuid = node.create_instance(0, "3g.20gb", Some(0)).unwrap();
        let mut driver = load(node).unwrap();
        let gpu = first(&mut driver).uuid;
        driver.create_gpu_instance(&gpu, &at(4, "2g.10gb")).unwrap();
        let seen: Vec<_> = first(&mut driver)
            .instances
            .into_iter()
            .map(|instance| {
                (
                    instance.profile,
                    instance.start,
                    instance.size,
                    instance.uuid,
                    instance.owned,
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("3g.20gb".to_owned(), 0, 4, Some(uuid), false),
                ("2g.10gb".to_owned(), 4, 2, None, false)
            ]
        );
    });
}

#[test]
fn a_process_is_on_its_mig_device_or_on_the_gpu() {
    on_a_node(&[A100, A100], |node| {
        node.set_mig_mode(0, true).unwrap();
        let slice = node.create_instance(0, "1g.5gb", Some(6)).unwrap();
        node.attach_mig(&slice, client(12)).unwrap();
        node.attach(1, client(9)).unwrap();
        node.attach(1, client(7)).unwrap();
        let gpus = load(node).unwrap().inventory().unwrap().gpus;
        let on = |pid, device: &str| GpuProcess {
            pid,
            device: device.to_owned(),
        };
        assert_eq!(gpus[0].processes, [on(12, &slice)]);
        assert_eq!(
            gpus[1].processes,
            [on(7, &gpus[1].uuid), on(9, &gpus[1].uuid)]
        );
    });
}

#[test]
fn a_process_is_found_on_its_mig_device_when_the_gpu_does_not_list_it() {
    on_a_node(&[A100], |node| {
        node.set_mig_mode(0, true).unwrap();
        let slice = node.create_instance(0, "1g.5gb", Some(0)).unwrap();
        node.attach_mig(&slice, client(12)).unwrap();
        let mut driver = load(node).unwrap();
        // The MIG device is asked for its count and its list first, the GPU for its count then.
        let function = "nvmlDeviceGetComputeRunningProcesses_v3".to_owned();
        node.inject(Fault {
            function,
            code: 3,
            when: When::Nth(3),
        })
        .unwrap();
        let wanted = [GpuProcess {
            pid: 12,
            device: slice,
        }];
        assert_eq!(first(&mut driver).processes, wanted);
        assert!(node.state().unwrap().faults.is_empty());
    });
}

#[test]
fn a_lost_gpu_is_named_and_not_left_out() {
    on_a_node(&[A100, "T4"], |node| {
        let mut driver = load(node).unwrap();
        let t4 = driver.inventory().unwrap().gpus[1].uuid.clone();
        node.lose(1).unwrap();
        let lost = |gpu: String| Err(Error::Lost { gpu });
        assert_eq!(driver.inventory(), lost(format!("GPU {t4}")));
        assert_eq!(
            driver.set_mig_mode(&t4, true),
            Err(Error::Lost {
                gpu: format!("GPU {t4}")
            })
        );
        // An agent that starts after the loss has never read the UUID.
        assert_eq!(load(node).unwrap().inventory(), lost("GPU 1".to_owned()));
        node.heal().unwrap();
        assert_eq!(driver.inventory().unwrap().gpus.len(), 2);
    });
}

#[test]
fn figures_that_a_gpu_does_not_have_are_left_out() {
    on_a_node(&["T4"], |node| {
        let mut driver = load(node).unwrap();
        for function in [
            "nvmlDeviceGetMemoryInfo_v2",
            "nvmlDeviceGetComputeMode",
            "nvmlDeviceGetCudaComputeCapability",
            "nvmlDeviceGetComputeRunningProcesses_v3",
            "nvmlDeviceGetGraphicsRunningProcesses_v3",
        ] {
            fault(node, function, 3);
        }
        let gpu = first(&mut driver);
        assert_eq!(
            (gpu.memory_mib, gpu.compute_mode, gpu.compute_capability),
            (0, None, None)
        );
        assert!(gpu.processes.is_empty());
    });
}

#[test]
fn processes_that_cannot_be_read_are_not_none() {
    on_a_node(&[A100], |node| {
        let mut driver = load(node).unwrap();
        fault(node, "nvmlDeviceGetComputeRunningProcesses_v3", 4);
        let error = driver.inventory().unwrap_err();
        assert!(
            matches!(
                error,
                Error::Call {
                    code: Code::NO_PERMISSION,
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(error.to_string().ends_with(
            "NO_PERMISSION (4); let the agent run as root, with access to NVIDIA's devices"
        ));
    });
}

#[test]
fn a_divided_instance_has_no_uuid_but_its_parts_and_their_processes_have() {
    on_a_node(&[A100], |node| {
        node.set_mig_mode(0, true).unwrap();
        let mut driver = load(node).unwrap();
        for sizes in [&[1][..], &[2, 1], &[1, 1, 1]] {
            let uuids = node.create_divided(0, "3g.20gb", Some(4), sizes).unwrap();
            let last = uuids.last().unwrap();
            node.attach_mig(last, client(12)).unwrap();
            let gpu = first(&mut driver);
            let instance = &gpu.instances[0];
            assert_eq!((&instance.uuid, &instance.parts), (&None, &uuids));
            let process = GpuProcess {
                pid: 12,
                device: last.clone(),
            };
            assert_eq!(gpu.processes, [process]);
            let place = at(4, "3g.20gb");
            driver
                .destroy_compute_instances(&gpu.uuid, &place)
                .unwrap_err();
            node.detach(12).unwrap();
            driver.destroy_compute_instances(&gpu.uuid, &place).unwrap();
            driver.destroy_gpu_instance(&gpu.uuid, &place).unwrap();
        }
    });
}
