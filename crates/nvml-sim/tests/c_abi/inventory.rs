//! What the agent reads through nvml-wrapper.

use std::env;
use std::fs;

use nvml_sim::state::{Fault, When};
use nvml_sim::{Client, Code};
use nvml_wrapper::bitmasks::event::EventTypes;
use nvml_wrapper::enum_wrappers::device::ComputeMode;
use nvml_wrapper::error::NvmlError;

use crate::A100;
use crate::own_process::{library, load, on_a_node};

fn client(pid: u32) -> Client {
    Client {
        pid,
        name: format!("program-{pid}"),
        memory_mib: 1_024,
    }
}

#[test]
fn mig_is_not_off_but_unknown_to_products_without_it() {
    on_a_node(
        &["T4", "L4", "V100-SXM2-32GB", "A30", "RTX-PRO-6000"],
        |node| {
            let nvml = load();
            for index in 0..3 {
                let device = nvml.device_by_index(index).unwrap();
                assert!(matches!(device.mig_mode(), Err(NvmlError::NotSupported)));
                let answer = device.set_mig_mode(true);
                assert!(matches!(answer, Err(NvmlError::NotSupported)), "{answer:?}");
            }
            for index in 3..5 {
                let device = nvml.device_by_index(index).unwrap();
                assert_eq!(device.mig_mode().unwrap().current, 0);
                node.set_mig_mode(index as usize, true).unwrap();
                assert_eq!(device.mig_device_count().unwrap(), 4);
            }
        },
    );
}

#[test]
fn gpus_are_enumerated_with_their_identities() {
    on_a_node(&[A100, "H100-SXM5-80GB", "T4"], |node| {
        let nvml = load();
        assert_eq!(nvml.sys_driver_version().unwrap(), "580.95.05");
        assert_eq!(nvml.sys_cuda_driver_version().unwrap(), 13_000);
        assert_eq!(nvml.device_count().unwrap(), 3);
        let table = [
            (
                "NVIDIA A100-SXM4-40GB",
                (8, 0),
                40_960_u64,
                "00000000:07:00.0",
            ),
            ("NVIDIA H100 80GB HBM3", (9, 0), 81_559, "00000000:0F:00.0"),
            ("Tesla T4", (7, 5), 15_360, "00000000:17:00.0"),
        ];
        let gpus = node.gpus().unwrap();
        for (index, (name, capability, mib, bus_id)) in (0..).zip(table) {
            let device = nvml.device_by_index(index).unwrap();
            assert_eq!(device.name().unwrap(), name);
            assert_eq!(device.uuid().unwrap(), gpus[index as usize].uuid);
            assert_eq!(device.index().unwrap(), index);
            assert_eq!(device.minor_number().unwrap(), index);
            let found = device.cuda_compute_capability().unwrap();
            assert_eq!((found.major, found.minor), capability);
            assert_eq!(device.memory_info().unwrap().total, mib << 20);
            assert_eq!(device.pci_info().unwrap().bus_id, bus_id);
            device.architecture().unwrap();
            let again = nvml.device_by_uuid(device.uuid().unwrap()).unwrap();
            assert_eq!(again.index().unwrap(), index);
            let again = nvml.device_by_pci_bus_id(bus_id).unwrap();
            assert_eq!(again.index().unwrap(), index);
        }
        assert!(matches!(
            nvml.device_by_index(3),
            Err(NvmlError::InvalidArg)
        ));
        assert!(matches!(
            nvml.device_by_uuid("GPU-none"),
            Err(NvmlError::NotFound)
        ));
    });
}

#[test]
fn a_gpu_without_mig_does_not_pretend() {
    on_a_node(&["T4"], |node| {
        let nvml = load();
        let device = nvml.device_by_index(0).unwrap();
        assert!(matches!(device.mig_mode(), Err(NvmlError::NotSupported)));
        assert!(matches!(
            device.set_mig_mode(true),
            Err(NvmlError::NotSupported)
        ));
        assert!(matches!(
            device.profile_info(0),
            Err(NvmlError::NotSupported)
        ));
        assert_eq!(device.mig_device_count().unwrap(), 0);
        assert!(matches!(device.brand(), Err(NvmlError::NotSupported)));
        assert_eq!(node.gpus().unwrap()[0].mig_mode, None);
    });
}

#[test]
fn mig_devices_are_found_by_index_with_holes() {
    on_a_node(&[A100], |node| {
        let nvml = load();
        let device = nvml.device_by_index(0).unwrap();
        assert!(matches!(
            device.mig_device_by_index(0),
            Err(NvmlError::NotSupported)
        ));
        node.set_mig_mode(0, true).unwrap();
        let mode = device.mig_mode().unwrap();
        assert_eq!((mode.current, mode.pending), (1, 1));
        assert_eq!(device.mig_device_count().unwrap(), 7);
        let gone = node.create_instance(0, "1g.5gb", Some(6)).unwrap();
        let uuid = node.create_instance(0, "3g.20gb", Some(0)).unwrap();
        let dying = device.mig_device_by_index(0).unwrap();
        node.destroy_instance(&gone).unwrap();
        assert!(matches!(dying.uuid(), Err(NvmlError::NotFound)));
        assert!(matches!(
            device.mig_device_by_index(0),
            Err(NvmlError::NotFound)
        ));
        assert!(matches!(
            device.mig_device_by_index(7),
            Err(NvmlError::InvalidArg)
        ));
        let mig = device.mig_device_by_index(1).unwrap();
        assert_eq!(mig.uuid().unwrap(), uuid);
        assert_eq!(mig.name().unwrap(), "NVIDIA A100-SXM4-40GB MIG 3g.20gb");
        assert_eq!(mig.memory_info().unwrap().total, 19_968 << 20);
        assert!(mig.mig_is_mig_device_handle().unwrap());
        assert!(!device.mig_is_mig_device_handle().unwrap());
        assert_eq!(
            mig.mig_parent_device().unwrap().uuid().unwrap(),
            device.uuid().unwrap()
        );
        let attributes = mig.attributes().unwrap();
        assert_eq!(attributes.gpu_instance_slice_count, 3);
        assert_eq!(attributes.compute_instance_slice_count, 3);
        assert_eq!(attributes.memory_size_mb, 19_968);
        assert!(matches!(mig.mig_mode(), Err(NvmlError::InvalidArg)));
        assert!(matches!(device.attributes(), Err(NvmlError::NotSupported)));
        assert_eq!(
            nvml.device_by_uuid(uuid.as_str()).unwrap().index().unwrap(),
            1
        );
    });
}

#[test]
fn processes_are_listed_with_their_instances() {
    on_a_node(&[A100, "T4"], |node| {
        let nvml = load();
        node.set_mig_mode(0, true).unwrap();
        let uuid = node.create_instance(0, "2g.10gb", None).unwrap();
        node.attach_mig(&uuid, client(7)).unwrap();
        node.attach(1, client(8)).unwrap();
        let [mig_gpu, plain] = [0, 1].map(|index| nvml.device_by_index(index).unwrap());
        let mig = mig_gpu.mig_device_by_index(0).unwrap();
        for device in [&mig_gpu, &mig] {
            let found = device.running_compute_processes().unwrap();
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].pid, 7);
            assert_eq!(found[0].gpu_instance_id, Some(1));
            assert_eq!(found[0].compute_instance_id, Some(0));
        }
        let found = plain.running_compute_processes().unwrap();
        assert_eq!((found[0].pid, found[0].gpu_instance_id), (8, None));
        assert_eq!(plain.memory_info().unwrap().used, 1_024 << 20);
        assert_eq!(plain.running_graphics_processes().unwrap().len(), 0);
        assert_eq!(nvml.sys_process_name(8, 64).unwrap(), "program-8");
        assert!(matches!(
            nvml.sys_process_name(9, 64),
            Err(NvmlError::NotFound)
        ));
        node.detach(8).unwrap();
        assert_eq!(plain.running_compute_processes().unwrap().len(), 0);
    });
}

#[test]
fn the_compute_mode_is_set_and_read() {
    on_a_node(&["T4"], |node| {
        let nvml = load();
        let mut device = nvml.device_by_index(0).unwrap();
        assert_eq!(device.compute_mode().unwrap(), ComputeMode::Default);
        device
            .set_compute_mode(ComputeMode::ExclusiveProcess)
            .unwrap();
        assert_eq!(
            device.compute_mode().unwrap(),
            ComputeMode::ExclusiveProcess
        );
        let mode = node.state().unwrap().gpus[0].compute_mode;
        assert_eq!(mode, nvml_sim::state::ComputeMode::ExclusiveProcess);
        device.set_compute_mode(ComputeMode::Default).unwrap();
        assert_eq!(device.compute_mode().unwrap(), ComputeMode::Default);
    });
}

#[test]
fn an_event_set_waits_until_its_time_is_over() {
    on_a_node(&[A100], |node| {
        let nvml = load();
        let events = nvml.create_event_set().unwrap();
        let device = nvml.device_by_index(0).unwrap();
        assert_eq!(
            device.supported_event_types().unwrap(),
            EventTypes::CRITICAL_XID_ERROR
        );
        let events = device
            .register_events(EventTypes::CRITICAL_XID_ERROR, events)
            .unwrap();
        assert!(matches!(events.wait(1), Err(NvmlError::Timeout)));
        events.release_events().unwrap();
        assert_eq!(node.gpus().unwrap().len(), 1);
    });
}

#[test]
fn faults_are_met_by_the_nth_call_and_logged() {
    on_a_node(&[A100], |node| {
        let nvml = load();
        let device = nvml.device_by_index(0).unwrap();
        let fault = |code: Code, when| {
            let function = "nvmlDeviceGetUUID".to_owned();
            node.inject(Fault {
                function,
                code: code.number(),
                when,
            })
            .unwrap();
        };
        fault(Code::NoPermission, When::Nth(2));
        assert!(device.uuid().is_ok());
        assert!(matches!(device.uuid(), Err(NvmlError::NoPermission)));
        assert!(device.uuid().is_ok());
        fault(Code::Timeout, When::Every);
        assert!(matches!(device.uuid(), Err(NvmlError::Timeout)));
        assert!(matches!(device.uuid(), Err(NvmlError::Timeout)));
        node.heal().unwrap();
        assert!(device.uuid().is_ok());
        node.lose(0).unwrap();
        assert!(matches!(device.uuid(), Err(NvmlError::GpuLost)));
        assert!(matches!(nvml.device_by_index(0), Err(NvmlError::GpuLost)));
        let log = fs::read_to_string(env::var_os("NVML_SIM_LOG").unwrap()).unwrap();
        let codes: Vec<_> = log
            .lines()
            .filter_map(|line| line.strip_prefix("nvmlDeviceGetUUID "))
            .collect();
        assert_eq!(codes, ["0", "4", "0", "10", "10", "0", "15"]);
        assert!(log.starts_with("nvmlInit_v2 0\n"), "{log}");
    });
}

#[test]
fn an_unusable_state_file_fails_init_and_is_kept() {
    on_a_node(&["T4"], |node| {
        let init = || {
            nvml_wrapper::Nvml::builder()
                .lib_path(library().as_os_str())
                .init()
        };
        let whole = fs::read(node.path()).unwrap();
        fs::write(node.path(), "{ \"version\": ").unwrap();
        assert!(matches!(init(), Err(NvmlError::Unknown)));
        assert_eq!(fs::read(node.path()).unwrap(), b"{ \"version\": ");
        let log = fs::read_to_string(env::var_os("NVML_SIM_LOG").unwrap()).unwrap();
        assert!(log.contains("line 1 column 13"), "{log}");
        fs::remove_file(node.path()).unwrap();
        assert!(matches!(init(), Err(NvmlError::DriverNotLoaded)));
        fs::write(node.path(), whole).unwrap();
        assert_eq!(init().unwrap().device_count().unwrap(), 1);
    });
}

#[test]
fn an_init_that_is_to_fail_fails_once() {
    on_a_node(&["T4"], |node| {
        let init = || {
            nvml_wrapper::Nvml::builder()
                .lib_path(library().as_os_str())
                .init()
        };
        let function = "nvmlInit_v2".to_owned();
        let code = Code::LibRmVersionMismatch.number();
        node.inject(Fault {
            function,
            code,
            when: When::Nth(1),
        })
        .unwrap();
        assert!(matches!(init(), Err(NvmlError::LibRmVersionMismatch)));
        assert_eq!(init().unwrap().device_count().unwrap(), 1);
    });
}
