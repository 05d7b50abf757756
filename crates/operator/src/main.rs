//! gpu-sharing-operator
mod api;
mod args;
mod caches;
mod error;
mod failures;
#[cfg(test)]
mod fake;
mod fence;
fn main() {}
