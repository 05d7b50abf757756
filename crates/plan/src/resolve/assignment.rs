//! Which candidate each GPU of a node gets: the choice that disturbs the node least as a whole.
//!
//! The GPUs are gone through in their order. Of the choices for those so far only such are carried on as can still become
//! the best. One is dropped if the GPUs to come are too few for the parts that take so many; if it costs more than one
//! that is known, with what these cost at least; and for one that leaves the same open and costs less however both go on.

use super::bound::{Bound, Gone, Least, whole, worth};
use super::choice::{Choice, Draft, Step, Weights};
use super::cost::{Kind, Pair, Weighed};
use super::followed::{Followed, Rest};

/// So many choices are carried on of those for which as many GPUs follow each part. Nodes whose pods spread over their GPUs
/// as pods do have a handful; where more are equally promising, those that may still cost the least are carried on, and
/// the answer may then not be the best. There is always one if there is any.
const MOST: usize = 64;
/// So many are carried on in all, but one of each: this bounds the time.
const ALL: usize = 384;
/// So many in a first go, which tells how much the best costs at most.
const FEW: usize = 4;
/// So many times as many are made to see which of them are beaten.
const MADE: usize = 6;

/// What bounds the choice.
#[derive(Debug)]
pub(super) struct Rules<'a> {
    /// How many GPUs follow each part; none: as many as there are.
    pub(super) counts: &'a [Option<usize>],
    /// Parts that the device plugin cannot do on one node with some others: two parts that have different numbers here
    /// cannot both be followed. By part; for whole GPUs, and for any.
    pub(super) kinds: &'a [Kind],
    /// What each shared pod counts, by bit.
    pub(super) weights: &'a [Pair],
    /// How many profiles the node's GPUs offer.
    pub(super) profiles: usize,
}

/// The number of the candidate for each GPU. None: there is no choice that keeps the rules.
pub(super) fn assign(gpus: &[Vec<Weighed>], rules: &Rules<'_>) -> Option<Vec<usize>> {
    let search = Search {
        rules,
        weights: Weights::new(rules.weights),
    };
    let mut layers: Vec<_> = (0..gpus.len()).map(|at| search.layer(gpus, at)).collect();
    let (first, most) = search.run(&mut layers, FEW, None)?;
    let best = search.run(&mut layers, ALL, Some(most));
    Some(best.map_or(first, |(best, _)| best))
}

struct Search<'a> {
    rules: &'a Rules<'a>,
    weights: Weights<'a>,
}

/// A GPU to choose for, and what is known of those after it.
struct Layer<'a> {
    gpu: &'a [Weighed],
    /// Of each candidate the pods that it drives away, as the bound has them.
    gone: Vec<Gone>,
    rest: Rest,
    bound: Bound<'a>,
    /// The shared pods that GPUs to come may drive away.
    open: u128,
}

impl Search<'_> {
    fn layer<'b>(&self, gpus: &'b [Vec<Weighed>], at: usize) -> Layer<'b> {
        let (gpu, rest) = (&gpus[at], &gpus[at + 1..]);
        let parts = self.rules.counts.len();
        let bound = Bound::new(rest, self.weights.each, parts);
        Layer {
            gpu,
            gone: gpu.iter().map(|it| bound.gone(it.gone)).collect(),
            rest: Rest::new(rest, parts),
            bound,
            open: rest.iter().flatten().fold(0, |open, it| open | it.gone),
        }
    }

    /// The best choice for all GPUs of those that cost no more than `most`, if so many are carried on; and what it costs.
    fn run(
        &self,
        layers: &mut [Layer<'_>],
        carried: usize,
        most: Option<Least>,
    ) -> Option<(Vec<usize>, Least)> {
        let mut followed = vec![Followed::none(self.rules.counts.len())];
        let mut choices = vec![Choice::nothing(self.rules.profiles)];
        let mut steps = Vec::with_capacity(layers.len());
        for layer in layers {
            let (next, drafts) = self.drafts(&followed, &choices, layer, most);
            let each = (carried / next.len().max(1)).clamp(1, MOST);
            let alike = drafts.into_iter().enumerate();
            let promising = alike.map(|it| self.promising(it, &choices, layer, each));
            let mut promising: Vec<_> = promising.flatten().collect();
            // What comes first here comes first among what follows, too.
            promising.sort_unstable_by_key(|it| it.step);
            steps.push(promising.iter().map(|it| it.step).collect());
            (followed, choices) = (next, promising);
        }
        let each = choices.iter().enumerate();
        let (at, best) = each.min_by(|(_, one), (_, other)| one.order(other))?;
        Some((picks(&steps, at), Least::of(&best.cost)))
    }

    /// What may become of the choices with the next GPU at no more than `most`, by what is followed then.
    fn drafts(
        &self,
        followed: &[Followed],
        choices: &[Choice],
        layer: &mut Layer<'_>,
        most: Option<Least>,
    ) -> (Vec<Followed>, Vec<Vec<Draft>>) {
        let (next, open) = Followed::every(followed, self.rules, &layer.rest);
        let missing = next.iter().map(|it| it.missing(self.rules));
        let prices: Vec<_> = missing.map(|it| layer.bound.prices(&it)).collect();
        let mut drafts = vec![Vec::new(); next.len()];
        for (before, choice) in choices.iter().enumerate() {
            let gone = layer.bound.gone(choice.gone);
            for (pick, it) in layer.gpu.iter().enumerate() {
                let Some(then) = open[choice.followed][it.part] else {
                    continue;
                };
                let rest = layer.bound.least(&gone, &layer.gone[pick], &prices[then]);
                let least = self.least(choice, it, rest);
                if most.is_none_or(|most| least <= most) {
                    let step = Step { before, pick };
                    drafts[then].push(Draft { least, step });
                }
            }
        }
        (next, drafts)
    }

    /// What the choice costs at least in the end, with this candidate for the next GPU, if the rest costs this at least.
    fn least(&self, choice: &Choice, weighed: &Weighed, rest: Least) -> Least {
        let new = self.weights.of(weighed.gone & !choice.gone);
        let (so_far, more) = (&choice.cost, &weighed.cost);
        let evicted = so_far.evicted.plus(more.evicted).plus(new);
        Least {
            evicted: whole(worth(evicted) + rest.evicted),
            destroyed: so_far.destroyed + more.destroyed + rest.destroyed,
            created: so_far.created + more.created + rest.created,
        }
    }

    /// So many at most of these, after which the same is followed, that can still become the best.
    fn promising(
        &self,
        (followed, mut drafts): (usize, Vec<Draft>),
        choices: &[Choice],
        layer: &Layer<'_>,
        most: usize,
    ) -> Vec<Choice> {
        if drafts.len() > MADE * most {
            drafts.select_nth_unstable(MADE * most);
            drafts.truncate(MADE * most);
        }
        let made = drafts.into_iter().map(|Draft { least, step }| {
            let (before, candidate) = (&choices[step.before], &layer.gpu[step.pick]);
            (least, before.with(candidate, step, followed, &self.weights))
        });
        let mut made: Vec<_> = made.collect();
        made.sort_unstable_by(|(_, one), (_, other)| one.order(other));
        let mut best: Vec<(Least, Choice)> = Vec::new();
        for (least, choice) in made {
            let beats = |it: &(Least, Choice)| it.1.beats(&choice, layer.open, &self.weights);
            if !best.iter().any(beats) {
                best.push((least, choice));
            }
        }
        if best.len() > most {
            best.sort_by_key(|(least, _)| *least);
            best.truncate(most);
        }
        best.into_iter().map(|(_, choice)| choice).collect()
    }
}

/// The candidates of all GPUs that led to a choice for the last.
fn picks(steps: &[Vec<Step>], mut at: usize) -> Vec<usize> {
    let mut picks = Vec::with_capacity(steps.len());
    for steps in steps.iter().rev() {
        let Step { before, pick } = steps[at];
        picks.push(pick);
        at = before;
    }
    picks.reverse();
    picks
}
