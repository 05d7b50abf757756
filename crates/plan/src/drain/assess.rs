//! Who must leave for a change: scope first, then safety, so that a pod which is not in the way never blocks.

use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::{BlockedPod, GpuStatus, PodReference};
use crds::policy::{DrainScope, DrainSettings};
use jiff::{SignedDuration, Timestamp};

use super::{devices, safety};
use crate::pod::{Controller, PodView, Tier, Until};
use crate::reason::Reason;

/// What is asked: who must leave so that these devices may change?
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The drain's rules.
    pub settings: &'a DrainSettings,
    /// UUIDs of the devices that go or change.
    pub affected: &'a BTreeSet<String>,
    /// The node's GPUs with their holders, by its agent.
    pub gpus: &'a [GpuStatus],
    /// All pods bound to the node, by the API server.
    pub pods: &'a [PodView],
    /// So long after a pod was bound the kubelet may not list it as a holder yet.
    pub admission: SignedDuration,
    /// The present.
    pub now: Timestamp,
}

/// Who must leave, and who cannot. Each list is sorted by name, and no pod is in two.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assessment<'a> {
    /// To be evicted.
    pub victims: Vec<&'a PodView>,
    /// Asked to end already, by whomever; still there.
    pub leaving: Vec<&'a PodView>,
    /// Bound so shortly ago that the kubelet has not said which devices they get.
    pub undecided: Vec<&'a PodView>,
    /// In the way, and not to be evicted.
    pub blocked: Vec<BlockedPod>,
    /// On an affected device that no pod holds; nobody knows whose they are. Their `pod` is `process <pid>`.
    pub processes: Vec<BlockedPod>,
    /// With a GPU, and not in the way: `namespace/name`.
    pub untouched: Vec<String>,
    /// Holders of affected devices that the API server does not have on this node (any more): `namespace/name`.
    pub strangers: Vec<String>,
    /// The first tier of which anybody is in the way.
    pub turn: Option<Tier>,
    /// When time alone changes this answer.
    pub changes_at: Option<Timestamp>,
}

enum Fate {
    Aside,
    Victim,
    Leaving,
    Undecided(Timestamp),
    Blocked(BlockedPod),
}

impl Fate {
    const fn is_in_the_way(&self) -> bool {
        match self {
            Self::Aside => false,
            Self::Victim | Self::Leaving | Self::Undecided(_) | Self::Blocked(_) => true,
        }
    }
}

struct Context<'a> {
    question: Question<'a>,
    held: BTreeMap<String, BTreeSet<&'a str>>,
    resources: BTreeSet<String>,
}

impl<'a> Assessment<'a> {
    /// Answers the question.
    pub fn of(question: Question<'a>) -> Self {
        let context = Context {
            question,
            held: devices::held(question.gpus),
            resources: devices::resources(question.gpus, question.affected),
        };
        let mut pods: Vec<&PodView> = question.pods.iter().collect();
        pods.sort_by_key(|pod| &pod.reference);
        let mut found = Self::default();
        for pod in pods {
            found.add(&context, pod);
        }
        found.add_strangers(&context);
        found
    }

    /// Whether no pod that must leave is on the node any more, by the API server.
    pub fn is_empty(&self) -> bool {
        self.victims.is_empty()
            && self.leaving.is_empty()
            && self.undecided.is_empty()
            && self.blocked.is_empty()
    }

    /// Whether also the node's agent sees nobody on the affected devices.
    pub fn is_clear(&self) -> bool {
        self.is_empty() && self.processes.is_empty() && self.strangers.is_empty()
    }

    /// Why the change must not begin: what is in the way and cannot be evicted.
    pub fn objections(&self) -> Vec<BlockedPod> {
        self.blocked
            .iter()
            .chain(&self.processes)
            .cloned()
            .collect()
    }

    /// Who must leave and is still there.
    pub fn remaining(&self) -> Vec<PodReference> {
        let mut pods: Vec<_> = [&self.victims, &self.leaving, &self.undecided]
            .into_iter()
            .flatten()
            .map(|pod| pod.reference.clone())
            .collect();
        pods.sort();
        pods
    }

    fn add(&mut self, context: &Context<'a>, pod: &'a PodView) {
        let fate = context.fate(pod);
        if fate.is_in_the_way() {
            self.turn = self.turn.into_iter().chain([pod.tier]).min();
        }
        match fate {
            Fate::Victim => self.victims.push(pod),
            Fate::Leaving => self.leaving.push(pod),
            Fate::Undecided(until) => {
                self.changes_at = earliest(self.changes_at, Some(until));
                self.undecided.push(pod);
            }
            Fate::Blocked(block) => {
                self.changes_at = earliest(self.changes_at, context.protected_until(pod));
                self.blocked.push(block);
            }
            Fate::Aside if context.has_gpu(pod) && !pod.finished => self.untouched.push(pod.name()),
            Fate::Aside => {}
        }
    }

    fn add_strangers(&mut self, context: &Context<'a>) {
        let Question {
            gpus,
            affected,
            pods,
            ..
        } = context.question;
        for (pid, device) in devices::unknown_processes(gpus, affected) {
            self.processes.push(BlockedPod {
                pod: format!("process {pid}"),
                reason: Reason::UnknownProcess.as_str().to_owned(),
                message: format!(
                    "it runs on {device}, which no pod holds: find and end it on the node"
                ),
            });
        }
        let known: BTreeSet<String> = pods.iter().map(PodView::name).collect();
        self.strangers = context
            .held
            .iter()
            .filter(|(name, devices)| context.affects(devices) && !known.contains(*name))
            .map(|(name, _)| name.clone())
            .collect();
    }
}

impl Context<'_> {
    fn fate(&self, pod: &PodView) -> Fate {
        let undecided = self.undecided_until(pod);
        let in_the_way =
            self.holds_affected(pod) || (self.is_unlisted(pod) && self.wants_affected(pod));
        if !in_the_way && !self.is_in_wider_scope(pod) {
            Fate::Aside
        } else if pod.leaving_since.is_some() {
            Fate::Leaving
        } else if pod.finished {
            Fate::Victim
        } else if let Some(until) = undecided {
            Fate::Undecided(until)
        } else {
            safety::objection(self.question.settings, pod, self.question.now)
                .map_or(Fate::Victim, Fate::Blocked)
        }
    }

    /// Pods that hold none of the affected devices and must leave all the same, because the policy says so.
    fn is_in_wider_scope(&self, pod: &PodView) -> bool {
        match pod.controller {
            Controller::DaemonSet | Controller::Kubelet => return false,
            Controller::None | Controller::Other(_) => {}
        }
        match self.question.settings.scope {
            DrainScope::AffectedDevices => false,
            DrainScope::GpuPods => self.has_gpu(pod) && !pod.finished,
            DrainScope::Node => true,
        }
    }

    fn affects(&self, devices: &BTreeSet<&str>) -> bool {
        devices
            .iter()
            .any(|device| self.question.affected.contains(*device))
    }

    fn holds_affected(&self, pod: &PodView) -> bool {
        self.held
            .get(&pod.name())
            .is_some_and(|devices| self.affects(devices))
    }

    fn has_gpu(&self, pod: &PodView) -> bool {
        !pod.gpus.is_empty() || self.held.contains_key(&pod.name())
    }

    /// It asks for devices and the kubelet does not say which it has: it is being admitted, or was so just now.
    fn is_unlisted(&self, pod: &PodView) -> bool {
        !pod.gpus.is_empty() && !pod.finished && !self.held.contains_key(&pod.name())
    }

    fn wants_affected(&self, pod: &PodView) -> bool {
        pod.gpus.keys().any(|name| self.resources.contains(name))
    }

    /// Evicting such a pod at once could hit one that is about to get a device which stays.
    fn undecided_until(&self, pod: &PodView) -> Option<Timestamp> {
        if !self.is_unlisted(pod) || self.is_in_wider_scope(pod) {
            return None;
        }
        let end = pod.bound?.saturating_add(self.question.admission).ok()?;
        (end > self.question.now).then_some(end)
    }

    fn protected_until(&self, pod: &PodView) -> Option<Timestamp> {
        match pod.protection.until(pod.started, self.question.now) {
            Until::At(end) => Some(end),
            Until::Never | Until::Forever => None,
        }
    }
}

/// The earlier of two moments.
fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}
