//! The choices for a node's GPUs of which something is decided already.

use smallvec::{SmallVec, smallvec};

use super::given::{Given, NOTHING, Offer};
use super::matching::Matching;
use super::scale::{Cost, NEVER};

/// All choices of which this is decided.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    /// Shared pods that leave, one bit each.
    leaving: u128,
    /// By GPU, its shares of those.
    spared: SmallVec<[Cost; 8]>,
    /// Those that stay.
    staying: u128,
    /// The parts that nobody follows.
    closed: SmallVec<[bool; 9]>,
    /// The cheapest candidate, by GPU and by what a place is for.
    cheapest: Vec<Offer>,
    matching: Matching,
    /// The GPUs for which the last decision makes a difference.
    changed: SmallVec<[usize; 8]>,
    /// None of the choices costs less.
    pub(super) least: Cost,
    /// What is to be decided next.
    pub(super) question: Option<Question>,
}

/// What may be decided.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question {
    /// Whether the pod leaves.
    Pod(usize),
    /// Which of two parts nobody follows.
    Parts([usize; 2]),
}

impl Branch {
    /// All choices.
    pub(super) fn root(given: &Given<'_>) -> Self {
        let gpus = given.gpus.len();
        let mut root = Self {
            leaving: 0,
            spared: smallvec![0; gpus],
            staying: 0,
            closed: smallvec![false; given.rules.counts.len()],
            cheapest: vec![NOTHING; gpus * given.purposes()],
            matching: Matching::empty(gpus),
            changed: (0..gpus).collect(),
            least: Cost::MIN,
            question: None,
        };
        for gpu in 0..gpus {
            for at in given.purposes_of(gpu) {
                root.cheapest[at] = root.cheaper(given, (gpu, at), NOTHING, 0);
            }
        }
        root
    }

    /// By how the question is decided.
    pub(super) fn split(mut self, given: &Given<'_>) -> Vec<Self> {
        let Some(question) = self.question.take() else {
            return Vec::new();
        };
        match question {
            Question::Pod(pod) => {
                let mut with = self.clone();
                with.leaves(pod, given);
                self.stays(pod, given);
                vec![with, self]
            }
            Question::Parts(parts) => {
                let closing = parts.map(|part| {
                    let mut branch = self.clone();
                    branch.close(part, given);
                    branch
                });
                closing.into()
            }
        }
    }

    /// What drives the pod away costs less from now on.
    fn leaves(&mut self, pod: usize, given: &Given<'_>) {
        self.leaving |= 1 << pod;
        for &gpu in given.shared.drivers(pod) {
            self.spared[gpu] += given.shared.share_of(gpu, pod);
        }
        let renewed = |branch: &Self, (gpu, at): (usize, usize), best: Offer| {
            if best.gone & 1 << pod == 0 {
                branch.cheaper(given, (gpu, at), best, 1 << pod)
            } else {
                // It was the cheapest of those already.
                let cost = best.cost - given.shared.share_of(gpu, pod);
                Offer { cost, ..best }
            }
        };
        self.renew(given.shared.drivers(pod).iter().copied(), given, renewed);
    }

    /// Nothing may drive the pod away from now on.
    fn stays(&mut self, pod: usize, given: &Given<'_>) {
        self.staying |= 1 << pod;
        let drivers = given.shared.drivers(pod).iter().copied();
        self.replace(drivers, given, |it| it.gone & 1 << pod != 0);
    }

    /// Nobody may follow the part from now on.
    fn close(&mut self, part: usize, given: &Given<'_>) {
        self.closed[part] = true;
        self.replace(0..given.gpus.len(), given, |it| it.part == part);
    }

    /// Looks anew for the cheapest candidates where those found must not be any more.
    fn replace(
        &mut self,
        gpus: impl Iterator<Item = usize>,
        given: &Given<'_>,
        is_out: impl Fn(&Offer) -> bool,
    ) {
        let renewed = |branch: &Self, at: (usize, usize), best: Offer| {
            if is_out(&best) {
                branch.cheaper(given, at, NOTHING, 0)
            } else {
                best
            }
        };
        self.renew(gpus, given, renewed);
    }

    /// Brings the cheapest candidates of these GPUs up to date. Where there is none, there never will be.
    fn renew(
        &mut self,
        gpus: impl Iterator<Item = usize>,
        given: &Given<'_>,
        renewed: impl Fn(&Self, (usize, usize), Offer) -> Offer,
    ) {
        for gpu in gpus {
            let mut is_changed = false;
            for at in given.purposes_of(gpu) {
                let old = self.cheapest[at];
                if old.cost < NEVER {
                    let new = renewed(self, (gpu, at), old);
                    is_changed |= (new.cost, new.pick) != (old.cost, old.pick);
                    self.cheapest[at] = new;
                }
            }
            if is_changed {
                self.changed.push(gpu);
            }
        }
    }

    /// The cheapest of a GPU's candidates for a purpose that drive all `these` away, if it is cheaper than the best.
    fn cheaper(
        &self,
        given: &Given<'_>,
        (gpu, at): (usize, usize),
        best: Offer,
        these: u128,
    ) -> Offer {
        let mut best = best;
        let (closed, spared) = (self.closed.as_slice(), self.spared[gpu]);
        for offer in &given.ranked[at] {
            // It and those that follow cost too much even if they drive away all that leave.
            if offer.cost - spared > best.cost {
                break;
            }
            let gone = offer.gone;
            if gone & self.staying == 0 && gone & these == these && !closed[offer.part] {
                let cost = offer.cost - given.shared.share(gpu, gone & self.leaving);
                // Of those that cost the same the first has the lowest starts.
                if (cost, offer.pick) < (best.cost, best.pick) {
                    best = Offer { cost, ..*offer };
                }
            }
        }
        best
    }

    /// How much there is to look at: for each GPU for which the last decision makes a difference, all purposes and places.
    pub(super) fn work(&self, given: &Given<'_>) -> usize {
        self.changed.len() * (given.purposes() + given.places.len())
    }

    /// The best choice if each GPU pays only its share of the shared pods: the candidate of each; and what all choices cost at
    /// least. None: there is no choice.
    pub(super) fn solve(&mut self, given: &Given<'_>) -> Option<SmallVec<[usize; 8]>> {
        let changed = std::mem::take(&mut self.changed);
        let at = |gpu: usize, place: usize| given.purposes_of(gpu).start + given.places[place];
        let cost = |gpu, place| self.cheapest[at(gpu, place)].cost;
        for &gpu in &changed {
            self.matching.leave(gpu);
        }
        if !changed.iter().all(|gpu| self.matching.come(*gpu, cost)) {
            return None;
        }
        self.least = given.shared.cost(self.leaving);
        let mut picks = smallvec![0; given.gpus.len()];
        for (place, gpu) in self.matching.pairs() {
            let offer = self.cheapest[at(gpu, place)];
            self.least += offer.cost;
            picks[gpu] = offer.pick;
        }
        Some(picks)
    }

    /// The pod to decide upon: whether it leaves. None: of the choices none is better than these candidates.
    pub(super) fn undecided(&self, picks: &[usize], given: &Given<'_>) -> Option<usize> {
        let picked = given.gpus.iter().zip(picks);
        let gone = picked.map(|(gpu, pick)| gpu[*pick].gone & !self.leaving);
        let gone: SmallVec<[u128; 8]> = gone.collect();
        given.shared.undecided(&gone)
    }
}
