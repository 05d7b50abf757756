//! How many instances of a profile fit, where the driver's own count is wrong.

/// PCI device and vendor of the A30.
const A30: u32 = 0x20B7_10DE;

/// The A30's counts. NVML reports others, so NVIDIA's MIG Manager replaces them by these too (mig-parted,
/// `pkg/mig/discovery`).
const ON_A30: [(&str, u32); 5] = [
    ("1g.6gb", 4),
    ("1g.6gb+me", 1),
    ("2g.12gb", 2),
    ("2g.12gb+me", 1),
    ("4g.24gb", 1),
];

/// The most instances of a profile on an empty GPU.
pub fn most(pci_device: u32, profile: &str, reported: u32) -> u32 {
    let known = ON_A30
        .iter()
        .find(|(name, _)| pci_device == A30 && *name == profile);
    known.map_or(reported, |(_, count)| *count)
}

#[cfg(test)]
mod tests {
    use super::{A30, most};

    #[test]
    fn only_an_a30s_own_profiles_are_corrected() {
        let a100 = 0x20B0_10DE;
        let cases = [
            (A30, "1g.6gb", 7, 4),
            (A30, "2g.12gb+me", 2, 1),
            (A30, "3g.18gb", 1, 1),
            (a100, "1g.6gb", 7, 7),
        ];
        for (gpu, profile, reported, count) in cases {
            assert_eq!(most(gpu, profile, reported), count, "{profile} on {gpu:x}");
        }
    }
}
