//! The command line: arguments, and what each command does.

mod arguments;
mod run;

pub use arguments::Arguments;
pub use run::run;
