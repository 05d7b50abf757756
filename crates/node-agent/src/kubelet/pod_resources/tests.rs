//! What is taken from the kubelet's account, over a real socket.

use crds::gpu_node::Holder;
use tokio::net::UnixListener;

use super::Kubelet;
use crate::kubelet::played::{PlayedKubelet, pod};
use crate::world::holder;

#[tokio::test]
async fn every_device_of_nvidias_has_a_holder_without_its_replicas_suffix() {
    let folder = tempfile::tempdir().unwrap();
    let played = PlayedKubelet::listen(folder.path());
    played.set(vec![
        pod("b", "nvidia.com/gpu", &["GPU-1::3", "GPU-1::4"]),
        pod("a", "nvidia.com/mig-1g.5gb", &["MIG-1"]),
        pod("c", "vendor.com/nic", &["eth0"]),
        pod("d", "nvidia.com/gpu", &[]),
    ]);
    let holders = Kubelet::new(played.socket()).holders().await.unwrap();
    let named = |pod: &str, device: &str, resource: &str| Holder {
        resource: resource.to_owned(),
        ..holder(pod, device)
    };
    assert_eq!(
        holders,
        [
            named("a", "MIG-1", "nvidia.com/mig-1g.5gb"),
            named("b", "GPU-1", "nvidia.com/gpu"),
        ]
    );
    played.set(Vec::new());
    let holders = Kubelet::new(played.socket()).holders().await.unwrap();
    assert_eq!(holders, []);
}

#[tokio::test]
async fn a_kubelet_that_is_not_there_is_an_error_and_no_idle_node() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("kubelet.sock");
    let kubelet = Kubelet::new(socket.clone());
    for _ in 0..2 {
        let error = kubelet.holders().await.unwrap_err().to_string();
        assert!(error.contains("--pod-resources-socket"), "{error}");
        // A file without a listener behind it, the second time.
        drop(UnixListener::bind(&socket));
    }
}

#[tokio::test]
async fn a_kubelet_that_refuses_is_an_error_and_no_idle_node() {
    let folder = tempfile::tempdir().unwrap();
    let played = PlayedKubelet::listen(folder.path());
    played.refuse();
    let error = Kubelet::new(played.socket()).holders().await.unwrap_err();
    assert!(error.to_string().contains("does not list its pods"));
}
