//! The three requests of an election, each sent once and under a timeout.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Api, PostParams};
use kube::{Client, Error};

/// Why nobody knows what the lease says now.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The API server answered with an error, or could not be reached.
    #[error(
        "cannot {verb} lease {lease}; check that the API server is reachable, that the namespace \
         exists, and that our service account may get, create and update leases in it"
    )]
    Failed {
        /// `read`, `create` or `update`.
        verb: &'static str,
        /// Namespace and name.
        lease: String,
        /// What went wrong.
        source: Box<Error>,
    },
    /// No answer. A write may have happened all the same.
    #[error("cannot {verb} lease {lease}: the API server has not answered within {timeout:?}")]
    TimedOut {
        /// `read`, `create` or `update`.
        verb: &'static str,
        /// Namespace and name.
        lease: String,
        /// How long we waited.
        timeout: Duration,
    },
}

/// What came of a write.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Written {
    /// It stands; this is the Lease now.
    Stands(Box<Lease>),
    /// The Lease is not what we thought it was: read it again.
    Outdated,
}

/// One Lease on the API server.
#[derive(Clone, Debug)]
pub(super) struct Store {
    api: Api<Lease>,
    namespace: String,
    name: String,
    timeout: Duration,
}

impl Store {
    /// `client` must not resend by itself: a renewal that is repeated late is worth nothing.
    pub fn new(client: Client, namespace: &str, name: &str, timeout: Duration) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            timeout,
        }
    }

    /// Namespace and name, for messages.
    pub fn lease(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// The Lease, if it exists.
    pub async fn read(&self) -> Result<Option<Lease>, StoreError> {
        let answer = self.within("read", self.api.get_opt(&self.name)).await?;
        answer.map_err(|error| self.failed("read", error))
    }

    /// Creates the Lease unless there is one.
    pub async fn create(&self, lease: &Lease) -> Result<Written, StoreError> {
        let params = PostParams::default();
        let answer = self
            .within("create", self.api.create(&params, lease))
            .await?;
        match answer {
            Ok(lease) => Ok(Written::Stands(Box::new(lease))),
            Err(Error::Api(status)) if status.is_already_exists() => Ok(Written::Outdated),
            Err(error) => Err(self.failed("create", error)),
        }
    }

    /// Replaces the Lease if it still is at the resource version that this one was read at.
    pub async fn replace(&self, lease: &Lease) -> Result<Written, StoreError> {
        let params = PostParams::default();
        let answer = self
            .within("update", self.api.replace(&self.name, &params, lease))
            .await?;
        match answer {
            Ok(lease) => Ok(Written::Stands(Box::new(lease))),
            Err(Error::Api(status)) if status.is_conflict() || status.is_not_found() => {
                Ok(Written::Outdated)
            }
            Err(error) => Err(self.failed("update", error)),
        }
    }

    async fn within<T>(
        &self,
        verb: &'static str,
        request: impl Future<Output = T>,
    ) -> Result<T, StoreError> {
        let timeout = self.timeout;
        tokio::time::timeout(timeout, request)
            .await
            .map_err(|_| StoreError::TimedOut {
                verb,
                lease: self.lease(),
                timeout,
            })
    }

    fn failed(&self, verb: &'static str, error: Error) -> StoreError {
        StoreError::Failed {
            verb,
            lease: self.lease(),
            source: Box::new(error),
        }
    }
}
