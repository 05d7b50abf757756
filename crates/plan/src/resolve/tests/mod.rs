//! Policies on nodes: tables.

mod across;
mod alike;
mod assignment;
mod branch;
mod brute;
mod checks;
mod counts;
mod goals;
mod matching;
mod matrix;
mod mps;
mod neighbours;
mod scale;
mod sharing;
mod single;
mod winners;
mod workload;

use crds::GpuSharingPolicy;
use crds::gpu_node::{GpuStatus, Holder, MigInstance, MigMode, MigModeStatus};
use serde_json::{Value, json};

use crate::layout::tests::hardware::offers;

fn policy(spec: Value) -> GpuSharingPolicy {
    let object = json!({
        "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuSharingPolicy",
        "metadata": {"name": "p", "uid": "u", "generation": 3, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": spec,
    });
    serde_json::from_value(object).unwrap()
}

fn mig(layout: Value) -> GpuSharingPolicy {
    policy(json!({"strategy": {"type": "MIG", "mig": {"layout": layout}}}))
}

/// An A100 in MIG mode with these instances (profile, start, size), all ours.
fn a100(index: i32, instances: &[(&str, i32, i32)]) -> GpuStatus {
    let instance = |&(profile, start, size): &(&str, i32, i32)| MigInstance {
        profile: profile.to_owned(),
        start,
        size,
        uuid: Some(format!("MIG-{index}-{start}")),
        parts: Vec::new(),
        owned: true,
    };
    GpuStatus {
        index,
        uuid: format!("GPU-{index}"),
        product: "NVIDIA A100-SXM4-40GB".to_owned(),
        memory_mib: 40960,
        compute_capability: Some("8.0".to_owned()),
        mig: MigModeStatus {
            current: MigMode::Enabled,
            pending: MigMode::Enabled,
        },
        instances: instances.iter().map(instance).collect(),
        profiles: offers("A100-SXM4-40GB"),
        compute_mode: None,
        mps: None,
        holders: Vec::new(),
        processes: Vec::new(),
    }
}

fn t4(index: i32) -> GpuStatus {
    GpuStatus {
        product: "Tesla T4".to_owned(),
        mig: MigModeStatus {
            current: MigMode::NotSupported,
            pending: MigMode::NotSupported,
        },
        profiles: Vec::new(),
        ..a100(index, &[])
    }
}

/// A pod of namespace `a` on the instance that starts there.
fn holds(mut gpu: GpuStatus, pod: &str, start: i32) -> GpuStatus {
    gpu.holders.push(Holder {
        namespace: "a".to_owned(),
        pod: pod.to_owned(),
        container: "main".to_owned(),
        device: format!("MIG-{}-{start}", gpu.index),
        resource: String::new(),
    });
    gpu
}
