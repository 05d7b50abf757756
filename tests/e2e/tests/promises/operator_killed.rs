//! The operator may be killed at any moment. Each node is held in another phase, all of them are there when the
//! operator dies (SIGKILL), and the next one finishes what it finds.

use crds::GpuSharingPolicy;
use crds::gpu_node::{OperationResult, Phase};
use e2e::{NodeSpec, Program, Workload};
use kube::ResourceExt;
use kube::api::DeleteParams;
use nvml_sim::state::{Fault, When};

use crate::barrier::Barrier;
use crate::look::{FREE, OURS};
use crate::scene::{GPU, SEVEN, SMALL, Scene, a100, spec};

/// A scene whose operator's lease is over soon after it died.
async fn scene_with_short_lease(nodes: impl IntoIterator<Item = NodeSpec>) -> Scene {
    let mut scene = Scene::install(nodes).await;
    let operator = Program::operator(&scene.cluster.bed, "operator").unwrap();
    scene.cluster.operator = operator
        .arg("--lease-duration", "4s")
        .arg("--renew-deadline", "3s")
        .arg("--retry-period", "1s");
    scene
}

/// Kills the operator and asserts that it died while the nodes were in these phases.
async fn kill_in(scene: &mut Scene, phases: &[(&str, Phase)]) {
    for (node, phase) in phases {
        scene.wait_phase(node, *phase).await;
    }
    scene.cluster.operator.kill();
    for (node, phase) in phases {
        let found = scene.cluster.gpu_nodes().get(node).await.unwrap();
        assert_eq!(crate::look::phase(&found), *phase, "{node}");
    }
}

/// One policy per node, called like it.
async fn policies(scene: &Scene, specs: &[(&str, &str, &str)]) -> Vec<GpuSharingPolicy> {
    let mut policies = Vec::new();
    for (node, strategy, rest) in specs {
        policies.push(scene.policy(node, &spec(node, strategy, rest)).await);
    }
    policies
}

#[tokio::test]
async fn killed_before_anything_is_destroyed() {
    let nodes = ["preparing", "waiting", "draining"].map(a100);
    let barred = [
        a100("cordoning").label("barrier", "cordon"),
        a100("releasing").label("barrier", "uncordon"),
    ];
    let mut scene = scene_with_short_lease(nodes.into_iter().chain(barred)).await;
    scene.start_programs().await;
    let barrier = Barrier::raise(&scene).await;
    for name in ["draining", "releasing"] {
        scene
            .run_one(&Workload::new(name).asks(GPU, 1).on(name))
            .await;
        scene.protect(name).await;
    }
    scene
        .run_bare(&Workload::new("job").label("kind", "batch").on("waiting"))
        .await;
    scene.cluster.agent("preparing").unwrap().pause().unwrap();

    let mark = scene.mark().await;
    let jobs = "maintenance: {drain: {waitForCompletion: {podSelector: {matchLabels: {kind: batch}}, timeout: 1h}}}";
    let policies = policies(
        &scene,
        &[
            ("preparing", SEVEN, ""),
            ("cordoning", SEVEN, ""),
            ("waiting", SEVEN, jobs),
            ("draining", SEVEN, ""),
            ("releasing", SEVEN, "maintenance: {drain: {timeout: 1s}}"),
        ],
    )
    .await;
    let phases = [
        ("releasing", Phase::Releasing),
        ("draining", Phase::Draining),
        ("waiting", Phase::WaitingJobs),
        ("cordoning", Phase::Cordoning),
        ("preparing", Phase::Preparing),
    ];
    kill_in(&mut scene, &phases).await;
    assert_eq!(
        scene.standing("draining").await,
        OURS,
        "nobody else may uncordon it"
    );

    barrier.lower().await;
    scene.cluster.agent("preparing").unwrap().resume().unwrap();
    scene
        .pods
        .delete("job", &DeleteParams::default())
        .await
        .unwrap();
    scene.unprotect("draining").await;
    scene.start_operator().await;
    for policy in &policies[..4] {
        let name = policy.name_any();
        let done = scene.in_sync(&name, policy).await;
        assert_eq!(
            done.history.len(),
            1,
            "one operation, taken up again: {:?}",
            done.history
        );
        assert_eq!(scene.standing(&name).await, FREE, "{name}");
        assert_eq!(scene.slices(&name), ["1g.5gb"; 7]);
    }
    let over = scene.wait_over("releasing").await;
    assert_eq!(
        (over.result, over.reason.as_str()),
        (OperationResult::Failed, "DrainTimedOut")
    );
    assert_eq!(scene.standing("releasing").await, FREE);
    assert!(scene.slices("releasing").is_empty());
    let evicted = scene.evicted(mark).await;
    assert!(
        evicted.len() == 1 && evicted[0].starts_with("draining-"),
        "{evicted:?}"
    );
}

/// Milliseconds that creating an instance takes: so long that two of them outlast the rest of the scene, and so long that
/// the seven of a rollback do.
const SLOW: [u64; 2] = [8000, 1500];
const CREATE: &str = "nvmlDeviceCreateGpuInstanceWithPlacement";
const HALVES: &str = "{type: MIG, mig: {layout: {3g.20gb: 2}, adopt: true}}";

fn fail(scene: &Scene, node: &str, when: When) {
    let fault = Fault {
        function: CREATE.to_owned(),
        code: 999,
        when,
    };
    scene.cluster.node(node).gpus().inject(fault).unwrap();
}

#[tokio::test]
async fn killed_after_something_was_destroyed() {
    let nodes = ["repartitioning", "rolling-back", "quarantined"].map(a100);
    let barred = [
        a100("validating").label("barrier", "advertise"),
        a100("uncordoning").label("barrier", "uncordon"),
    ];
    let mut scene = scene_with_short_lease(nodes.into_iter().chain(barred)).await;
    for node in ["rolling-back", "quarantined"] {
        scene.cut_by_hand(node);
    }
    scene.start_programs().await;
    let barrier = Barrier::raise(&scene).await;
    fail(&scene, "rolling-back", When::Nth(2));
    fail(&scene, "quarantined", When::Every);
    for (node, millis) in ["repartitioning", "rolling-back"].into_iter().zip(SLOW) {
        let gpus = scene.cluster.node(node).gpus();
        gpus.delay(CREATE, millis).unwrap();
    }

    let mut all = policies(
        &scene,
        &[
            ("validating", SEVEN, ""),
            ("uncordoning", SEVEN, ""),
            ("quarantined", HALVES, ""),
        ],
    )
    .await;
    let steady = [
        ("validating", Phase::Validating),
        ("uncordoning", Phase::Uncordoning),
        ("quarantined", Phase::Quarantined),
    ];
    for (node, phase) in steady {
        scene.wait_phase(node, phase).await;
    }
    all.extend(
        policies(
            &scene,
            &[("repartitioning", HALVES, ""), ("rolling-back", HALVES, "")],
        )
        .await,
    );
    let passing = [
        ("rolling-back", Phase::RollingBack),
        ("repartitioning", Phase::Repartitioning),
    ];
    kill_in(&mut scene, &[&passing[..], &steady].concat()).await;

    barrier.lower().await;
    scene.start_operator().await;
    for policy in all
        .iter()
        .filter(|it| !["quarantined", "rolling-back"].contains(&it.name_any().as_str()))
    {
        let name = policy.name_any();
        let done = scene.in_sync(&name, policy).await;
        assert_eq!(
            done.history.len(),
            1,
            "one operation, taken up again: {:?}",
            done.history
        );
        assert_eq!(scene.standing(&name).await, FREE, "{name}");
    }
    let over = scene.wait_over("rolling-back").await;
    assert_eq!(over.result, OperationResult::RolledBack, "{over:?}");
    assert_eq!(scene.standing("rolling-back").await, FREE);
    assert_eq!(scene.slices("rolling-back"), ["1g.5gb"; 7]);
    scene
        .cluster
        .node("rolling-back")
        .wait_allocatable(&[(SMALL, 7)])
        .await
        .unwrap();
    scene.quiet().await;
    scene.wait_phase("quarantined", Phase::Quarantined).await;
    assert_eq!(scene.standing("quarantined").await, OURS);
}
