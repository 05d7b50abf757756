//! Both look at the same GPUs and see the same.

use products::Product;

use crate::{A100, H100, client, node};

/// nvidia-smi 535 asks for the profiles with these numbers in NVML's enum: 0 to 9.
const KNOWN: u32 = 10;

#[test]
fn every_product_is_seen_alike_with_mig_off_and_on() {
    let keys: Vec<_> = products::ALL.iter().map(|product| product.key).collect();
    let simulated = node(&keys);
    let off = simulated.machine.agree("with MIG off").unwrap();
    assert_eq!(off.unlisted, []);
    for (gpu, product) in products::ALL.iter().enumerate() {
        if product.mig.is_some() {
            simulated.node.set_mig_mode(gpu, true).unwrap();
        }
    }
    let on = simulated.machine.agree("with MIG on").unwrap();
    assert_eq!(on.unlisted, unknown_to_it());
    let corrected: Vec<_> = on.corrected.iter().map(ToString::to_string).collect();
    assert_eq!(corrected, counted_wrong());
}

/// There is one `+me` instance of either size on an A30; its driver says two and four.
fn counted_wrong() -> Vec<String> {
    let a30 = products::ALL
        .iter()
        .position(|product| product.key == "A30");
    let a30 = a30.unwrap();
    [(2, 2), (4, 4)]
        .map(|(place, wrong)| {
            format!("gpus[{a30}].profiles[{place}].max: the agent says 1, the other {wrong}")
        })
        .to_vec()
}

/// Profiles that are younger than nvidia-smi 535.
fn unknown_to_it() -> Vec<(i32, String)> {
    let named = |(gpu, product): (i32, &&Product)| {
        let profiles = product.mig.iter().flat_map(|mig| mig.profiles);
        let younger = profiles.filter(|profile| profile.index >= KNOWN);
        let names = younger.map(|profile| (gpu, profile.name.to_owned()));
        names.collect::<Vec<_>>()
    };
    (0..).zip(products::ALL).flat_map(named).collect()
}

#[test]
fn instances_devices_and_processes_are_seen_alike() {
    let simulated = node(&[A100, H100, "T4"]);
    let hands = &simulated.node;
    hands.set_mig_mode(0, true).unwrap();
    hands.set_mig_mode(1, true).unwrap();
    // A hole among the MIG devices, as it stays when one goes.
    let gone = hands.create_instance(0, "1g.5gb", Some(6)).unwrap();
    let three = hands.create_instance(0, "3g.20gb", Some(0)).unwrap();
    let one = hands.create_instance(0, "1g.5gb+me", Some(4)).unwrap();
    hands.destroy_instance(&gone).unwrap();
    let all = hands.create_instance(1, "7g.80gb", None).unwrap();
    hands.attach_mig(&three, client(4001)).unwrap();
    hands.attach_mig(&three, client(4002)).unwrap();
    hands.attach_mig(&one, client(4003)).unwrap();
    hands.attach_mig(&all, client(4004)).unwrap();
    hands.attach(2, client(4005)).unwrap();
    let machine = &simulated.machine;
    assert_eq!(machine.agree("with instances").unwrap().unlisted, []);
    let seen = machine.nvidia_smi_inventory().unwrap();
    let devices = |gpu: usize| -> Vec<_> {
        let instances = seen.gpus[gpu].instances.iter();
        instances.map(|i| (i.start, i.uuid.as_deref())).collect()
    };
    assert_eq!(devices(0), [(0, Some(&*three)), (4, Some(&*one))]);
    assert_eq!(devices(1), [(0, Some(&*all))]);
    let pids = |gpu: usize| -> Vec<_> {
        let processes = seen.gpus[gpu].processes.iter();
        processes.map(|p| (p.pid, p.device.as_str())).collect()
    };
    assert_eq!(pids(0), [(4001, &*three), (4002, &*three), (4003, &*one)]);
    assert_eq!(pids(1), [(4004, &*all)]);
    assert_eq!(pids(2), [(4005, &*seen.gpus[2].uuid)]);
}
