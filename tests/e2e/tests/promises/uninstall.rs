//! `helm uninstall` in the middle of operations: no node keeps our marker, and only our own cordons are undone.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crds::gpu_node::Phase;
use e2e::{Look, NAMESPACE, Program, Query, Workload, eventually};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use nvml_sim::state::{Fault, When};
use serde_json::json;

use crate::look::{FREE, OURS, THEIRS};
use crate::scene::{GPU, SEVEN, Scene, a100, spec};

/// The job's pod does not end by itself: the test does what it would.
const WAITS: &str = "operator.podAnnotations.bed/run=3600";

fn helm(scene: &Scene) -> Command {
    let program = e2e::control_plane_binaries().unwrap().join("helm");
    let mut command = Command::new(program);
    let home = scene.cluster.bed.folder().join("helm");
    command
        .arg("--kubeconfig")
        .arg(scene.cluster.bed.kubeconfig());
    command.args(["--namespace", NAMESPACE]).env("HOME", home);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn chart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../charts/gpu-sharing-operator")
}

/// What was installed from the manifests becomes a release.
fn install(scene: &Scene) {
    let mut command = helm(scene);
    command.args(["install", "gpu-sharing", "--take-ownership"]);
    command.args(["--set-string", WAITS]).arg(chart());
    let said = command.output().unwrap();
    assert!(said.status.success(), "{said:?}");
}

/// Waits until helm has ended.
async fn succeeds(mut helm: Child) {
    let ended = eventually("helm ends", crate::scene::LONG, async || {
        Ok(match helm.try_wait().unwrap() {
            Some(status) => Look::Done(status),
            None => Look::NotYet("it runs".to_owned()),
        })
    });
    assert!(ended.await.unwrap().success());
}

/// Ends the operator as the kubelet does when its pod is deleted.
async fn operator_ends(scene: &mut Scene) {
    let deployments: Api<Deployment> = Api::namespaced(scene.cluster.client.clone(), NAMESPACE);
    let name = "gpu-sharing-operator";
    let is_down = |it: &Deployment| it.spec.as_ref().is_some_and(|it| it.replicas == Some(0));
    e2e::wait_for(&deployments, name, "has no pods", is_down)
        .await
        .unwrap();
    scene.cluster.operator.terminate().await.unwrap();
}

/// The job's pod says that it succeeded.
async fn job_succeeds(scene: &Scene) {
    let pods: Api<Pod> = Api::namespaced(scene.cluster.client.clone(), NAMESPACE);
    let of = ListParams::default().labels("job-name=gpu-sharing-wind-down");
    let pod = pods.list(&of).await.unwrap().items.remove(0);
    let patch = Patch::Merge(json!({"status": {"phase": "Succeeded"}}));
    let params = PatchParams::default();
    pods.patch_status(&pod.name_any(), &params, &patch)
        .await
        .unwrap();
}

/// No slice can be made on the node, so that neither the change nor the way back succeeds.
fn break_slices(scene: &Scene, node: &str) {
    scene.cut_by_hand(node);
    let broken = Fault {
        function: "nvmlDeviceCreateGpuInstanceWithPlacement".to_owned(),
        code: 999,
        when: When::Every,
    };
    scene.cluster.node(node).gpus().inject(broken).unwrap();
}

/// Two nodes that are being drained, one of them cordoned by a person before, and one that a person must look at.
async fn in_the_middle() -> Scene {
    let nodes = ["draining", "theirs", "quarantined"].map(a100);
    let mut scene = Scene::install(nodes).await;
    install(&scene);
    break_slices(&scene, "quarantined");
    let operator = Program::operator(&scene.cluster.bed, "operator").unwrap();
    scene.cluster.operator = operator
        .arg("--lease-duration", "4s")
        .arg("--renew-deadline", "3s")
        .arg("--retry-period", "1s");
    scene.start_programs().await;
    for name in ["draining", "theirs"] {
        scene
            .run_one(&Workload::new(name).asks(GPU, 1).on(name))
            .await;
        scene.protect(name).await;
    }
    let cordon = json!({"spec": {"unschedulable": true}});
    scene.cluster.node("theirs").merge(cordon).await.unwrap();
    for name in ["draining", "theirs"] {
        scene.policy(name, &spec(name, SEVEN, "")).await;
    }
    let halves = "{type: MIG, mig: {layout: {3g.20gb: 2}, adopt: true}}";
    scene
        .policy("quarantined", &spec("quarantined", halves, ""))
        .await;
    scene.wait_phase("draining", Phase::Draining).await;
    scene.wait_phase("theirs", Phase::Draining).await;
    scene.wait_phase("quarantined", Phase::Quarantined).await;
    assert_eq!(scene.standing("draining").await, OURS);
    scene
}

#[tokio::test]
async fn an_uninstall_in_the_middle_leaves_no_marker_and_undoes_only_our_cordons() {
    let mut scene = in_the_middle().await;
    let mark = scene.mark().await;
    let mut uninstall = helm(&scene);
    let uninstall = uninstall
        .args(["uninstall", "gpu-sharing", "--wait"])
        .spawn()
        .unwrap();

    let mut wind_down = Program::wind_down(&scene.cluster.bed).unwrap();
    wind_down.start(&scene.cluster.client).await.unwrap();
    operator_ends(&mut scene).await;
    let since = scene.mark().await;
    assert!(wind_down.wait_ended().await.unwrap().success());
    job_succeeds(&scene).await;
    succeeds(uninstall).await;

    assert_eq!(scene.standing("draining").await, FREE);
    assert_eq!(scene.standing("theirs").await, THEIRS);
    assert_eq!(
        scene.standing("quarantined").await,
        THEIRS,
        "for a person to look at"
    );
    for name in ["draining", "theirs"] {
        assert!(scene.slices(name).is_empty(), "nothing was changed");
        scene.running(name, 1).await;
    }
    let evictions = scene
        .written(Query::writes().since(since).to("pods/eviction"))
        .await;
    assert!(evictions.is_empty(), "{evictions:?}");
    assert!(scene.evicted(mark).await.is_empty());
    assert_eq!(left(&scene).await, Vec::<String>::new());
}

/// What of the chart is still there, in the namespace that it was installed in.
async fn left(scene: &Scene) -> Vec<String> {
    let client = || scene.cluster.client.clone();
    let all = ListParams::default();
    let deployments: Api<Deployment> = Api::namespaced(client(), NAMESPACE);
    let sets: Api<DaemonSet> = Api::namespaced(client(), NAMESPACE);
    let accounts: Api<ServiceAccount> = Api::namespaced(client(), NAMESPACE);
    let mut names: Vec<_> = deployments
        .list(&all)
        .await
        .unwrap()
        .iter()
        .map(ResourceExt::name_any)
        .collect();
    names.extend(
        sets.list(&all)
            .await
            .unwrap()
            .iter()
            .map(ResourceExt::name_any),
    );
    names.extend(
        accounts
            .list(&all)
            .await
            .unwrap()
            .iter()
            .map(ResourceExt::name_any),
    );
    names.retain(|name| name != "default");
    names
}
