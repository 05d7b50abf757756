//! The nodes that take the longest to plan: of many at random, and of those that are made from the slowest of them, step by step.

use std::hint::black_box;
use std::time::Duration;

use plan::resolve::goal;

use crate::node::{Case, Node, Series};
use crate::{Worst, say, time};

const NODES: u64 = 4_000;
/// Each is measured so often; the shortest counts.
const SOME: usize = 3;
/// From so many of the slowest on, so many steps each.
const CLIMBS: (usize, usize) = (6, 1_500);
const MILLISECOND: Duration = Duration::from_millis(1);

const SERIES: [Series; 3] = [
    Series {
        words: "one override at most",
        overrides: 1,
        count: 8,
        layouts: 6,
    },
    Series {
        words: "eight overrides at most",
        overrides: 8,
        count: 4,
        layouts: 9,
    },
    Series {
        words: "eight overrides at most, some with media engines",
        overrides: 8,
        count: 4,
        layouts: 12,
    },
];

/// Whether the search came to its end, or there is no target.
fn plan(case: &Case) -> bool {
    let goal = black_box(goal(&case.policy, &case.gpus, &case.protected));
    goal.map_or(true, |goal| goal.is_proved)
}

fn measure(node: &Node) -> Duration {
    let case = node.case();
    let plan = || {
        plan(&case);
    };
    let times = (0..SOME).map(|_| time(plan));
    times.min().unwrap_or_default()
}

/// Prints how long nodes take, and those that take the longest.
pub fn worst() {
    for series in &SERIES {
        let mut worst = Worst::new();
        let mut times = Vec::new();
        let mut early = 0;
        for seed in 0..NODES {
            let node = Node::random(seed, series);
            let took = measure(&node);
            times.push(took);
            early += usize::from(!plan(&node.case()));
            worst.add(took, node);
        }
        let words = series.words;
        say(format_args!("a node of 8 GPUs, {NODES} of them, {words}:"));
        say(format_args!("  {}, ended early: {early}", spread(times)));
        let slowest = worst.settle(CLIMBS.0, measure);
        tell(&slowest);
        let mut climbed = Worst::new();
        for (seed, (took, node)) in (0..).zip(slowest) {
            let (took, node) = climb(seed, took, node);
            climbed.add(took, node);
        }
        say(format_args!(
            "  made worse from there on, {} steps:",
            CLIMBS.1
        ));
        tell(&climbed.settle(CLIMBS.0, measure));
    }
}

/// Changes the node again and again, and goes on from what takes longer.
fn climb(seed: u64, mut took: Duration, mut node: Node) -> (Duration, Node) {
    let mut state = seed;
    // A moment that the machine was busy in is no step up: what seems slower is measured once more.
    for _ in 0..CLIMBS.1 {
        let other = node.changed(&mut state);
        let slower = measure(&other);
        if slower > took {
            let slower = slower.min(measure(&other));
            if slower > took {
                (took, node) = (slower, other);
            }
        }
    }
    (took, node)
}

fn tell(slowest: &[(Duration, Node)]) {
    for (took, node) in slowest.iter().take(3) {
        let early = if plan(&node.case()) {
            ""
        } else {
            " (ended early)"
        };
        say(format_args!(
            "  {:.0} µs{early}: {node}",
            took.as_secs_f64() * 1e6
        ));
    }
}

/// Median, the slowest hundredth, the slowest, and how many are above the millisecond.
fn spread(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let micros = |at: usize| times[at.min(times.len() - 1)].as_secs_f64() * 1e6;
    let slow = times.iter().filter(|it| **it > MILLISECOND).count();
    let (half, hundredth, last) = (times.len() / 2, times.len() * 99 / 100, times.len() - 1);
    format!(
        "median {:.0} µs, 99 % below {:.0} µs, slowest {:.0} µs, above 1 ms: {slow} of {}",
        micros(half),
        micros(hundredth),
        micros(last),
        times.len()
    )
}
