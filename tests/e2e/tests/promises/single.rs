//! Slices that are called like whole GPUs, for pods that ask for nothing else.

use e2e::Workload;
use kube::ResourceExt;
use serde_json::json;

use crate::scene::{GPU, SEVEN, SMALL, Scene, a100, spec};

#[tokio::test]
async fn slices_are_advertised_as_gpus_and_no_slice_is_handed_out_under_two_names() {
    let scene = Scene::start([a100("n1")]).await;
    let node = scene.cluster.node("n1");
    let policy = scene.policy("p", &spec("n1", SEVEN, "")).await;
    scene.in_sync("n1", &policy).await;
    let model = Workload::new("model").asks(SMALL, 1);
    let holds = scene.run_one(&model).await.name_any();

    // Under its new name the slice would be free to the scheduler: the pod that has it leaves first.
    let mark = scene.mark().await;
    let single = json!({"strategy": {"mig": {"advertise": "Single"}}});
    let policy = scene.change_policy("p", single).await;
    let changed = scene.in_sync("n1", &policy).await;
    assert_eq!(scene.evicted(mark).await, [holds]);
    assert_eq!(scene.slices("n1"), ["1g.5gb"; 7]);
    let labels = node.wait_allocatable(&[(GPU, 7)]).await.unwrap();
    assert_eq!(labels.labels()["gpusharing.dev/strategy"], "mig");
    assert_eq!(
        labels.labels()["gpusharing.dev/memory-isolation"],
        "hardware"
    );

    scene.run(&Workload::new("seven").asks(GPU, 1), 7).await;
    let listed = node.list_pod_resources().await.unwrap();
    let ids = listed.pod_resources.iter().flat_map(|pod| &pod.containers);
    let ids = ids.flat_map(|it| &it.devices).flat_map(|it| &it.device_ids);
    let mut ids: Vec<_> = ids.collect();
    assert!(ids.iter().all(|id| id.starts_with("MIG-")), "{ids:?}");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 7);

    // Seven more pods, and nobody is disturbed.
    let mark = scene.mark().await;
    let shared = json!({"strategy": {"mig": {"timeSlicing": {"replicas": 2}}}});
    let policy = scene.change_policy("p", shared).await;
    let after = scene.in_sync("n1", &policy).await;
    let labels = node.wait_allocatable(&[(GPU, 14)]).await.unwrap();
    assert_eq!(labels.labels()["gpusharing.dev/max-sharers"], "2");
    assert_eq!(after.history.len(), changed.history.len());
    assert!(scene.evicted(mark).await.is_empty());
    assert!(scene.cordons(mark).await.is_empty());
}
