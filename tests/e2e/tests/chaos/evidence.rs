//! What happened, from the API server's own record and from watches: the material of the invariants.

use std::collections::BTreeMap;

use crds::{GpuSharingPolicy, names};
use e2e::{Change, Cluster, History, Query, Record, Result};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::{Api, ResourceExt};

/// Watches, and how much of the record is judged already.
pub struct Evidence {
    nodes: History<Node>,
    pods: History<Pod>,
    policies: History<GpuSharingPolicy>,
    judged: usize,
}

/// All that happened since the world began.
pub struct Facts {
    /// Writes that the API server answered, oldest first.
    pub records: Vec<Record>,
    /// From here on they are new.
    pub new: usize,
    /// Every version of every node, in order; none for its end.
    pub nodes: Vec<NodeVersion>,
    /// The node of each pod, by the pod's UID.
    pub pods: BTreeMap<String, String>,
    /// Every version of every policy: name, resource version and slots.
    pub slots: Vec<(String, usize)>,
}

/// What matters of a version of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeVersion {
    pub name: String,
    pub version: String,
    pub unschedulable: bool,
    /// An operation of ours is marked on it.
    pub marked: bool,
    /// Who owns `spec.unschedulable`.
    pub owners: Vec<String>,
}

impl Evidence {
    /// From now on.
    pub async fn collect(cluster: &Cluster) -> Result<Self> {
        let client = || cluster.client.clone();
        Ok(Self {
            nodes: History::of(Api::all(client()), "").await?,
            pods: History::of(Api::default_namespaced(client()), "").await?,
            policies: History::of(Api::all(client()), "").await?,
            judged: 0,
        })
    }

    /// Everything so far.
    pub async fn facts(&mut self, cluster: &Cluster) -> Result<Facts> {
        let audit = cluster.bed.audit();
        let records = audit.settled(&cluster.client, &Query::writes()).await?;
        let new = std::mem::replace(&mut self.judged, records.len());
        let pods = self
            .pods
            .up_to_now()
            .await?
            .into_iter()
            .filter_map(|change| {
                let pod = of(change);
                Some((pod.uid()?, pod.spec?.node_name?))
            });
        let policies = self.policies.up_to_now().await?.into_iter().map(of);
        Ok(Facts {
            records,
            new,
            nodes: self
                .nodes
                .up_to_now()
                .await?
                .into_iter()
                .map(|it| version(&of(it)))
                .collect(),
            pods: pods.collect(),
            slots: policies
                .map(|it| {
                    (
                        it.name_any(),
                        it.status.map_or(0, |status| status.slots.len()),
                    )
                })
                .collect(),
        })
    }
}

fn of<K>(change: Change<K>) -> K {
    match change {
        Change::Is(object) | Change::Gone(object) => object,
    }
}

fn version(node: &Node) -> NodeVersion {
    let owns = |fields: &serde_json::Value| fields["f:spec"].get("f:unschedulable").is_some();
    let managed = node.managed_fields().iter();
    let owners = managed.filter(|it| it.fields_v1.as_ref().is_some_and(|fields| owns(&fields.0)));
    NodeVersion {
        name: node.name_any(),
        version: node.resource_version().unwrap_or_default(),
        unschedulable: node.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true),
        marked: node.annotations().contains_key(names::ANNOTATION_OPERATION),
        owners: owners.filter_map(|it| it.manager.clone()).collect(),
    }
}
