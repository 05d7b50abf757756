//! One step of one node's maintenance.
