//! What goes over the wire.

use crds::gpu_node::AgentStatus;
use http::Method;
use serde_json::json;

use super::ApiError;
use super::fake::{FakeApi, Trouble};

const OBJECT: &str = "/apis/gpusharing.dev/v1alpha1/gpunodes/n1";

#[tokio::test]
async fn the_object_is_created_with_nothing_in_it() {
    let api = FakeApi::default();
    api.gpu_nodes().create().await.unwrap();
    let wrote = api.writes().remove(0);
    assert_eq!(wrote.what, "POST /apis/gpusharing.dev/v1alpha1/gpunodes");
    assert!(wrote.query.contains("fieldManager=gpu-sharing-agent"));
    assert_eq!(
        wrote.body,
        json!({
            "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuNode",
            "metadata": {"name": "n1"}, "spec": {},
        })
    );
}

#[tokio::test]
async fn a_report_touches_the_agents_part_of_the_status_and_nothing_else() {
    let api = FakeApi::default();
    let object = api.gpu_nodes().create().await.unwrap();
    let (uid, status) = (object.metadata.uid.clone().unwrap(), AgentStatus::default());
    api.writes();
    api.gpu_nodes().report(&uid, &status).await.unwrap();
    let wrote = api.writes().remove(0);
    assert_eq!(wrote.what, format!("PATCH {OBJECT}/status"));
    assert!(wrote.query.contains("fieldManager=gpu-sharing-agent"));
    assert!(wrote.query.contains("force=true"));
    assert_eq!(wrote.body["metadata"], json!({"name": "n1", "uid": uid}));
    assert_eq!(wrote.body["status"], json!({"agent": status}));
    assert!(wrote.body.get("spec").is_none());
}

#[tokio::test]
async fn a_report_at_a_version_is_refused_at_any_other() {
    let api = FakeApi::default();
    let read = api.gpu_nodes().create().await.unwrap();
    let status = AgentStatus::default();
    let nodes = api.gpu_nodes();
    nodes.report_at(&read, &status).await.unwrap();
    let again = nodes.report_at(&read, &status).await.unwrap_err();
    assert!(matches!(again, ApiError::Changed { .. }), "{again}");
}

#[tokio::test]
async fn an_error_says_what_to_do() {
    let api = FakeApi::default();
    let nodes = api.gpu_nodes();
    let absent = nodes.get().await.unwrap_err();
    assert!(matches!(absent, ApiError::Absent { .. }), "{absent}");
    for (code, said) in [
        (401, "token"),
        (403, "--node-name"),
        (404, "chart with the CustomResourceDefinitions"),
        (422, "same version"),
        (500, "tried again"),
    ] {
        api.trouble(Method::POST, Trouble::Refuse(code));
        let error = nodes.create().await.unwrap_err().to_string();
        assert!(error.starts_with("cannot create GpuNode n1; "), "{error}");
        assert!(error.contains(said), "{code}: {error}");
    }
}
