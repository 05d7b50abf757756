//! What a command has found out.

use std::fmt::Write as _;

use serde::Serialize;

/// What to print, and whether the answer is yes.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// For a person, or JSON.
    pub text: String,
    /// Whether every policy is valid, or the layout feasible.
    pub is_valid: bool,
}

impl Outcome {
    /// Adds a line to the text.
    pub fn line(&mut self, line: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{line}");
    }
}

/// A value for programs: JSON over several lines.
pub fn json(value: &impl Serialize) -> String {
    format!("{:#}\n", serde_json::json!(value))
}
