//! How each program is started.

use std::path::Path;

use super::Component;
use super::ports::Ports;

/// The command line of a component whose bed is in `folder`.
pub fn of(component: Component, folder: &Path, ports: &Ports) -> Vec<String> {
    let at = folder.display().to_string();
    match component {
        Component::Etcd => etcd(&at, ports),
        Component::ApiServer => api_server(&at, ports),
        Component::ControllerManager => controller_manager(&at, ports),
        Component::Scheduler => scheduler(&at, ports),
        Component::Kwok => kwok(&at, ports),
    }
}

/// The data is worth nothing after the test: no fsync.
fn etcd(at: &str, ports: &Ports) -> Vec<String> {
    let client = format!("http://127.0.0.1:{}", ports.etcd);
    let peer = format!("http://127.0.0.1:{}", ports.etcd_peer);
    vec![
        format!("--data-dir={at}/etcd"),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
    ]
}

/// It makes its own certificate in `pki`, which clients then trust.
fn api_server(at: &str, ports: &Ports) -> Vec<String> {
    vec![
        format!("--etcd-servers=http://127.0.0.1:{}", ports.etcd),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", ports.api_server),
        format!("--cert-dir={at}/pki"),
        format!("--token-auth-file={at}/tokens.csv"),
        "--authorization-mode=RBAC".to_owned(),
        "--allow-privileged=true".to_owned(),
        "--service-cluster-ip-range=10.96.0.0/24".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-signing-key-file={at}/pki/sa.key"),
        format!("--service-account-key-file={at}/pki/sa.pub"),
        format!("--audit-policy-file={at}/audit.yaml"),
        format!("--audit-log-path={at}/audit.log"),
        "--shutdown-delay-duration=0s".to_owned(),
    ]
}

fn controller_manager(at: &str, ports: &Ports) -> Vec<String> {
    let mut flags = controller("controller-manager", ports.controller_manager, at);
    flags.extend([
        "--use-service-account-credentials=true".to_owned(),
        format!("--service-account-private-key-file={at}/pki/sa.key"),
        format!("--root-ca-file={at}/pki/apiserver.crt"),
        "--kube-api-qps=200".to_owned(),
        "--kube-api-burst=400".to_owned(),
    ]);
    flags
}

fn scheduler(at: &str, ports: &Ports) -> Vec<String> {
    let mut flags = controller("scheduler", ports.scheduler, at);
    flags.extend([
        "--kube-api-qps=500".to_owned(),
        "--kube-api-burst=1000".to_owned(),
    ]);
    flags
}

/// What the controller manager and the scheduler have in common.
fn controller(name: &str, port: u16, at: &str) -> Vec<String> {
    vec![
        format!("--kubeconfig={at}/kube/{name}"),
        format!("--authentication-kubeconfig={at}/kube/{name}"),
        format!("--authorization-kubeconfig={at}/kube/{name}"),
        "--leader-elect=false".to_owned(),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        format!("--cert-dir={at}/pki/{name}"),
    ]
}

/// Without leases its nodes would turn not ready and back every 50 s.
fn kwok(at: &str, ports: &Ports) -> Vec<String> {
    vec![
        format!("--kubeconfig={at}/kube/kwok"),
        format!("--config={at}/stages.yaml"),
        "--manage-all-nodes=false".to_owned(),
        "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake".to_owned(),
        "--node-ip=10.90.0.2".to_owned(),
        "--cidr=10.92.0.0/16".to_owned(),
        "--node-lease-duration-seconds=40".to_owned(),
        format!("--server-address=127.0.0.1:{}", ports.kwok),
    ]
}
