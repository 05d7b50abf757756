//! A pod of NVIDIA's device plugin.

use crds::gpu_node::PodReference;
use crds::names::LABEL_PLUGIN_CONFIG;
use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod, PodSpec};

use super::Stack;
use crate::pod::{self, Controller};

/// The plugin's container, in the GPU operator's `DaemonSet` and in the plugin's own chart.
const PLUGIN: [&str; 2] = ["nvidia-device-plugin", "nvidia-device-plugin-ctr"];
/// Where the config manager is told which label to go by, and where the files are that it names.
const NODE_LABEL: &str = "NODE_LABEL";
const FILES: &str = "CONFIG_FILE_SRCDIR";

/// What of a pod of NVIDIA's device plugin decides about its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginPod {
    /// Namespace, name and UID.
    pub reference: PodReference,
    /// `namespace/name`.
    pub name: String,
    /// A `DaemonSet` makes it anew.
    pub is_of_daemon_set: bool,
    /// It has a config manager that goes by the node's label.
    pub is_managed: bool,
    /// The `ConfigMap` that the config manager reads.
    pub config_map: Option<String>,
    /// `MIG_STRATEGY` in the plugin's environment.
    pub mig_strategy: Option<String>,
    /// Containers that do not stay up, each with what they last said.
    pub crashing: Vec<String>,
}

impl PluginPod {
    /// The view of a pod as it was read; none if it is not one of the plugin's, or has been asked to end.
    pub fn of(pod: &Pod) -> Option<Self> {
        let (meta, spec) = (&pod.metadata, pod.spec.as_ref()?);
        let mut containers = spec.containers.iter();
        let plugin = containers.find(|it| PLUGIN.contains(&it.name.as_str()))?;
        if meta.deletion_timestamp.is_some() {
            return None;
        }
        let reference = PodReference {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
            uid: meta.uid.clone().unwrap_or_default(),
        };
        let goes_by_label =
            |it: &&Container| variable(it, NODE_LABEL).as_deref() == Some(LABEL_PLUGIN_CONFIG);
        let manager = spec.containers.iter().find(goes_by_label);
        Some(Self {
            name: format!("{}/{}", reference.namespace, reference.name),
            reference,
            is_of_daemon_set: pod::controller(pod) == Controller::DaemonSet,
            is_managed: manager.is_some(),
            config_map: manager.and_then(|manager| config_map(spec, manager)),
            mig_strategy: variable(plugin, "MIG_STRATEGY"),
            crashing: crashing(pod),
        })
    }

    pub(super) fn causes(&self, stack: &Stack) -> Vec<String> {
        let name = &self.name;
        let (namespace, ours) = &stack.config_map;
        let mut causes = Vec::new();
        // With a ClusterPolicy that is told of it.
        if !self.is_managed && stack.cluster_policies.is_empty() {
            causes.push(format!(
                "pod {name} has no config manager, so it ignores the node's label; install NVIDIA's chart with \
                 config.name={ours}"
            ));
        }
        if self.reference.namespace != *namespace {
            causes.push(format!(
                "pod {name} cannot read ConfigMap {namespace}/{ours} in another namespace; set devicePlugin.namespace of \
                 this operator's chart to {}",
                self.reference.namespace
            ));
        } else if let Some(other) = self.config_map.as_ref().filter(|other| *other != ours) {
            causes.push(format!(
                "pod {name} reads ConfigMap {other}, and this operator writes {ours}; give both the same name"
            ));
        }
        causes
    }

    pub(super) fn crashes(&self) -> impl Iterator<Item = String> {
        let (name, crashing) = (&self.name, self.crashing.iter());
        crashing.map(move |what| format!("pod {name}: {what}"))
    }
}

/// The value of a variable that is written out.
fn variable(container: &Container, name: &str) -> Option<String> {
    let mut all = container.env.iter().flatten();
    let value = all.find(|it| it.name == name)?.value.clone()?;
    Some(value).filter(|value| !value.is_empty())
}

/// The `ConfigMap` that is mounted where the config manager looks for files.
fn config_map(spec: &PodSpec, manager: &Container) -> Option<String> {
    let folder = variable(manager, FILES)?;
    let mut mounts = manager.volume_mounts.iter().flatten();
    let mount = mounts.find(|it| it.mount_path == folder)?;
    let mut volumes = spec.volumes.iter().flatten();
    let volume = volumes.find(|it| it.name == mount.name)?;
    Some(volume.config_map.as_ref()?.name.clone())
}

fn crashing(pod: &Pod) -> Vec<String> {
    let Some(status) = &pod.status else {
        return Vec::new();
    };
    let first = status.init_container_statuses.iter().flatten();
    let all = first.chain(status.container_statuses.iter().flatten());
    all.filter_map(crash).collect()
}

/// A container that the kubelet waits before starting again, and why it ended.
fn crash(container: &ContainerStatus) -> Option<String> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref()?;
    if ![
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "ImagePullBackOff",
    ]
    .contains(&reason)
    {
        return None;
    }
    let last = container.last_state.as_ref();
    let last = last.and_then(|last| last.terminated.as_ref());
    let said = last.and_then(|last| last.message.as_deref());
    let said = said.or(waiting.message.as_deref()).unwrap_or_default();
    let said = said
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty());
    let name = &container.name;
    Some(match (said, last) {
        (Some(said), _) => format!("container {name} is in {reason}: {said}"),
        (None, Some(last)) => format!(
            "container {name} is in {reason} after it ended with {}; see its log",
            last.exit_code
        ),
        (None, None) => format!("container {name} is in {reason}"),
    })
}
