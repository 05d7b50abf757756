//! Pods as tests want them, and ways to be rid of them.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec};
use k8s_openapi::api::core::v1::{
    Affinity, Container, EmptyDirVolumeSource, NodeAffinity, NodeSelector, NodeSelectorRequirement,
    NodeSelectorTerm, Pod, PodSpec, PodTemplateSpec, ResourceRequirements, Volume,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::Api;
use kube::api::{EvictParams, ObjectMeta};

use crate::{Error, Result};

/// A pod with one container, `main`; its labels are `app: <name>` and what is added.
#[derive(Clone, Debug)]
pub struct Workload {
    name: String,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    resources: BTreeMap<String, Quantity>,
    node: Option<String>,
    needs: Vec<NodeSelectorRequirement>,
    grace: Option<i64>,
    empty_dir: bool,
}

impl Workload {
    /// A pod that asks for nothing and ends at once when asked to.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            labels: [("app".to_owned(), name.to_owned())].into(),
            annotations: BTreeMap::new(),
            resources: BTreeMap::new(),
            node: None,
            needs: Vec::new(),
            grace: None,
            empty_dir: false,
        }
    }

    /// It asks for so many of a resource, such as `nvidia.com/mig-1g.5gb`.
    #[must_use]
    pub fn asks(mut self, resource: &str, count: u32) -> Self {
        let count = Quantity(count.to_string());
        self.resources.insert(resource.to_owned(), count);
        self
    }

    /// A label more.
    #[must_use]
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.labels.insert(key.to_owned(), value.to_owned());
        self
    }

    /// An annotation more.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.annotations.insert(key.to_owned(), value.to_owned());
        self
    }

    /// It takes so long to start.
    #[must_use]
    pub fn starts_in(self, seconds: u32) -> Self {
        self.annotation("bed/start", &seconds.to_string())
    }

    /// Asked to end, it takes so long, but never longer than its grace period.
    #[must_use]
    pub fn drains_in(self, seconds: u32) -> Self {
        self.annotation("bed/drain", &seconds.to_string())
    }

    /// Asked to end, it never does.
    #[must_use]
    pub fn never_ends(self) -> Self {
        self.annotation("bed/stuck", "")
    }

    /// Its grace period; unset = 30 s.
    #[must_use]
    pub fn grace(mut self, seconds: i64) -> Self {
        self.grace = Some(seconds);
        self
    }

    /// It has data that dies with it.
    #[must_use]
    pub fn empty_dir(mut self) -> Self {
        self.empty_dir = true;
        self
    }

    /// Only for the node of this name. The scheduler still decides whether it fits.
    #[must_use]
    pub fn on(mut self, node: &str) -> Self {
        self.node = Some(node.to_owned());
        self
    }

    /// Only for nodes whose label has this value, by node affinity.
    #[must_use]
    pub fn needs(mut self, label: &str, value: &str) -> Self {
        self.needs.push(NodeSelectorRequirement {
            key: label.to_owned(),
            operator: "In".to_owned(),
            values: Some(vec![value.to_owned()]),
        });
        self
    }

    /// As a pod without a controller.
    pub fn pod(&self) -> Pod {
        let template = self.template();
        Pod {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                ..template.metadata.unwrap_or_default()
            },
            spec: template.spec,
            ..Pod::default()
        }
    }

    /// As a Deployment.
    pub fn deployment(&self, replicas: i32) -> Deployment {
        let app = [("app".to_owned(), self.name.clone())];
        Deployment {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                ..ObjectMeta::default()
            },
            spec: Some(DeploymentSpec {
                replicas: Some(replicas),
                selector: LabelSelector {
                    match_labels: Some(app.into()),
                    ..LabelSelector::default()
                },
                template: self.template(),
                ..DeploymentSpec::default()
            }),
            ..Deployment::default()
        }
    }

    fn affinity(&self) -> Option<Affinity> {
        let term = NodeSelectorTerm {
            match_expressions: Some(self.needs.clone()),
            ..NodeSelectorTerm::default()
        };
        let required = NodeSelector {
            node_selector_terms: vec![term],
        };
        (!self.needs.is_empty()).then(|| Affinity {
            node_affinity: Some(NodeAffinity {
                required_during_scheduling_ignored_during_execution: Some(required),
                ..NodeAffinity::default()
            }),
            ..Affinity::default()
        })
    }

    fn template(&self) -> PodTemplateSpec {
        let volume = || Volume {
            name: "data".to_owned(),
            empty_dir: Some(EmptyDirVolumeSource::default()),
            ..Volume::default()
        };
        let only = |node: &String| [("kubernetes.io/hostname".to_owned(), node.clone())].into();
        PodTemplateSpec {
            metadata: Some(ObjectMeta {
                labels: Some(self.labels.clone()),
                annotations: Some(self.annotations.clone()),
                ..ObjectMeta::default()
            }),
            spec: Some(PodSpec {
                containers: vec![Container {
                    name: "main".to_owned(),
                    image: Some("played/by-kwok:1".to_owned()),
                    resources: Some(ResourceRequirements {
                        limits: Some(self.resources.clone()),
                        ..ResourceRequirements::default()
                    }),
                    ..Container::default()
                }],
                node_selector: self.node.as_ref().map(only),
                affinity: self.affinity(),
                termination_grace_period_seconds: self.grace,
                volumes: self.empty_dir.then(|| vec![volume()]),
                ..PodSpec::default()
            }),
        }
    }
}

/// The answer to an eviction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evicted {
    /// 201: the pod is asked to end.
    Accepted,
    /// 429, and the reason.
    Refused(String),
}

/// Asks the API server to evict a pod, once.
pub async fn evict(pods: &Api<Pod>, name: &str) -> Result<Evicted> {
    match pods.evict(name, &EvictParams::default()).await {
        Ok(_) => Ok(Evicted::Accepted),
        Err(kube::Error::Api(status)) if status.code == 429 => {
            // Which budget, and what it needs, is in the causes.
            let causes = status.details.iter().flat_map(|details| &details.causes);
            let causes = causes.map(|cause| cause.message.as_str());
            let said: Vec<_> = std::iter::once(status.message.as_str())
                .chain(causes)
                .collect();
            Ok(Evicted::Refused(said.join(" ")))
        }
        Err(error) => Err(Error::api(format!("evict pod {name}"))(error)),
    }
}
