//! What policies would change on which nodes, and what is wrong with them.

use std::collections::BTreeSet;

use crds::GpuSharingPolicy;
use crds::gpu_node::{ChangeClass, GpuStatus};
use jiff::Timestamp;
use kube::ResourceExt;
use plan::plugin_config;
use plan::resolve::{Goal, Wish, check, warnings, winner, wish};

use crate::args::PlanArgs;
use crate::cluster::{self, GpuHost};
use crate::files::{self, Error};
use crate::outcome::Outcome;

/// Plans the policies of some files for the cluster of another.
pub fn run(args: &PlanArgs) -> Result<Outcome, Error> {
    let mut policies = Vec::new();
    for file in &args.filenames {
        policies.extend(files::policies(file)?);
    }
    let hosts = args.cluster.as_deref().map(cluster::read).transpose()?;
    Ok(outcome(&policies, hosts.as_deref(), Timestamp::now()))
}

/// Warnings make no policy invalid.
fn outcome(policies: &[GpuSharingPolicy], hosts: Option<&[GpuHost]>, now: Timestamp) -> Outcome {
    let mut outcome = Outcome {
        text: String::new(),
        is_valid: true,
    };
    for policy in policies {
        let problems = check(&policy.spec);
        outcome.is_valid &= problems.is_empty();
        let verdict = if problems.is_empty() {
            "valid"
        } else {
            "NOT VALID"
        };
        outcome.line(&format!("policy {}: {verdict}", policy.name_any()));
        for problem in problems {
            outcome.line(&format!("  {problem}"));
        }
        for warning in warnings(&policy.spec.maintenance, now) {
            outcome.line(&format!("  warning: {warning}"));
        }
    }
    for host in hosts.into_iter().flatten() {
        outcome.node(policies, host);
    }
    for policy in policies.iter().filter(|it| wins_none(it, policies, hosts)) {
        outcome.line(&format!(
            "warning: policy {} wins none of these nodes: compare its spec.nodeSelector with their labels",
            policy.name_any()
        ));
    }
    outcome
}

/// Whether the policy wins no node of the cluster, if there is one.
fn wins_none(
    policy: &GpuSharingPolicy,
    policies: &[GpuSharingPolicy],
    hosts: Option<&[GpuHost]>,
) -> bool {
    let wins = |host: &GpuHost| {
        winner(policies, &host.labels).map(ResourceExt::name_any) == Some(policy.name_any())
    };
    hosts.is_some_and(|hosts| !hosts.iter().any(wins))
}

impl Outcome {
    fn node(&mut self, policies: &[GpuSharingPolicy], host: &GpuHost) {
        let (labels, nobody) = (&host.labels, BTreeSet::new());
        let (winner, wish) = wish(policies, labels, &host.neighbours, &host.gpus, &nobody);
        let by = winner.map_or_else(String::new, |policy| {
            format!(" by policy {}", policy.name_any())
        });
        match wish {
            Wish::Unmanaged => self.line(&format!(
                "node {}: left as it is, no policy selects it",
                host.name
            )),
            Wish::Refused { problem, .. } => {
                self.is_valid &= problem.reason.is_of_the_node();
                self.line(&format!("node {}{by}: cannot be done", host.name));
                self.line(&format!("  {problem}"));
            }
            Wish::Goal(goal) => {
                self.line(&format!(
                    "node {}{by}: {}",
                    host.name,
                    disturbance(goal.change.class)
                ));
                self.goal(&goal, &host.gpus);
            }
        }
    }

    fn goal(&mut self, goal: &Goal, gpus: &[GpuStatus]) {
        for gpu in &goal.change.gpus {
            self.line(&format!(
                "  GPU {}: {} -> {} ({} kept, {} destroyed, {} created)",
                gpu.index, gpu.before, gpu.after, gpu.kept, gpu.destroyed, gpu.created
            ));
        }
        let promised = plugin_config::promised(&goal.target);
        let promised: Vec<_> = promised
            .iter()
            .map(|(name, count)| format!("{count} {name}"))
            .collect();
        let sharers = &goal.guarantees[crds::names::LABEL_MAX_SHARERS];
        self.line(&format!(
            "  {}: pods can have {}; at most {sharers} share a device",
            goal.strategy,
            promised.join(" and ")
        ));
        if !goal.is_proved {
            self.line(
                "  perhaps more than had to be disturbed: so many pods are on several GPUs that the search ended early",
            );
        }
        for why in &goal.change.emptied {
            self.line(&format!("  to be emptied: {why}"));
        }
        let leaves =
            |holder: &&crds::gpu_node::Holder| goal.change.affected.contains(&holder.device);
        let holders = gpus.iter().flat_map(|gpu| &gpu.holders).filter(leaves);
        let pods: BTreeSet<_> = holders
            .map(|it| format!("{}/{}", it.namespace, it.pod))
            .collect();
        if !pods.is_empty() {
            let pods: Vec<_> = pods.into_iter().collect();
            let (pods, key) = (pods.join(", "), crds::names::ANNOTATION_DO_NOT_EVICT);
            // The operator looks for other slices first for those that have it.
            self.line(&format!(
                "  must leave: {pods} (as if none had {key}: these files do not say)"
            ));
        }
    }
}

const fn disturbance(class: ChangeClass) -> &'static str {
    match class {
        ChangeClass::None | ChangeClass::ConfigOnly => "its GPUs stay as they are",
        ChangeClass::Devices => "slices change",
        ChangeClass::Gpus => "whole GPUs change",
    }
}

#[cfg(test)]
mod tests;
