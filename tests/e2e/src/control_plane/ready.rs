//! Waiting until the programs of the control plane answer.

use std::time::Duration;

use super::{Component, ControlPlane};
use crate::Result;
use crate::child::Child;
use crate::eventually::{Look, eventually};
use crate::http_get::http_get;

/// A busy machine takes its time.
const PATIENCE: Duration = Duration::from_mins(1);

impl ControlPlane {
    /// Waits until all of these answer that they are ready; an end of one of them is an error.
    pub(super) async fn ready(&mut self, components: &[Component]) -> Result<()> {
        for component in components {
            let url = self.health_url(*component);
            let what = format!("{} answers at {url}", component.name());
            eventually(&what, PATIENCE, async || {
                self.check()?;
                Ok(match http_get(&url).await {
                    Ok(_) => Look::Done(()),
                    Err(error) => Look::NotYet(format!("{error:?}")),
                })
            })
            .await?;
        }
        Ok(())
    }

    /// Whether everything that was started still runs.
    pub fn check(&mut self) -> Result<()> {
        self.running.values_mut().try_for_each(Child::check)
    }

    pub(super) fn health_url(&self, component: Component) -> String {
        let ports = &self.ports;
        match component {
            Component::Etcd => format!("http://127.0.0.1:{}/readyz", ports.etcd),
            Component::ApiServer => format!("{}/readyz", self.server()),
            Component::ControllerManager => {
                format!("https://127.0.0.1:{}/healthz", ports.controller_manager)
            }
            Component::Scheduler => format!("https://127.0.0.1:{}/readyz", ports.scheduler),
            Component::Kwok => format!("http://127.0.0.1:{}/healthz", ports.kwok),
        }
    }
}
