//! Requests as `kubectl` makes them, and the API server's answers in parts.

use std::collections::BTreeMap;

use kube::Client;
use serde_json::{Value, json};

/// What the API server does with a field that it does not know.
#[derive(Clone, Copy, Debug)]
pub enum Unknown {
    /// As `kubectl apply` and `kubectl create` ask for.
    Refused,
    /// As clients get that ask for nothing.
    Dropped,
}

/// Why a request was refused: messages by the field that each is about. `<nil>` is the object itself, and an empty
/// name is for a refusal before the fields were looked at.
pub type Refusal = BTreeMap<String, Vec<String>>;

/// The rest of an answer that already names what is wrong.
const NOT_ALL_CHECKED: &str = "some validation rules were not checked";

/// Has the API server check an object of `kind` as it would before storing it. The object as it would be stored.
pub async fn check(
    client: &Client,
    kind: &str,
    object: &Value,
    unknown: Unknown,
) -> Result<Value, Refusal> {
    let mut object = object.clone();
    object["apiVersion"] = json!("gpusharing.dev/v1alpha1");
    object["kind"] = json!(kind);
    let fields = match unknown {
        Unknown::Refused => "Strict",
        Unknown::Dropped => "Ignore",
    };
    let plural = plural(kind);
    let uri = format!("/apis/gpusharing.dev/v1alpha1/{plural}?dryRun=All&fieldValidation={fields}");
    let body = object.to_string().into_bytes();
    let request = http::Request::post(uri).header("content-type", "application/json");
    match client.request(request.body(body).unwrap()).await {
        Ok(stored) => Ok(stored),
        Err(kube::Error::Api(status)) => Err(refusal(&status)),
        Err(error) => panic!("no answer about {object}: {error}"),
    }
}

/// The name of a kind in paths.
pub fn plural(kind: &str) -> &'static str {
    match kind {
        "GpuSharingPolicy" => "gpusharingpolicies",
        "GpuNode" => "gpunodes",
        _ => panic!("there is no kind {kind}"),
    }
}

/// What an API server's refusal says, field by field.
pub fn refusal(status: &kube::core::Status) -> Refusal {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let mut refusal = Refusal::new();
    for cause in causes.filter(|cause| !cause.message.contains(NOT_ALL_CHECKED)) {
        let messages = refusal.entry(cause.field.clone()).or_default();
        messages.push(cause.message.clone());
    }
    if refusal.is_empty() {
        refusal.insert(String::new(), vec![status.message.clone()]);
    }
    refusal
}
