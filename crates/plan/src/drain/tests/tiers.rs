use std::collections::BTreeSet;

use crds::policy::{DrainScope, DrainSettings};
use jiff::SignedDuration;
use proptest::prelude::*;

use super::assess::{gpu, now, pod};
use crate::drain::{Assessment, Question};
use crate::pod::{Controller, PodView, Protection, Tier};

/// A pod in any state that decides whether it is in the way, and in any tier.
fn any_pod() -> impl Strategy<Value = PodView> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (0..3_u8, flags).prop_map(|(kind, flags)| {
        let (critical, leaves, finished, promised) = flags;
        let mut pod = pod("web");
        pod.tier = if critical {
            Tier::SystemCritical
        } else {
            Tier::Ordinary
        };
        pod.leaving_since = leaves.then(now);
        pod.finished = finished;
        if promised {
            pod.protection = Protection::Always;
        }
        pod.controller = match kind {
            0 => Controller::DaemonSet,
            1 => Controller::None,
            _ => Controller::Other("ReplicaSet".to_owned()),
        };
        pod
    })
}

proptest! {
    #[test]
    fn nobody_leaves_before_the_last_of_the_tier_before_is_gone(
        mut pods in prop::collection::vec(any_pod(), 0..8),
    ) {
        for (number, pod) in pods.iter_mut().enumerate() {
            pod.reference.name = format!("web-{number}");
        }
        let settings = DrainSettings { scope: DrainScope::Node, ..DrainSettings::default() };
        let (gpu, affected) = (gpu(&[]), BTreeSet::new());
        let found = Assessment::of(Question {
            settings: &settings,
            affected: &affected,
            gpus: std::slice::from_ref(&gpu),
            pods: &pods,
            admission: SignedDuration::from_secs(15),
            now: now(),
        });
        let due: Vec<_> = found.due().collect();
        let held_back: Vec<_> = found.held_back().collect();
        prop_assert_eq!(due.len() + held_back.len(), found.victims.len());
        prop_assert!(held_back.iter().all(|pod| pod.tier == Tier::SystemCritical));
        let blocked: BTreeSet<_> = found.blocked.iter().map(|block| block.pod.clone()).collect();
        let in_the_way = |pod: &&PodView| {
            found.victims.contains(pod) || found.leaving.contains(pod) || blocked.contains(&pod.name())
        };
        let ordinary = pods.iter().filter(in_the_way).any(|pod| pod.tier == Tier::Ordinary);
        let turn = if ordinary { Tier::Ordinary } else { Tier::SystemCritical };
        prop_assert!(due.iter().all(|pod| pod.tier == turn), "{:?} {:?}", due, found);
        // Not for ever: whoever remains when nobody else is in the way is due.
        prop_assert!(ordinary || held_back.is_empty());
    }
}
