//! Who holds which device, by the kubelet's `PodResources` API.

mod messages;
#[cfg(test)]
pub mod played;
mod pod_resources;

pub use pod_resources::Kubelet;
