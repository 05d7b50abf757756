//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use plan::reason::Reason;

use crate::exit::Codes;
use crate::layout::{Held, Placed, Wish};
use crate::{reasons, windows};

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
    /// Find the places for slices on one GPU and what has to go for them, without a cluster or a driver.
    ///
    /// For example: layout --product A100-SXM4-40GB --want 3g.20gb=1,1g.5gb=2 --current 2g.10gb@0,1g.5gb@5 --held 2g.10gb@0
    ///
    /// The places are those that the operator would choose: they evict the fewest pods, then destroy and create the fewest
    /// instances, then leave the most room, then start lowest. An answer is infeasible only if there is no placement at
    /// all. Profiles are written as nvidia-smi mig -lgip lists them, places as PROFILE@START with the first memory slice.
    ///
    /// What is there and is not wanted goes. Items of lists are separated by commas; each list may be given several times.
    ///
    /// Exit code: 0 feasible, 2 infeasible, 1 bad input. Bad input is what cannot be so or cannot be asked: an unknown
    /// product, what is no profile's name, a number that is not from 1 to 1000, something said twice, instances that
    /// cannot be on this product together. A profile that this product does not have is infeasible where it is wanted,
    /// and bad input where it is said to be there.
    ///
    /// JSON: feasible, placements, kept, destroyed and created ({profile, start, size} each, size in memory slices),
    /// evictions (a number of pods), steps ({verb, profile, start, size}, in order; the verb is destroy or create),
    /// blockedBy ({profile, start, by}: all that keeps what found no place from each of its places), alternatives (the
    /// nearest feasible layouts, numbers by profile) and, where infeasible, reason.
    #[command(verbatim_doc_comment)]
    Layout(LayoutArgs),
    /// List the GPU products that are known, and their MIG profiles: sizes, places and largest numbers.
    ///
    /// Exit code: 0, or 1 if the product is unknown.
    Profiles(ProfilesArgs),
    /// Explain the reasons that conditions and events carry.
    ///
    /// Exit code: 0, or 1 if there is no such reason.
    Reasons(ReasonsArgs),
}

impl Command {
    /// The exit codes of the command of this name. Clap's own answers, and those to unknown names, are as of files.
    pub fn codes(name: &str) -> Codes {
        match name {
            "layout" | "profiles" | "reasons" => Codes::OF_HARDWARE,
            _ => Codes::OF_FILES,
        }
    }
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

/// Which layout to look for.
#[derive(Debug, clap::Args)]
pub struct LayoutArgs {
    /// The GPU: its key or the driver's name for it, in any case; `profiles` lists them.
    #[arg(long, value_name = "NAME")]
    pub product: String,
    /// How many slices of which profile, such as 3g.20gb=1,1g.5gb=2.
    #[arg(
        long,
        required = true,
        value_delimiter = ',',
        value_name = "PROFILE=NUMBER"
    )]
    pub want: Vec<Wish>,
    /// The instances that are on the GPU, such as 2g.10gb@0,1g.5gb@5. Unset: none.
    #[arg(long, value_delimiter = ',', value_name = "PROFILE@START")]
    pub current: Vec<Placed>,
    /// Those of them that pods are on, and how many pods, such as 2g.10gb@0=3. One pod where no number is given.
    #[arg(long, value_delimiter = ',', value_name = "PROFILE@START[=PODS]")]
    pub held: Vec<Held>,
    /// Those of them that must not be destroyed.
    ///
    /// A pod on them must not be evicted, or somebody else has made them. Where they are wanted they are part of the
    /// layout; else they stay beside it and are in none of the lists of the answer.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "PROFILE@START",
        verbatim_doc_comment
    )]
    pub pinned: Vec<Placed>,
    /// In which form.
    #[arg(short = 'o', long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
}

/// Which products to list.
#[derive(Debug, clap::Args)]
pub struct ProfilesArgs {
    /// Only this GPU: its key or the driver's name for it, in any case.
    #[arg(long, value_name = "NAME")]
    pub product: Option<String>,
    /// In which form.
    #[arg(short = 'o', long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
}

/// Which reasons to explain.
#[derive(Debug, clap::Args)]
pub struct ReasonsArgs {
    /// Words such as `SlotLost`, in any case. None: all that there are.
    #[arg(value_name = "REASON", value_parser = reasons::word)]
    pub words: Vec<Reason>,
}
