//! Performing what a step asks for, in its order, and stopping at the first thing that cannot be done.

use std::sync::Arc;

use crds::gpu_node::PodReference;
use futures::future::join_all;
use jiff::Timestamp;
use kube::ResourceExt;
use plan::drain::Reply;
use plan::maintenance::Effect;
use tracing::info;

use super::Nodes;
use super::seen::Seen;
use crate::api::Written;
use crate::error::Error;

/// Evictions in one look, all at once. Each answers in milliseconds, unless an admission webhook takes
/// its time; then it must hold up neither the others nor the word on those that were refused.
const EVICTIONS_AT_A_LOOK: usize = 8;

/// What became of a step's effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acted {
    /// All are done; there may have been none.
    Done,
    /// Somebody else wrote meanwhile; the rest waits for another look.
    Outdated,
}

/// A pod that has to leave.
struct Leaver {
    pod: PodReference,
    grace: Option<i64>,
    /// Past its disruption budgets.
    forced: bool,
}

impl Nodes {
    /// Performs the effects on the node as it was seen; `seen` keeps up with what is written.
    pub(super) async fn act(&self, seen: &mut Seen, effects: Vec<Effect>) -> Result<Acted, Error> {
        let mut leavers = Vec::new();
        for effect in effects {
            match self.perform(seen, effect, &mut leavers).await? {
                Acted::Done => {}
                Acted::Outdated => return Ok(Acted::Outdated),
            }
        }
        self.see_off(&seen.gpu_node.name_any(), leavers).await?;
        Ok(Acted::Done)
    }

    /// Performs one effect; pods that have to leave are only noted down.
    async fn perform(
        &self,
        seen: &mut Seen,
        effect: Effect,
        leavers: &mut Vec<Leaver>,
    ) -> Result<Acted, Error> {
        let cluster = &self.cluster;
        let leaver = match (effect, &mut seen.node) {
            (
                Effect::Cordon { .. }
                | Effect::Uncordon { .. }
                | Effect::Label(_)
                | Effect::Remember { .. },
                None,
            ) => {
                // The node was deleted: there is nothing left to do here.
                return Ok(Acted::Outdated);
            }
            (
                Effect::Cordon {
                    operation,
                    pre_cordoned,
                },
                Some(node),
            ) => {
                let written = cluster.cordon(node, operation, pre_cordoned).await?;
                return Ok(take(written, node));
            }
            (
                Effect::Uncordon {
                    schedulable,
                    labels,
                },
                Some(node),
            ) => {
                let written = cluster.uncordon(node, schedulable, &labels).await?;
                return Ok(take(written, node));
            }
            (Effect::Label(labels), Some(node)) => {
                return Ok(take(cluster.label(node, &labels).await?, node));
            }
            (
                Effect::Remember {
                    labels,
                    annotations,
                },
                Some(node),
            ) => {
                let written = cluster.remember(node, &labels, &annotations).await?;
                return Ok(take(written, node));
            }
            (
                Effect::PublishConfig {
                    key,
                    content,
                    since,
                },
                _,
            ) => {
                return self.publish(seen, &key, &content, since).await;
            }
            (Effect::Ask(spec), node) => {
                let written = cluster.apply_spec(&seen.gpu_node, node.as_deref(), &spec);
                return Ok(take(written.await?, &mut seen.gpu_node));
            }
            (Effect::Restart(pod), _) => {
                let answer = self.cluster.delete(&pod, None).await?;
                let (namespace, name, reply) = (&pod.namespace, &pod.name, Reply::of(&answer));
                info!(namespace, pod = name, ?reply, "made anew");
                return Ok(Acted::Done);
            }
            (Effect::Evict { pod, grace }, _) => Leaver {
                pod,
                grace,
                forced: false,
            },
            (Effect::Delete { pod, grace }, _) => Leaver {
                pod,
                grace,
                forced: true,
            },
        };
        leavers.push(leaver);
        Ok(Acted::Done)
    }

    async fn publish(
        &self,
        seen: &mut Seen,
        key: &str,
        content: &str,
        since: Timestamp,
    ) -> Result<Acted, Error> {
        let found = seen.configs.as_deref();
        let written = self.cluster.publish_config(found, key, content, since);
        match written.await? {
            Written::Done(configs) => {
                seen.configs = Some(Arc::new(configs));
                Ok(Acted::Done)
            }
            Written::Outdated => Ok(Acted::Outdated),
        }
    }

    /// Asks the first of them to leave, at once; the others are due at the next look. An eviction that is refused is an
    /// answer, not a failure.
    async fn see_off(&self, node: &str, leavers: Vec<Leaver>) -> Result<(), Error> {
        let first = leavers.into_iter().take(EVICTIONS_AT_A_LOOK);
        let requests = first.map(|leaver| self.evict(node, leaver));
        join_all(requests).await.into_iter().collect()
    }

    async fn evict(&self, node: &str, leaver: Leaver) -> Result<(), Error> {
        let Leaver { pod, grace, forced } = leaver;
        let answer = if forced {
            self.cluster.delete(&pod, grace).await?
        } else {
            self.cluster.evict(&pod, grace).await?
        };
        let reply = Reply::of(&answer);
        info!(
            node,
            namespace = pod.namespace,
            pod = pod.name,
            forced,
            ?reply,
            "asked to leave"
        );
        if forced {
            self.metrics.deleted();
        } else {
            self.metrics.evicted(&reply);
        }
        let now = Timestamp::now();
        self.memories.answered(node, &pod, forced, &reply, now);
        Ok(())
    }
}

/// Goes on with what was written.
fn take<K>(written: Written<K>, kept: &mut Arc<K>) -> Acted {
    match written {
        Written::Done(object) => {
            *kept = Arc::new(object);
            Acted::Done
        }
        Written::Outdated => Acted::Outdated,
    }
}
