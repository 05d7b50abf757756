//! How a command ends: what it prints where, and with which code.

use std::fmt::Display;
use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

use crate::outcome::Outcome;

/// A command's exit codes other than 0.
#[derive(Clone, Copy, Debug)]
pub struct Codes {
    /// It was answered, and the answer is no.
    no: u8,
    /// It could not be answered.
    failed: u8,
}

impl Codes {
    /// Of the commands that read files.
    pub const OF_FILES: Self = Self { no: 1, failed: 2 };
    /// Of the commands that are asked about a GPU or a word.
    pub const OF_HARDWARE: Self = Self { no: 2, failed: 1 };

    /// Prints what a command has found out, or why it could not.
    pub fn end<E: Display>(self, result: Result<Outcome, E>) -> ExitCode {
        match result {
            Ok(Outcome { text, is_valid }) => {
                // Nobody to tell if the reader of a pipe has gone.
                let _ = write!(stdout(), "{text}");
                ExitCode::from(if is_valid { 0 } else { self.no })
            }
            Err(error) => {
                let _ = writeln!(stderr(), "kubectl gpusharing: {error}");
                ExitCode::from(self.failed)
            }
        }
    }

    /// Prints the help that was asked for, or what is wrong with the command line.
    pub fn misused(self, error: &clap::Error) -> ExitCode {
        let _ = error.print();
        ExitCode::from(if error.use_stderr() { self.failed } else { 0 })
    }
}
