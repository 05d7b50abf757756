//! What GPUs offer, by the driver's names and without them.

use gpu::Driver;
use nvml_sim::state::{Fault, When};

use crate::own_process::{load, on_a_node};
use crate::{A100, first};

/// (name, id, compute slices, most, starts, size) of an A100 with 40 GB.
type Offer = (&'static str, i32, i32, i32, &'static [i32], i32);

const OFFERS: [Offer; 7] = [
    ("1g.5gb", 19, 1, 7, &[0, 1, 2, 3, 4, 5, 6], 1),
    ("2g.10gb", 14, 2, 3, &[0, 2, 4], 2),
    ("3g.20gb", 9, 3, 2, &[0, 4], 4),
    ("4g.20gb", 5, 4, 1, &[0], 4),
    ("7g.40gb", 0, 7, 1, &[0], 8),
    ("1g.5gb+me", 20, 1, 1, &[0, 1, 2, 3, 4, 5, 6], 1),
    ("1g.10gb", 15, 1, 4, &[0, 2, 4, 6], 2),
];

#[test]
fn an_a100_offers_its_profiles_at_their_placements_with_mig_off_and_on() {
    on_a_node(&[A100], |node| {
        let mut driver = load(node).unwrap();
        let off = first(&mut driver);
        node.set_mig_mode(0, true).unwrap();
        for (gpu, mode) in [(off, "off"), (first(&mut driver), "on")] {
            assert_eq!(gpu.profiles.len(), OFFERS.len());
            for (offer, (name, id, slices, max, starts, size)) in gpu.profiles.iter().zip(OFFERS) {
                let figures = (offer.name.as_str(), offer.id, offer.slices, offer.max);
                assert_eq!(figures, (name, id, slices, max), "MIG {mode}");
                let places = offer
                    .placements
                    .iter()
                    .map(|place| (place.start, place.size));
                let wanted = starts.iter().map(|start| (*start, size));
                assert!(
                    places.eq(wanted),
                    "{name} with MIG {mode}: {:?}",
                    offer.placements
                );
            }
        }
    });
}

#[test]
fn a_driver_without_names_may_say_so_in_two_ways() {
    on_a_node(&[A100], |node| {
        let mut driver = load(node).unwrap();
        let named = driver.inventory().unwrap();
        // A function that is absent, and one that does not know this version of its struct.
        for code in [13, 25] {
            let function = "nvmlDeviceGetGpuInstanceProfileInfoV".to_owned();
            node.inject(Fault {
                function,
                code,
                when: When::Every,
            })
            .unwrap();
            assert_eq!(driver.inventory().unwrap(), named, "{code}");
            node.heal().unwrap();
        }
    });
}
