//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};

use crate::windows;

/// Shares NVIDIA GPUs by policy: look before you apply.
#[derive(Debug, Parser)]
#[command(name = "kubectl gpusharing", version)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what policies would change on which nodes, and what is wrong with them. Touches nothing.
    ///
    /// Exit code: 0 if every policy is valid, 1 if one is not, 2 if a file cannot be read.
    Plan(PlanArgs),
    /// List when the maintenance windows of policies are open, in UTC and in their own time zones. Needs no cluster.
    ///
    /// Exit code: 0 if every policy's windows can be read, 1 if one's cannot, 2 if a file cannot be read.
    Windows(WindowsArgs),
}

/// What to plan.
#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    /// YAML or JSON file with policies; may be given several times. Other objects in it are left out.
    #[arg(short = 'f', long = "filename", required = true)]
    pub filenames: Vec<PathBuf>,
    /// What `kubectl get nodes,gpunodes -o json` says. Without it only what needs no hardware is checked.
    #[arg(long)]
    pub cluster: Option<PathBuf>,
}

/// Which windows to list.
#[derive(Debug, clap::Args)]
pub struct WindowsArgs {
    /// YAML or JSON file with policies; may be given several times. Other objects in it are left out.
    #[arg(short = 'f', long = "filename", required = true)]
    pub filenames: Vec<PathBuf>,
    /// From this moment on, in RFC 3339, such as 2026-03-28T00:00:00Z. Unset: now.
    #[arg(long)]
    pub from: Option<Timestamp>,
    /// For so long, such as 30d or 12h; at most 366d.
    #[arg(long = "for", default_value = "30d", value_parser = windows::length)]
    pub length: SignedDuration,
    /// In which form.
    #[arg(short = 'o', long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
}

/// In which form to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}
