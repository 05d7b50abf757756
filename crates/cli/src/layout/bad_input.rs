//! What is wrong with a question about a layout.

use super::items::Placed;
use crate::product::UnknownProduct;

/// Something was asked that is so of no GPU.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadInput {
    /// The product.
    #[error(transparent)]
    Product(#[from] UnknownProduct),
    /// Two numbers for one profile, or one instance twice in a list.
    #[error("{what} is more than once in --{flag}; say it once")]
    Twice {
        /// The list.
        flag: &'static str,
        /// The item without its number.
        what: String,
    },
    /// The product has no MIG.
    #[error("there can be no {instance} on {product}, which has no MIG; leave --current out")]
    NoMig {
        /// The instance.
        instance: Placed,
        /// The product.
        product: &'static str,
    },
    /// The product has no such profile.
    #[error("there can be no {instance} on {product}, which offers {}", .offered.join(", "))]
    NotOffered {
        /// The instance.
        instance: Placed,
        /// The product.
        product: &'static str,
        /// Its profiles.
        offered: Vec<&'static str>,
    },
    /// Nothing of the profile stands there.
    #[error("there can be no {instance} on {product}: {} stands at {}", .instance.profile, or_list(.starts))]
    NoPlace {
        /// The instance.
        instance: Placed,
        /// The product.
        product: &'static str,
        /// Where it could stand.
        starts: &'static [u32],
    },
    /// Two instances have a memory slice in common.
    #[error("{one} and {other} in --current overlap: {one} takes {size} memory slices")]
    Overlap {
        /// The one that starts first.
        one: Placed,
        /// Its memory slices.
        size: u32,
        /// The one that starts within it.
        other: Placed,
    },
    /// More instances of a profile than can be.
    #[error("there can be no more than {max} {profile} on {product}, and --current has {number}")]
    TooMany {
        /// The profile.
        profile: &'static str,
        /// The product.
        product: &'static str,
        /// How many there can be.
        max: u32,
        /// How many there are.
        number: usize,
    },
    /// The instances take more media engines than there are.
    #[error(
        "the instances in --current cannot be on {product} together: they take more media engines than it has"
    )]
    MediaEngines {
        /// The product.
        product: &'static str,
    },
    /// Something is on an instance that is not there.
    #[error("{instance} in --{flag} is not in --current; add it there")]
    NotCurrent {
        /// The list.
        flag: &'static str,
        /// The instance.
        instance: Placed,
    },
    /// An instance is said to have pods that may be evicted, and such that may not.
    #[error(
        "{instance} is in --held and in --pinned; leave it in --pinned if a pod on it must not be evicted"
    )]
    HeldAndPinned {
        /// The instance.
        instance: Placed,
    },
}

fn or_list(starts: &[u32]) -> String {
    let starts: Vec<_> = starts.iter().map(u32::to_string).collect();
    match starts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => "no slice".to_owned(),
    }
}
