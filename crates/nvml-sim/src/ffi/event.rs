//! Event sets: they can be made and waited for; nothing ever happens.
#![expect(unsafe_code, reason = "exported symbols")]

use std::ffi::{c_uint, c_ulonglong};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::arg::Out;
use super::handle::{Handle, Target};
use crate::Code;

/// Critical Xid errors, the one kind of event that GPUs are said to report.
const XID_CRITICAL: c_ulonglong = 8;

static SETS: AtomicU64 = AtomicU64::new(0);

export! {
    fn nvmlEventSetCreate(_, set: Out<Handle>) {
        set.set(Handle::of(Target::EventSet(SETS.fetch_add(1, Ordering::Relaxed))))
    }

    fn nvmlDeviceGetSupportedEventTypes(driver, device: Handle, types: Out<c_ulonglong>) {
        device.gpu(&driver.state)?;
        types.set(XID_CRITICAL)
    }

    fn nvmlDeviceRegisterEvents(driver, device: Handle, types: c_ulonglong, set: Handle) {
        device.gpu(&driver.state)?;
        event_set(set)?;
        if types & !XID_CRITICAL == 0 { Ok(()) } else { Err(Code::NotSupported) }
    }

    fn nvmlEventSetFree(_, set: Handle) {
        event_set(set)?;
        set.free();
        Ok(())
    }

    // The data is not written: there is no event.
    fn nvmlEventSetWait(_, set: Handle, _data: usize, timeout_ms: c_uint) {
        wait(set, timeout_ms)
    }

    fn nvmlEventSetWait_v2(_, set: Handle, _data: usize, timeout_ms: c_uint) {
        wait(set, timeout_ms)
    }
}

fn wait(set: Handle, timeout_ms: c_uint) -> Result<(), Code> {
    event_set(set)?;
    std::thread::sleep(Duration::from_millis(timeout_ms.into()));
    Err(Code::Timeout)
}

fn event_set(set: Handle) -> Result<(), Code> {
    match set.target()? {
        Target::EventSet(_) => Ok(()),
        Target::Gpu(_)
        | Target::Mig(..)
        | Target::GpuInstance(..)
        | Target::ComputeInstance(..)
        | Target::Freed => Err(Code::InvalidArgument),
    }
}
