//! From what an operator sees of a node to what it decides, by the product's step.

use std::collections::BTreeMap;

use crds::GpuNodeSpec;
use crds::gpu_node::{MaintenanceStatus, Phase};
use crds::names::{
    ANNOTATION_MIG_MANAGER, GPU_CLIENT_LABELS, LABEL_MIG_MANAGER, LABEL_PLUGIN_CONFIG,
};
use plan::maintenance::{Effect, Step, orphaned};
use plan::plugin_config::Entry;

use crate::forget::forget;
use crate::game::Game;
use crate::mutation::Mutation;
use crate::rules;
use crate::sight::{self, Sight};
use crate::store::Number;
use crate::world::host::Host;
use crate::world::machine::{Pod, Who};
use crate::world::node::{Node, Promises, Report};
use crate::world::operator::{Decision, Deed, Eviction, Heard, Memory};
use crate::world::policy::{Policy, Slot};
use crate::world::stack::{CLIENTS, Deploy};
use crate::world::{Configs, Place, State};

/// All that a step can go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seen {
    place: Place,
    node: Option<Node>,
    owner: u8,
    spec: Number<GpuNodeSpec>,
    status: Number<MaintenanceStatus>,
    report: Option<Report>,
    heard: Heard,
    policy: Option<Policy>,
    slot: Option<Slot>,
    pods: [Pod; 2],
    runs: [bool; 2],
    configs: Number<Configs>,
    evictions: [Option<Eviction>; 2],
}

/// What an operator decides about a node that it has read: nothing if nothing is to be done.
pub fn decide(
    game: &mut Game,
    state: &State,
    place: Place,
    host: &Host,
    node: Option<Node>,
    memory: &Memory,
) -> Result<Option<Number<Decision>>, String> {
    let Some(gpu_node) = host.gpu_node else {
        return Ok(sweep(game, place, node));
    };
    let selects = state.policy.exists && host.is_selected && node.is_some();
    let policy = Policy {
        slots: [None; 2],
        ..state.policy
    };
    let seen = Seen {
        place,
        node,
        owner: gpu_node.owner,
        spec: gpu_node.spec,
        status: gpu_node.status,
        report: gpu_node.report,
        heard: memory.heard,
        policy: selects.then_some(policy),
        slot: state.policy.slots[place.index()].filter(|_| selects),
        pods: host.pods,
        runs: host.runs,
        configs: state.configs,
        evictions: memory.evictions,
    };
    if let Some(known) = game.known.get(&seen) {
        return known.clone();
    }
    let decided = seen.decide(game);
    game.known.insert(seen, decided.clone());
    decided
}

/// A node without a `GpuNode` is looked at by the sweep only.
fn sweep(game: &mut Game, place: Place, node: Option<Node>) -> Option<Number<Decision>> {
    let node = node.filter(|_| !game.is(Mutation::NeverSweeps))?;
    let view = node.view(place, &game.keys, &game.promises);
    let (effect, _) = orphaned(&view)?;
    let deed = deed(game, Some(&node), &effect);
    Some(game.decisions.put(Decision {
        node: node.uid,
        sweeps: true,
        deeds: vec![deed],
        status: None,
    }))
}

impl Seen {
    fn decide(&self, game: &mut Game) -> Result<Option<Number<Decision>>, String> {
        let sight = self.sight(game);
        let looks_away = game.is(Mutation::LooksAway) && sight.policy.is_none();
        if is_too_early(&sight) || looks_away {
            return Ok(None);
        }
        let step = match game.mutation {
            Some(mutation) => mutation.step(&sight),
            None => sight.step(),
        };
        rules::decision(&sight, &step)?;
        Ok(self.decision(game, &step))
    }

    /// What a step comes to. A `GpuNode` about which nothing else is to be done is made to belong to its node.
    pub fn decision(&self, game: &mut Game, step: &Step) -> Option<Number<Decision>> {
        let deeds = step.effects.iter();
        let mut deeds: Vec<_> = deeds
            .map(|effect| deed(game, self.node.as_ref(), effect))
            .collect();
        let status = game.statuses.put(forget(&step.status));
        let status = (status != self.status).then_some(status);
        let node = self.node.map_or(0, |node| node.uid);
        if deeds.is_empty() && status.is_none() {
            if node == 0 || self.owner == node {
                return None;
            }
            deeds.push(Deed::Ask(self.spec));
        }
        Some(game.decisions.put(Decision {
            node,
            sweeps: false,
            deeds,
            status,
        }))
    }

    /// The same as the step takes it.
    pub fn sight(&self, game: &Game) -> Sight {
        let bounds = &game.bounds;
        let (keys, promises) = (&game.keys, &game.promises);
        let has_keeper = !bounds.switches;
        let object = |policy: Policy| policy.object(bounds.rules, bounds.has_window);
        Sight {
            node: self.node.map(|node| node.view(self.place, keys, promises)),
            spec: game.specs.get(self.spec).clone(),
            agent: self.report.map(|it| sight::agent(&it, has_keeper)),
            heard: sight::heard(self.heard),
            maintenance: game.statuses.get(self.status).clone(),
            policy: self
                .policy
                .map(|policy| (object(policy), policy.judged, policy.want)),
            slot: self.slot.map(|slot| sight::slot(self.place, slot)),
            pods: sight::pods(self.pods, self.runs, has_keeper),
            configs: game.configs.get(self.configs).clone(),
            evictions: sight::evictions(self.evictions),
        }
    }
}

/// Nothing is begun before the policy controller has looked at the policy; what has begun goes on.
fn is_too_early(sight: &Sight) -> bool {
    let is_judged = sight.policy.as_ref().is_none_or(|(_, judged, _)| *judged);
    let is_working = match sight.maintenance.phase {
        Phase::Unmanaged | Phase::InSync | Phase::Pending => false,
        Phase::Preparing
        | Phase::Cordoning
        | Phase::WaitingJobs
        | Phase::Draining
        | Phase::Repartitioning
        | Phase::RollingBack
        | Phase::Validating
        | Phase::Uncordoning
        | Phase::Releasing
        | Phase::Quarantined => true,
    };
    !is_judged && !is_working
}

fn deed(game: &mut Game, node: Option<&Node>, effect: &Effect) -> Deed {
    match effect {
        Effect::Cordon {
            operation,
            pre_cordoned,
        } => Deed::Cordon {
            operation: small(*operation),
            pre_cordoned: *pre_cordoned,
        },
        Effect::Uncordon {
            schedulable,
            labels,
        } => {
            let (key, promises) = labelled(game, node, labels);
            Deed::Uncordon {
                schedulable: *schedulable,
                key,
                promises,
            }
        }
        Effect::Label(labels) => {
            let (key, promises) = labelled(game, node, labels);
            let clients = deployed(node, labels);
            Deed::Label {
                key,
                promises,
                clients,
            }
        }
        Effect::Remember {
            labels,
            annotations,
        } => {
            let (_, promises) = labelled(game, node, labels);
            remembered(node, labels, annotations, promises)
        }
        Effect::Restart(_) => unreachable!("nobody asks for pods to be made anew"),
        Effect::PublishConfig {
            key,
            content,
            since,
        } => {
            let entry = Entry {
                content: content.clone(),
                since: Some(*since),
            };
            let one = Configs::from([(key.clone(), entry)]);
            Deed::Publish(game.configs.put(one))
        }
        Effect::Ask(spec) => Deed::Ask(game.specs.put(spec.clone())),
        Effect::Evict { pod, .. } => leaver(&pod.uid, false),
        Effect::Delete { pod, .. } => leaver(&pod.uid, true),
    }
}

/// What a node's labels are after these have been written.
fn labelled(
    game: &mut Game,
    node: Option<&Node>,
    labels: &BTreeMap<String, Option<String>>,
) -> (Option<Number<String>>, Number<Promises>) {
    let mut key = node.and_then(|node| node.key);
    let mut promises = node.map_or_else(Promises::new, |node| {
        game.promises.get(node.promises).clone()
    });
    for (label, value) in labels {
        if label == LABEL_PLUGIN_CONFIG {
            key = value.clone().map(|value| game.keys.put(value));
        } else if is_nvidias(label) {
            // Those are another part of the node.
        } else if let Some(value) = value {
            promises.insert(label.clone(), value.clone());
        } else {
            promises.remove(label);
        }
    }
    (key, game.promises.put(promises))
}

/// How programs of NVIDIA's are deployed.
fn is_nvidias(label: &str) -> bool {
    label == LABEL_MIG_MANAGER || GPU_CLIENT_LABELS.contains(&label)
}

type Written = BTreeMap<String, Option<String>>;

/// How a node's GPU clients are deployed after these labels have been written.
fn deployed(node: Option<&Node>, labels: &Written) -> [Deploy; 2] {
    let before = node.map_or([Deploy::Absent; 2], |node| node.stack.clients);
    [0, 1].map(|client: usize| {
        let written = labels.get(CLIENTS[client]);
        written.map_or(before[client], |value| Deploy::of(value.as_deref()))
    })
}

/// What of MIG Manager's is on a node after these have been written.
fn remembered(
    node: Option<&Node>,
    labels: &Written,
    annotations: &Written,
    promises: Number<Promises>,
) -> Deed {
    let deployed = node.map_or(Deploy::Absent, |node| node.stack.manager);
    let before = node.and_then(|node| node.stack.before);
    let label = labels.get(LABEL_MIG_MANAGER);
    let memory = annotations.get(ANNOTATION_MIG_MANAGER);
    let value = |value: &Option<String>| Deploy::of(value.as_deref());
    Deed::Remember {
        manager: label.map_or(deployed, value),
        before: memory.map_or(before, |memory| {
            memory.as_ref().map(|it| Deploy::of(Some(it)))
        }),
        promises,
    }
}

/// The keeper is never among them: that is a rule.
fn leaver(uid: &str, forced: bool) -> Deed {
    let (name, number) = uid.rsplit_once('-').expect("a name and a number");
    let mut pods = Who::ALL.into_iter();
    Deed::Evict {
        who: pods
            .find(|who| who.name() == name)
            .expect("a pod that may go"),
        uid: number.parse().expect("a small number"),
        forced,
    }
}

/// Ids of operations are small: see `renumber`.
pub fn small(operation: i64) -> u8 {
    u8::try_from(operation).expect("an id that was renumbered")
}
