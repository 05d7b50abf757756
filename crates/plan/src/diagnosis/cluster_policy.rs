//! A `ClusterPolicy` of NVIDIA's GPU operator, as far as it says what the device plugin is told.

use serde_json::Value;

use super::Stack;

/// What of a `ClusterPolicy` (`nvidia.com/v1`) decides about the device plugin's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterPolicyView {
    /// Its name.
    pub name: String,
    /// `spec.devicePlugin.config.name`: without it the plugin's pods have no config manager, and the node's label says
    /// nothing to them.
    pub config: Option<String>,
    /// `spec.devicePlugin.config.default`: the key for nodes without the label.
    pub default_key: Option<String>,
    /// `spec.mig.strategy`, which becomes `MIG_STRATEGY` in the environment of the plugin.
    pub mig_strategy: Option<String>,
}

impl ClusterPolicyView {
    /// The view of one as it was read. What is empty counts as unset.
    pub fn of(object: &Value) -> Self {
        let text = |path: &str| {
            let text = object.pointer(path).and_then(Value::as_str);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        Self {
            name: text("/metadata/name").unwrap_or_default(),
            config: text("/spec/devicePlugin/config/name"),
            default_key: text("/spec/devicePlugin/config/default"),
            mig_strategy: text("/spec/mig/strategy"),
        }
    }

    pub(super) fn causes(&self, stack: &Stack) -> Option<String> {
        let (name, ours) = (&self.name, &stack.config_map.1);
        let set = format!("set it to {ours}");
        match &self.config {
            None => Some(format!(
                "ClusterPolicy {name} has no spec.devicePlugin.config.name, so the device plugin ignores the node's label; \
                 {set}"
            )),
            Some(other) if other != ours => Some(format!(
                "spec.devicePlugin.config.name of ClusterPolicy {name} is {other}, which is not the ConfigMap that this \
                 operator writes; {set}"
            )),
            Some(_) => {
                let key = self.default_key.as_ref()?;
                (!stack.keys.contains(key)).then(|| {
                    format!(
                        "spec.devicePlugin.config.default of ClusterPolicy {name} is {key}, which is no key of ConfigMap \
                         {ours}: the plugin does not start on nodes without the label; set it to \"\""
                    )
                })
            }
        }
    }
}
