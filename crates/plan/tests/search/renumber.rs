//! Ids of operations, counted from 1 in each node: only which is the later one matters, and which are the same.

use crds::GpuNodeSpec;
use crds::gpu_node::{MaintenanceStatus, Phase};

use crate::decide::small;
use crate::forget::now;
use crate::game::Game;
use crate::store::Number;
use crate::world::host::Host;
use crate::world::operator::{Decision, Deed, Visit};
use crate::world::policy::Slot;

/// New ids, by the old ones. 0, which no operation has, stays.
struct Ids(Vec<u8>);

impl Ids {
    fn of(&self, old: u8) -> u8 {
        let index = self.0.iter().position(|known| *known == old);
        index.map_or(0, |index| u8::try_from(index + 1).expect("few operations"))
    }

    fn are_in_order(&self) -> bool {
        self.0.iter().all(|id| self.of(*id) == *id)
    }
}

/// Gives the operations of a node, and of its slot, their numbers.
pub fn operations(game: &mut Game, host: &mut Host, slot: &mut Option<Slot>) {
    let mut ids = Vec::with_capacity(8);
    collect(game, host, slot.as_ref(), &mut ids);
    ids.retain(|id| *id != 0);
    ids.sort_unstable();
    ids.dedup();
    let ids = Ids(ids);
    if !ids.are_in_order() {
        rewrite(game, host, slot, &ids);
    }
}

/// The id that the policy controller gives to a slot: at this moment the time of day is later than all ids here.
pub fn granted(operation: i64, latest: u8) -> u8 {
    if operation >= now().as_second() {
        latest + 1
    } else {
        small(operation)
    }
}

/// The latest id that anybody knows of.
pub fn latest(game: &Game, host: &Host, slot: Option<&Slot>) -> u8 {
    let mut ids = Vec::with_capacity(8);
    collect(game, host, slot, &mut ids);
    ids.into_iter().max().unwrap_or_default()
}

fn collect(game: &Game, host: &Host, slot: Option<&Slot>, ids: &mut Vec<u8>) {
    ids.extend(slot.map(|slot| slot.operation));
    ids.extend(host.node.map(|node| node.marker));
    ids.extend(host.machine.task.map(|task| task.id));
    ids.extend(host.cached.iter().flatten().map(|it| it.operation));
    if let Some(gpu_node) = &host.gpu_node {
        ids.push(of_status(game, gpu_node.status));
        ids.push(of_spec(game, gpu_node.spec));
        ids.extend(
            gpu_node
                .report
                .and_then(|report| report.answer)
                .map(|it| it.id),
        );
    }
    for visit in &host.visits {
        match visit {
            Visit::Idle => {}
            Visit::Looked { node, .. } => ids.extend(node.map(|node| node.marker)),
            Visit::Acts { decision, .. } => of_decision(game, *decision, ids),
        }
    }
}

fn of_status(game: &Game, status: Number<MaintenanceStatus>) -> u8 {
    small(game.statuses.get(status).operation_id)
}

fn of_spec(game: &Game, spec: Number<GpuNodeSpec>) -> u8 {
    let operation = game.specs.get(spec).operation.as_ref();
    operation.map_or(0, |operation| small(operation.id))
}

fn of_decision(game: &Game, decision: Number<Decision>, ids: &mut Vec<u8>) {
    let decision = game.decisions.get(decision);
    ids.extend(decision.status.map(|status| of_status(game, status)));
    for deed in &decision.deeds {
        match deed {
            Deed::Cordon { operation, .. } => ids.push(*operation),
            Deed::Ask(spec) => ids.push(of_spec(game, *spec)),
            Deed::Uncordon { .. }
            | Deed::Label { .. }
            | Deed::Remember { .. }
            | Deed::Publish(_)
            | Deed::Evict { .. } => {}
        }
    }
}

fn rewrite(game: &mut Game, host: &mut Host, slot: &mut Option<Slot>, ids: &Ids) {
    if let Some(slot) = slot {
        slot.operation = ids.of(slot.operation);
    }
    if let Some(node) = &mut host.node {
        node.marker = ids.of(node.marker);
    }
    if let Some(task) = &mut host.machine.task {
        task.id = ids.of(task.id);
    }
    for cached in host.cached.iter_mut().flatten() {
        cached.operation = ids.of(cached.operation);
    }
    if let Some(gpu_node) = &mut host.gpu_node {
        gpu_node.status = status(game, gpu_node.status, ids);
        gpu_node.spec = spec(game, gpu_node.spec, ids);
        let report = gpu_node.report.as_mut();
        if let Some(answer) = report.and_then(|report| report.answer.as_mut()) {
            answer.id = ids.of(answer.id);
        }
    }
    for visit in &mut host.visits {
        match visit {
            Visit::Idle | Visit::Looked { node: None, .. } => {}
            Visit::Looked {
                node: Some(node), ..
            } => node.marker = ids.of(node.marker),
            Visit::Acts { decision, .. } => *decision = self::decision(game, *decision, ids),
        }
    }
}

fn status(
    game: &mut Game,
    number: Number<MaintenanceStatus>,
    ids: &Ids,
) -> Number<MaintenanceStatus> {
    let mut status = game.statuses.get(number).clone();
    status.operation_id = ids.of(small(status.operation_id)).into();
    game.statuses.put(status)
}

fn spec(game: &mut Game, number: Number<GpuNodeSpec>, ids: &Ids) -> Number<GpuNodeSpec> {
    let mut spec = game.specs.get(number).clone();
    if let Some(operation) = &mut spec.operation {
        operation.id = ids.of(small(operation.id)).into();
    }
    game.specs.put(spec)
}

fn decision(game: &mut Game, number: Number<Decision>, ids: &Ids) -> Number<Decision> {
    let mut decision = game.decisions.get(number).clone();
    decision.status = decision.status.map(|number| status(game, number, ids));
    for deed in &mut decision.deeds {
        match deed {
            Deed::Cordon { operation, .. } => *operation = ids.of(*operation),
            Deed::Ask(asked) => *asked = spec(game, *asked, ids),
            Deed::Uncordon { .. }
            | Deed::Label { .. }
            | Deed::Remember { .. }
            | Deed::Publish(_)
            | Deed::Evict { .. } => {}
        }
    }
    game.decisions.put(decision)
}

/// Whether no operation is under way in a phase.
pub const fn is_settled(phase: Phase) -> bool {
    match phase {
        Phase::Unmanaged | Phase::InSync | Phase::Pending => true,
        Phase::Preparing
        | Phase::Cordoning
        | Phase::WaitingJobs
        | Phase::Draining
        | Phase::Repartitioning
        | Phase::RollingBack
        | Phase::Validating
        | Phase::Uncordoning
        | Phase::Releasing
        | Phase::Quarantined => false,
    }
}
