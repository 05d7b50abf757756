//! Who must leave a node, who may not be made to, and how an eviction went.
