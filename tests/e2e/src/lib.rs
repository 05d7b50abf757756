//! The test bed: a real Kubernetes control plane on one machine, with nodes and GPUs that are played.
//!
//! ```text
//!   etcd, kube-apiserver, kube-controller-manager, kube-scheduler     real        control_plane
//!   KWOK                         the life of nodes and pods, with real grace periods
//!   Fleet ── FakeNode ──┬── DevicePlugin    NVIDIA's device plugin by its contract, warts included
//!                       ├── Kubelet         hands out devices, serves PodResources, runs "processes"
//!                       ├── Mps             NVIDIA's own MPS daemon, run by our agent
//!                       └── nvml_sim        the GPUs: a state file under libnvidia-ml.so.1
//!   Program                      our operator and agents: the real binaries, with the real rights
//!   Proxy                        what goes wrong between a program and the API server
//! ```
//!
//! A test starts a [`Bed`], puts nodes into a [`Fleet`], and waits for conditions with [`wait_for`]
//! and [`eventually()`]. What happened is in [`Bed::audit`].
#![expect(
    clippy::print_stderr,
    reason = "a test that fails says where its logs are"
)]

mod audit;
mod bed;
mod child;
mod cluster;
mod control_plane;
mod device_plugin;
mod dice;
mod error;
mod eventually;
mod fleet;
mod history;
mod http_get;
mod install;
mod kubelet;
mod mps;
mod program;
mod proxy;
mod watchdog;
mod workload;

pub use audit::{Audit, Mark, ObjectRef, Query, Record};
pub use bed::{Bed, Guest};
pub use cluster::Cluster;
pub use control_plane::{Component, Identity, control_plane_binaries};
pub use dice::Dice;
pub use error::{Error, Result};
pub use eventually::{Look, PATIENCE, POLL, eventually, shown, wait_for, wait_gone, wait_within};
pub use fleet::{FakeNode, Fleet, NodeSpec, PluginConfigMap, extended};
pub use history::{Change, History};
pub use http_get::http_get;
pub use install::{NAMESPACE, apply, install_product, parse};
pub use kubelet::{ContainerDevices, ContainerResources, ListResponse, PodResources};
pub use mps::Mps;
pub use program::{Metrics, Program, built};
pub use proxy::{Fault, Proxy, Weather};
pub use workload::{Evicted, Workload, evict};
