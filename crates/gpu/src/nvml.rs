//! The driver as NVIDIA's library gives it.

mod call;
mod compute_mode;
mod counts;
mod instances;
mod inventory;
mod mig_device;
mod mode;
mod processes;
mod profiles;
mod raw;
mod reset;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crds::gpu_node::{ComputeMode, GpuStatus, PlacedProfile, ProfileOffer};
use nvml_wrapper::Device;
use nvml_wrapper::error::NvmlError;

use crate::{Code, Driver, Error, Inventory};
use call::{Answer, Failure, wrapped};
use instances::Instance;
pub use reset::ResetCommand;

/// NVIDIA's driver library, loaded and started. It is shut down on drop.
#[derive(Debug)]
pub struct Nvml {
    library: nvml_wrapper::Nvml,
    path: PathBuf,
    reset: ResetCommand,
    /// UUIDs by NVML's index, as last read: a GPU that is lost does not tell its own any more.
    seen: BTreeMap<u32, String>,
}

impl Nvml {
    /// Loads the library from this file, or by this name (`libnvidia-ml.so.1`) where the system's loader finds it, and
    /// starts it.
    ///
    /// # Errors
    /// [`Error::Library`], [`Error::Init`]; worth a retry while a driver is being installed.
    pub fn load(library: &Path) -> Result<Self, Error> {
        let loaded = nvml_wrapper::Nvml::builder()
            .lib_path(library.as_os_str())
            .init();
        let path = library.to_path_buf();
        match loaded {
            Ok(library) => Ok(Self {
                library,
                path,
                reset: ResetCommand::new("nvidia-smi"),
                seen: BTreeMap::new(),
            }),
            Err(NvmlError::LibloadingError(error)) => Err(Error::Library {
                path,
                reason: error.to_string(),
            }),
            Err(NvmlError::FailedToLoadSymbol(reason)) => Err(Error::Library { path, reason }),
            Err(other) => Err(Error::Init {
                path,
                code: Code(other.into()),
            }),
        }
    }

    /// Resets GPUs with this command instead of the `nvidia-smi` in `PATH`.
    #[must_use]
    pub fn with_reset(self, reset: ResetCommand) -> Self {
        Self { reset, ..self }
    }

    /// The GPU with this UUID.
    fn device(&self, gpu: &str) -> Result<Device<'_>, Error> {
        let found = wrapped(
            "nvmlDeviceGetHandleByUUID",
            self.library.device_by_uuid(gpu),
        );
        found.map_err(|failure| match failure.code {
            Code::NOT_FOUND | Code::INVALID_ARGUMENT => Error::NoSuchGpu(gpu.to_owned()),
            _ => failure.on_gpu(gpu),
        })
    }

    /// Changes something about an instance; `doing` is the verb and what of it, for errors.
    fn change<'nvml, T>(
        &'nvml self,
        gpu: &str,
        at: &PlacedProfile,
        doing: &str,
        work: impl FnOnce(&Instance<'nvml>) -> Answer<T>,
    ) -> Result<T, Error> {
        let device = self.device(gpu)?;
        let offer = offer(&device, gpu, at)?;
        let instances = instances::of_profile(&device, &offer);
        let instances = instances.map_err(|failure| failure.on_gpu(gpu))?;
        let instance = instances.iter().find(|instance| instance.start == at.start);
        let instance = instance.ok_or_else(|| Error::NoSuchInstance {
            gpu: gpu.to_owned(),
            profile: at.profile.clone(),
            start: at.start,
        })?;
        work(instance).map_err(|failure| failure.doing(&described(doing, at), gpu))
    }

    /// Reads a GPU and remembers its UUID.
    fn read(&mut self, index: u32) -> Result<GpuStatus, Error> {
        let uuid = self.uuid(index)?;
        self.seen.insert(index, uuid.clone());
        let device = self.device(&uuid)?;
        inventory::read(&device, index, uuid.clone()).map_err(|failure| failure.on_gpu(&uuid))
    }

    fn uuid(&self, index: u32) -> Result<String, Error> {
        let device = wrapped(
            "nvmlDeviceGetHandleByIndex_v2",
            self.library.device_by_index(index),
        );
        let uuid = device.and_then(|device| wrapped("nvmlDeviceGetUUID", device.uuid()));
        let name = || {
            self.seen
                .get(&index)
                .cloned()
                .unwrap_or_else(|| index.to_string())
        };
        uuid.map_err(|failure| failure.on_gpu(&name()))
    }
}

impl Driver for Nvml {
    fn inventory(&mut self) -> Result<Inventory, Error> {
        let version = wrapped(
            "nvmlSystemGetDriverVersion",
            self.library.sys_driver_version(),
        );
        let count = wrapped("nvmlDeviceGetCount_v2", self.library.device_count());
        Ok(Inventory {
            driver_version: version.map_err(Failure::of_library)?,
            gpus: (0..count.map_err(Failure::of_library)?)
                .map(|index| self.read(index))
                .collect::<Result<_, _>>()?,
        })
    }

    fn set_mig_mode(&mut self, gpu: &str, enabled: bool) -> Result<(), Error> {
        let doing = format!("turn MIG mode {}", if enabled { "on" } else { "off" });
        let set = wrapped(
            "nvmlDeviceSetMigMode",
            self.device(gpu)?.set_mig_mode(enabled),
        );
        let status = set.map_err(|failure| failure.doing(&doing, gpu))?;
        // The call may have reset the GPU, and so ended its handle.
        let after = mode::read(&self.device(gpu)?).map_err(|failure| failure.on_gpu(gpu))?;
        mode::activated(gpu, enabled, Code(status), after)
    }

    fn set_compute_mode(&mut self, gpu: &str, mode: ComputeMode) -> Result<(), Error> {
        let device = self.device(gpu)?;
        let found = compute_mode::change(device, mode).map_err(|failure| failure.on_gpu(gpu))?;
        if found == Some(mode) {
            return Ok(());
        }
        Err(Error::NotSet {
            gpu: gpu.to_owned(),
            wanted: mode,
            found,
        })
    }

    fn reset(self: Box<Self>, gpu: &str) -> Result<(), Error> {
        self.device(gpu)?;
        let Self {
            library,
            path,
            reset,
            ..
        } = *self;
        // A GPU is not reset while anybody has it open, and the library has.
        drop(library);
        reset.run(&path, gpu)
    }

    fn create_gpu_instance(&mut self, gpu: &str, at: &PlacedProfile) -> Result<(), Error> {
        let device = self.device(gpu)?;
        let offer = offer(&device, gpu, at)?;
        let place = offer
            .placements
            .iter()
            .find(|place| place.start == at.start);
        let place = place.ok_or_else(|| not_offered(gpu, at, std::slice::from_ref(&offer)))?;
        let place = (unsigned(place.start), unsigned(place.size));
        let created = raw::create_gpu_instance(&device, id(&offer), place);
        created.map_err(|failure| failure.doing(&described("create", at), gpu))
    }

    fn create_compute_instance(&mut self, gpu: &str, at: &PlacedProfile) -> Result<String, Error> {
        let doing = "create a compute instance in";
        let created = self.change(gpu, at, doing, Instance::fill)?;
        created.ok_or_else(|| Error::NoSuchProfile {
            gpu: gpu.to_owned(),
            wanted: described("a compute instance that fills", at),
            offered: "only smaller ones".to_owned(),
        })
    }

    fn destroy_compute_instances(&mut self, gpu: &str, at: &PlacedProfile) -> Result<(), Error> {
        self.change(gpu, at, "destroy the compute instances of", |instance| {
            let computes = instance.computes()?;
            computes
                .into_iter()
                .try_for_each(|compute| compute.handle.destroy())
        })
    }

    fn destroy_gpu_instance(&mut self, gpu: &str, at: &PlacedProfile) -> Result<(), Error> {
        self.change(gpu, at, "destroy", |instance| instance.handle.destroy())
    }
}

/// The offer of a profile by name.
fn offer(device: &Device<'_>, gpu: &str, at: &PlacedProfile) -> Result<ProfileOffer, Error> {
    let offers = profiles::offers(device).map_err(|failure| failure.on_gpu(gpu))?;
    let found = offers.iter().find(|offer| offer.name == at.profile);
    found.cloned().ok_or_else(|| not_offered(gpu, at, &offers))
}

/// Lists what there is instead.
fn not_offered(gpu: &str, at: &PlacedProfile, offers: &[ProfileOffer]) -> Error {
    let offers: Vec<_> = offers.iter().map(with_places).collect();
    Error::NoSuchProfile {
        gpu: gpu.to_owned(),
        wanted: format!("{} at slice {}", at.profile, at.start),
        offered: if offers.is_empty() {
            "none".to_owned()
        } else {
            offers.join("; ")
        },
    }
}

fn with_places(offer: &ProfileOffer) -> String {
    let starts: Vec<_> = offer
        .placements
        .iter()
        .map(|place| place.start.to_string())
        .collect();
    if starts.is_empty() {
        return format!("{} at no slice", offer.name);
    }
    format!("{} at slice {}", offer.name, starts.join(", "))
}

/// `create the 3g.20gb instance at slice 4`.
fn described(doing: &str, at: &PlacedProfile) -> String {
    format!("{doing} the {} instance at slice {}", at.profile, at.start)
}

/// NVML's id of a profile.
fn id(offer: &ProfileOffer) -> u32 {
    unsigned(offer.id)
}

/// Counts, slices and ids of NVML are far below this limit; the API has no unsigned numbers.
fn integer(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Back from [`integer`].
fn unsigned(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
