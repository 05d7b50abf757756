//! One look, as a table.

use std::time::Duration;

use super::super::{Action, Behind, Limits, Patience, Seen, Setup, Stage, State, step};

pub(super) fn setup(percentage: i32) -> Setup {
    Setup {
        gpus: vec!["GPU-0".to_owned()],
        limits: Limits {
            active_thread_percentage: percentage,
            memory_mib: [(0, 1_024)].into(),
        },
    }
}

const fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn on(stage: Stage) -> State {
    State {
        stage,
        deaths: Vec::new(),
    }
}

const fn seen(behind: Behind, residue: bool) -> Seen {
    Seen {
        behind,
        residue,
        failed_servers: 0,
    }
}

const fn ours(configured: bool, answered: bool) -> Seen {
    let behind = Behind::Ours {
        configured,
        answered,
    };
    seen(behind, true)
}

const NOBODY: Seen = seen(Behind::Nobody, false);
const REMAINS: Seen = seen(Behind::Nobody, true);
const ORPHAN: Seen = seen(Behind::Orphan, true);
const FOREIGN: Seen = seen(Behind::Foreign { pid: 7 }, false);

fn starting(percentage: i32) -> Stage {
    let (setup, deadline) = (setup(percentage), at(110));
    Stage::Starting { setup, deadline }
}

fn running(percentage: i32, heard: u64) -> Stage {
    let (setup, heard) = (setup(percentage), at(heard));
    Stage::Running { setup, heard }
}

fn dead(percentage: i32, again: u64) -> Stage {
    let (setup, again) = (setup(percentage), at(again));
    Stage::Dead { setup, again }
}

fn looping(percentage: i32, deadline: u64) -> Stage {
    let (setup, deadline) = (setup(percentage), at(deadline));
    Stage::CrashLooping { setup, deadline }
}

const fn stopping(deadline: u64) -> Stage {
    Stage::Stopping {
        deadline: at(deadline),
    }
}

/// At 100 s, with a setup of 25 % wanted or nothing.
fn look(wanted: bool, stage: Stage, seen: &Seen) -> (Stage, Action) {
    let wanted = wanted.then(|| setup(25));
    let patience = Patience::default();
    let (after, action) = step(wanted.as_ref(), &on(stage), seen, &patience, at(100));
    (after.stage, action)
}

/// A name, where the daemon is, what is seen, and what becomes of it.
type Row = (&'static str, Stage, Seen, (Stage, Action));

fn check(wanted: bool, rows: &[Row]) {
    for (what, stage, seen, expected) in rows {
        assert_eq!(&look(wanted, stage.clone(), seen), expected, "{what}");
    }
}

#[test]
fn one_look_at_a_daemon_that_is_wanted_and_runs() {
    use Action::{Configure, Kill, Quit, Rest};
    let quit = || (stopping(110), Quit);
    let up = ours(true, true);
    let rows = [
        (
            "came up",
            starting(25),
            ours(false, true),
            (starting(25), Configure(setup(25))),
        ),
        ("serves", starting(25), up, (running(25, 100), Rest)),
        (
            "other limits at the start",
            starting(50),
            ours(false, true),
            quit(),
        ),
        ("well", running(25, 99), up, (running(25, 100), Rest)),
        (
            "silent",
            running(25, 86),
            ours(true, false),
            (running(25, 86), Rest),
        ),
        (
            "hung",
            running(25, 85),
            ours(true, false),
            (running(25, 85), Kill),
        ),
        ("other limits", running(50, 99), up, quit()),
        ("quits", stopping(101), up, (stopping(101), Rest)),
        ("does not quit", stopping(100), up, (stopping(100), Kill)),
        ("loops", looping(25, 101), up, (looping(25, 101), Rest)),
        ("loops on", looping(25, 100), up, (looping(25, 100), Kill)),
        ("left alive", Stage::Absent, ORPHAN, quit()),
    ];
    check(true, &rows);
}

#[test]
fn one_look_at_a_daemon_that_is_wanted_and_is_not_there() {
    use Action::{Rest, Restore};
    let start = || (starting(25), Action::Start(setup(25)));
    let two = || Stage::TwoOwners { pid: 7 };
    let rows = [
        ("first", Stage::Absent, NOBODY, start()),
        (
            "left over",
            Stage::Absent,
            REMAINS,
            (Stage::Absent, Restore),
        ),
        ("taken", Stage::Absent, FOREIGN, (two(), Rest)),
        ("free again", two(), NOBODY, start()),
        ("still taken", two(), FOREIGN, (two(), Rest)),
        ("lost the race", starting(25), FOREIGN, (two(), Rest)),
        ("not up", starting(25), REMAINS, (dead(25, 101), Rest)),
        ("died", running(25, 99), REMAINS, (dead(25, 101), Rest)),
        ("back-off", dead(25, 101), REMAINS, (dead(25, 101), Rest)),
        ("back-off over", dead(25, 100), REMAINS, start()),
        (
            "back-off, other limits",
            dead(50, 101),
            REMAINS,
            (Stage::Absent, Restore),
        ),
        ("has quit", stopping(101), REMAINS, (Stage::Absent, Restore)),
        ("gone", stopping(101), NOBODY, start()),
        (
            "gives back",
            looping(25, 100),
            REMAINS,
            (looping(25, 100), Restore),
        ),
        (
            "stays down",
            looping(25, 100),
            NOBODY,
            (looping(25, 100), Rest),
        ),
        (
            "looped with other limits",
            looping(50, 100),
            NOBODY,
            start(),
        ),
    ];
    check(true, &rows);
}

#[test]
fn one_look_at_a_daemon_that_is_not_wanted() {
    use Action::{Kill, Quit, Rest, Restore};
    let rows = [
        ("never was", Stage::Absent, NOBODY, (Stage::Absent, Rest)),
        (
            "left over",
            Stage::Absent,
            REMAINS,
            (Stage::Absent, Restore),
        ),
        ("left alive", Stage::Absent, ORPHAN, (stopping(110), Quit)),
        ("not ours", Stage::Absent, FOREIGN, (Stage::Absent, Rest)),
        (
            "runs",
            running(25, 99),
            ours(true, true),
            (stopping(110), Quit),
        ),
        (
            "quits",
            stopping(101),
            ours(true, true),
            (stopping(101), Rest),
        ),
        (
            "does not quit",
            stopping(100),
            ours(true, true),
            (stopping(100), Kill),
        ),
        ("orphan hangs", stopping(100), ORPHAN, (stopping(100), Kill)),
        ("has quit", stopping(101), REMAINS, (Stage::Absent, Restore)),
        (
            "died before",
            dead(25, 200),
            REMAINS,
            (Stage::Absent, Restore),
        ),
        ("looped", looping(25, 100), NOBODY, (Stage::Absent, Rest)),
    ];
    check(false, &rows);
}

#[test]
fn each_death_doubles_the_wait_until_there_are_too_many() {
    let patience = Patience::default();
    let mut state = on(running(25, 100));
    for wait in [1, 2, 4, 8] {
        (state, _) = step(Some(&setup(25)), &state, &REMAINS, &patience, at(100));
        assert_eq!(state.stage, dead(25, 100 + wait));
        state.stage = running(25, 100);
    }
    (state, _) = step(Some(&setup(25)), &state, &REMAINS, &patience, at(100));
    assert_eq!(state.stage, looping(25, 110));
}

#[test]
fn deaths_are_forgotten_after_a_while() {
    let patience = Patience::default();
    let state = State {
        stage: running(25, 700),
        deaths: vec![at(100), at(100), at(100), at(101)],
    };
    let (state, _) = step(Some(&setup(25)), &state, &REMAINS, &patience, at(700));
    assert_eq!(state.deaths, [at(101), at(700)]);
    assert_eq!(state.stage, dead(25, 702));
}

#[test]
fn servers_that_fail_again_and_again_bring_the_daemon_down() {
    let patience = Patience::default();
    let mut failing = ours(true, true);
    failing.failed_servers = 4;
    let state = on(running(25, 99));
    let (state, action) = step(Some(&setup(25)), &state, &failing, &patience, at(100));
    assert_eq!(
        (state.stage.clone(), action),
        (running(25, 100), Action::Rest)
    );
    failing.failed_servers = 1;
    let (state, action) = step(Some(&setup(25)), &state, &failing, &patience, at(101));
    assert_eq!((state.stage, action), (looping(25, 111), Action::Quit));
}
