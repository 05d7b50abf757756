//! What each change has cost, as one table.

use std::fmt::Display;

use crds::gpu_node::ChangeClass;
use jiff::SignedDuration;

use super::strategy::Strategy;

/// What a change has cost.
pub struct Cost {
    pub from: Strategy,
    pub to: Strategy,
    pub class: ChangeClass,
    /// Pods that were evicted, of all that had a device.
    pub evicted: usize,
    pub pods: usize,
    /// From the cordon to the uncordon. None: there was no cordon.
    pub out: Option<SignedDuration>,
}

impl Cost {
    fn cell(&self) -> String {
        let class = format!("{:?}", self.class);
        let pods = format!("{}/{}", self.evicted, self.pods);
        let out = self.out.unwrap_or_default().as_secs_f64();
        format!("{class:<10} {pods} {out:>5.2} s")
    }
}

/// A row for each strategy, a column for each that it becomes.
pub fn table(all: &[Strategy], costs: &[Cost]) -> String {
    let cell = |from: Strategy, to: Strategy| {
        let mut its = costs.iter();
        let its = its.find(|cost| (cost.from, cost.to) == (from, to));
        its.map_or_else(|| "?".to_owned(), Cost::cell)
    };
    let mut lines = vec![row(&"", all.iter().map(|to| format!("{to:?}")))];
    for from in all {
        lines.push(row(
            &format!("{from:?}"),
            all.iter().map(|to| cell(*from, *to)),
        ));
    }
    lines.join("\n")
}

fn row(first: &dyn Display, cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<_> = cells.map(|cell| format!("{cell:<22}")).collect();
    let line = format!("{first:<12}{}", cells.join("  "));
    line.trim_end().to_owned()
}
