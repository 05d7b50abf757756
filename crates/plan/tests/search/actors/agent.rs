//! A node's agent: what it is asked, what it has said and its journal decide what it does next, as in the agent itself.

use crds::gpu_node::{AgentStage, OperationStage};

use crate::action::{Action, Agent};
use crate::decide::small;
use crate::game::Game;
use crate::mutation::Mutation;
use crate::rules;
use crate::world::host::Host;
use crate::world::machine::{Stage, Task, Who};
use crate::world::node::{Answer, GpuNode, Report};
use crate::world::slices::Slices;
use crate::world::{Place, State};

/// What is due: the agent's own `decide::duty`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Duty {
    Idle,
    Continue,
    Confirm,
    Prepare,
    Begin,
    Abort,
}

pub fn actions(game: &Game, state: &State, place: Place, host: &Host, found: &mut Vec<Action>) {
    let mut may = |what| found.push(Action::Agent(place, what));
    if !host.machine.agent_is_up {
        return may(Agent::Returns);
    }
    if host.node.is_none() {
        return;
    }
    may(Agent::Acts);
    if state.left.deaths > 0 {
        may(Agent::Dies);
        may(Agent::ActsAndDies);
    }
    let duty = duty(game, host);
    if state.left.refusals > 0 && duty == Duty::Prepare {
        may(Agent::Refuses);
    }
    let reached = host.machine.task.map(|task| task.stage);
    let builds = matches!(reached, Some(Stage::Building | Stage::UndoBuilding));
    if state.left.faults > 0 && duty == Duty::Continue && builds {
        may(Agent::Fails);
    }
}

pub fn perform(
    game: &mut Game,
    state: &State,
    place: Place,
    mut host: Host,
    what: Agent,
) -> Result<State, String> {
    let mut state = *state;
    match what {
        Agent::Acts => acts(game, &mut host, true)?,
        Agent::ActsAndDies => {
            acts(game, &mut host, false)?;
            dies(&mut host);
            state.left.deaths -= 1;
        }
        Agent::Refuses => {
            if let Some(asked) = asked(game, &host) {
                tells(game, &mut host, Some(refused(asked.0)));
            }
            state.left.refusals -= 1;
        }
        Agent::Fails => {
            fails(&mut host);
            let answer = told(&host);
            tells(game, &mut host, answer);
            state.left.faults -= 1;
        }
        Agent::Dies => {
            dies(&mut host);
            state.left.deaths -= 1;
        }
        Agent::Returns => host.machine.agent_is_up = true,
    }
    Ok(game.with(state, place, host))
}

fn dies(host: &mut Host) {
    host.machine.agent_is_up = false;
    host.machine.announces = None;
}

fn asked(game: &Game, host: &Host) -> Option<(u8, OperationStage)> {
    let asked = game.asked(host)?;
    Some((small(asked.id), asked.stage))
}

fn said(host: &Host) -> Option<Answer> {
    host.gpu_node?.report?.answer
}

fn duty(game: &Game, host: &Host) -> Duty {
    let (asked, said) = (asked(game, host), said(host));
    if let Some(task) = host.machine.task {
        let begun = [AgentStage::Destroying, AgentStage::Creating];
        let has_said = said.is_some_and(|it| it.id == task.id && begun.contains(&it.stage));
        match task.stage {
            Stage::Intended if has_said => return Duty::Confirm,
            Stage::Intended => {}
            Stage::Clearing | Stage::Building | Stage::UndoClearing | Stage::UndoBuilding => {
                return Duty::Continue;
            }
            Stage::Done | Stage::RolledBack | Stage::Failed => {
                if asked.is_none_or(|(id, _)| id == task.id) {
                    return Duty::Idle;
                }
            }
        }
    }
    let Some((id, stage)) = asked else {
        return Duty::Idle;
    };
    match said.filter(|said| said.id == id).map(|said| said.stage) {
        None | Some(AgentStage::Ready) => match stage {
            OperationStage::Prepare => Duty::Prepare,
            OperationStage::Proceed => Duty::Begin,
            OperationStage::Abort => Duty::Abort,
        },
        Some(
            AgentStage::Refused
            | AgentStage::Destroying
            | AgentStage::Creating
            | AgentStage::Done
            | AgentStage::RolledBack
            | AgentStage::Failed,
        ) => Duty::Idle,
    }
}

/// One look. `tells`: it lives long enough to tell.
fn acts(game: &mut Game, host: &mut Host, is_told: bool) -> Result<(), String> {
    if host.gpu_node.is_none() {
        host.gpu_node = Some(GpuNode {
            owner: 0,
            spec: game.specs.put(crds::GpuNodeSpec::default()),
            status: game.statuses.put(crate::forget::forget(
                &crds::gpu_node::MaintenanceStatus::default(),
            )),
            report: None,
        });
        host.gpu_node_is_written(None);
        return Ok(());
    }
    if let Some(is_current) = host.machine.announces.take() {
        return announces(game, host, is_current);
    }
    let duty = duty(game, host);
    let asked = asked(game, host);
    let answer = match (duty, asked) {
        (Duty::Continue, _) => {
            advances(game, host)?;
            told(host)
        }
        (Duty::Confirm, _) => {
            stage(host, Stage::Clearing);
            said(host)
        }
        (Duty::Prepare, Some((id, _))) => Some(Answer {
            id,
            stage: AgentStage::Ready,
            error: false,
        }),
        (Duty::Abort, Some((id, _))) => {
            drop_intent(host);
            Some(refused(id))
        }
        (Duty::Begin, Some((id, _))) => match begins(game, host, id) {
            Some(refused) => Some(refused),
            None => return Ok(()),
        },
        (Duty::Idle | Duty::Prepare | Duty::Abort | Duty::Begin, _) => {
            drop_intent(host);
            let said = said(host);
            let newer = |told: &Answer| said.is_none_or(|said| said.id <= told.id);
            told(host).filter(newer).or(said)
        }
    };
    if is_told {
        tells(game, host, answer);
    }
    Ok(())
}

const fn refused(id: u8) -> Answer {
    Answer {
        id,
        stage: AgentStage::Refused,
        error: true,
    }
}

fn drop_intent(host: &mut Host) {
    let intended = |task: &mut Task| task.stage == Stage::Intended;
    host.machine.task.take_if(intended);
}

fn stage(host: &mut Host, stage: Stage) {
    if let Some(task) = &mut host.machine.task {
        task.stage = stage;
    }
}

/// What is told of the operation in the journal.
fn told(host: &Host) -> Option<Answer> {
    let task = host.machine.task?;
    let (stage, error) = match task.stage {
        Stage::Intended => return None,
        Stage::Clearing => (AgentStage::Destroying, false),
        Stage::Building => (AgentStage::Creating, false),
        Stage::UndoClearing => (AgentStage::Destroying, true),
        Stage::UndoBuilding => (AgentStage::Creating, true),
        Stage::Done => (AgentStage::Done, false),
        Stage::RolledBack => (AgentStage::RolledBack, true),
        Stage::Failed => (AgentStage::Failed, true),
    };
    Some(Answer {
        id: task.id,
        stage,
        error,
    })
}

/// Reads the go-ahead afresh and writes down what it is about to do. `Some`: it refuses.
fn begins(game: &Game, host: &mut Host, id: u8) -> Option<Answer> {
    let gpu_node = host.gpu_node?;
    let Some(target) = &game.specs.get(gpu_node.spec).target else {
        return Some(refused(id));
    };
    let (target, previous) = (Slices::of(target), host.machine.slices);
    let looks = !game.is(Mutation::LeavesPodsToTheCordon);
    if looks && host.is_held(previous.without(target)) {
        return Some(refused(id));
    }
    host.machine.task = Some(Task {
        id,
        target,
        previous,
        stage: Stage::Intended,
    });
    host.machine.announces = Some(true);
    None
}

/// The point of no return: told only if nothing has been written since the go-ahead was read.
fn announces(game: &mut Game, host: &mut Host, is_current: bool) -> Result<(), String> {
    let is_blind = game.is(Mutation::AgentAnnouncesBlindly);
    let Some(task) = host.machine.task.filter(|_| is_current || is_blind) else {
        return Ok(());
    };
    rules::beginning(game, host, task.id)?;
    let answer = Answer {
        id: task.id,
        stage: AgentStage::Destroying,
        error: false,
    };
    tells(game, host, Some(answer));
    Ok(())
}

/// One move of the operation in the journal.
fn advances(game: &Game, host: &mut Host) -> Result<(), String> {
    let Some(task) = host.machine.task else {
        return Ok(());
    };
    let has = host.machine.slices;
    match task.stage {
        Stage::Clearing => {
            let goes = has.without(task.target);
            let looks = !game.is(Mutation::LeavesPodsToTheCordon);
            if goes == Slices::NONE {
                stage(host, Stage::Building);
            } else if looks && host.is_held(goes) {
                stage(host, Stage::UndoClearing);
            } else {
                rules::destruction(host, goes)?;
                host.machine.slices = has.and(task.target);
            }
        }
        Stage::Building if has == task.target => stage(host, Stage::Done),
        Stage::Building => host.machine.slices = task.target,
        Stage::UndoClearing => {
            host.machine.slices = has.and(task.previous);
            stage(host, Stage::UndoBuilding);
        }
        Stage::UndoBuilding if has == task.previous => stage(host, Stage::RolledBack),
        Stage::UndoBuilding => host.machine.slices = task.previous,
        Stage::Intended | Stage::Done | Stage::RolledBack | Stage::Failed => {}
    }
    Ok(())
}

/// A slice cannot be made: back, or nowhere if it was going back already.
fn fails(host: &mut Host) {
    let is_back = host
        .machine
        .task
        .is_some_and(|task| task.stage == Stage::UndoBuilding);
    stage(
        host,
        if is_back {
            Stage::Failed
        } else {
            Stage::UndoClearing
        },
    );
}

/// Tells what it sees, and about an operation; beats while one waits for it.
fn tells(game: &Game, host: &mut Host, answer: Option<Answer>) {
    let is_asked = game.asked(host).is_some();
    let holds = |who: Who| host.pod(who).stage.holds();
    let report = Report {
        slices: host.machine.slices,
        holders: Who::ALL.map(holds),
        answer,
    };
    let beats = is_asked
        && answer.is_some_and(|answer| match answer.stage {
            AgentStage::Ready | AgentStage::Destroying | AgentStage::Creating => true,
            AgentStage::Refused
            | AgentStage::Done
            | AgentStage::RolledBack
            | AgentStage::Failed => false,
        });
    let Some(gpu_node) = &mut host.gpu_node else {
        return;
    };
    let is_news = gpu_node.report != Some(report);
    let is_answer = gpu_node.report.map(|report| report.answer) != Some(answer);
    gpu_node.report = Some(report);
    if is_answer || beats {
        host.beats();
    }
    if is_news || beats {
        host.gpu_node_is_written(None);
    }
}
