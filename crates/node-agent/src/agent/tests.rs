//! The agent, look by look, between a driver, a kubelet and an API server that are played.

mod bed;
mod conditions;
mod operations;
mod trouble;
