//! What it costs at least to choose for the GPUs that are still to be chosen for.

use smallvec::{SmallVec, smallvec};

use super::cost::{Cost, Pair, Weighed};

/// Pods as one number: one that must not be evicted is more than any number of others.
const PROTECTED: u64 = 1 << 24;
/// A pod is worth so much, so that it can be shared among the GPUs that it is on; a multiple of 1 to 10.
const POD: u64 = 2_520;
/// So many shared pods of a GPU count in its bound; there are rarely more. The others are taken to be gone already, which
/// is never too much.
const MOST: usize = 7;

/// What a pair comes to.
pub(super) fn worth(pods: Pair) -> u64 {
    (pods.0 as u64 * PROTECTED + pods.1 as u64) * POD
}

/// Pods leave as a whole: what is more than so many is at least one more.
pub(super) fn whole(worth: u64) -> u64 {
    worth.next_multiple_of(POD)
}

/// What something costs at least; the order of the fields is the order of what matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
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

/// Of each GPU to come which of the pods that count in its bound are gone, one bit each.
pub(super) type Gone = SmallVec<[u8; 8]>;

/// What it costs a GPU to follow a part that it cannot follow: more than anything.
const NEVER: i64 = i64::MAX / 4;
/// No price is more than this, nor less than as much below nothing; it is more than all pods are worth.
const MOST_PAID: i64 = NEVER / 1_024;
/// Less than anything costs.
const UNKNOWN: i64 = -1;
/// So often each price is set by the others.
const SWEEPS: usize = 2;

/// A bound for the GPUs from one on.
///
/// Each pod that several GPUs may drive away is shared among these: the shares of one GPU are what its cheapest candidate
/// drives away at least, and the sum over the GPUs is no more than all of them drive away together. It is asked for very
/// often, so it is looked up.
#[derive(Debug)]
pub(super) struct Bound<'a> {
    rest: Vec<Shares<'a>>,
    destroyed: usize,
    created: usize,
}

/// What a GPU is paid, by part, for following it: so much that about as many would of their own accord as are missing. What
/// is paid in all is added again, so that whatever the prices the bound is no more than the GPUs cost.
#[derive(Clone, Debug)]
pub(super) struct Prices {
    of: SmallVec<[i64; 9]>,
    paid: i64,
}

/// The bound of one GPU.
#[derive(Debug)]
struct Shares<'a> {
    gpu: &'a [Weighed],
    parts: usize,
    /// The pods that count: their bit, and what they are worth here.
    pods: SmallVec<[(u128, i64); MOST]>,
    /// What the GPU drives away at least, by which of these are gone and by part; [`UNKNOWN`] until it is asked for.
    known: Vec<i64>,
}

impl<'a> Bound<'a> {
    /// For these GPUs; `weight` of each pod by bit.
    pub(super) fn new(rest: &'a [Vec<Weighed>], weights: &[Pair], parts: usize) -> Self {
        let all = |gpu: &Vec<Weighed>| gpu.iter().fold(0, |all, it| all | it.gone);
        let driven: Vec<u128> = rest.iter().map(all).collect();
        let share = |(bit, weight): (usize, &Pair)| {
            let gpus = driven.iter().filter(|of| *of & 1 << bit != 0).count();
            (worth(*weight) / gpus.max(1) as u64).cast_signed()
        };
        let shares: Vec<_> = weights.iter().enumerate().map(share).collect();
        let each = rest.iter().zip(&driven);
        Self {
            rest: each
                .map(|(gpu, of)| Shares::new(gpu, *of, &shares, parts))
                .collect(),
            destroyed: fewest(rest, |cost| cost.destroyed),
            created: fewest(rest, |cost| cost.created),
        }
    }

    /// Which of the pods that count are among these.
    pub(super) fn gone(&self, pods: u128) -> Gone {
        let of = |shares: &Shares<'_>| {
            let each = shares.pods.iter().enumerate();
            each.fold(0, |all, (at, (bit, _))| {
                all | u8::from(pods & bit != 0) << at
            })
        };
        self.rest.iter().map(of).collect()
    }

    /// The prices if so many GPUs are missing of each part.
    pub(super) fn prices(&mut self, missing: &[Option<usize>]) -> Prices {
        let mut of: SmallVec<[i64; 9]> = smallvec![0; missing.len()];
        for _ in 0..SWEEPS {
            for (part, missing) in missing.iter().enumerate() {
                if let Some(missing) = missing {
                    of[part] = self.price(part, *missing, &of);
                }
            }
        }
        let number = |missing: Option<usize>| i64::try_from(missing.unwrap_or_default());
        let each = missing.iter().zip(&of);
        let paid = each.map(|(missing, price)| number(*missing).unwrap_or_default() * price);
        Prices {
            paid: paid.sum(),
            of,
        }
    }

    /// The price at which so many GPUs would follow the part, the others being as they are.
    fn price(&mut self, part: usize, missing: usize, prices: &[i64]) -> i64 {
        let dearer = |shares: &mut Shares<'a>| {
            let least = shares.least(0);
            let each = least.iter().zip(prices).enumerate();
            let others = each.filter(|(other, _)| *other != part);
            let other = others.map(|(_, (least, price))| least - price).min();
            least[part] - other.unwrap_or(NEVER)
        };
        let mut dearer: SmallVec<[i64; 8]> = self.rest.iter_mut().map(dearer).collect();
        dearer.sort_unstable();
        let price = match missing.checked_sub(1) {
            Some(last) => dearer.get(last).copied(),
            None => dearer.first().map(|first| 0.min(*first)),
        };
        price.unwrap_or_default().clamp(-MOST_PAID, MOST_PAID)
    }

    /// What the GPUs cost at least, beside the pods that are gone: of the one, or of the other.
    pub(super) fn least(&mut self, one: &Gone, other: &Gone, prices: &Prices) -> Least {
        let gone = one.iter().zip(other).map(|(one, other)| one | other);
        let mut sum = prices.paid;
        for (shares, gone) in self.rest.iter_mut().zip(gone) {
            let each = shares.least(gone).iter().zip(&prices.of);
            sum += each
                .map(|(least, price)| least - price)
                .min()
                .unwrap_or_default();
        }
        Least {
            evicted: u64::try_from(sum).unwrap_or_default(),
            destroyed: self.destroyed,
            created: self.created,
        }
    }
}

impl<'a> Shares<'a> {
    fn new(gpu: &'a [Weighed], driven: u128, shares: &[i64], parts: usize) -> Self {
        let pods = shares.iter().enumerate();
        let pods = pods.map(|(bit, share)| (1 << bit, *share));
        let pods: SmallVec<_> = pods
            .filter(|(bit, _)| driven & bit != 0)
            .take(MOST)
            .collect();
        Self {
            gpu,
            parts,
            known: vec![UNKNOWN; parts << pods.len()],
            pods,
        }
    }

    /// What the GPU drives away at least if these are gone, by part.
    fn least(&mut self, gone: u8) -> &[i64] {
        let from = usize::from(gone) * self.parts;
        let known = &mut self.known[from..from + self.parts];
        if known.first() == Some(&UNKNOWN) {
            let pods = self.pods.iter().enumerate();
            let pods = pods.filter(|(at, _)| gone & 1 << at == 0);
            let left: SmallVec<[(u128, i64); MOST]> = pods.map(|(_, pod)| *pod).collect();
            known.fill(NEVER);
            for it in self.gpu {
                let driven = left.iter().filter(|(bit, _)| it.gone & bit != 0);
                let shared: i64 = driven.map(|(_, share)| share).sum();
                let all = worth(it.cost.evicted).cast_signed() + shared;
                known[it.part] = known[it.part].min(all);
            }
        }
        known
    }
}

fn fewest(gpus: &[Vec<Weighed>], of: impl Fn(&Cost) -> usize) -> usize {
    let each = gpus
        .iter()
        .filter_map(|gpu| gpu.iter().map(|it| of(&it.cost)).min());
    each.sum()
}
