//! Two replicas of the operator: when the one that leads dies, ends or freezes, the other goes on, and never both at once.

use e2e::{Look, Mark, Program, Query, Record, Workload, eventually};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use serde_json::json;

use crate::look::{FREE, OURS};
use crate::record::told;
use crate::scene::{GPU, LONG, SEVEN, Scene, a100, spec};
use crds::gpu_node::Phase;

/// How long a silent leader keeps the lease. Everything in here is in seconds.
const LEASE: i64 = 4;

/// Two replicas, of which `first` leads.
struct Replicas {
    scene: Scene,
    first: Program,
    second: Program,
}

/// A write to the lease that the API server accepted.
struct Held {
    by: String,
    renewed: Timestamp,
    record: Record,
}

impl Replicas {
    /// Nodes of these names, each in `Draining` for a policy of its own: a disruption budget protects the pod on it.
    async fn draining(nodes: &[&str]) -> Self {
        let scene = Scene::install(nodes.iter().copied().map(a100)).await;
        let [first, second] = ["first", "second"].map(|name| replica(&scene, name));
        let mut replicas = Self {
            scene,
            first,
            second,
        };
        let scene = &mut replicas.scene;
        for node in nodes {
            scene.start_agent(node).await;
            scene
                .run_one(&Workload::new(node).asks(GPU, 1).on(node))
                .await;
            scene.protect(node).await;
        }
        start(scene, &mut replicas.first).await;
        replicas.leads("first").await;
        start(&replicas.scene, &mut replicas.second).await;
        for node in nodes {
            replicas.scene.policy(node, &spec(node, SEVEN, "")).await;
            replicas.scene.wait_phase(node, Phase::Draining).await;
            assert_eq!(replicas.scene.standing(node).await, OURS);
        }
        replicas
    }

    /// Waits until a replica leads, by the lease.
    async fn leads(&self, name: &str) {
        let leases: Api<Lease> = Api::namespaced(self.scene.cluster.client.clone(), e2e::NAMESPACE);
        eventually(&format!("{name} leads"), LONG, async || {
            let lease = leases.get_opt("gpu-sharing-operator").await;
            let spec = lease.map_err(e2e::Error::api("get the lease"))?;
            let holder = spec.and_then(|lease| lease.spec?.holder_identity);
            Ok(match holder {
                Some(holder) if is(&holder, name) => Look::Done(()),
                other => Look::NotYet(format!("{other:?}")),
            })
        })
        .await
        .unwrap();
    }

    /// Every version of the lease, oldest first.
    async fn lease(&self) -> Vec<Held> {
        let query = Query::writes().to("leases").named("gpu-sharing-operator");
        let writes = self.scene.written(query.accepted()).await;
        writes.into_iter().map(held).collect()
    }

    /// The last version in which a replica held the lease, and what came right after it.
    async fn hand_over(&self, from: &str) -> (Held, Held) {
        let mut lease = self.lease().await;
        let last = lease.iter().rposition(|held| is(&held.by, from)).unwrap();
        let after = lease.remove(last + 1);
        (lease.remove(last), after)
    }

    /// All that somebody with this token has sent since, but for looks at the lease.
    async fn sent_by(&self, credential: &str, since: Mark) -> Vec<Record> {
        let query = Query::writes().since(since).except("leases");
        let mut sent = self.scene.written(query).await;
        sent.retain(|record| record.credential == credential);
        sent
    }

    /// A node's budget no longer protects its pod: its operation, the only one, is finished.
    async fn finishes(&self, node: &str) {
        self.scene.unprotect(node).await;
        let policy = self.scene.cluster.policies().get(node).await.unwrap();
        let done = self.scene.in_sync(node, &policy).await;
        assert_eq!(
            done.history.len(),
            1,
            "one operation, taken up again: {done:?}"
        );
        assert_eq!(self.scene.standing(node).await, FREE);
        assert_eq!(self.scene.slices(node), ["1g.5gb"; 7]);
    }
}

/// A replica with a name of its own and a short lease.
fn replica(scene: &Scene, name: &str) -> Program {
    Program::operator(&scene.cluster.bed, name)
        .unwrap()
        .arg("--pod-name", name)
        .arg("--lease-duration", format!("{LEASE}s"))
        .arg("--renew-deadline", "3s")
        .arg("--retry-period", "1500ms")
}

async fn start(scene: &Scene, replica: &mut Program) {
    replica.start(&scene.cluster.client).await.unwrap();
    replica.wait_ready().await.unwrap();
}

fn held(record: Record) -> Held {
    let spec = &record.request["spec"];
    let text = |field: &str| spec[field].as_str().unwrap_or_default().to_owned();
    Held {
        by: text("holderIdentity"),
        renewed: text("renewTime").parse().unwrap(),
        record,
    }
}

/// Whether the identity is of a pod of this name.
fn is(identity: &str, name: &str) -> bool {
    identity.split_once('_').is_some_and(|(pod, _)| pod == name)
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}

#[tokio::test]
async fn killed_in_a_drain_the_other_takes_the_drain_up_when_the_lease_is_over() {
    let mut replicas = Replicas::draining(&["n1"]).await;
    let killed = Timestamp::now();
    replicas.first.kill();
    replicas.leads("second").await;
    replicas.finishes("n1").await;

    let (last, taken) = replicas.hand_over("first").await;
    assert!(is(&taken.by, "second"), "{}", taken.by);
    let silent = taken.renewed.duration_since(last.renewed);
    assert!(
        silent >= SignedDuration::from_secs(LEASE),
        "too early: {silent:?}"
    );
    let after = seconds(killed, taken.record.received);
    eprintln!("killed; the other leads {after:.2} s later, with a lease of {LEASE} s");
}

#[tokio::test]
async fn asked_to_end_in_a_drain_it_gives_the_lease_back_and_the_other_takes_the_drain_up() {
    let mut replicas = Replicas::draining(&["n1"]).await;
    let asked = Timestamp::now();
    let ended = replicas.first.terminate().await.unwrap().unwrap();
    assert!(ended.success(), "{ended}");
    replicas.leads("second").await;
    replicas.finishes("n1").await;

    let (_, released) = replicas.hand_over("first").await;
    assert_eq!(released.by, "", "given back, not expired");
    let lease = replicas.lease().await;
    let taken = lease.iter().find(|held| is(&held.by, "second")).unwrap();
    assert_ne!(taken.record.credential, released.record.credential);
    let all = seconds(asked, taken.record.received);
    let free = seconds(released.record.received, taken.record.received);
    eprintln!(
        "asked to end; the other leads {all:.2} s later, of which nobody held the lease {free:.2} s"
    );
}

#[tokio::test]
async fn frozen_for_longer_than_the_lease_it_ends_when_it_wakes_and_does_nothing_before() {
    let mut replicas = Replicas::draining(&["finished", "blocked"]).await;
    replicas.first.pause().unwrap();
    replicas.leads("second").await;
    replicas.finishes("finished").await;
    // What the one that sleeps would look at first.
    let scene = &replicas.scene;
    scene.retry("blocked", "1").await;
    let priority = json!({"priority": 7});
    for policy in ["finished", "blocked"] {
        scene.change_policy(policy, priority.clone()).await;
    }
    let mark = scene.mark().await;

    replicas.first.resume().unwrap();
    let ended = replicas.first.wait_ended().await.unwrap();
    assert!(!ended.success(), "it says that it lost its lease: {ended}");
    let (last, _) = replicas.hand_over("first").await;
    let sent = replicas.sent_by(&last.record.credential, mark).await;
    assert!(sent.is_empty(), "by the deposed one:\n{}", told(&sent));
    assert_eq!(replicas.scene.standing("blocked").await, OURS);
    replicas.finishes("blocked").await;
}
