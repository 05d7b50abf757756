//! The operator's own Deployment: ended before the operator is uninstalled.

use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::{Cluster, Written};
use crate::error::Error;

impl Cluster {
    /// Tells a Deployment to have no pods. One that is not there has none.
    pub async fn end_deployment(&self, namespace: &str, name: &str) -> Result<(), Error> {
        let deployments: Api<Deployment> = Api::namespaced(self.client.clone(), namespace);
        let none = Patch::Merge(json!({"spec": {"replicas": 0}}));
        let params = PatchParams::default();
        let answer = deployments.patch_scale(name, &params, &none).await;
        let object = format!("Deployment {namespace}/{name}");
        Written::of(answer, "scale down", object).map(drop)
    }
}
