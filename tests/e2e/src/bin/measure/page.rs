//! The page of figures.

use std::io::{Stdout, Write, stdout};

use jiff::SignedDuration;

/// Standard output.
pub struct Page(Stdout);

impl Page {
    /// An empty one.
    pub fn new() -> Self {
        Self(stdout())
    }

    /// A line.
    pub fn line(&self, text: &str) {
        // Nobody to tell if the reader of a pipe has gone.
        let _ = writeln!(self.0.lock(), "{text}");
    }

    /// The headline of some figures.
    pub fn headline(&self, text: &str) {
        self.line(&format!("\n{text}"));
    }

    /// What several times have in common.
    pub fn spread(&self, what: &str, times: &[SignedDuration]) {
        let mut sorted = times.to_vec();
        sorted.sort();
        let (median, worst) = (sorted.get(sorted.len() / 2), sorted.last());
        if let (Some(median), Some(worst)) = (median, worst) {
            let (median, worst) = (seconds(*median), seconds(*worst));
            self.line(&format!("  {what:<38} median {median} s, worst {worst} s"));
        }
    }
}

/// Seconds with two digits after the point.
pub fn seconds(time: SignedDuration) -> String {
    format!("{:.2}", time.as_secs_f64())
}
