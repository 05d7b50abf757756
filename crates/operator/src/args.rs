//! The operator's flags.

use clap::Parser;
use process::admin::AdminArgs;
use process::kubernetes::KubeArgs;
use process::lease::LeaseArgs;
use process::logs::LogArgs;

use crate::api::PluginConfigMap;

/// Shares NVIDIA GPUs by policy: plans every node's GPUs, and changes them inside maintenance windows
/// by cordon, drain, repartition and uncordon
#[derive(Debug, Parser)]
#[command(name = "gpu-sharing-operator", version)]
pub struct Args {
    /// Do not follow any policy: end this Deployment in the lease's namespace, take over from it, give
    /// back every node that is under way, and end. The chart does so before it is uninstalled
    #[arg(long, value_name = "DEPLOYMENT")]
    pub wind_down: Option<String>,
    /// Follow policies that say `onTimeout: Force`: delete pods past their disruption budgets. Only
    /// with the right to delete pods, which the chart gives together with this flag
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = false,
        action = clap::ArgAction::Set
    )]
    pub allow_force: bool,
    #[command(flatten)]
    pub plugin: PluginArgs,
    #[command(flatten)]
    pub kubernetes: KubeArgs,
    #[command(flatten)]
    pub lease: LeaseArgs,
    #[command(flatten)]
    pub admin: AdminArgs,
    #[command(flatten)]
    pub logs: LogArgs,
}

/// Where NVIDIA's device plugin takes its configurations from.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "NVIDIA's device plugin")]
pub struct PluginArgs {
    /// Namespace of NVIDIA's device plugin; it must exist
    #[arg(long, default_value = "gpu-operator", value_name = "NAMESPACE")]
    pub device_plugin_namespace: String,

    /// Config map in that namespace that the plugin takes its configurations from; it is created
    /// if it does not exist
    #[arg(long, default_value = "gpu-sharing-device-plugin", value_name = "NAME")]
    pub device_plugin_configmap: String,
}

impl From<&PluginArgs> for PluginConfigMap {
    fn from(args: &PluginArgs) -> Self {
        Self {
            namespace: args.device_plugin_namespace.clone(),
            name: args.device_plugin_configmap.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        Args::command().debug_assert();
    }
}
