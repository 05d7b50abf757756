//! GPUs at places: the cheapest way against every way.

use proptest::prelude::*;

use crate::resolve::matching::Matching;
use crate::resolve::scale::{Cost, NEVER};

/// What each GPU costs at each place, GPU by GPU.
type Costs = Vec<Vec<Cost>>;

/// The costs at first, and what they become: of one GPU after the other.
fn costs() -> impl Strategy<Value = (Costs, Vec<(usize, Vec<Cost>)>)> {
    (1_usize..6).prop_flat_map(|number| {
        let cost = prop_oneof![4 => -9_i128..10, 1 => Just(NEVER)];
        let row = prop::collection::vec(cost, number);
        let changes = prop::collection::vec((0..number, row.clone()), 0..6);
        (prop::collection::vec(row, number), changes)
    })
}

/// The least that the GPUs from one on cost at the places that are free.
fn least(costs: &Costs, gpu: usize, free: &mut Vec<usize>) -> Option<Cost> {
    let Some(row) = costs.get(gpu) else {
        return Some(0);
    };
    let mut best: Option<Cost> = None;
    for at in 0..free.len() {
        let place = free.remove(at);
        let rest = Some(row[place]).filter(|cost| *cost < NEVER);
        let all = rest.and_then(|cost| Some(cost + least(costs, gpu + 1, free)?));
        free.insert(at, place);
        best = best.into_iter().chain(all).min();
    }
    best
}

fn every(costs: &Costs) -> Option<Cost> {
    least(costs, 0, &mut (0..costs.len()).collect())
}

proptest! {
    #[test]
    fn whoever_comes_and_leaves_the_gpus_are_where_they_cost_the_least((mut costs, changes) in costs()) {
        let mut matching = Matching::empty(costs.len());
        let all_came = (0..costs.len()).all(|gpu| matching.come(gpu, |gpu, place| costs[gpu][place]));
        prop_assert_eq!(all_came, every(&costs).is_some());
        for (gpu, row) in changes {
            if every(&costs).is_none() {
                return Ok(());
            }
            let sum: Cost = matching.pairs().map(|(place, gpu)| costs[gpu][place]).sum();
            prop_assert_eq!(Some(sum), every(&costs));
            costs[gpu] = row;
            matching.leave(gpu);
            let came = matching.come(gpu, |gpu, place| costs[gpu][place]);
            prop_assert_eq!(came, every(&costs).is_some());
        }
    }
}
