//! Which candidate each GPU of a node gets: the choice that disturbs the node least as a whole.
//!
//! The GPUs are gone through in their order. Of the choices for those so far only such are carried on as can still become
//! the best: a choice is dropped for one that leaves the same open and costs less even if it had to drive away, later, all
//! pods that the other has driven away already.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};

use super::candidates::Candidate;
use super::cost::{Cost, Kind, Pair};

/// So many choices are carried on. Nodes whose pods spread over their GPUs as pods do have a handful; where more are
/// equally promising, those that cost the least so far are carried on, and the answer may then not be the best.
const MOST: usize = 256;
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
    used: Vec<usize>,
    kind: Kind,
    /// Shared pods that leave, one bit each.
    gone: u128,
    cost: Cost,
    picks: Vec<usize>,
}

/// A candidate in numbers.
#[derive(Debug)]
struct Weighed {
    part: usize,
    gone: u128,
    /// Without the shared pods.
    cost: Cost,
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
    let mut choices = vec![search.nothing()];
    for (at, gpu) in gpus.iter().enumerate() {
        let rest = gpus[at + 1..].iter().flatten();
        let open = rest.fold(0, |open, it| open | it.gone);
        choices = search.go_on(&choices, gpu, open);
    }
    let complete = choices.into_iter().filter(|it| search.is_complete(it));
    complete.min_by(Choice::order).map(|choice| choice.picks)
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
        let mut by_profile = vec![0; self.profiles];
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
            used: vec![0; self.rules.counts.len()],
            kind: Kind::default(),
            gone: 0,
            cost: Cost {
                room: Reverse(vec![0; self.profiles]),
                ..Cost::default()
            },
            picks: Vec::new(),
        }
    }

    /// The choices with one GPU more. `open`: the shared pods that GPUs to come may drive away.
    fn go_on(&self, choices: &[Choice], gpu: &[Weighed], open: u128) -> Vec<Choice> {
        let mut next: Vec<Choice> = Vec::new();
        for choice in choices {
            for (pick, weighed) in gpu.iter().enumerate() {
                if let Some(choice) = self.with(choice, pick, weighed) {
                    next.push(choice);
                }
            }
        }
        next.sort_by(Choice::order);
        let mut best: Vec<Choice> = Vec::new();
        for choice in next {
            let is_beaten = |other: &Choice| self.beats(other, &choice, open);
            if best.len() < MOST && !best.iter().any(is_beaten) {
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

    /// Whether the first is at least as good as the second, however both go on, and comes before it in their order.
    fn beats(&self, one: &Choice, other: &Choice, open: u128) -> bool {
        let advantage = self.weight(other.gone & !one.gone & open);
        let at_most = one.cost.evicted.plus(advantage);
        one.kind == other.kind
            && self.counted(one).eq(self.counted(other))
            && (at_most < other.cost.evicted
                || (at_most == other.cost.evicted && one.rest() <= other.rest()))
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
    fn rest(&self) -> (usize, usize, &Reverse<Vec<i32>>, &[usize]) {
        let cost = &self.cost;
        (cost.destroyed, cost.created, &cost.room, &self.picks)
    }
}
