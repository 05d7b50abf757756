//! What can go wrong between the operator and the API server, and what a person can do about it.

use std::time::Duration;

use plan::reason::Reason;

/// A request that did not do what it was for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused, or could not be reached.
    #[error("cannot {verb} {object}; {}", advice(source))]
    Request {
        /// What was tried, such as `read`.
        verb: &'static str,
        /// Kind and name.
        object: String,
        /// The answer.
        source: Box<kube::Error>,
    },
    /// The API server did not answer in time. What was asked for may have happened.
    #[error(
        "cannot {verb} {object}: no answer within {} s; it is tried again, check that the API \
         server is healthy",
        within.as_secs()
    )]
    Silent {
        /// What was tried.
        verb: &'static str,
        /// Kind and name.
        object: String,
        /// How long the answer was waited for.
        within: Duration,
    },
    /// The lease may end before the request does, so that another replica could act too.
    #[error(
        "did not {verb} {object}: the leader's lease ends too soon; it is done after the next \
         renewal, by whoever leads then"
    )]
    LeaseEnds {
        /// What was about to be done.
        verb: &'static str,
        /// Kind and name.
        object: String,
    },
    /// The namespace of the device plugin does not exist.
    #[error(
        "cannot create {object}: namespace {namespace} does not exist; install NVIDIA's device \
         plugin there, or name its namespace with --device-plugin-namespace"
    )]
    NoPluginNamespace {
        /// Kind, namespace and name.
        object: String,
        /// `--device-plugin-namespace`.
        namespace: String,
    },
    /// The API server answered with an object that lacks what every stored object has.
    #[error("cannot use {object}: the API server sent it without {missing}; this is tried again")]
    Incomplete {
        /// Kind and name.
        object: String,
        /// Which member.
        missing: &'static str,
    },
}

impl Error {
    /// Wraps what the API server answered to `verb` on `object`.
    pub fn request(
        verb: &'static str,
        object: impl Into<String>,
    ) -> impl FnOnce(kube::Error) -> Self {
        let object = object.into();
        move |source| Self::Request {
            verb,
            object,
            source: Box::new(source),
        }
    }

    /// Whether it ends by itself within moments, so that nobody needs to hear of it.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::LeaseEnds { .. })
    }

    /// One word for metrics and events; never user input.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Request { source, .. } => match code(source) {
                Some(401 | 403) => Reason::Forbidden,
                Some(404) => Reason::NotFound,
                Some(400 | 422) => Reason::Rejected,
                Some(429) => Reason::Throttled,
                Some(_) => Reason::ServerError,
                None => Reason::Unreachable,
            },
            Self::Silent { .. } => Reason::NoAnswer,
            Self::LeaseEnds { .. } => Reason::LeaseEnds,
            Self::NoPluginNamespace { .. } => Reason::NoPluginNamespace,
            Self::Incomplete { .. } => Reason::Incomplete,
        }
    }
}

/// The HTTP status of an answer; none if there was no answer.
fn code(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) => Some(status.code),
        _ => None,
    }
}

/// What a person can do about it.
fn advice(error: &kube::Error) -> &'static str {
    match code(error) {
        Some(401) => "check the token of the operator's service account",
        Some(403) => {
            "grant it to the operator's service account; the roles of the chart do, so look for \
             what was changed or for an admission policy"
        }
        Some(404) => "check that the chart with the CustomResourceDefinitions is installed",
        Some(400 | 422) => {
            "the API server does not accept what this operator writes: upgrade the operator and \
             the CustomResourceDefinitions to the same version"
        }
        Some(429) => "the API server is overloaded; it is tried again",
        Some(_) => "the API server has trouble; it is tried again",
        None => "it is tried again; check that the API server can be reached from here",
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn answered(code: u16) -> Error {
        let status = Status::failure("refused", "Because").with_code(code);
        Error::request("read", "Node n1")(kube::Error::Api(status.boxed()))
    }

    #[test]
    fn an_error_names_the_verb_the_object_and_what_to_do() {
        for (code, reason, said) in [
            (401, Reason::Forbidden, "token"),
            (403, Reason::Forbidden, "grant it"),
            (404, Reason::NotFound, "CustomResourceDefinitions"),
            (422, Reason::Rejected, "upgrade"),
            (429, Reason::Throttled, "overloaded"),
            (500, Reason::ServerError, "trouble"),
        ] {
            let error = answered(code);
            assert_eq!(error.reason(), reason, "{code}");
            let text = error.to_string();
            assert!(text.starts_with("cannot read Node n1; "), "{text}");
            assert!(text.contains(said), "{text}");
        }
    }
}
