//! What operator and agents may do on the API server, asked of the API server itself with their own tokens.

use std::collections::BTreeMap;

use e2e::{Fleet, NAMESPACE, NodeSpec, Program};
use futures::future::join_all;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::{Namespace, Pod, PodTemplateSpec};
use kube::Client;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::installed;

const VERBS: [&str; 10] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "bind",
    "impersonate",
];

/// Things that there are on the API server: (group, resource, subresource, name).
const THINGS: [(&str, &str, &str, &str); 35] = [
    ("", "configmaps", "", ""),
    ("", "configmaps", "", "gpu-sharing-device-plugin"),
    ("", "events", "", ""),
    ("", "namespaces", "", ""),
    ("", "nodes", "", ""),
    ("", "nodes", "proxy", ""),
    ("", "nodes", "status", ""),
    ("", "persistentvolumeclaims", "", ""),
    ("", "pods", "", ""),
    ("", "pods", "ephemeralcontainers", ""),
    ("", "pods", "eviction", ""),
    ("", "pods", "exec", ""),
    ("", "pods", "log", ""),
    ("", "pods", "status", ""),
    ("", "secrets", "", ""),
    ("", "serviceaccounts", "", ""),
    ("", "serviceaccounts", "token", ""),
    ("", "services", "", ""),
    ("", "users", "", ""),
    (
        "admissionregistration.k8s.io",
        "validatingadmissionpolicies",
        "",
        "",
    ),
    ("apiextensions.k8s.io", "customresourcedefinitions", "", ""),
    ("apps", "daemonsets", "", ""),
    ("apps", "deployments", "", ""),
    ("coordination.k8s.io", "leases", "", ""),
    ("coordination.k8s.io", "leases", "", "gpu-sharing-operator"),
    ("events.k8s.io", "events", "", ""),
    ("gpusharing.dev", "gpunodes", "", ""),
    ("gpusharing.dev", "gpunodes", "status", ""),
    ("gpusharing.dev", "gpusharingpolicies", "", ""),
    ("gpusharing.dev", "gpusharingpolicies", "status", ""),
    ("nvidia.com", "clusterpolicies", "", ""),
    ("policy", "poddisruptionbudgets", "", ""),
    ("rbac.authorization.k8s.io", "clusterroles", "", ""),
    ("resource.k8s.io", "resourceclaims", "", ""),
    ("resource.k8s.io", "resourceslices", "", ""),
];

/// Where a thing is asked about. The empty one stands for all namespaces, and for things that are in none.
const PLACES: [&str; 5] = ["", NAMESPACE, "gpu-operator", "default", "kube-system"];

/// What a program may do: verbs by `place/group/resource/subresource/name`.
type Rights = BTreeMap<String, Vec<&'static str>>;

/// Asks about every verb on every thing in every place. What is allowed in all namespaces is left out for the single
/// ones.
async fn rights(client: &Client) -> Rights {
    let mut all = Rights::new();
    for place in PLACES {
        for (group, resource, subresource, name) in THINGS {
            let thing = format!("{group}/{resource}/{subresource}/{name}");
            let everywhere = all.get(&format!("/{thing}")).cloned().unwrap_or_default();
            let asked = VERBS.into_iter().filter(|verb| !everywhere.contains(verb));
            let answers = join_all(asked.map(async |verb| {
                let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
                let attributes = ResourceAttributes {
                    namespace: text(place),
                    verb: text(verb),
                    group: text(group),
                    resource: text(resource),
                    subresource: text(subresource),
                    name: text(name),
                    ..ResourceAttributes::default()
                };
                may(client, attributes).await.then_some(verb)
            }));
            let allowed: Vec<_> = answers.await.into_iter().flatten().collect();
            if !allowed.is_empty() {
                all.insert(format!("{place}/{thing}"), allowed);
            }
        }
    }
    all
}

async fn may(client: &Client, attributes: ResourceAttributes) -> bool {
    let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let spec = SelfSubjectAccessReviewSpec {
        resource_attributes: Some(attributes),
        ..SelfSubjectAccessReviewSpec::default()
    };
    let review = SelfSubjectAccessReview {
        spec,
        ..SelfSubjectAccessReview::default()
    };
    let answer = reviews.create(&PostParams::default(), &review).await;
    answer.unwrap().status.is_some_and(|status| status.allowed)
}

fn expected(rows: &[(&str, &[&'static str])]) -> Rights {
    let rows = rows.iter();
    rows.map(|(thing, verbs)| ((*thing).to_owned(), verbs.to_vec()))
        .collect()
}

#[tokio::test]
async fn the_operator_may_do_what_it_needs_and_nothing_else() {
    let (bed, admin) = installed().await;
    let mut fleet = Fleet::start(&bed).await.unwrap();
    fleet.add_plain("for-the-operator").await.unwrap();
    let operator = Program::operator(&bed, "rights-operator").unwrap();
    operator.authorize(&admin).await.unwrap();
    let client = operator.client().await.unwrap();
    assert_eq!(
        rights(&client).await,
        expected(&[
            ("//nodes//", &["get", "list", "watch", "patch"]),
            ("//pods//", &["list"]),
            ("//pods/eviction/", &["create"]),
            (
                "/gpusharing.dev/gpunodes//",
                &["get", "list", "watch", "patch"]
            ),
            ("/gpusharing.dev/gpunodes/status/", &["patch"]),
            (
                "/gpusharing.dev/gpusharingpolicies//",
                &["get", "list", "watch"]
            ),
            ("/gpusharing.dev/gpusharingpolicies/status/", &["patch"]),
            ("/events.k8s.io/events//", &["create"]),
            ("/nvidia.com/clusterpolicies//", &["list"]),
            ("/policy/poddisruptionbudgets//", &["list"]),
            ("/resource.k8s.io/resourceslices//", &["list"]),
            (
                "gpu-sharing-system/coordination.k8s.io/leases//",
                &["create"]
            ),
            (
                "gpu-sharing-system/coordination.k8s.io/leases//gpu-sharing-operator",
                &["get", "create", "update"],
            ),
            ("gpu-operator//configmaps//", &["create"]),
            ("gpu-operator//pods//", &["delete"]),
            (
                "gpu-operator//configmaps//gpu-sharing-device-plugin",
                &["get", "list", "watch", "create", "patch"],
            ),
        ])
    );
}

#[tokio::test]
async fn an_agent_may_do_what_it_needs_and_nothing_else() {
    let (bed, admin) = installed().await;
    let mut fleet = Fleet::start(&bed).await.unwrap();
    let node = fleet
        .add(NodeSpec::new("rights-agent").gpus("T4", 1))
        .await
        .unwrap();
    let agent = Program::agent(&bed, &node).unwrap();
    agent.authorize(&admin).await.unwrap();
    let client = agent.client().await.unwrap();
    assert_eq!(
        rights(&client).await,
        expected(&[
            (
                "/gpusharing.dev/gpunodes//",
                &["get", "list", "watch", "create"]
            ),
            ("/gpusharing.dev/gpunodes/status/", &["get", "patch"]),
        ])
    );
}

/// Whether a namespace for pods without any privilege would take a pod of this template; the refusal, if not.
async fn take_unprivileged(client: &Client, template: PodTemplateSpec) -> Result<(), String> {
    let mut pod = Pod {
        metadata: template.metadata.unwrap(),
        spec: template.spec,
        ..Pod::default()
    };
    pod.metadata.name = Some("a".to_owned());
    let spec = pod.spec.as_mut().unwrap();
    spec.service_account_name = Some("default".to_owned());
    spec.service_account = None;
    let pods: Api<Pod> = Api::namespaced(client.clone(), "unprivileged");
    let params = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let answer = pods.create(&params, &pod).await;
    answer.map(drop).map_err(|error| error.to_string())
}

#[tokio::test]
async fn the_operator_needs_no_privilege_on_its_node_and_the_agent_does() {
    let (bed, client) = installed().await;
    bed.create_namespace("unprivileged").await.unwrap();
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let labels = json!({"pod-security.kubernetes.io/enforce": "restricted"});
    let patch = Patch::Merge(json!({"metadata": {"labels": labels}}));
    let params = PatchParams::default();
    namespaces
        .patch("unprivileged", &params, &patch)
        .await
        .unwrap();

    let deployments: Api<Deployment> = Api::namespaced(client.clone(), NAMESPACE);
    let operator = deployments.get("gpu-sharing-operator").await.unwrap();
    let operator = take_unprivileged(&client, operator.spec.unwrap().template).await;
    assert_eq!(operator, Ok(()));
    let sets: Api<DaemonSet> = Api::namespaced(client.clone(), NAMESPACE);
    let agent = sets.get("gpu-sharing-agent").await.unwrap();
    let refusal = take_unprivileged(&client, agent.spec.unwrap().template)
        .await
        .unwrap_err();
    assert!(refusal.contains("privileged"), "{refusal}");
}
