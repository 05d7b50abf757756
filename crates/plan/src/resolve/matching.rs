//! GPUs at places, as many of the ones as of the others, so that they cost the least in all.

use smallvec::{SmallVec, smallvec};

use super::scale::{Cost, NEVER};

/// Which GPU is at which place. The Hungarian method: GPUs come one after the other, each on the cheapest way on which those
/// before move from place to place. One whose costs have changed leaves and comes again, the others stay as they are.
#[derive(Clone, Debug)]
pub(super) struct Matching {
    /// The GPU at each place.
    at: SmallVec<[Option<usize>; 8]>,
    /// Prices: no GPU is at a place for more than its own price and that of the place, nor could it be anywhere for less.
    gpus: SmallVec<[Cost; 8]>,
    places: SmallVec<[Cost; 8]>,
}

/// A place on the way of a GPU.
#[derive(Clone, Copy)]
struct Reached {
    /// What it costs to come here, beyond the prices.
    cost: Cost,
    /// The place before; none: the GPU comes here at once.
    from: Option<usize>,
    /// Whether there is no cheaper way.
    settled: bool,
}

impl Matching {
    /// With so many of both, and nobody at any place.
    pub(super) fn empty(number: usize) -> Self {
        Self {
            at: smallvec![None; number],
            gpus: smallvec![0; number],
            places: smallvec![0; number],
        }
    }

    /// The place and the GPU at each.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        let pairs = self.at.iter().enumerate();
        pairs.filter_map(|(place, gpu)| Some((place, (*gpu)?)))
    }

    pub(super) fn leave(&mut self, gpu: usize) {
        for at in &mut self.at {
            *at = at.filter(|it| *it != gpu);
        }
    }

    /// Finds a place for a GPU that has none. `cost`: what a GPU costs at a place; [`NEVER`]: it cannot be there. False: there
    /// is none, whoever moves.
    pub(super) fn come(&mut self, gpu: usize, cost: impl Fn(usize, usize) -> Cost) -> bool {
        let nowhere = Reached {
            cost: NEVER,
            from: None,
            settled: false,
        };
        let mut reached: SmallVec<[Reached; 8]> = smallvec![nowhere; self.at.len()];
        let (gpus, places) = (self.gpus.as_slice(), self.places.as_slice());
        let (mut mover, mut from, mut so_far) = (gpu, None, 0);
        let last = loop {
            let mut next = None;
            let mut nearest = NEVER / 2;
            let paid = gpus[mover] - so_far;
            for ((place, it), price) in reached.iter_mut().enumerate().zip(places) {
                if it.settled {
                    continue;
                }
                let reach = cost(mover, place) - paid - price;
                if reach < it.cost {
                    (it.cost, it.from) = (reach, from);
                }
                if it.cost < nearest {
                    (nearest, next) = (it.cost, Some(place));
                }
            }
            let Some(place) = next else { return false };
            reached[place].settled = true;
            (so_far, from) = (nearest, next);
            match self.at[place] {
                Some(there) => mover = there,
                None => break place,
            }
        };
        self.charge(gpu, &reached, so_far);
        self.shift(gpu, &reached, last);
        true
    }

    /// New prices, by which the way that costs so much costs nothing beyond them.
    fn charge(&mut self, gpu: usize, reached: &[Reached], cost: Cost) {
        self.gpus[gpu] += cost;
        for (place, it) in reached.iter().enumerate() {
            if let Some(there) = self.at[place].filter(|_| it.settled) {
                self.gpus[there] += cost - it.cost;
                self.places[place] -= cost - it.cost;
            }
        }
    }

    /// Everybody on the way to the last place moves on by one.
    fn shift(&mut self, gpu: usize, reached: &[Reached], mut last: usize) {
        while let Some(from) = reached[last].from {
            self.at[last] = self.at[from];
            last = from;
        }
        self.at[last] = Some(gpu);
    }
}
