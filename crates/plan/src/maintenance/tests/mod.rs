//! The steps as tables, one file per group of phases, and as properties in a world that is against them.

mod anywhere;
mod conclusion;
mod config_only;
mod drain_blocked;
mod drain_timeout;
mod drain_told;
mod draining;
mod fixtures;
mod leaving;
mod ownership;
mod pending;
mod preparing;
mod properties;
mod quarantined;
mod repartitioning;
mod retarget;
mod units;
mod world;
