//! What the API server's answer to an eviction means.

use std::time::Duration;

use crate::quoted::quoted;

/// The API server's answer to `POST …/pods/<name>/eviction`, in its own words. The request must carry the pod's UID
/// as a precondition and must not be retried by the client itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status code. 0: there was no answer (timeout, reset), the outcome is unknown.
    pub code: u16,
    /// The body is a `Status` with status `Failure`. The server answers 201 with such a body when several disruption
    /// budgets cover the pod.
    pub failure: bool,
    /// `Status.code` of such a body; 0: none.
    pub status_code: u16,
    /// `Status.message`.
    pub message: String,
    /// `Status.details.causes`.
    pub causes: Vec<Cause>,
    /// `Status.details.retryAfterSeconds`; 0: none.
    pub retry_after_seconds: u32,
}

/// One of `Status.details.causes`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// `reason`, such as `DisruptionBudget`.
    pub reason: String,
    /// `message`.
    pub message: String,
}

/// What an answer means for the pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The pod has been asked to end. Do not evict it again: a second eviction of an ending pod skips its budget.
    Accepted,
    /// No such pod: it is gone.
    Gone,
    /// The pod of that name has another UID, or has just been written to: look again.
    Stale,
    /// A disruption budget does not allow it now.
    Budget {
        /// What the server says about the budget; names it.
        message: String,
        /// When the server would like to be asked again.
        after: Option<Duration>,
    },
    /// The status of a disruption budget is not what its controller would write, and the server does not go by it.
    BrokenBudget(String),
    /// Several disruption budgets cover the pod; the eviction API does not support that.
    Budgets(String),
    /// The API server is busy. Says nothing about the pod.
    Throttled(Option<Duration>),
    /// The pod's namespace is being deleted: the pod will go by itself.
    NamespaceEnding,
    /// The operator may not evict this pod.
    Forbidden(String),
    /// Anything else, or no answer: unknown outcome. The UID precondition makes another attempt safe.
    Failed(String),
}

impl Reply {
    /// Reads an answer.
    pub fn of(answer: &Answer) -> Self {
        let code = match (answer.code, answer.failure) {
            (200..=299, true) => answer.status_code.max(300),
            (code, _) => code,
        };
        let words = |otherwise: &str| said(&answer.message, otherwise);
        let after = Some(answer.retry_after_seconds)
            .filter(|seconds| *seconds > 0)
            .map(|seconds| Duration::from_secs(seconds.into()));
        match code {
            200..=299 => Self::Accepted,
            404 => Self::Gone,
            409 => Self::Stale,
            429 => Self::too_many(answer, after),
            403 if has_cause(answer, "NamespaceTerminating") => Self::NamespaceEnding,
            403 if is_of_budget(answer) => Self::BrokenBudget(words("")),
            403 => Self::Forbidden(words("the operator may not evict it")),
            _ if several_budgets(answer) => Self::Budgets(words("")),
            0 => Self::Failed(words("the API server did not answer")),
            code => Self::Failed(words(&format!("the API server answered {code}"))),
        }
    }

    fn too_many(answer: &Answer, after: Option<Duration>) -> Self {
        let budget = answer
            .causes
            .iter()
            .find(|cause| cause.reason == "DisruptionBudget");
        match budget {
            Some(cause) => Self::Budget {
                message: said(
                    &cause.message,
                    &said(&answer.message, "a disruption budget does not allow it now"),
                ),
                after,
            },
            None => Self::Throttled(after),
        }
    }
}

fn said(text: &str, otherwise: &str) -> String {
    quoted(text).unwrap_or_else(|| otherwise.to_owned())
}

fn has_cause(answer: &Answer, reason: &str) -> bool {
    answer.causes.iter().any(|cause| cause.reason == reason)
}

/// The server's only mark of it is its sentence: that the pod has more than one `PodDisruptionBudget`, which the
/// eviction subresource does not support.
fn several_budgets(answer: &Answer) -> bool {
    answer.message.contains("more than one PodDisruptionBudget")
}

/// The server's only mark of it is its sentence: it forbids not the pod but the budget, as `poddisruptionbudget.policy`,
/// when that allows a negative number of evictions, or when too many of them have not been confirmed.
fn is_of_budget(answer: &Answer) -> bool {
    answer.message.starts_with("poddisruptionbudget.policy ")
}
