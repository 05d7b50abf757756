//! The command line: arguments, and what each command does.

mod arguments;
mod faults;
mod run;

pub use arguments::Arguments;
pub use run::run;
