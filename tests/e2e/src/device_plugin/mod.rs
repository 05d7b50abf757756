//! A stand-in for NVIDIA's device plugin (v0.20) with its config-manager sidecar, one per node.
//!
//! What it keeps of the original, because our operator has to live with it:
//! - The sidecar looks at the node label alone. A key whose content changes under the same name is
//!   not noticed; a label that names a missing key makes the sidecar fail, and restart, while the
//!   plugin keeps the old configuration (`cmd/config-manager/main.go`: 246, 257, 416).
//! - No label means the empty configuration, as NVIDIA's GPU operator sets it up.
//! - Devices are read when the plugin starts, and it starts again only when the configuration
//!   becomes another one (`main.go`: 285). What is repartitioned in between is not noticed.
//! - A configuration or a set of devices that it cannot serve ends the plugin; it is restarted, and
//!   reads everything again, until it can. Meanwhile nothing can be allocated (`main.go`: 294).
//! - Each device of a resource is handed out as often as the configuration says, under the name that it says; what the
//!   kubelet has handed out under another name is not counted (`config.rs` and `discovery.rs` have the rules one by one).
//!
//! - With MPS it asks, before it registers a resource, the daemon at `<root>/<resource>/pipe` through NVIDIA's own control
//!   program for [`CHECK`] (`internal/plugin/mps.go`: 61, `cmd/mps-control-daemon/mps/daemon.go`: 204). If any does not
//!   answer, nothing is registered, and all is tried again (`main.go`: 301 and 408). After that nobody is asked again.
//!
//! What is quicker here: the configuration reaches the node at once, and restarts take
//! [`RESTART`] instead of a back-off from 10 s, or the 30 s after an MPS daemon that does not answer.

mod config;
mod discovery;

use std::collections::BTreeMap;
use std::time::Duration;

use nvml_sim::state::State;

use config::PluginConfig;
pub use discovery::Device;
use discovery::discover;

/// How long a sidecar or a plugin that ended stays down.
pub const RESTART: Duration = Duration::from_secs(1);

/// What the plugin asks an MPS daemon to find out whether there is one.
pub const CHECK: &str = "get_default_active_thread_percentage";

/// The label that names the node's configuration.
pub const CONFIG_LABEL: &str = "nvidia.com/device-plugin.config";

/// A plugin and its sidecar.
#[derive(Debug)]
pub struct DevicePlugin {
    selected: Option<Selection>,
    config: Result<PluginConfig, String>,
    resources: BTreeMap<String, Resource>,
    down: Option<String>,
}

/// What the sidecar's symbolic link points at.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Selection {
    Empty,
    Key(String),
}

impl Selection {
    fn by(label: Option<&str>) -> Self {
        label.map_or(Self::Empty, |key| Self::Key(key.to_owned()))
    }
}

/// A resource as the kubelet knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// Devices that were there when a plugin last served it: the node's capacity. It outlives its
    /// plugin (by 5 minutes in a real kubelet) and is never removed from the node.
    pub capacity: usize,
    /// Devices that a plugin serves now: the node's allocatable.
    pub devices: Vec<Device>,
}

impl DevicePlugin {
    /// Whether the sidecar has to look at the config map, because the label does not name what is
    /// selected.
    pub fn wants_config(&self, label: Option<&str>) -> bool {
        self.selected != Some(Selection::by(label))
    }

    /// The sidecar looks at the label and the config map. True if another configuration is selected
    /// now: then the plugin is to be started.
    ///
    /// # Errors
    /// What the sidecar would print before it exits: then the plugin keeps what it has.
    pub fn select(
        &mut self,
        label: Option<&str>,
        config_map: &BTreeMap<String, String>,
    ) -> Result<bool, String> {
        let selection = Selection::by(label);
        if self.selected.as_ref() == Some(&selection) {
            return Ok(false);
        }
        let text = match &selection {
            Selection::Empty => "",
            Selection::Key(key) => config_map
                .get(key)
                .ok_or_else(|| format!("specified config {key} does not exist"))?,
        };
        self.config = PluginConfig::parse(text);
        self.selected = Some(selection);
        Ok(true)
    }

    /// The plugin starts: it reads the devices and registers its resources. `answers`: whether the MPS daemon of a resource
    /// answers [`CHECK`].
    ///
    /// # Errors
    /// What it would print before it exits, or tries again.
    pub fn start(&mut self, state: &State, answers: impl Fn(&str) -> bool) -> Result<(), String> {
        // A plugin that is gone leaves nothing to allocate.
        for resource in self.resources.values_mut() {
            resource.devices.clear();
        }
        let config = self.config.as_ref();
        let found = config
            .map_err(|error| format!("unable to load config: {error}"))
            .and_then(|config| {
                let found = discover(state, config)?;
                // Every resource of the node, shared or not (mps.go: 52).
                let silent = found.keys().find(|name| config.mps && !answers(name));
                silent.map_or(Ok(found.clone()), |name| {
                    Err(format!(
                        "error checking MPS daemon health: nobody answers for {name}"
                    ))
                })
            });
        self.down = found.as_ref().err().cloned();
        for (name, devices) in found? {
            let capacity = devices.len();
            self.resources.insert(name, Resource { capacity, devices });
        }
        Ok(())
    }

    /// Why the plugin is not running, if it is not: it has to be started again.
    pub fn down(&self) -> Option<&str> {
        self.down.as_deref()
    }

    /// Whether it was ever configured: before that the kubelet knows no devices.
    pub fn is_configured(&self) -> bool {
        self.selected.is_some()
    }

    /// Every resource that was ever registered.
    pub fn resources(&self) -> &BTreeMap<String, Resource> {
        &self.resources
    }

    /// Whether the plugin lets a container have this many of a resource.
    pub fn allows(&self, resource: &str, count: usize) -> bool {
        let config = self.config.as_ref();
        config.is_ok_and(|config| config.allows(resource, count))
    }
}

impl Default for DevicePlugin {
    fn default() -> Self {
        Self {
            selected: None,
            config: Ok(PluginConfig::default()),
            resources: BTreeMap::new(),
            down: None,
        }
    }
}

#[cfg(test)]
mod tests;
