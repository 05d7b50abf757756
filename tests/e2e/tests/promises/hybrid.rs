//! Pods take turns inside slices, as many as the policy says for each profile.

use std::collections::BTreeSet;

use crds::names::{LABEL_MAX_SHARERS, LABEL_PLUGIN_CONFIG};
use e2e::{Record, Workload};
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::scene::{LARGE, SMALL, Scene, a100, spec};

/// Two pods share the large slice, four each of the small ones.
const HYBRID: &str = "{type: MIG, mig: {layout: {3g.20gb: 1, 1g.5gb: 2}, timeSlicing: {replicas: 2, perProfile: {1g.5gb: 4}}}}";

fn replicas(large: i32, small: i32) -> Value {
    let shared = json!({"replicas": large, "perProfile": {"1g.5gb": small}});
    json!({"strategy": {"mig": {"timeSlicing": shared}}})
}

#[tokio::test]
async fn pods_share_slices_and_another_number_of_replicas_disturbs_none_of_them() {
    let scene = Scene::start([a100("n1")]).await;
    let node = scene.cluster.node("n1");
    let policy = scene.policy("p", &spec("n1", HYBRID, "")).await;
    let cut = scene.in_sync("n1", &policy).await;
    let shared = node.wait_allocatable(&[(LARGE, 2), (SMALL, 8)]).await;
    let labels = shared.unwrap().labels().clone();
    assert_eq!(labels["gpusharing.dev/strategy"], "mig-time-slicing");
    assert_eq!(labels["gpusharing.dev/memory-isolation"], "none");
    assert_eq!(labels[LABEL_MAX_SHARERS], "4");

    let large = scene.run(&Workload::new("large").asks(LARGE, 1), 2).await;
    let small = scene.run(&Workload::new("small").asks(SMALL, 1), 8).await;
    assert_eq!(slices_of(&scene, "large").await.len(), 1);
    assert_eq!(slices_of(&scene, "small").await.len(), 2);

    let mark = scene.mark().await;
    let policy = scene.change_policy("p", replicas(3, 6)).await;
    let changed = scene.in_sync("n1", &policy).await;
    node.wait_allocatable(&[(LARGE, 3), (SMALL, 12)])
        .await
        .unwrap();
    assert_eq!(changed.history.len(), cut.history.len(), "no operation");
    assert!(scene.cordons(mark).await.is_empty());
    assert!(scene.evicted(mark).await.is_empty());
    for (app, before) in [("large", large), ("small", small)] {
        let uids = |pods: &[k8s_openapi::api::core::v1::Pod]| -> Vec<_> {
            pods.iter().map(ResourceExt::uid).collect()
        };
        assert_eq!(uids(&scene.pods_of(app).await), uids(&before));
    }
    promised_only_what_was_so(&scene.operator_writes(mark).await);
}

/// What was promised is withdrawn with the write that makes the plugin hand out more, and promised anew after it.
fn promised_only_what_was_so(writes: &[Record]) {
    let labels = writes.iter().filter(|it| it.object.resource == "nodes");
    let labels = labels.map(|it| &it.request["metadata"]["labels"]);
    let told: Vec<_> = labels
        .filter_map(|labels| {
            let labels = labels.as_object()?;
            Some((
                labels.contains_key(LABEL_PLUGIN_CONFIG),
                labels.get(LABEL_MAX_SHARERS)?.clone(),
            ))
        })
        .collect();
    assert_eq!(told, [(true, Value::Null), (false, json!("6"))]);
}

/// Fewer than there are is a change for the window, and says which pods are too many on what.
#[tokio::test]
async fn fewer_replicas_than_pods_wait_for_the_window_and_say_why() {
    let scene = Scene::start([a100("n1")]).await;
    let shared = "{type: MIG, mig: {layout: {3g.20gb: 1, 1g.5gb: 2}, timeSlicing: {replicas: 3}}}";
    let policy = scene.policy("p", &spec("n1", shared, "")).await;
    scene.in_sync("n1", &policy).await;
    let large = scene.run(&Workload::new("large").asks(LARGE, 1), 3).await;
    let small = scene.run(&Workload::new("small").asks(SMALL, 1), 1).await;

    let mark = scene.mark().await;
    let closed =
        json!({"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z", "reason": "freeze"});
    let mut fewer = replicas(2, 2);
    let midnights = json!([{"start": "00:00", "end": "00:00"}]);
    fewer["maintenance"] =
        json!({"windows": midnights, "minRemaining": "1s", "blackouts": [closed]});
    scene.change_policy("p", fewer).await;
    let waits = scene.wait_reason("n1", "WindowClosed").await;
    let sentence = waits.waiting_for.unwrap();
    let why = "3 pods are on 3g.20gb at slice ";
    assert!(
        sentence.contains(why) && sentence.ends_with("of GPU 0, and 2 may be"),
        "{sentence}"
    );
    let mut names: Vec<_> = large.iter().map(ResourceExt::name_any).collect();
    names.sort();
    let victims: Vec<_> = names.iter().map(|name| format!("default/{name}")).collect();
    assert_eq!(waits.plan.unwrap().victims, victims);
    assert!(scene.evicted(mark).await.is_empty());

    let open = json!({"maintenance": {"blackouts": null}});
    let policy = scene.change_policy("p", open).await;
    scene.in_sync("n1", &policy).await;
    let mut evicted = scene.evicted(mark).await;
    evicted.sort();
    assert_eq!(evicted, names);
    let node = scene.cluster.node("n1");
    node.wait_allocatable(&[(LARGE, 2), (SMALL, 4)])
        .await
        .unwrap();
    assert_eq!(scene.pods_of("small").await[0].uid(), small[0].uid());
}

/// The devices that pods of a Deployment have.
async fn slices_of(scene: &Scene, app: &str) -> BTreeSet<String> {
    let listed = scene.cluster.node("n1").list_pod_resources().await.unwrap();
    let pods = listed.pod_resources.into_iter();
    let pods = pods.filter(|pod| pod.name.starts_with(&format!("{app}-")));
    let containers = pods.flat_map(|pod| pod.containers);
    let devices = containers.flat_map(|container| container.devices);
    let ids = devices.flat_map(|devices| devices.device_ids);
    ids.filter_map(|id| Some(id.split_once("::")?.0.to_owned()))
        .collect()
}
