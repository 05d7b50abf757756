//! The searches.

use std::io::Write;

use crate::bounds::{Bounds, Left};
use crate::explore::explore;
use crate::game::Game;
use crate::goals::{DONE, GIVEN_BACK, RESUMED, SETTLED};
use crate::mutation::Mutation;
use crate::world::stack::{Deploy, Stack};

/// More than any of them has: a search that comes to it is broken.
const LIMIT: usize = 3_000_000;

fn search(name: &str, mut game: Game) -> Option<String> {
    let found = explore(&mut game, &[RESUMED, GIVEN_BACK, SETTLED, DONE], LIMIT);
    let _ = writeln!(
        std::io::stdout(),
        "{name}: {} states, {} ways, depth {}, steps {}, statuses {}",
        found.states,
        found.ways,
        found.depth,
        game.known.len(),
        game.statuses.len()
    );
    assert!(found.states < LIMIT, "{name} is too large to be searched");
    found.broken.map(|broken| broken.to_string())
}

const FORCE: &str = r#"{"drain": {"onTimeout": "Force"}}"#;
const KEEP: &str = r#"{"drain": {"onTimeout": "KeepCordoned"}}"#;
const FINISH: &str = r#"{"onWindowClose": "Finish"}"#;

const NO: Left = Bounds::BASE.trouble;

/// In none of these worlds a rule is broken, and everything that must stay possible does.
macro_rules! searches {
    ($($name:ident: $bounds:expr,)*) => { $(
        #[test]
        fn $name() {
            let broken = search(stringify!($name), Game::new($bounds));
            assert_eq!(broken, None);
        }
    )* };
}

/// What each of these mistakes breaks first.
macro_rules! mutations {
    ($($name:ident: $mutation:ident, $bounds:expr, $rule:literal;)*) => { $(
        #[test]
        fn $name() {
            let game = Game::mutated($bounds, Mutation::$mutation);
            let broken = search(stringify!($name), game).expect("a mistake that is found out");
            assert!(broken.starts_with($rule), "{broken}");
        }
    )* };
}

searches! {
    forced: Bounds { rules: FORCE, trouble: Left { blocks: 1, cordons: 1, ..NO }, ..Bounds::BASE },
    kept: Bounds { rules: KEEP, trouble: Left { blocks: 1, cordons: 1, ..NO }, ..Bounds::BASE },
    finished: Bounds { rules: FINISH, has_window: true, trouble: Left { closings: 1, ..NO }, ..Bounds::BASE },
    retargeted: Bounds { trouble: Left { edits: 1, cordons: 1, ..NO }, ..Bounds::BASE },
    base: Bounds::BASE,
    apart: Bounds { reads_apart: true, ..Bounds::BASE },
    cordons: Bounds { trouble: Left { cordons: 2, ..NO }, ..Bounds::BASE },
    binds: Bounds { trouble: Left { binds: 1, ..NO }, ..Bounds::BASE },
    deaths: Bounds { trouble: Left { deaths: 1, silences: 1, ..NO }, ..Bounds::BASE },
    faults: Bounds { trouble: Left { faults: 1, refusals: 1, ..NO }, ..Bounds::BASE },
    window: Bounds { has_window: true, trouble: Left { closings: 1, blocks: 1, ..NO }, ..Bounds::BASE },
    edits: Bounds { trouble: Left { edits: 1, ..NO }, ..Bounds::BASE },
    deletions: Bounds { trouble: Left { deletions: 1, ..NO }, ..Bounds::BASE },
    purges: Bounds { trouble: Left { purges: 1, ..NO }, ..Bounds::BASE },
    wipes: Bounds { trouble: Left { wipes: 1, faults: 1, ..NO }, ..Bounds::BASE },
    policy: Bounds { trouble: Left { selections: 2, brakes: 1, removals: 1, holds: 1, ..NO }, ..Bounds::BASE },
    split: Bounds { leaders: 2, fails: false, fences_evictions: false, ..Bounds::BASE },
    two: Bounds { nodes: 2, fails: false, has_victim: false, ..Bounds::BASE },
    lag: Bounds { nodes: 2, fails: false, has_victim: false, caches_lag: true, ..Bounds::BASE },
    clients: SWITCH,
    clients_apart: Bounds { reads_apart: true, ..SWITCH },
    clients_deployed: Bounds { trouble: Left { deploys: 2, ..NO }, ..SWITCH },
    clients_faults: Bounds { trouble: Left { faults: 1, ..NO }, ..SWITCH },
    clients_deaths: Bounds { trouble: Left { deaths: 1, silences: 1, ..NO }, ..SWITCH },
    clients_edits: Bounds { trouble: Left { edits: 1, ..NO }, ..SWITCH },
    clients_deletions: Bounds { trouble: Left { deletions: 1, ..NO }, ..SWITCH },
    clients_purges: Bounds { trouble: Left { purges: 1, ..NO }, ..SWITCH },
    clients_policy: Bounds { trouble: Left { removals: 1, brakes: 1, ..NO }, ..SWITCH },
    manager: Bounds { trouble: Left { divisions: 1, removals: 1, ..NO }, ..TAKEN },
    manager_deployed: Bounds { trouble: Left { deploys: 2, ..NO }, ..TAKEN },
    manager_unlabelled: Bounds { stack: Stack::manager(Deploy::Absent), trouble: Left { removals: 1, ..NO }, ..TAKEN },
    manager_allowed: Bounds { takes_over: false, trouble: Left { allowances: 2, ..NO }, ..TAKEN },
    manager_faults: Bounds { fails: false, trouble: Left { faults: 1, removals: 1, ..NO }, ..TAKEN },
    manager_deletions: Bounds { trouble: Left { deletions: 1, ..NO }, ..TAKEN },
    manager_purges: Bounds { trouble: Left { purges: 1, removals: 1, ..NO }, ..TAKEN },
    manager_policy: Bounds { trouble: Left { selections: 1, brakes: 1, ..NO }, ..TAKEN },
    upgrade: UPGRADE,
    upgrade_twice: Bounds { trouble: Left { upgrades: 2, cordons: 1, ..NO }, ..Bounds::BASE },
}

const CORDONS: Bounds = Bounds {
    trouble: Left { cordons: 2, ..NO },
    ..Bounds::BASE
};
const BINDS: Bounds = Bounds {
    trouble: Left {
        binds: 1,
        cordons: 1,
        ..NO
    },
    ..Bounds::BASE
};
const WINDOW: Bounds = Bounds {
    has_window: true,
    trouble: Left { closings: 1, ..NO },
    ..Bounds::BASE
};
const EDITS: Bounds = Bounds {
    trouble: Left { edits: 1, ..NO },
    ..Bounds::BASE
};
const SPLIT: Bounds = Bounds {
    leaders: 2,
    fails: false,
    fences_evictions: false,
    ..Bounds::BASE
};
const TWO: Bounds = Bounds {
    nodes: 2,
    fails: false,
    has_victim: false,
    ..Bounds::BASE
};

/// The mode of the GPU has to be switched, and a GPU client keeps it open.
const SWITCH: Bounds = Bounds {
    switches: true,
    has_victim: false,
    stack: Stack::CLIENTS,
    ..Bounds::BASE
};
/// MIG Manager has the node, and the policy takes it.
const TAKEN: Bounds = Bounds {
    has_victim: false,
    takes_over: true,
    stack: Stack::manager(Deploy::True),
    ..Bounds::BASE
};
const UPGRADE: Bounds = Bounds {
    trouble: Left { upgrades: 1, ..NO },
    ..Bounds::BASE
};

mutations! {
    nodes_that_are_patched_blindly: PatchesNodesBlindly, CORDONS, "S1:";
    gpu_nodes_that_are_written_blindly: WritesGpuNodesBlindly, SPLIT, "S8:";
    pods_that_are_evicted_by_name: EvictsByName, Bounds { trouble: Left { binds: 1, ..NO }, ..SPLIT }, "S7:";
    nothing_but_a_cordon_to_keep_pods_off: LeavesPodsToTheCordon, BINDS, "S3:";
    an_agent_that_announces_blindly: AgentAnnouncesBlindly, EDITS, "S3:";
    slots_outside_the_window: IgnoresWindow, WINDOW, "S4:";
    an_operation_that_outstays_its_window: OutstaysWindow, WINDOW, "S4:";
    any_cordon_taken_for_ours: TrustsAnyCordon, CORDONS, "S2:";
    every_node_uncordoned: AlwaysUncordons, CORDONS, "S1:";
    a_marker_that_goes_first: DropsMarkerFirst, Bounds::BASE, "S1:";
    an_old_marker_that_is_forgotten: ForgetsOldMarker, EDITS, "a state in which every node has settled is out of reach";
    no_sweep: NeverSweeps, Bounds { trouble: Left { purges: 1, ..NO }, ..Bounds::BASE }, "a state in which every node has settled is out of reach";
    a_go_ahead_at_once: GoesAheadAtOnce, Bounds::BASE, "S3:";
    one_node_too_many: AdmitsOneTooMany, TWO, "S5:";
    an_answer_about_another_operation: TakesAnyAnswer, EDITS, "a state in which every node has settled is out of reach";
    pods_that_are_deleted: DeletesPastBudgets, Bounds::BASE, "S6:";
    a_quarantine_that_is_not_told: HidesQuarantine, Bounds { rules: KEEP, trouble: Left { blocks: 1, ..NO }, ..Bounds::BASE }, "S9:";
    rules_that_change_under_way: FollowsEditedRules, EDITS, "S10:";
    a_beginning_that_is_overlooked: OverlooksBeginning, EDITS, "PNR:";
    a_plugin_that_is_told_at_once: TellsThePluginAtOnce, Bounds { trouble: Left { wipes: 1, ..NO }, ..Bounds::BASE }, "S11:";
    clients_that_nobody_pauses: PausesNobody, SWITCH, "N1: the agent is told";
    clients_that_are_paused_early: PausesEarly, SWITCH, "N1: GPU clients";
    clients_forgotten_after_a_rollback: ForgetsPausedAfterRollback, Bounds { trouble: Left { faults: 1, ..NO }, ..SWITCH }, "N2:";
    clients_forgotten_by_an_operation_that_is_given_up: ForgetsPausedWhenGivenUp, Bounds { trouble: Left { removals: 1, ..NO }, ..SWITCH }, "N2:";
    clients_forgotten_in_quarantine: ForgetsPausedInQuarantine, Bounds { trouble: Left { faults: 2, ..NO }, ..SWITCH }, "N2:";
    clients_resumed_that_an_admin_keeps_away: ResumesEverybody, SWITCH, "N3:";
    nodes_without_a_policy_that_are_not_looked_at: LooksAway, Bounds { trouble: Left { removals: 1, ..NO }, ..SWITCH }, "a state in which no GPU client is paused is out of reach";
    a_mig_manager_that_is_ignored: IgnoresMigManager, TAKEN, "N4: a change goes on";
    a_node_that_is_taken_unasked: TakesUnasked, Bounds { takes_over: false, ..TAKEN }, "N4: a node is taken";
    our_own_word_remembered: RemembersOwnWord, TAKEN, "N3:";
    a_node_that_is_not_given_back: NeverGivesBack, Bounds { trouble: Left { removals: 1, ..NO }, ..TAKEN }, "a state in which MIG Manager has what is not taken from it is out of reach";
    an_upgrade_that_is_ignored: IgnoresUpgrade, UPGRADE, "N5:";
}

/// Evictions cannot be fenced by a version: of all that a deposed leader may still do this is what the lease is for.
#[test]
fn only_the_lease_keeps_a_deposed_leader_from_evicting() {
    let bounds = Bounds {
        fences_evictions: true,
        ..SPLIT
    };
    let broken = search("split brain", Game::new(bounds)).expect("an eviction");
    assert!(broken.starts_with("S2:"), "{broken}");
}
