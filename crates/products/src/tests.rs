//! The tables agree with each other and with the formula by which clients compute names.

use super::{ALL, Architecture, ComputeProfile, ModeChange, Product, Profile, compute_profiles};

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
fn counts_are_what_slices_and_media_engines_leave_room_for() {
    for (product, profile) in profiles() {
        let mig = product.mig.as_ref().unwrap();
        let starts = u32::try_from(profile.starts.len()).unwrap();
        let compute = mig.compute_slices / profile.compute_slices;
        let pairs = mig.media().into_iter().zip(profile.engines.media());
        let media = pairs.filter_map(|(all, one)| all.checked_div(one)).min();
        let most = starts.min(compute).min(media.unwrap_or(u32::MAX));
        assert_eq!(
            profile.max_instances, most,
            "{} {}",
            product.key, profile.name
        );
    }
}

#[test]
fn ids_are_those_of_real_drivers_and_differ_from_the_enum() {
    let eight_slices = [(0, 19), (1, 14), (2, 9), (3, 5), (4, 0), (7, 20), (9, 15)];
    let quarters = [
        (0, 14),
        (1, 5),
        (3, 0),
        (7, 21),
        (8, 6),
        (10, 47),
        (11, 35),
        (12, 32),
        (13, 67),
        (14, 66),
        (15, 65),
        (16, 64),
    ];
    for (product, profile) in profiles() {
        let known: &[_] = match product.mig.as_ref().unwrap().compute_slices {
            7 => &eight_slices,
            _ => &quarters,
        };
        let numbers = (profile.index, profile.id);
        assert!(known.contains(&numbers), "{} {}", product.key, profile.name);
        assert_ne!(profile.index, profile.id);
    }
}

#[test]
fn every_profile_has_the_name_that_clients_compute() {
    for (product, profile) in profiles() {
        let attribute = match profile.index {
            7 | 8 => "+me",
            10..=12 => "+gfx",
            13 | 14 => "-me",
            15 | 16 => "+me.all",
            _ => "",
        };
        let plain = computed_name(product, profile);
        assert_eq!(
            profile.name,
            format!("{plain}{attribute}"),
            "{}",
            product.key
        );
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

#[test]
fn a_compute_instance_that_fills_a_gpu_instance_has_all_its_multiprocessors() {
    for (product, profile) in profiles() {
        let inner = compute_profiles(profile);
        let of = |compute: &ComputeProfile| compute.multiprocessors(profile);
        let whole = inner.last().unwrap();
        let what = format!("{} {}", product.key, profile.name);
        assert_eq!(whole.slices, profile.compute_slices, "{what}");
        assert_eq!(of(whole), profile.multiprocessors, "{what}");
        assert!(inner.is_sorted_by_key(of), "{what}");
        for part in inner {
            let together = of(part) * u32::try_from(part.starts.len()).unwrap();
            assert!(together <= profile.multiprocessors, "{what}");
        }
    }
}

#[test]
fn products_differ_in_key_and_device_and_only_ampere_changes_mode_by_reset() {
    for product in ALL {
        let same = |other: &&&Product| {
            other.key == product.key || other.pci_device_id == product.pci_device_id
        };
        assert_eq!(ALL.iter().filter(same).count(), 1, "{}", product.key);
        if let Some(mig) = &product.mig {
            let by_reset = mig.mode_change == ModeChange::ByReset;
            let ampere = product.architecture == Architecture::Ampere;
            assert_eq!(by_reset, ampere, "{}", product.key);
        }
    }
}
