//! `kubectl gpusharing`: what a policy would do and when, before it is applied.

mod args;
mod cluster;
mod files;
mod outcome;
mod plan;
mod windows;

use std::io::{Write, stdout};
use std::process::ExitCode;

use args::{Args, Command};
use clap::Parser;

fn main() -> ExitCode {
    let Args { command } = Args::parse();
    let result = match command {
        Command::Plan(args) => plan::run(&args),
        Command::Windows(args) => windows::run(&args),
    };
    match result {
        Ok(outcome) => {
            // Nobody to tell if the reader of a pipe has gone.
            let _ = write!(stdout(), "{}", outcome.text);
            ExitCode::from(u8::from(!outcome.is_valid))
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "kubectl gpusharing: {error}");
            ExitCode::from(2)
        }
    }
}
