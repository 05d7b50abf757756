//! One run: what the schedule says happens, then everything is put right, the cluster settles, and the run is judged.

use std::time::Duration;

use crds::gpu_node::Phase;
use crds::{GpuNode, names};
use e2e::{Error, Look, Result, Weather, eventually};
use kube::ResourceExt;
use nvml_sim::state::{Fault, When};
use serde_json::{Value, json};

use crate::invariants;
use crate::schedule::{Act, Layout, NODES, POLICIES, Schedule};
use crate::world::{World, node, policy, policy_of};

/// More than two rounds of operations need after a run, with a drain that times out before each.
const PATIENCE: Duration = Duration::from_mins(2);
/// What the driver may refuse.
const CREATE: &str = "nvmlDeviceCreateGpuInstanceWithPlacement";
/// A person asks again so often.
const ASKS: Duration = Duration::from_secs(10);

impl World {
    /// Lets it all happen, waits until the world has settled, and says what was wrong.
    ///
    /// # Errors
    /// The bed itself is broken.
    pub async fn run(&mut self, schedule: &Schedule) -> Result<Vec<String>> {
        for step in &schedule.steps {
            tokio::time::sleep(step.after).await;
            let ended = self.ended();
            self.perform(&step.act).await?;
            self.start_again(&ended).await?;
        }
        self.put_right().await?;
        let unsettled = self.settle(schedule.seed).await.err();
        let facts = self.evidence.facts(&self.cluster).await?;
        for (what, count) in invariants::judged(&facts) {
            *self.judged.entry(what).or_default() += count;
        }
        let mut violations = invariants::violations(&facts);
        violations.extend(unsettled.map(|error| format!("{error:?}")));
        violations.extend(self.guard.violations());
        violations.extend(self.panics());
        for name in std::mem::take(&mut self.cordoned) {
            let open = json!({"spec": {"unschedulable": false}});
            self.cluster.node(&name).merge(open).await?;
        }
        Ok(violations)
    }

    async fn perform(&mut self, act: &Act) -> Result<()> {
        match act {
            Act::Kill(who) => self.program(*who).kill(),
            Act::End(who) => self.program(*who).ask_to_end()?,
            Act::Freeze(who) => self.program(*who).pause()?,
            Act::Thaw(who) => self.program(*who).resume()?,
            Act::Weather(weather) => self.proxy.set(weather.clone()),
            Act::RestartApiServer => self.cluster.bed.restart_api_server().await?,
            Act::Cordon(index) => self.cordon(&node(*index)).await?,
            Act::Uncordon(index) => {
                let open = json!({"spec": {"unschedulable": false}});
                self.cluster.node(&node(*index)).merge(open).await?;
                self.cordoned.remove(&node(*index));
            }
            Act::Layout(index, layout) => self.set_layout(*index, *layout).await?,
            Act::Pause(index) => drop(self.patch_policy(*index, json!({"paused": true})).await?),
            Act::Resume(index) => drop(self.patch_policy(*index, json!({"paused": false})).await?),
            Act::Delete(index) => self.delete_policy(*index).await?,
            Act::Shut(index) => self.black_out(*index, true).await?,
            Act::Open(index) => self.black_out(*index, false).await?,
            Act::Hold(index) => self.hold(*index, json!("chaos")).await?,
            Act::LetGo(index) => self.hold(*index, json!(null)).await?,
            Act::FailOnce(index) => {
                let fault = Fault {
                    function: CREATE.to_owned(),
                    code: 999,
                    when: When::Nth(1),
                };
                self.cluster.node(&node(*index)).gpus().inject(fault)?;
            }
            Act::Protect => self.protect().await?,
            Act::Unprotect => self.unprotect().await?,
        }
        Ok(())
    }

    async fn black_out(&self, index: usize, is: bool) -> Result<()> {
        let always = json!([{"from": "2000-01-01T00:00:00Z", "to": "2200-01-01T00:00:00Z", "reason": "chaos"}]);
        let blackouts = if is { always } else { json!([]) };
        let patch = json!({"maintenance": {"blackouts": blackouts}});
        self.patch_policy(index, patch).await.map(drop)
    }

    async fn hold(&self, index: usize, value: Value) -> Result<()> {
        let patch = json!({"metadata": {"annotations": {names::ANNOTATION_HOLD: value}}});
        self.cluster.node(&node(index)).merge(patch).await.map(drop)
    }

    /// Makes the cordon the administrator's: `kubectl cordon` does nothing on a cordoned node, so people uncordon it first.
    /// One node of each policy at a time, lest they take up its whole budget.
    async fn cordon(&mut self, name: &str) -> Result<()> {
        let of = |name: &str| (0..NODES).find(|index| node(*index) == name).map(policy_of);
        if self.cordoned.iter().any(|other| of(other) == of(name)) {
            return Ok(());
        }
        let object = self.cluster.node(name).clone();
        eventually("an administrator cordons", PATIENCE, async || {
            let found = object.get().await?;
            let was = found.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true);
            let metadata = json!({"resourceVersion": found.resource_version()});
            let patch = json!({"metadata": metadata, "spec": {"unschedulable": !was}});
            Ok(match object.merge(patch).await {
                Ok(_) if !was => Look::Done(()),
                Ok(_) => Look::NotYet("uncordoned it first".to_owned()),
                Err(Error::Api { source, .. }) if is_conflict(&source) => {
                    Look::NotYet("somebody else wrote first".to_owned())
                }
                Err(error) => return Err(error),
            })
        })
        .await?;
        self.cordoned.insert(name.to_owned());
        Ok(())
    }

    /// Nothing is wrong any more but what the administrator wants.
    async fn put_right(&mut self) -> Result<()> {
        self.proxy.set(Weather::fair());
        for who in Self::everybody() {
            self.program(who).resume()?;
        }
        self.unprotect().await?;
        for index in 0..NODES {
            self.hold(index, json!(null)).await?;
        }
        for index in 0..POLICIES {
            self.black_out(index, false).await?;
            if !self.patch_policy(index, json!({"paused": false})).await? {
                self.set_layout(index, Layout::Sevenths).await?;
            }
        }
        Ok(())
    }

    /// Waits until every node is as its policy says. Whoever ends is started again, and a person asks to try again.
    async fn settle(&mut self, seed: u64) -> Result<()> {
        let rounds = u32::try_from(PATIENCE.as_secs() / ASKS.as_secs()).unwrap_or(1);
        for round in 0..rounds {
            for index in 0..NODES {
                let retry = json!({names::ANNOTATION_RETRY: format!("{seed}-{round}")});
                let patch = json!({"metadata": {"annotations": retry}});
                self.cluster.node(&node(index)).merge(patch).await?;
            }
            let settled = eventually("the world settles", ASKS, async || {
                let ended = self.ended();
                self.start_again(&ended).await?;
                Ok(match self.unsettled().await? {
                    None => Look::Done(()),
                    Some(what) => Look::NotYet(what),
                })
            });
            match settled.await {
                Err(Error::Timeout { .. }) if round + 1 < rounds => {}
                settled => return settled,
            }
        }
        Ok(())
    }

    /// What is not yet as it should be.
    async fn unsettled(&mut self) -> Result<Option<String>> {
        let mut waiting = Vec::new();
        for index in 0..POLICIES {
            let found = self.cluster.policies().get(&policy(index)).await;
            let found = found.map_err(Error::api("get a policy"))?;
            let slots = found.status.as_ref().map_or(0, |status| status.slots.len());
            if slots > 0 {
                waiting.push(format!("{} has {slots} slots", policy(index)));
            }
            let nodes = (0..NODES).filter(|node| policy_of(*node) == index);
            for index in nodes {
                let gpu_node = self.cluster.gpu_nodes().get(&node(index)).await;
                let gpu_node = gpu_node.map_err(Error::api("get a GpuNode"))?;
                let is = Some((found.name_any(), found.metadata.generation.unwrap_or(0)));
                if in_effect(&gpu_node) != is {
                    waiting.push(format!("{}: {:?}", node(index), gpu_node.status));
                }
                let standing = self.standing(index).await?;
                let wanted = (self.cordoned.contains(&node(index)), false, false);
                if standing != wanted {
                    waiting.push(format!(
                        "{}: (unschedulable, marked, tainted) is {standing:?}, not {wanted:?}",
                        node(index)
                    ));
                }
            }
        }
        Ok((!waiting.is_empty()).then(|| waiting.join("\n")))
    }

    async fn standing(&self, index: usize) -> Result<(bool, bool, bool)> {
        let node = self.cluster.node(&node(index)).get().await?;
        let marked = node.annotations().contains_key(names::ANNOTATION_OPERATION);
        let spec = node.spec.unwrap_or_default();
        let mut taints = spec.taints.iter().flatten();
        let tainted = taints.any(|taint| taint.key == names::TAINT_MAINTENANCE);
        Ok((spec.unschedulable == Some(true), marked, tainted))
    }

    fn panics(&mut self) -> Vec<String> {
        let everybody: Vec<_> = Self::everybody().collect();
        let logs = everybody
            .into_iter()
            .map(|who| (who, self.program(who).log()));
        let panicked = logs.filter(|(_, log)| log.contains("panicked at"));
        panicked
            .map(|(who, _)| format!("{who:?} panicked, see its log"))
            .collect()
    }
}

fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.is_conflict())
}

/// The policy, and its generation, that a node is in sync with.
fn in_effect(node: &GpuNode) -> Option<(String, i64)> {
    let maintenance = node.status.as_ref()?.maintenance.as_ref()?;
    let policy = node.spec.policy.as_ref()?;
    (maintenance.phase == Phase::InSync).then(|| (policy.name.clone(), policy.generation))
}
