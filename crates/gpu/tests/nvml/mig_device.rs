//! The MIG device behind an instance.

use gpu::Driver;

use crate::own_process::{load, on_a_node};
use crate::{A100, at, first};

#[test]
fn a_slice_has_its_own_uuid_whichever_device_its_compute_instance_names() {
    on_a_node(&[A100], |node| {
        let mut driver = load(node).unwrap();
        node.set_mig_mode(0, true).unwrap();
        let gpu = first(&mut driver).uuid;
        // A hole among the MIG devices, and two compute instances with the same number.
        let gone = node.create_instance(0, "1g.5gb", Some(6)).unwrap();
        let three = node.create_instance(0, "3g.20gb", Some(0)).unwrap();
        node.destroy_instance(&gone).unwrap();
        let make = |driver: &mut gpu::Nvml, at| {
            driver.create_gpu_instance(&gpu, &at).unwrap();
            driver.create_compute_instance(&gpu, &at).unwrap()
        };
        let one = make(&mut driver, at(4, "1g.5gb"));
        let uuids = |driver: &mut gpu::Nvml| -> Vec<_> {
            let instances = first(driver).instances.into_iter();
            instances.map(|instance| instance.uuid.unwrap()).collect()
        };
        assert_eq!(uuids(&mut driver), [&*three, &*one]);
        node.name_mig_devices().unwrap();
        assert_eq!(uuids(&mut driver), [&*three, &*one]);
        let other = make(&mut driver, at(5, "1g.5gb"));
        assert_eq!(uuids(&mut driver), [&*three, &*one, &*other]);
    });
}
