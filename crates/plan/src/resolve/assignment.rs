//! Which candidate each GPU of a node gets: the choice that disturbs the node least as a whole.
//!
//! The GPUs are gone through in their order. Of the choices for those so far only such are carried on as can still become
//! the best: a choice is dropped for one that leaves the same open and costs less even if it had to drive away, later, all
//! pods that the other has driven away already.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};

use smallvec::{SmallVec, smallvec};

use super::bound::{Bound, Least, worth};
use super::candidates::Candidate;
use super::cost::{Cost, Kind, Pair, Room, Weighed};

/// So many choices are carried on of those for which as many GPUs follow each part. Nodes whose pods spread over their GPUs
/// as pods do have a handful; where more are equally promising, those that cost the least so far are carried on, and the
/// answer may then not be the best. There is always one if there is any.
const MOST: usize = 64;
/// So many are carried on in a first go, which tells how much the best costs at most.
const FEW: usize = 2;
/// So many pods that spread over GPUs are counted once however many GPUs they leave; the others count on each.
const MOST_SHARED: u32 = u128::BITS;

/// What bounds the choice.
#[derive(Debug)]
pub(super) struct Rules<'a> {
    /// How many GPUs follow each part; none: as many as there are.
    pub(super) counts: &'a [Option<usize>],
    /// Parts that the device plugin cannot do on one node with some others: two parts that have different numbers here
    /// cannot both be followed. By part; for whole GPUs, and for any.
    pub(super) kinds: &'a [Kind],
    /// Pods that must not be evicted.
    pub(super) protected: &'a BTreeSet<String>,
    /// Pods that are on several GPUs.
    pub(super) shared: &'a BTreeSet<String>,
}

/// A choice for the GPUs so far.
#[derive(Clone, Debug)]
struct Choice {
    /// How many GPUs follow each part.
    used: SmallVec<[usize; 9]>,
    kind: Kind,
    /// Shared pods that leave, one bit each.
    gone: u128,
    cost: Cost,
    picks: SmallVec<[usize; 8]>,
}

/// The number of the candidate for each GPU. None: there is no choice that keeps the rules. `room`: of each GPU, which of
/// the node's profiles the numbers of its candidates' `spare` are about.
pub(super) fn assign(
    gpus: &[Vec<Candidate>],
    room: &[Vec<usize>],
    rules: &Rules<'_>,
) -> Option<Vec<usize>> {
    let search = Search::new(rules, room);
    let weigh = |(gpu, room): (&Vec<Candidate>, &Vec<usize>)| {
        let weighed = gpu.iter().map(|it| search.weigh(it, room));
        weighed.collect::<Vec<_>>()
    };
    let gpus: Vec<_> = gpus.iter().zip(room).map(weigh).collect();
    let first = search.run(&gpus, FEW, None);
    let most = Least::of(&first.as_ref()?.cost);
    let best = search.run(&gpus, MOST, Some(most)).or(first);
    best.map(|choice| choice.picks.into_vec())
}

struct Search<'a> {
    rules: &'a Rules<'a>,
    /// The shared pods by bit.
    bits: BTreeMap<&'a str, u32>,
    /// Of those the bits that must not be evicted.
    protected: u128,
    /// How many profiles the node's GPUs offer.
    profiles: usize,
}

impl<'a> Search<'a> {
    fn new(rules: &'a Rules<'a>, room: &[Vec<usize>]) -> Self {
        let bits: BTreeMap<_, _> = rules
            .shared
            .iter()
            .map(String::as_str)
            .zip(0..MOST_SHARED)
            .collect();
        let is_protected = |(pod, _): &(&&str, &u32)| rules.protected.contains(**pod);
        let protected = bits.iter().filter(is_protected);
        Self {
            rules,
            protected: protected.fold(0, |all, (_, bit)| all | 1 << bit),
            bits,
            profiles: room.iter().flatten().max().map_or(0, |most| most + 1),
        }
    }

    fn weigh(&self, candidate: &Candidate, room: &[usize]) -> Weighed {
        let (mut gone, mut evicted) = (0, Pair::default());
        for pod in &candidate.evicted {
            if let Some(bit) = self.bits.get(pod.as_str()) {
                gone |= 1 << bit;
            } else {
                let protected = usize::from(self.rules.protected.contains(pod));
                evicted = evicted.plus(Pair(protected, 1));
            }
        }
        let mut by_profile: Room = smallvec![0; self.profiles];
        for (&profile, &number) in room.iter().zip(&candidate.spare) {
            by_profile[profile] = number;
        }
        Weighed {
            part: candidate.part,
            gone,
            cost: Cost {
                evicted,
                destroyed: candidate.destroyed,
                created: candidate.created,
                room: Reverse(by_profile),
            },
        }
    }

    fn nothing(&self) -> Choice {
        Choice {
            used: smallvec![0; self.rules.counts.len()],
            kind: Kind::default(),
            gone: 0,
            cost: Cost {
                room: Reverse(smallvec![0; self.profiles]),
                ..Cost::default()
            },
            picks: SmallVec::new(),
        }
    }

    /// The best choice for all GPUs of those that cost no more than `most`, if so many are carried on.
    fn run(&self, gpus: &[Vec<Weighed>], carried: usize, most: Option<Least>) -> Option<Choice> {
        let weights: Vec<_> = (0..self.bits.len())
            .map(|bit| self.weight(1 << bit))
            .collect();
        let mut choices = vec![self.nothing()];
        for (at, gpu) in gpus.iter().enumerate() {
            let rest = &gpus[at + 1..];
            let open = rest.iter().flatten().fold(0, |open, it| open | it.gone);
            let bound = Bound::new(rest, &weights);
            let mut next = Vec::new();
            for choice in &choices {
                let each = gpu.iter().enumerate();
                // Asked before anything is allocated for it: most are not.
                let hopeful = each.filter(|(_, it)| {
                    most.is_none_or(|most| self.least(choice, it, &bound) <= most)
                });
                next.extend(hopeful.filter_map(|(pick, it)| self.with(choice, pick, it)));
            }
            choices = self.promising(next, open, carried);
        }
        let complete = choices.into_iter().filter(|it| self.is_complete(it));
        complete.min_by(Choice::order)
    }

    /// What the choice costs at least in the end, with this candidate for the next GPU.
    fn least(&self, choice: &Choice, weighed: &Weighed, bound: &Bound<'_>) -> Least {
        let new = self.weight(weighed.gone & !choice.gone);
        let (so_far, more) = (&choice.cost, &weighed.cost);
        let rest = bound.least(choice.gone | weighed.gone);
        Least {
            evicted: worth(so_far.evicted.plus(more.evicted).plus(new)) + rest.evicted,
            destroyed: so_far.destroyed + more.destroyed + rest.destroyed,
            created: so_far.created + more.created + rest.created,
        }
    }

    /// Those that can still become the best. `open`: the shared pods that GPUs to come may drive away.
    fn promising(&self, mut next: Vec<Choice>, open: u128, carried: usize) -> Vec<Choice> {
        next.sort_unstable_by(Choice::order);
        let mut best: Vec<Choice> = Vec::new();
        for choice in next {
            let alike = best.iter().filter(|other| self.is_alike(other, &choice));
            let mut number = 0;
            let is_beaten = alike.into_iter().any(|other| {
                number += 1;
                number >= carried || self.beats(other, &choice, open)
            });
            if !is_beaten {
                best.push(choice);
            }
        }
        best
    }

    /// The choice with this candidate for the next GPU, if that keeps the rules.
    fn with(&self, choice: &Choice, pick: usize, weighed: &Weighed) -> Option<Choice> {
        let mut next = choice.clone();
        let (part, new) = (weighed.part, weighed.gone & !choice.gone);
        next.used[part] += 1;
        if self.rules.counts[part].is_some_and(|most| next.used[part] > most) {
            return None;
        }
        next.kind = choice.kind.beside(self.rules.kinds[part])?;
        next.gone |= new;
        next.cost = next.cost.plus(&weighed.cost, self.weight(new));
        next.picks.push(pick);
        Some(next)
    }

    /// Whether the first of two that are alike is at least as good as the second, however both go on.
    fn beats(&self, one: &Choice, other: &Choice, open: u128) -> bool {
        let advantage = self.weight(other.gone & !one.gone & open);
        let at_most = one.cost.evicted.plus(advantage);
        at_most < other.cost.evicted
            || (at_most == other.cost.evicted && one.rest() <= other.rest())
    }

    /// Whether what may follow the one may follow the other.
    fn is_alike(&self, one: &Choice, other: &Choice) -> bool {
        one.kind == other.kind && self.counted(one).eq(self.counted(other))
    }

    /// How many GPUs follow each part that takes only some.
    fn counted<'b>(&'b self, choice: &'b Choice) -> impl Iterator<Item = usize> + 'b {
        let used = choice.used.iter().zip(self.rules.counts);
        used.filter(|(_, count)| count.is_some())
            .map(|(used, _)| *used)
    }

    fn weight(&self, pods: u128) -> Pair {
        let count = |pods: u128| pods.count_ones() as usize;
        Pair(count(pods & self.protected), count(pods))
    }

    fn is_complete(&self, choice: &Choice) -> bool {
        let mut used = choice.used.iter().zip(self.rules.counts);
        used.all(|(used, count)| count.is_none_or(|count| *used == count))
    }
}

impl Choice {
    /// The best first: what costs the least; then what takes the first candidates of the first GPUs.
    fn order(one: &Self, other: &Self) -> Ordering {
        (&one.cost, &one.picks).cmp(&(&other.cost, &other.picks))
    }

    /// What decides between choices for which as many pods must leave.
    fn rest(&self) -> (usize, usize, &Reverse<Room>, &[usize]) {
        let cost = &self.cost;
        (cost.destroyed, cost.created, &cost.room, &self.picks)
    }
}
