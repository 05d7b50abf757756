//! What can go wrong between the agent and the API server.

/// A request that did not do what it was for.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The object is not as it was read, or there is another one of its name.
    #[error("GpuNode {name} has changed since it was read; it is read again")]
    Changed {
        /// Whose.
        name: String,
    },
    /// There is no such object.
    #[error("there is no GpuNode {name}; it is created again")]
    Absent {
        /// Whose.
        name: String,
    },
    /// The API server refused, or could not be reached.
    #[error("cannot {verb} GpuNode {name}; {}", advice(source))]
    Request {
        /// What was tried.
        verb: &'static str,
        /// Whose.
        name: String,
        /// The answer.
        source: Box<kube::Error>,
    },
    /// No answer in time. What was asked for may have happened.
    #[error(
        "cannot {verb} GpuNode {name}: no answer within {seconds} s; it is tried again, check that the API server is \
         healthy"
    )]
    Silent {
        /// What was tried.
        verb: &'static str,
        /// Whose.
        name: String,
        /// How long the answer was waited for.
        seconds: u64,
    },
}

impl ApiError {
    /// Wraps an answer to `verb`.
    pub(super) fn of(verb: &'static str, name: &str, error: kube::Error) -> Self {
        let name = name.to_owned();
        match code(&error) {
            Some(409) => Self::Changed { name },
            Some(404) if verb != "create" => Self::Absent { name },
            Some(_) | None => Self::Request {
                verb,
                name,
                source: Box::new(error),
            },
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

fn advice(error: &kube::Error) -> &'static str {
    match code(error) {
        Some(401) => "check the token of the agent's service account",
        Some(403) => {
            "the roles and the admission policy of the chart let each agent write the GpuNode of its own node; check \
             --node-name, and what was changed"
        }
        Some(404) => "check that the chart with the CustomResourceDefinitions is installed",
        Some(400 | 422) => {
            "upgrade the agent and the CustomResourceDefinitions to the same version"
        }
        Some(_) => "the API server has trouble; it is tried again",
        None => "it is tried again; check that the API server can be reached from this node",
    }
}
