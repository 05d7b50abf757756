//! One look at one daemon.

use std::time::Duration;

use super::{Action, Behind, Patience, Seen, Setup, Stage, State};

/// What becomes of the state, and what to do now. `wanted`: what the daemon is to serve, or nothing. An action that fails
/// needs no answer: the next look sees that it was not done.
///
/// A daemon is started only where nobody else is, killed only if it is ours and has had its time, and the compute mode
/// is set back whenever none is wanted, or none can be had.
pub fn step(
    wanted: Option<&Setup>,
    state: &State,
    seen: &Seen,
    patience: &Patience,
    now: Duration,
) -> (State, Action) {
    let mut state = state.clone();
    let remembered = |died: &Duration| now.saturating_sub(*died) < patience.memory;
    state.deaths.retain(remembered);
    match wanted {
        None => leave(state, seen, patience, now),
        Some(setup) => hold(setup, state, seen, patience, now),
    }
}

/// None is wanted: away with it, and with what it leaves.
fn leave(state: State, seen: &Seen, patience: &Patience, now: Duration) -> (State, Action) {
    match seen.behind {
        Behind::Nobody => {
            // Whatever is wanted next begins without a history.
            (State::default(), restore(seen))
        }
        Behind::Ours { .. } | Behind::Orphan => end(state, patience, now),
        // Somebody else's daemon is nobody's trouble here. What is left of ours has to wait: its GPUs are in use.
        Behind::Foreign { .. } => (State::default(), Action::Rest),
    }
}

fn hold(
    setup: &Setup,
    mut state: State,
    seen: &Seen,
    patience: &Patience,
    now: Duration,
) -> (State, Action) {
    if let Stage::CrashLooping {
        setup: old,
        deadline,
    } = &state.stage
    {
        if old == setup {
            let action = give_up(seen, *deadline, now);
            return (state, action);
        }
        state = State::default();
    }
    match seen.behind {
        Behind::Nobody => raise(setup, state, seen, patience, now),
        Behind::Ours {
            configured,
            answered,
        } => keep(setup, state, seen, (configured, answered), patience, now),
        Behind::Orphan => end(state, patience, now),
        Behind::Foreign { pid } => {
            state.stage = Stage::TwoOwners { pid };
            (state, Action::Rest)
        }
    }
}

/// It died too often. A daemon that still lives, because only its servers die, was asked to quit.
fn give_up(seen: &Seen, deadline: Duration, now: Duration) -> Action {
    match seen.behind {
        Behind::Nobody => restore(seen),
        Behind::Ours { .. } | Behind::Orphan if now >= deadline => Action::Kill,
        Behind::Ours { .. } | Behind::Orphan | Behind::Foreign { .. } => Action::Rest,
    }
}

/// One is wanted, and there is none.
fn raise(
    setup: &Setup,
    mut state: State,
    seen: &Seen,
    patience: &Patience,
    now: Duration,
) -> (State, Action) {
    let begin = |mut state: State| {
        state.stage = Stage::Starting {
            setup: setup.clone(),
            deadline: now + patience.start,
        };
        (state, Action::Start(setup.clone()))
    };
    match &state.stage {
        Stage::Starting { setup: old, .. } | Stage::Running { setup: old, .. } => {
            let state = died(old.clone(), state.deaths, patience, now);
            (state, Action::Rest)
        }
        Stage::Dead { setup: old, again } if old == setup && now < *again => (state, Action::Rest),
        Stage::Dead { setup: old, .. } if old == setup => begin(state),
        // What was left may be on GPUs that are not wanted any more.
        Stage::Absent
        | Stage::Dead { .. }
        | Stage::Stopping { .. }
        | Stage::CrashLooping { .. }
        | Stage::TwoOwners { .. }
            if seen.residue =>
        {
            state.stage = Stage::Absent;
            (state, Action::Restore)
        }
        Stage::Absent
        | Stage::Dead { .. }
        | Stage::Stopping { .. }
        | Stage::CrashLooping { .. }
        | Stage::TwoOwners { .. } => begin(state),
    }
}

/// One is wanted, and our child is there.
fn keep(
    setup: &Setup,
    mut state: State,
    seen: &Seen,
    (configured, answered): (bool, bool),
    patience: &Patience,
    now: Duration,
) -> (State, Action) {
    match &mut state.stage {
        Stage::Starting {
            setup: old,
            deadline,
        } if old == setup => {
            if configured {
                state.stage = Stage::Running {
                    setup: setup.clone(),
                    heard: now,
                };
                (state, Action::Rest)
            } else if now >= *deadline {
                (state, Action::Kill)
            } else {
                (state, Action::Configure(setup.clone()))
            }
        }
        Stage::Running { setup: old, heard } if old == setup => {
            if answered {
                *heard = now;
            }
            let hung = now.saturating_sub(*heard) >= patience.silence;
            state
                .deaths
                .extend(std::iter::repeat_n(now, seen.failed_servers));
            if state.deaths.len() >= patience.deaths {
                let state = looping(setup.clone(), state.deaths, patience, now);
                return (state, Action::Quit);
            }
            (state, if hung { Action::Kill } else { Action::Rest })
        }
        Stage::Absent
        | Stage::Starting { .. }
        | Stage::Running { .. }
        | Stage::Dead { .. }
        | Stage::Stopping { .. }
        | Stage::CrashLooping { .. }
        | Stage::TwoOwners { .. } => end(state, patience, now),
    }
}

/// Asks once, and kills when the time is over.
fn end(mut state: State, patience: &Patience, now: Duration) -> (State, Action) {
    match &state.stage {
        Stage::Stopping { deadline } if now >= *deadline => (state, Action::Kill),
        Stage::Stopping { .. } => (state, Action::Rest),
        Stage::Absent
        | Stage::Starting { .. }
        | Stage::Running { .. }
        | Stage::Dead { .. }
        | Stage::CrashLooping { .. }
        | Stage::TwoOwners { .. } => {
            let deadline = now + patience.quit;
            state.stage = Stage::Stopping { deadline };
            (state, Action::Quit)
        }
    }
}

fn died(setup: Setup, mut deaths: Vec<Duration>, patience: &Patience, now: Duration) -> State {
    deaths.push(now);
    if deaths.len() >= patience.deaths {
        return looping(setup, deaths, patience, now);
    }
    let again = now + patience.back_off(deaths.len());
    State {
        stage: Stage::Dead { setup, again },
        deaths,
    }
}

fn looping(setup: Setup, deaths: Vec<Duration>, patience: &Patience, now: Duration) -> State {
    let deadline = now + patience.quit;
    State {
        stage: Stage::CrashLooping { setup, deadline },
        deaths,
    }
}

fn restore(seen: &Seen) -> Action {
    if seen.residue {
        Action::Restore
    } else {
        Action::Rest
    }
}
