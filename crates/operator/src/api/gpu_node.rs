//! `GpuNode`s: read afresh; owner, spec and `status.maintenance` applied, each only at the version that was read.

use crds::gpu_node::MaintenanceStatus;
use crds::{GpuNode, GpuNodeSpec, names};
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Resource, ResourceExt};
use serde_json::{Value, json};

use super::{Cluster, Written};
use crate::error::Error;

impl Cluster {
    /// The `GpuNode` as it is now; none if there is none of this name.
    pub async fn gpu_node(&self, name: &str) -> Result<Option<GpuNode>, Error> {
        let answer = self.gpu_nodes().get_opt(name).await;
        answer.map_err(Error::request("read", object(name)))
    }

    /// All `GpuNode`s as they are now.
    pub async fn all_gpu_nodes(&self) -> Result<Vec<GpuNode>, Error> {
        let answer = self.gpu_nodes().list(&ListParams::default()).await;
        let listed = answer.map_err(Error::request("list", "GpuNodes"))?;
        Ok(listed.items)
    }

    /// Writes what the operator says about a `GpuNode` outside of its status: that it belongs to
    /// `owner`, and its spec. Both in every call, because what an apply leaves out is removed.
    pub async fn apply_spec(
        &self,
        found: &GpuNode,
        owner: Option<&Node>,
        spec: &GpuNodeSpec,
    ) -> Result<Written<GpuNode>, Error> {
        let mut body = at_version(found)?;
        body["metadata"]["ownerReferences"] = json!(owners(found, owner));
        let (name, gpu_nodes) = (found.name_any(), self.gpu_nodes());
        let nothing_asked = GpuNodeSpec::default();
        let (params, patch) = if *spec == nothing_asked && found.spec != nothing_asked {
            body["spec"] = nothing(&found.spec);
            (merge_params(), Patch::Merge(body))
        } else {
            body["spec"] = json!(spec);
            (params(), Patch::Apply(body))
        };
        let request = gpu_nodes.patch(&name, &params, &patch);
        let (verb, object) = ("update the spec of", object(&name));
        let answer = self.fence.send(verb, &object, request).await?;
        Written::of(answer, verb, object)
    }

    /// Applies the operator's part of the status.
    pub async fn apply_maintenance(
        &self,
        found: &GpuNode,
        status: &MaintenanceStatus,
    ) -> Result<Written<GpuNode>, Error> {
        let mut body = at_version(found)?;
        body["status"] = json!({"maintenance": status});
        let (name, gpu_nodes) = (found.name_any(), self.gpu_nodes());
        let (params, patch) = (params(), Patch::Apply(&body));
        let request = gpu_nodes.patch_status(&name, &params, &patch);
        let (verb, object) = ("update the status of", object(&name));
        let answer = self.fence.send(verb, &object, request).await?;
        Written::of(answer, verb, object)
    }

    fn gpu_nodes(&self) -> Api<GpuNode> {
        Api::all(self.client.clone())
    }
}

/// Whether the `GpuNode` says that it belongs to this very node.
pub fn belongs_to(found: &GpuNode, node: &Node) -> bool {
    let uid = node.metadata.uid.as_ref();
    let owners = found.owner_references().iter();
    owners
        .map(|owner| Some(&owner.uid))
        .any(|owner| owner == uid)
}

fn object(name: &str) -> String {
    format!("GpuNode {name}")
}

fn params() -> PatchParams {
    PatchParams::apply(names::OPERATOR_MANAGER).force()
}

fn merge_params() -> PatchParams {
    PatchParams {
        field_manager: Some(names::OPERATOR_MANAGER.to_owned()),
        ..PatchParams::default()
    }
}

/// The merge patch that takes every member out of a spec. An apply of the empty spec would not do: the API server makes
/// of an object from which an apply removes the last member a null, which the schema refuses (seen on Kubernetes 1.36).
fn nothing(spec: &GpuNodeSpec) -> Value {
    let mut members = json!(spec);
    for member in members.as_object_mut().into_iter().flatten() {
        *member.1 = Value::Null;
    }
    members
}

/// The start of an apply that fails unless the object is the one that was read, unchanged. The UID
/// keeps it from creating what has been deleted meanwhile.
fn at_version(found: &GpuNode) -> Result<Value, Error> {
    let missing = |missing| Error::Incomplete {
        object: object(&found.name_any()),
        missing,
    };
    let version = found.resource_version();
    Ok(json!({
        "apiVersion": GpuNode::api_version(&()),
        "kind": GpuNode::kind(&()),
        "metadata": {
            "name": found.name_any(),
            "uid": found.uid().ok_or_else(|| missing("a uid"))?,
            "resourceVersion": version.ok_or_else(|| missing("a resourceVersion"))?,
        },
    }))
}

/// The node that is; without one, those that were, so that garbage collection still sees them.
fn owners(found: &GpuNode, node: Option<&Node>) -> Vec<OwnerReference> {
    node.and_then(|node| node.owner_ref(&()))
        .map_or_else(|| found.owner_references().to_vec(), |owner| vec![owner])
}
