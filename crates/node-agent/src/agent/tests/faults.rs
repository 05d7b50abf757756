//! Every call of the driver × every way in which it fails: how an operation ends, and that nothing is lost.
//!
//! The tables beside this file have a row for each function that the agent calls, and a column for each fault; a function
//! that is called and has no row is a failure too. A cell has one letter for a fault of the first call, and one for a
//! fault of every call:
//!
//! ```text
//!   D  done: the fault was overcome            R  refused: nothing was changed
//!   B  back: the layout from before            W  waits: says why, and is done when the driver is well again
//!   F  failed: a person is needed
//! ```
//!
//! `!` is a cell in which something was lost or the message does not say what failed: there is none.

mod cell;
mod missing;
mod table;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use nvml_sim::state::When;

use super::crash::enumerate::points;
use super::ordeal::folder::{Folder, Snapshot};
use super::ordeal::outcome::Layouts;
use super::ordeal::scenario::{A30, Scenario};
use crate::journal::Stage;
use cell::{Broken, Trial};
use table::Table;

/// Something goes, something comes, and something is kept.
const CHANGE: Scenario = Scenario {
    name: "a change",
    ours: &[("1g.6gb", 0), ("2g.12gb", 2)],
    target: &[("1g.6gb", 1), ("2g.12gb", 2)],
    ..A30
};
/// MIG mode goes on.
const MODE: Scenario = Scenario {
    name: "MIG mode on",
    target: &[("2g.12gb", 0)],
    ..A30
};
/// The one call that a change without a change of mode does not need.
const SET_MODE: &str = "nvmlDeviceSetMigMode";
/// Its answer is nobody's concern.
const SHUTDOWN: &str = "nvmlShutdown";
const CREATE: &str = "nvmlDeviceCreateGpuInstanceWithPlacement";
/// Calls with an effect.
const CHANGES: [&str; 5] = [
    SET_MODE,
    "nvmlComputeInstanceDestroy",
    "nvmlGpuInstanceDestroy",
    CREATE,
    "nvmlGpuInstanceCreateComputeInstance",
];

/// An operation, at the moment from which calls fail.
struct Beginning {
    disk: Snapshot,
    layouts: Layouts,
    /// What the agent calls when nothing fails.
    calls: BTreeSet<String>,
}

impl Beginning {
    /// The operator has said `Proceed`, and the agent starts.
    fn asked(scenario: &Scenario) -> Self {
        let start = scenario.start();
        Self {
            calls: points(&start.disk).calls,
            disk: start.disk,
            layouts: start.layouts,
        }
    }

    /// The point of no return is passed, and the agent starts.
    fn under_way(scenario: &Scenario) -> Self {
        let start = scenario.start();
        let mut points = points(&start.disk).distinct.into_iter();
        let has_begun = |disk: &Snapshot| {
            let task = Folder::with(disk).record().operation;
            task.is_some_and(|task| task.id == 7 && task.stage == Stage::Clearing)
        };
        let begun = points.find(|point| has_begun(&point.disk)).unwrap();
        Self {
            calls: super::crash::enumerate::points(&begun.disk).calls,
            disk: begun.disk,
            layouts: start.layouts,
        }
    }
}

/// Tries every cell, and compares with what is expected.
fn every_cell(expected: &str, begin: fn(&Scenario) -> Beginning) {
    let (change, mode) = (begin(&CHANGE), begin(&MODE));
    let calls: BTreeSet<_> = change.calls.union(&mode.calls).cloned().collect();
    let mut found = Table::new(&calls);
    for call in &calls {
        let beginning = if call == SET_MODE { &mode } else { &change };
        for (name, code) in table::CODES {
            for when in [When::Nth(1), When::Every] {
                let broken = Broken::Fault { call, code, when };
                if call != SHUTDOWN {
                    found.note(call, name, beginning.tried(&broken));
                }
            }
        }
        let missing = Broken::Missing { call };
        found.note(call, table::MISSING, beginning.tried(&missing));
    }
    found.compare(expected);
}

impl Beginning {
    fn tried(&self, broken: &Broken<'_>) -> char {
        let trial = Trial {
            disk: &self.disk,
            layouts: &self.layouts,
        };
        let ends = || trial.ends(broken);
        catch_unwind(AssertUnwindSafe(ends)).unwrap_or('!')
    }
}

#[test]
fn every_fault_of_every_call_during_an_operation_has_its_end() {
    every_cell(include_str!("faults/under_way.txt"), Beginning::under_way);
}

#[test]
fn every_fault_of_every_call_before_an_operation_has_its_end() {
    every_cell(include_str!("faults/asked.txt"), Beginning::asked);
}

#[test]
fn a_change_whose_answer_is_a_fault_although_it_was_made_has_its_end() {
    let (change, mode) = (Beginning::under_way(&CHANGE), Beginning::under_way(&MODE));
    let calls = CHANGES.map(str::to_owned).into();
    let mut found = Table::new(&calls);
    for call in &calls {
        let beginning = if call == SET_MODE { &mode } else { &change };
        for (name, code) in table::CODES {
            for when in [When::Nth(1), When::Every] {
                let broken = Broken::Late { call, code, when };
                // By this answer nothing was made: there is no such driver.
                if !(call == CREATE && name == "NO_ROOM") {
                    found.note(call, name, beginning.tried(&broken));
                }
            }
        }
    }
    found.compare(include_str!("faults/late.txt"));
}
