//! What pods ask for who may get a device that goes.

use std::collections::BTreeSet;

use crds::gpu_node::{GpuStatus, MigMode};

use super::assess::{GOES, gpu};
use crate::drain::devices::resources;

#[test]
fn a_device_may_be_had_by_each_name_that_the_plugin_can_give_it_on_this_node() {
    let cut = || gpu(&[]);
    let whole = |mode: MigMode| {
        let mut gpu = gpu(&[]);
        gpu.uuid = "GPU-1".to_owned();
        gpu.instances.clear();
        gpu.mig.current = mode;
        gpu
    };
    let names = |gpus: &[GpuStatus], device: &str| {
        let found = resources(gpus, &BTreeSet::from([device.to_owned()]));
        found.into_iter().collect::<Vec<_>>().join(" ")
    };
    let both = "nvidia.com/gpu nvidia.com/gpu.shared";
    let slice = "nvidia.com/mig-1g.5gb nvidia.com/mig-1g.5gb.shared";
    // Every GPU is in MIG mode: what is called nvidia.com/gpu can only be a slice.
    assert_eq!(names(&[cut()], GOES), format!("{both} {slice}"));
    assert_eq!(
        names(&[cut(), whole(MigMode::Enabled)], GOES),
        format!("{both} {slice}")
    );
    for mode in [MigMode::Disabled, MigMode::NotSupported] {
        assert_eq!(names(&[cut(), whole(mode)], GOES), slice);
        assert_eq!(names(&[cut(), whole(mode)], "GPU-1"), both);
    }
    assert_eq!(names(&[cut()], "MIG-of-nobody"), "");
}
