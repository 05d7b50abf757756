//! What GPUs offer, as old drivers, new ones and ones with gaps list it.

use gpu::{Driver, Error};
use nvml_sim::state::{Fault, When};
use nvml_sim::{Code, SimulatedNode};

use crate::own_process::{load, on_a_node};
use crate::products::{table, with_mig};
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
fn a_driver_that_lists_no_profiles_without_mig_lists_them_with_it() {
    on_a_node(&["A100-SXM4-80GB"], |node| {
        node.hide_profiles().unwrap();
        let mut driver = load(node).unwrap();
        assert_eq!(first(&mut driver).profiles, []);
        let gpu = first(&mut driver).uuid;
        driver.set_mig_mode(&gpu, true).unwrap();
        let profiles = first(&mut driver).profiles;
        assert_eq!(profiles, table("A100-SXM4-80GB").offers());
    });
}

#[test]
fn profiles_that_no_header_knows_are_listed_by_the_drivers_name_or_left_out() {
    on_a_node(&["RTX-PRO-6000"], |node| {
        let mut offers = table("RTX-PRO-6000").offers();
        // The 1g+gfx, in the middle of the list, goes behind the end of the header's enum.
        node.renumber_profile(10, 20).unwrap();
        let moved = offers.remove(4);
        assert_eq!(moved.name, "1g.24gb+gfx");
        let mut driver = load(node).unwrap();
        let named: Vec<_> = offers.iter().cloned().chain([moved]).collect();
        assert_eq!(first(&mut driver).profiles, named);
        // A number that the header does not know may fail, and the list goes on.
        node.fail_profile(18, Code::Unknown).unwrap();
        assert_eq!(first(&mut driver).profiles, named);
        without_names(node, 13);
        assert_eq!(first(&mut driver).profiles, offers);
    });
}

#[test]
fn a_list_with_a_hole_goes_on_and_one_that_cannot_be_read_is_no_list() {
    on_a_node(&["A100-SXM4-80GB"], |node| {
        let mut driver = load(node).unwrap();
        node.fail_profile(5, Code::InvalidArgument).unwrap();
        let profiles = first(&mut driver).profiles;
        assert_eq!(profiles, table("A100-SXM4-80GB").offers());
        node.fail_profile(3, Code::Unknown).unwrap();
        let error = driver.inventory().unwrap_err();
        assert!(
            matches!(
                error,
                Error::Call {
                    code: gpu::Code(999),
                    ..
                }
            ),
            "{error:?}"
        );
    });
}

#[test]
fn drivers_without_names_have_the_same_names() {
    on_a_node(&with_mig(), |node| {
        let mut driver = load(node).unwrap();
        let named = driver.inventory().unwrap();
        // A function that is absent, and one that does not know this version of its struct.
        for code in [13, 25] {
            without_names(node, code);
            assert_eq!(driver.inventory().unwrap(), named, "{code}");
            node.heal().unwrap();
        }
    });
}

/// As drivers before R510.
fn without_names(node: &SimulatedNode, code: u32) {
    let function = "nvmlDeviceGetGpuInstanceProfileInfoV".to_owned();
    let when = When::Every;
    node.inject(Fault {
        function,
        code,
        when,
    })
    .unwrap();
}
