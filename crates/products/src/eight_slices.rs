//! The profiles of GPUs with eight memory slices and seven compute slices: A100, H100, H200, B200.
//!
//! Placements and ids are the same on each of them, as `nvidia-smi mig -lgipp` prints them on an A100 and on an H100.
//! The tables of go-nvml's mocks for Hopper and newer place a 3g on three memory slices, which no hardware does: NVIDIA's
//! MIG user guide gives it half of the memory.

use super::{Engines, Profile};

/// What differs between products of this shape, for one profile.
pub(super) struct Size {
    name: &'static str,
    memory_mib: u64,
    multiprocessors: u32,
    engines: [u32; 3],
}

/// The seven profiles, in the order 1g, 2g, 3g, 4g, 7g, 1g+me, 1g with double memory.
pub(super) const fn profiles(sizes: [Size; 7]) -> [Profile; 7] {
    let of_a_slice = sizes[0].multiprocessors;
    let [one, two, three, four, seven, media, double] = sizes;
    [
        one.profile((0, 19), (1, of_a_slice), (&[0, 1, 2, 3, 4, 5, 6], 1), 7, 0),
        two.profile((1, 14), (2, of_a_slice), (&[0, 2, 4], 2), 3, 0),
        three.profile((2, 9), (3, of_a_slice), (&[0, 4], 4), 2, 0),
        four.profile((3, 5), (4, of_a_slice), (&[0], 4), 1, 0),
        seven.profile((4, 0), (7, of_a_slice), (&[0], 8), 1, 1),
        media.profile((7, 20), (1, of_a_slice), (&[0, 1, 2, 3, 4, 5, 6], 1), 1, 1),
        double.profile((9, 15), (1, of_a_slice), (&[0, 2, 4, 6], 2), 4, 0),
    ]
}

impl Size {
    const fn profile(
        &self,
        (index, id): (u32, u32),
        (compute_slices, multiprocessors_of_a_slice): (u32, u32),
        (starts, memory_slices): (&'static [u32], u32),
        max_instances: u32,
        ofa: u32,
    ) -> Profile {
        let [copy, decoder, jpeg] = self.engines;
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
            multiprocessors_of_a_slice,
            engines: Engines {
                copy,
                decoder,
                encoder: 0,
                jpeg,
                ofa,
            },
        }
    }
}

/// One row of a product's table; the engines are copy engines, decoders and JPEG decoders.
pub(super) const fn size(
    name: &'static str,
    memory_mib: u64,
    multiprocessors: u32,
    engines: [u32; 3],
) -> Size {
    Size {
        name,
        memory_mib,
        multiprocessors,
        engines,
    }
}
