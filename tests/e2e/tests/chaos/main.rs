//! Random schedules of everything that can go wrong, and what must hold all the same.
//!
//! ```text
//! schedule    what happens and when, from a seed
//! world       six nodes, two policies, two replicas of the operator, pods
//! run         the schedule, then everything is put right and must settle
//! evidence    audit log and watches
//! invariants  what must hold, judged by the evidence
//! destroyed   looks whether a device goes away under a pod
//! ```
//!
//! `make chaos N=300 SEED=1` runs the schedules of the seeds 1 to 300; one that fails prints its seed, its schedule and
//! what was wrong. `make chaos N=1 SEED=17` has the same things happen again, though not to the millisecond.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail as tests do; a run of minutes says where it is"
)]

mod destroyed;
mod evidence;
mod invariants;
mod run;
mod schedule;
mod world;

use std::collections::BTreeMap;
use std::env;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use e2e::Fault;
use futures::future::join_all;

use crate::schedule::Schedule;
use crate::world::World;

/// So many runs share a cluster: its start costs as much as half a run.
const RUNS_PER_WORLD: usize = 10;

/// The runs that are still to be made; each lane takes the next.
struct Queue {
    next: AtomicU64,
    end: u64,
}

/// What a lane has seen.
#[derive(Default)]
struct Tally {
    runs: usize,
    injected: BTreeMap<Fault, u64>,
    judged: BTreeMap<&'static str, usize>,
    failures: Vec<String>,
}

fn number(name: &str, default: u64) -> u64 {
    let told = env::var(name).ok().filter(|told| !told.is_empty());
    told.map_or(default, |told| told.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_nothing_is_broken_and_the_cluster_settles() {
    let first = number("CHAOS_SEED", 1);
    let queue = Queue {
        next: AtomicU64::new(first),
        end: first + number("CHAOS_N", 20),
    };
    let lanes = (0..number("CHAOS_BEDS", 3)).map(|_| lane(&queue));
    let mut all = Tally::default();
    for tally in join_all(lanes).await {
        all.runs += tally.runs;
        all.failures.extend(tally.failures);
        for (fault, times) in tally.injected {
            *all.injected.entry(fault).or_default() += times;
        }
        for (what, count) in tally.judged {
            *all.judged.entry(what).or_default() += count;
        }
    }
    let (runs, failed) = (all.runs, all.failures.len());
    eprintln!(
        "{runs} runs, {failed} failed; judged: {:?}; faults injected: {:?}",
        all.judged, all.injected
    );
    assert!(all.failures.is_empty(), "{}", all.failures.join("\n\n"));
}

/// Run after run, on one cluster for as long as nothing fails.
async fn lane(queue: &Queue) -> Tally {
    let mut tally = Tally::default();
    let mut world: Option<(World, usize)> = None;
    loop {
        let seed = queue.next.fetch_add(1, Ordering::Relaxed);
        if seed >= queue.end {
            if let Some((world, _)) = world {
                tally.remember(&world);
            }
            return tally;
        }
        let (mut current, runs) = match world.take() {
            Some((world, runs)) if runs < RUNS_PER_WORLD => (world, runs),
            old => {
                if let Some((old, _)) = &old {
                    tally.remember(old);
                }
                drop(old);
                let started = World::start(seed).await;
                (
                    started.unwrap_or_else(|error| panic!("no world: {error:?}")),
                    0,
                )
            }
        };
        tally.runs += 1;
        match one(&mut current, seed).await {
            None => world = Some((current, runs + 1)),
            Some(failure) => {
                tally.remember(&current);
                current.cluster.bed.keep();
                tally.failures.push(failure);
            }
        }
    }
}

/// One run; what was wrong with it, if anything.
async fn one(world: &mut World, seed: u64) -> Option<String> {
    let (schedule, began) = (Schedule::of(seed), Instant::now());
    let judged = world.run(&schedule).await;
    let took = began.elapsed().as_secs();
    let wrong = match judged {
        Ok(violations) if violations.is_empty() => {
            eprintln!("SEED={seed}: {} acts, {took} s", schedule.steps.len());
            return None;
        }
        Ok(violations) => violations.join("\n"),
        Err(error) => format!("{error:?}"),
    };
    let failure = format!("{schedule}failed after {took} s:\n{wrong}");
    eprintln!("{failure}");
    Some(failure)
}

impl Tally {
    fn remember(&mut self, world: &World) {
        for (fault, times) in world.proxy.injected() {
            *self.injected.entry(fault).or_default() += times;
        }
        for (what, count) in &world.judged {
            *self.judged.entry(what).or_default() += count;
        }
    }
}
