//! `nvidia-smi mig -lgip` and `-lgipp`: what GPU instances a GPU offers, and where.

use crds::gpu_node::{Placement, ProfileOffer};

use super::cells::{Cells, rows};
use crate::{Machine, Output, Result};

/// Every profile with the index of its GPU. Memory is a hundredth of a GiB wide, as it is printed.
pub fn read(machine: &Machine) -> Result<Vec<(i32, ProfileOffer)>> {
    let (command, text) = machine.listing(&["mig", "-lgip"])?;
    let offers = rows(&command, &text).map(offer);
    let mut offers: Vec<_> = offers.collect::<Result<_>>()?;
    let (command, text) = machine.listing(&["mig", "-lgipp"])?;
    for line in text.lines() {
        let why = || Output::unreadable(&command, format!("the line {line:?}"));
        let (gpu, id, places) = places(line).ok_or_else(why)?;
        let offer = offers
            .iter_mut()
            .find(|(index, offer)| (*index, offer.id) == (gpu, id));
        offer.ok_or_else(why)?.1.placements = places;
    }
    Ok(offers)
}

/// `0  MIG 1g.5gb  19  7/7  4.75  No ...`
fn offer(mut cells: Cells<'_>) -> Result<(i32, ProfileOffer)> {
    let gpu = cells.number()?;
    let name = cells.profile()?;
    let id = cells.number()?;
    let (_free, max) = cells.pair::<i32>('/')?;
    let gib: f64 = cells.number()?;
    let slices = name.split_once('g').and_then(|(n, _)| n.parse().ok());
    let offer = ProfileOffer {
        slices: slices.ok_or_else(|| Output::unreadable("nvidia-smi mig -lgip", name.clone()))?,
        name,
        id,
        max,
        memory_mib: mib(gib),
        placements: Vec::new(),
    };
    Ok((gpu, offer))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "no GPU has so much memory that a float would not hold its MiB"
)]
fn mib(gib: f64) -> i64 {
    (gib * 1024.0).round() as i64
}

/// `GPU  0 Profile ID  9 Placements: {0,4}:4`
fn places(line: &str) -> Option<(i32, i32, Vec<Placement>)> {
    let (head, tail) = line.split_once('{')?;
    let (starts, size) = tail.split_once("}:")?;
    let mut numbers = head.split_whitespace().filter_map(|word| word.parse().ok());
    let (gpu, id) = (numbers.next()?, numbers.next()?);
    let size = size.trim().parse().ok()?;
    let place = |start: &str| {
        let start = start.trim().parse().ok()?;
        Some(Placement { start, size })
    };
    Some((
        gpu,
        id,
        starts.split(',').map(place).collect::<Option<_>>()?,
    ))
}
