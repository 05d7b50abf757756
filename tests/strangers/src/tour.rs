//! Every profile of a GPU made once by us and once by nvidia-smi, and both asked each time.

use crds::gpu_node::{GpuStatus, MigMode, PlacedProfile, ProfileOffer};
use gpu::Driver;

use crate::{Error, Machine, Result};

/// Makes and destroys an instance of every profile that a GPU offers, at its last placement: through our driver adapter,
/// and, where nvidia-smi knows the profile, through nvidia-smi. After each both must see the same, and the agent the
/// instance where it was wanted. Returns the profiles that were tried.
///
/// The GPU must be idle and without instances: nothing else is destroyed. MIG mode is as before afterwards, also after a
/// failure.
///
/// # Errors
/// The first thing that does not work, or does not agree.
pub fn tour(machine: &Machine, driver: &mut dyn Driver, gpu: &GpuStatus) -> Result<Vec<String>> {
    let enabled = gpu.mig.current == MigMode::Enabled;
    if !enabled && let Err(error) = driver.set_mig_mode(&gpu.uuid, true) {
        // It may be pending: then this takes it back.
        let _ = driver.set_mig_mode(&gpu.uuid, false);
        return done("turn MIG on", Err(error));
    }
    let toured = every_profile(machine, driver, gpu);
    let cleared = clear(driver, gpu);
    if !enabled {
        done("turn MIG off", driver.set_mig_mode(&gpu.uuid, false))?;
    }
    let toured = toured?;
    cleared?;
    machine.agree("after the tour")?;
    Ok(toured)
}

fn every_profile(
    machine: &Machine,
    driver: &mut dyn Driver,
    gpu: &GpuStatus,
) -> Result<Vec<String>> {
    let unlisted = machine.agree("with MIG on")?.unlisted;
    let mut tried = Vec::new();
    for offer in now(driver, gpu)?.profiles {
        let Some(place) = offer.placements.last() else {
            continue;
        };
        let at = PlacedProfile {
            start: place.start,
            profile: offer.name.clone(),
        };
        by_us(machine, driver, gpu, &at)?;
        if !unlisted.contains(&(gpu.index, offer.name.clone())) {
            by_nvidia_smi(machine, driver, gpu, &offer, &at)?;
        }
        tried.push(offer.name);
    }
    Ok(tried)
}

fn by_us(
    machine: &Machine,
    driver: &mut dyn Driver,
    gpu: &GpuStatus,
    at: &PlacedProfile,
) -> Result<()> {
    let what = format!("create a {} instance at slice {}", at.profile, at.start);
    done(&what, driver.create_gpu_instance(&gpu.uuid, at))?;
    machine.agree(&format!("after we {what}, without a compute instance"))?;
    let uuid = done(&what, driver.create_compute_instance(&gpu.uuid, at))?;
    machine.agree(&format!("after we {what}"))?;
    expect(driver, gpu, at, Some(&uuid))?;
    clear(driver, gpu)
}

fn by_nvidia_smi(
    machine: &Machine,
    driver: &mut dyn Driver,
    gpu: &GpuStatus,
    offer: &ProfileOffer,
    at: &PlacedProfile,
) -> Result<()> {
    let index = gpu.index.to_string();
    let wanted = format!("{}:{}", offer.id, at.start);
    let create = ["mig", "-i", &index, "-cgi", &wanted, "-C"];
    machine.smi(&create)?.success()?;
    machine.agree(&format!("after nvidia-smi {}", create.join(" ")))?;
    expect(driver, gpu, at, None)?;
    let id = machine.gpu_instance_id(gpu.index, at.start)?.to_string();
    machine
        .smi(&["mig", "-i", &index, "-dci", "-gi", &id])?
        .success()?;
    machine
        .smi(&["mig", "-i", &index, "-dgi", "-gi", &id])?
        .success()?;
    machine.agree(&format!("after nvidia-smi destroyed {}", at.profile))?;
    Ok(())
}

/// The instance is there alone, with a device.
fn expect(
    driver: &mut dyn Driver,
    gpu: &GpuStatus,
    at: &PlacedProfile,
    uuid: Option<&str>,
) -> Result<()> {
    let instances = now(driver, gpu)?.instances;
    let fits = match &instances[..] {
        [only] => {
            (&only.profile, only.start) == (&at.profile, at.start)
                && only.uuid.is_some()
                && uuid.is_none_or(|uuid| only.uuid.as_deref() == Some(uuid))
        }
        [] | [_, _, ..] => false,
    };
    if fits {
        return Ok(());
    }
    Err(Error::Disagree {
        when: format!("a {} instance at slice {} was made", at.profile, at.start),
        differences: format!("the agent sees {instances:?}"),
    })
}

/// Destroys what is on the GPU, which had no instances before.
fn clear(driver: &mut dyn Driver, gpu: &GpuStatus) -> Result<()> {
    for instance in now(driver, gpu)?.instances {
        let at = PlacedProfile {
            start: instance.start,
            profile: instance.profile,
        };
        let what = format!("destroy the {} instance at slice {}", at.profile, at.start);
        done(&what, driver.destroy_compute_instances(&gpu.uuid, &at))?;
        done(&what, driver.destroy_gpu_instance(&gpu.uuid, &at))?;
    }
    Ok(())
}

fn now(driver: &mut dyn Driver, gpu: &GpuStatus) -> Result<GpuStatus> {
    let inventory = done("read the GPUs", driver.inventory())?;
    let found = inventory.gpus.into_iter().find(|g| g.uuid == gpu.uuid);
    let gone = gpu::Error::NoSuchGpu(gpu.uuid.clone());
    done("find the GPU again", found.ok_or(gone))
}

fn done<T>(what: &str, result: std::result::Result<T, gpu::Error>) -> Result<T> {
    result.map_err(|source| Error::Driver {
        what: what.to_owned(),
        source,
    })
}
