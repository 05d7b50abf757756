//! When an agent was last heard, by the operator's own clock.

use crds::gpu_node::AgentStatus;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

/// When an agent was last heard, by the operator's own clock. The node's clock may be wrong, so its beats are never
/// compared with `now`: what counts is when the operator saw them change. The operator keeps one per node in memory;
/// after a restart an agent that is dead is found out one `agent_lost` later.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    heard: Option<(Option<MicroTime>, Timestamp)>,
}

impl Pulse {
    /// Takes in what the agent says now and answers when its present beat was first seen.
    pub fn hear(&mut self, agent: Option<&AgentStatus>, now: Timestamp) -> Timestamp {
        let beat = agent
            .and_then(|agent| agent.operation.as_ref())
            .map(|operation| operation.beat.clone());
        match &self.heard {
            // A clock that has been set back knows nothing of how long ago that was.
            Some((known, since)) if *known == beat && *since <= now => *since,
            Some(_) | None => {
                self.heard = Some((beat, now));
                now
            }
        }
    }
}
