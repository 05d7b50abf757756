//! One request, as the audit log tells it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// A write that the API server answered, or refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Event")]
pub struct Record {
    /// When it arrived.
    pub received: Timestamp,
    /// When it was answered.
    pub answered: Timestamp,
    /// `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// The user, such as `system:serviceaccount:gpu-sharing-system:gpu-sharing-operator`.
    pub user: String,
    /// Which token of the user: every start of a program has one of its own. Empty for persons.
    pub credential: String,
    /// The program, by its User-Agent.
    pub agent: String,
    /// The path and query, which holds the field manager.
    pub uri: String,
    /// What was written to.
    pub object: ObjectRef,
    /// HTTP status.
    pub code: u16,
    /// Only a try, `dryRun=All`.
    pub dry_run: bool,
    /// The body of the request, for the kinds that the audit policy names; else null.
    pub request: Value,
}

/// What was written to. Empty strings where it has no such part.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, rename_all = "camelCase")]
pub struct ObjectRef {
    /// API group; empty for the core.
    pub api_group: String,
    /// Plural, such as `nodes`.
    pub resource: String,
    /// `status`, `eviction`, `token`, …
    pub subresource: String,
    /// Namespace.
    pub namespace: String,
    /// Name; empty when created with `generateName`.
    pub name: String,
}

impl Record {
    /// The request was accepted and not only tried.
    pub fn took_effect(&self) -> bool {
        (200..300).contains(&self.code) && !self.dry_run
    }
}

/// As it is in the file (audit.k8s.io/v1).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    request_received_timestamp: Timestamp,
    stage_timestamp: Timestamp,
    verb: String,
    user: User,
    #[serde(default)]
    user_agent: String,
    #[serde(rename = "requestURI")]
    request_uri: String,
    #[serde(default)]
    object_ref: ObjectRef,
    #[serde(default)]
    response_status: ResponseStatus,
    #[serde(default)]
    request_object: Value,
}

#[derive(Deserialize)]
struct User {
    username: String,
    #[serde(default)]
    extra: BTreeMap<String, Vec<String>>,
}

/// Where the API server says which service account token it was (`JTI=` and the token's id).
const CREDENTIAL: &str = "authentication.kubernetes.io/credential-id";

#[derive(Default, Deserialize)]
#[serde(default)]
struct ResponseStatus {
    code: u16,
}

impl From<Event> for Record {
    fn from(event: Event) -> Self {
        let mut extra = event.user.extra;
        let credential = extra.remove(CREDENTIAL).unwrap_or_default();
        Self {
            credential: credential.concat(),
            received: event.request_received_timestamp,
            answered: event.stage_timestamp,
            verb: event.verb,
            user: event.user.username,
            agent: event.user_agent,
            dry_run: event.request_uri.contains("dryRun="),
            uri: event.request_uri,
            object: event.object_ref,
            code: event.response_status.code,
            request: event.request_object,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"1",
        "stage":"ResponseComplete","requestURI":"/api/v1/nodes/n1?fieldManager=gpu-sharing-operator-cordon","verb":"patch",
        "user":{"username":"system:serviceaccount:gpu-sharing-system:gpu-sharing-operator","groups":["g"],
          "extra":{"authentication.kubernetes.io/credential-id":["JTI=7"]}},
        "sourceIPs":["127.0.0.1"],"userAgent":"gpu-sharing-operator/0.1","objectRef":{"resource":"nodes","name":"n1","apiVersion":"v1"},
        "responseStatus":{"metadata":{},"code":409},"requestObject":{"spec":{"unschedulable":true}},
        "requestReceivedTimestamp":"2026-01-01T00:00:00.100000Z","stageTimestamp":"2026-01-01T00:00:00.200000Z"}"#;

    #[test]
    fn a_line_of_the_log_becomes_a_record() {
        let record: Record = serde_json::from_str(PATCH).unwrap();
        assert_eq!(
            (record.verb.as_str(), record.code, record.dry_run),
            ("patch", 409, false)
        );
        assert_eq!(record.credential, "JTI=7");
        assert_eq!(record.object.resource, "nodes");
        assert_eq!(record.object.name, "n1");
        assert_eq!(record.object.subresource, "");
        assert_eq!(record.request["spec"]["unschedulable"], true);
        assert!(!record.took_effect());
        assert!(record.received < record.answered);
    }

    #[test]
    fn a_try_takes_no_effect() {
        let tried = PATCH
            .replace("?field", "?dryRun=All&field")
            .replace("409", "200");
        let record: Record = serde_json::from_str(&tried).unwrap();
        assert!(record.dry_run && !record.took_effect());
        let done: Record = serde_json::from_str(&PATCH.replace("409", "200")).unwrap();
        assert!(done.took_effect());
    }
}
