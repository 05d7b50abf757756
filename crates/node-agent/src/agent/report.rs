//! What is told: `status.agent`, only if it differs from what stands there.

use crds::GpuNode;
use crds::gpu_node::{AgentOperation, AgentStatus};
use jiff::Timestamp;
use plan::conditions::observe;
use tracing::{info, warn};

use super::operate::Say;
use super::{Agent, Next, View};
use crate::api::ApiError;
use crate::decide::conditions::{drifted, foreign_instances, modes_settled, mps_serving};
use crate::decide::journal_lost;
use crate::decide::status::{Answer, Unready, ready, summary};
use crate::observation::Observation;

impl Agent {
    /// Tells what was seen, if anything is to be said. Between two steps only if there is news of the operation, or a beat
    /// is due.
    pub(super) async fn report(
        &mut self,
        seen: &Observation,
        unready: Option<&Unready>,
        say: Say,
        next: Next,
    ) {
        self.make_sure_it_exists().await;
        let Some(view) = self.view.as_ref().filter(|_| say != Say::Nothing) else {
            return;
        };
        let now = Timestamp::now();
        let operation = said(say, view.operation(), now);
        if next == Next::Now && operation.as_ref() == view.operation() {
            return;
        }
        let status = self.status(seen, unready, operation, now);
        self.put(status).await;
    }

    /// Tells why the GPUs are not known; what is known of them stands.
    pub(super) async fn report_blind(&mut self, unready: Option<&Unready>) {
        let Some(view) = &self.view else {
            let why = unready.map_or("", |unready| unready.message.as_str());
            let why = format!("it is made and filled when the GPUs can be read: {why}");
            self.gates.gpu_node.close(why);
            return;
        };
        let now = Timestamp::now();
        let mut status = view.said.clone().unwrap_or_default();
        status.operation = said(self.say_blind(unready), status.operation.as_ref(), now);
        ready(&mut status.conditions, unready, now);
        observe(&mut status.conditions, view.generation);
        self.put(status).await;
    }

    /// Says `Destroying` at exactly the version of `object` that was read.
    pub(super) async fn announce(
        &mut self,
        object: &GpuNode,
        seen: &Observation,
        answer: Answer,
    ) -> Result<(), ApiError> {
        let now = Timestamp::now();
        let status = self.status(seen, None, Some(answer.beating(None, now)), now);
        self.api.report_at(object, &status).await?;
        self.remember(status);
        Ok(())
    }

    fn status(
        &self,
        seen: &Observation,
        unready: Option<&Unready>,
        operation: Option<AgentOperation>,
        now: Timestamp,
    ) -> AgentStatus {
        let before = self.view.as_ref().and_then(|view| view.said.as_ref());
        let mut conditions = before.map(|it| it.conditions.clone()).unwrap_or_default();
        ready(&mut conditions, unready, now);
        let daemon = self.daemon();
        // In the middle of an operation the GPUs are meant to differ; without the journal nobody knows from what.
        if let Some(engine) = self.engine.as_ref().filter(|_| !self.is_under_way()) {
            let verified = &engine.record().verified;
            drifted(
                &mut conditions,
                &seen.gpus,
                verified,
                engine.given_up(),
                now,
            );
            foreign_instances(&mut conditions, &seen.gpus, now);
            modes_settled(&mut conditions, &seen.gpus, &seen.needs_reboot, now);
            let wanted = verified.iter().any(|gpu| gpu.mps.is_some());
            mps_serving(&mut conditions, daemon.as_ref(), wanted, now);
        }
        if self.engine.is_some() {
            journal_lost(&mut conditions, &self.kept, now);
        }
        let generation = self.view.as_ref().and_then(|view| view.generation);
        observe(&mut conditions, generation);
        AgentStatus {
            boot_id: seen.boot_id.clone(),
            driver_version: seen.driver_version.clone(),
            summary: summary(&seen.gpus),
            gpus: seen.gpus.clone(),
            operation,
            mps: daemon,
            conditions,
        }
    }

    async fn make_sure_it_exists(&mut self) {
        if self.view.is_some() || !self.absent {
            if self.view.is_none() {
                let why = "the API server has not been heard yet; check that it can be reached from this node";
                self.gates.gpu_node.close(why);
            }
            return;
        }
        match self.api.create().await {
            Ok(object) => {
                info!("created the GpuNode of this node");
                self.view = Some(View::of(object));
            }
            // Somebody was faster; the watch brings it.
            Err(ApiError::Changed { .. }) => {}
            Err(error) => self.api_failed(&error),
        }
    }

    async fn put(&mut self, status: AgentStatus) {
        let Some(view) = &self.view else {
            return;
        };
        if view.said.as_ref() == Some(&status) {
            self.gates.gpu_node.open();
            return;
        }
        match self.api.report(&view.uid, &status).await {
            Ok(_) => self.remember(status),
            Err(error) => {
                // It was deleted, or is another one by now.
                if matches!(error, ApiError::Absent { .. } | ApiError::Changed { .. }) {
                    self.view = None;
                }
                self.api_failed(&error);
            }
        }
    }

    fn remember(&mut self, status: AgentStatus) {
        self.gates.gpu_node.open();
        self.api_complaint = None;
        if let Some(view) = &mut self.view {
            view.said = Some(status);
        }
    }

    pub(super) fn api_failed(&mut self, error: &ApiError) {
        self.metrics.read_failed("api");
        let message = process::Chain(error).to_string();
        self.gates.gpu_node.close(&message);
        if self.api_complaint.as_ref() != Some(&message) {
            warn!("{message}");
            self.api_complaint = Some(message);
        }
    }
}

fn said(say: Say, before: Option<&AgentOperation>, now: Timestamp) -> Option<AgentOperation> {
    match say {
        Say::Nothing | Say::Keep => before.cloned(),
        Say::Answer(answer) => Some(answer.beating(before, now)),
    }
}
