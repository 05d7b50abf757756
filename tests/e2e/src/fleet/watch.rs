//! The fleet's view of the cluster: all bound pods, all nodes, and a bell that rings on a change.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use futures::StreamExt;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::runtime::reflector::{ObjectRef, Store, store};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::{Error, Result};

/// Shared by all nodes of a fleet.
#[derive(Clone, Debug)]
pub struct Watches {
    pods: Store<Pod>,
    nodes: Store<Node>,
    bell: watch::Receiver<()>,
}

impl Watches {
    /// Starts watching, and waits until everything that is there is known.
    pub async fn start(client: &Client, tasks: &mut JoinSet<()>) -> Result<Self> {
        let (ring, bell) = watch::channel(());
        let ring = Arc::new(ring);
        let bound = watcher::Config::default().fields("spec.nodeName!=");
        let pods = follow(Api::<Pod>::all(client.clone()), bound, &ring, tasks);
        let all = watcher::Config::default();
        let nodes = follow(Api::<Node>::all(client.clone()), all, &ring, tasks);
        let lost = |what: &str| Error::Malformed {
            what: format!("the fleet's watch of {what}"),
            wrong: "it ended".to_owned(),
        };
        pods.wait_until_ready().await.map_err(|_| lost("pods"))?;
        nodes.wait_until_ready().await.map_err(|_| lost("nodes"))?;
        Ok(Self { pods, nodes, bell })
    }

    /// Waits for a change of anything since the last time.
    pub async fn changed(&mut self) {
        // The bell is gone only with the fleet, and so is who waits.
        if self.bell.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// A node by name.
    pub fn node(&self, name: &str) -> Option<Arc<Node>> {
        self.nodes.get(&ObjectRef::new(name))
    }

    /// The pods bound to a node.
    pub fn pods_on(&self, name: &str) -> Vec<Arc<Pod>> {
        let here = |pod: &Arc<Pod>| {
            let spec = pod.spec.as_ref();
            spec.is_some_and(|spec| spec.node_name.as_deref() == Some(name))
        };
        self.pods.state().into_iter().filter(here).collect()
    }
}

fn follow<K>(
    api: Api<K>,
    config: watcher::Config,
    ring: &Arc<watch::Sender<()>>,
    tasks: &mut JoinSet<()>,
) -> Store<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
    K::DynamicType: Hash + Eq + Clone,
{
    let (reader, writer) = store();
    let ring = ring.clone();
    tasks.spawn(async move {
        let events = watcher(api, config).default_backoff().reflect(writer);
        // An error is repeated by the watcher after a back-off; there is nothing else to do.
        events.for_each(async |_| ring.send_replace(())).await;
    });
    reader
}
