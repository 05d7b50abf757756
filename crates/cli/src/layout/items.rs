//! What the lists of the command line consist of.

use std::fmt;
use std::str::FromStr;

use plan::profile::{ProfileName, of_resource, resource};

/// The largest number of slices or pods that is taken for meant: no GPU has so many.
const MOST: i32 = 1000;

/// So many slices of a profile: `3g.20gb=2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The profile.
    pub profile: String,
    /// From 1.
    pub number: i32,
}

/// An instance by its place: `2g.10gb@4`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The profile.
    pub profile: String,
    /// First memory slice.
    pub start: i32,
}

/// An instance and the pods on it: `2g.10gb@4=3`, or `2g.10gb@4` for one pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The instance.
    pub instance: Placed,
    /// From 1.
    pub pods: i32,
}

impl FromStr for Wish {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (profile, number) = text
            .split_once('=')
            .ok_or("write PROFILE=NUMBER, such as 1g.5gb=2")?;
        Ok(Self {
            profile: profile_name(profile)?,
            number: self::number(number, 1)?,
        })
    }
}

impl FromStr for Placed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (profile, start) = text.split_once('@').ok_or(
            "write PROFILE@START with the first memory slice that it stands on, such as 1g.5gb@4",
        )?;
        Ok(Self {
            profile: profile_name(profile)?,
            start: number(start, 0)?,
        })
    }
}

impl FromStr for Held {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (instance, pods) = text.split_once('=').unwrap_or((text, "1"));
        Ok(Self {
            instance: instance.parse()?,
            pods: number(pods, 1)?,
        })
    }
}

impl fmt::Display for Placed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.profile, self.start)
    }
}

/// Digits without a sign or leading zeros, from `least` to `MOST`.
fn number(text: &str, least: i32) -> Result<i32, String> {
    let number = text.parse::<i32>().ok();
    let is_sound = |number: &i32| (least..=MOST).contains(number) && number.to_string() == text;
    number
        .filter(is_sound)
        .ok_or_else(|| format!("{text:?} is not a number from {least} to {MOST}"))
}

fn profile_name(text: &str) -> Result<String, String> {
    let name = text.parse::<ProfileName>();
    name.map(|_| text.to_owned())
        .map_err(|error| match meant(text) {
            Some(profile) => format!("{text:?} is what pods ask for; the profile is {profile}"),
            None => error.to_string(),
        })
}

/// The profile whose resource this is, with or without `nvidia.com/mig-`.
fn meant(text: &str) -> Option<&'static str> {
    let names = products::ALL.iter().flat_map(|product| &product.mig);
    let names = || {
        names
            .clone()
            .flat_map(|mig| mig.profiles)
            .map(|profile| profile.name)
    };
    of_resource(text, names()).or_else(|| of_resource(&resource(text), names()))
}
