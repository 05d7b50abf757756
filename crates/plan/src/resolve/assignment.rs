//! Which candidate each GPU of a node gets: the choice that disturbs the node least as a whole.
//!
//! If no pod were on several GPUs, this would be a matching of GPUs with the parts that they may follow. Where pods are, each
//! of the GPUs that may drive one away pays a share of what that costs. The best matching then costs no more than any choice,
//! and it is the best choice if every pod that leaves is paid for in full. Else a pod is decided upon that only some drive
//! away: either it leaves, and costs nobody anything any more, or it stays, and nobody may drive it away (branch and bound).

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::branch::{Branch, Question};
use super::cost::{Kind, Pair, Weighed};
use super::given::Given;
use super::scale::{Cost, Scale};

/// So much is looked at for each GPU once a choice is known (see [`Branch::work`]). It bounds the time to about a millisecond for
/// eight GPUs, because no way is known that is always both quick and right: each GPU may have to free one of two slices, and
/// the fewest pods that leave then are a smallest vertex cover, which is NP-hard. A choice that the bound ends is told as such
/// ([`Choice::is_proved`]). Of nodes made at random to be bad it is not the best in about one of four thousand, in the room that
/// is left; of those that a search for slow ones finds (`benches/worst`) in most in room or in the parts that are followed; and a
/// search that aims at nothing else finds nodes on which a pod more leaves than had to.
const MOST: usize = 1_200;

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
    /// What they cost, and the candidates.
    pub(super) scale: &'a Scale,
}

/// What is chosen.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// The number of the candidate for each GPU.
    pub(super) picks: Vec<usize>,
    /// Whether all others are known to be no better.
    pub(super) is_proved: bool,
}

/// The choice. None: there is none that keeps the rules.
pub(super) fn assign(gpus: &[Vec<Weighed>], rules: &Rules<'_>) -> Option<Choice> {
    let given = Given::new(gpus, rules)?;
    let mut search = Search::default();
    search.look(Branch::root(&given), &given);
    while let Some(branch) = search.next(gpus.len()) {
        for part in branch.split(&given) {
            search.look(part, &given);
        }
    }
    let is_proved = search.is_over();
    let picks = search.best.map(|(_, picks)| picks)?;
    Some(Choice { picks, is_proved })
}

/// What has been looked at so far.
#[derive(Default)]
struct Search {
    /// The best choice so far, and what it costs.
    best: Option<(Cost, Vec<usize>)>,
    /// What may hold a better one, by what it costs at least, and by when it was looked at.
    open: BTreeMap<(Cost, Reverse<usize>), Box<Branch>>,
    /// How many branches.
    looked: usize,
    /// How much that was.
    work: usize,
}

impl Search {
    /// The branch that may cost the least; of several the last. None: there is no better choice, or there was time enough for
    /// so many GPUs.
    fn next(&mut self, gpus: usize) -> Option<Box<Branch>> {
        let is_enough = self.work >= MOST * gpus && self.best.is_some();
        if is_enough || self.is_over() {
            return None;
        }
        self.open.pop_first().map(|(_, branch)| branch)
    }

    /// Whether there is no better choice than the best.
    fn is_over(&self) -> bool {
        let least = self.open.first_key_value().map(|((least, _), _)| *least);
        least.is_none_or(|least| !self.may_be(least))
    }

    /// Whether a choice that costs so much is better than the best.
    fn may_be(&self, cost: Cost) -> bool {
        self.best.as_ref().is_none_or(|(best, _)| cost < *best)
    }

    /// Takes the best choice of a branch into account, and keeps the branch if there may be a better one.
    fn look(&mut self, mut branch: Branch, given: &Given<'_>) {
        self.looked += 1;
        self.work += branch.work(given);
        let picks = branch.solve(given);
        let Some(picks) = picks.filter(|_| self.may_be(branch.least)) else {
            return;
        };
        branch.question = if let Some(parts) = conflict(&picks, given) {
            Some(Question::Parts(parts))
        } else {
            let cost = cost(&picks, given);
            if self.may_be(cost) {
                self.best = Some((cost, picks.to_vec()));
            }
            branch.undecided(&picks, given).map(Question::Pod)
        };
        if branch.question.is_some() && self.may_be(branch.least) {
            let key = (branch.least, Reverse(self.looked));
            self.open.insert(key, Box::new(branch));
        }
    }
}

/// Two parts that are followed and cannot be on one node.
fn conflict(picks: &[usize], given: &Given<'_>) -> Option<[usize; 2]> {
    let picked = given.gpus.iter().zip(picks);
    let followed = picked.map(|(gpu, pick)| gpu[*pick].part);
    let kinds = given.rules.kinds;
    let mut known: Vec<usize> = Vec::new();
    for part in followed {
        if !known.contains(&part) {
            let other = known
                .iter()
                .find(|it| kinds[**it].beside(kinds[part]).is_none());
            if let Some(&other) = other {
                return Some([other, part]);
            }
            known.push(part);
        }
    }
    None
}

/// What a choice costs.
fn cost(picks: &[usize], given: &Given<'_>) -> Cost {
    let picked = given.gpus.iter().zip(picks);
    let (mut own, mut gone) = (0, 0);
    for (gpu, pick) in picked {
        own += gpu[*pick].cost;
        gone |= gpu[*pick].gone;
    }
    own + given.shared.cost(gone)
}
