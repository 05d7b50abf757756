//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

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
