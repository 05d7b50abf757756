//! The cluster as the search sees it: two nodes at the most, each with one GPU, and everybody who acts on them.
//!
//! What a step of the product makes (statuses, specs) is kept in stores and named by number; everything else is plain and
//! small. Versions of objects are not counted: whoever has read one knows whether it has been written since.

pub mod host;
pub mod machine;
pub mod node;
pub mod operator;
pub mod policy;
pub mod slices;
pub mod stack;

use std::collections::BTreeMap;

use host::Host;
use plan::plugin_config::Entry;
use policy::Policy;

use crate::bounds::Left;
use crate::store::Number;

/// The entries of the device plugin's `ConfigMap`.
pub type Configs = BTreeMap<String, Entry>;

/// Everything at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The policy of all nodes.
    pub policy: Policy,
    /// The nodes, with all that belongs to each.
    pub hosts: [Option<Number<Host>>; 2],
    /// What the device plugins may be told.
    pub configs: Number<Configs>,
    /// What may still go wrong.
    pub left: Left,
}

/// One of the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// `n1`.
    First,
    /// `n2`.
    Second,
}

impl Place {
    /// Both.
    pub const ALL: [Self; 2] = [Self::First, Self::Second];

    /// Its index in arrays.
    pub const fn index(self) -> usize {
        match self {
            Self::First => 0,
            Self::Second => 1,
        }
    }

    /// The node's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::First => "n1",
            Self::Second => "n2",
        }
    }
}
