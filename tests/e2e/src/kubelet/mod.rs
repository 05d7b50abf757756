//! What of a kubelet has to do with GPUs: handing out devices, and telling who has them.

mod demand;
mod device_manager;
mod pod_resources;
mod processes;

pub use demand::{DEVICES, PodDemand};
pub use device_manager::DeviceManager;
pub use pod_resources::{
    ContainerDevices, ContainerResources, ListResponse, PodResources, PodResourcesServer, ask,
};
pub use processes::Processes;
