//! The life of one node: its device plugin and its kubelet, one look after another.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{ConfigMap, Node, Pod};
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use nvml_sim::SimulatedNode;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::log::Log;
use super::watch::Watches;
use super::{FakeNode, PluginConfigMap};
use crate::device_plugin::{CHECK, CONFIG_LABEL, DevicePlugin, RESTART};
use crate::kubelet::{
    DEVICES, DeviceManager, ListResponse, PodDemand, PodResourcesServer, Processes,
};
use crate::{Error, Mps, Result};

/// What runs on one node.
pub struct Machine {
    name: String,
    client: Client,
    plugin_configs: PluginConfigMap,
    watches: Watches,
    log: Log,
    gpus: SimulatedNode,
    mps: Option<Mps>,
    pod_resources: PodResourcesServer,
    plugin: DevicePlugin,
    devices: DeviceManager,
    processes: Processes,
    /// The UID of the Node object and what was last written to its status.
    written: Option<(Option<String>, Value)>,
}

impl Machine {
    /// Nothing runs yet.
    pub fn new(
        node: &FakeNode,
        client: Client,
        plugin_configs: PluginConfigMap,
        watches: Watches,
        log: Log,
    ) -> Self {
        Self {
            name: node.name().to_owned(),
            client,
            plugin_configs,
            watches,
            log,
            gpus: node.gpus().clone(),
            mps: node.mps().cloned(),
            pod_resources: node.pod_resources().clone(),
            plugin: DevicePlugin::default(),
            devices: DeviceManager::default(),
            processes: Processes::default(),
            written: None,
        }
    }

    /// Lives until it is dropped. Looks when anything changes, and from time to time for what has to
    /// be tried again.
    pub async fn run(mut self) {
        loop {
            if let Err(error) = self.look().await {
                self.log.say(format_args!("{error:?}"));
            }
            tokio::select! {
                () = self.watches.changed() => {}
                () = sleep(RESTART) => self.restart_plugin(),
            }
        }
    }

    async fn look(&mut self) -> Result<()> {
        if let Some(node) = self.watches.node(&self.name) {
            self.configure(&node).await?;
            self.write_status(&node).await?;
        }
        if self.plugin.is_configured() {
            self.run_pods().await;
        }
        Ok(())
    }

    /// The sidecar's part.
    async fn configure(&mut self, node: &Node) -> Result<()> {
        let label = node.labels().get(CONFIG_LABEL).map(String::as_str);
        if !self.plugin.wants_config(label) {
            return Ok(());
        }
        let config_map = match label {
            None => BTreeMap::new(),
            Some(_) => self.config_map().await?,
        };
        match self.plugin.select(label, &config_map) {
            Ok(true) => {
                self.log
                    .say(format_args!("config {}", label.unwrap_or("(empty)")));
                self.start_plugin();
            }
            Ok(false) => {}
            Err(error) => self.log.say(format_args!("config-manager: {error}")),
        }
        Ok(())
    }

    async fn config_map(&self) -> Result<BTreeMap<String, String>> {
        let PluginConfigMap { namespace, name } = &self.plugin_configs;
        let config_maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace);
        let found = config_maps.get_opt(name).await;
        let found = found.map_err(Error::api(format!("get config map {namespace}/{name}")))?;
        Ok(found.and_then(|map| map.data).unwrap_or_default())
    }

    fn start_plugin(&mut self) {
        let started = self.gpus.state().map_err(|error| error.to_string());
        let mps = self.mps.as_ref();
        let answers = |resource: &str| mps.is_some_and(|it| it.ask(resource, CHECK).is_some());
        match started.and_then(|state| self.plugin.start(&state, answers)) {
            Ok(()) => {
                let served = self.plugin.resources().iter();
                let served: Vec<_> = served
                    .map(|(name, r)| format!("{name}: {}", r.devices.len()))
                    .collect();
                self.log
                    .say(format_args!("device plugin serves {}", served.join(", ")));
            }
            Err(error) => self.log.say(format_args!("device plugin: {error}")),
        }
    }

    fn restart_plugin(&mut self) {
        if self.plugin.down().is_some() {
            self.start_plugin();
        }
    }

    /// Capacity and allocatable together, and only when they changed or the Node is a new one.
    async fn write_status(&mut self, node: &Node) -> Result<()> {
        let resources = self.plugin.resources().iter();
        let (capacity, allocatable): (BTreeMap<_, _>, BTreeMap<_, _>) = resources
            .map(|(name, resource)| {
                let count = |count: usize| (name.clone(), count.to_string());
                (count(resource.capacity), count(resource.devices.len()))
            })
            .unzip();
        let status = json!({"status": {"capacity": capacity, "allocatable": allocatable}});
        let wanted = Some((node.uid(), status.clone()));
        if self.written == wanted || capacity.is_empty() {
            return Ok(());
        }
        let nodes: Api<Node> = Api::all(self.client.clone());
        let patch = Patch::Strategic(status);
        let params = PatchParams::default();
        let patched = nodes.patch_status(&self.name, &params, &patch).await;
        let failed = format!("write the status of node {}", self.name);
        patched.map_err(Error::api(failed))?;
        self.written = wanted;
        Ok(())
    }

    /// The kubelet's part: devices for new pods, processes for running ones, nothing for those gone.
    async fn run_pods(&mut self) {
        let pods = self.watches.pods_on(&self.name);
        let mut pods: Vec<_> = pods.iter().map(|pod| PodDemand::of(pod)).collect();
        pods.sort_by(|a, b| (a.created, &a.name).cmp(&(b.created, &b.name)));
        let alive = || pods.iter().filter(|pod| !pod.ended);
        let uids: BTreeSet<_> = alive().map(|pod| pod.uid.as_str()).collect();
        self.devices.retain(&uids);
        let mut tell = Vec::new();
        for pod in alive().filter(|pod| pod.wants_devices() && !pod.running) {
            match self.devices.admit(pod, &self.plugin) {
                Ok(()) if pod.admitted => {}
                Ok(()) => tell.push((pod, Ok(()))),
                Err(message) => tell.push((pod, Err(message))),
            }
        }
        for refused in self.processes.sync(&pods, &self.devices, &self.gpus) {
            self.log.say(format_args!("no process: {refused}"));
        }
        self.pod_resources
            .set(ListResponse::of(&pods, &self.devices));
        for (pod, admitted) in tell {
            // A pod that is gone by now needs nothing; any other is told at the next look.
            if let Err(error) = self.tell(pod, admitted).await {
                self.log.say(format_args!("{error:?}"));
            }
        }
    }

    /// Lets KWOK start a pod that has its devices, and fails one that cannot have them.
    async fn tell(&self, pod: &PodDemand, admitted: Result<(), String>) -> Result<()> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &pod.namespace);
        let params = PatchParams::default();
        let told = match admitted {
            Ok(()) => {
                let devices = self.devices.names_of(&pod.uid);
                let metadata = json!({"uid": pod.uid, "annotations": {DEVICES: devices}});
                let patch = Patch::Merge(json!({"metadata": metadata}));
                pods.patch(&pod.name, &params, &patch).await
            }
            Err(message) => {
                let status = json!({
                    "phase": "Failed",
                    "reason": "UnexpectedAdmissionError",
                    "message": format!("Pod was rejected: {message}"),
                });
                let patch = Patch::Merge(json!({"metadata": {"uid": pod.uid}, "status": status}));
                pods.patch_status(&pod.name, &params, &patch).await
            }
        };
        let failed = format!("tell pod {}/{} about its devices", pod.namespace, pod.name);
        told.map(drop).map_err(Error::api(failed))
    }
}
