//! What the choice for a node's GPUs is made from: their candidates, and the places that there are for them.

use std::ops::Range;

use super::assignment::Rules;
use super::cost::Weighed;
use super::scale::{Cost, NEVER};
use super::shared::Shared;

/// A node's GPUs, and the places for them: as many as there are GPUs, each for those that follow one part that takes so many,
/// or for those that follow any of the others.
#[derive(Debug)]
pub(super) struct Given<'a> {
    pub(super) gpus: &'a [Vec<Weighed>],
    pub(super) rules: &'a Rules<'a>,
    pub(super) shared: Shared,
    /// What each place is for: a part, or the number of parts for any of the others.
    pub(super) places: Vec<usize>,
    /// By GPU and by what a place is for: the candidates, the cheapest first with their shares of all shared pods.
    pub(super) ranked: Vec<Vec<Offer>>,
}

/// A candidate of a GPU, with all that is looked at often.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    /// What it costs with the GPU's share of the shared pods that it drives away.
    pub(super) cost: Cost,
    /// Those, one bit each.
    pub(super) gone: u128,
    pub(super) part: usize,
    /// Its number among the GPU's candidates.
    pub(super) pick: usize,
}

/// No candidate.
pub(super) const NOTHING: Offer = Offer {
    cost: NEVER,
    gone: 0,
    part: 0,
    pick: 0,
};

impl<'a> Given<'a> {
    /// None: the parts want more GPUs than there are.
    pub(super) fn new(gpus: &'a [Vec<Weighed>], rules: &'a Rules<'a>) -> Option<Self> {
        let parts = rules.counts.iter().enumerate();
        let of = |(part, count): (usize, &Option<usize>)| vec![part; count.unwrap_or_default()];
        let mut places: Vec<_> = parts.flat_map(of).collect();
        if places.len() > gpus.len() {
            return None;
        }
        places.resize(gpus.len(), rules.counts.len());
        let mut given = Self {
            gpus,
            rules,
            shared: Shared::new(gpus, rules.weights, rules.scale),
            places,
            ranked: Vec::new(),
        };
        let gpus = 0..gpus.len();
        given.ranked = gpus.flat_map(|gpu| given.rank(gpu)).collect();
        Some(given)
    }

    /// A GPU's candidates for each purpose.
    fn rank(&self, gpu: usize) -> Vec<Vec<Offer>> {
        let every = self.gpus[gpu].iter().enumerate();
        let offer = |(pick, it): (usize, &Weighed)| Offer {
            cost: it.cost + self.shared.share(gpu, it.gone),
            gone: it.gone,
            part: it.part,
            pick,
        };
        let mut every: Vec<_> = every.map(offer).collect();
        let purpose = |it: &Offer| self.purpose(it.part);
        every.sort_by_key(|it| (purpose(it), it.cost));
        let mut ranked = vec![Vec::new(); self.purposes()];
        for own in every.chunk_by(|one, other| purpose(one) == purpose(other)) {
            ranked[purpose(&own[0])] = own.to_vec();
        }
        ranked
    }

    /// What places there are for.
    pub(super) fn purposes(&self) -> usize {
        self.rules.counts.len() + 1
    }

    /// A GPU's numbers where something is by GPU and by what a place is for.
    pub(super) fn purposes_of(&self, gpu: usize) -> Range<usize> {
        gpu * self.purposes()..(gpu + 1) * self.purposes()
    }

    /// What the place must be for to take a GPU that follows this part.
    fn purpose(&self, part: usize) -> usize {
        let others = self.rules.counts.len();
        self.rules.counts[part].map_or(others, |_| part)
    }
}
