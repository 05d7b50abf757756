//! Every product with MIG: what is read of it, and that each of its profiles can be made at each of its places.

use crds::gpu_node::{GpuStatus, Placement};
use gpu::{Driver, Error, Nvml};
use nvml_sim::{Client, SimulatedNode};
use products::Mig;

use crate::at;
use crate::own_process::{load, on_a_node};

/// The keys of the products with MIG.
pub fn with_mig() -> Vec<&'static str> {
    let all = products::ALL.iter();
    let with = all.filter(|product| product.mig.is_some());
    with.map(|product| product.key).collect()
}

/// What the table says of a product with MIG.
pub fn table(product: &str) -> &'static Mig {
    products::find(product).unwrap().mig.as_ref().unwrap()
}

#[test]
fn a_node_of_all_products_is_read_as_their_tables_say_with_mig_off_and_on() {
    let keys: Vec<_> = products::ALL.iter().map(|product| product.key).collect();
    on_a_node(&keys, |node| {
        let mut driver = load(node).unwrap();
        for mode in ["off", "on"] {
            let gpus = driver.inventory().unwrap().gpus;
            assert_eq!(gpus.len(), products::ALL.len());
            for (gpu, product) in gpus.iter().zip(products::ALL) {
                let mib = i64::try_from(product.memory_mib).unwrap();
                assert_eq!((gpu.product.as_str(), gpu.memory_mib), (product.name, mib));
                let offers = product.mig.as_ref().map(Mig::offers);
                assert_eq!(
                    gpu.profiles,
                    offers.unwrap_or_default(),
                    "{} {mode}",
                    product.key
                );
            }
            for (index, _) in keys.iter().enumerate() {
                // Products without MIG refuse.
                let _ = node.set_mig_mode(index, true);
            }
        }
    });
}

#[test]
fn every_profile_is_made_and_destroyed_at_each_of_its_places() {
    on_a_node(&with_mig(), |node| {
        let mut driver = load(node).unwrap();
        for gpu in sliced(node, &mut driver) {
            for offer in &gpu.profiles {
                for Placement { start, size } in &offer.placements {
                    let place = at(*start, &offer.name);
                    driver.create_gpu_instance(&gpu.uuid, &place).unwrap();
                    let uuid = driver.create_compute_instance(&gpu.uuid, &place).unwrap();
                    let index = usize::try_from(gpu.index).unwrap();
                    let [made] = node.gpus().unwrap()[index]
                        .instances
                        .clone()
                        .try_into()
                        .unwrap();
                    let wanted = (place.profile.as_str(), *start, *size);
                    let size = made.size.cast_signed();
                    assert_eq!(
                        (made.profile.as_str(), made.start.cast_signed(), size),
                        wanted
                    );
                    assert_eq!(made.mig_uuids, [uuid], "{wanted:?}");
                    driver.destroy_compute_instances(&gpu.uuid, &place).unwrap();
                    driver.destroy_gpu_instance(&gpu.uuid, &place).unwrap();
                }
            }
        }
        assert!(
            node.gpus()
                .unwrap()
                .iter()
                .all(|gpu| gpu.instances.is_empty())
        );
    });
}

#[test]
fn an_instance_is_filled_with_all_its_multiprocessors() {
    on_a_node(&["A100-SXM4-80GB", "H100-SXM5-80GB"], |node| {
        let mut driver = load(node).unwrap();
        let gpus = sliced(node, &mut driver);
        // The ids of the compute profiles that take all of the 1g with double memory.
        for ((gpu, index), whole) in gpus.iter().zip(0_usize..).zip([0, 7]) {
            let place = at(2, "1g.20gb");
            driver.create_gpu_instance(&gpu.uuid, &place).unwrap();
            driver.create_compute_instance(&gpu.uuid, &place).unwrap();
            let made = &node.state().unwrap().gpus[index].instances[0].compute[0];
            assert_eq!(made.profile_id, whole, "{}", gpu.product);
        }
    });
}

/// Every GPU with MIG mode on.
fn sliced(node: &SimulatedNode, driver: &mut Nvml) -> Vec<GpuStatus> {
    let gpus = node.gpus().unwrap();
    for gpu in &gpus {
        node.set_mig_mode(gpu.index, true).unwrap();
    }
    driver.inventory().unwrap().gpus
}

#[test]
fn as_many_of_each_profile_fit_as_is_said_and_no_more() {
    on_a_node(&with_mig(), |node| {
        let mut driver = load(node).unwrap();
        for gpu in sliced(node, &mut driver) {
            for offer in &gpu.profiles {
                let places = offer
                    .placements
                    .iter()
                    .map(|place| at(place.start, &offer.name));
                let made: Vec<_> = places
                    .filter(|place| match driver.create_gpu_instance(&gpu.uuid, place) {
                        Ok(()) => true,
                        Err(Error::NoRoom { .. }) => false,
                        Err(error) => panic!("{error}"),
                    })
                    .collect();
                let count = i32::try_from(made.len()).unwrap();
                assert_eq!(count, offer.max, "{} {}", gpu.product, offer.name);
                for place in made {
                    driver.destroy_gpu_instance(&gpu.uuid, &place).unwrap();
                }
            }
        }
    });
}

#[test]
fn what_does_not_fit_beside_the_rest_has_no_room() {
    // Slices, compute slices, media engines.
    let table = [
        ("A100-SXM4-80GB", ("3g.40gb", 4), ("1g.20gb", 6)),
        ("H200-SXM-141GB", ("4g.71gb", 0), ("7g.141gb", 0)),
        ("A30", ("2g.12gb+me", 0), ("1g.6gb+me", 2)),
        ("RTX-PRO-6000", ("1g.24gb", 3), ("2g.48gb-me", 0)),
        ("RTX-PRO-6000", ("1g.24gb+me.all", 0), ("1g.24gb", 9)),
        ("RTX-PRO-6000", ("2g.48gb+gfx", 6), ("1g.24gb+me.all", 0)),
    ];
    let keys: Vec<_> = table.iter().map(|row| row.0).collect();
    on_a_node(&keys, |node| {
        let mut driver = load(node).unwrap();
        for (gpu, (_, first, second)) in sliced(node, &mut driver).iter().zip(table) {
            let [first, second] = [first, second].map(|(profile, start)| at(start, profile));
            driver.create_gpu_instance(&gpu.uuid, &first).unwrap();
            let refused = driver.create_gpu_instance(&gpu.uuid, &second);
            assert!(
                matches!(refused, Err(Error::NoRoom { .. })),
                "{second:?}: {refused:?}"
            );
        }
    });
}

#[test]
fn instances_and_processes_of_several_products_are_kept_apart() {
    on_a_node(&["A30", "RTX-PRO-6000", "H100-NVL", "L4"], |node| {
        let mut made = Vec::new();
        for (index, profile) in ["2g.12gb+me", "1g.24gb-me", "1g.24gb"].iter().enumerate() {
            node.set_mig_mode(index, true).unwrap();
            let uuid = node.create_instance(index, profile, None).unwrap();
            node.attach_mig(&uuid, client(index)).unwrap();
            made.push((*profile, uuid));
        }
        node.attach(3, client(3)).unwrap();
        let gpus = load(node).unwrap().inventory().unwrap().gpus;
        for (gpu, (profile, uuid)) in gpus.iter().zip(&made) {
            let [instance] = gpu.instances.as_slice() else {
                panic!("{:?}", gpu.instances)
            };
            assert_eq!(
                (instance.profile.as_str(), &instance.uuid),
                (*profile, &Some(uuid.clone()))
            );
            assert_eq!(&gpu.processes[0].device, uuid);
        }
        assert_eq!(gpus[3].processes[0].device, gpus[3].uuid);
    });
}

fn client(index: usize) -> Client {
    Client {
        pid: 100 + u32::try_from(index).unwrap(),
        name: "train".to_owned(),
        memory_mib: 100,
    }
}
