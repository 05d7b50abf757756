//! The maintenance of nodes, searched: every state that the product's own step and admission can come to within bounds,
//! with everybody else against them, keeps the rules, and none is a dead end.
#![cfg(test)]
#![expect(
    clippy::struct_excessive_bools,
    clippy::trivially_copy_pass_by_ref,
    reason = "what is so of a world is so whatever else is, and its parts are small on purpose"
)]

mod action;
mod actors;
mod begin;
mod bounds;
mod decide;
mod explained;
mod explore;
mod forget;
mod game;
mod goals;
mod hash;
mod mutation;
mod renumber;
mod rules;
mod sight;
mod store;
mod tests;
mod words;
mod world;
