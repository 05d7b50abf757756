//! Instances made and destroyed, and MIG mode, as the agent does it.

use std::ptr::null_mut;

use nvml_sim::Client;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper_sys::bindings as sys;

use crate::A100;
use crate::own_process::{load, on_a_node};
use crate::raw::{
    IN_USE, INSUFFICIENT_RESOURCES, INVALID_ARGUMENT, NOT_FOUND, NOT_SUPPORTED, SUCCESS, blank,
    create, handle, raw,
};

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
        assert_eq!(made.device, device);

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
