//! Looks all the time whether a device goes away under a pod that has it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use e2e::{FakeNode, ListResponse, Result};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Between two looks at a node.
const TURN: Duration = Duration::from_millis(100);

/// A watch over the devices of some nodes. It ends when dropped.
pub struct Guard {
    violations: Arc<Mutex<Vec<String>>>,
    turns: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

/// One look at a node: who held what, and, just after that, what there was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Look {
    holders: BTreeMap<String, BTreeSet<String>>,
    devices: BTreeSet<String>,
}

impl Guard {
    /// Over these nodes, from now on.
    pub fn over(nodes: impl IntoIterator<Item = FakeNode>) -> Self {
        let violations = Arc::default();
        let (turn, turns) = watch::channel(0);
        let nodes = nodes.into_iter().collect();
        let task = tokio::spawn(guard(nodes, Arc::clone(&violations), turn));
        Self {
            violations,
            turns,
            task,
        }
    }

    /// Waits until it has looked at every node once more, begun after this call.
    async fn looked(&self) {
        let mut turns = self.turns.clone();
        let now = *turns.borrow_and_update();
        let looked = turns.wait_for(|turn| *turn >= now + 2).await;
        looked.expect("it goes on");
    }

    /// What it has seen since it was asked last.
    pub fn violations(&self) -> Vec<String> {
        let mut seen = self.violations.lock();
        std::mem::take(&mut *seen.as_mut().unwrap_or_else(PoisonError::get_mut))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn guard(
    nodes: Vec<FakeNode>,
    violations: Arc<Mutex<Vec<String>>>,
    turn: watch::Sender<usize>,
) {
    let mut before: BTreeMap<String, Look> = BTreeMap::new();
    loop {
        for node in &nodes {
            // A node that does not answer is looked at in the next turn.
            let Ok(now) = look(node).await else { continue };
            if let Some(before) = before.insert(node.name().to_owned(), now.clone()) {
                let taken = taken_away(&before, &now);
                let told = taken.map(|(pod, device)| {
                    format!("{}: {device} is gone while pod {pod} has it", node.name())
                });
                let mut violations = violations.lock().unwrap_or_else(PoisonError::into_inner);
                violations.extend(told);
            }
        }
        turn.send_modify(|turn| *turn += 1);
        tokio::time::sleep(TURN).await;
    }
}

/// Devices that a pod had before they were there, and has after they are gone.
fn taken_away<'a>(
    before: &'a Look,
    now: &'a Look,
) -> impl Iterator<Item = (&'a String, &'a String)> {
    let gone =
        |device: &&String| before.devices.contains(*device) && !now.devices.contains(*device);
    before.holders.iter().flat_map(move |(pod, held)| {
        let still = now.holders.get(pod);
        let held = held.iter().filter(gone);
        held.filter(move |device| still.is_some_and(|still| still.contains(*device)))
            .map(move |device| (pod, device))
    })
}

/// The holders first: who holds a device in this look had it before it can be found missing in the next.
async fn look(node: &FakeNode) -> Result<Look> {
    let holders = holders(&node.list_pod_resources().await?);
    let mut devices = BTreeSet::new();
    for gpu in node.gpus().gpus()? {
        if !gpu.mig_mode.is_some_and(|mode| mode.current) {
            devices.insert(gpu.uuid);
        }
        devices.extend(gpu.instances.into_iter().flat_map(|it| it.mig_uuids));
    }
    Ok(Look { holders, devices })
}

/// Pods, and the UUIDs of what they have. A replica's id is the device's UUID, `::` and a number.
fn holders(listed: &ListResponse) -> BTreeMap<String, BTreeSet<String>> {
    let pods = listed.pod_resources.iter().map(|pod| {
        let devices = pod.containers.iter().flat_map(|it| &it.devices);
        let ids = devices.flat_map(|it| &it.device_ids);
        let uuids = ids.map(|id| id.split("::").next().unwrap_or(id).to_owned());
        (format!("{}/{}", pod.namespace, pod.name), uuids.collect())
    });
    pods.collect()
}

#[cfg(test)]
mod tests {
    use e2e::{Cluster, Look as Seen, NodeSpec, PATIENCE, Workload, eventually};
    use k8s_openapi::api::core::v1::Pod;
    use kube::Api;
    use kube::api::PostParams;

    use super::*;

    #[test]
    fn only_what_is_held_before_and_after_it_went_counts() {
        let look = |pods: &[&str], devices: &[&str]| Look {
            holders: pods
                .iter()
                .map(|pod| ((*pod).to_owned(), BTreeSet::from(["d".to_owned()])))
                .collect(),
            devices: devices.iter().map(|it| (*it).to_owned()).collect(),
        };
        for (before, now, violations) in [
            (look(&["a"], &["d"]), look(&["a"], &["d"]), 0),
            (look(&["a"], &["d"]), look(&[], &[]), 0),
            (look(&[], &["d"]), look(&["a"], &[]), 0),
            (look(&["a"], &[]), look(&["a"], &[]), 0),
            (look(&["a", "b"], &["d"]), look(&["a"], &["e"]), 1),
        ] {
            assert_eq!(
                taken_away(&before, &now).count(),
                violations,
                "{before:?} {now:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_gpu_that_is_cut_under_its_pod_is_seen() {
        let node = NodeSpec::new("n0").gpus("A100-SXM4-40GB", 1);
        let cluster = Cluster::install([node]).await.expect("a cluster");
        let guard = Guard::over([cluster.node("n0").clone()]);
        let pods: Api<Pod> = Api::default_namespaced(cluster.client.clone());
        let pod = Workload::new("model").asks("nvidia.com/gpu", 1).pod();
        let made = pods.create(&PostParams::default(), &pod).await;
        made.expect("a pod");
        let gpus = cluster.node("n0").gpus();
        eventually("its process runs", PATIENCE, async || {
            let process = gpus.gpus()?[0].processes.first().map(|it| it.pid);
            Ok(process.map_or_else(|| Seen::NotYet("none".to_owned()), Seen::Done))
        })
        .await
        .and_then(|pid| Ok(gpus.detach(pid)?))
        .expect("a process");
        guard.looked().await;
        assert_eq!(guard.violations(), [""; 0]);

        gpus.set_mig_mode(0, true).expect("nobody runs on it");
        eventually("the guard has seen it", PATIENCE, async || {
            Ok(match guard.violations().as_slice() {
                [] => Seen::NotYet("nothing".to_owned()),
                [only] if only.contains("default/model") => Seen::Done(()),
                other => Seen::NotYet(format!("{other:?}")),
            })
        })
        .await
        .expect("one violation");
    }
}
