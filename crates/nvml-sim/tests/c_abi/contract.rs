//! What every client may rely on: handles, buffers, the count of inits.

use libloading::Library;
use nvml_sim::Client;
use nvml_wrapper_sys::bindings as sys;

use crate::A100;
use crate::own_process::{library, load, on_a_node};
use crate::raw::{
    ARGUMENT_VERSION_MISMATCH, INSUFFICIENT_SIZE, INVALID_ARGUMENT, NOT_SUPPORTED, SUCCESS, blank,
    create, handle, raw, text, version,
};

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

#[test]
fn structs_are_written_for_the_declared_version_alone() {
    on_a_node(&[A100], |node| {
        let nvml = load();
        node.set_mig_mode(0, true).unwrap();
        let device = handle(&nvml.device_by_index(0).unwrap());
        let (_, gi) = create(&nvml, device, 9, 0, 4);
        let memory = |declared| {
            let mut memory: sys::nvmlMemory_v2_t = blank();
            memory.version = declared;
            let code = raw!(nvml, nvmlDeviceGetMemoryInfo_v2(device, &raw mut memory));
            (code, memory.total >> 20)
        };
        assert_eq!(memory(0x0200_0028), (SUCCESS, 40_960));
        // What nvidia-smi 535 and pynvml declare: 136 bytes, version 2.
        let compute = |declared| {
            let mut info: sys::nvmlComputeInstanceProfileInfo_v2_t = blank();
            info.version = declared;
            let code = raw!(
                nvml,
                nvmlGpuInstanceGetComputeInstanceProfileInfoV(gi, 2, 0, &raw mut info)
            );
            (code, info.sliceCount)
        };
        assert_eq!(compute(0x0200_0088), (SUCCESS, 3));
        let mut third: sys::nvmlComputeInstanceProfileInfo_v3_t = blank();
        third.version = version::<sys::nvmlComputeInstanceProfileInfo_v3_t>(3);
        let pointer = (&raw mut third).cast();
        let code = raw!(
            nvml,
            nvmlGpuInstanceGetComputeInstanceProfileInfoV(gi, 2, 0, pointer)
        );
        assert_eq!((code, text(&third.name).as_str()), (SUCCESS, "MIG 3g.20gb"));
        for wrong in [0, 0x0100_0028, 0x0200_0087, 0x0300_0088, 0x0400_0088] {
            assert_eq!(memory(wrong), (ARGUMENT_VERSION_MISMATCH, 0), "{wrong:#x}");
            assert_eq!(compute(wrong), (ARGUMENT_VERSION_MISMATCH, 0), "{wrong:#x}");
        }
        assert_eq!(node.gpus().unwrap()[0].instances.len(), 1);
    });
}

#[test]
fn each_field_value_says_that_it_is_not_supported() {
    on_a_node(&[A100], |node| {
        let nvml = load();
        let device = handle(&nvml.device_by_index(0).unwrap());
        let mut values: [sys::nvmlFieldValue_t; 3] = [blank(); 3];
        let pointer = values.as_mut_ptr();
        let code = raw!(nvml, nvmlDeviceGetFieldValues(device, 2, pointer));
        assert_eq!(code, SUCCESS);
        let answers = values.map(|value| value.nvmlReturn);
        assert_eq!(answers, [NOT_SUPPORTED, NOT_SUPPORTED, 0]);
        let code = raw!(nvml, nvmlDeviceGetFieldValues(device, -1, pointer));
        assert_eq!(code, INVALID_ARGUMENT);
        assert_eq!(node.gpus().unwrap().len(), 1);
    });
}

#[test]
fn processes_have_the_size_of_their_functions_version() {
    on_a_node(&["T4"], |node| {
        let nvml = load();
        let device = handle(&nvml.device_by_index(0).unwrap());
        for pid in [7, 8] {
            let client = Client {
                pid,
                name: "train".to_owned(),
                memory_mib: 10,
            };
            node.attach(0, client).unwrap();
        }
        // SAFETY: the library does nothing when it is loaded.
        let library = unsafe { Library::new(library()) }.unwrap();
        let short: [sys::nvmlProcessInfo_v1_t; 2] = two_processes(&library, device, "");
        assert_eq!(size_of_val(&short), 2 * 16);
        assert_eq!(short.map(|process| process.pid), [7, 8]);
        for suffix in ["_v2", "_v3"] {
            let long: [sys::nvmlProcessInfo_v2_t; 2] = two_processes(&library, device, suffix);
            assert_eq!(size_of_val(&long), 2 * 24);
            assert_eq!(long.map(|process| process.pid), [7, 8]);
            assert_eq!(long.map(|process| process.gpuInstanceId), [u32::MAX; 2]);
        }
    });
}

/// What one of the versions of the function lists, in its struct.
fn two_processes<T: Copy>(library: &Library, device: sys::nvmlDevice_t, suffix: &str) -> [T; 2] {
    type List<T> = unsafe extern "C" fn(sys::nvmlDevice_t, *mut u32, *mut T) -> u32;
    let name = format!("nvmlDeviceGetComputeRunningProcesses{suffix}");
    let (mut count, mut found) = (2, [blank::<T>(); 2]);
    // SAFETY: the signature is the header's; there is room for as many as the count says.
    let code = unsafe {
        let list = library.get::<List<T>>(name.as_bytes()).unwrap();
        list(device, &raw mut count, found.as_mut_ptr())
    };
    assert_eq!((code, count), (SUCCESS, 2), "{name}");
    found
}
