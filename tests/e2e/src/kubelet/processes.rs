//! A process on the simulated GPU for each container that runs and has a device.

use std::collections::BTreeMap;

use nvml_sim::{Client, SimulatedNode};

use super::{DeviceManager, PodDemand};

/// Small enough for many to share the smallest slice.
const MEMORY_MIB: u64 = 256;

/// The processes of one node's containers.
#[derive(Debug)]
pub struct Processes {
    next: u32,
    /// By pod UID and container.
    running: BTreeMap<(String, String), u32>,
}

impl Default for Processes {
    fn default() -> Self {
        Self {
            next: 10_000,
            running: BTreeMap::new(),
        }
    }
}

impl Processes {
    /// Starts and ends processes so that they are those of `pods`.
    ///
    /// A process whose device is gone is not started: its pod goes on without one, as a real one would
    /// until it calls CUDA. Returns what the driver refused.
    pub fn sync(
        &mut self,
        pods: &[PodDemand],
        devices: &DeviceManager,
        gpus: &SimulatedNode,
    ) -> Vec<nvml_sim::Error> {
        let mut refused = self.end_others(pods, gpus);
        for pod in pods.iter().filter(|pod| pod.running) {
            for (container, allocation) in devices.of(&pod.uid).into_iter().flatten() {
                let key = (pod.uid.clone(), container.clone());
                if allocation.is_empty() || self.running.contains_key(&key) {
                    continue;
                }
                let pid = self.next;
                self.next += 1;
                self.running.insert(key, pid);
                let name = format!("{}/{}/{container}", pod.namespace, pod.name);
                let uuids = allocation.iter().map(|(_, device)| device.uuid());
                refused.extend(uuids.filter_map(|uuid| attach(gpus, uuid, pid, &name).err()));
            }
        }
        refused
    }

    fn end_others(&mut self, pods: &[PodDemand], gpus: &SimulatedNode) -> Vec<nvml_sim::Error> {
        let runs = |uid: &str| pods.iter().any(|pod| pod.uid == uid && !pod.ended);
        let ended = self.running.extract_if(.., |(uid, _), _| !runs(uid));
        ended
            .filter_map(|(_, pid)| match gpus.detach(pid) {
                // It never had a device, or a reboot ended it.
                Ok(()) | Err(nvml_sim::Error::NoProcess(_)) => None,
                Err(error) => Some(error),
            })
            .collect()
    }
}

fn attach(gpus: &SimulatedNode, uuid: &str, pid: u32, name: &str) -> Result<(), nvml_sim::Error> {
    let client = Client {
        pid,
        name: name.to_owned(),
        memory_mib: MEMORY_MIB,
    };
    let all = gpus.gpus()?;
    match all.iter().find(|gpu| gpu.uuid == uuid) {
        Some(gpu) => gpus.attach(gpu.index, client),
        None => gpus.attach_mig(uuid, client),
    }
}
