//! The bed itself: what the tests of the product take for granted.

use e2e::{Bed, Evicted, FakeNode, Fleet, NodeSpec, Query, Workload, evict, wait_for, wait_gone};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{DeleteParams, PostParams};
use kube::{Api, Client};
use serde_json::json;

const A100: &str = "A100-SXM4-40GB";
const SLICE: &str = "nvidia.com/mig-1g.5gb";
const LABEL: &str = "nvidia.com/device-plugin.config";

struct Stage {
    client: Client,
    fleet: Fleet,
    pods: Api<Pod>,
    // Last: it outlives what runs in it.
    bed: Bed,
}

/// A bed, a namespace `team`, and configs `mixed` and `mixed-again` for the device plugins.
async fn stage() -> Stage {
    let bed = Bed::start().await.unwrap();
    let client = bed.client().await.unwrap();
    let params = PostParams::default();
    let namespaces: Api<Namespace> = Api::all(client.clone());
    for name in ["team", "gpu-operator"] {
        let namespace = serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
        namespaces.create(&params, &namespace).await.unwrap();
    }
    bed.namespace_is_usable("team").await.unwrap();
    let configs: Api<ConfigMap> = Api::namespaced(client.clone(), "gpu-operator");
    let mixed = "flags: {migStrategy: mixed}";
    let config = json!({"metadata": {"name": "gpu-sharing-device-plugin"}, "data": {"mixed": mixed, "mixed-again": mixed}});
    let config = serde_json::from_value(config).unwrap();
    configs.create(&params, &config).await.unwrap();
    Stage {
        fleet: Fleet::start(&bed).await.unwrap(),
        pods: Api::namespaced(client.clone(), "team"),
        client,
        bed,
    }
}

impl Stage {
    async fn create(&self, workload: &Workload) {
        let params = PostParams::default();
        self.pods.create(&params, &workload.pod()).await.unwrap();
    }

    async fn running(&self, name: &str) -> Pod {
        wait_for(&self.pods, name, "Running", |pod| phase(pod) == "Running")
            .await
            .unwrap()
    }
}

fn phase(pod: &Pod) -> &str {
    let status = pod.status.as_ref();
    status
        .and_then(|status| status.phase.as_deref())
        .unwrap_or_default()
}

/// (pod, devices) as the kubelet tells it.
fn listed(node: &FakeNode) -> Vec<(String, Vec<String>)> {
    let pods = node.list_pod_resources().pod_resources.into_iter();
    pods.map(|pod| {
        let devices = pod
            .containers
            .into_iter()
            .flat_map(|container| container.devices);
        (
            pod.name,
            devices.flat_map(|device| device.device_ids).collect(),
        )
    })
    .collect()
}

#[tokio::test]
async fn a_pod_gets_a_slice_when_the_plugin_has_read_it_and_frees_it_when_it_is_gone() {
    let mut stage = stage().await;
    let node = NodeSpec::new("n1").gpus(A100, 1);
    let node = stage.fleet.add(node).await.unwrap();
    stage
        .create(&Workload::new("a").asks(SLICE, 1).drains_in(2).grace(30))
        .await;

    node.gpus().set_mig_mode(0, true).unwrap();
    let slice = node.gpus().create_instance(0, "1g.5gb", None).unwrap();
    node.label(json!({LABEL: "mixed"})).await.unwrap();
    node.wait_allocatable(&[(SLICE, 1)]).await.unwrap();
    let pod = stage.running("a").await;
    assert_eq!(listed(&node), [("a".to_owned(), vec![slice.clone()])]);
    let processes = || node.gpus().gpus().unwrap()[0].processes.clone();
    e2e::eventually(
        "the container's process is on the GPU",
        e2e::PATIENCE,
        async || {
            Ok(match processes().first() {
                Some(process) => {
                    e2e::Look::Done(assert_eq!(process.mig_uuid.as_ref(), Some(&slice)))
                }
                None => e2e::Look::NotYet("no process".to_owned()),
            })
        },
    )
    .await
    .unwrap();
    node.gpus().destroy_instance(&slice).unwrap_err();

    let asked = std::time::Instant::now();
    stage
        .pods
        .delete("a", &DeleteParams::default())
        .await
        .unwrap();
    wait_gone(&stage.pods, "a", pod.metadata.uid.as_deref())
        .await
        .unwrap();
    // Deletion times count whole seconds: a drain of 2 s may end 1 s early.
    assert!(asked.elapsed().as_secs_f64() > 0.9, "{:?}", asked.elapsed());
    e2e::eventually("the process is gone", e2e::PATIENCE, async || {
        Ok(match processes().len() {
            0 => e2e::Look::Done(()),
            n => e2e::Look::NotYet(format!("{n} processes")),
        })
    })
    .await
    .unwrap();
    node.gpus().destroy_instance(&slice).unwrap();
}
