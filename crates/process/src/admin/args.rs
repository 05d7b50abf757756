//! Where the admin server listens.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// Flags of the admin server; flatten them into a binary's flags.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Admin server")]
pub struct AdminArgs {
    /// Address that serves /healthz, /readyz and /metrics; port 0 takes any free port
    #[arg(long, default_value = "0.0.0.0:8080", value_name = "ADDRESS:PORT")]
    pub admin_address: SocketAddr,

    /// File to write the bound address to, so that a caller who asked for port 0 finds it
    #[arg(long, value_name = "FILE")]
    pub admin_port_file: Option<PathBuf>,
}
