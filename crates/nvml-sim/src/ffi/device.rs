//! Finding devices and telling them apart.
#![expect(unsafe_code, reason = "exported symbols")]

use std::ffi::{c_int, c_uint};

use nvml_wrapper_sys::bindings::{nvmlDeviceArchitecture_t, nvmlPciInfo_t};

use super::arg::{Out, Str, Text, chars, number};
use super::call::Driver;
use super::handle::{Device, Handle, Target};
use crate::state::{ComputeInstance, Gpu, GpuInstance};
use crate::{Code, rules};
use products::{Product, compute_profiles};

export! {
    fn nvmlDeviceGetCount(driver, count: Out<c_uint>) {
        count.set(number(driver.state.gpus.len()))
    }

    fn nvmlDeviceGetCount_v2(driver, count: Out<c_uint>) {
        count.set(number(driver.state.gpus.len()))
    }

    fn nvmlDeviceGetHandleByIndex(driver, index: c_uint, device: Out<Handle>) {
        by_index(driver, index, &device)
    }

    fn nvmlDeviceGetHandleByIndex_v2(driver, index: c_uint, device: Out<Handle>) {
        by_index(driver, index, &device)
    }

    fn nvmlDeviceGetHandleByUUID(driver, uuid: Str, device: Out<Handle>) {
        let uuid = uuid.get()?;
        let gpu = driver.state.gpus.iter().position(|gpu| gpu.uuid == uuid).map(Target::Gpu);
        let mig = || driver.state.mig_device(uuid).map(|(gpu, _, ci)| Target::Mig(gpu, ci.serial));
        let handle = Handle::of(gpu.or_else(mig).ok_or(Code::NotFound)?);
        handle.device(&driver.state)?;
        device.set(handle)
    }

    fn nvmlDeviceGetHandleByPciBusId(driver, bus_id: Str, device: Out<Handle>) {
        by_bus_id(driver, bus_id.get()?, &device)
    }

    fn nvmlDeviceGetHandleByPciBusId_v2(driver, bus_id: Str, device: Out<Handle>) {
        by_bus_id(driver, bus_id.get()?, &device)
    }

    fn nvmlDeviceGetIndex(driver, device: Handle, index: Out<c_uint>) {
        index.set(match device.device(&driver.state)? {
            Device::Whole(gpu, _) => number(gpu),
            Device::Mig(_, _, _, ci) => ci.mig_index,
        })
    }

    fn nvmlDeviceGetUUID(driver, device: Handle, uuid: Text, length: c_uint) {
        match device.device(&driver.state)? {
            Device::Whole(_, gpu) => uuid.write(length, &gpu.uuid),
            Device::Mig(_, _, _, ci) => uuid.write(length, &ci.uuid),
        }
    }

    fn nvmlDeviceGetName(driver, device: Handle, name: Text, length: c_uint) {
        let device = device.device(&driver.state)?;
        let product = product(device.parent())?.name;
        match device {
            Device::Whole(..) => name.write(length, product),
            Device::Mig(_, gpu, gi, ci) => {
                name.write(length, &format!("{product} MIG {}", mig_name(gpu, gi, ci)?))
            }
        }
    }

    fn nvmlDeviceGetMinorNumber(driver, device: Handle, minor: Out<c_uint>) {
        match device.device(&driver.state)? {
            Device::Whole(index, _) => minor.set(number(index)),
            Device::Mig(..) => Err(Code::NotSupported),
        }
    }

    fn nvmlDeviceGetPciInfo(driver, device: Handle, pci: Out<nvmlPciInfo_t>) {
        pci.set(pci_info(device.device(&driver.state)?.parent())?)
    }

    fn nvmlDeviceGetPciInfo_v2(driver, device: Handle, pci: Out<nvmlPciInfo_t>) {
        pci.set(pci_info(device.device(&driver.state)?.parent())?)
    }

    fn nvmlDeviceGetPciInfo_v3(driver, device: Handle, pci: Out<nvmlPciInfo_t>) {
        pci.set(pci_info(device.device(&driver.state)?.parent())?)
    }

    fn nvmlDeviceGetCudaComputeCapability(
        driver,
        device: Handle,
        major: Out<c_int>,
        minor: Out<c_int>,
    ) {
        let capability = product(device.device(&driver.state)?.parent())?.compute_capability;
        let signed = |number: u32| c_int::try_from(number).map_err(|_| Code::Unknown);
        major.set(signed(capability.0)?)?;
        minor.set(signed(capability.1)?)
    }

    fn nvmlDeviceGetArchitecture(
        driver,
        device: Handle,
        architecture: Out<nvmlDeviceArchitecture_t>,
    ) {
        let product = product(device.device(&driver.state)?.parent())?;
        architecture.set(product.architecture.number())
    }
}

fn by_index(driver: &Driver, index: c_uint, device: &Out<Handle>) -> Result<(), Code> {
    let index = index as usize;
    rules::gpu(&driver.state, index)?;
    device.set(Handle::of(Target::Gpu(index)))
}

/// Clients write the domain with eight digits, with four or not at all, in either case.
fn by_bus_id(driver: &Driver, wanted: &str, device: &Out<Handle>) -> Result<(), Code> {
    const SHORTEST: usize = "07:00.0".len();
    let wanted = wanted.to_uppercase();
    let matches = |gpu: &Gpu| wanted.len() >= SHORTEST && gpu.bus_id.ends_with(&wanted);
    let index = driver
        .state
        .gpus
        .iter()
        .position(matches)
        .ok_or(Code::NotFound)?;
    by_index(driver, number(index), device)
}

fn product(gpu: &Gpu) -> Result<&'static Product, Code> {
    gpu.product().ok_or(Code::Unknown)
}

/// `3g.20gb`, or `1c.3g.20gb` for a part of the GPU instance.
fn mig_name(gpu: &Gpu, gi: &GpuInstance, ci: &ComputeInstance) -> Result<String, Code> {
    let profile = gpu.profile(gi.profile_id).ok_or(Code::Unknown)?;
    let compute = compute_profiles(profile)
        .iter()
        .find(|compute| compute.id == ci.profile_id);
    Ok(compute.ok_or(Code::Unknown)?.name(profile))
}

fn pci_info(gpu: &Gpu) -> Result<nvmlPciInfo_t, Code> {
    let product = product(gpu)?;
    let hexadecimal = |text: Option<&str>| {
        text.and_then(|text| c_uint::from_str_radix(text, 16).ok())
            .ok_or(Code::Unknown)
    };
    let mut parts = gpu.bus_id.split([':', '.']);
    Ok(nvmlPciInfo_t {
        busIdLegacy: chars(gpu.bus_id.get(4..).unwrap_or_default()),
        domain: hexadecimal(parts.next())?,
        bus: hexadecimal(parts.next())?,
        device: hexadecimal(parts.next())?,
        pciDeviceId: product.pci_device_id,
        pciSubSystemId: product.pci_subsystem_id,
        busId: chars(&gpu.bus_id),
    })
}
