//! The operator's flags.

use std::time::Duration;

use clap::Parser;
use jiff::SignedDuration;
use plan::maintenance::{Limits, Refresh};
use process::admin::AdminArgs;
use process::duration;
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

    /// Between the publication of a configuration in that config map and the label of a node that names it: the kubelet takes up
    /// to its sync period and some more (1m30s with its defaults) to bring it to the plugin's pod
    #[arg(
        long,
        default_value = "90s",
        value_name = "DURATION",
        value_parser = duration::not_negative
    )]
    pub device_plugin_config_delay: Duration,

    /// Delete the plugin's pods on a node where they have not taken their configuration in time, once, so that their `DaemonSet`
    /// makes them anew. Only with the right to delete pods in that namespace, which the chart gives together with this flag
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = false,
        action = clap::ArgAction::Set
    )]
    pub restart_device_plugin: bool,

    /// A label of pods in that namespace that read the node's devices only when they start; those of a `DaemonSet` are deleted
    /// on a node that was repartitioned, so that they see its new devices. Given several times, each is one; `none`: no pods
    #[arg(
        long,
        value_name = "KEY=VALUE",
        value_parser = label,
        default_values = ["app=gpu-feature-discovery", "app=nvidia-dcgm-exporter"]
    )]
    pub refresh_selector: Vec<Option<(String, String)>>,
}

/// A label with its value.
fn label(text: &str) -> Result<Option<(String, String)>, String> {
    if text == "none" {
        return Ok(None);
    }
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => {
            Ok(Some((key.to_owned(), value.to_owned())))
        }
        Some(_) | None => Err("write KEY=VALUE, such as app=gpu-feature-discovery".to_owned()),
    }
}

impl From<&PluginArgs> for Refresh {
    fn from(args: &PluginArgs) -> Self {
        Self {
            namespace: args.device_plugin_namespace.clone(),
            labels: args.refresh_selector.iter().flatten().cloned().collect(),
        }
    }
}

impl From<&PluginArgs> for Limits {
    fn from(args: &PluginArgs) -> Self {
        let delay = SignedDuration::try_from(args.device_plugin_config_delay);
        Self {
            config_delay: delay.unwrap_or(SignedDuration::MAX),
            ..Self::default()
        }
    }
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

    fn labels(arguments: &[&str]) -> Vec<String> {
        let program = ["gpu-sharing-operator"].iter();
        let args = Args::try_parse_from(program.chain(arguments)).unwrap();
        let labels = Refresh::from(&args.plugin).labels.into_iter();
        labels
            .map(|(key, value)| format!("{key}={value}"))
            .collect()
    }

    #[test]
    fn pods_to_make_anew_are_named_by_label_and_may_be_none() {
        let default = ["app=gpu-feature-discovery", "app=nvidia-dcgm-exporter"];
        assert_eq!(labels(&[]), default);
        let two = ["--refresh-selector=a=b", "--refresh-selector=c=d"];
        assert_eq!(labels(&two), ["a=b", "c=d"]);
        assert_eq!(labels(&["--refresh-selector=none"]), [""; 0]);
        for wrong in ["a", "=b", "a="] {
            let flag = format!("--refresh-selector={wrong}");
            let refused = Args::try_parse_from(["gpu-sharing-operator", &flag]);
            assert!(refused.is_err_and(|error| error.to_string().contains("KEY=VALUE")));
        }
    }

    #[test]
    fn the_product_has_one_default_of_the_delay_and_none_at_all_may_be_asked_for() {
        let delay = |arguments: &[&str]| {
            let program = ["gpu-sharing-operator"].iter();
            let args = Args::try_parse_from(program.chain(arguments)).unwrap();
            Limits::from(&args.plugin).config_delay
        };
        assert_eq!(delay(&[]), Limits::default().config_delay);
        let none = delay(&["--device-plugin-config-delay=0s"]);
        assert_eq!(none, SignedDuration::ZERO);
    }

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        Args::command().debug_assert();
    }
}
