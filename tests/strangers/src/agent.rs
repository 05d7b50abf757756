//! What our agent says of the GPUs.

use crds::gpu_node::GpuStatus;
use serde::{Deserialize, Serialize};

use crate::{Error, Machine, Result};

/// The GPUs of a machine, as `gpu-sharing-agent inventory` prints them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Inventory {
    /// Version of the driver.
    pub driver_version: String,
    /// By NVML's index.
    pub gpus: Vec<GpuStatus>,
}

impl Machine {
    /// Asks the agent.
    ///
    /// # Errors
    /// It fails, or prints something else.
    pub fn inventory(&self) -> Result<Inventory> {
        let output = self.run(&self.agent, &["inventory"])?;
        let command = output.command.clone();
        let text = output.success()?;
        Inventory::parse(&command, &text)
    }
}

impl Inventory {
    /// Reads an inventory that a program printed.
    ///
    /// # Errors
    /// [`Error::Unreadable`].
    pub fn parse(command: &str, text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| Error::Unreadable {
            command: command.to_owned(),
            why: error.to_string(),
        })
    }
}
