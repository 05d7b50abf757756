//! The rights of a program: a token of its pod's service account, bound to the pod.

use std::fs;
use std::path::Path;

use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::api::{ListParams, PostParams};
use kube::{Api, Client, ResourceExt};
use serde_json::json;

use crate::control_plane::kubeconfig;
use crate::eventually::{Look, PATIENCE, eventually};
use crate::install::NAMESPACE;
use crate::{Error, Result};

/// Which pod a program is.
#[derive(Debug)]
pub struct PodOf {
    /// The name of the workload that makes it.
    controller: &'static str,
    /// Only there; anywhere if unset.
    node: Option<String>,
}

impl PodOf {
    pub fn operator() -> Self {
        Self {
            controller: "gpu-sharing-operator",
            node: None,
        }
    }

    pub fn wind_down() -> Self {
        Self {
            controller: "gpu-sharing-wind-down",
            node: None,
        }
    }

    pub fn agent(node: &str) -> Self {
        Self {
            controller: "gpu-sharing-agent",
            node: Some(node.to_owned()),
        }
    }

    /// Waits until the pod runs, and asks for a token for it.
    pub async fn token(&self, client: &Client) -> Result<String> {
        let what = match &self.node {
            None => format!("a pod of {} runs", self.controller),
            Some(node) => format!("a pod of {} runs on {node}", self.controller),
        };
        let pod = eventually(&what, PATIENCE, async || {
            let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
            let listed = pods.list(&ListParams::default()).await;
            let listed = listed.map_err(Error::api(format!("list pods in {NAMESPACE}")))?;
            let seen: Vec<_> = listed.items.iter().map(summary).collect();
            let found = listed.items.into_iter().find(|pod| self.is(pod));
            Ok(found.map_or_else(|| Look::NotYet(format!("pods {seen:?}")), Look::Done))
        })
        .await?;
        request(client, &pod).await
    }

    fn is(&self, pod: &Pod) -> bool {
        let spec = pod.spec.as_ref();
        let node = spec.and_then(|spec| spec.node_name.as_ref());
        let controllers = pod.owner_references().iter();
        pod.metadata.deletion_timestamp.is_none()
            && phase(pod) == Some("Running")
            && self.node.as_ref().is_none_or(|wanted| node == Some(wanted))
            // A Deployment's pods belong to a ReplicaSet that is called after it.
            && controllers.into_iter().any(|owner| {
                let rest = owner.name.strip_prefix(self.controller);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            })
    }
}

fn phase(pod: &Pod) -> Option<&str> {
    pod.status
        .as_ref()
        .and_then(|status| status.phase.as_deref())
}

fn summary(pod: &Pod) -> String {
    format!("{} {}", pod.name_any(), phase(pod).unwrap_or("-"))
}

async fn request(client: &Client, pod: &Pod) -> Result<String> {
    let spec = pod.spec.as_ref();
    let account = spec.and_then(|spec| spec.service_account_name.clone());
    let account = account.unwrap_or_else(|| "default".to_owned());
    let bound = TokenRequest {
        spec: TokenRequestSpec {
            bound_object_ref: Some(BoundObjectReference {
                api_version: Some("v1".to_owned()),
                kind: Some("Pod".to_owned()),
                name: Some(pod.name_any()),
                uid: pod.uid(),
            }),
            ..TokenRequestSpec::default()
        },
        ..TokenRequest::default()
    };
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), NAMESPACE);
    let params = PostParams::default();
    let answer = accounts
        .create_token_request(&account, &params, &bound)
        .await;
    let answer = answer.map_err(Error::api(format!("get a token of {account}")))?;
    Ok(answer.status.map(|status| status.token).unwrap_or_default())
}

/// Writes `token` and `kubeconfig` into a program's folder.
pub fn write(folder: &Path, bed: &Path, server: &str, token: &str) -> Result<()> {
    let file = folder.join("token");
    fs::write(&file, token).map_err(Error::file("write", &file))?;
    let config = kubeconfig(bed, server, json!({"tokenFile": file}));
    let path = folder.join("kubeconfig");
    fs::write(&path, config).map_err(Error::file("write", &path))
}
