//! Pods: those of one node, evicted or deleted by UID, and only while our lease lasts.

use crds::gpu_node::PodReference;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::Eviction;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{DeleteOptions, Preconditions};
use kube::api::{DeleteParams, ListParams, ObjectMeta, PostParams, Preconditions as Only};
use kube::core::Status;
use kube::core::response::StatusSummary;
use kube::{Api, Client};
use plan::drain::{Answer, Cause};
use serde_json::Value;

use super::Cluster;
use crate::error::Error;

impl Cluster {
    /// All pods that are bound to the node now.
    pub async fn pods_on(&self, node: &str) -> Result<Vec<Pod>, Error> {
        let pods: Api<Pod> = Api::all(self.client.clone());
        let bound = ListParams::default().fields(&format!("spec.nodeName={node}"));
        let listed = pods.list(&bound).await;
        let listed = listed.map_err(Error::request("list", format!("the pods on Node {node}")))?;
        Ok(listed.items)
    }

    /// Asks for the eviction of this very pod, within its disruption budgets; `grace` in seconds,
    /// unset: the pod's own.
    ///
    /// Not `Api::evict`: it loses the UID and the grace period on the way (kube 5.0.0 writes
    /// `delete_options`, the API reads `deleteOptions`).
    pub async fn evict(&self, pod: &PodReference, grace: Option<i64>) -> Result<Answer, Error> {
        let eviction = eviction(pod, grace);
        let pods = pods(&self.client, pod);
        let params = PostParams::default();
        let request =
            pods.create_subresource::<_, Value>("eviction", &pod.name, &params, &eviction);
        let answer = self.fence.send("evict", &object(pod), request).await;
        outcome(answer.map(|answer| answer.map(|body| status_of(&body))))
    }

    /// Deletes this very pod, past its disruption budgets.
    ///
    /// The grace period is never below one second: zero would take the pod off the API server while
    /// it still runs.
    pub async fn delete(&self, pod: &PodReference, grace: Option<i64>) -> Result<Answer, Error> {
        let params = DeleteParams {
            grace_period_seconds: grace.and_then(|grace| u32::try_from(grace.max(1)).ok()),
            preconditions: Some(Only {
                uid: Some(pod.uid.clone()),
                resource_version: None,
            }),
            ..DeleteParams::default()
        };
        let pods = pods(&self.client, pod);
        let request = pods.delete(&pod.name, &params);
        let answer = self.fence.send("delete", &object(pod), request).await;
        outcome(answer.map(|answer| answer.map(|done| done.either(|_pod| None, Some))))
    }
}

fn pods(client: &Client, pod: &PodReference) -> Api<Pod> {
    Api::namespaced(client.clone(), &pod.namespace)
}

fn object(pod: &PodReference) -> String {
    format!("Pod {}/{}", pod.namespace, pod.name)
}

fn eviction(pod: &PodReference, grace: Option<i64>) -> Eviction {
    Eviction {
        metadata: ObjectMeta {
            namespace: Some(pod.namespace.clone()),
            name: Some(pod.name.clone()),
            ..ObjectMeta::default()
        },
        delete_options: Some(DeleteOptions {
            grace_period_seconds: grace,
            preconditions: Some(Preconditions {
                uid: Some(pod.uid.clone()),
                resource_version: None,
            }),
            ..DeleteOptions::default()
        }),
    }
}

/// The `Status` in a body, if that is what it is.
fn status_of(body: &Value) -> Option<Status> {
    let is_status = body.get("kind").and_then(Value::as_str) == Some("Status");
    is_status
        .then(|| serde_json::from_value(body.clone()).ok())
        .flatten()
}

/// What the API server said, in the words that the decision reads. Only a lease that ends is an
/// error here: all else says something about the pod.
fn outcome(answer: Result<kube::Result<Option<Status>>, Error>) -> Result<Answer, Error> {
    match answer {
        Ok(Ok(None)) => Ok(answered(201, &Status::default())),
        // 2xx with a body of our own choosing: the server says 201 and means 500 when several
        // disruption budgets cover the pod.
        Ok(Ok(Some(status))) => Ok(answered(201, &status)),
        Ok(Err(kube::Error::Api(status))) => Ok(answered(status.code, &status)),
        Ok(Err(error)) => Ok(unanswered(&error)),
        Err(error @ Error::Silent { .. }) => Ok(unanswered(&error)),
        Err(error) => Err(error),
    }
}

fn answered(code: u16, status: &Status) -> Answer {
    let details = status.details.as_ref();
    let causes = details.map(|details| details.causes.as_slice());
    let cause = |cause: &kube::core::response::StatusCause| Cause {
        reason: cause.reason.clone(),
        message: cause.message.clone(),
    };
    Answer {
        code,
        failure: status.status == Some(StatusSummary::Failure),
        status_code: status.code,
        message: status.message.clone(),
        causes: causes.unwrap_or_default().iter().map(cause).collect(),
        retry_after_seconds: details.map_or(0, |details| details.retry_after_seconds),
    }
}

fn unanswered(error: &dyn std::error::Error) -> Answer {
    Answer {
        message: process::Chain(error).to_string(),
        ..Answer::default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use plan::drain::Reply;

    use super::*;

    #[test]
    fn no_answer_in_time_is_an_unknown_outcome_and_not_an_error() {
        let silent = Error::Silent {
            verb: "evict",
            object: "Pod jobs/p1".to_owned(),
            within: Duration::from_secs(5),
        };
        let reply = Reply::of(&outcome(Err(silent)).unwrap());
        let Reply::Failed(message) = reply else {
            panic!("{reply:?}")
        };
        assert!(message.contains("no answer within 5 s"), "{message}");
    }
}
