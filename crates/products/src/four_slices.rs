//! The profiles of GPUs that are divided into quarters: A30 and RTX PRO 6000.
//!
//! Ids are those of `nvidia-smi mig -lgip` on both. They are other profiles than the same ids on GPUs with eight memory
//! slices: 14 is a 2g there and a 1g here.

use super::{Engines, Profile};

/// What a product makes of a quarter, a half and the whole of itself.
pub(super) struct Parts {
    /// Memory slices of a quarter: the unit of placements is not the same on every product.
    pub(super) slices_of_a_quarter: u32,
    /// MiB of a quarter, a half and the whole.
    pub(super) memory_mib: [u64; 3],
    /// Streaming multiprocessors of a quarter, a half and the whole.
    pub(super) multiprocessors: [u32; 3],
}

/// A part, and what NVML calls it.
pub(super) struct Kind {
    index: u32,
    id: u32,
    quarters: u32,
    max_instances: u32,
}

pub(super) const ONE: Kind = kind(0, 14, 1, 4);
pub(super) const TWO: Kind = kind(1, 5, 2, 2);
pub(super) const FOUR: Kind = kind(3, 0, 4, 1);
pub(super) const ONE_ME: Kind = kind(7, 21, 1, 1);
pub(super) const TWO_ME: Kind = kind(8, 6, 2, 1);
pub(super) const ONE_GFX: Kind = kind(10, 47, 1, 4);
pub(super) const TWO_GFX: Kind = kind(11, 35, 2, 2);
pub(super) const FOUR_GFX: Kind = kind(12, 32, 4, 1);
pub(super) const ONE_NO_ME: Kind = kind(13, 67, 1, 4);
pub(super) const TWO_NO_ME: Kind = kind(14, 66, 2, 2);
pub(super) const ONE_ALL_ME: Kind = kind(15, 65, 1, 1);
pub(super) const TWO_ALL_ME: Kind = kind(16, 64, 2, 1);

const fn kind(index: u32, id: u32, quarters: u32, max_instances: u32) -> Kind {
    Kind {
        index,
        id,
        quarters,
        max_instances,
    }
}

/// Media engines of an instance: decoders, encoders, JPEG decoders, optical flow accelerators.
type Media = [u32; 4];

impl Parts {
    /// One row of a product's table.
    pub(super) const fn profile(&self, kind: &Kind, name: &'static str, media: Media) -> Profile {
        let [decoder, encoder, jpeg, ofa] = media;
        let part = kind.quarters as usize / 2;
        Profile {
            index: kind.index,
            id: kind.id,
            name,
            compute_slices: kind.quarters,
            memory_slices: kind.quarters * self.slices_of_a_quarter,
            starts: self.starts(kind.quarters),
            max_instances: kind.max_instances,
            memory_mib: self.memory_mib[part],
            multiprocessors: self.multiprocessors[part],
            multiprocessors_of_a_slice: self.multiprocessors[0],
            engines: Engines {
                copy: kind.quarters,
                decoder,
                encoder,
                jpeg,
                ofa,
            },
        }
    }

    const fn starts(&self, quarters: u32) -> &'static [u32] {
        match (quarters, self.slices_of_a_quarter) {
            (1, 3) => &[0, 3, 6, 9],
            (1, _) => &[0, 1, 2, 3],
            (2, 3) => &[0, 6],
            (2, _) => &[0, 2],
            _ => &[0],
        }
    }
}
