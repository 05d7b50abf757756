//! What is NVIDIA's: its programs are paused only for a switch of the mode and run again, its labels are not ours, and
//! nothing begins while its MIG Manager has the node or its driver is upgraded.

use std::collections::BTreeMap;

use crds::gpu_node::{OperationStage, Phase};
use crds::names::{ANNOTATION_MIG_MANAGER, GPU_CLIENT_LABELS, GPU_CLIENT_PAUSED};
use plan::change;
use plan::maintenance::{Effect, Step};
use plan::neighbours::MigManager;

use super::{Verdict, is_go_ahead, is_ours, rule};
use crate::sight::Sight;
use crate::world::host::Host;
use crate::world::stack::Deploy;

/// Of a step, by what it saw.
pub fn decision(sight: &Sight, step: &Step) -> Verdict {
    for effect in &step.effects {
        match effect {
            Effect::Label(labels) => pauses(sight, labels)?,
            Effect::Remember { annotations, .. } => takes(sight, annotations)?,
            Effect::Ask(spec) if is_go_ahead(sight, spec) => {
                is_alone(sight)?;
                is_closed(sight)?;
            }
            Effect::Ask(_)
            | Effect::Cordon { .. }
            | Effect::Uncordon { .. }
            | Effect::Restart(_)
            | Effect::PublishConfig { .. }
            | Effect::Evict { .. }
            | Effect::Delete { .. } => {}
        }
    }
    if step.status.phase == Phase::Cordoning && sight.maintenance.phase != Phase::Cordoning {
        is_alone(sight)?;
    }
    resumes(sight, step)
}

/// Whether what is asked of the agent switches the mode of a GPU.
fn switches(sight: &Sight) -> bool {
    let target = sight.spec.target.clone().unwrap_or_default();
    let plans = change::between(sight.gpus(), &target).gpus;
    plans.iter().any(|gpu| gpu.from.enabled != gpu.to.enabled)
}

/// Clients are paused right before the go-ahead, when everybody else has left.
fn pauses(sight: &Sight, labels: &BTreeMap<String, Option<String>>) -> Verdict {
    let pauses = labels.iter().any(|(key, value)| {
        let is_client = GPU_CLIENT_LABELS.contains(&key.as_str());
        is_client && value.as_deref() == Some(GPU_CLIENT_PAUSED)
    });
    let asked = sight.spec.operation.as_ref().map(|asked| asked.stage);
    let is_due = sight.maintenance.phase == Phase::Repartitioning
        && is_ours(sight)
        && asked == Some(OperationStage::Prepare)
        && switches(sight);
    rule(
        !pauses || is_due,
        "N1: GPU clients are paused although no mode is about to be switched",
    )
}

/// Outside of a repartition nothing is done before those that are paused run again.
fn resumes(sight: &Sight, step: &Step) -> Verdict {
    let paused = sight
        .node
        .as_ref()
        .map(|node| &node.neighbours.clients.paused);
    let repartitions = [Phase::Repartitioning, Phase::RollingBack];
    let may_last =
        sight.maintenance.snapshot.is_some() && repartitions.contains(&sight.maintenance.phase);
    let Some(paused) = paused.filter(|paused| !paused.is_empty() && !may_last) else {
        return Ok(());
    };
    let labels = match step.effects.first() {
        Some(Effect::Label(labels)) => labels.clone(),
        Some(_) | None => BTreeMap::new(),
    };
    let runs = |key: &String| labels.get(key).and_then(Option::as_deref) == Some("true");
    rule(
        paused.iter().all(runs),
        "N2: GPU clients stay paused outside of a repartition",
    )
}

/// The mode is switched only when nothing of NVIDIA's keeps the GPU open.
fn is_closed(sight: &Sight) -> Verdict {
    let clients = sight.node.as_ref().map(|node| &node.neighbours.clients);
    let is_free = clients.is_none_or(|clients| clients.running.is_empty());
    let is_empty = sight.pods.iter().all(|pod| pod.client_of.is_empty());
    rule(
        is_free && is_empty || !switches(sight),
        "N1: the agent is told to go ahead while a GPU client keeps the GPU open",
    )
}

/// Nobody else divides the GPUs, and nobody takes the driver away.
fn is_alone(sight: &Sight) -> Verdict {
    let Some(node) = &sight.node else {
        return Ok(());
    };
    let is_ours = match &node.neighbours.mig_manager {
        MigManager::Away
        | MigManager::KeptAway
        | MigManager::TakenOver {
            is_intact: true, ..
        } => true,
        MigManager::Acts { .. } | MigManager::TakenOver { .. } => false,
    };
    let name = "nvidia-mig-manager";
    let is_gone = sight.pods.iter().all(|pod| pod.reference.name != name);
    rule(
        is_ours && is_gone,
        "N4: a change goes on while MIG Manager has the node",
    )?;
    rule(
        node.neighbours.driver_upgrade.is_none(),
        "N5: a change goes on while the driver is upgraded",
    )
}

/// A node is taken from MIG Manager only by a policy's word, and given back only when nothing is under way.
fn takes(sight: &Sight, annotations: &BTreeMap<String, Option<String>>) -> Verdict {
    let takes = annotations
        .get(ANNOTATION_MIG_MANAGER)
        .is_some_and(Option::is_some);
    let policy = sight.policy.as_ref().map(|(policy, ..)| &policy.spec);
    let is_told = policy.is_some_and(|spec| spec.take_over && !spec.paused && !spec.dry_run);
    rule(
        !takes || is_told,
        "N4: a node is taken from MIG Manager without the policy's word",
    )?;
    rule(
        takes || sight.maintenance.snapshot.is_none(),
        "N4: a node is given back to MIG Manager in the middle of an operation",
    )
}

/// Of labels of GPU clients that the API server takes: `true` becomes the value for the pause, and that becomes `true`.
pub fn deployed(host: &Host, after: [Deploy; 2]) -> Verdict {
    let before = host.node.map_or(after, |node| node.stack.clients);
    let is_ours = |(before, after): (&Deploy, &Deploy)| {
        let ours = [Deploy::True, Deploy::Paused];
        before == after || ours.contains(before) && ours.contains(after)
    };
    rule(
        before.iter().zip(&after).all(is_ours),
        "N3: a label of a GPU client is overwritten that is somebody else's",
    )
}

/// Of MIG Manager's label and our memory of it that the API server takes: what others have written is never lost.
pub fn remembered(host: &Host, manager: Deploy, before: Option<Deploy>) -> Verdict {
    let Some(node) = &host.node else {
        return Ok(());
    };
    let is = (node.stack.manager, node.stack.before);
    let is_kept = match (is, before) {
        // It is taken, or taken again: our own word is not to be remembered.
        ((deployed, known), Some(before)) => {
            let is_our_word = deployed == Deploy::False;
            manager == Deploy::False && before == known.filter(|_| is_our_word).unwrap_or(deployed)
        }
        // It is given back, unless somebody has written something else.
        ((Deploy::False, Some(known)), None) => manager == known,
        ((deployed, _), None) => manager == deployed,
    };
    rule(is_kept, "N3: what MIG Manager's label was is lost")
}

/// Of a node that takes pods again.
pub fn given_back(host: &Host) -> Verdict {
    let is_paused = host.node.is_some_and(|node| node.stack.is_paused());
    rule(
        !is_paused,
        "N2: a node is given back while GPU clients are paused",
    )
}
