//! The journal outlives its agent, is nobody else's, and is whole or said not to be.

mod file;
mod ownership;
mod power;
mod unreadable;
