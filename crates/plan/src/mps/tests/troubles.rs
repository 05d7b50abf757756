//! A daemon that misbehaves at random, agents that die, and others who want the same directory.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;

use super::super::Stage;
use super::super::{Action, Behind, Patience, Seen, Setup, State, step};
use super::steps::setup;

/// What happens between two looks.
#[derive(Clone, Copy, Debug)]
enum Event {
    Nothing,
    Wait(u64),
    DaemonDies,
    DaemonHangs,
    ServersFail(usize),
    AgentDies,
    ForeignComes,
    ForeignGoes,
    Want(Option<i32>),
}

/// A pipe directory, and what is behind it.
#[derive(Clone, Debug)]
struct World {
    behind: Behind,
    hangs: bool,
    residue: bool,
    failed_servers: usize,
    state: State,
    wanted: Option<Setup>,
    now: Duration,
}

impl World {
    fn new() -> Self {
        Self {
            behind: Behind::Nobody,
            hangs: false,
            residue: false,
            failed_servers: 0,
            state: State::default(),
            wanted: None,
            now: Duration::from_secs(1_000),
        }
    }

    fn is_ours(&self) -> bool {
        matches!(self.behind, Behind::Ours { .. } | Behind::Orphan)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Wait(seconds) => self.now += Duration::from_secs(seconds),
            Event::DaemonDies if self.is_ours() => self.behind = Behind::Nobody,
            Event::DaemonHangs if self.is_ours() => self.hangs = true,
            Event::ServersFail(count) => self.failed_servers = count,
            Event::AgentDies => {
                self.state = State::default();
                if self.is_ours() {
                    self.behind = Behind::Orphan;
                }
            }
            Event::ForeignComes if self.behind == Behind::Nobody => {
                self.behind = Behind::Foreign { pid: 7 };
            }
            Event::ForeignGoes if !self.is_ours() => self.behind = Behind::Nobody,
            Event::Want(percentage) => self.wanted = percentage.map(setup),
            Event::Nothing
            | Event::DaemonDies
            | Event::DaemonHangs
            | Event::ForeignComes
            | Event::ForeignGoes => {}
        }
    }

    /// One look, and what is done.
    fn look(&mut self) -> Action {
        if let Behind::Ours { answered, .. } = &mut self.behind {
            *answered = !self.hangs;
        }
        let seen = Seen {
            behind: self.behind,
            residue: self.residue,
            failed_servers: std::mem::take(&mut self.failed_servers),
        };
        let patience = Patience::default();
        let (state, action) = step(
            self.wanted.as_ref(),
            &self.state,
            &seen,
            &patience,
            self.now,
        );
        self.state = state;
        self.act(&action);
        self.now += Duration::from_secs(1);
        action
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::Rest => {}
            Action::Start(wanted) => {
                assert_eq!(self.behind, Behind::Nobody, "started beside another");
                assert_eq!(Some(wanted), self.wanted.as_ref());
                let (configured, answered) = (false, true);
                self.behind = Behind::Ours {
                    configured,
                    answered,
                };
                (self.hangs, self.residue) = (false, true);
            }
            Action::Configure(wanted) => {
                assert_eq!(Some(wanted), self.wanted.as_ref());
                if let (Behind::Ours { configured, .. }, false) = (&mut self.behind, self.hangs) {
                    *configured = true;
                }
            }
            Action::Quit => {
                assert!(self.is_ours(), "asked somebody else's daemon to quit");
                if !self.hangs {
                    self.behind = Behind::Nobody;
                }
            }
            Action::Kill => {
                assert!(self.is_ours(), "killed somebody else's daemon");
                self.behind = Behind::Nobody;
            }
            Action::Restore => {
                assert_eq!(
                    self.behind,
                    Behind::Nobody,
                    "gave back a GPU that is served"
                );
                self.residue = false;
            }
        }
    }

    fn serves(&self) -> bool {
        let configured = matches!(self.behind, Behind::Ours { configured, .. } if configured);
        let running = |setup: &Setup| matches!(&self.state.stage, Stage::Running { setup: it, .. } if it == setup);
        configured && !self.hangs && self.wanted.as_ref().is_some_and(running)
    }
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => Just(Event::Nothing),
        2 => (1_u64..20).prop_map(Event::Wait),
        2 => Just(Event::DaemonDies),
        1 => Just(Event::DaemonHangs),
        1 => (0_usize..3).prop_map(Event::ServersFail),
        1 => Just(Event::AgentDies),
        1 => Just(Event::ForeignComes),
        1 => Just(Event::ForeignGoes),
        2 => select(vec![None, Some(25), Some(50)]).prop_map(Event::Want),
    ]
}

/// More looks than any wait is long.
const LONG: usize = 200;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_happened_the_gpus_are_given_back_when_none_is_wanted(
        events in proptest::collection::vec(event(), 0..80)
    ) {
        let mut world = World::new();
        for event in events {
            world.happen(event);
            world.look();
        }
        world.happen(Event::ForeignGoes);
        world.wanted = None;
        for _ in 0..LONG {
            world.look();
        }
        prop_assert_eq!(world.behind, Behind::Nobody);
        prop_assert!(!world.residue);
        prop_assert_eq!(&world.state, &State::default());
        prop_assert_eq!(world.look(), Action::Rest);
    }

    #[test]
    fn whatever_happened_it_serves_in_the_end_or_has_died_too_often(
        events in proptest::collection::vec(event(), 0..80)
    ) {
        let mut world = World::new();
        for event in events {
            world.happen(event);
            world.look();
        }
        world.happen(Event::ForeignGoes);
        world.wanted = Some(setup(25));
        for _ in 0..LONG {
            world.look();
        }
        if let Stage::CrashLooping { .. } = world.state.stage {
            prop_assert_eq!(world.behind, Behind::Nobody);
            prop_assert!(!world.residue, "GPUs of a daemon that is given up are given back");
        } else {
            prop_assert!(world.serves(), "{world:?}");
        }
    }
}
