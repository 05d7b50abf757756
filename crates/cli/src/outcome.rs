//! What a command has found out.

use std::fmt::Write as _;

/// What to print, and whether every policy is valid.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// For a person, or JSON.
    pub text: String,
    /// Whether every policy is valid.
    pub is_valid: bool,
}

impl Outcome {
    /// Adds a line to the text.
    pub fn line(&mut self, line: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{line}");
    }
}
