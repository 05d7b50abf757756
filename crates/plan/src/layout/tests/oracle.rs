//! A slow second opinion, made differently: it walks over the memory slices and tries everything at each, where the
//! search walks over the instances.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::{PlacedProfile, ProfileOffer};

use super::hardware::Engines;
use crate::layout::{Existing, Layout, Occupancy};

/// Evicted pods of those to be spared, all evicted pods, destroyed and created instances, room that is left, starts. The least is the best.
pub(super) type Worth = (
    usize,
    usize,
    usize,
    usize,
    Reverse<Vec<usize>>,
    Vec<(usize, i32)>,
);

/// No GPU has more memory slices.
const SLICES: i32 = 12;

pub(super) struct Oracle<'a> {
    /// The largest first.
    offers: Vec<&'a ProfileOffer>,
    engines: &'a Engines,
    existing: &'a [Existing],
    wanted: &'a BTreeMap<String, i32>,
    spared: BTreeSet<String>,
}

/// Something on the GPU: where, how large, which profile, and whether it is part of what is wanted.
#[derive(Clone, Copy)]
struct Piece<'a> {
    start: i32,
    size: i32,
    profile: &'a str,
    wanted: bool,
}

impl<'a> Piece<'a> {
    fn of(existing: &'a Existing, wanted: bool) -> Self {
        Self {
            start: existing.start,
            size: existing.size,
            profile: &existing.profile,
            wanted,
        }
    }
}

impl<'a> Oracle<'a> {
    pub(super) fn new(
        offers: &'a [ProfileOffer],
        engines: &'a Engines,
        existing: &'a [Existing],
        wanted: &'a BTreeMap<String, i32>,
    ) -> Self {
        let mut offers: Vec<_> = offers.iter().collect();
        offers.sort_by_key(|o| (-o.slices, -o.memory_mib, o.name.clone()));
        Self {
            offers,
            engines,
            existing,
            wanted,
            spared: BTreeSet::new(),
        }
    }

    pub(super) fn sparing(self, spared: &BTreeSet<String>) -> Self {
        Self {
            spared: spared.clone(),
            ..self
        }
    }

    /// The best there is.
    pub(super) fn best(&self) -> Option<Worth> {
        let mut best = None;
        self.walk(0, &mut Vec::new(), &mut best);
        best
    }

    /// What a layout is worth, if it keeps the rules.
    pub(super) fn judge<'b>(&'b self, layout: &'b Layout) -> Option<Worth> {
        let size = |profile: &str| {
            let offer = self.offers.iter().find(|offer| offer.name == profile);
            offer.unwrap().placements[0].size
        };
        let in_layout = |e: &Existing| {
            let mut instances = layout.instances.iter();
            instances.any(|i| i.start == e.start && i.profile == e.profile) && e.whole
        };
        let piece = |i: &'b PlacedProfile| Piece {
            start: i.start,
            size: size(&i.profile),
            profile: &i.profile,
            wanted: true,
        };
        let mut pieces: Vec<Piece<'b>> = layout.instances.iter().map(piece).collect();
        let stays = self
            .existing
            .iter()
            .filter(|e| !movable(e) && !in_layout(e));
        pieces.extend(stays.map(|e| Piece::of(e, false)));
        pieces.sort_by_key(|piece| piece.start);
        let apart = pieces
            .windows(2)
            .all(|p| p[0].start + p[0].size <= p[1].start);
        if apart { self.worth(&pieces) } else { None }
    }

    fn walk(&self, slice: i32, pieces: &mut Vec<Piece<'a>>, best: &mut Option<Worth>) {
        if slice >= SLICES {
            let worth = self.worth(pieces);
            if worth.is_some() && (best.is_none() || worth < *best) {
                *best = worth;
            }
            return;
        }
        let mut with = |piece: Piece<'a>| {
            pieces.push(piece);
            self.walk(slice + piece.size, pieces, best);
            pieces.pop();
        };
        let fixed = |e: &&Existing| !movable(e) && e.start == slice;
        if let Some(existing) = self.existing.iter().find(fixed) {
            with(Piece::of(existing, false));
            if existing.whole {
                with(Piece::of(existing, true));
            }
            return;
        }
        for piece in self.options(slice) {
            with(piece);
        }
        self.walk(slice + 1, pieces, best);
    }

    /// Wanted profiles that may start at a slice without running into what must stay.
    fn options(&self, slice: i32) -> Vec<Piece<'a>> {
        let mut options = Vec::new();
        for offer in self
            .offers
            .iter()
            .filter(|o| self.wanted.contains_key(&o.name))
        {
            for place in offer.placements.iter().filter(|place| place.start == slice) {
                let end = slice + place.size;
                let mut stays = self.existing.iter().filter(|e| !movable(e));
                if !stays.any(|e| slice < e.start && e.start < end) {
                    options.push(Piece {
                        start: slice,
                        size: place.size,
                        profile: &offer.name,
                        wanted: true,
                    });
                }
            }
        }
        options
    }

    fn worth(&self, pieces: &[Piece<'_>]) -> Option<Worth> {
        let rank = |profile: &str| self.offers.iter().position(|o| o.name == profile);
        let number = |profile: &str, counted: fn(&Piece<'_>) -> bool| {
            let of = pieces.iter().filter(|p| p.profile == profile && counted(p));
            i32::try_from(of.count()).unwrap()
        };
        for offer in &self.offers {
            let exact = self.wanted.get(&offer.name).copied().unwrap_or(0).max(0);
            if number(&offer.name, |p| p.wanted) != exact
                || number(&offer.name, |_| true) > offer.max
            {
                return None;
            }
        }
        let total = self.offers.iter().map(|o| o.slices).max()?;
        let slices = |p: &Piece<'_>| rank(p.profile).map_or(0, |at| self.offers[at].slices);
        let left = total - pieces.iter().map(slices).sum::<i32>();
        let engines = |more: &str, number: usize| {
            let there = pieces.iter().map(|p| p.profile);
            self.engines
                .suffice(there.chain(std::iter::repeat_n(more, number)))
        };
        if left < 0 || !engines("", 0) {
            return None;
        }
        let is = |p: &Piece<'_>, e: &Existing| {
            p.wanted && e.whole && p.start == e.start && p.profile == e.profile
        };
        let gone = |e: &&Existing| movable(e) && !pieces.iter().any(|p| is(p, e));
        let gone: Vec<_> = self.existing.iter().filter(gone).collect();
        let evicted: BTreeSet<_> = gone.iter().flat_map(|e| pods(e)).collect();
        let new = |p: &&Piece<'_>| p.wanted && !self.existing.iter().any(|e| is(p, e));
        let created = pieces.iter().filter(new).count();
        let spare = self.offers.iter().map(|offer| {
            let room = offer.max - number(&offer.name, |_| true);
            let most = room.min(left / offer.slices);
            let places = most_more(offer, pieces, 0).min(usize::try_from(most).unwrap());
            let has_engines = |more: &usize| engines(&offer.name, *more);
            (0..=places).rev().find(has_engines).unwrap_or_default()
        });
        let mut starts: Vec<_> = pieces
            .iter()
            .filter(|p| p.wanted)
            .map(|p| (rank(p.profile).unwrap(), p.start))
            .collect();
        starts.sort_unstable();
        Some((
            evicted.intersection(&self.spared).count(),
            evicted.len(),
            gone.len(),
            created,
            Reverse(spare.collect()),
            starts,
        ))
    }
}

/// The most instances of a profile that fit between pieces, by trying every set of its places.
fn most_more(offer: &ProfileOffer, pieces: &[Piece<'_>], from: usize) -> usize {
    let mut most = 0;
    for (index, place) in offer.placements.iter().enumerate().skip(from) {
        let hits =
            |p: &Piece<'_>| p.start < place.start + place.size && place.start < p.start + p.size;
        if !pieces.iter().any(hits) {
            let more = Piece {
                start: place.start,
                size: place.size,
                profile: &offer.name,
                wanted: false,
            };
            let pieces = [pieces, &[more]].concat();
            most = most.max(1 + most_more(offer, &pieces, index + 1));
        }
    }
    most
}

fn movable(existing: &Existing) -> bool {
    !matches!(existing.occupancy, Occupancy::Unmovable(_))
}

fn pods(existing: &Existing) -> BTreeSet<String> {
    match &existing.occupancy {
        Occupancy::Pods(pods) => pods.clone(),
        Occupancy::Free | Occupancy::Unmovable(_) => BTreeSet::new(),
    }
}
