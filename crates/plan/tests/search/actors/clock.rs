//! Time, by what it brings. Whoever waits for one thing may wait as long as for another: clocks keep no order here.

use crds::gpu_node::{MaintenanceStatus, Phase};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};
use plan::conditions;

use crate::action::{Action, Clock};
use crate::forget::{AHEAD, OVERDUE, QUIET, SETTLED, after, now};
use crate::game::Game;
use crate::world::host::Host;
use crate::world::machine::{PodStage, Who};
use crate::world::operator::{Heard, Leader};
use crate::world::{Place, State};

pub fn actions(game: &Game, state: &State, place: Place, host: &Host, found: &mut Vec<Action>) {
    let mut may = |what| found.push(Action::Clock(place, what));
    for who in Who::ALL {
        if host.pod(who).stage == (PodStage::Bound { long: false }) {
            may(Clock::Admission(who));
        }
        for leader in Leader::ALL {
            let known = host.memories[leader.index()].evictions[who.index()];
            if known.is_some_and(|known| !known.accepted && !known.due) {
                may(Clock::Retry(leader, who));
            }
        }
    }
    for leader in Leader::ALL {
        let memory = &host.memories[leader.index()];
        if state.left.silences > 0 && memory.knows_beat && memory.heard != Heard::Lost {
            may(Clock::Silence(leader));
        }
    }
    let mut configs = game.configs.get(state.configs).values();
    if place == Place::First && configs.any(|entry| entry.since == Some(now())) {
        may(Clock::Kubelets);
    }
    if let Some(status) = game.status(host) {
        for what in [
            Clock::Deadline,
            Clock::BackOff,
            Clock::Quiet,
            Clock::Settled,
        ] {
            if passes(status, host, what).is_some() {
                may(what);
            }
        }
    }
}

pub fn perform(
    game: &mut Game,
    mut state: State,
    place: Place,
    mut host: Host,
    what: Clock,
) -> State {
    match what {
        Clock::Admission(who) => host.pods[who.index()].stage = PodStage::Bound { long: true },
        Clock::Silence(leader) => {
            state.left.silences -= 1;
            host.memories[leader.index()].heard = Heard::Lost;
        }
        Clock::Retry(leader, who) => {
            let known = &mut host.memories[leader.index()].evictions[who.index()];
            if let Some(known) = known {
                known.due = true;
            }
        }
        Clock::Kubelets => {
            let mut configs = game.configs.get(state.configs).clone();
            for entry in configs.values_mut() {
                entry.since = Some(after(-AHEAD));
            }
            state.configs = game.configs.put(configs);
        }
        Clock::Deadline | Clock::BackOff | Clock::Quiet | Clock::Settled => {
            let status = game.status(&host);
            let status = status.and_then(|status| passes(status, &host, what));
            if let (Some(gpu_node), Some(status)) = (&mut host.gpu_node, status) {
                gpu_node.status = game.statuses.put(status);
            }
        }
    }
    game.with(state, place, host)
}

/// The status when that time has come, if it is still ahead.
fn passes(status: &MaintenanceStatus, host: &Host, what: Clock) -> Option<MaintenanceStatus> {
    let mut passed = status.clone();
    match what {
        Clock::Deadline => {
            let is_ahead = status.deadline.as_ref()?.0 > now();
            let counts = !matches!(status.phase, Phase::Uncordoning | Phase::Releasing);
            if !is_ahead || !counts {
                return None;
            }
            passed.deadline = Some(Time(after(-AHEAD)));
            if status.phase == Phase::Draining {
                let is_first = status.phase_since == Some(MicroTime(now()));
                let since = OVERDUE[usize::from(!is_first)];
                passed.phase_since = Some(MicroTime(after(since)));
            }
        }
        Clock::BackOff => {
            passed.next_attempt.take()?;
        }
        Clock::Quiet => {
            // By then the scheduler has seen the cordon: that is what the quiet time is for.
            let drain = passed.drain.as_mut().filter(|_| !host.scheduler_lags)?;
            let since = drain.quiet_since.as_mut().filter(|it| it.0 == now())?;
            since.0 = after(QUIET);
        }
        Clock::Settled => {
            // By then the plugin has read its devices: that is what the wait is for.
            let has_read = host.node?.key == host.machine.plugin_key;
            let validated = conditions::find(&status.conditions, "Validated");
            validated.filter(|it| has_read && it.reason == "Settling")?;
            let since = passed.phase_since.as_mut().filter(|it| it.0 == now())?;
            since.0 = after(SETTLED);
        }
        Clock::Kubelets | Clock::Admission(_) | Clock::Silence(_) | Clock::Retry(..) => {
            return None;
        }
    }
    Some(passed)
}
