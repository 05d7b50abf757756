//! Media engines: decoders, encoders, JPEG decoders and optical flow accelerators, which instances do not share.
//!
//! NVML's offer does not tell who takes how many, the attribute of the name does (`nvml.h`, the comments of
//! `NVML_GPU_INSTANCE_PROFILE_*`): `+me` takes one of a kind that the GPU has once, `+me.all` takes all that there are,
//! `-me` takes none, and every other profile takes a share that its slices always leave.

/// What instances of a profile take of the media engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// Nothing: `-me`.
    Nothing,
    /// A share that there is as long as nobody has all.
    Share,
    /// What the GPU has once: `+me`.
    TheOne,
    /// Everything: `+me.all`.
    Everything,
}

impl Media {
    /// By the attribute of the name; one that is not known takes a share. Only the attribute is read: this is done for
    /// every profile of every GPU that is planned.
    pub(super) fn of(profile: &str) -> Self {
        match profile.find(['+', '-']).map(|at| &profile[at..]) {
            Some("-me") => Self::Nothing,
            Some("+me") => Self::TheOne,
            Some("+me.all") => Self::Everything,
            Some(_) | None => Self::Share,
        }
    }
}

impl Media {
    /// Whether a GPU has not enough for both.
    pub(super) const fn is_rival_of(self, other: Self) -> bool {
        match (self, other) {
            (Self::Nothing, _)
            | (_, Self::Nothing)
            | (Self::Share, Self::Share | Self::TheOne)
            | (Self::TheOne, Self::Share) => false,
            (Self::TheOne, Self::TheOne) | (Self::Everything, _) | (_, Self::Everything) => true,
        }
    }
}

/// How many instances take what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Engines {
    shares: i32,
    the_one: i32,
    everything: i32,
}

impl Engines {
    pub(super) const fn add(&mut self, media: Media, number: i32) {
        match media {
            Media::Nothing => {}
            Media::Share => self.shares += number,
            Media::TheOne => self.the_one += number,
            Media::Everything => self.everything += number,
        }
    }

    /// Whether the GPU has what these instances take.
    pub(super) const fn suffice(self) -> bool {
        match self.everything {
            0 => self.the_one <= 1,
            1 => self.the_one == 0 && self.shares == 0,
            _ => false,
        }
    }

    /// How many more instances the engines allow.
    pub(super) const fn room(self, media: Media) -> i32 {
        let is_taken = match media {
            Media::Nothing => return i32::MAX,
            Media::Share if self.everything == 0 => return i32::MAX,
            Media::Share => true,
            Media::TheOne => self.everything + self.the_one > 0,
            Media::Everything => self.everything + self.the_one + self.shares > 0,
        };
        if is_taken { 0 } else { 1 }
    }
}
