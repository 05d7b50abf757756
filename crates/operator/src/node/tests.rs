//! The driver of a step: what is read, in which order what is written, and what is not.

mod clients;
mod effects;
mod leavers;
mod plugin;

use crds::gpu_node::{OperationResult, PodReference, PolicyReference};
use crds::{GpuNodeSpec, names};
use futures::FutureExt;
use k8s_openapi::api::core::v1::{ConfigMap, Node};
use plan::conditions::Verdict;
use plan::maintenance::{Effect, EventKind};
use plan::pod::PodView;
use plan::reason::Reason;
use plan::resolve::{Problem, ProblemReason, Wish};
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};

use super::*;
use crate::caches::{self, Fillers};
use crate::fake::{FakeApi, failure, plugin, read};
use crate::wishes::Wished;

const NODE: &str = "/api/v1/nodes/n1";
const GPU_NODE: &str = "/apis/gpusharing.dev/v1alpha1/gpunodes/n1";
const CONFIGS: &str = "/api/v1/namespaces/gpu-operator/configmaps/configs";
const PODS: &str = "GET /api/v1/pods";
const EVENTS: &str = "POST /apis/events.k8s.io/v1/namespaces/default/events";

fn node() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": "n1", "uid": "node-uid", "resourceVersion": "7"},
    })
}

fn gpu_node(maintenance: &MaintenanceStatus) -> Value {
    json!({
        "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuNode",
        "metadata": {
            "name": "n1", "uid": "gpu-node-uid", "resourceVersion": "3",
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "node-uid"}],
        },
        "spec": {},
        "status": {"maintenance": maintenance},
    })
}

/// A node controller that sees what is put into its caches.
struct Kit {
    api: FakeApi,
    nodes: Nodes,
    fillers: Fillers,
    registry: Registry,
}

impl Kit {
    fn new() -> Self {
        let (api, mut registry) = (FakeApi::default(), Registry::default());
        api.on(PODS, 200, json!({"metadata": {}, "items": []}));
        let readiness = process::admin::Readiness::new();
        let (caches, fillers) = caches::new(&api.client(), &plugin(), &readiness);
        let metrics = Metrics::register(&mut registry);
        let nodes = Nodes::new(
            api.cluster(),
            caches,
            Arc::default(),
            metrics,
            Rules::default(),
        );
        Self {
            api,
            nodes,
            fillers,
            registry,
        }
    }

    /// Puts the node and its `GpuNode` into the caches.
    fn cache(&mut self, maintenance: &MaintenanceStatus) {
        self.fillers.nodes.seed([read(node())]);
        let gpu_node = read(gpu_node(maintenance));
        self.fillers.gpu_nodes.seed([gpu_node]);
    }

    /// The same, with a pod on a GPU that is served through MPS.
    fn cache_served(&mut self, maintenance: &MaintenanceStatus) {
        self.fillers.nodes.seed([read(node())]);
        let mut gpu_node = gpu_node(maintenance);
        gpu_node["status"]["agent"] = json!({
            "bootId": "boot",
            "mps": {"state": "Running", "startedAt": "2026-11-23T00:00:00.000000Z"},
            "gpus": [{
                "index": 0, "uuid": "GPU-0", "product": "T4", "memoryMiB": 16384,
                "mig": {"current": "NotSupported", "pending": "NotSupported"},
                "mps": {"type": "MPS", "replicas": 4},
                "holders": [{"namespace": "jobs", "pod": "a", "container": "main", "device": "GPU-0"}],
            }],
        });
        self.fillers.gpu_nodes.seed([read(gpu_node)]);
    }

    fn cached(&self) -> Arc<GpuNode> {
        self.nodes.caches.gpu_nodes.get("n1").unwrap()
    }

    fn measured(&self) -> String {
        let mut text = String::new();
        text::encode(&mut text, &self.registry).unwrap();
        text
    }

    fn writes(&self) -> Vec<String> {
        let writes = self.api.writes().into_iter();
        writes.map(|asked| asked.what).collect()
    }
}

fn seen() -> Seen {
    Seen {
        gpu_node: Arc::new(read(gpu_node(&MaintenanceStatus::default()))),
        node: Some(Arc::new(read::<Node>(node()))),
        pods: Vec::new(),
        budgets: Vec::new(),
        configs: None::<Arc<ConfigMap>>,
        stack: None,
        policy: None,
        wished: Arc::new(Wished::nothing()),
    }
}

fn step(status: MaintenanceStatus) -> Step {
    Step {
        status,
        effects: Vec::new(),
        events: vec![Event {
            reason: Reason::NodeCordoned,
            kind: EventKind::Normal,
            message: "cordoned".to_owned(),
        }],
        pod_events: Vec::new(),
        next: Next::Watch,
    }
}

fn draining() -> MaintenanceStatus {
    MaintenanceStatus {
        phase: Phase::Draining,
        ..MaintenanceStatus::default()
    }
}

fn pod(name: &str) -> PodReference {
    PodReference {
        namespace: "jobs".to_owned(),
        name: name.to_owned(),
        uid: format!("uid-of-{name}"),
    }
}

fn conflict() -> Value {
    failure(409, "Conflict", "the object has been modified")
}

#[tokio::test]
async fn a_settled_node_costs_no_request() {
    let mut kit = Kit::new();
    kit.cache(&MaintenanceStatus::default());
    // What a look at this node would write, were it the first.
    let (gpu_node, nodes) = (kit.cached(), &kit.nodes);
    let seen = read::cached(&nodes.caches, &nodes.wishes, &gpu_node).unwrap();
    let settled = nodes.decide(&seen, Timestamp::now());
    kit.cache(&settled.status);

    let next = kit.nodes.visit(&kit.cached()).await.unwrap();
    assert_eq!(next, Action::requeue(SETTLED));
    assert_eq!(kit.api.asked(), []);
}

/// A pod that is started again is no news of the `GpuNode`.
#[tokio::test]
async fn a_settled_node_with_pods_that_are_cut_off_from_mps_is_read_afresh() {
    let mut kit = Kit::new();
    kit.cache_served(&MaintenanceStatus::default());
    let (gpu_node, nodes) = (kit.cached(), &kit.nodes);
    let seen = read::cached(&nodes.caches, &nodes.wishes, &gpu_node).unwrap();
    let mut settled = nodes.decide(&seen, Timestamp::now()).status;
    kit.cache_served(&settled);
    assert!(kit.nodes.nothing_to_do(&kit.cached()).is_some());

    let (conditions, reason) = (&mut settled.conditions, Reason::MpsClientsCutOff);
    let (kind, now) = ("MpsClientsCutOff", Timestamp::now());
    plan::conditions::set(conditions, kind, Verdict::True, reason, "jobs/a", now);
    kit.cache_served(&settled);
    assert!(kit.nodes.nothing_to_do(&kit.cached()).is_none());
}

#[tokio::test]
async fn conditions_are_about_the_generation_that_was_read() {
    let kit = Kit::new();
    let mut object = gpu_node(&draining());
    object["metadata"]["generation"] = json!(7);
    let refused = Wish::Refused {
        policy: PolicyReference {
            name: "p".to_owned(),
            uid: "u".to_owned(),
            generation: 1,
        },
        problem: Problem {
            reason: ProblemReason::Conflict,
            path: "spec.strategy".to_owned(),
            message: "cannot be had".to_owned(),
        },
    };
    let seen = Seen {
        gpu_node: Arc::new(read(object)),
        wished: Arc::new(Wished {
            policy: None,
            wish: refused,
        }),
        ..seen()
    };
    let step = kit.nodes.decide(&seen, Timestamp::now());
    let conditions = step.status.conditions;
    let pending = conditions
        .iter()
        .find(|it| it.type_ == "MaintenancePending");
    assert_eq!(pending.map(|it| it.status.as_str()), Some("True"));
    let generations: Vec<_> = conditions.iter().map(|it| it.observed_generation).collect();
    assert_eq!(generations, vec![Some(7); generations.len()]);
}

#[tokio::test]
async fn a_gpu_node_is_made_to_belong_to_its_node() {
    let mut kit = Kit::new();
    let mut orphan = gpu_node(&MaintenanceStatus::default());
    orphan["metadata"]["ownerReferences"] = json!([]);
    kit.fillers.nodes.seed([read(node())]);
    kit.fillers.gpu_nodes.seed([read(orphan.clone())]);
    let seen = Seen {
        gpu_node: kit.cached(),
        ..seen()
    };
    let settled = kit.nodes.decide(&seen, Timestamp::now());
    orphan["status"]["maintenance"] = json!(settled.status);
    kit.api.on(&format!("GET {NODE}"), 200, node());
    kit.api.on(&format!("GET {GPU_NODE}"), 200, orphan.clone());
    kit.api.on(&format!("PATCH {GPU_NODE}"), 200, orphan);

    let next = kit.nodes.visit(&kit.cached()).await.unwrap();
    assert_eq!(next, Action::requeue(AT_ONCE));
    assert_eq!(kit.writes(), [format!("PATCH {GPU_NODE}")]);
    let owner = &kit.api.writes()[0].body["metadata"]["ownerReferences"][0];
    assert_eq!(owner["uid"], "node-uid");
}

#[tokio::test]
async fn a_look_afresh_lists_the_pods_of_this_node_and_of_no_other() {
    let kit = Kit::new();
    kit.api.on(&format!("GET {NODE}"), 200, node());
    kit.api
        .on(&format!("GET {GPU_NODE}"), 200, gpu_node(&draining()));
    let nodes = &kit.nodes;
    let nobody = memory::Evictions::new();
    let now = Timestamp::now();
    let read = read::fresh(
        &nodes.cluster,
        &nodes.caches,
        "n1",
        &nobody,
        now,
        &nodes.rules.limits,
    )
    .await;
    assert!(matches!(read, Ok(Fresh::Seen(_))));
    let asked = kit.api.asked();
    let listed = asked.iter().find(|asked| asked.what == PODS).unwrap();
    assert!(
        listed.query.contains("fieldSelector=spec.nodeName%3Dn1"),
        "{listed:?}"
    );
}

#[test]
fn pods_are_protected_for_as_long_as_their_owners_ask() {
    let now: Timestamp = "2026-05-03T12:00:00Z".parse().unwrap();
    let pods = [
        ("always", "true"),
        ("still", "2h"),
        ("no-more", "30m"),
        ("not", "false"),
    ];
    let pods = pods.map(|(name, wish)| {
        let annotations = json!({names::ANNOTATION_DO_NOT_EVICT: wish});
        PodView::of(&read(json!({
            "metadata": {"namespace": "ml", "name": name, "annotations": annotations},
            "status": {"startTime": "2026-05-03T11:00:00Z"},
        })))
    });
    let protected = read::protected(&pods, now);
    assert_eq!(Vec::from_iter(protected), ["ml/always", "ml/still"]);
}

#[tokio::test]
async fn a_deleted_gpu_node_is_forgotten_without_a_failure() {
    let mut kit = Kit::new();
    kit.cache(&draining());
    let next = kit.nodes.visit(&kit.cached()).await.unwrap();
    assert_eq!(next, Action::await_change());
    assert_eq!(kit.writes(), [""; 0]);
}

#[tokio::test]
async fn what_is_remembered_of_a_node_goes_with_it() {
    let mut kit = Kit::new();
    kit.cache(&draining());
    let mut forgetting = Box::pin(kit.nodes.forgetting());
    let reply = plan::drain::Reply::Accepted;
    let memories = kit.nodes.memories.clone();
    memories.answered("n1", &pod("p"), false, &reply, Timestamp::now());
    kit.fillers.gpu_nodes.seed([]);
    assert!(forgetting.next().now_or_never().is_none());
    assert!(memories.evictions("n1").is_empty());
}

#[tokio::test]
async fn a_policy_that_the_cache_is_behind_on_is_waited_for() {
    let mut kit = Kit::new();
    let policy = json!({
        "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuSharingPolicy",
        "metadata": {"name": "p", "uid": "u", "generation": 1, "resourceVersion": "1"},
        "spec": {"strategy": {"type": "Exclusive"}},
    });
    kit.fillers.policies.seed([read(policy)]);
    kit.cache(&draining());
    kit.api.on(&format!("GET {NODE}"), 200, node());
    kit.api
        .on(&format!("GET {GPU_NODE}"), 200, gpu_node(&draining()));
    // The policy is gone, and the cache does not know it yet.
    let next = kit.nodes.visit(&kit.cached()).await.unwrap();
    assert_eq!(next, Action::requeue(SOON));
    assert_eq!(kit.writes(), [""; 0]);
}

#[tokio::test]
async fn a_policy_that_nobody_has_checked_yet_begins_nothing_and_stops_nothing() {
    let policy = json!({
        "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuSharingPolicy",
        "metadata": {"name": "p", "uid": "u", "generation": 2, "resourceVersion": "1"},
        "spec": {"strategy": {"type": "Exclusive"}},
        "status": {"conditions": [{
            "type": "Valid", "status": "True", "reason": "Valid", "message": "",
            "observedGeneration": 1, "lastTransitionTime": "2026-11-23T00:00:00Z",
        }]},
    });
    for (phase, waits) in [
        (Phase::InSync, true),
        (Phase::Pending, true),
        (Phase::Draining, false),
    ] {
        let mut kit = Kit::new();
        kit.fillers.policies.seed([read(policy.clone())]);
        kit.cache(&MaintenanceStatus {
            phase,
            ..MaintenanceStatus::default()
        });
        let next = kit.nodes.visit(&kit.cached()).await;
        let waited = next.is_ok_and(|next| next == Action::requeue(VERDICT));
        assert_eq!(waited, waits, "{phase:?}");
        assert_eq!(kit.api.asked().is_empty(), waits, "{phase:?}");
    }
}

#[tokio::test]
async fn a_status_is_written_only_when_it_says_something_new() {
    let kit = Kit::new();
    let status = format!("PATCH {GPU_NODE}/status");
    kit.api.on(&status, 200, gpu_node(&draining()));
    kit.api.on(EVENTS, 201, json!({"metadata": {}}));
    let mut seen = seen();
    for (changed, writes) in [(true, 3), (false, 2)] {
        let before = kit.writes().len();
        let reported = kit.nodes.report(&mut seen, &step(draining())).await;
        assert_eq!(reported.unwrap(), changed);
        assert_eq!(
            kit.writes().len() - before,
            writes,
            "an event on both objects"
        );
    }
    assert_eq!(kit.writes()[0], status, "the status before the events");
    let about = kit.api.writes()[1..3].to_vec();
    let mut kinds: Vec<_> = about
        .iter()
        .map(|event| event.body["regarding"]["kind"].clone())
        .collect();
    kinds.sort_by_key(ToString::to_string);
    assert_eq!(kinds, ["GpuNode", "Node"]);
}

#[tokio::test]
async fn what_was_not_written_is_not_told() {
    let kit = Kit::new();
    let status = format!("PATCH {GPU_NODE}/status");
    kit.api.on(&status, 409, conflict());
    let reported = kit.nodes.report(&mut seen(), &step(draining())).await;
    assert!(reported.unwrap(), "look again");
    assert_eq!(kit.writes(), [status]);
}

#[tokio::test]
async fn an_operation_that_is_over_is_counted_once() {
    let kit = Kit::new();
    let entry = json!({
        "id": 17, "result": "Succeeded", "reason": "x", "message": "x",
        "startedAt": "2026-11-23T00:00:00.000000Z", "finishedAt": "2026-11-23T00:01:00.000000Z",
        "durations": [{"phase": "Draining", "milliseconds": 1500}],
    });
    let mut over = draining();
    over.history = vec![read(entry)];
    assert_eq!(over.history[0].result, OperationResult::Succeeded);
    kit.nodes.record("n1", &draining(), &over);
    kit.nodes.record("n1", &over, &over);
    let measured = kit.measured();
    assert!(
        measured.contains("operations_total{result=\"Succeeded\"} 1"),
        "{measured}"
    );
    let line = "operation_duration_seconds_sum{phase=\"Draining\"} 1.5";
    assert!(measured.contains(line), "{measured}");
}
