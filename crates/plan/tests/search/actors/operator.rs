//! An operator: reads, decides, does what it has decided one thing after the other, and may fail or die before each.
//!
//! That an answer is lost is the same as failing after the deed; only of an eviction is more remembered than what is done.

use crds::gpu_node::{MaintenanceStatus, Phase};
use plan::drain::{Answer, Cause, EvictionMemory, Reply};

use crate::action::{Action, Move};
use crate::decide::decide;
use crate::forget::now;
use crate::game::Game;
use crate::mutation::Mutation;
use crate::rules::{self, nvidia};
use crate::sight;
use crate::world::host::Host;
use crate::world::machine::{PodStage, Who};
use crate::world::node::Node;
use crate::world::operator::{Decision, Deed, Eviction, Heard, Leader, Memory, Visit};
use crate::world::{Place, State};

pub fn actions(game: &Game, place: Place, host: &Host, found: &mut Vec<Action>) {
    let bounds = &game.bounds;
    for leader in Leader::ALL.into_iter().take(bounds.leaders) {
        let mut may = |what| found.push(Action::Operator(leader, place, what));
        let is_idle = match &host.visits[leader.index()] {
            Visit::Idle => {
                may(if bounds.reads_apart {
                    Move::Looks
                } else {
                    Move::Decides
                });
                true
            }
            Visit::Looked { .. } => {
                may(Move::Decides);
                false
            }
            Visit::Acts { decision, done, .. } => {
                may(Move::Acts);
                let deeds = &game.decisions.get(*decision).deeds;
                if bounds.fails && matches!(deeds.get(usize::from(*done)), Some(Deed::Evict { .. }))
                {
                    may(Move::ActsUnheard);
                }
                false
            }
        };
        if bounds.fails && !is_idle {
            may(Move::Fails);
        }
        if bounds.fails && !(is_idle && host.memories[leader.index()] == Memory::NONE) {
            may(Move::Dies);
        }
    }
}

pub fn perform(
    game: &mut Game,
    state: &State,
    place: Place,
    mut host: Host,
    leader: Leader,
    what: Move,
) -> Result<State, String> {
    let mut state = *state;
    match what {
        Move::Looks => {
            host.visits[leader.index()] = Visit::Looked {
                node: host.node,
                current: true,
            };
        }
        Move::Decides => decides(game, &state, place, &mut host, leader)?,
        Move::Acts => acts(game, &mut state, &mut host, leader, true)?,
        Move::ActsUnheard => acts(game, &mut state, &mut host, leader, false)?,
        Move::Fails => host.visits[leader.index()] = Visit::Idle,
        Move::Dies => {
            host.visits[leader.index()] = Visit::Idle;
            host.memories[leader.index()] = Memory::NONE;
        }
    }
    Ok(game.with(state, place, host))
}

fn decides(
    game: &mut Game,
    state: &State,
    place: Place,
    host: &mut Host,
    leader: Leader,
) -> Result<(), String> {
    let (node, node_is_current) = match host.visits[leader.index()] {
        Visit::Looked { node, current } => (node, current),
        Visit::Idle | Visit::Acts { .. } => (host.node, true),
    };
    let knew_beat = host.memories[leader.index()].knows_beat;
    let memory = &mut host.memories[leader.index()];
    if host.gpu_node.is_some() && !knew_beat {
        memory.knows_beat = true;
        memory.heard = Heard::Fresh;
    }
    let memory = *memory;
    let decision = decide(game, state, place, host, node, &memory)?;
    host.visits[leader.index()] = decision.map_or(Visit::Idle, |decision| Visit::Acts {
        decision,
        done: 0,
        node_is_current,
        gpu_node_is_current: true,
    });
    let status = decision.and_then(|decision| game.decisions.get(decision).status);
    let becomes_quiet = status.is_some_and(|status| {
        let is_quiet = |status: &MaintenanceStatus| quiet(status);
        is_quiet(game.statuses.get(status)) && !game.status(host).is_some_and(is_quiet)
    });
    if becomes_quiet && knew_beat {
        ages(&mut host.memories[leader.index()]);
    }
    Ok(())
}

fn quiet(status: &MaintenanceStatus) -> bool {
    status
        .drain
        .as_ref()
        .is_some_and(|drain| drain.quiet_since.is_some())
}

/// What was heard before the node became quiet is older than that.
fn ages(memory: &mut Memory) {
    if memory.heard == Heard::Fresh {
        memory.heard = Heard::Old;
    }
}

fn acts(
    game: &mut Game,
    state: &mut State,
    host: &mut Host,
    leader: Leader,
    is_heard: bool,
) -> Result<(), String> {
    let Visit::Acts { decision, done, .. } = host.visits[leader.index()] else {
        return Ok(());
    };
    let decided = game.decisions.get(decision).clone();
    let deed = decided.deeds.get(usize::from(done)).copied();
    let is_done = if let Some(deed) = deed {
        does(game, state, host, leader, deed, &decided, is_heard)?
    } else {
        if let Some(status) = decided.status {
            writes(game, host, leader, status)?;
        }
        false
    };
    let total = decided.deeds.len() + usize::from(decided.status.is_some());
    let is_last = usize::from(done) + 1 >= total;
    match &mut host.visits[leader.index()] {
        Visit::Acts { done, .. } if is_done && is_heard && !is_last => *done += 1,
        visit => *visit = Visit::Idle,
    }
    Ok(())
}

/// Whether it could be done; otherwise the rest waits for another look.
fn does(
    game: &mut Game,
    state: &mut State,
    host: &mut Host,
    leader: Leader,
    deed: Deed,
    decided: &Decision,
    is_heard: bool,
) -> Result<bool, String> {
    match deed {
        Deed::Cordon {
            operation,
            pre_cordoned,
        } => {
            let nothing = game.promises.put(std::collections::BTreeMap::new());
            let taints = !game.is(Mutation::LeavesPodsToTheCordon);
            Ok(patches(game, host, leader, |node| {
                node.cordon_is_ours |= !node.unschedulable;
                node.unschedulable = true;
                node.tainted = taints;
                node.marker = operation;
                node.pre_cordoned = pre_cordoned;
                node.promises = nothing;
            }))
        }
        Deed::Uncordon {
            schedulable,
            key,
            promises,
        } => {
            if is_current(game, host, leader) {
                rules::uncordon(host, schedulable, decided.sweeps)?;
                nvidia::given_back(host)?;
            }
            Ok(patches(game, host, leader, |node| {
                node.marker = 0;
                node.pre_cordoned = false;
                node.tainted = false;
                node.unschedulable &= !schedulable;
                (node.key, node.promises) = (key, promises);
            }))
        }
        Deed::Label {
            key,
            promises,
            clients,
        } => {
            if is_current(game, host, leader) {
                nvidia::deployed(host, clients)?;
            }
            Ok(patches(game, host, leader, |node| {
                (node.key, node.promises) = (key, promises);
                node.stack.clients = clients;
            }))
        }
        Deed::Remember {
            manager,
            before,
            promises,
        } => {
            if is_current(game, host, leader) {
                nvidia::remembered(host, manager, before)?;
            }
            Ok(patches(game, host, leader, |node| {
                (node.stack.manager, node.stack.before) = (manager, before);
                node.promises = promises;
            }))
        }
        Deed::Publish(configs) => {
            let mut all = game.configs.get(state.configs).clone();
            all.extend(game.configs.get(configs).clone());
            state.configs = game.configs.put(all);
            Ok(true)
        }
        Deed::Ask(spec) => {
            let is_current = gpu_node_is_current(game, host, leader);
            if let Some(mut gpu_node) = host.gpu_node.filter(|_| is_current) {
                rules::request(game, host, &gpu_node, spec)?;
                gpu_node.spec = spec;
                if decided.node != 0 {
                    gpu_node.owner = decided.node;
                }
                host.gpu_node = Some(gpu_node);
                host.gpu_node_is_written(Some(leader));
            }
            Ok(is_current)
        }
        Deed::Evict { who, uid, forced } => {
            evicts(game, host, leader, who, uid, forced, is_heard)?;
            Ok(true)
        }
    }
}

fn is_current(game: &Game, host: &Host, leader: Leader) -> bool {
    let is_blind = game.is(Mutation::PatchesNodesBlindly);
    match host.visits[leader.index()] {
        Visit::Acts {
            node_is_current, ..
        } => host.node.is_some() && (node_is_current || is_blind),
        Visit::Idle | Visit::Looked { .. } => false,
    }
}

fn gpu_node_is_current(game: &Game, host: &Host, leader: Leader) -> bool {
    let is_blind = game.is(Mutation::WritesGpuNodesBlindly);
    match host.visits[leader.index()] {
        Visit::Acts {
            gpu_node_is_current,
            ..
        } => host.gpu_node.is_some() && (gpu_node_is_current || is_blind),
        Visit::Idle | Visit::Looked { .. } => false,
    }
}

/// One compare-and-swap patch of the Node.
fn patches(game: &Game, host: &mut Host, leader: Leader, change: impl FnOnce(&mut Node)) -> bool {
    let is_current = is_current(game, host, leader);
    if is_current {
        host.write_node(Some(leader), change);
    }
    is_current
}

/// Writes the status, if nobody else has written the object.
fn writes(
    game: &Game,
    host: &mut Host,
    leader: Leader,
    status: crate::store::Number<MaintenanceStatus>,
) -> Result<(), String> {
    if !gpu_node_is_current(game, host, leader) {
        return Ok(());
    }
    let Some(gpu_node) = &mut host.gpu_node else {
        return Ok(());
    };
    let (before, after) = (gpu_node.status, status);
    gpu_node.status = status;
    let (before, after) = (game.statuses.get(before), game.statuses.get(after));
    rules::transition(before, after)?;
    rules::given_up(host, before, after)?;
    let becomes_quiet = quiet(after) && !quiet(before);
    for other in Leader::ALL {
        if becomes_quiet && other != leader {
            ages(&mut host.memories[other.index()]);
        }
    }
    if after.phase != Phase::Draining {
        host.memories[leader.index()].evictions = [None; 2];
    }
    host.gpu_node_is_written(Some(leader));
    Ok(())
}

fn evicts(
    game: &Game,
    host: &mut Host,
    leader: Leader,
    who: Who,
    uid: u8,
    forced: bool,
    is_heard: bool,
) -> Result<(), String> {
    rules::eviction(game, host)?;
    let pod = &mut host.pods[who.index()];
    let is_another = pod.uid != uid && !game.is(Mutation::EvictsByName);
    let blocks = host.budget_blocks && !forced;
    let code = match pod.stage {
        PodStage::Absent => 404,
        PodStage::Bound { .. } | PodStage::Running | PodStage::Leaving { .. } if is_another => 409,
        PodStage::Running if blocks => 429,
        PodStage::Bound { .. } | PodStage::Running | PodStage::Leaving { .. } => 201,
    };
    if code == 201 {
        rules::evicted(pod.uid, uid)?;
        pod.stage = PodStage::Leaving {
            holds: pod.stage.holds(),
        };
    }
    if !is_heard {
        return Ok(());
    }
    let budget = Cause {
        reason: "DisruptionBudget".to_owned(),
        message: "the budget web".to_owned(),
    };
    let reply = Reply::of(&Answer {
        code,
        failure: code >= 400,
        causes: vec![budget].into_iter().filter(|_| code == 429).collect(),
        ..Answer::default()
    });
    let known = &mut host.memories[leader.index()].evictions[who.index()];
    let before = known.filter(|known| known.uid == uid);
    let before = before.map(|known| sight::memory(who, known));
    let asked = sight::reference(who.name(), uid);
    let after = EvictionMemory::after(before.as_ref(), &asked, &reply, now());
    *known = after.map(|after| Eviction {
        uid,
        accepted: after.accepted,
        due: after.next <= now(),
    });
    Ok(())
}
