//! Everything that the operator asks of the API server, one file per kind of object.
//!
//! All of it goes through a client that sends each request once: the retry of a compare-and-swap
//! write or of an eviction is a new decision on a new look, never a repetition.

mod budget;
mod deployment;
mod event;
mod gpu_node;
mod node;
mod plugin_config;
mod pod;
mod policy;
mod resource_slice;
mod stack;

pub use event::{Notice, Object};
pub use gpu_node::belongs_to;
pub use plugin_config::PluginConfigMap;

use kube::Client;
use kube::core::response::reason;
use serde::Serialize;

use crate::error::Error;
use crate::fence::Fence;

/// The API server as the operator uses it.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    fence: Fence,
    plugin: PluginConfigMap,
    /// Who reports events: the pod, or what stands for it.
    instance: String,
}

impl Cluster {
    /// `client` must send each request exactly once; `instance` is named in events.
    pub fn new(client: Client, fence: Fence, plugin: PluginConfigMap, instance: String) -> Self {
        Self {
            client,
            fence,
            plugin,
            instance,
        }
    }
}

/// Whether two statuses would look different on the API server.
pub fn differ(one: &impl Serialize, other: &impl Serialize) -> bool {
    serde_json::to_value(one).ok() != serde_json::to_value(other).ok()
}

/// What became of a write that names the version it is based on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written<T> {
    /// It stands; this is the object now.
    Done(T),
    /// Somebody else wrote first, or the object is gone: look again.
    Outdated,
}

impl<T> Written<T> {
    /// Tells a lost race from a failure.
    fn of(
        answer: kube::Result<T>,
        verb: &'static str,
        object: impl Into<String>,
    ) -> Result<Self, Error> {
        match answer {
            Ok(written) => Ok(Self::Done(written)),
            // Not any 404: without the kind itself the answer is a page, and looking again is vain.
            Err(kube::Error::Api(status))
                if status.is_conflict() || status.reason == reason::NOT_FOUND =>
            {
                Ok(Self::Outdated)
            }
            Err(error) => Err(Error::request(verb, object)(error)),
        }
    }
}

#[cfg(test)]
mod tests;
