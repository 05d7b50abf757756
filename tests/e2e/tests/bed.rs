//! The bed itself: what the tests of the product take for granted. All share one bed, and keep to
//! a node and a namespace of their own.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do; clippy exempts the tests alone"
)]

use std::time::{Duration, Instant};

use e2e::{
    Evicted, FakeNode, Fleet, Guest, History, Look, NodeSpec, PATIENCE, PluginConfigMap, Query,
    Workload, apply, eventually, evict, extended, parse, wait_for, wait_gone,
};
use k8s_openapi::api::core::v1::{ConfigMap, Node, Pod};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use serde_json::json;

const A100: &str = "A100-SXM4-40GB";
const T4: &str = "T4";
const GPU: &str = "nvidia.com/gpu";
const SLICE: &str = "nvidia.com/mig-1g.5gb";
const LABEL: &str = "nvidia.com/device-plugin.config";

/// One test's part of the bed: a namespace and a node of the same name.
struct Part {
    client: Client,
    pods: Api<Pod>,
    configs: Api<ConfigMap>,
    node: FakeNode,
    name: &'static str,
    _fleet: Fleet,
    bed: Guest,
}

async fn part(name: &'static str, product: &str) -> Part {
    let bed = e2e::Bed::shared().await.unwrap();
    let client = bed.client().await.unwrap();
    bed.create_namespace(name).await.unwrap();
    let configs: Api<ConfigMap> = Api::namespaced(client.clone(), name);
    let mixed = "flags: {migStrategy: mixed}";
    let shared = "sharing: {timeSlicing: {failRequestsGreaterThanOne: true, resources: [{name: gpu, replicas: 4}]}}";
    let data = json!({"mixed": mixed, "mixed-again": mixed, "shared": shared});
    let config = json!({"metadata": {"name": "configs"}, "data": data});
    let config = serde_json::from_value(config).unwrap();
    configs
        .create(&PostParams::default(), &config)
        .await
        .unwrap();
    let place = PluginConfigMap {
        namespace: name.to_owned(),
        name: "configs".to_owned(),
    };
    let mut fleet = Fleet::with_plugin_configs(&bed, place).await.unwrap();
    let node = fleet
        .add(NodeSpec::new(name).gpus(product, 1))
        .await
        .unwrap();
    Part {
        pods: Api::namespaced(client.clone(), name),
        client,
        configs,
        node,
        name,
        _fleet: fleet,
        bed,
    }
}

impl Part {
    async fn create(&self, workload: Workload) {
        let pod = workload.on(self.name).pod();
        self.pods
            .create(&PostParams::default(), &pod)
            .await
            .unwrap();
    }

    async fn in_phase(&self, name: &str, phase: &str) -> Pod {
        let is = |pod: &Pod| pod.status.as_ref().and_then(|s| s.phase.as_deref()) == Some(phase);
        wait_for(&self.pods, name, phase, is).await.unwrap()
    }

    async fn gone(&self, pod: &Pod) {
        let uid = pod.metadata.uid.as_deref();
        wait_gone(&self.pods, &pod.name_any(), uid).await.unwrap();
    }

    fn cut(&self, profile: &str) -> String {
        let gpus = self.node.gpus();
        if !gpus.state().unwrap().gpus[0].mig_enabled() {
            gpus.set_mig_mode(0, true).unwrap();
        }
        gpus.create_instance(0, profile, None).unwrap()
    }

    async fn processes_on(&self, mig_uuid: &str, count: usize) {
        let what = format!("{count} processes on {mig_uuid}");
        let look = async || {
            let processes = self.node.gpus().gpus()?.remove(0).processes;
            let here = processes
                .iter()
                .filter(|p| p.mig_uuid.as_deref() == Some(mig_uuid));
            Ok(if here.count() == count {
                Look::Done(())
            } else {
                Look::NotYet(format!("{processes:?}"))
            })
        };
        eventually(&what, PATIENCE, look).await.unwrap();
    }
}

/// (pod, devices) as the kubelet tells an agent.
async fn listed(node: &FakeNode) -> Vec<(String, Vec<String>)> {
    let answer = node.list_pod_resources().await.unwrap();
    let pods = answer.pod_resources.into_iter().map(|pod| {
        let devices = pod
            .containers
            .into_iter()
            .flat_map(|container| container.devices);
        (
            pod.name,
            devices.flat_map(|device| device.device_ids).collect(),
        )
    });
    pods.collect()
}

#[tokio::test]
async fn a_pod_waits_for_its_slice_holds_it_and_gives_it_back() {
    let part = part("slice", A100).await;
    part.create(Workload::new("a").asks(SLICE, 1).drains_in(2))
        .await;
    let slice = part.cut("1g.5gb");
    part.node.label(json!({LABEL: "mixed"})).await.unwrap();
    part.node.wait_allocatable(&[(SLICE, 1)]).await.unwrap();

    let pod = part.in_phase("a", "Running").await;
    assert_eq!(
        listed(&part.node).await,
        [("a".to_owned(), vec![slice.clone()])]
    );
    part.processes_on(&slice, 1).await;
    part.node.gpus().destroy_instance(&slice).unwrap_err();

    part.pods
        .delete("a", &DeleteParams::default())
        .await
        .unwrap();
    part.gone(&pod).await;
    part.processes_on(&slice, 0).await;
    part.node.gpus().destroy_instance(&slice).unwrap();
}

#[tokio::test]
async fn devices_are_read_only_when_the_label_selects_another_config_that_is_there() {
    let part = part("reread", A100).await;
    part.cut("1g.5gb");
    part.node.label(json!({LABEL: "mixed"})).await.unwrap();
    part.node.wait_allocatable(&[(SLICE, 1)]).await.unwrap();
    let nodes: Api<Node> = Api::all(part.client.clone());
    let history = History::of(nodes, "metadata.name=reread").await.unwrap();

    part.cut("2g.10gb");
    let other = json!({"data": {"mixed": "flags: {migStrategy: none}"}});
    let params = PatchParams::default();
    let patch = Patch::Merge(other);
    part.configs
        .patch("configs", &params, &patch)
        .await
        .unwrap();
    part.node.label(json!({LABEL: "nowhere"})).await.unwrap();
    let look = async || {
        let log = part.node.log();
        Ok(if log.contains("specified config nowhere does not exist") {
            Look::Done(())
        } else {
            Look::NotYet(log)
        })
    };
    let what = "the sidecar has seen the label";
    eventually(what, PATIENCE, look).await.unwrap();
    part.node
        .label(json!({LABEL: "mixed-again"}))
        .await
        .unwrap();

    let advertised = |node: &Node| {
        let mut all = extended(node);
        all.retain(|_, count| *count > 0);
        all.into_keys().collect::<Vec<_>>()
    };
    let larger = "nvidia.com/mig-2g.10gb";
    let has_larger = |node: &Node| advertised(node).contains(&larger.to_owned());
    history.until("both slices", has_larger).await.unwrap();
    assert_eq!(
        history.steps(advertised).await.unwrap(),
        [vec![SLICE], vec![SLICE, larger]]
    );
}

#[tokio::test]
async fn a_pod_that_the_plugin_refuses_fails_as_under_a_kubelet() {
    let part = part("refused", T4).await;
    part.node.label(json!({LABEL: "shared"})).await.unwrap();
    part.node.wait_allocatable(&[(GPU, 4)]).await.unwrap();
    part.create(Workload::new("greedy").asks(GPU, 2)).await;
    let pod = part.in_phase("greedy", "Failed").await;
    let status = pod.status.unwrap();
    assert_eq!(status.reason.as_deref(), Some("UnexpectedAdmissionError"));
    assert!(
        status
            .message
            .unwrap()
            .contains("maximum request size for shared resources is 1")
    );
    assert_eq!(listed(&part.node).await, []);
}

#[tokio::test]
async fn a_pod_drains_as_long_as_it_says_and_its_grace_allows() {
    let part = part("grace", T4).await;
    for (name, drain, grace, at_least) in
        [("quick", 0, 30, 0), ("slow", 3, 30, 2), ("cut", 60, 3, 2)]
    {
        part.create(Workload::new(name).drains_in(drain).grace(grace))
            .await;
        let pod = part.in_phase(name, "Running").await;
        let asked = Instant::now();
        assert_eq!(evict(&part.pods, name).await.unwrap(), Evicted::Accepted);
        part.gone(&pod).await;
        // Deletion times count whole seconds: a pod may end up to one second early.
        assert!(
            asked.elapsed() > Duration::from_secs(at_least),
            "{name}: {:?}",
            asked.elapsed()
        );
    }
}

#[tokio::test]
async fn a_disruption_budget_refuses_an_eviction() {
    let part = part("budget", T4).await;
    let budgets: Api<PodDisruptionBudget> = Api::namespaced(part.client.clone(), "budget");
    let spec = json!({"minAvailable": 1, "selector": {"matchLabels": {"app": "a"}}});
    let budget = serde_json::from_value(json!({"metadata": {"name": "b"}, "spec": spec})).unwrap();
    budgets
        .create(&PostParams::default(), &budget)
        .await
        .unwrap();
    part.create(Workload::new("a")).await;
    let pod = part.in_phase("a", "Running").await;
    let counted =
        |b: &PodDisruptionBudget| b.status.as_ref().is_some_and(|s| s.current_healthy == 1);
    wait_for(&budgets, "b", "counts the pod", counted)
        .await
        .unwrap();
    match evict(&part.pods, "a").await.unwrap() {
        Evicted::Refused(why) => assert!(why.contains("needs 1 healthy pods and has 1"), "{why}"),
        Evicted::Accepted => panic!("evicted against its budget"),
    }
    budgets.delete("b", &DeleteParams::default()).await.unwrap();
    assert_eq!(evict(&part.pods, "a").await.unwrap(), Evicted::Accepted);
    part.gone(&pod).await;
}

#[tokio::test]
async fn the_audit_log_has_each_write_with_its_writer_and_leaves_out_the_players() {
    let part = part("audited", T4).await;
    let mark = part.bed.audit().mark(&part.client).await.unwrap();
    part.node.label(json!({LABEL: "shared"})).await.unwrap();
    part.node.wait_allocatable(&[(GPU, 4)]).await.unwrap();
    let written = Query::writes().since(mark).named("audited");
    let found = part
        .bed
        .audit()
        .settled(&part.client, &written)
        .await
        .unwrap();
    let (ours, others): (Vec<_>, Vec<_>) = found.iter().partition(|r| r.user == "admin");
    assert_eq!(ours.len(), 1, "{found:?}");
    assert_eq!((ours[0].verb.as_str(), ours[0].code), ("patch", 200));
    assert_eq!(ours[0].object.resource, "nodes");
    assert_eq!(ours[0].request["metadata"]["labels"][LABEL], "shared");
    let played = |user: &str| ["fleet", "kwok", "system:kube-scheduler"].contains(&user);
    assert!(!others.iter().any(|r| played(&r.user)), "{others:?}");
}

#[tokio::test]
async fn manifests_are_applied_in_the_order_that_they_need() {
    let bed = e2e::Bed::shared().await.unwrap();
    let client = bed.client().await.unwrap();
    let mut objects = parse(
        "test",
        "{apiVersion: gpusharing.dev/v1alpha1, kind: GpuSharingPolicy, metadata: {name: applied},\
         spec: {nodeSelector: {matchLabels: {pool: none}}, strategy: {type: Exclusive}}}\n---\n\
         {apiVersion: v1, kind: ServiceAccount, metadata: {name: a, namespace: applied}}\n---\n\
         {apiVersion: v1, kind: Namespace, metadata: {name: applied}}",
    )
    .unwrap();
    for definition in crds::definitions().unwrap() {
        let json = serde_json::to_string(&definition).unwrap();
        objects.extend(parse("definition", &json).unwrap());
    }
    apply(&client, objects).await.unwrap();
    let policies: Api<crds::GpuSharingPolicy> = Api::all(client);
    let names = policies.list(&ListParams::default()).await.unwrap();
    assert_eq!(names.items[0].name_any(), "applied");
}

#[tokio::test]
async fn a_bed_ends_when_it_is_asked_to_and_leaves_nothing() {
    let bed = e2e::Bed::start().await.unwrap();
    let folder = bed.folder().to_owned();
    bed.stop().await.unwrap();
    bed.client()
        .await
        .unwrap()
        .apiserver_version()
        .await
        .unwrap_err();
    drop(bed);
    assert!(!folder.exists());
}
