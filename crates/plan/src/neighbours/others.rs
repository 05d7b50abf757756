//! Those that divide GPUs by their own rules, each by what it writes on a Node.

use std::collections::BTreeMap;

/// `HAMi`'s device plugin registers a node's GPUs here (`Project-HAMi/HAMi` v2.10.0, `pkg/device/nvidia/device.go:42`, written by
/// `pkg/device-plugin/nvidiadevice/nvinternal/plugin/register.go:298`). Its handshake, `hami.io/node-handshake`, is written
/// every minute and says no more.
const HAMI: &str = "hami.io/node-nvidia-register";
/// nos divides the GPUs of nodes with this label: `mig`, `mps` or `hybrid` (`nebuly-ai/nos` 0.1.2,
/// `pkg/api/nos.nebuly.com/v1alpha1/labels.go`).
const NOS: &str = "nos.nebuly.com/gpu-partitioning";
/// `InstaSlice` has a node advertise slices that it has yet to make, by these prefixes (`openshift/instaslice-operator`, to
/// 2024 `internal/controller/constants.go:20`; since v0.0.3 `pkg/daemonset/deviceplugins/device.go:198`).
const INSTASLICE: [&str; 2] = ["org.instaslice/", "mig.das.com/"];
/// NVIDIA's GPU operator runs the DRA driver on nodes where this is `true` (`NVIDIA/gpu-operator` v26.7.0,
/// `controllers/state_manager.go:78`). Other installations are seen by their `ResourceSlices`.
const DRA_DRIVER: &str = "nvidia.com/gpu.deploy.dra-driver";

/// Whether an annotation of a Node is read here.
pub fn is_read_annotation(key: &str) -> bool {
    key == HAMI
}

/// Whether a resource of a Node is read here.
pub fn is_read_resource(name: &str) -> bool {
    INSTASLICE.iter().any(|prefix| name.starts_with(prefix))
}

/// Who divides the GPUs of a node with these labels, annotations and resources, and by what that is seen.
pub(super) fn manager<'a>(
    labels: &BTreeMap<String, String>,
    annotations: &BTreeMap<String, String>,
    mut resources: impl Iterator<Item = &'a String>,
) -> Option<String> {
    let hami = || {
        let devices = annotations.get(HAMI)?;
        let is_any = !matches!(devices.as_str(), "" | "[]");
        is_any.then(|| format!("HAMi hands out the GPUs of this node (annotation {HAMI})"))
    };
    let nos = || {
        let kind = labels.get(NOS).filter(|kind| !kind.is_empty())?;
        Some(format!(
            "nos divides the GPUs of this node (label {NOS}={kind})"
        ))
    };
    let instaslice = || {
        let name = resources.find(|name| is_read_resource(name))?;
        Some(format!(
            "InstaSlice divides the GPUs of this node (resource {name})"
        ))
    };
    let dra = || {
        let is_on = labels.get(DRA_DRIVER).is_some_and(|value| value == "true");
        is_on.then(|| {
            format!("NVIDIA's DRA driver hands out the GPUs of this node (label {DRA_DRIVER}=true)")
        })
    };
    hami().or_else(nos).or_else(instaslice).or_else(dra)
}

/// The same of one who has published this `ResourceSlice` (`NVIDIA/k8s-dra-driver-gpu` v0.5.0-dev,
/// `cmd/gpu-kubelet-plugin/main.go:42`: its driver is `gpu.nvidia.com`).
pub(super) fn dra_driver(slice: &str) -> String {
    format!("NVIDIA's DRA driver hands out the GPUs of this node (ResourceSlice {slice})")
}
