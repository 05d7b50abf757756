//! NVIDIA's own MPS daemon on a node.

use k8s_openapi::api::core::v1::{Container, Pod};

/// The program that its pod runs, in the device plugin's chart and in the GPU operator (`NVIDIA/k8s-device-plugin` v0.20.0,
/// `templates/daemonset-mps-control-daemon.yml:155`; `NVIDIA/gpu-operator` v26.7.0,
/// `assets/state-mps-control-daemon/0400_daemonset.yaml:78`).
const PROGRAM: &str = "mps-control-daemon";

/// Whether it is a pod of that daemon. Whatever else stands in its way, it mounts the shared memory anew and sets compute modes
/// when it starts, and tells the daemon at its pipe directory to quit when it ends.
pub(crate) fn is_mps_daemon(pod: &Pod) -> bool {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    containers.into_iter().any(runs_it)
}

fn runs_it(container: &Container) -> bool {
    let program = container.command.iter().flatten().next();
    program.is_some_and(|path| path.rsplit('/').next() == Some(PROGRAM))
}
