//! What must hold always: of what a step decides, of what is done, of what is written, of every state.
//!
//! A rule is named by what its sentence begins with: `S1` to `S11`, and `PNR` for the point of no return, after which an
//! operation is not given up and the node is not given back; `N1` to `N5` for what is NVIDIA's; `E` for what must be told.

pub mod nvidia;

use std::collections::BTreeMap;

use crds::GpuNodeSpec;
use crds::gpu_node::{AgentStage, MaintenanceStatus, OperationStage, Phase};
use crds::names::LABEL_PLUGIN_CONFIG;
use crds::policy::{OnDrainTimeout, OnWindowClose};
use plan::change;
use plan::conditions;
use plan::maintenance::{Effect, Limits, Step};
use plan::windows::Schedule;

use crate::actors;
use crate::explained;
use crate::forget::now;
use crate::game::Game;
use crate::sight::Sight;
use crate::store::Number;
use crate::world::State;
use crate::world::host::Host;
use crate::world::machine::Stage;
use crate::world::node::{GpuNode, uid};
use crate::world::policy::{Brake, Policy, Window};
use crate::world::slices::Slices;

/// Nothing, or the sentence of the rule that is broken.
pub type Verdict = Result<(), String>;

/// Holds, or is broken.
pub fn rule(holds: bool, sentence: &str) -> Verdict {
    if holds {
        Ok(())
    } else {
        Err(sentence.to_owned())
    }
}

/// Of a step, by what it saw.
pub fn decision(sight: &Sight, step: &Step) -> Verdict {
    for effect in &step.effects {
        match effect {
            Effect::Evict { pod, .. } => leaves(sight, &pod.uid)?,
            Effect::Delete { pod, .. } => {
                leaves(sight, &pod.uid)?;
                let snapshot = sight.maintenance.snapshot.as_ref();
                let is_force =
                    snapshot.is_some_and(|it| it.drain.on_timeout == OnDrainTimeout::Force);
                rule(
                    is_force,
                    "S6: a pod is deleted past its budget, and the policy does not say Force",
                )?;
            }
            Effect::Ask(spec) => goes_ahead(sight, spec)?,
            Effect::Label(labels) => tells(sight, labels)?,
            Effect::Cordon { .. }
            | Effect::Uncordon { .. }
            | Effect::Remember { .. }
            | Effect::Restart(_)
            | Effect::PublishConfig { .. } => {}
        }
    }
    let begins =
        step.status.phase == Phase::Preparing && sight.maintenance.phase != Phase::Preparing;
    rule(
        !begins || is_open(sight),
        "S4: an operation begins outside its window",
    )?;
    let quarantined = conditions::holds(&step.status.conditions, "Quarantined");
    let is_quarantined = step.status.phase == Phase::Quarantined;
    rule(
        is_quarantined == quarantined,
        "S9: a quarantine that is not said, or said and none",
    )?;
    nvidia::decision(sight, step)?;
    explained::told(sight, step)
}

/// The kubelets have what the plugin is told of.
fn tells(sight: &Sight, labels: &BTreeMap<String, Option<String>>) -> Verdict {
    let Some(Some(key)) = labels.get(LABEL_PLUGIN_CONFIG) else {
        return Ok(());
    };
    let since = sight.configs.get(key).and_then(|entry| entry.since);
    let delay = Limits::default().config_delay;
    rule(
        since.is_some_and(|since| now().duration_since(since) >= delay),
        "S11: the plugin is told of a configuration that the kubelet may not have",
    )
}

fn is_open(sight: &Sight) -> bool {
    sight.policy.as_ref().is_some_and(|(policy, ..)| {
        let schedule = Schedule::parse(&policy.spec.maintenance);
        schedule.is_ok_and(|schedule| schedule.at(now()).is_open())
    })
}

/// Whether the node is cordoned for the operation under way, and the cordon is still what it was.
fn is_ours(sight: &Sight) -> bool {
    sight.node.as_ref().is_some_and(|node| {
        let is_marked = node.operation == Some(sight.maintenance.operation_id);
        is_marked && node.unschedulable && (node.pre_cordoned || node.cordon_is_ours)
    })
}

fn leaves(sight: &Sight, uid: &str) -> Verdict {
    let is_draining = sight.maintenance.phase == Phase::Draining;
    rule(is_draining, "S2: a pod is to be evicted outside Draining")?;
    rule(
        is_ours(sight),
        "S2: a pod is to be evicted from a node that is not cordoned by us",
    )?;
    let mut pods = sight.pods.iter();
    let Some(pod) = pods.find(|pod| pod.reference.uid == uid) else {
        return rule(false, "S7: a pod is to be evicted that is not on the node");
    };
    rule(
        pod.leaving_since.is_none(),
        "S7: a pod is to be evicted that is leaving",
    )?;
    let target = sight.spec.target.clone().unwrap_or_default();
    let gpus = sight.agent.as_ref().map_or(&[][..], |agent| &agent.gpus);
    let affected = change::between(gpus, &target).affected;
    let holders = || gpus.iter().flat_map(|gpu| &gpu.holders);
    let mut its = holders()
        .filter(|holder| holder.pod == pod.reference.name)
        .peekable();
    let is_in_the_way = its.peek().is_none() || its.any(|it| affected.contains(&it.device));
    rule(
        is_in_the_way,
        "S7: a pod is to be evicted that is not in the way",
    )
}

/// Whether the agent is told to begin, and was not before.
fn is_go_ahead(sight: &Sight, asked: &GpuNodeSpec) -> bool {
    let stage = |spec: &GpuNodeSpec| spec.operation.as_ref().map(|operation| operation.stage);
    let proceed = Some(OperationStage::Proceed);
    stage(asked) == proceed && stage(&sight.spec) != proceed
}

/// The agent may begin only while nothing speaks against it.
fn goes_ahead(sight: &Sight, asked: &GpuNodeSpec) -> Verdict {
    if !is_go_ahead(sight, asked) {
        return Ok(());
    }
    let is_cleared = sight.maintenance.phase == Phase::Repartitioning && is_ours(sight);
    rule(
        is_cleared,
        "S3: the go-ahead is given without a drain or without the cordon",
    )?;
    let snapshot = sight.maintenance.snapshot.as_ref();
    let finishes = snapshot.is_some_and(|it| it.on_window_close == OnWindowClose::Finish);
    rule(
        finishes || is_open(sight),
        "S4: the go-ahead is given after the window has closed",
    )
}

/// Of an uncordon that the API server takes.
pub fn uncordon(host: &Host, schedulable: bool, sweeps: bool) -> Verdict {
    let Some(node) = &host.node else {
        return Ok(());
    };
    let is_ours = node.marker != 0 && !node.pre_cordoned && node.cordon_is_ours;
    let is_fair = !schedulable || !node.unschedulable || is_ours;
    rule(is_fair, "S1: a node is uncordoned that we did not cordon")?;
    let is_changing = host
        .machine
        .task
        .is_some_and(|task| task.stage.is_under_way());
    // The sweep has seen that there was no GpuNode, so nobody could know; no compare-and-swap spans two objects.
    rule(
        !is_changing || sweeps,
        "PNR: a node is given back while its agent changes the GPU",
    )
}

/// Of an eviction that is sent.
pub fn eviction(game: &Game, host: &Host) -> Verdict {
    if !game.bounds.fences_evictions {
        return Ok(());
    }
    let is_draining = game.phase(host) == Some(Phase::Draining);
    let trouble = &game.bounds.trouble;
    let is_taken_away = trouble.purges > 0 || trouble.deletions > 0;
    rule(
        is_draining || is_taken_away,
        "S2: a pod is evicted outside Draining",
    )
}

/// Of an eviction that the API server takes.
pub fn evicted(uid: u8, meant: u8) -> Verdict {
    rule(
        uid == meant,
        "S7: a pod is evicted that nobody has decided about",
    )
}

/// Of what the agent says before it begins.
pub fn beginning(game: &Game, host: &Host, operation: u8) -> Verdict {
    let asked = game.asked(host);
    let is_asked = asked.is_some_and(|asked| {
        asked.id == i64::from(operation) && asked.stage == OperationStage::Proceed
    });
    rule(
        is_asked,
        "S3: the agent begins an operation that it is not asked for",
    )
}

/// Of slices that are destroyed.
pub fn destruction(host: &Host, slices: Slices) -> Verdict {
    rule(
        !host.is_held(slices),
        "S3: a slice is destroyed under a pod",
    )
}

/// Of a spec that is written.
pub fn request(game: &Game, host: &Host, gpu_node: &GpuNode, spec: Number<GpuNodeSpec>) -> Verdict {
    let about = game.statuses.get(gpu_node.status).node_uid.clone();
    if host.node.is_none_or(|node| about != Some(uid(node.uid))) {
        // What was under way on a node that is gone is nobody's any more.
        return Ok(());
    }
    let (before, after) = (game.specs.get(gpu_node.spec), game.specs.get(spec));
    let id = before.operation.as_ref().map(|operation| operation.id);
    let answer = gpu_node.report.and_then(|report| report.answer);
    let is_changing = answer.is_some_and(|answer| {
        let begun = [AgentStage::Destroying, AgentStage::Creating];
        Some(answer.id.into()) == id && begun.contains(&answer.stage)
    });
    let is_kept = !is_changing || before.target == after.target;
    rule(
        is_kept,
        "S8: the target changes while the agent is on its way there",
    )
}

/// Of a status that is written over another.
pub fn transition(before: &MaintenanceStatus, after: &MaintenanceStatus) -> Verdict {
    let same_node = before.node_uid.is_none() || before.node_uid == after.node_uid;
    let is_operating = before.snapshot.is_some();
    if !same_node {
        let is_over = after.snapshot.is_none();
        return rule(
            is_over,
            "S8: an operation goes on on a node that was made anew",
        );
    }
    let (old, new) = (before.operation_id, after.operation_id);
    rule(
        new >= old,
        "S8: an operation has an earlier id than the one before",
    )?;
    let is_over = !is_operating
        || before.phase == Phase::Quarantined
        || before.phase == Phase::Uncordoning
        || before.phase == Phase::Releasing;
    rule(
        new == old || is_over || retargets(before, after),
        "S8: two operations at once",
    )?;
    let kept = before.snapshot == after.snapshot;
    let changes = new == old && is_operating && after.snapshot.is_some() && !kept;
    rule(!changes, "S10: the rules of an operation change under way")
}

/// Whether an operation gives way to the next under the same cordon. That it has not begun is another rule.
fn retargets(before: &MaintenanceStatus, after: &MaintenanceStatus) -> bool {
    let may_retarget = match before.phase {
        Phase::Preparing
        | Phase::Cordoning
        | Phase::WaitingJobs
        | Phase::Draining
        | Phase::Repartitioning => true,
        Phase::Unmanaged
        | Phase::InSync
        | Phase::Pending
        | Phase::RollingBack
        | Phase::Validating
        | Phase::Uncordoning
        | Phase::Releasing
        | Phase::Quarantined => false,
    };
    may_retarget && after.phase == Phase::Preparing && after.operation_id == before.operation_id + 1
}

/// Of a status that is written: what the agent has begun comes to its end.
pub fn given_up(host: &Host, before: &MaintenanceStatus, after: &MaintenanceStatus) -> Verdict {
    let task = host
        .machine
        .task
        .filter(|task| i64::from(task.id) == before.operation_id);
    let has_begun = task.is_some_and(|task| task.stage != Stage::Intended);
    let releases = after.phase == Phase::Releasing && before.phase != Phase::Releasing
        || retargets(before, after);
    rule(
        !(has_begun && releases),
        "PNR: an operation is given up that has begun to destroy",
    )
}

/// Of slots that are written.
pub fn admission(game: &Game, before: &Policy, after: &Policy) -> Verdict {
    let taken = after.slots.iter().flatten().count();
    let limit = actors::admission::limit(game, after);
    rule(
        taken <= limit,
        "S5: more slots than nodes may be out of service",
    )?;
    let is_granted = |(old, new): (&Option<_>, &Option<_>)| new.is_some() && old != new;
    let grants = before.slots.iter().zip(&after.slots).any(is_granted);
    let may = before.window == Window::Open && before.brake == Brake::Off;
    rule(!grants || may, "S4: a slot is granted outside the window")
}

/// Of every state.
pub fn state(game: &Game, state: &State) -> Verdict {
    for (place, host) in game.each(state) {
        let (Some(node), Some(status)) = (&host.node, game.status(&host)) else {
            continue;
        };
        let is_kept = !host.admin_keeps_it_cordoned || node.unschedulable;
        rule(is_kept, "S1b: an admin's cordon is gone")?;
        let is_in_flight = status.snapshot.is_some() && status.node_uid == Some(uid(node.uid));
        let slot = state.policy.slots[place.index()];
        let has_slot = slot.is_some_and(|slot| slot.uid == node.uid);
        // Before the cordon nothing is out of service: a slot that is taken back then is missed in time.
        let is_out = node.marker != 0 && is_in_flight;
        // Who deletes the policy takes its slots. What an agent has begun ends whatever else is taken from us.
        let trouble = &game.bounds.trouble;
        let is_adopted = trouble.purges > 0 || trouble.deletions > 0;
        let is_taken = !state.policy.exists || is_adopted && has_begun(&host);
        rule(
            !is_out || has_slot || is_taken,
            "S5: an operation without a slot",
        )?;
    }
    Ok(())
}

fn has_begun(host: &Host) -> bool {
    let stage = host.machine.task.map(|task| task.stage);
    stage.is_some_and(|stage| stage != Stage::Intended) || is_said(host)
}

/// Whether the agent has told that it begins.
fn is_said(host: &Host) -> bool {
    let answer = host.gpu_node.and_then(|it| it.report?.answer);
    answer.is_some_and(|answer| answer.stage == AgentStage::Destroying)
}
