//! What nvidia-smi says of the GPUs, read back into what our agent reports.
//!
//! It is asked as a person asks it, in five commands: no single one shows all.

mod cells;
mod gpus;
mod instances;
mod list;
mod log;
mod profiles;

use crds::gpu_node::{GpuProcess, GpuStatus, MigInstance};

use crate::{Error, Inventory, Machine, Output, Result};
use instances::{Compute, Instance};
use list::Listed;
use log::Logged;

/// NVML's `NOT_FOUND`, with which nvidia-smi ends when there is none of what is to be listed.
const NONE: i32 = 6;

impl Machine {
    /// Asks nvidia-smi for all that it shows of what the agent reports.
    ///
    /// # Errors
    /// A command fails, or prints something unknown.
    pub fn nvidia_smi_inventory(&self) -> Result<Inventory> {
        let (driver_version, gpus) = gpus::read(self)?;
        let profiles = profiles::read(self)?;
        let (instances, computes) = instances::read(self)?;
        let (listed, logged) = (list::read(self)?, log::read(self)?);
        let whole = |mut gpu: GpuStatus| {
            let of = gpu.index;
            let offers = profiles.iter().filter(|(index, _)| *index == of);
            gpu.profiles = offers.map(|(_, offer)| offer.clone()).collect();
            let devices = devices(&gpu, &listed, &logged)?;
            gpu.instances = instances_of(of, &instances, &computes, &devices);
            gpu.processes = processes_of(&gpu.uuid, &logged, &devices)?;
            Ok(gpu)
        };
        Ok(Inventory {
            driver_version,
            gpus: gpus.into_iter().map(whole).collect::<Result<_>>()?,
        })
    }

    /// The text of a listing; empty if there is nothing to be listed.
    fn listing(&self, arguments: &[&str]) -> Result<(String, String)> {
        let output = self.smi(arguments)?;
        let command = output.command.clone();
        if output.code == Some(NONE) {
            return Ok((command, String::new()));
        }
        Ok((command, output.success()?))
    }

    /// The id of the GPU instance at a place: nvidia-smi destroys by it.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn gpu_instance_id(&self, gpu: i32, start: i32) -> Result<u32> {
        let (instances, _) = instances::read(self)?;
        let found = instances.iter().find(|i| i.gpu == gpu && i.start == start);
        found.map(|i| i.id).ok_or_else(|| Error::Unreadable {
            command: "nvidia-smi mig -lgi".to_owned(),
            why: format!("no instance at slice {start} of GPU {gpu}"),
        })
    }
}

impl Output {
    fn unreadable(command: &str, why: impl Into<String>) -> Error {
        Error::Unreadable {
            command: command.to_owned(),
            why: why.into(),
        }
    }
}

/// A MIG device, from two listings in the same order.
struct Device<'a> {
    /// Of the GPU instance and of the compute instance.
    ids: (u32, u32),
    uuid: &'a str,
}

fn devices<'a>(gpu: &GpuStatus, listed: &'a [Listed], logged: &Logged) -> Result<Vec<Device<'a>>> {
    let listed: Vec<_> = listed
        .iter()
        .filter(|device| device.gpu == gpu.index)
        .collect();
    let logged: Vec<_> = logged
        .devices
        .iter()
        .filter(|device| device.gpu == gpu.uuid)
        .collect();
    if listed.len() != logged.len() {
        let (listed, logged, gpu) = (listed.len(), logged.len(), gpu.index);
        let why = format!("{listed} MIG devices of GPU {gpu}, where -q -x has {logged}");
        return Err(Output::unreadable("nvidia-smi -L", why));
    }
    let pairs = listed.into_iter().zip(logged);
    let device = |(listed, logged): (&'a Listed, &log::Device)| Device {
        ids: logged.ids,
        uuid: &listed.uuid,
    };
    Ok(pairs.map(device).collect())
}

fn instances_of(
    gpu: i32,
    instances: &[Instance],
    computes: &[Compute],
    devices: &[Device<'_>],
) -> Vec<MigInstance> {
    let of_gpu = instances.iter().filter(|instance| instance.gpu == gpu);
    of_gpu
        .map(|instance| {
            let uuid = only_device(instance, computes, devices);
            let parts = match uuid {
                Some(_) => Vec::new(),
                None => devices_in(instance, devices),
            };
            MigInstance {
                profile: instance.profile.clone(),
                start: instance.start,
                size: instance.size,
                uuid,
                parts,
                owned: false,
            }
        })
        .collect()
}

/// The MIG device of an instance that one compute instance fills.
fn only_device(
    instance: &Instance,
    computes: &[Compute],
    devices: &[Device<'_>],
) -> Option<String> {
    let inside = |compute: &&Compute| compute.gpu == instance.gpu && compute.of == instance.id;
    let inside: Vec<_> = computes.iter().filter(inside).collect();
    let [only] = inside[..] else { return None };
    let device = devices
        .iter()
        .find(|device| device.ids == (instance.id, only.id))?;
    (only.profile == instance.profile).then(|| device.uuid.to_owned())
}

/// The MIG devices of an instance, by number.
fn devices_in(instance: &Instance, devices: &[Device<'_>]) -> Vec<String> {
    let mut inside: Vec<_> = devices
        .iter()
        .filter(|device| device.ids.0 == instance.id)
        .collect();
    inside.sort_by_key(|device| device.ids);
    inside.iter().map(|device| device.uuid.to_owned()).collect()
}

fn processes_of(gpu: &str, logged: &Logged, devices: &[Device<'_>]) -> Result<Vec<GpuProcess>> {
    let of_gpu = logged.processes.iter().filter(|process| process.gpu == gpu);
    of_gpu
        .map(|process| {
            let device = match process.ids {
                None => gpu,
                Some(ids) => devices
                    .iter()
                    .find(|device| device.ids == ids)
                    .map(|device| device.uuid)
                    .ok_or_else(|| {
                        let why = format!("process {} is on no MIG device", process.pid);
                        Output::unreadable("nvidia-smi -q -x", why)
                    })?,
            };
            Ok(GpuProcess {
                pid: process.pid,
                device: device.to_owned(),
            })
        })
        .collect()
}
