//! What it costs at least to choose for the GPUs that are still to be chosen for.

use super::cost::{Cost, Pair, Weighed};

/// Pods as one number: one that must not be evicted is more than any number of others.
const PROTECTED: u64 = 1 << 24;
/// A pod is worth so much, so that it can be shared among the GPUs that it is on; a multiple of 1 to 10.
const POD: u64 = 2_520;

/// What a pair comes to.
pub(super) fn worth(pods: Pair) -> u64 {
    (pods.0 as u64 * PROTECTED + pods.1 as u64) * POD
}

/// What something costs at least; the order of the fields is the order of what matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Least {
    /// The [`worth()`] of the pods that leave.
    pub(super) evicted: u64,
    pub(super) destroyed: usize,
    pub(super) created: usize,
}

impl Least {
    /// What a choice for all GPUs costs.
    pub(super) fn of(cost: &Cost) -> Self {
        Self {
            evicted: worth(cost.evicted),
            destroyed: cost.destroyed,
            created: cost.created,
        }
    }
}

/// A bound for the GPUs from one on.
///
/// Each pod that several GPUs may drive away is shared among these: the shares of one GPU are what its cheapest candidate
/// drives away at least, and the sum over the GPUs is no more than all of them drive away together.
pub(super) struct Bound<'a> {
    rest: &'a [Vec<Weighed>],
    /// By bit.
    shares: Vec<u64>,
    destroyed: usize,
    created: usize,
}

impl<'a> Bound<'a> {
    /// For these GPUs; `weight` of each pod by bit.
    pub(super) fn new(rest: &'a [Vec<Weighed>], weights: &[Pair]) -> Self {
        let drives = |gpu: &&Vec<Weighed>, bit: usize| gpu.iter().any(|it| it.gone & 1 << bit != 0);
        let share = |(bit, weight): (usize, &Pair)| {
            let gpus = rest.iter().filter(|gpu| drives(gpu, bit)).count().max(1);
            worth(*weight) / gpus as u64
        };
        Self {
            rest,
            shares: weights.iter().enumerate().map(share).collect(),
            destroyed: fewest(rest, |cost| cost.destroyed),
            created: fewest(rest, |cost| cost.created),
        }
    }

    /// What the GPUs cost at least, beside the pods that are gone.
    pub(super) fn least(&self, gone: u128) -> Least {
        Least {
            evicted: self.evicted(gone),
            destroyed: self.destroyed,
            created: self.created,
        }
    }

    fn evicted(&self, gone: u128) -> u64 {
        let least = |gpu: &Vec<Weighed>| {
            let each = gpu
                .iter()
                .map(|it| worth(it.cost.evicted) + self.shared(it.gone & !gone));
            each.min().unwrap_or_default()
        };
        self.rest.iter().map(least).sum()
    }

    fn shared(&self, mut pods: u128) -> u64 {
        let mut sum = 0;
        while pods != 0 {
            sum += self.shares[pods.trailing_zeros() as usize];
            pods &= pods - 1;
        }
        sum
    }
}

fn fewest(gpus: &[Vec<Weighed>], of: impl Fn(&Cost) -> usize) -> usize {
    let each = gpus
        .iter()
        .filter_map(|gpu| gpu.iter().map(|it| of(&it.cost)).min());
    each.sum()
}
