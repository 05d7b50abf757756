//! The commands about hardware as processes: what they print, and with which code they end.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod bad_input;
mod layouts;
mod maps;
mod profiles;
mod reasons;
mod usage;

use std::process::Command;

/// How a command ended.
struct Said {
    code: i32,
    output: String,
    errors: String,
}

/// Runs the plugin with arguments that contain no spaces.
fn plugin(line: &str) -> Said {
    run(line.split_whitespace())
}

fn run<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-gpusharing"));
    let ended = command.args(arguments).output().unwrap();
    Said {
        code: ended.status.code().unwrap(),
        output: String::from_utf8(ended.stdout).unwrap(),
        errors: String::from_utf8(ended.stderr).unwrap(),
    }
}
