//! Names of MIG profiles.

use std::fmt;
use std::str::FromStr;

use crds::names::RESOURCE_PREFIX;

#[cfg(test)]
mod tests;

/// A MIG profile's name in its parts, as NVIDIA's tools compute and print it: `[<C>c.]<G>g.<M>gb[+<attribute>|-<attribute>]`
/// (go-nvlib, `mig_profile.go`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProfileName {
    /// Compute slices of the compute instance. Unset: all of the GPU instance.
    pub compute: Option<u32>,
    /// Compute slices of the GPU instance.
    pub slices: u32,
    /// Memory in GB as the name has it; for the real amount see `ProfileOffer`.
    pub gigabytes: u32,
    /// What the profile has beyond its like, or lacks, with its sign: `+me`, `+me.all`, `+gfx`, `-me`.
    pub attribute: Option<String>,
}

impl ProfileName {
    /// Whether this is a whole GPU instance with nothing added and nothing taken away.
    pub const fn is_plain(&self) -> bool {
        self.compute.is_none() && self.attribute.is_none()
    }
}

/// A text is not a profile's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is not the name of a MIG profile; write it as nvidia-smi mig -lgip lists it, such as 1g.5gb, 3g.20gb or 1g.5gb+me"
)]
pub struct NotAProfile(pub String);

impl FromStr for ProfileName {
    type Err = NotAProfile;

    fn from_str(text: &str) -> Result<Self, NotAProfile> {
        parse(text).ok_or_else(|| NotAProfile(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<ProfileName> {
    let (base, attribute) = match text.find(['+', '-']) {
        Some(at) => (&text[..at], Some(attribute(&text[at..])?)),
        None => (text, None),
    };
    let (compute, slices, memory) = match *base.split('.').collect::<Vec<_>>() {
        [slices, memory] => (None, slices, memory),
        [compute, slices, memory] => (Some(number(compute, "c")?), slices, memory),
        _ => return None,
    };
    Some(ProfileName {
        compute,
        slices: number(slices, "g")?,
        gigabytes: number(memory, "gb")?,
        attribute,
    })
}

/// A number from 1, without leading zeros, before its unit.
fn number(text: &str, unit: &str) -> Option<u32> {
    let digits = text.strip_suffix(unit)?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse().ok().filter(|_| plain)
}

/// A sign, then lower-case words joined by dots or commas.
fn attribute(text: &str) -> Option<String> {
    let words = text[1..].split(['.', ',']);
    words
        .into_iter()
        .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
        .then(|| text.to_owned())
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(compute) = self.compute {
            write!(f, "{compute}c.")?;
        }
        write!(f, "{}g.{}gb", self.slices, self.gigabytes)?;
        f.write_str(self.attribute.as_deref().unwrap_or_default())
    }
}

/// The resource under which NVIDIA's device plugin advertises slices of a profile with `migStrategy: mixed`:
/// `1g.5gb+me` is `nvidia.com/mig-1g.5gb.me`; a minus stays (k8s-device-plugin, `internal/rm/rm.go`).
pub fn resource(profile: &str) -> String {
    format!("{RESOURCE_PREFIX}mig-{}", profile.replace('+', "."))
}
