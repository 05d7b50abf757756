//! Chance that can be had again: the same seed, the same numbers, on every machine and in every version.

/// A sequence of numbers that follows from its seed (`SplitMix64`).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 if that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.roll().checked_rem(end).unwrap_or(0)
    }

    /// One of these; none if there are none.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let index = self.below(all.len() as u64);
        usize::try_from(index).ok().and_then(|index| all.get(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_numbers_that_were_published_for_it() {
        // The first three of SplitMix64 for the seed 1234567, as Rosetta Code has them.
        let mut dice = Dice::new(1_234_567);
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!([dice.roll(), dice.roll(), dice.roll()], expected);
    }

    #[test]
    fn each_side_comes_up_and_no_other() {
        let (mut dice, sides) = (Dice::new(1), ['a', 'b', 'c']);
        let mut seen: Vec<_> = (0..100).filter_map(|_| dice.pick(&sides)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, [&'a', &'b', &'c']);
        assert_eq!(dice.pick::<char>(&[]), None);
        assert_eq!(dice.below(0), 0);
    }
}
