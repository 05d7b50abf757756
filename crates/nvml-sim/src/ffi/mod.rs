//! The C surface: thin functions that read their arguments, ask a rule and write its answer.
//!
//! Pointers never leave [`arg`]; handles are numbers looked up in [`handle`], so a wild one is
//! refused rather than followed.

#[macro_use]
mod call;
mod absent;
mod arg;
mod change;
mod compute;
mod device;
mod event;
mod export_table;
mod gate;
mod handle;
mod mig_device;
mod process;
mod profile;
mod status;
mod system;

/// Every function of the library that logs, can be made to fail and can be slowed down.
pub fn symbols() -> impl Iterator<Item = &'static str> {
    let simulated = [
        change::SYMBOLS,
        compute::SYMBOLS,
        device::SYMBOLS,
        event::SYMBOLS,
        export_table::SYMBOLS,
        mig_device::SYMBOLS,
        process::SYMBOLS,
        profile::SYMBOLS,
        status::SYMBOLS,
        system::INIT_SYMBOLS,
        system::SYMBOLS,
    ];
    simulated
        .into_iter()
        .flatten()
        .copied()
        .chain(not_simulated())
}

/// Those of [`symbols`] that are there to answer `NOT_SUPPORTED`.
pub fn not_simulated() -> impl Iterator<Item = &'static str> {
    absent::SYMBOLS.into_iter().flatten().copied()
}
