//! The kubelet's device manager: which container has which device.
//!
//! By `pkg/kubelet/cm/devicemanager`: devices are given when a pod is admitted and stay with it until
//! it is gone or has ended, whatever becomes of the devices; a pod that cannot have its devices
//! fails with `UnexpectedAdmissionError` and is not tried again.

use std::collections::{BTreeMap, BTreeSet};

use super::PodDemand;
use crate::device_plugin::{Device, DevicePlugin};

/// The devices of one container: (resource, device).
pub type Allocation = Vec<(String, Device)>;

/// Who has what on one node.
#[derive(Debug, Default)]
pub struct DeviceManager {
    /// By UID: the devices by container, or why it was refused.
    pods: BTreeMap<String, Result<BTreeMap<String, Allocation>, String>>,
}

impl DeviceManager {
    /// Gives a pod its devices; one that has them keeps them, and one that was refused stays so.
    ///
    /// # Errors
    /// The message of its `UnexpectedAdmissionError`.
    pub fn admit(&mut self, pod: &PodDemand, plugin: &DevicePlugin) -> Result<(), String> {
        if !self.pods.contains_key(&pod.uid) {
            let given = self.give(pod, plugin);
            self.pods.insert(pod.uid.clone(), given);
        }
        match self.pods.get(&pod.uid) {
            Some(Err(message)) => Err(message.clone()),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    fn give(
        &self,
        pod: &PodDemand,
        plugin: &DevicePlugin,
    ) -> Result<BTreeMap<String, Allocation>, String> {
        let mut given = BTreeMap::new();
        let mut taken = self.taken();
        for (container, resources) in &pod.containers {
            let mut devices = Allocation::new();
            for (resource, count) in resources {
                let chosen = choose(plugin, resource, *count, &taken)?;
                let named = chosen.into_iter().map(|device| (resource.clone(), device));
                devices.extend(named);
            }
            taken.extend(devices.iter().cloned());
            given.insert(container.clone(), devices);
        }
        Ok(given)
    }

    /// Takes the devices of all pods but these.
    pub fn retain(&mut self, uids: &BTreeSet<&str>) {
        self.pods.retain(|uid, _| uids.contains(uid.as_str()));
    }

    /// The devices of a pod by container; none if it was not admitted.
    pub fn of(&self, uid: &str) -> Option<&BTreeMap<String, Allocation>> {
        self.pods.get(uid)?.as_ref().ok()
    }

    /// Whether the pod was refused.
    pub fn has_refused(&self, uid: &str) -> bool {
        self.pods.get(uid).is_some_and(Result::is_err)
    }

    /// The devices of a pod for a person.
    pub fn names_of(&self, uid: &str) -> String {
        let devices = self
            .of(uid)
            .into_iter()
            .flat_map(BTreeMap::values)
            .flatten();
        let names: Vec<_> = devices
            .map(|(resource, device)| format!("{resource}={}", device.id))
            .collect();
        names.join(" ")
    }

    fn taken(&self) -> Allocation {
        let given = self.pods.values().flatten();
        given
            .flat_map(BTreeMap::values)
            .flatten()
            .cloned()
            .collect()
    }
}

/// Spread over GPUs, as the plugin's default `distributed` policy would have it: always a device of
/// the GPU of which the fewest are taken.
fn choose(
    plugin: &DevicePlugin,
    resource: &str,
    count: usize,
    taken: &Allocation,
) -> Result<Vec<Device>, String> {
    let served = plugin.resources().get(resource);
    let served = served.map_or(&[][..], |resource| &resource.devices);
    let is_taken = |device: &Device| {
        taken
            .iter()
            .any(|(of, held)| of == resource && held.id == device.id)
    };
    let mut free: Vec<_> = served.iter().filter(|device| !is_taken(device)).collect();
    if free.len() < count {
        return Err(format!(
            "Allocate failed due to requested number of devices unavailable for {resource}. \
             Requested: {count}, Available: {}, which is unexpected",
            free.len()
        ));
    }
    if !plugin.allows(resource, count) {
        return Err(format!(
            "Allocate failed due to rpc error: code = Unknown desc = invalid allocation request for \"{resource}\": \
             invalid request: maximum request size for shared resources is 1; found {count}, which is unexpected"
        ));
    }
    let mut load: BTreeMap<usize, usize> = BTreeMap::new();
    for (_, device) in taken {
        *load.entry(device.gpu).or_default() += 1;
    }
    let mut chosen = Vec::new();
    for _ in 0..count {
        let loads = |device: &&Device| load.get(&device.gpu).copied().unwrap_or(0);
        let least = (0..free.len()).min_by_key(|index| loads(&free[*index]));
        let Some(device) = least.map(|index| free.remove(index)) else {
            break;
        };
        *load.entry(device.gpu).or_default() += 1;
        chosen.push(device.clone());
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests;
