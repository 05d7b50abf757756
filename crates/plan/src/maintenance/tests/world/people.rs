//! What people, the scheduler, the kubelet and the policy controller do.

use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::{Phase, PodReference};
use crds::policy::Slot;
use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{Want, World};
use crate::conditions;
use crate::maintenance::tests::fixtures;
use crate::node::NodeView;
use crate::pod::{Controller, PodView, Protection, Tier};
use crate::windows::{self, WindowState};

impl World {
    pub(in super::super) fn make_node(&mut self) {
        self.nodes_made += 1;
        self.node = Some(NodeView {
            name: self.names.node.clone(),
            uid: format!("node-{}", self.nodes_made),
            ready: true,
            resources: self.allocatable(),
            neighbours: fixtures::neighbours(),
            ..NodeView::default()
        });
        self.node_version += 1;
        self.admin_keeps_it_cordoned = false;
    }

    pub(in super::super) fn change_node(&mut self, change: impl FnOnce(&mut NodeView)) {
        if let Some(node) = &mut self.node {
            change(node);
            self.node_version += 1;
        }
    }

    pub(in super::super) fn admin_cordons(&mut self) {
        if self.node.as_ref().is_some_and(|node| !node.unschedulable) {
            self.admin_keeps_it_cordoned = true;
            self.change_node(|node| {
                node.unschedulable = true;
                node.cordon_is_ours = false;
            });
        }
    }

    pub(in super::super) fn admin_uncordons(&mut self) {
        if self.node.as_ref().is_some_and(|node| node.unschedulable) {
            self.admin_keeps_it_cordoned = false;
            self.change_node(|node| {
                node.unschedulable = false;
                node.cordon_is_ours = false;
            });
        }
    }

    pub(in super::super) fn admin_deletes_node(&mut self) {
        self.node = None;
        self.node_version += 1;
        self.pods.clear();
        self.devices.clear();
    }

    pub(in super::super) fn wants(&mut self, want: Want) {
        if self.want != want {
            self.want = want;
            self.generation += 1;
        }
    }

    /// A pod is bound to a device that nobody holds, if the node takes pods.
    pub(in super::super) fn binds_late(&mut self) {
        let Some(node) = &self.node else { return };
        if node.unschedulable || node.tainted {
            return;
        }
        let free = self
            .gpu
            .instances
            .iter()
            .filter_map(|slice| slice.uuid.clone());
        let free = free
            .filter(|device| !self.devices.values().any(|held| held == device))
            .min();
        if let Some(device) = free {
            self.bind(&device);
        }
    }

    pub(in super::super) fn bind(&mut self, device: &str) {
        self.created += 1;
        let uid = format!("pod-{}", self.created);
        self.devices.insert(uid, device.to_owned());
        let asked = [("nvidia.com/mig-1g.5gb".to_owned(), 1)];
        let pod = self.pod(asked.into());
        self.pods.push(pod);
    }

    /// Pods without GPUs come to the node.
    pub(in super::super) fn crowds(&mut self, count: usize) {
        for _ in 0..count {
            self.created += 1;
            let pod = self.pod(BTreeMap::new());
            self.pods.push(pod);
        }
    }

    fn pod(&self, gpus: BTreeMap<String, i64>) -> PodView {
        PodView {
            reference: PodReference {
                namespace: self.names.namespace.clone(),
                name: self.names.pod(self.created),
                uid: format!("pod-{}", self.created),
            },
            labels: BTreeMap::new(),
            finished: false,
            leaving_since: None,
            leaving_until: None,
            finalizers: Vec::new(),
            own_grace: 30,
            tier: Tier::Ordinary,
            controller: Controller::Other("ReplicaSet".to_owned()),
            empty_dir: false,
            gpus,
            gpu_since: Some(self.now),
            client_of: BTreeSet::new(),
            is_mps_daemon: false,
            protection: Protection::None,
            started: Some(self.now),
            bound: Some(self.now),
        }
    }

    /// The pod at this place in the list, if there is one, leaves last.
    pub(in super::super) fn is_critical(&mut self, place: usize) {
        if let Some(pod) = self.pods.get_mut(place) {
            pod.tier = Tier::SystemCritical;
        }
    }

    /// Pods that were asked to end do.
    pub(in super::super) fn pods_end(&mut self) {
        if self.pods_never_end {
            return;
        }
        let (ended, rest) = std::mem::take(&mut self.pods)
            .into_iter()
            .partition(|pod: &PodView| pod.leaving_since.is_some());
        self.pods = rest;
        for pod in ended {
            self.devices.remove(&pod.reference.uid);
        }
    }

    /// The policy controller: grants a slot to a node that needs nothing else, and takes it back when it is done.
    pub(in super::super) fn admission_acts(&mut self) {
        let Some(node) = &self.node else {
            self.slot = None;
            return;
        };
        let status = &self.maintenance;
        let is_settled = matches!(
            status.phase,
            Phase::InSync | Phase::Pending | Phase::Unmanaged
        );
        self.slot.take_if(|slot| {
            slot.uid != node.uid || (is_settled && status.operation_id >= slot.operation)
        });
        let waits =
            conditions::find(&status.conditions, "MaintenancePending").is_some_and(|condition| {
                condition.status == "True"
                    && matches!(condition.reason.as_str(), "AwaitingSlot" | "WindowClosed")
            });
        let need = windows::need(&self.policy.maintenance);
        let has_time = self.window.admits(self.now, need).is_ok();
        if self.slot.is_none() && status.phase == Phase::Pending && waits && has_time {
            self.slot = Some(Slot {
                node: node.name.clone(),
                uid: node.uid.clone(),
                operation: (status.operation_id + 1).max(self.clock().as_second()),
                since: Time(self.clock()),
            });
        }
    }

    pub(in super::super) fn set_window(&mut self, open: bool) {
        let (start, end) = (self.now, self.now + SignedDuration::from_hours(1));
        self.window = if open {
            WindowState::Open { start, end }
        } else {
            WindowState::Closed {
                next: Some((end, end + SignedDuration::from_hours(2))),
                blackout: None,
            }
        };
    }

    /// From now on nobody is in the way, and everybody who was away is back.
    pub(in super::super) fn becomes_fair(&mut self) {
        self.ahead = SignedDuration::ZERO;
        self.schedule = None;
        self.window = WindowState::Always;
        self.budget_blocks = false;
        self.answer = None;
        self.answer_is_wrong = false;
        self.pods_never_end = false;
        self.agent_trouble = None;
        self.pods.iter_mut().for_each(becomes_ordinary);
        self.agent_is_up = true;
        self.agent_saw = None;
        self.fault = None;
        self.valid = true;
        self.policy.paused = false;
        self.policy.dry_run = false;
        if self.node.is_none() {
            self.make_node();
        }
        self.change_node(|node| node.hold = false);
    }

    /// A person brings the GPU into a layout by hand.
    pub(in super::super) fn repairs_to(&mut self, layout: &[(&str, i32)]) {
        let wanted = fixtures::target(layout).gpus[0].mig.instances.clone();
        self.makes(&wanted);
    }

    /// Lets everybody act until nothing is under way.
    pub(in super::super) fn until_settled(mut self) -> Self {
        for _ in 0..1_000 {
            let phase = self.maintenance.phase;
            if matches!(phase, Phase::InSync | Phase::Pending | Phase::Unmanaged) {
                return self;
            }
            self.round();
        }
        panic!("never settles: {:#?}", self.maintenance);
    }
}

/// Nothing about the pod keeps it from being evicted any more.
fn becomes_ordinary(pod: &mut PodView) {
    pod.controller = Controller::Other("ReplicaSet".to_owned());
    pod.protection = Protection::None;
    pod.empty_dir = false;
    pod.finalizers.clear();
}
