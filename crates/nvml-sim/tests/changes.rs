//! What the agent changes, through the raw functions that nvml-wrapper has no safe call for.
#![expect(
    unsafe_code,
    reason = "creating instances exists in the raw bindings only"
)]

mod common;

use std::mem::zeroed;
use std::ptr::null_mut;

use common::{load, on_a_node};
use nvml_sim::Client;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};
use nvml_wrapper_sys::bindings as sys;

const A100: &str = "A100-SXM4-40GB";
const SUCCESS: u32 = 0;
const INVALID_ARGUMENT: u32 = 2;
const NOT_SUPPORTED: u32 = 3;
const NOT_FOUND: u32 = 6;
const INSUFFICIENT_SIZE: u32 = 7;
const IN_USE: u32 = 19;
const INSUFFICIENT_RESOURCES: u32 = 23;
const ARGUMENT_VERSION_MISMATCH: u32 = 25;

/// Calls a raw function by name.
macro_rules! raw {
    ($nvml:expr, $function:ident($($argument:expr),* $(,)?)) => {{
        let function = $nvml.lib().$function.as_ref().unwrap();
        // SAFETY: the arguments are those of the header, and their pointers outlive the call.
        unsafe { function($($argument),*) }
    }};
}

fn handle(device: &Device<'_>) -> sys::nvmlDevice_t {
    // SAFETY: the handle is used while the library is loaded.
    unsafe { device.handle() }
}

/// An all-zero struct for a function to fill.
fn blank<T: Copy>() -> T {
    // SAFETY: only structs of numbers and pointers, for which zero is a value.
    unsafe { zeroed() }
}

fn version<T>(n: u32) -> u32 {
    u32::try_from(size_of::<T>()).unwrap() | (n << 24)
}

fn create(
    nvml: &Nvml,
    device: sys::nvmlDevice_t,
    id: u32,
    start: u32,
    size: u32,
) -> (u32, sys::nvmlGpuInstance_t) {
    let (mut gi, placement) = (null_mut(), sys::nvmlGpuInstancePlacement_t { start, size });
    let code = raw!(
        nvml,
        nvmlDeviceCreateGpuInstanceWithPlacement(device, id, &raw const placement, &raw mut gi)
    );
    (code, gi)
}

fn text(chars: &[std::ffi::c_char]) -> String {
    chars
        .iter()
        .map_while(|c| u8::try_from(*c).ok().filter(|c| *c != 0))
        .map(char::from)
        .collect()
}

#[test]
fn profiles_are_enumerated_to_the_end() {
    on_a_node(&[A100, "H100-SXM5-80GB"], |node| {
        let nvml = load();
        for (gpu, product) in node.gpus().unwrap().iter().enumerate() {
            let device = handle(&nvml.device_by_index(u32::try_from(gpu).unwrap()).unwrap());
            let mut names = Vec::new();
            for index in 0.. {
                let mut info: sys::nvmlGpuInstanceProfileInfo_v2_t = blank();
                info.version = version::<sys::nvmlGpuInstanceProfileInfo_v2_t>(2);
                match raw!(
                    nvml,
                    nvmlDeviceGetGpuInstanceProfileInfoV(device, index, &raw mut info)
                ) {
                    SUCCESS => names.push((info.id, text(&info.name))),
                    NOT_SUPPORTED => {}
                    code => {
                        assert_eq!((code, index), (INVALID_ARGUMENT, 18));
                        break;
                    }
                }
            }
            let mig = nvml_sim::product::find(&product.product)
                .unwrap()
                .mig
                .as_ref()
                .unwrap();
            let expected: Vec<_> = mig
                .profiles
                .iter()
                .map(|p| (p.id, format!("MIG {}", p.name)))
                .collect();
            assert_eq!(names, expected);
        }
    });
}

#[test]
fn profile_structs_are_written_for_known_versions_only() {
    on_a_node(&[A100], |node| {
        let nvml = load();
        let device = handle(&nvml.device_by_index(0).unwrap());
        let mut third: sys::nvmlGpuInstanceProfileInfo_v3_t = blank();
        third.version = version::<sys::nvmlGpuInstanceProfileInfo_v3_t>(3);
        let pointer = (&raw mut third).cast();
        assert_eq!(
            raw!(
                nvml,
                nvmlDeviceGetGpuInstanceProfileInfoV(device, 2, pointer)
            ),
            SUCCESS
        );
        assert_eq!(
            (third.id, third.memorySizeMB, text(&third.name).as_str()),
            (9, 19_968, "MIG 3g.20gb")
        );
        for wrong in [
            0,
            version::<sys::nvmlGpuInstanceProfileInfo_v2_t>(7),
            2 << 24,
        ] {
            let mut info: sys::nvmlGpuInstanceProfileInfo_v2_t = blank();
            info.version = wrong;
            let code = raw!(
                nvml,
                nvmlDeviceGetGpuInstanceProfileInfoV(device, 2, &raw mut info)
            );
            assert_eq!(
                (code, info.id),
                (ARGUMENT_VERSION_MISMATCH, 0),
                "{wrong:#x}"
            );
        }
        let mut first: sys::nvmlGpuInstanceProfileInfo_t = blank();
        assert_eq!(
            raw!(
                nvml,
                nvmlDeviceGetGpuInstanceProfileInfo(device, 2, &raw mut first)
            ),
            SUCCESS
        );
        assert_eq!((first.id, first.instanceCount, first.sliceCount), (9, 2, 3));
        let null = null_mut();
        let code = raw!(nvml, nvmlDeviceGetGpuInstanceProfileInfo(device, 2, null));
        assert_eq!(code, INVALID_ARGUMENT);
        assert_eq!(node.gpus().unwrap()[0].instances, []);
    });
}

#[test]
fn placements_are_asked_for_in_two_calls() {
    on_a_node(&[A100], |node| {
        let nvml = load();
        let device = handle(&nvml.device_by_index(0).unwrap());
        let mut count = 0;
        let null = null_mut();
        let code = raw!(
            nvml,
            nvmlDeviceGetGpuInstancePossiblePlacements_v2(device, 14, null, &raw mut count)
        );
        assert_eq!((code, count), (SUCCESS, 3));
        let mut found: [sys::nvmlGpuInstancePlacement_t; 3] = [blank(); 3];
        let code = raw!(
            nvml,
            nvmlDeviceGetGpuInstancePossiblePlacements_v2(
                device,
                14,
                found.as_mut_ptr(),
                &raw mut count
            )
        );
        assert_eq!(code, SUCCESS);
        assert_eq!(found.map(|p| (p.start, p.size)), [(0, 2), (2, 2), (4, 2)]);
        node.set_mig_mode(0, true).unwrap();
        node.create_instance(0, "3g.20gb", Some(4)).unwrap();
        let mut capacity = 0;
        let code = raw!(
            nvml,
            nvmlDeviceGetGpuInstanceRemainingCapacity(device, 14, &raw mut capacity)
        );
        assert_eq!((code, capacity), (SUCCESS, 2));
        let code = raw!(
            nvml,
            nvmlDeviceGetGpuInstanceRemainingCapacity(device, 2, &raw mut capacity)
        );
        assert_eq!(code, INVALID_ARGUMENT);
    });
}

#[test]
fn an_instance_lives_from_creation_to_destruction() {
    on_a_node(&[A100], |node| {
        let nvml = load();
        let whole = nvml.device_by_index(0).unwrap();
        let device = handle(&whole);
        assert_eq!(create(&nvml, device, 9, 0, 4).0, NOT_SUPPORTED);
        assert_eq!(whole.set_mig_mode(true).unwrap(), SUCCESS);
        assert_eq!(create(&nvml, device, 9, 0, 3).0, INVALID_ARGUMENT);
        let (code, gi) = create(&nvml, device, 9, 0, 4);
        assert_eq!(code, SUCCESS);
        assert_eq!(create(&nvml, device, 9, 0, 4).0, INSUFFICIENT_RESOURCES);

        let mut info: sys::nvmlGpuInstanceInfo_t = blank();
        assert_eq!(
            raw!(nvml, nvmlGpuInstanceGetInfo(gi, &raw mut info)),
            SUCCESS
        );
        assert_eq!((info.device, info.id, info.profileId), (device, 1, 9));
        assert_eq!((info.placement.start, info.placement.size), (0, 4));
        let (mut again, mut count) = (null_mut(), 0);
        assert_eq!(
            raw!(
                nvml,
                nvmlDeviceGetGpuInstanceById(device, 1, &raw mut again)
            ),
            SUCCESS
        );
        assert_eq!(again, gi);
        assert_eq!(
            raw!(
                nvml,
                nvmlDeviceGetGpuInstances(device, 9, &raw mut again, &raw mut count)
            ),
            SUCCESS
        );
        assert_eq!((count, again), (1, gi));

        // A compute instance over the whole GPU instance: profile 2 = three slices.
        let mut ci = null_mut();
        assert_eq!(
            raw!(
                nvml,
                nvmlGpuInstanceCreateComputeInstance(gi, 2, &raw mut ci)
            ),
            SUCCESS
        );
        let mut made: sys::nvmlComputeInstanceInfo_t = blank();
        assert_eq!(
            raw!(nvml, nvmlComputeInstanceGetInfo_v2(ci, &raw mut made)),
            SUCCESS
        );
        assert_eq!((made.id, made.profileId, made.gpuInstance), (0, 2, gi));
        let mut gi_id = 9;
        assert_eq!(
            raw!(
                nvml,
                nvmlDeviceGetGpuInstanceId(made.device, &raw mut gi_id)
            ),
            SUCCESS
        );
        assert_eq!(gi_id, 1);

        let uuid = whole.mig_device_by_index(0).unwrap().uuid().unwrap();
        let client = Client {
            pid: 7,
            name: "train".to_owned(),
            memory_mib: 10,
        };
        node.attach_mig(&uuid, client).unwrap();
        assert_eq!(raw!(nvml, nvmlGpuInstanceDestroy(gi)), IN_USE);
        assert_eq!(raw!(nvml, nvmlComputeInstanceDestroy(ci)), IN_USE);
        assert!(matches!(whole.set_mig_mode(false), Err(NvmlError::InUse)));
        node.detach(7).unwrap();
        assert_eq!(raw!(nvml, nvmlComputeInstanceDestroy(ci)), SUCCESS);
        assert_eq!(raw!(nvml, nvmlGpuInstanceDestroy(gi)), SUCCESS);
        assert_eq!(raw!(nvml, nvmlComputeInstanceDestroy(ci)), NOT_FOUND);
        assert_eq!(raw!(nvml, nvmlGpuInstanceDestroy(gi)), NOT_FOUND);
        assert_eq!(
            raw!(nvml, nvmlGpuInstanceGetInfo(gi, &raw mut info)),
            NOT_FOUND
        );
        assert_eq!(node.gpus().unwrap()[0].instances, []);
    });
}

#[test]
fn a_busy_ampere_gpu_keeps_the_mode_pending() {
    on_a_node(&[A100, "H100-SXM5-80GB"], |node| {
        let nvml = load();
        for gpu in [0, 1] {
            let client = Client {
                pid: 7,
                name: "train".to_owned(),
                memory_mib: 10,
            };
            node.attach(gpu, client).unwrap();
        }
        let [ampere, hopper] = [0, 1].map(|index| nvml.device_by_index(index).unwrap());
        assert_eq!(ampere.set_mig_mode(true).unwrap(), IN_USE);
        let mode = ampere.mig_mode().unwrap();
        assert_eq!((mode.current, mode.pending), (0, 1));
        assert!(matches!(hopper.set_mig_mode(true), Err(NvmlError::InUse)));
        let mode = hopper.mig_mode().unwrap();
        assert_eq!((mode.current, mode.pending), (0, 0));
    });
}

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
        for device in wild.into_iter().chain([gi.cast()]) {
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
