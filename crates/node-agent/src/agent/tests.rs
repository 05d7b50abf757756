//! The agent, look by look, between a driver, a kubelet and an API server that are played.

mod bed;
mod conditions;
mod crash;
mod faults;
mod mps;
mod operations;
mod ordeal;
mod trouble;
