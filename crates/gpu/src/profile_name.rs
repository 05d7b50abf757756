//! Names of GPU instance profiles, computed from NVML's figures as NVIDIA's own clients do.

/// Numbers of the enum `NVML_GPU_INSTANCE_PROFILE_*` that the `nvml.h` of NVML 13 knows, from 0.
pub const NUMBERS: u32 = 18;

/// The attributes of NVML's profiles by their number in the enum.
const ATTRIBUTES: [&str; NUMBERS as usize] = [
    "", "", "", "", "", "", "", // 1, 2, 3, 4, 7, 8 and 6 slices
    "+me", "+me", // REV1: 1 and 2 slices with the media engines
    "",    // REV2: 1 slice with twice the memory
    "+gfx", "+gfx", "+gfx", // 1, 2 and 4 slices
    "-me", "-me", // 1 and 2 slices
    "+me.all", "+me.all", // 1 and 2 slices
    "+gfx",    // 3 slices
];

/// The figures that make a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Number in NVML's enum of profiles. Not the profile's id.
    pub index: u32,
    /// Compute slices.
    pub slices: u32,
    /// Memory of an instance in MiB.
    pub memory_mib: u64,
    /// Memory of the whole GPU in bytes, as `nvmlDeviceGetMemoryInfo` gives it.
    pub gpu_bytes: u64,
}

/// The name, such as `1g.5gb+me`. None for a number that this version does not know, as its attribute is unknown too,
/// and for a GPU without memory.
///
/// The gigabytes are not the instance's: they are its share of the GPU's memory, rounded up to eighths, times the
/// GPU's memory in GiB, rounded up. So `7g.40gb` has 39.25 GiB.
pub fn computed(figures: Figures) -> Option<String> {
    let attribute = ATTRIBUTES.get(usize::try_from(figures.index).ok()?)?;
    let total = u128::from(figures.gpu_bytes);
    if total == 0 {
        return None;
    }
    let eighths = ((u128::from(figures.memory_mib) << 20) * 8).div_ceil(total);
    // Eighths of whole GiB, to the nearest: halves up.
    let gigabytes = (eighths * total.div_ceil(1 << 30) + 4) / 8;
    Some(format!("{}g.{gigabytes}gb{attribute}", figures.slices))
}

/// The name that the driver itself gives, without the `MIG ` before it. None if it gives none.
pub fn given(text: &str) -> Option<String> {
    let name = text.strip_prefix("MIG ").unwrap_or(text);
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests;
