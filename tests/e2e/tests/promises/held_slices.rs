//! Held slices that stay are not evicted.

use std::collections::BTreeMap;

use e2e::Workload;
use kube::ResourceExt;
use serde_json::json;

use crate::scene::{SMALL, Scene, a100};

/// Of seven small slices four stay beside one large one, which takes the place of the other three: those on the left
/// or those on the right, whichever disturbs fewer pods.
#[tokio::test]
async fn only_the_pods_on_slices_that_must_go_are_evicted() {
    let mut scene = Scene::install([a100("n1")]).await;
    scene.cut_by_hand("n1");
    scene.start_programs().await;
    let seven = "{strategy: {type: MIG, mig: {layout: {1g.5gb: 7}, adopt: true}}}";
    let policy = scene.policy("p", seven).await;
    let adopted = scene.in_sync("n1", &policy).await;
    assert!(adopted.history.is_empty(), "{:?}", adopted.history);

    let workload = Workload::new("model").asks(SMALL, 1).drains_in(1);
    let pods = scene.run(&workload, 5).await;
    let starts = starts(&scene).await;
    let (left, right): (Vec<_>, Vec<_>) = starts.iter().partition(|(_, start)| **start < 4);
    let (goes, stays) = if left.len() < right.len() {
        (left, right)
    } else {
        (right, left)
    };
    assert!(!goes.is_empty() && !stays.is_empty(), "{starts:?}");
    let devices = scene.devices("n1");
    let mark = scene.mark().await;

    let layout = json!({"1g.5gb": 4, "3g.20gb": 1});
    let policy = scene
        .change_policy("p", json!({"strategy": {"mig": {"layout": layout}}}))
        .await;
    let waits = scene
        .wait_node("n1", "shows its plan", |status| status.plan.is_some())
        .await;
    let plan = waits.plan.unwrap();
    let named = |pods: &[(&String, &u32)]| -> Vec<String> {
        pods.iter()
            .map(|(name, _)| format!("default/{name}"))
            .collect()
    };
    assert_eq!(
        (plan.victims, plan.untouched),
        (named(&goes), named(&stays))
    );
    scene.in_sync("n1", &policy).await;

    let mut evicted = scene.evicted(mark).await;
    evicted.sort();
    let victims: Vec<_> = goes.iter().map(|(name, _)| (*name).clone()).collect();
    assert_eq!(evicted, victims);
    let now = scene.pods_of("model").await;
    for (name, start) in stays {
        let is = |it: &&_| ResourceExt::name_any(*it) == *name;
        let (before, after) = (pods.iter().find(is), now.iter().find(is));
        assert_eq!(before.unwrap().uid(), after.unwrap().uid());
        let of = |devices: &[(u32, String)]| devices.iter().find(|it| it.0 == *start).cloned();
        assert_eq!(
            of(&devices),
            of(&scene.devices("n1")),
            "slice {start} was made anew"
        );
    }
    assert_eq!(
        scene
            .slices("n1")
            .iter()
            .filter(|it| *it == "3g.20gb")
            .count(),
        1
    );
}

/// Where the pods sit: the first memory slice of each one's device.
async fn starts(scene: &Scene) -> BTreeMap<String, u32> {
    let devices = scene.devices("n1");
    let start = |uuid: &String| devices.iter().find(|(_, it)| it == uuid).map(|it| it.0);
    let listed = scene.cluster.node("n1").list_pod_resources().await.unwrap();
    let pods = listed.pod_resources.into_iter().filter_map(|pod| {
        let mut held = pod
            .containers
            .into_iter()
            .flat_map(|container| container.devices);
        let uuid = held.next()?.device_ids.into_iter().next()?;
        Some((pod.name, start(&uuid)?))
    });
    pods.collect()
}
