//! The choice for a node's GPUs: of small nodes against every choice, and of nodes with more choices than can be looked at.

use proptest::prelude::*;
use smallvec::SmallVec;

use crate::resolve::assignment::{Rules, assign};
use crate::resolve::cost::{Kind, Pair, Toll, Weighed};
use crate::resolve::scale::Scale;

const PODS: usize = 60;

fn toll(created: usize) -> Toll {
    Toll {
        evicted: Pair(0, 0),
        destroyed: created,
        created,
        room: SmallVec::new(),
    }
}

/// Of each GPU and part many ways, each of which drives away other pods.
fn crowd(gpus: usize, parts: usize, scale: &Scale) -> Vec<Vec<Weighed>> {
    let gpu = |gpu: usize| {
        let each = (0..parts).flat_map(|part| (0..20).map(move |way| (part, way)));
        let weighed = each.map(|(part, way)| {
            let pod = |at: usize| 1_u128 << ((gpu * 7 + part * 13 + way * 11 + at * 17) % PODS);
            Weighed {
                part,
                gone: pod(0) | pod(1) | pod(2),
                cost: scale.cost(&toll((way + gpu) % 5), gpu, part),
            }
        });
        weighed.collect()
    };
    (0..gpus).map(gpu).collect()
}

/// What a choice costs, counted from its parts.
fn cost(gpus: &[Vec<Weighed>], picks: &[usize], scale: &Scale) -> i128 {
    let picked = gpus.iter().zip(picks).map(|(gpu, pick)| &gpu[*pick]);
    let gone = picked.clone().fold(0_u128, |all, it| all | it.gone);
    let own: i128 = picked.map(|it| it.cost).sum();
    own + scale.pods(Pair(0, gone.count_ones() as usize))
}

fn keeps(counts: &[Option<usize>], gpus: &[Vec<Weighed>], picks: &[usize]) {
    for (part, count) in counts.iter().enumerate() {
        let own = gpus.iter().zip(picks);
        let own = own.filter(|(gpu, pick)| gpu[**pick].part == part).count();
        assert!(count.is_none_or(|count| own == count), "part {part}: {own}");
    }
}

/// Three of 32 GPUs each can follow eight parts in more ways than could ever be gone through.
#[test]
fn the_largest_node_with_as_many_counts_as_a_policy_has_does_not_take_for_ever() {
    let weights = [Pair(0, 1); PODS];
    let counts = [[Some(3); 8].as_slice(), &[None]].concat();
    let tolls: Vec<_> = (0..32).map(|_| vec![toll(4)]).collect();
    let scale = Scale::new(&tolls, &weights, counts.len());
    let gpus = crowd(32, 9, &scale);
    let rules = Rules {
        counts: &counts,
        kinds: &[Kind::default(); 9],
        weights: &weights,
        scale: &scale,
    };
    keeps(&counts, &gpus, &assign(&gpus, &rules).unwrap().picks);
}

#[test]
fn many_choices_that_are_as_good_end_in_one_that_keeps_the_counts_and_is_better_than_any_greedy_one()
 {
    let weights = [Pair(0, 1); PODS];
    let counts = [Some(3), Some(2), Some(4), None];
    let tolls: Vec<_> = (0..12).map(|_| vec![toll(4)]).collect();
    let scale = Scale::new(&tolls, &weights, counts.len());
    let gpus = crowd(12, 4, &scale);
    let rules = Rules {
        counts: &counts,
        kinds: &[Kind::default(); 4],
        weights: &weights,
        scale: &scale,
    };
    let picks = assign(&gpus, &rules).unwrap().picks;

    keeps(&counts, &gpus, &picks);
    // The first three GPUs follow the first part, and so on; each takes what costs the least after those before it.
    let order = [0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3];
    let mut greedy: Vec<usize> = Vec::new();
    for (at, part) in order.into_iter().enumerate() {
        let with = |pick: usize| [greedy.as_slice(), &[pick]].concat();
        let own = (0..gpus[at].len()).filter(|pick| gpus[at][*pick].part == part);
        let best = own.min_by_key(|pick| cost(&gpus[..=at], &with(*pick), &scale));
        greedy.push(best.unwrap());
    }
    assert!(cost(&gpus, &picks, &scale) < cost(&gpus, &greedy, &scale));
}

/// Each GPU may drive away three pods or three others, and all are on several GPUs: what is best for one is bad for another.
#[test]
fn a_node_on_which_everything_hangs_together_is_not_gone_through_to_the_end_and_that_is_told() {
    let weights = [Pair(0, 1); PODS];
    let tolls: Vec<_> = (0..32).map(|_| vec![toll(4)]).collect();
    let scale = Scale::new(&tolls, &weights, 1);
    let gpu = |gpu: usize| {
        let ways = (0..6).map(|way| {
            let pod =
                |at: usize| 1_u128 << ((gpu * gpu * 7 + way * 11 + at * 17 * (gpu + 1)) % PODS);
            Weighed {
                part: 0,
                gone: pod(0) | pod(1) | pod(2),
                cost: scale.cost(&toll(0), gpu, 0),
            }
        });
        ways.collect::<Vec<_>>()
    };
    let gpus: Vec<_> = (0..32).map(gpu).collect();
    let rules = Rules {
        counts: &[None],
        kinds: &[Kind::default()],
        weights: &weights,
        scale: &scale,
    };
    assert!(!assign(&gpus, &rules).unwrap().is_proved);
}

/// The candidates of some GPUs (part, pods, what is created), how many GPUs follow each part, and which parts cannot be on
/// one node with which.
type Small = (
    Vec<Vec<(usize, u128, usize)>>,
    Vec<Option<usize>>,
    Vec<Option<usize>>,
);

fn small() -> impl Strategy<Value = Small> {
    (1_usize..5, 1_usize..4).prop_flat_map(|(gpus, parts)| {
        let gpu = prop::collection::vec((0..parts, 0_u128..64, 0_usize..4), 1..6);
        let counts = prop::collection::vec(prop::option::of(0_usize..3), parts);
        let kinds = prop::collection::vec(prop::option::weighted(0.4, 0_usize..2), parts);
        (prop::collection::vec(gpu, gpus), counts, kinds)
    })
}

/// What the best choice costs.
fn best(gpus: &[Vec<Weighed>], rules: &Rules<'_>) -> Option<i128> {
    let mut every: Vec<Vec<usize>> = vec![Vec::new()];
    for gpu in gpus {
        let with = |picks: &Vec<usize>| {
            let next = (0..gpu.len()).map(|pick| [picks.as_slice(), &[pick]].concat());
            next.collect::<Vec<_>>()
        };
        every = every.iter().flat_map(with).collect();
    }
    let followed = |picks: &Vec<usize>| -> Vec<usize> {
        let picked = gpus.iter().zip(picks);
        picked.map(|(gpu, pick)| gpu[*pick].part).collect()
    };
    let keeps = |picks: &&Vec<usize>| {
        let followed = followed(picks);
        let number = |part| followed.iter().filter(|it| **it == part).count();
        let mut counts = rules.counts.iter().enumerate();
        let kinds = followed.iter().map(|part| rules.kinds[*part]);
        let mut pairs = kinds
            .clone()
            .flat_map(|one| kinds.clone().map(move |other| (one, other)));
        counts.all(|(part, count)| count.is_none_or(|count| number(part) == count))
            && pairs.all(|(one, other)| one.beside(other).is_some())
    };
    let kept = every.iter().filter(keeps);
    kept.map(|picks| cost(gpus, picks, rules.scale)).min()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_choice_for_a_small_node_costs_less_than_ours((gpus, counts, kinds) in small()) {
        let weights = [Pair(0, 1); 6];
        let tolls: Vec<_> = gpus.iter().map(|_| vec![toll(4)]).collect();
        let scale = Scale::new(&tolls, &weights, counts.len());
        let weigh = |(index, gpu): (usize, &Vec<(usize, u128, usize)>)| {
            let each = gpu.iter().map(|&(part, gone, created)| Weighed {
                part,
                gone,
                cost: scale.cost(&toll(created), index, part),
            });
            each.collect::<Vec<_>>()
        };
        let gpus: Vec<_> = gpus.iter().enumerate().map(weigh).collect();
        let kinds: Vec<_> = kinds.iter().map(|whole| Kind { whole: *whole, ..Kind::default() }).collect();
        let rules = Rules { counts: &counts, kinds: &kinds, weights: &weights, scale: &scale };
        let ours = assign(&gpus, &rules);
        let ours = ours.map(|choice| {
            assert!(choice.is_proved, "after so few candidates");
            keeps(&counts, &gpus, &choice.picks);
            cost(&gpus, &choice.picks, &scale)
        });
        prop_assert_eq!(ours, best(&gpus, &rules));
    }
}
