//! How many GPUs follow each part of a policy, and what they may follow still.

use smallvec::{SmallVec, smallvec};

use super::assignment::Rules;
use super::cost::{Kind, Weighed};

/// What GPUs follow. Where it is the same, the same may follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Followed {
    /// How many follow each part that takes so many.
    used: SmallVec<[usize; 9]>,
    kind: Kind,
}

/// GPUs that are still to be chosen for.
#[derive(Debug)]
pub(super) struct Rest {
    gpus: usize,
    /// How many of them may follow each part.
    able: SmallVec<[usize; 9]>,
}

/// By what is followed, and by the part that one more GPU follows: what is followed then, as a number.
type Open = Vec<SmallVec<[Option<usize>; 9]>>;

impl Rest {
    pub(super) fn new(gpus: &[Vec<Weighed>], parts: usize) -> Self {
        let may = |gpu: &&Vec<Weighed>, part| gpu.iter().any(|it| it.part == part);
        let able = (0..parts).map(|part| gpus.iter().filter(|gpu| may(gpu, part)).count());
        Self {
            gpus: gpus.len(),
            able: able.collect(),
        }
    }
}

impl Followed {
    /// By no GPUs.
    pub(super) fn none(parts: usize) -> Self {
        Self {
            used: smallvec![0; parts],
            kind: Kind::default(),
        }
    }

    /// All that can be followed with one more GPU, and how.
    pub(super) fn every(before: &[Self], rules: &Rules<'_>, rest: &Rest) -> (Vec<Self>, Open) {
        let mut every = Vec::new();
        let mut number = |it: Self| {
            let known = every.iter().position(|other| *other == it);
            known.unwrap_or_else(|| {
                every.push(it);
                every.len() - 1
            })
        };
        let mut open = |it: &Self| {
            let then = (0..rules.counts.len()).map(|part| it.with(part, rules, rest));
            then.map(|it| it.map(&mut number)).collect()
        };
        let open = before.iter().map(&mut open).collect();
        (every, open)
    }

    /// How many GPUs are missing of each part that takes so many.
    pub(super) fn missing(&self, rules: &Rules<'_>) -> SmallVec<[Option<usize>; 9]> {
        let each = self.used.iter().zip(rules.counts);
        each.map(|(used, count)| Some((*count)? - used)).collect()
    }

    /// With one more GPU that follows this part. None: that breaks the rules, or the rest is too few then for the parts that
    /// are short of GPUs.
    fn with(&self, part: usize, rules: &Rules<'_>, rest: &Rest) -> Option<Self> {
        let mut next = Self {
            used: self.used.clone(),
            kind: self.kind.beside(rules.kinds[part])?,
        };
        next.used[part] += usize::from(rules.counts[part].is_some());
        let mut missing = 0;
        for ((used, count), able) in next.used.iter().zip(rules.counts).zip(&rest.able) {
            let Some(count) = count else { continue };
            let own = count.checked_sub(*used).filter(|own| own <= able)?;
            missing += own;
        }
        (missing <= rest.gpus).then_some(next)
    }
}
