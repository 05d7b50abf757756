//! Looks all the time whether a device goes away under a pod that has it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use e2e::{FakeNode, ListResponse, Result};
use tokio::task::JoinHandle;

/// Between two looks at a node.
const TURN: Duration = Duration::from_millis(100);

/// A watch over the devices of some nodes. It ends when dropped.
pub struct Guard {
    violations: Arc<Mutex<Vec<String>>>,
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
        let task = tokio::spawn(watch(nodes.into_iter().collect(), Arc::clone(&violations)));
        Self { violations, task }
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

async fn watch(nodes: Vec<FakeNode>, violations: Arc<Mutex<Vec<String>>>) {
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
