//! What drivers offer on some products: names, slices, numbers and places of NVIDIA's MIG user guide, with the ids that
//! drivers give them.

use crds::gpu_node::{Placement, ProfileOffer};

struct Row {
    name: &'static str,
    id: i32,
    slices: i32,
    max: i32,
    memory_mib: i64,
    size: i32,
    starts: &'static [i32],
}

const fn row(
    name: &'static str,
    id: i32,
    (slices, max): (i32, i32),
    memory_mib: i64,
    size: i32,
    starts: &'static [i32],
) -> Row {
    Row {
        name,
        id,
        slices,
        max,
        memory_mib,
        size,
        starts,
    }
}

const A100_40: &[Row] = &[
    row("1g.5gb", 19, (1, 7), 4864, 1, &[0, 1, 2, 3, 4, 5, 6]),
    row("1g.5gb+me", 20, (1, 1), 4864, 1, &[0, 1, 2, 3, 4, 5, 6]),
    row("1g.10gb", 15, (1, 4), 9856, 2, &[0, 2, 4, 6]),
    row("2g.10gb", 14, (2, 3), 9856, 2, &[0, 2, 4]),
    row("3g.20gb", 9, (3, 2), 19968, 4, &[0, 4]),
    row("4g.20gb", 5, (4, 1), 19968, 4, &[0]),
    row("7g.40gb", 0, (7, 1), 40192, 8, &[0]),
];

const H100_80: &[Row] = &[
    row("1g.10gb", 19, (1, 7), 9856, 1, &[0, 1, 2, 3, 4, 5, 6]),
    row("1g.10gb+me", 20, (1, 1), 9856, 1, &[0, 1, 2, 3, 4, 5, 6]),
    row("1g.20gb", 15, (1, 4), 19968, 2, &[0, 2, 4, 6]),
    row("2g.20gb", 14, (2, 3), 19968, 2, &[0, 2, 4]),
    row("3g.40gb", 9, (3, 2), 40448, 4, &[0, 4]),
    row("4g.40gb", 5, (4, 1), 40448, 4, &[0]),
    row("7g.80gb", 0, (7, 1), 80896, 8, &[0]),
];

const A30: &[Row] = &[
    row("1g.6gb", 14, (1, 4), 5836, 1, &[0, 1, 2, 3]),
    row("1g.6gb+me", 21, (1, 1), 5836, 1, &[0, 1, 2, 3]),
    row("2g.12gb", 5, (2, 2), 11672, 2, &[0, 2]),
    row("2g.12gb+me", 6, (2, 1), 11672, 2, &[0, 2]),
    row("4g.24gb", 0, (4, 1), 23344, 4, &[0]),
];

const TABLES: [(&str, &[Row]); 3] = [("A100-40", A100_40), ("H100-80", H100_80), ("A30", A30)];

/// The offers of `A100-40`, `H100-80` or `A30`.
pub(crate) fn offers(product: &str) -> Vec<ProfileOffer> {
    let named = TABLES.iter().filter(|(name, _)| *name == product);
    named.flat_map(|(_, rows)| *rows).map(offer).collect()
}

fn offer(row: &Row) -> ProfileOffer {
    let place = |&start: &i32| Placement {
        start,
        size: row.size,
    };
    ProfileOffer {
        name: row.name.to_owned(),
        id: row.id,
        slices: row.slices,
        max: row.max,
        memory_mib: row.memory_mib,
        placements: row.starts.iter().map(place).collect(),
    }
}
