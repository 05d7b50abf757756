//! `kubectl gpusharing`: what a policy would do and when, and what a GPU can hold, before anything is applied; and what
//! the reasons mean that are told afterwards.

mod args;
mod cluster;
mod exit;
mod files;
mod layout;
mod outcome;
mod plan;
mod product;
mod profiles;
mod reasons;
mod windows;

use std::convert::Infallible;
use std::process::ExitCode;

use args::{Args, Command};
use clap::Parser;

fn main() -> ExitCode {
    let name = std::env::args_os().nth(1).unwrap_or_default();
    let codes = Command::codes(&name.to_string_lossy());
    match Args::try_parse().map(|args| args.command) {
        Ok(Command::Plan(args)) => codes.end(plan::run(&args)),
        Ok(Command::Windows(args)) => codes.end(windows::run(&args)),
        Ok(Command::Layout(args)) => codes.end(layout::run(&args)),
        Ok(Command::Profiles(args)) => codes.end(profiles::run(&args)),
        Ok(Command::Reasons(args)) => codes.end(Ok::<_, Infallible>(reasons::run(&args))),
        Err(error) => codes.misused(&error),
    }
}
