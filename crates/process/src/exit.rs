//! The last thing a process says, and the exit code that goes with it.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::Chain;

/// Turns what `run` returned into an exit code, having said why it failed.
///
/// A `run` that returns `Result<ExitCode, Box<dyn Error>>` may use `?` on every error of this crate.
///
/// The error goes to the log, or to stderr as plain text while no log is set up. Failure is exit
/// code 1, so that the kubelet restarts the container with its back-off.
pub fn code(result: Result<ExitCode, impl Into<Box<dyn Error>>>) -> ExitCode {
    match result {
        Ok(code) => code,
        Err(error) => {
            say(&Chain(error.into().as_ref()).to_string());
            ExitCode::FAILURE
        }
    }
}

fn say(message: &str) {
    if tracing::dispatcher::has_been_set() {
        tracing::error!("{message}");
    } else {
        // Nothing is left to tell when stderr itself is gone.
        drop(writeln!(io::stderr(), "error: {message}"));
    }
}
