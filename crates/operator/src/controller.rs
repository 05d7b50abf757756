//! What both controllers do around a look: woken by changes, measured, told of when it fails, tried again later.

use std::convert::Infallible;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Instant;

use futures::{Stream, StreamExt};
use kube::runtime::controller::{Action, Config, Controller};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Resource, ResourceExt};
use plan::maintenance::EventKind;
use process::Chain;
use process::shutdown::Shutdown;
use serde::de::DeserializeOwned;
use tracing::{debug, warn};

use crate::api::{Cluster, Notice, Object};
use crate::error::Error;
use crate::failures::Failures;
use crate::metrics::Metrics;

/// Looks under way at once: the API server is not asked about a whole fleet in one moment.
const AT_THE_SAME_TIME: u16 = 64;

/// What looks at one kind of object.
pub trait Visit: Send + Sync + 'static {
    /// The kind.
    type Object: Watched;

    /// Looks at one object, does what is to be done, and says when to look again.
    fn visit(
        &self,
        object: &Arc<Self::Object>,
    ) -> impl Future<Output = Result<Action, Error>> + Send;
}

/// A kind without a namespace.
pub trait Watched:
    Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static
{
}

impl<K> Watched for K where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static
{
}

/// Looks at whatever `wakes` says until `stop` is requested, and finishes the looks under way.
pub async fn run<V: Visit>(
    visitor: V,
    outcomes: Outcomes,
    store: Store<V::Object>,
    wakes: impl Stream<Item = ObjectRef<V::Object>> + Send + 'static,
    stop: Shutdown,
) where
    <V::Object as Resource>::DynamicType: Eq + Hash + Unpin,
{
    Controller::for_stream(futures::stream::pending(), store)
        .with_config(Config::default().concurrency(AT_THE_SAME_TIME))
        .reconcile_on(wakes)
        .graceful_shutdown_on(async move { stop.requested().await })
        .run(
            look,
            |_, never, _| match *never {},
            Arc::new((visitor, outcomes)),
        )
        .for_each(|ended| {
            if let Err(error) = ended {
                // An object that was deleted meanwhile.
                debug!(error = %Chain(&error), "nothing to look at");
            }
            std::future::ready(())
        })
        .await;
}

async fn look<V: Visit>(
    object: Arc<V::Object>,
    context: Arc<(V, Outcomes)>,
) -> Result<Action, Infallible> {
    let (visitor, outcomes) = &*context;
    let since = Instant::now();
    let outcome = visitor.visit(&object).await;
    outcomes.metrics.looked(outcomes.controller, since);
    Ok(outcomes.settle(&*object, outcome).await)
}

/// One place for the outcome of every look.
pub struct Outcomes {
    controller: &'static str,
    cluster: Cluster,
    metrics: Metrics,
    failures: Failures,
}

impl Outcomes {
    /// Of a controller, by its name in metrics.
    pub fn new(controller: &'static str, cluster: Cluster, metrics: Metrics) -> Self {
        Self {
            controller,
            cluster,
            metrics,
            failures: Failures::default(),
        }
    }

    /// A look that failed is told once, and tried again later and later.
    async fn settle<K>(&self, object: &K, outcome: Result<Action, Error>) -> Action
    where
        K: Resource<DynamicType = ()>,
    {
        let name = object.name_any();
        let error = match outcome {
            Ok(next) => {
                self.failures.succeeded(&name);
                return next;
            }
            Err(error) => error,
        };
        self.metrics.failed(self.controller, &error);
        let text = Chain(&error).to_string();
        let failed = self.failures.failed(&name, &text);
        let (controller, wait) = (self.controller, failed.wait);
        warn!(controller, name, error = text, ?wait, "a look failed");
        if failed.is_news && !error.is_passing() {
            let notice = Notice {
                kind: EventKind::Warning,
                reason: error.reason(),
                note: text,
            };
            self.cluster.tell(&Object::of(object), &notice).await;
        }
        Action::requeue(wait)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crds::GpuNode;
    use prometheus_client::encoding::text;
    use prometheus_client::registry::Registry;
    use serde_json::json;

    use super::*;
    use crate::fake::{FakeApi, read};

    fn forbidden() -> Error {
        let status = kube::core::Status::failure("no", "Forbidden").with_code(403);
        Error::request("read", "Node n1")(kube::Error::Api(status.boxed()))
    }

    fn lease_ends() -> Error {
        Error::LeaseEnds {
            verb: "cordon",
            object: "Node n1".to_owned(),
        }
    }

    fn gpu_node() -> GpuNode {
        read(json!({
            "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuNode",
            "metadata": {"name": "n1", "uid": "u"}, "spec": {},
        }))
    }

    #[tokio::test]
    async fn a_failure_is_counted_told_once_and_tried_again_later_and_later() {
        let (api, mut registry) = (FakeApi::default(), Registry::default());
        let metrics = Metrics::register(&mut registry);
        let outcomes = Outcomes::new("node", api.cluster(), metrics);
        let mut waits = Vec::new();
        for _ in 0..3 {
            waits.push(outcomes.settle(&gpu_node(), Err(forbidden())).await);
        }
        let expected = [1, 2, 4].map(|s| Action::requeue(Duration::from_secs(s)));
        assert_eq!(waits, expected);
        let [told] = &api.writes()[..] else {
            panic!("{:?}", api.writes())
        };
        assert_eq!(told.body["reason"], "Forbidden");
        let mut measured = String::new();
        text::encode(&mut measured, &registry).unwrap();
        let line = "reconcile_failures_total{controller=\"node\",reason=\"Forbidden\"} 3";
        assert!(measured.contains(line), "{measured}");
    }

    #[tokio::test]
    async fn a_lease_that_is_renewed_in_a_moment_is_nobodys_concern() {
        let api = FakeApi::default();
        let metrics = Metrics::register(&mut Registry::default());
        let outcomes = Outcomes::new("node", api.cluster(), metrics);
        let next = outcomes.settle(&gpu_node(), Err(lease_ends())).await;
        assert_eq!(next, Action::requeue(Duration::from_secs(1)));
        assert_eq!(api.writes(), []);
    }
}
