//! Looks for the states that take the longest to plan: of a GPU among all that are legal, of a node among many that are
//! made at random. Prints the worst of each; `planning` measures those that were found so far.

#[path = "../../tests/exhaustive/hardware.rs"]
#[expect(dead_code, reason = "the exhaustive test uses the rest of it")]
mod hardware;
mod node;
mod nodes;
#[path = "../../tests/exhaustive/state.rs"]
#[expect(dead_code, reason = "the exhaustive test uses the rest of it")]
mod state;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Arguments;
use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};

use hardware::{Hardware, Set};
use plan::layout::{alternatives, search};
use state::{State, parts};

/// One state of so many is looked at, another one for each question.
const STRIDE: usize = 509;
/// So many are measured again, each so often; the shortest counts.
const AGAIN: (usize, usize) = (2_000, 9);

fn say(line: Arguments<'_>) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bench is there to look at the clock"
)]
fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// What takes the longest.
struct Worst<T> {
    top: Vec<(Duration, T)>,
    looked: usize,
}

impl<T: Clone> Worst<T> {
    const fn new() -> Self {
        Self {
            top: Vec::new(),
            looked: 0,
        }
    }

    fn look(&mut self, case: &T, work: impl FnOnce(&T)) {
        let took = time(|| work(case));
        self.add(took, case.clone());
    }

    fn add(&mut self, took: Duration, case: T) {
        self.looked += 1;
        self.top.push((took, case));
        if self.top.len() >= 2 * AGAIN.0 {
            self.shorten(AGAIN.0);
        }
    }

    /// The worst few, measured again: a machine that was busy for a moment is no worst case.
    fn settle(mut self, few: usize, measure: impl Fn(&T) -> Duration) -> Vec<(Duration, T)> {
        self.shorten(AGAIN.0);
        for (took, case) in &mut self.top {
            let times = (0..AGAIN.1).map(|_| measure(case));
            *took = times.min().unwrap_or_default();
        }
        self.shorten(few);
        self.top
    }

    fn shorten(&mut self, to: usize) {
        self.top.sort_by_key(|(took, _)| Reverse(*took));
        self.top.truncate(to);
    }
}

type Question = (State, BTreeMap<String, i32>);

/// All numbers that an empty GPU can have, and those with one instance more than it can.
fn questions(hardware: &Hardware) -> BTreeSet<Vec<i32>> {
    let possible = hardware.layouts.keys();
    let more = possible.clone().flat_map(|numbers| {
        let ranks = 0..numbers.len();
        ranks.filter_map(|rank| {
            let mut more = numbers.clone();
            more[rank] += 1;
            let most = hardware.profiles[rank].max_instances.cast_signed();
            (more[rank] <= most).then_some(more)
        })
    });
    possible.cloned().chain(more).collect()
}

/// Every state of the GPU: what must stay, what may go, and what of that a pod is on.
fn states(hardware: &Hardware) -> impl Iterator<Item = State> {
    let mut legal: Vec<Set> = hardware.legal.keys().copied().collect();
    legal.sort_unstable();
    legal.into_iter().flat_map(|there| {
        parts(there).flat_map(move |fixed| {
            let movable = there & !fixed;
            parts(movable).map(move |held| State {
                fixed,
                movable,
                held,
                half: 0,
            })
        })
    })
}

fn gpu(product: &str, what: &str, work: fn(&Hardware, &Question)) {
    let Some(mig) = products::find(product).and_then(|it| it.mig.as_ref()) else {
        return;
    };
    let hardware = Hardware::new(mig);
    let wanted: Vec<_> = questions(&hardware)
        .iter()
        .map(|it| hardware.wanted(it))
        .collect();
    let mut worst = Worst::new();
    for (number, state) in states(&hardware).enumerate() {
        for wanted in wanted.iter().skip(number % STRIDE).step_by(STRIDE) {
            worst.look(&(state, wanted.clone()), |case| work(&hardware, case));
        }
    }
    let looked = worst.looked;
    say(format_args!("{what} on {product}, {looked} questions:"));
    for (took, (state, wanted)) in worst.settle(3, |case| time(|| work(&hardware, case))) {
        let show = |set: Set| {
            let spots = hardware.spots(set);
            let names: Vec<_> = spots
                .map(|it| format!("{}@{}", it.profile.name, it.start))
                .collect();
            names.join(",")
        };
        let (fixed, free, held) = (state.fixed, state.movable & !state.held, state.held);
        say(format_args!(
            "  {:.1} µs: {wanted:?} with {} in the way, {} free, {} held",
            took.as_secs_f64() * 1e6,
            show(fixed),
            show(free),
            show(held)
        ));
    }
}

fn searches(hardware: &Hardware, (state, wanted): &Question) {
    let _ = black_box(search(&hardware.offers, &state.existing(hardware), wanted));
}

fn alternates(hardware: &Hardware, (state, wanted): &Question) {
    let _ = black_box(alternatives(
        &hardware.offers,
        &state.existing(hardware),
        wanted,
    ));
}

fn main() {
    for product in ["A100-SXM4-40GB", "RTX-PRO-6000"] {
        gpu(product, "search", searches);
        gpu(product, "alternatives", alternates);
    }
    nodes::worst();
}
