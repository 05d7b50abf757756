//! Nodes: read afresh, cordoned, uncordoned and labelled, each by one compare-and-swap patch.

use std::collections::BTreeMap;

use crds::names;
use k8s_openapi::api::core::v1::{Node, Taint};
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};
use tracing::{debug, info};

use super::{Cluster, Written};
use crate::error::Error;

/// Labels or annotations to set, and to remove where there is no value.
pub type Labels = BTreeMap<String, Option<String>>;

impl Cluster {
    /// The node as it is now; none if there is none of this name.
    pub async fn node(&self, name: &str) -> Result<Option<Node>, Error> {
        let answer = self.nodes().get_opt(name).await;
        answer.map_err(Error::request("read", object(name)))
    }

    /// All nodes as they are now.
    pub async fn all_nodes(&self) -> Result<Vec<Node>, Error> {
        let answer = self.nodes().list(&ListParams::default()).await;
        let listed = answer.map_err(Error::request("list", "Nodes"))?;
        Ok(listed.items)
    }

    /// Cordons the node for `operation`: marker, taint, `unschedulable` and the withdrawal of the
    /// guarantee labels, all or nothing.
    pub async fn cordon(
        &self,
        node: &Node,
        operation: i64,
        pre_cordoned: bool,
    ) -> Result<Written<Node>, Error> {
        let body = cordon(node, operation, pre_cordoned);
        self.patch_node("cordon", names::CORDON_MANAGER, node, body)
            .await
    }

    /// Takes marker and taint off and changes `labels`; makes the node schedulable only if asked to.
    pub async fn uncordon(
        &self,
        node: &Node,
        schedulable: bool,
        labels: &Labels,
    ) -> Result<Written<Node>, Error> {
        let body = uncordon(node, schedulable, labels);
        self.patch_node("uncordon", names::CORDON_MANAGER, node, body)
            .await
    }

    /// Changes labels and nothing else.
    pub async fn label(&self, node: &Node, labels: &Labels) -> Result<Written<Node>, Error> {
        let body =
            json!({"metadata": {"resourceVersion": node.resource_version(), "labels": labels}});
        self.patch_node("label", names::OPERATOR_MANAGER, node, body)
            .await
    }

    /// Changes labels that others go by, and the annotations that remember what they were, all or nothing.
    pub async fn remember(
        &self,
        node: &Node,
        labels: &Labels,
        annotations: &Labels,
    ) -> Result<Written<Node>, Error> {
        let body = json!({"metadata": {
            "resourceVersion": node.resource_version(),
            "labels": labels,
            "annotations": annotations,
        }});
        self.patch_node("label", names::OPERATOR_MANAGER, node, body)
            .await
    }

    /// A patch of the node as it was read: it fails if anything has changed since.
    async fn patch_node(
        &self,
        verb: &'static str,
        manager: &str,
        node: &Node,
        body: Value,
    ) -> Result<Written<Node>, Error> {
        let (name, nodes) = (node.name_any(), self.nodes());
        if node.resource_version().is_none() {
            // Without it this would be a blind write.
            return Err(Error::Incomplete {
                object: object(&name),
                missing: "a resourceVersion",
            });
        }
        let params = PatchParams {
            field_manager: Some(manager.to_owned()),
            ..PatchParams::default()
        };
        let patch = Patch::Merge(body);
        let request = nodes.patch(&name, &params, &patch);
        let answer = self.fence.send(verb, &object(&name), request).await?;
        let written = Written::of(answer, verb, object(&name))?;
        match &written {
            Written::Done(_) => info!(node = name, verb, "patched"),
            Written::Outdated => debug!(node = name, verb, "somebody else wrote first"),
        }
        Ok(written)
    }

    fn nodes(&self) -> Api<Node> {
        Api::all(self.client.clone())
    }
}

fn object(name: &str) -> String {
    format!("Node {name}")
}

fn cordon(node: &Node, operation: i64, pre_cordoned: bool) -> Value {
    let withdrawn: Labels = names::GUARANTEE_LABELS
        .into_iter()
        .filter(|label| node.labels().contains_key(*label))
        .map(|label| (label.to_owned(), None))
        .collect();
    let mut taints = foreign_taints(node);
    taints.push(Taint {
        key: names::TAINT_MAINTENANCE.to_owned(),
        effect: "NoSchedule".to_owned(),
        ..Taint::default()
    });
    json!({
        "metadata": {
            "resourceVersion": node.resource_version(),
            "annotations": {
                names::ANNOTATION_OPERATION: operation.to_string(),
                names::ANNOTATION_PRE_CORDONED: pre_cordoned.to_string(),
            },
            "labels": withdrawn,
        },
        "spec": {"unschedulable": true, "taints": taints},
    })
}

fn uncordon(node: &Node, schedulable: bool, labels: &Labels) -> Value {
    let mut spec = json!({"taints": foreign_taints(node)});
    if schedulable {
        spec["unschedulable"] = json!(false);
    }
    json!({
        "metadata": {
            "resourceVersion": node.resource_version(),
            "annotations": {
                names::ANNOTATION_OPERATION: null,
                names::ANNOTATION_PRE_CORDONED: null,
            },
            "labels": labels,
        },
        "spec": spec,
    })
}

/// The node's taints without ours. A merge patch replaces the list, so the others go back with it;
/// the resource version makes sure that none is lost.
fn foreign_taints(node: &Node) -> Vec<Taint> {
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_ref());
    let others = taints.into_iter().flatten();
    others
        .filter(|taint| taint.key != names::TAINT_MAINTENANCE)
        .cloned()
        .collect()
}
