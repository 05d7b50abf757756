//! What can be said of a driver that fails, is slow or deviates from its header.

use clap::{Subcommand, ValueEnum};
use nvml_sim::Code;

#[derive(Debug, Subcommand)]
pub enum FaultAction {
    /// Calls of a function answer a code
    Call {
        /// The NVML symbol, such as nvmlGpuInstanceDestroy
        function: String,
        /// NVML code: a number, or a name such as `insufficient-resources`
        #[arg(long, value_parser = code)]
        code: Code,
        /// The n-th call from now fails, once; 1 = the next
        #[arg(long, default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
        nth: u32,
        /// Every call fails, until healed
        #[arg(long, conflicts_with = "nth")]
        every: bool,
    },
    /// Calls of a function take longer
    Latency {
        /// The NVML symbol
        function: String,
        /// Milliseconds; 0 = no longer
        millis: u64,
    },
    /// A GPU falls off the bus
    GpuLost {
        /// Index of the GPU
        gpu: usize,
    },
    /// Changes of a GPU's MIG mode stay pending
    ModeStuck {
        /// Index of the GPU
        gpu: usize,
        /// What ends it
        #[arg(long, value_enum, default_value_t = Until::Reboot)]
        until: Until,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Until {
    /// A reset of the GPU
    Reset,
    /// A reboot of the node; a reset changes nothing
    Reboot,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Pace {
    /// For tests
    AtOnce,
    /// A second for a GPU instance, ten for a mode
    Real,
}

#[derive(Debug, Subcommand)]
pub enum Quirk {
    /// List profiles only while MIG mode is on, as drivers up to about R535
    HideProfiles,
    /// Tell the MIG device where a compute instance's GPU is asked for
    NameMigDevices,
    /// List a profile under another number of NVML's enum, as a driver that is newer than the header
    RenumberProfile {
        /// Its own number
        own: u32,
        /// The other
        other: u32,
    },
    /// Answer a code for a number of NVML's enum of profiles
    FailProfile {
        /// Number in the enum
        number: u32,
        /// NVML code: a number, or a name such as `unknown`
        #[arg(long, value_parser = code)]
        code: Code,
    },
}

/// A code by its number or name; case, `-` and `_` do not matter.
fn code(text: &str) -> Result<Code, String> {
    let plain = |name: &str| name.replace(['-', '_'], "").to_lowercase();
    let by_name = || {
        Code::ALL
            .iter()
            .copied()
            .find(|code| plain(code.name()) == plain(text))
    };
    text.parse()
        .ok()
        .and_then(Code::from_number)
        .or_else(by_name)
        .ok_or_else(|| {
            let names = Code::ALL
                .iter()
                .map(|code| code.name())
                .collect::<Vec<_>>()
                .join(", ");
            format!("not an NVML code; by name: {names}")
        })
}

#[cfg(test)]
mod tests {
    use super::code;
    use nvml_sim::Code;

    #[test]
    fn codes_are_known_by_number_and_by_name() {
        for text in ["23", "insufficient-resources", "INSUFFICIENT_RESOURCES"] {
            assert_eq!(code(text), Ok(Code::InsufficientResources), "{text}");
        }
        assert!(code("31").is_err());
        assert!(code("").is_err());
    }
}
