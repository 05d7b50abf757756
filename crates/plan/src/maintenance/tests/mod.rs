//! The steps as tables, one file per group of phases, and as properties in a world that is against them.

mod anywhere;
mod fixtures;
mod properties;
mod world;
