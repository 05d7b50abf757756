//! Who must leave, who cannot, and what the server's answers mean.

mod assess;
mod memory;
mod reply;
