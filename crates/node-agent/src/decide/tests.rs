//! The decisions, case by case, and the machine from any state.

mod check;
mod conditions;
mod duty;
mod in_the_way;
mod machine;
mod modes;
mod mps;
mod order;
mod recovery;
mod status;
