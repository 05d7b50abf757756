//! Names of MIG profiles.

mod attribute;
mod resource;
#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

pub use attribute::Attribute;
pub use resource::{of_resource, resource};

/// A MIG profile's name in its parts, as NVIDIA's tools compute and print it: `[<C>c.]<G>g.<M>gb[+<attribute>|-<attribute>]`
/// (go-nvlib, `mig_profile.go`).
///
/// A name has one spelling: what is read is written again letter by letter, and what is written is read as the same name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProfileName {
    /// Compute slices of the compute instance, from 1 and fewer than `slices`. Unset: all of the GPU instance.
    pub compute: Option<u32>,
    /// Compute slices of the GPU instance, from 1.
    pub slices: u32,
    /// Memory in GB as the name has it, from 1; for the real amount see `ProfileOffer`.
    pub gigabytes: u32,
    /// What the profile has beyond its like, or lacks.
    pub attribute: Option<Attribute>,
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
        Some(at) => (&text[..at], Some(Attribute::parse(&text[at..])?)),
        None => (text, None),
    };
    let (compute, slices, memory) = match *base.split('.').collect::<Vec<_>>() {
        [slices, memory] => (None, slices, memory),
        [compute, slices, memory] => (Some(number(compute, "c")?), slices, memory),
        _ => return None,
    };
    let name = ProfileName {
        compute,
        slices: number(slices, "g")?,
        gigabytes: number(memory, "gb")?,
        attribute,
    };
    let is_part = |compute| compute < name.slices;
    name.compute.is_none_or(is_part).then_some(name)
}

/// A number from 1, without leading zeros, before its unit.
fn number(text: &str, unit: &str) -> Option<u32> {
    let digits = text.strip_suffix(unit)?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse().ok().filter(|_| plain)
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(compute) = self.compute {
            write!(f, "{compute}c.")?;
        }
        write!(f, "{}g.{}gb", self.slices, self.gigabytes)?;
        match &self.attribute {
            Some(attribute) => f.write_str(attribute.as_str()),
            None => Ok(()),
        }
    }
}
