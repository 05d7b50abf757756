//! NVML's return codes.

use std::fmt;

/// How an NVML call failed: a number of `nvmlReturn_t`. Displayed as the header names it, `IN_USE (19)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code(pub u32);

impl Code {
    /// Not a failure.
    pub const SUCCESS: Self = Self(0);
    /// A value that the function does not accept, or the end of an enumeration.
    pub const INVALID_ARGUMENT: Self = Self(2);
    /// Not on this GPU, or not in this mode.
    pub const NOT_SUPPORTED: Self = Self(3);
    /// The caller is not root, or lacks a capability.
    pub const NO_PERMISSION: Self = Self(4);
    /// The object is gone.
    pub const NOT_FOUND: Self = Self(6);
    /// The library has no such function: it is older than the function.
    pub const FUNCTION_NOT_FOUND: Self = Self(13);
    /// The GPU fell off the bus.
    pub const GPU_IS_LOST: Self = Self(15);
    /// Something uses the object.
    pub const IN_USE: Self = Self(19);
    /// No free slices.
    pub const INSUFFICIENT_RESOURCES: Self = Self(23);
    /// The library does not know this version of a struct.
    pub const ARGUMENT_VERSION_MISMATCH: Self = Self(25);

    /// The name in `nvml.h` without `NVML_ERROR_`.
    const fn name(self) -> &'static str {
        match self.0 {
            0 => "SUCCESS",
            1 => "UNINITIALIZED",
            2 => "INVALID_ARGUMENT",
            3 => "NOT_SUPPORTED",
            4 => "NO_PERMISSION",
            5 => "ALREADY_INITIALIZED",
            6 => "NOT_FOUND",
            7 => "INSUFFICIENT_SIZE",
            8 => "INSUFFICIENT_POWER",
            9 => "DRIVER_NOT_LOADED",
            10 => "TIMEOUT",
            11 => "IRQ_ISSUE",
            12 => "LIBRARY_NOT_FOUND",
            13 => "FUNCTION_NOT_FOUND",
            14 => "CORRUPTED_INFOROM",
            15 => "GPU_IS_LOST",
            16 => "RESET_REQUIRED",
            17 => "OPERATING_SYSTEM",
            18 => "LIB_RM_VERSION_MISMATCH",
            19 => "IN_USE",
            20 => "MEMORY",
            21 => "NO_DATA",
            22 => "VGPU_ECC_NOT_SUPPORTED",
            23 => "INSUFFICIENT_RESOURCES",
            24 => "FREQ_NOT_SUPPORTED",
            25 => "ARGUMENT_VERSION_MISMATCH",
            26 => "DEPRECATED",
            27 => "NOT_READY",
            28 => "GPU_NOT_FOUND",
            29 => "INVALID_STATE",
            30 => "RESET_TYPE_NOT_SUPPORTED",
            999 => "UNKNOWN",
            _ => "unnamed",
        }
    }

    /// What a person can do about it.
    pub(crate) const fn next_step(self) -> &'static str {
        match self.0 {
            3 => "check that the GPU and its driver support this, in the MIG mode that it is in",
            4 => "let the agent run as root, with access to NVIDIA's devices",
            9 => "load NVIDIA's driver on the node",
            13 | 25 => "update NVIDIA's driver",
            18 => {
                "the driver was updated under a running kernel module: reload it, or reboot the node"
            }
            _ => "look for NVIDIA's messages in the kernel log of the node",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.0)
    }
}
