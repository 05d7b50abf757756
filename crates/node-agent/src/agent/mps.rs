//! The MPS daemon in a look: what it is to serve, what of it is seen, and what is told.

use crds::gpu_node::{GpuStatus, MpsDaemon, MpsDeath};
use plan::conditions::microseconds;

use super::Agent;
use crate::decide::mps;
use crate::mps::Death;
use crate::observation::{Observation, Sharing};

impl Agent {
    /// Has the daemon serve what was verified, unless an operation decides that, and says what is seen of it.
    pub(super) fn sharing(&self, gpus: &[GpuStatus]) -> Sharing {
        let record = self.engine.as_ref().map(crate::engine::Engine::record);
        let wanted = record.and_then(|record| mps::verified(record, gpus));
        if let Some(wanted) = wanted.filter(|_| self.mps.is_enabled()) {
            self.mps.order(&wanted);
        }
        let processes = gpus.iter().flat_map(|gpu| &gpu.processes);
        let ours = processes.filter(|process| self.mps.is_ours(process.pid));
        Sharing {
            serves: self.mps.serves(),
            ours: ours.map(|process| process.pid).collect(),
            obstacle: self.mps.obstacle(),
        }
    }

    /// Remembers whom the latest death has hit: those who had a GPU of the daemon when it was noticed.
    pub(super) fn note_death(&mut self, seen: &Observation) {
        let Some(death) = self.mps.report().death else {
            return;
        };
        let at = microseconds(death.at);
        if self.death.as_ref().is_none_or(|known| known.at != at) {
            self.death = Some(MpsDeath {
                at,
                of: death.of,
                pods: pods(seen, &death),
                how: death.how,
            });
        }
    }

    /// What is told of the daemon. None: the agent may not run one.
    pub(super) fn daemon(&self) -> Option<MpsDaemon> {
        let report = self.mps.report();
        self.mps.is_enabled().then(|| MpsDaemon {
            state: report.state(),
            given_up: report.given_up.map(microseconds),
            started_at: report.started.map(microseconds),
            trouble: report.trouble,
            last_death: self.death.clone(),
        })
    }
}

fn pods(seen: &Observation, death: &Death) -> Vec<String> {
    let gpus = seen.gpus.iter();
    let hit = gpus.filter(|gpu| death.gpus.contains(&gpu.uuid));
    let holders = hit.flat_map(|gpu| &gpu.holders);
    let mut pods: Vec<_> = holders
        .map(|holder| format!("{}/{}", holder.namespace, holder.pod))
        .collect();
    pods.sort();
    pods.dedup();
    pods
}
