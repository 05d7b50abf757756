//! The subcommand `inventory`: what the driver shows, without a cluster.

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;

use gpu::{Driver, Nvml};
use serde_json::json;

/// Prints the driver's version and the GPUs as JSON on stdout.
pub fn print(library: &Path) -> Result<(), Box<dyn Error>> {
    let inventory = Nvml::load(library)?.inventory()?;
    let json = json!({"driverVersion": inventory.driver_version, "gpus": inventory.gpus});
    writeln!(io::stdout(), "{json:#}")?;
    Ok(())
}
