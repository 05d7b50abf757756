//! The `ConfigMap` that NVIDIA's device plugin takes its configurations from: one key per configuration.

use std::collections::BTreeMap;

use crds::names;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use plan::plugin_config::annotation;
use serde_json::json;

use super::{Cluster, Written};
use crate::error::Error;

/// Where the `ConfigMap` is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginConfigMap {
    /// The device plugin's namespace.
    pub namespace: String,
    /// The `ConfigMap`'s name.
    pub name: String,
}

impl PluginConfigMap {
    fn object(&self) -> String {
        format!("ConfigMap {}/{}", self.namespace, self.name)
    }
}

impl Cluster {
    /// The `ConfigMap` as it is now; none if it has not been created yet.
    pub async fn plugin_configs(&self) -> Result<Option<ConfigMap>, Error> {
        let answer = self.config_maps().get_opt(&self.plugin.name).await;
        answer.map_err(Error::request("read", self.plugin.object()))
    }

    /// Puts one configuration in, with a note of since when it is there; the others stay as they are.
    /// Creates the `ConfigMap` if there was none when it was read.
    pub async fn publish_config(
        &self,
        found: Option<&ConfigMap>,
        key: &str,
        content: &str,
        since: Timestamp,
    ) -> Result<Written<ConfigMap>, Error> {
        let data = BTreeMap::from([(key.to_owned(), content.to_owned())]);
        let notes = BTreeMap::from([(annotation(key), since.to_string())]);
        match found {
            Some(found) => self.add_config(found, data, notes).await,
            None => self.create_configs(data, notes).await,
        }
    }

    async fn add_config(
        &self,
        found: &ConfigMap,
        data: BTreeMap<String, String>,
        notes: BTreeMap<String, String>,
    ) -> Result<Written<ConfigMap>, Error> {
        // Not an apply: that would remove the keys of all other nodes, which we own as well.
        let body = json!({
            "metadata": {"resourceVersion": found.resource_version(), "annotations": notes},
            "data": data,
        });
        let params = PatchParams {
            field_manager: Some(names::OPERATOR_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let (config_maps, patch) = (self.config_maps(), Patch::Merge(body));
        let request = config_maps.patch(&self.plugin.name, &params, &patch);
        let (verb, object) = ("update", self.plugin.object());
        let answer = self.fence.send(verb, &object, request).await?;
        Written::of(answer, verb, object)
    }

    async fn create_configs(
        &self,
        data: BTreeMap<String, String>,
        notes: BTreeMap<String, String>,
    ) -> Result<Written<ConfigMap>, Error> {
        let first = ConfigMap {
            metadata: ObjectMeta {
                name: Some(self.plugin.name.clone()),
                annotations: Some(notes),
                ..ObjectMeta::default()
            },
            data: Some(data),
            ..ConfigMap::default()
        };
        let params = PostParams {
            field_manager: Some(names::OPERATOR_MANAGER.to_owned()),
            ..PostParams::default()
        };
        let (verb, object, config_maps) = ("create", self.plugin.object(), self.config_maps());
        let request = config_maps.create(&params, &first);
        match self.fence.send(verb, &object, request).await? {
            // A name that does not exist cannot be missing: it is the namespace.
            Err(kube::Error::Api(status)) if status.is_not_found() => {
                Err(Error::NoPluginNamespace {
                    object,
                    namespace: self.plugin.namespace.clone(),
                })
            }
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(Written::Outdated),
            answer => Written::of(answer, verb, object),
        }
    }

    fn config_maps(&self) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), &self.plugin.namespace)
    }
}
