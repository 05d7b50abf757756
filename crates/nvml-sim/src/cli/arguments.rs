//! What can be said on the command line.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use nvml_sim::Code;

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

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Pace {
    /// For tests
    AtOnce,
    /// A second for a GPU instance, ten for a mode
    Real,
}

#[derive(Debug, Subcommand)]
pub enum Quirk {
    /// List profiles only while MIG mode is on, as drivers up to about R535
    HideProfiles,
    /// Tell the MIG device where a compute instance's GPU is asked for
    NameMigDevices,
    /// List a profile under another number of NVML's enum, as a driver that is newer than the header
    RenumberProfile {
        /// Its own number
        own: u32,
        /// The other
        other: u32,
    },
    /// Answer a code for a number of NVML's enum of profiles
    FailProfile {
        /// Number in the enum
        number: u32,
        /// NVML code: a number, or a name such as `unknown`
        #[arg(long, value_parser = code)]
        code: Code,
    },
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
pub enum FaultAction {
    /// Calls of a function answer a code
    Call {
        /// The NVML symbol, such as nvmlGpuInstanceDestroy
        function: String,
        /// NVML code: a number, or a name such as `insufficient-resources`
        #[arg(long, value_parser = code)]
        code: Code,
        /// The n-th call from now fails, once; 1 = the next
        #[arg(long, default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
        nth: u32,
        /// Every call fails, until healed
        #[arg(long, conflicts_with = "nth")]
        every: bool,
    },
    /// Calls of a function take longer
    Latency {
        /// The NVML symbol
        function: String,
        /// Milliseconds; 0 = no longer
        millis: u64,
    },
    /// A GPU falls off the bus
    GpuLost {
        /// Index of the GPU
        gpu: usize,
    },
    /// Changes of a GPU's MIG mode stay pending until healed or rebooted
    ModeStuck {
        /// Index of the GPU
        gpu: usize,
    },
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

/// A code by its number or name; case, `-` and `_` do not matter.
fn code(text: &str) -> Result<Code, String> {
    let plain = |name: &str| name.replace(['-', '_'], "").to_lowercase();
    let by_name = || {
        Code::ALL
            .iter()
            .copied()
            .find(|code| plain(code.name()) == plain(text))
    };
    text.parse()
        .ok()
        .and_then(Code::from_number)
        .or_else(by_name)
        .ok_or_else(|| {
            let names = Code::ALL
                .iter()
                .map(|code| code.name())
                .collect::<Vec<_>>()
                .join(", ");
            format!("not an NVML code; by name: {names}")
        })
}

#[cfg(test)]
mod tests {
    use super::{Arguments, code};
    use clap::CommandFactory;
    use nvml_sim::Code;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn codes_are_known_by_number_and_by_name() {
        for text in ["23", "insufficient-resources", "INSUFFICIENT_RESOURCES"] {
            assert_eq!(code(text), Ok(Code::InsufficientResources), "{text}");
        }
        assert!(code("31").is_err());
        assert!(code("").is_err());
    }
}
