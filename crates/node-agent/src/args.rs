//! The agent's flags.

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand};
use process::admin::AdminArgs;
use process::kubernetes::KubeArgs;
use process::logs::LogArgs;

use crate::mps::{MpsArgs, PlaceArgs, SharedMemoryArgs};

/// Reports this node's GPUs as a `GpuNode`, and changes them when the operator asks for it
#[derive(Debug, Parser)]
#[command(name = "gpu-sharing-agent", version)]
pub struct Args {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub node: NodeArgs,
    #[command(flatten)]
    pub kubernetes: KubeArgs,
    #[command(flatten)]
    pub admin: AdminArgs,
    #[command(flatten)]
    pub logs: LogArgs,
}

/// What the program can do besides being the agent.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Print the GPUs as the driver shows them, as JSON, and exit; needs no cluster
    Inventory,
    /// Serve this node's GPUs through MPS until told to end, in place of NVIDIA's MPS control daemon; needs no cluster
    Mps(MpsArgs),
    /// Mount the memory that MPS clients share with their server, unless it is there, and exit; before anything uses it
    MpsSharedMemory(SharedMemoryArgs),
}

/// Where things are on this node.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Node")]
pub struct NodeArgs {
    /// Name of the node that this runs on
    #[arg(long, env = "NODE_NAME", value_name = "NAME")]
    pub node_name: Option<String>,

    /// NVIDIA's driver library; a name without a slash is looked for where the loader looks
    #[arg(
        long,
        global = true,
        default_value = "libnvidia-ml.so.1",
        value_name = "FILE"
    )]
    pub nvml_library: PathBuf,

    /// NVIDIA's command line tool, which resets a GPU whose MIG mode stays pending; a name without a slash is looked for
    /// in PATH
    #[arg(long, default_value = "nvidia-smi", value_name = "FILE")]
    pub nvidia_smi: PathBuf,

    /// Socket on which the kubelet tells which container holds which device
    #[arg(
        long,
        default_value = "/var/lib/kubelet/pod-resources/kubelet.sock",
        value_name = "SOCKET"
    )]
    pub pod_resources_socket: PathBuf,

    /// Folder for what must outlive the agent: the way back from a change that fails
    #[arg(
        long,
        global = true,
        default_value = "/var/lib/gpu-sharing-agent",
        value_name = "FOLDER"
    )]
    pub journal_dir: PathBuf,

    /// Serve GPUs through MPS when a policy asks for it: in place of NVIDIA's MPS control daemon, for NVIDIA's device plugin
    #[arg(long, default_value_t = false, action = ArgAction::Set, value_name = "true|false")]
    pub mps_enabled: bool,

    #[command(flatten)]
    pub place: PlaceArgs,

    /// File with the kernel's boot id, which tells that the node was rebooted
    #[arg(
        long,
        default_value = "/proc/sys/kernel/random/boot_id",
        value_name = "FILE"
    )]
    pub boot_id_file: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_inventory_needs_no_more_than_the_library() {
        let args = ["gpu-sharing-agent", "inventory", "--nvml-library", "/l.so"];
        let args = Args::try_parse_from(args).unwrap();
        assert!(matches!(args.command, Some(Command::Inventory)));
        assert_eq!(args.node.nvml_library, PathBuf::from("/l.so"));
    }
}
