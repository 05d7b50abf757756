//! What NVML has and the simulation has not: each function answers `NOT_SUPPORTED`, which clients
//! print as N/A, leaves its outputs as they are, and says so in the log.

/// Defines functions that answer `NOT_SUPPORTED`.
///
/// The arguments are not declared: a caller in C puts them into registers or onto its own stack
/// and takes them back itself, whether the function looks at them or not.
macro_rules! absent {
    ($($name:ident)*) => {
        /// The functions that this file exports.
        pub(super) const SYMBOLS: &[&str] = &[$(stringify!($name)),*];

        $(
            // SAFETY: the symbol is NVML's, and nothing else in the process defines it.
            #[unsafe(no_mangle)]
            pub extern "C" fn $name() -> nvml_wrapper_sys::bindings::nvmlReturn_t {
                crate::ffi::call::not_simulated(stringify!($name))
            }
        )*
    };
}

mod device;
mod links;
mod memory_and_errors;
mod power_and_clocks;
mod system;
mod vgpu;

/// The functions that are not simulated, by subject.
pub(super) const SYMBOLS: [&[&str]; 6] = [
    device::SYMBOLS,
    links::SYMBOLS,
    memory_and_errors::SYMBOLS,
    power_and_clocks::SYMBOLS,
    system::SYMBOLS,
    vgpu::SYMBOLS,
];
