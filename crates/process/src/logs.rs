//! Logs: one line per event on stderr, as text or JSON, filtered by `--log-level`.

use std::io::{self, IsTerminal};
use std::str::FromStr;

use clap::{Args, ValueEnum};
use tracing_subscriber::filter::{EnvFilter, ParseError};
use tracing_subscriber::util::TryInitError;
use tracing_subscriber::{Layer, Registry, fmt, prelude::*};

/// What to log and how; flatten it into a binary's flags.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Logs")]
pub struct LogArgs {
    /// What to log: off, error, warn, info, debug or trace, per module if wanted
    /// (`info,kube=debug`)
    #[arg(long, env = "LOG_LEVEL", default_value = "info", value_name = "FILTER")]
    pub log_level: Filter,

    /// How a log line looks
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = Format::Text)]
    pub log_format: Format,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people; coloured when stderr is a terminal.
    Text,
    /// For machines: one JSON object per line.
    Json,
}

/// Directives in the syntax of [`EnvFilter`], known to parse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(String);

impl FromStr for Filter {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        EnvFilter::try_new(text).map(|_| Self(text.to_owned()))
    }
}

/// Why logs cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter does not parse; [`Filter`] makes sure that this does not happen.
    #[error("cannot use the log filter; write something like info or info,kube=debug")]
    Filter(#[from] ParseError),
    /// Something in this process has set up a log before.
    #[error("cannot set up the log; call logs::init once, first thing in main")]
    Twice(#[from] TryInitError),
}

/// What the Kubernetes client says of itself and nobody needs: its error of each request that fails, which the caller
/// tells in its own words, and a span around each reconcile. What `--log-level` says of the same modules wins.
const NOISE: &str = "kube_client::client::builder=off,kube_runtime=warn";

/// Sends the log of the whole process to stderr. To be called once, first thing in `main`.
pub fn init(args: &LogArgs) -> Result<(), LogError> {
    let filter = filter(&args.log_level)?;
    Ok(tracing_subscriber::registry()
        .with(lines(args.log_format).with_filter(filter))
        .try_init()?)
}

fn filter(level: &Filter) -> Result<EnvFilter, ParseError> {
    EnvFilter::try_new(format!("{NOISE},{}", level.0))
}

fn lines(format: Format) -> Box<dyn Layer<Registry> + Send + Sync> {
    let layer = fmt::layer().with_writer(io::stderr);
    match format {
        Format::Text => layer.with_ansi(io::stderr().is_terminal()).boxed(),
        Format::Json => layer.json().flatten_event(true).boxed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_noise_is_left_out_unless_it_is_asked_for() {
        for (level, enabled) in [
            (
                "info",
                ["kube_runtime=warn", "kube_client::client::builder=off"],
            ),
            (
                "info,kube_runtime=debug",
                ["kube_runtime=debug", "kube_client::client::builder=off"],
            ),
        ] {
            let filter = filter(&level.parse().unwrap()).unwrap().to_string();
            let said: Vec<_> = filter.split(',').collect();
            assert!(
                enabled.iter().all(|directive| said.contains(directive)),
                "{filter}"
            );
        }
    }

    #[test]
    fn a_filter_is_checked_when_flags_are_parsed() {
        for (text, good) in [
            ("info", true),
            ("info,kube=debug", true),
            ("kube=loud", false),
            ("a=b=c", false),
        ] {
            assert_eq!(text.parse::<Filter>().is_ok(), good, "{text}");
        }
    }
}
