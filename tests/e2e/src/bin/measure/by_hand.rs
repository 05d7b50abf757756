//! The change by hand, as a person would do it who knows every step and loses no time: kubectl and the driver.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crds::gpu_node::Phase;
use e2e::{FakeNode, Look, PluginConfigMap, control_plane_binaries, eventually, wait_within};
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tokio::process::Command;

use crate::ground::{Ground, LONG, Result, maintenance};
use crate::outage::{AFTER, BY_HAND, Cost, cost, devices};

/// What destroys a slice.
pub const DESTROY: [&str; 2] = ["nvmlComputeInstanceDestroy", "nvmlGpuInstanceDestroy"];
/// What creates one.
pub const CREATE: [&str; 2] = [
    "nvmlDeviceCreateGpuInstance",
    "nvmlGpuInstanceCreateComputeInstance",
];

/// Changes the node with kubectl. The parts are the steps.
pub async fn change(ground: &Ground) -> Result<Cost> {
    let node = ground.cluster.node(BY_HAND);
    leave_to_people(ground, node).await?;
    let (before, mark) = (devices(ground, BY_HAND)?, ground.mark().await?);
    let mut steps = Steps::begin();
    kubectl(ground, &["cordon", BY_HAND]).await?;
    steps.done("cordon");
    let all = ["--ignore-daemonsets", "--delete-emptydir-data", "--force"];
    kubectl(ground, &[&["drain", BY_HAND][..], &all].concat()).await?;
    steps.done("drain");
    repartition(node, &before).await?;
    steps.done("repartition");
    let config = format!("{LABEL}={KEY}");
    kubectl(ground, &["label", "node", BY_HAND, &config, "--overwrite"]).await?;
    let wanted = AFTER.map(|(profile, count)| (format!("nvidia.com/mig-{profile}"), count));
    let wanted: Vec<_> = wanted
        .iter()
        .map(|(name, count)| (name.as_str(), *count))
        .collect();
    node.wait_allocatable(&wanted).await?;
    steps.done("plugin");
    kubectl(ground, &["uncordon", BY_HAND]).await?;
    steps.done("uncordon");
    cost(ground, BY_HAND, mark, &before, steps.done).await
}

/// What the device plugin's sidecar looks at.
const LABEL: &str = "nvidia.com/device-plugin.config";
/// A configuration of ours: the plugin starts again only for another one.
const KEY: &str = "by-hand";

/// No policy selects the node any more, and there is a configuration for it.
async fn leave_to_people(ground: &Ground, node: &FakeNode) -> Result<()> {
    node.label(json!({"pool": "people"})).await?;
    let nodes = ground.cluster.gpu_nodes();
    let is_left = |node: &crds::GpuNode| maintenance(node).phase == Phase::Unmanaged;
    wait_within(LONG, &nodes, BY_HAND, "is left to people", is_left).await?;
    let PluginConfigMap { namespace, name } = PluginConfigMap::default();
    let maps: Api<ConfigMap> = Api::namespaced(ground.cluster.client.clone(), &namespace);
    let config = json!({"data": {KEY: "{version: v1, flags: {migStrategy: mixed}}"}});
    let patch = Patch::Merge(config);
    maps.patch(&name, &PatchParams::default(), &patch).await?;
    Ok(())
}

/// Everything goes, and what is wanted is made, the largest first: what `nvidia-smi mig` takes a person, or mig-parted.
async fn repartition(node: &FakeNode, before: &[String]) -> Result<()> {
    let gpus = node.gpus();
    let each = gpus.state()?.latency_ms;
    for device in before {
        eventually("the slice is free", LONG, async || {
            Ok(match gpus.destroy_instance(device) {
                Ok(()) => Look::Done(()),
                Err(error) => Look::NotYet(error.to_string()),
            })
        })
        .await?;
        wait(takes(&each, DESTROY)).await?;
    }
    for (profile, count) in AFTER {
        for _ in 0..count {
            gpus.create_instance(0, profile, None)?;
            wait(takes(&each, CREATE)).await?;
        }
    }
    Ok(())
}

/// How long the driver takes for calls that are made one after the other.
pub fn takes(each: &BTreeMap<String, u64>, functions: [&str; 2]) -> SignedDuration {
    let millis: u64 = functions.iter().filter_map(|it| each.get(*it)).sum();
    SignedDuration::from_millis(millis.cast_signed())
}

/// Changes by hand take the simulated driver no time: it is waited for here.
async fn wait(time: SignedDuration) -> Result<()> {
    tokio::time::sleep(Duration::try_from(time)?).await;
    Ok(())
}

/// How long each step took.
struct Steps {
    since: Instant,
    done: Vec<(String, SignedDuration)>,
}

impl Steps {
    fn begin() -> Self {
        Self {
            since: Instant::now(),
            done: Vec::new(),
        }
    }

    fn done(&mut self, what: &str) {
        let took = SignedDuration::try_from(self.since.elapsed()).unwrap_or_default();
        self.done.push((what.to_owned(), took));
        self.since = Instant::now();
    }
}

async fn kubectl(ground: &Ground, arguments: &[&str]) -> Result<()> {
    let bed = &ground.cluster.bed;
    let mut command = Command::new(control_plane_binaries()?.join("kubectl"));
    command.arg("--kubeconfig").arg(bed.kubeconfig());
    command.arg("--cache-dir").arg(bed.folder().join("kubectl"));
    let said = command.args(arguments).output().await?;
    if said.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&said.stderr);
    Err(format!("kubectl {}: {errors}", arguments.join(" ")).into())
}
