//! Requests about the `GpuNode` of this node, each sent once.

use std::time::Duration;

use crds::gpu_node::AgentStatus;
use crds::{GpuNode, GpuNodeSpec, names};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::json;

use super::ApiError;

/// An operation that is under way does not wait longer than this for the API server.
const PATIENCE: Duration = Duration::from_secs(10);

/// The `GpuNode` of this node.
#[derive(Clone)]
pub struct GpuNodes {
    api: Api<GpuNode>,
    name: String,
}

impl GpuNodes {
    /// `client` must send each request once.
    pub fn new(client: Client, name: String) -> Self {
        Self {
            api: Api::all(client),
            name,
        }
    }

    /// The object as it is now.
    pub async fn get(&self) -> Result<GpuNode, ApiError> {
        self.answer("read", self.api.get(&self.name)).await
    }

    /// Creates the object with nothing in it: what it should be is the operator's to say.
    pub async fn create(&self) -> Result<GpuNode, ApiError> {
        let bare = GpuNode::new(&self.name, GpuNodeSpec::default());
        let params = PostParams {
            field_manager: Some(names::AGENT_MANAGER.to_owned()),
            ..PostParams::default()
        };
        self.answer("create", self.api.create(&params, &bare)).await
    }

    /// Applies the agent's part of the status to the object with this UID, whatever else has changed about it.
    pub async fn report(&self, uid: &str, status: &AgentStatus) -> Result<GpuNode, ApiError> {
        self.apply(json!({"name": self.name, "uid": uid}), status)
            .await
    }

    /// Applies the agent's part of the status only if the object is exactly the one that was read.
    pub async fn report_at(
        &self,
        read: &GpuNode,
        status: &AgentStatus,
    ) -> Result<GpuNode, ApiError> {
        let (uid, version) = (read.uid(), read.resource_version());
        let metadata = json!({"name": self.name, "uid": uid, "resourceVersion": version});
        self.apply(metadata, status).await
    }

    async fn apply(
        &self,
        metadata: serde_json::Value,
        status: &AgentStatus,
    ) -> Result<GpuNode, ApiError> {
        let body = json!({
            "apiVersion": GpuNode::api_version(&()),
            "kind": GpuNode::kind(&()),
            "metadata": metadata,
            "status": {"agent": status},
        });
        let params = PatchParams::apply(names::AGENT_MANAGER).force();
        let patch = Patch::Apply(&body);
        let request = self.api.patch_status(&self.name, &params, &patch);
        self.answer("report in", request).await
    }

    async fn answer(
        &self,
        verb: &'static str,
        request: impl Future<Output = kube::Result<GpuNode>>,
    ) -> Result<GpuNode, ApiError> {
        match tokio::time::timeout(PATIENCE, request).await {
            Ok(answer) => answer.map_err(|error| ApiError::of(verb, &self.name, error)),
            Err(_) => Err(ApiError::Silent {
                verb,
                name: self.name.clone(),
                seconds: PATIENCE.as_secs(),
            }),
        }
    }
}
