//! Identities that never repeat and depend on nothing but the node's seed and a counter.

use super::State;

impl State {
    /// A number that this node never gave before.
    pub fn next_serial(&mut self) -> u64 {
        self.issued += 1;
        self.issued
    }

    /// A UUID that this node never gave before, without a prefix.
    pub fn new_uuid(&mut self) -> String {
        let serial = self.next_serial();
        let high = scatter(self.seed ^ scatter(serial));
        let low = scatter(high ^ serial);
        let digits = format!("{high:016x}{low:016x}");
        [
            &digits[..8],
            &digits[8..12],
            &digits[12..16],
            &digits[16..20],
            &digits[20..],
        ]
        .join("-")
    }
}

/// The finaliser of splitmix64: a bijection whose results look random.
const fn scatter(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::state::State;

    #[test]
    fn uuids_never_repeat_and_are_the_same_for_the_same_seed() {
        let mut one = State::new(7, &[products::ALL[0]]);
        let mut same = State::new(7, &[products::ALL[0]]);
        let mut other = State::new(8, &[products::ALL[0]]);
        let mut seen = BTreeSet::new();
        for _ in 0..1_000 {
            let uuid = one.new_uuid();
            assert_eq!(uuid, same.new_uuid());
            assert_ne!(uuid, other.new_uuid());
            assert_eq!(uuid.len(), 36);
            assert!(seen.insert(uuid));
        }
    }
}
