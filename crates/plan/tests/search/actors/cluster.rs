//! The cluster around the operator: scheduler, kubelet, device plugin, garbage collector.

use crds::gpu_node::Phase;

use crate::action::{Action, Cluster};
use crate::game::Game;
use crate::world::host::Host;
use crate::world::machine::{Pod, PodStage, Who};
use crate::world::node::Node;
use crate::world::{Place, State};

pub fn actions(game: &Game, state: &State, place: Place, host: &Host, found: &mut Vec<Action>) {
    let mut may = |what| found.push(Action::Cluster(place, what));
    let Some(node) = &host.node else {
        may(Cluster::NodeComes);
        if host.gpu_node.is_some_and(|it| it.owner != 0) {
            may(Cluster::Collects);
        }
        return;
    };
    if host
        .gpu_node
        .is_some_and(|it| it.owner != 0 && it.owner != node.uid)
    {
        may(Cluster::Collects);
    }
    if state.left.deletions > 0 {
        may(Cluster::NodeGoes);
    }
    if plugin_reads(game, state, host, node) {
        may(Cluster::PluginReads);
    }
    if host.scheduler_lags {
        may(Cluster::SchedulerSees);
    }
    if host.budget_blocks {
        may(Cluster::Budget(false));
    } else if state.left.blocks > 0 {
        may(Cluster::Budget(true));
    }
    for who in Who::ALL {
        match host.pod(who).stage {
            PodStage::Absent => {
                let is_open = node.takes_pods() || host.scheduler_lags;
                if state.left.binds > 0 && is_open && node.advertised.has(who.slice()) {
                    may(Cluster::Binds(who));
                }
            }
            PodStage::Bound { .. } => may(Cluster::Starts(who)),
            PodStage::Running => {}
            PodStage::Leaving { .. } => may(Cluster::Ends(who)),
        }
    }
}

/// It reads when its label changes. When a node has been quarantined because it does not, a person makes it anew, as the
/// condition says; then it reads too.
fn plugin_reads(game: &Game, state: &State, host: &Host, node: &Node) -> bool {
    let is_made_anew = game.phase(host) == Some(Phase::Quarantined);
    let is_news = node.key != host.machine.plugin_key;
    let differs = is_news || (is_made_anew && node.advertised != host.machine.slices);
    differs && is_published(game, state, node)
}

fn is_published(game: &Game, state: &State, node: &Node) -> bool {
    let configs = game.configs.get(state.configs);
    node.key
        .is_none_or(|key| configs.contains_key(game.keys.get(key)))
}

pub fn perform(
    game: &mut Game,
    mut state: State,
    place: Place,
    mut host: Host,
    what: Cluster,
) -> State {
    match what {
        Cluster::PluginReads => {
            host.machine.plugin_key = host.node.and_then(|node| node.key);
            let slices = host.machine.slices;
            host.write_node(None, |node| node.advertised = slices);
        }
        Cluster::Binds(who) => {
            state.left.binds -= 1;
            let pod = &mut host.pods[who.index()];
            pod.uid += 1;
            pod.stage = PodStage::Bound { long: false };
        }
        Cluster::SchedulerSees => host.scheduler_lags = false,
        Cluster::Starts(who) => {
            // Without its slice the kubelet does not admit the pod.
            let has_slice = host.machine.slices.has(who.slice());
            host.pods[who.index()].stage = if has_slice {
                PodStage::Running
            } else {
                PodStage::Absent
            };
        }
        Cluster::Ends(who) => host.pods[who.index()].stage = PodStage::Absent,
        Cluster::Budget(blocks) => {
            host.budget_blocks = blocks;
            state.left.blocks -= u8::from(blocks);
        }
        Cluster::Collects => {
            host.gpu_node = None;
            host.gpu_node_is_written(None);
        }
        Cluster::NodeGoes => {
            state.left.deletions -= 1;
            goes(&mut host);
        }
        Cluster::NodeComes => comes(game, &mut host),
    }
    game.with(state, place, host)
}

fn goes(host: &mut Host) {
    host.node = None;
    host.pods = host.pods.map(|pod| Pod {
        stage: PodStage::Absent,
        ..pod
    });
    host.runs = [false; 2];
    host.admin_keeps_it_cordoned = false;
    host.scheduler_lags = false;
    host.node_is_written(None);
}

/// The kubelet registers again: nothing of what was written on the node is left but what NVIDIA's GPU operator writes on every
/// node, and the plugin's pod is a new one.
fn comes(game: &mut Game, host: &mut Host) {
    host.nodes_made += 1;
    let nothing = game.promises.put(std::collections::BTreeMap::new());
    let (uid, slices) = (host.nodes_made, host.machine.slices);
    host.node = Some(Node::new(uid, slices, game.bounds.stack, nothing));
    host.machine.plugin_key = None;
    host.node_is_written(None);
}
