//! Who must leave, who cannot, and what the server's answers mean.

mod assess;
mod budget;
mod devices;
mod memory;
mod reply;
mod stuck;
mod tiers;
