//! The tables: a row for each call, a column for each fault.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// The faults by the names in the head of a table, with NVML's numbers.
pub const CODES: [(&str, u32); 7] = [
    ("IN_USE", 19),
    ("NO_ROOM", 23),
    ("NO_PERM", 4),
    ("LOST", 15),
    ("NOT_SUPP", 3),
    ("TIMEOUT", 10),
    ("UNKNOWN", 999),
];
/// The library has no such function.
pub const MISSING: &str = "MISSING";

/// Ends by call and fault: a letter each for the first call and for every.
pub struct Table(BTreeMap<String, BTreeMap<String, String>>);

impl Table {
    pub fn new(calls: &BTreeSet<String>) -> Self {
        Self(
            calls
                .iter()
                .map(|call| (call.clone(), BTreeMap::new()))
                .collect(),
        )
    }

    pub fn note(&mut self, call: &str, fault: &str, end: char) {
        let row = self.0.get_mut(call).unwrap();
        row.entry(fault.to_owned()).or_default().push(end);
    }

    /// Compares with a table as it is written down.
    pub fn compare(&self, expected: &str) {
        let cells: usize = self
            .0
            .values()
            .flat_map(BTreeMap::values)
            .map(String::len)
            .sum();
        let (expected, found) = (parse(expected), &self.0);
        let differs = *found != expected;
        assert!(!differs, "the table should be\n{}", self.print());
        writeln!(io::stdout(), "{cells} cells, each as expected").unwrap();
    }

    fn print(&self) -> String {
        let names = || CODES.map(|(name, _)| name).into_iter().chain([MISSING]);
        let mut text = format!("{:48}{}\n", "call", names().collect::<Vec<_>>().join(" "));
        for (call, row) in &self.0 {
            let cell = |name: &str| {
                let ends = row.get(name).map_or("-", String::as_str);
                format!("{ends:width$}", width = name.len())
            };
            let cells: Vec<_> = names().map(cell).collect();
            text.push_str(format!("{call:48}{}", cells.join(" ")).trim_end());
            text.push('\n');
        }
        text
    }
}

/// A table in a file: lines that begin with `#` are for the reader.
fn parse(text: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let names: Vec<_> = lines
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .collect();
    lines
        .map(|line| {
            let mut words = line.split_whitespace();
            let call = words.next().unwrap_or_default().to_owned();
            let cells = names.iter().zip(words).filter(|(_, ends)| *ends != "-");
            let row = cells.map(|(name, ends)| ((*name).to_owned(), ends.to_owned()));
            (call, row.collect())
        })
        .collect()
}
