//! The profiles of GPUs with eight memory slices and seven compute slices.
//!
//! Placements are those of the A100 for every such product. The tables of go-nvml's mocks for
//! Hopper and newer place a 3g on three memory slices, which contradicts its share of the memory;
//! NVIDIA's MIG user guide draws it on four.

use super::{Engines, Profile};

/// What differs between products of this shape, for one profile.
pub(super) struct Size {
    pub(super) name: &'static str,
    pub(super) memory_mib: u64,
    pub(super) multiprocessors: u32,
    pub(super) decoder: u32,
    pub(super) jpeg: u32,
}

/// The seven profiles, in the order 1g, 2g, 3g, 4g, 7g, 1g+me, 1g with double memory.
pub(super) const fn profiles(sizes: [Size; 7]) -> [Profile; 7] {
    let [one, two, three, four, seven, media, double] = sizes;
    [
        one.profile(0, 19, 1, (&[0, 1, 2, 3, 4, 5, 6], 1), 7, 0),
        two.profile(1, 14, 2, (&[0, 2, 4], 2), 3, 0),
        three.profile(2, 9, 3, (&[0, 4], 4), 2, 0),
        four.profile(3, 5, 4, (&[0], 4), 1, 0),
        seven.profile(4, 0, 7, (&[0], 8), 1, 1),
        media.profile(7, 20, 1, (&[0, 1, 2, 3, 4, 5, 6], 1), 1, 1),
        double.profile(9, 15, 1, (&[0, 2, 4, 6], 2), 4, 0),
    ]
}

impl Size {
    const fn profile(
        &self,
        index: u32,
        id: u32,
        compute_slices: u32,
        (starts, memory_slices): (&'static [u32], u32),
        max_instances: u32,
        ofa: u32,
    ) -> Profile {
        Profile {
            index,
            id,
            name: self.name,
            compute_slices,
            memory_slices,
            starts,
            max_instances,
            memory_mib: self.memory_mib,
            multiprocessors: self.multiprocessors,
            engines: Engines {
                copy: compute_slices,
                decoder: self.decoder,
                jpeg: self.jpeg,
                ofa,
            },
        }
    }
}

/// One row of a product's table.
pub(super) const fn size(
    name: &'static str,
    memory_mib: u64,
    multiprocessors: u32,
    decoder: u32,
    jpeg: u32,
) -> Size {
    Size {
        name,
        memory_mib,
        multiprocessors,
        decoder,
        jpeg,
    }
}
