//! What every client may rely on: handles, buffers, the count of inits.

use nvml_sim::Client;
use nvml_wrapper_sys::bindings as sys;

use crate::A100;
use crate::own_process::{load, on_a_node};
use crate::raw::{INSUFFICIENT_SIZE, INVALID_ARGUMENT, SUCCESS, blank, create, handle, raw, text};

#[test]
fn wild_and_foreign_handles_are_refused() {
    on_a_node(&[A100], |node| {
        let nvml = load();
        node.set_mig_mode(0, true).unwrap();
        let device = handle(&nvml.device_by_index(0).unwrap());
        let (code, gi) = create(&nvml, device, 19, 0, 1);
        assert_eq!(code, SUCCESS);
        let mut count = 0;
        let wild =
            [0, 1, 8, usize::MAX].map(std::ptr::without_provenance_mut::<sys::nvmlDevice_st>);
        let beside = device.wrapping_byte_add(1);
        for device in wild.into_iter().chain([gi.cast(), beside]) {
            let code = raw!(nvml, nvmlDeviceGetMaxMigDeviceCount(device, &raw mut count));
            assert_eq!(code, INVALID_ARGUMENT, "{device:?}");
        }
        assert_eq!(
            raw!(nvml, nvmlGpuInstanceDestroy(device.cast())),
            INVALID_ARGUMENT
        );
        assert_eq!(
            raw!(nvml, nvmlComputeInstanceDestroy(gi.cast())),
            INVALID_ARGUMENT
        );
    });
}

#[test]
fn short_buffers_are_told_the_size_and_left_alone() {
    on_a_node(&["T4"], |node| {
        let nvml = load();
        let device = handle(&nvml.device_by_index(0).unwrap());
        let mut name = [0x55; 8];
        assert_eq!(
            raw!(nvml, nvmlDeviceGetName(device, name.as_mut_ptr(), 8)),
            INSUFFICIENT_SIZE
        );
        assert_eq!(name, [0x55; 8]);
        let mut name = [0x55; 9];
        assert_eq!(
            raw!(nvml, nvmlDeviceGetName(device, name.as_mut_ptr(), 9)),
            SUCCESS
        );
        assert_eq!(text(&name), "Tesla T4");
        for pid in [7, 8] {
            let client = Client {
                pid,
                name: "train".to_owned(),
                memory_mib: 10,
            };
            node.attach(0, client).unwrap();
        }
        let mut infos: [sys::nvmlProcessInfo_t; 2] = [blank(); 2];
        for (room, code) in [(0, INSUFFICIENT_SIZE), (1, INSUFFICIENT_SIZE), (2, SUCCESS)] {
            let mut count = room;
            let pointer = infos.as_mut_ptr();
            let answer = raw!(
                nvml,
                nvmlDeviceGetComputeRunningProcesses_v3(device, &raw mut count, pointer)
            );
            assert_eq!((answer, count), (code, 2));
        }
        assert_eq!(infos.map(|info| info.pid), [7, 8]);
    });
}

#[test]
fn nothing_is_answered_before_init_or_after_the_last_shutdown() {
    on_a_node(&["T4"], |node| {
        let nvml = load();
        assert_eq!(raw!(nvml, nvmlInitWithFlags(0)), SUCCESS);
        assert_eq!(raw!(nvml, nvmlShutdown()), SUCCESS);
        let mut count = 0;
        assert_eq!(raw!(nvml, nvmlDeviceGetCount_v2(&raw mut count)), SUCCESS);
        assert_eq!(raw!(nvml, nvmlShutdown()), SUCCESS);
        assert_eq!(raw!(nvml, nvmlDeviceGetCount_v2(&raw mut count)), 1);
        assert_eq!(raw!(nvml, nvmlShutdown()), 1);
        assert_eq!(node.gpus().unwrap().len(), 1);
    });
}
