//! What can be said on the command line.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use super::faults::{FaultAction, Pace, Quirk};

/// Simulated NVIDIA GPUs: a driver library that any NVML client loads, and the tool beside it.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make, show and change the GPUs of one simulated node
    #[command(after_help = products())]
    Ctl {
        /// State file of the node, the one that `NVML_SIM_STATE` names for the library
        #[arg(long, env = "NVML_SIM_STATE")]
        state: PathBuf,
        #[command(subcommand)]
        action: Action,
    },
    /// Link the library into a folder as libnvidia-ml.so.1 and libnvidia-ml.so
    Install {
        /// The folder, for `LD_LIBRARY_PATH`; made if need be
        folder: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Make a node: a new state file, and its boot id beside it
    Init {
        /// A GPU by product, such as A100-SXM4-40GB; repeat for more, of one product or of several
        #[arg(long = "gpu", required = true, value_parser = PossibleValuesParser::new(keys()))]
        gpus: Vec<String>,
        /// Where UUIDs come from: the same seed gives the same; unset = the path of the state file
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Put a process on a GPU or on a MIG device
    Attach(Attach),
    /// Take a process off every device that it holds
    Detach {
        /// Process id
        #[arg(long)]
        pid: u32,
    },
    /// Make the driver fail, wait or lose a GPU
    #[command(subcommand)]
    Fault(FaultAction),
    /// Take back every fault, delay and quirk
    Heal,
    /// Reboot the node: processes and instances go, the boot id changes
    Reboot,
    /// Set how long changes take
    Pace {
        /// At once, or roughly as long as on hardware
        #[arg(value_enum)]
        pace: Pace,
    },
    /// Let the driver deviate from its header, as older and newer ones do
    #[command(subcommand)]
    Quirk(Quirk),
    /// Change MIG by hand, by the driver's rules
    #[command(subcommand)]
    Mig(MigAction),
    /// Reset an idle GPU: instances go, a pending MIG mode takes effect
    Reset {
        /// Index of the GPU
        gpu: usize,
    },
    /// Draw the GPUs, their slices and processes
    Show {
        /// How
        #[arg(short, long, value_enum, default_value_t)]
        output: Output,
    },
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Output {
    /// A map for people
    #[default]
    Map,
    /// For programs
    Json,
}

#[derive(Debug, Args)]
pub struct Attach {
    /// Process id, as NVML will report it
    #[arg(long)]
    pub pid: u32,
    #[command(flatten)]
    pub device: Device,
    /// Program name
    #[arg(long, default_value = "cuda-app")]
    pub name: String,
    /// Device memory in MiB
    #[arg(long = "memory", default_value_t = 256)]
    pub memory_mib: u64,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Device {
    /// Index of a GPU
    #[arg(long)]
    pub gpu: Option<usize>,
    /// UUID of a MIG device
    #[arg(long)]
    pub mig: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum MigAction {
    /// Turn MIG mode on
    Enable {
        /// Index of the GPU
        gpu: usize,
    },
    /// Turn MIG mode off
    Disable {
        /// Index of the GPU
        gpu: usize,
    },
    /// Create a GPU instance, with a compute instance that fills it or with smaller ones
    Create {
        /// Index of the GPU
        gpu: usize,
        /// Profile, such as 3g.20gb
        profile: String,
        /// First memory slice; unset = where the driver would put it
        #[arg(long)]
        start: Option<u32>,
        /// Compute slices of a compute instance; repeat for more; unset = one that fills it
        #[arg(long)]
        compute: Vec<u32>,
    },
    /// Destroy a MIG device, and its GPU instance if it was the last one in it
    Destroy {
        /// UUID of the MIG device
        uuid: String,
    },
}

/// The products, as one names them.
fn keys() -> impl Iterator<Item = &'static str> {
    products::ALL.iter().map(|product| product.key)
}

fn products() -> String {
    format!("Products: {}", keys().collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
