//! What happens in one run, and when: a pure function of the seed.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use e2e::{Dice, Fault, Weather};

/// Nodes, numbered from 0. The first half is of the first policy.
pub const NODES: usize = 6;
/// Replicas of the operator.
pub const REPLICAS: usize = 2;
/// Policies, each for as many nodes.
pub const POLICIES: usize = 2;
/// The longest pause before an act, in milliseconds.
const LONGEST_PAUSE: u64 = 1200;
/// Acts besides those that undo another: at least, and how many more.
const ACTS: (u64, u64) = (5, 6);

/// One program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// A replica of the operator.
    Operator(usize),
    /// The agent of a node.
    Agent(usize),
}

/// How a policy has the GPUs of its nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Seven smallest slices.
    Sevenths,
    /// Two halves.
    Halves,
    /// Whole, by turns.
    TimeSlicing,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// SIGKILL. Started again after the next act, as a kubelet would.
    Kill(Who),
    /// SIGTERM, likewise.
    End(Who),
    /// SIGSTOP.
    Freeze(Who),
    /// SIGCONT.
    Thaw(Who),
    /// Requests go wrong from now on.
    Weather(Weather),
    /// The API server is ended and started again.
    RestartApiServer,
    /// An administrator cordons a node.
    Cordon(usize),
    /// An administrator uncordons a node, whoever cordoned it.
    Uncordon(usize),
    /// A policy asks for this; it is created if it is not there.
    Layout(usize, Layout),
    /// A policy starts nothing any more.
    Pause(usize),
    /// It does again.
    Resume(usize),
    /// A policy is deleted.
    Delete(usize),
    /// A blackout begins for a policy.
    Shut(usize),
    /// It ends.
    Open(usize),
    /// A person holds a node.
    Hold(usize),
    /// And lets go of it.
    LetGo(usize),
    /// The driver refuses once to make an instance on a node.
    FailOnce(usize),
    /// A disruption budget allows no eviction any more.
    Protect,
    /// It is taken away.
    Unprotect,
}

/// An act, and the pause before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Between the act before and this one.
    pub after: Duration,
    /// What happens.
    pub act: Act,
}

/// One run. It begins with a new layout for each policy; what is not undone in it is undone after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// What it follows from.
    pub seed: u64,
    /// In order.
    pub steps: Vec<Step>,
}

impl Schedule {
    /// The schedule of a seed.
    pub fn of(seed: u64) -> Self {
        let mut draw = Draw {
            dice: Dice::new(seed),
            frozen: BTreeSet::new(),
        };
        let layouts = (0..POLICIES).map(|policy| Act::Layout(policy, draw.layout()));
        let mut acts: Vec<_> = layouts.collect();
        for _ in 0..ACTS.0 + draw.dice.below(ACTS.1) {
            acts.push(draw.act());
        }
        let steps = acts.into_iter().map(|act| Step {
            after: Duration::from_millis(draw.dice.below(LONGEST_PAUSE)),
            act,
        });
        let steps = steps.collect();
        Self { seed, steps }
    }
}

struct Draw {
    dice: Dice,
    frozen: BTreeSet<Who>,
}

impl Draw {
    fn act(&mut self) -> Act {
        match self.dice.below(26) {
            0..3 => Act::Kill(self.who()),
            3 => Act::End(self.who()),
            4..6 => self.freeze_or_thaw(),
            6..10 => Act::Weather(self.weather()),
            10 => Act::RestartApiServer,
            11..13 => Act::Cordon(self.index(NODES)),
            13..15 => Act::Uncordon(self.index(NODES)),
            15 => Act::Layout(self.index(POLICIES), self.layout()),
            16 => Act::Pause(self.index(POLICIES)),
            17 => Act::Resume(self.index(POLICIES)),
            18 => Act::Delete(self.index(POLICIES)),
            19 => Act::Shut(self.index(POLICIES)),
            20 => Act::Open(self.index(POLICIES)),
            21 => Act::Hold(self.index(NODES)),
            22 => Act::LetGo(self.index(NODES)),
            23 => Act::FailOnce(self.index(NODES)),
            24 => Act::Protect,
            _ => Act::Unprotect,
        }
    }

    fn freeze_or_thaw(&mut self) -> Act {
        if let Some(who) = self.frozen.pop_first() {
            return Act::Thaw(who);
        }
        let who = self.who();
        self.frozen.insert(who);
        Act::Freeze(who)
    }

    /// The operator as often as all agents together.
    fn who(&mut self) -> Who {
        if self.dice.below(2) == 0 {
            Who::Operator(self.index(REPLICAS))
        } else {
            Who::Agent(self.index(NODES))
        }
    }

    fn layout(&mut self) -> Layout {
        let all = [Layout::Sevenths, Layout::Halves, Layout::TimeSlicing];
        self.dice.pick(&all).copied().unwrap_or(Layout::Sevenths)
    }

    fn weather(&mut self) -> Weather {
        let kinds = self.dice.below(4);
        let mut faults = Vec::new();
        for _ in 0..kinds {
            faults.extend(self.dice.pick(&Fault::ALL));
        }
        Weather {
            faults,
            per_mille: 50 + self.dice.below(250),
        }
    }

    fn index(&mut self, end: usize) -> usize {
        usize::try_from(self.dice.below(end as u64)).unwrap_or(0)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "SEED={}", self.seed)?;
        for step in &self.steps {
            writeln!(f, "  {:>4} ms  {:?}", step.after.as_millis(), step.act)?;
        }
        Ok(())
    }
}

#[test]
fn a_schedule_follows_from_its_seed() {
    for seed in 0..100 {
        assert_eq!(Schedule::of(seed), Schedule::of(seed));
        assert_ne!(Schedule::of(seed).steps, Schedule::of(seed + 1).steps);
    }
    let first = Schedule::of(1).to_string();
    assert!(first.starts_with("SEED=1\n"), "{first}");
}

#[test]
fn every_kind_of_act_happens_and_only_to_what_there_is() {
    let steps: Vec<_> = (0..100).flat_map(|seed| Schedule::of(seed).steps).collect();
    let kinds: BTreeSet<_> = steps
        .iter()
        .map(|step| {
            format!("{:?}", step.act)
                .split(['(', ' '])
                .next()
                .map(str::to_owned)
        })
        .collect();
    assert_eq!(kinds.len(), 19, "{kinds:?}");
    for Step { after, act } in steps {
        assert!(after < Duration::from_millis(LONGEST_PAUSE));
        let fits = match act {
            Act::Kill(who) | Act::End(who) | Act::Freeze(who) | Act::Thaw(who) => match who {
                Who::Operator(replica) => replica < REPLICAS,
                Who::Agent(node) => node < NODES,
            },
            Act::Cordon(node)
            | Act::Uncordon(node)
            | Act::Hold(node)
            | Act::LetGo(node)
            | Act::FailOnce(node) => node < NODES,
            Act::Layout(policy, _)
            | Act::Pause(policy)
            | Act::Resume(policy)
            | Act::Shut(policy)
            | Act::Open(policy)
            | Act::Delete(policy) => policy < POLICIES,
            Act::Weather(weather) => weather.per_mille < 300,
            Act::RestartApiServer | Act::Protect | Act::Unprotect => true,
        };
        assert!(fits);
    }
}
