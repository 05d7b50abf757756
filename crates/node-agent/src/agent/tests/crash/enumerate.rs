//! All points of a run, and an agent that is killed at each that leaves another disk than the one before.

use std::collections::BTreeSet;
use std::path::Path;

use crate::agent::tests::ordeal::folder::{Folder, Snapshot};
use crate::agent::tests::ordeal::gatekeeper::{Ended, Verdict, run_gated};

/// The points of a run.
pub struct Points {
    /// How many there are.
    pub count: usize,
    /// The first at which the disk is as it is there; every other is the same to whoever starts next as one of these.
    pub distinct: Vec<Point>,
    /// The functions of the driver that were called.
    pub calls: BTreeSet<String>,
}

/// A point.
pub struct Point {
    number: usize,
    pub name: String,
    pub disk: Snapshot,
}

/// Runs an agent that nobody kills, and looks at the disk at each point.
pub fn points(start: &Snapshot) -> Points {
    let folder = Folder::with(start);
    let mut points = Points {
        count: 0,
        distinct: Vec::new(),
        calls: BTreeSet::new(),
    };
    let mut print = None;
    let ended = run_gated(&folder, |name| {
        points.count += 1;
        if let Some(call) = name
            .strip_suffix(" begins")
            .filter(|it| it.starts_with("nvml"))
        {
            points.calls.insert(call.to_owned());
        }
        let now = Some(folder.fingerprint());
        if print == now {
            return Verdict::Go;
        }
        print = now;
        let disk = folder.snapshot();
        if points.distinct.last().is_none_or(|last| last.disk != disk) {
            points.distinct.push(Point {
                number: points.count - 1,
                name: name.to_owned(),
                disk,
            });
        }
        Verdict::Go
    });
    assert_eq!(ended, Ended::AtRest);
    points
}

/// Kills an agent at a point. What it leaves.
pub fn killed_at(start: &Snapshot, point: &Point) -> Snapshot {
    let folder = Folder::with(start);
    let mut number = 0;
    let ended = run_gated(&folder, |name| {
        number += 1;
        if number <= point.number {
            return Verdict::Go;
        }
        assert_eq!(name, point.name, "the runs differ");
        Verdict::Die
    });
    assert_eq!(ended, Ended::Killed);
    let left = folder.snapshot();
    assert_eq!(lasting(&left), lasting(&point.disk), "{}", point.name);
    left
}

/// What does not depend on the time of day: the GPUs and the journal.
fn lasting(disk: &Snapshot) -> Snapshot {
    let is_lasting = |path: &Path| !path.starts_with("gpu-node.json");
    let files = disk.iter().filter(|(path, _)| is_lasting(path));
    files
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect()
}
