//! `kubectl get`: the state of policies and nodes at a glance.

use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::installed;
use crate::kubectl::kubectl;

/// The columns of a table, without the age, which grows.
fn cells(line: &str) -> Vec<&str> {
    let mut cells: Vec<_> = line.split("  ").map(str::trim).collect();
    cells.retain(|cell| !cell.is_empty());
    cells.pop();
    cells
}

/// The header and the row of an object.
fn table(bed: &e2e::Bed, kind: &str, name: &str) -> (Vec<String>, Vec<String>) {
    let text = kubectl(bed, &["get", kind, name]).unwrap();
    let mut lines = text.lines();
    let mut next = || {
        cells(lines.next().unwrap())
            .into_iter()
            .map(str::to_owned)
            .collect()
    };
    (next(), next())
}

#[tokio::test]
async fn a_policy_shows_its_strategy_its_progress_and_its_next_window() {
    let (bed, client) = installed().await;
    let name = "a-row";
    let policies: Api<crds::GpuSharingPolicy> = Api::all(client);
    let spec =
        serde_json::from_value(json!({"strategy": {"type": "MIG", "mig": {"preset": "Balanced"}}}));
    let policy = crds::GpuSharingPolicy::new(name, spec.unwrap());
    policies
        .create(&PostParams::default(), &policy)
        .await
        .unwrap();
    let status = json!({"status": {
        "nodes": {"matched": 5, "inSync": 3, "inMaintenance": 1},
        // Far in the future: kubectl shows ages of the past alone.
        "nextWindow": {"start": "2099-01-01T01:00:00Z", "end": "2099-01-01T05:00:00Z"},
        "conditions": [{
            "type": "Ready", "status": "False", "reason": "R", "message": "m",
            "lastTransitionTime": "2026-11-23T22:00:00Z",
        }],
    }});
    let params = PatchParams::default();
    policies
        .patch_status(name, &params, &Patch::Merge(status))
        .await
        .unwrap();

    let (header, row) = table(&bed, "gsp", name);
    assert_eq!(
        header,
        [
            "NAME",
            "STRATEGY",
            "NODES",
            "INSYNC",
            "MAINTENANCE",
            "NEXT-WINDOW",
            "READY"
        ]
    );
    assert_eq!(
        row,
        [name, "MIG", "5", "3", "1", "2099-01-01T01:00:00Z", "False"]
    );
    policies
        .delete(name, &DeleteParams::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_node_shows_its_gpus_and_what_it_waits_for() {
    let (bed, client) = installed().await;
    let name = "gpu-row";
    let nodes: Api<crds::GpuNode> = Api::all(client);
    let node = crds::GpuNode::new(name, crds::GpuNodeSpec::default());
    nodes.create(&PostParams::default(), &node).await.unwrap();
    let (product, layout) = ("NVIDIA A100-SXM4-40GB", "2 × 3g.20gb+4x1g.5gb");
    let waiting = "pod team-a/train to end";
    let status = json!({"status": {
        "agent": {"bootId": "b", "summary": {"product": product, "gpus": 2, "layout": layout}},
        "maintenance": {"phase": "Draining", "strategy": "MIG", "waitingFor": waiting},
    }});
    let params = PatchParams::default();
    nodes
        .patch_status(name, &params, &Patch::Merge(status))
        .await
        .unwrap();

    let (header, row) = table(&bed, "gn", name);
    assert_eq!(
        header,
        [
            "NAME",
            "PRODUCT",
            "GPUS",
            "STRATEGY",
            "LAYOUT",
            "PHASE",
            "WAITING-FOR"
        ]
    );
    assert_eq!(
        row,
        [name, product, "2", "MIG", layout, "Draining", waiting]
    );
    nodes.delete(name, &DeleteParams::default()).await.unwrap();
}

#[tokio::test]
async fn both_kinds_come_by_their_category() {
    let (bed, _) = installed().await;
    let text = kubectl(
        &bed,
        &["api-resources", "--categories=gpusharing", "--no-headers"],
    )
    .unwrap();
    let names: Vec<_> = text
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(names, ["gpunodes", "gpusharingpolicies"]);
}
