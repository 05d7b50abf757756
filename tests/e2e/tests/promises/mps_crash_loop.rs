//! A daemon that keeps dying takes its node out of service, and its clients with it if the policy says so.

use crds::gpu_node::Phase;
use e2e::{Look, Workload, eventually};
use kube::ResourceExt;

use crate::look::{OURS, condition};
use crate::mps::{answers, control, mps, two_gpus};
use crate::scene::{GPU, LONG, Scene, spec};

/// So often it may die.
const DEATHS: usize = 5;

#[tokio::test]
async fn a_daemon_that_keeps_dying_costs_its_clients_the_node_and_nobody_else() {
    let Some(control) = control() else { return };
    let scene = Scene::start([two_gpus(Some(&control))]).await;
    let strategy = "{type: MPS, mps: {replicas: 4}}";
    let evict = "maintenance: {onMpsCrashLoop: Evict}";
    let policy = scene.policy("p", &spec("n1", strategy, evict)).await;
    scene.in_sync("n1", &policy).await;
    let clients = scene.run(&Workload::new("model").asks(GPU, 1), 2).await;
    let web = scene.run_one(&Workload::new("web").on("n1")).await;
    let mark = scene.mark().await;
    for _ in 0..DEATHS {
        answers(&scene, Some("25.0")).await;
        assert!(scene.evicted(mark).await.is_empty());
        die(&scene).await;
    }

    let kept = scene.wait_phase("n1", Phase::Quarantined).await;
    let quarantined = condition(&kept.conditions, "Quarantined").unwrap();
    assert_eq!(
        (quarantined.status.as_str(), quarantined.reason.as_str()),
        ("True", "MpsCrashLooping")
    );
    assert!(
        quarantined.message.contains("GPU 0, 1"),
        "{}",
        quarantined.message
    );
    assert_eq!(scene.standing("n1").await, OURS);
    let names: Vec<_> = clients.iter().map(ResourceExt::name_any).collect();
    eventually("its clients are evicted", LONG, async || {
        let mut evicted = scene.evicted(mark).await;
        evicted.sort();
        Ok(if evicted == names {
            Look::Done(())
        } else {
            Look::NotYet(format!("{evicted:?}"))
        })
    })
    .await
    .unwrap();
    scene.quiet().await;
    assert_eq!(scene.evicted(mark).await.len(), names.len());
    assert_eq!(scene.pods_of("web").await[0].uid(), web.uid());
    assert_eq!(scene.standing("n1").await, OURS);
}

/// Kills the daemon and waits until it is dead.
async fn die(scene: &Scene) {
    let daemons = mps(scene).daemons();
    mps(scene).kill(&daemons);
    eventually("the daemon is dead", LONG, async || {
        let alive = mps(scene).daemons();
        Ok(if daemons.iter().any(|it| alive.contains(it)) {
            Look::NotYet(format!("{alive:?}"))
        } else {
            Look::Done(())
        })
    })
    .await
    .unwrap();
}
