//! The tables agree with each other and with the formula by which clients compute names.

use super::{ALL, Product, Profile};

/// NVIDIA's clients name a profile by its share of the memory in eighths, times the total in GiB.
fn computed_name(product: &Product, profile: &Profile) -> String {
    let total = product.memory_mib;
    let eighths = (profile.memory_mib * 8).div_ceil(total);
    let gib = (eighths * total.div_ceil(1024) + 4) / 8;
    format!("{}g.{gib}gb", profile.compute_slices)
}

fn profiles() -> impl Iterator<Item = (&'static Product, &'static Profile)> {
    ALL.iter().flat_map(|product| {
        product
            .mig
            .iter()
            .flat_map(move |mig| mig.profiles.iter().map(move |p| (*product, p)))
    })
}

#[test]
fn every_profile_has_the_name_that_clients_compute() {
    for (product, profile) in profiles() {
        let plain = profile.name.split(['+', '-']).next().unwrap();
        assert_eq!(
            plain,
            computed_name(product, profile),
            "{} {}",
            product.key,
            profile.name
        );
    }
}

#[test]
fn every_start_leaves_the_instance_inside_the_gpu() {
    for (product, profile) in profiles() {
        let slices = product.mig.as_ref().unwrap().memory_slices;
        for start in profile.starts {
            assert!(
                start + profile.memory_slices <= slices,
                "{} {}",
                product.key,
                profile.name
            );
        }
    }
}

#[test]
fn the_most_instances_of_a_profile_fit_its_starts_and_the_compute_slices() {
    for (product, profile) in profiles() {
        let mig = product.mig.as_ref().unwrap();
        let starts = u32::try_from(profile.starts.len()).unwrap();
        assert!(
            profile.max_instances <= starts,
            "{} {}",
            product.key,
            profile.name
        );
        let compute = profile.max_instances * profile.compute_slices;
        assert!(
            compute <= mig.compute_slices,
            "{} {}",
            product.key,
            profile.name
        );
    }
}

#[test]
fn ids_are_those_of_real_drivers_and_differ_from_the_enum() {
    for product in ALL.iter().filter(|product| product.mig.is_some()) {
        let mut ids: Vec<_> = product
            .mig
            .as_ref()
            .unwrap()
            .profiles
            .iter()
            .map(|p| (p.index, p.id))
            .collect();
        ids.sort_unstable();
        let real = [(0, 19), (1, 14), (2, 9), (3, 5), (4, 0), (7, 20), (9, 15)];
        assert_eq!(ids, real, "{}", product.key);
    }
}

#[test]
fn profiles_are_listed_by_rising_index_and_names_are_unique() {
    for product in ALL {
        let Some(mig) = &product.mig else { continue };
        assert!(
            mig.profiles.windows(2).all(|p| p[0].index < p[1].index),
            "{}",
            product.key
        );
        for profile in mig.profiles {
            assert!(std::ptr::eq(mig.by_name(profile.name).unwrap(), profile));
        }
    }
}
