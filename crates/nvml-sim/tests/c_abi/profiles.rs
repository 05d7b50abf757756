//! What a GPU offers: profiles in every version of their struct, placements, capacity.

use std::ptr::null_mut;

use nvml_wrapper_sys::bindings as sys;

use crate::A100;
use crate::own_process::{load, on_a_node};
use crate::raw::{
    ARGUMENT_VERSION_MISMATCH, INVALID_ARGUMENT, NOT_SUPPORTED, SUCCESS, blank, handle, raw, text,
    version,
};

#[test]
fn profiles_are_enumerated_to_the_end() {
    let all: Vec<_> = products::ALL
        .iter()
        .filter(|product| product.mig.is_some())
        .map(|product| product.key)
        .collect();
    on_a_node(&all, |node| {
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
            let mig = products::find(&product.product)
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
