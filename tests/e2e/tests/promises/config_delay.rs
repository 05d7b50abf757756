//! The device plugin is told of a configuration once the kubelets have had the time to bring it there.

use e2e::{Program, Query, Record};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::scene::{GPU, Scene, spec, t4};

/// Of the product 90 s.
const DELAY: SignedDuration = SignedDuration::from_secs(4);
const LABEL: &str = "nvidia.com/device-plugin.config";

#[tokio::test]
async fn a_configuration_is_published_for_a_while_before_the_label_names_it_and_only_the_first_node_waits()
 {
    let mut scene = Scene::install([t4("first"), t4("second")]).await;
    let operator = Program::operator(&scene.cluster.bed, "operator").unwrap();
    scene.cluster.operator = operator.arg("--device-plugin-config-delay", "4s");
    scene.start_programs().await;
    let sharing = "{type: TimeSlicing, timeSlicing: {replicas: 4}}";
    for node in ["first", "second"] {
        let mark = scene.mark().await;
        let policy = scene.policy(node, &spec(node, sharing, "")).await;
        scene.in_sync(node, &policy).await;
        let there = scene.cluster.node(node);
        there.wait_allocatable(&[(GPU, 4)]).await.unwrap();

        let waits = Query::writes()
            .since(mark)
            .to("gpunodes/status")
            .named(node);
        let waits = scene.written(waits).await;
        let mut waits = waits.iter().map(|write| write.request.to_string());
        let waited = waits.any(|status| status.contains("the kubelets to have configuration"));
        assert_eq!(waited, node == "first", "{node}");
    }

    let labelled = scene.written(Query::writes().accepted().to("nodes")).await;
    let mut labelled = labelled
        .iter()
        .filter_map(|write| Some((key(write)?, write.received)));
    let (key, named) = labelled.next().unwrap();
    let published = scene
        .written(Query::writes().accepted().to("configmaps"))
        .await;
    let mut published = published.iter().filter_map(|write| since(write, &key));
    let age = named.duration_since(published.next().unwrap());
    assert!(age >= DELAY, "{age:?}");
}

/// The key that a write of a node makes the label name.
fn key(write: &Record) -> Option<String> {
    let value = write.request["metadata"]["labels"].get(LABEL)?;
    value.as_str().map(str::to_owned)
}

/// Since when a key is there, in the write that publishes it.
fn since(write: &Record, key: &str) -> Option<Timestamp> {
    let annotations: &Value = &write.request["metadata"]["annotations"];
    let since = annotations.get(format!("published.gpusharing.dev/{key}"))?;
    since.as_str()?.parse().ok()
}
