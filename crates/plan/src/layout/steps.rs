//! The order in which a layout is made.

use crds::gpu_node::PlacedProfile;

use super::Layout;

/// One instance less, or one more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Destroy the instance that stands there.
    Destroy(PlacedProfile),
    /// Create an instance there.
    Create(PlacedProfile),
}

impl Layout {
    /// What there is to do, in an order that works: everything goes that is in the way before anything is made, so each
    /// place is free by its turn. What stays is in no step. The node's agent takes the same steps in the same order, by
    /// start within each half.
    pub fn steps(&self) -> Vec<Step> {
        let destroyed = self.destroyed.iter().cloned().map(Step::Destroy);
        let created = self.created.iter().cloned().map(Step::Create);
        destroyed.chain(created).collect()
    }
}
