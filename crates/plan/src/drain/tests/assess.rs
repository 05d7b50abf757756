use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::{
    GpuProcess, GpuStatus, Holder, MigInstance, MigMode, MigModeStatus, PodReference,
};
use crds::policy::{DrainScope, DrainSettings};
use jiff::{SignedDuration, Timestamp};

use crate::drain::{Assessment, Question};
use crate::pod::{Controller, PodView, Protection, Tier};

pub(super) const GOES: &str = "MIG-goes";
const STAYS: &str = "MIG-stays";

pub(super) fn now() -> Timestamp {
    "2026-03-01T02:00:00Z".parse().unwrap()
}

pub(super) fn pod(name: &str) -> PodView {
    PodView {
        reference: PodReference {
            namespace: "default".to_owned(),
            name: name.to_owned(),
            uid: format!("uid-of-{name}"),
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
        gpus: [("nvidia.com/mig-1g.5gb".to_owned(), 1)].into(),
        gpu_since: None,
        client_of: BTreeSet::new(),
        is_mps_daemon: false,
        protection: Protection::None,
        started: Some(now() - SignedDuration::from_mins(10)),
        bound: Some(now() - SignedDuration::from_mins(11)),
    }
}

pub(super) fn gpu(holders: &[(&str, &str)]) -> GpuStatus {
    let instance = |start: i32, uuid: &str| MigInstance {
        profile: "1g.5gb".to_owned(),
        start,
        size: 1,
        uuid: Some(uuid.to_owned()),
        parts: Vec::new(),
        owned: true,
    };
    GpuStatus {
        index: 0,
        uuid: "GPU-0".to_owned(),
        product: "A100".to_owned(),
        memory_mib: 40960,
        compute_capability: None,
        mig: MigModeStatus {
            current: MigMode::Enabled,
            pending: MigMode::Enabled,
        },
        instances: vec![instance(0, GOES), instance(1, STAYS)],
        profiles: Vec::new(),
        compute_mode: None,
        mps: None,
        holders: holders
            .iter()
            .map(|(pod, device)| Holder {
                namespace: "default".to_owned(),
                pod: (*pod).to_owned(),
                container: "main".to_owned(),
                device: (*device).to_owned(),
                resource: String::new(),
            })
            .collect(),
        processes: Vec::new(),
    }
}

/// One pod's place in the answer.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Victim,
    Leaving,
    Undecided,
    Blocked(String),
    Untouched,
    Nowhere,
}

fn place(settings: &DrainSettings, gpu: &GpuStatus, pod: &PodView) -> Place {
    let affected = BTreeSet::from([GOES.to_owned()]);
    let pods = std::slice::from_ref(pod);
    let found = Assessment::of(Question {
        settings,
        affected: &affected,
        gpus: std::slice::from_ref(gpu),
        pods,
        admission: SignedDuration::from_secs(15),
        now: now(),
    });
    let places = [
        found.victims.first().map(|_| Place::Victim),
        found.leaving.first().map(|_| Place::Leaving),
        found.undecided.first().map(|_| Place::Undecided),
        found
            .blocked
            .first()
            .map(|block| Place::Blocked(block.reason.clone())),
        found.untouched.first().map(|_| Place::Untouched),
    ];
    let mut places = places.into_iter().flatten();
    let first = places.next().unwrap_or(Place::Nowhere);
    assert_eq!(places.next(), None, "a pod in two lists");
    first
}

fn blocked(reason: &str) -> Place {
    Place::Blocked(reason.to_owned())
}

type Change = fn(&mut PodView, &mut DrainSettings);

/// A pod on the slice that goes, changed in some way, and its place then.
fn check(rows: Vec<(&str, Change, Place)>) {
    for (name, change, expected) in rows {
        let (mut pod, mut settings) = (pod("web"), DrainSettings::default());
        change(&mut pod, &mut settings);
        assert_eq!(
            place(&settings, &gpu(&[("web", GOES)]), &pod),
            expected,
            "{name}"
        );
    }
}

#[test]
fn a_pod_on_a_slice_that_goes_leaves_unless_something_speaks_against_it() {
    check(vec![
        ("plain", |_, _| {}, Place::Victim),
        (
            "leaving",
            |pod, _| pod.leaving_since = Some(now()),
            Place::Leaving,
        ),
        ("finished", |pod, _| pod.finished = true, Place::Victim),
        (
            "finished, with everything against it",
            |pod, _| {
                pod.finished = true;
                pod.empty_dir = true;
                pod.controller = Controller::DaemonSet;
            },
            Place::Victim,
        ),
        (
            "a job's",
            |pod, _| pod.controller = Controller::Other("Job".to_owned()),
            Place::Victim,
        ),
        (
            "nobody's",
            |pod, _| pod.controller = Controller::None,
            blocked("NoController"),
        ),
        (
            "nobody's, forced",
            |pod, drain| {
                pod.controller = Controller::None;
                drain.force = true;
            },
            Place::Victim,
        ),
        (
            "a daemon set's, forced",
            |pod, drain| {
                pod.controller = Controller::DaemonSet;
                drain.force = true;
            },
            blocked("DaemonSet"),
        ),
        (
            "static",
            |pod, _| pod.controller = Controller::Kubelet,
            blocked("MirrorPod"),
        ),
        (
            "with an emptyDir",
            |pod, _| pod.empty_dir = true,
            blocked("EmptyDir"),
        ),
        (
            "with an emptyDir that may go",
            |pod, drain| {
                pod.empty_dir = true;
                drain.delete_empty_dir_data = true;
            },
            Place::Victim,
        ),
    ]);
}

#[test]
fn owners_and_the_policy_may_speak_against_it_too() {
    check(vec![
        (
            "protected",
            |pod, _| pod.protection = Protection::Always,
            blocked("DoNotEvict"),
        ),
        (
            "protected for longer",
            |pod, _| {
                pod.protection = Protection::parse("10m1s");
            },
            blocked("DoNotEvict"),
        ),
        (
            "protected until now",
            |pod, _| pod.protection = Protection::parse("10m"),
            Place::Victim,
        ),
        (
            "protected by a word that cannot be read",
            |pod, _| {
                pod.protection = Protection::parse("very");
            },
            Place::Victim,
        ),
        (
            "not selected",
            |_, drain| {
                let selector = serde_json::json!({"matchLabels": {"evictable": "yes"}});
                drain.pod_selector = Some(serde_json::from_value(selector).unwrap());
            },
            blocked("NotSelected"),
        ),
        (
            "leaving, with everything against it",
            |pod, _| {
                pod.leaving_since = Some(now());
                pod.controller = Controller::Kubelet;
            },
            Place::Leaving,
        ),
    ]);
}

#[test]
fn what_speaks_against_a_pod_that_is_not_in_the_way_does_not_block() {
    for device in [Some(STAYS), None] {
        let mut pod = pod("web");
        pod.empty_dir = true;
        pod.controller = Controller::None;
        pod.protection = Protection::Always;
        let holders: Vec<_> = device.iter().map(|device| ("web", *device)).collect();
        if device.is_none() {
            pod.gpus.clear();
        }
        let expected = if device.is_some() {
            Place::Untouched
        } else {
            Place::Nowhere
        };
        assert_eq!(
            place(&DrainSettings::default(), &gpu(&holders), &pod),
            expected
        );
    }
}

#[test]
fn each_scope_takes_what_it_says_and_daemons_only_where_they_are_in_the_way() {
    let scopes = [
        DrainScope::AffectedDevices,
        DrainScope::GpuPods,
        DrainScope::Node,
    ];
    let daemon = |mut pod: PodView| {
        pod.controller = Controller::DaemonSet;
        pod
    };
    let cpu = |mut pod: PodView| {
        pod.gpus.clear();
        pod
    };
    let rows = [
        (
            pod("web"),
            Some(STAYS),
            [Place::Untouched, Place::Victim, Place::Victim],
        ),
        (
            cpu(pod("web")),
            None,
            [Place::Nowhere, Place::Nowhere, Place::Victim],
        ),
        (
            daemon(pod("web")),
            Some(STAYS),
            [Place::Untouched, Place::Untouched, Place::Untouched],
        ),
        (
            daemon(cpu(pod("web"))),
            None,
            [Place::Nowhere, Place::Nowhere, Place::Nowhere],
        ),
        (
            daemon(pod("web")),
            Some(GOES),
            [
                blocked("DaemonSet"),
                blocked("DaemonSet"),
                blocked("DaemonSet"),
            ],
        ),
    ];
    for (pod, device, expected) in rows {
        let holders: Vec<_> = device.iter().map(|device| ("web", *device)).collect();
        for (scope, expected) in scopes.into_iter().zip(expected) {
            let settings = DrainSettings {
                scope,
                ..DrainSettings::default()
            };
            assert_eq!(
                place(&settings, &gpu(&holders), &pod),
                expected,
                "{scope:?} {pod:?}"
            );
        }
    }
}

#[test]
fn a_pod_whose_device_is_not_known_yet_is_in_the_way_if_it_could_get_one_that_goes() {
    let unlisted = gpu(&[]);
    let drain = DrainSettings::default();
    let mut fresh = pod("web");
    fresh.bound = Some(now() - SignedDuration::from_secs(14));
    assert_eq!(place(&drain, &unlisted, &fresh), Place::Undecided);
    fresh.bound = Some(now() - SignedDuration::from_secs(15));
    assert_eq!(place(&drain, &unlisted, &fresh), Place::Victim);
    fresh.bound = None;
    assert_eq!(place(&drain, &unlisted, &fresh), Place::Victim);
    for (resource, expected) in [
        ("nvidia.com/mig-1g.5gb.shared", Place::Victim),
        ("nvidia.com/mig-2g.10gb", Place::Untouched),
        // Every GPU of the node is in MIG mode: with advertise Single, this is a slice.
        ("nvidia.com/gpu", Place::Victim),
    ] {
        fresh.gpus = [(resource.to_owned(), 1)].into();
        assert_eq!(place(&drain, &unlisted, &fresh), expected, "{resource}");
    }
}

#[test]
fn a_finished_pod_that_holds_nothing_is_not_in_the_way() {
    let mut done = pod("web");
    done.finished = true;
    assert_eq!(
        place(&DrainSettings::default(), &gpu(&[]), &done),
        Place::Nowhere
    );
}

fn assess<'a>(
    gpu: &'a GpuStatus,
    affected: &'a BTreeSet<String>,
    pods: &'a [PodView],
    settings: &'a DrainSettings,
) -> Assessment<'a> {
    Assessment::of(Question {
        settings,
        affected,
        gpus: std::slice::from_ref(gpu),
        pods,
        admission: SignedDuration::from_secs(15),
        now: now(),
    })
}

#[test]
fn a_holder_that_the_api_server_does_not_have_keeps_the_devices_from_being_clear() {
    let (gpu, settings) = (
        gpu(&[("gone", GOES), ("elsewhere", STAYS)]),
        DrainSettings::default(),
    );
    let affected = BTreeSet::from([GOES.to_owned()]);
    let found = assess(&gpu, &affected, &[], &settings);
    assert_eq!(found.strangers, ["default/gone"]);
    assert!(found.is_empty() && !found.is_clear() && found.objections().is_empty());
}

#[test]
fn a_process_that_no_pod_accounts_for_stands_in_the_way() {
    let settings = DrainSettings::default();
    let affected = BTreeSet::from([GOES.to_owned()]);
    for (device, holders, stands) in [
        (GOES, vec![], true),
        (GOES, vec![("web", STAYS)], true),
        (GOES, vec![("web", GOES)], false),
        (STAYS, vec![], false),
    ] {
        let mut gpu = gpu(&holders);
        gpu.processes = vec![GpuProcess {
            pid: 42,
            device: device.to_owned(),
        }];
        let found = assess(&gpu, &affected, &[], &settings);
        assert_eq!(
            found.processes.len(),
            usize::from(stands),
            "{device} {holders:?}"
        );
        assert_eq!(
            found.objections().first().map(|block| block.pod.as_str()),
            stands.then_some("process 42")
        );
    }
}

#[test]
fn the_end_of_the_first_protection_is_when_the_answer_changes() {
    let gpu = gpu(&[("a", GOES), ("b", GOES)]);
    let affected = BTreeSet::from([GOES.to_owned()]);
    let settings = DrainSettings::default();
    let (mut one, mut other) = (pod("a"), pod("b"));
    one.protection = Protection::parse("30m");
    other.protection = Protection::parse("20m");
    let pods = [one, other];
    let found = assess(&gpu, &affected, &pods, &settings);
    assert_eq!(found.blocked.len(), 2);
    assert_eq!(
        found.changes_at,
        Some(now() + SignedDuration::from_mins(10))
    );
}
