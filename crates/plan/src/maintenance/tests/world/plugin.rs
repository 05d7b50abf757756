//! NVIDIA's device plugin: it reads its devices only when the node's label changes.

use std::collections::BTreeMap;

use crds::gpu_node::MigMode;

use super::World;
use crate::profile;

impl World {
    /// The plugin notices another label whose entry exists, reads the devices, and the kubelet advertises them.
    pub(in super::super) fn plugin_acts(&mut self) {
        let Some(node) = self.node.as_ref().filter(|_| self.plugin_is_up) else {
            return;
        };
        if !node.neighbours.clients.paused.is_empty() {
            // Its pod is gone; it reads everything when it comes back.
            self.plugin_key = None;
            return;
        }
        let key = node.plugin_config.clone();
        let is_known = key
            .as_ref()
            .is_none_or(|key| self.configs.contains_key(key));
        if key != self.plugin_key && is_known {
            self.plugin_key = key;
            let resources = self.allocatable();
            self.change_node(|node| node.resources = resources);
        }
    }

    pub(super) fn allocatable(&self) -> BTreeMap<String, i64> {
        let mut resources = BTreeMap::new();
        if let Some(sharing) = &self.gpu.mps {
            resources.insert("nvidia.com/gpu".to_owned(), sharing.replicas.into());
        } else if self.gpu.mig.current == MigMode::Disabled {
            resources.insert("nvidia.com/gpu".to_owned(), 1);
        }
        for slice in &self.gpu.instances {
            *resources
                .entry(profile::resource(&slice.profile))
                .or_default() += 1;
        }
        resources
    }
}
