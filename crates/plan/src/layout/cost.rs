//! What it costs to cut a GPU in one of several ways.

/// What a choice costs: pods that are to be spared and leave; all pods that leave; instances destroyed; instances created. As
/// one number, in which what matters more stands higher: it is compared very often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost(u64);

/// Bits of a number of pods. No GPU has as many.
const PODS: u32 = 24;
/// Bits of a number of instances.
const INSTANCES: u32 = 8;

impl Cost {
    pub(super) fn new(spared: usize, evicted: usize, destroyed: u32, created: u32) -> Self {
        let pods = ((spared as u64) << PODS) | evicted as u64;
        // Nothing that is wanted in such numbers can be had; but drivers have offered odd things before.
        let created = created.min((1 << INSTANCES) - 1);
        Self((((pods << INSTANCES) | u64::from(destroyed)) << INSTANCES) | u64::from(created))
    }

    pub(super) const fn spared(self) -> usize {
        self.digit(PODS + 2 * INSTANCES, PODS)
    }

    pub(super) const fn evicted(self) -> usize {
        self.digit(2 * INSTANCES, PODS)
    }

    pub(super) const fn destroyed(self) -> usize {
        self.digit(INSTANCES, INSTANCES)
    }

    pub(super) const fn created(self) -> usize {
        self.digit(0, INSTANCES)
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "no digit has more than 24 bits"
    )]
    const fn digit(self, from: u32, bits: u32) -> usize {
        ((self.0 >> from) & ((1 << bits) - 1)) as usize
    }
}
