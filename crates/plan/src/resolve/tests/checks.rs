use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::ProblemReason::{
    self, BadDuration, BadSelector, Conflict, NotYetSupported, UnknownProfile, UnknownTimeZone,
};
use super::super::{Wish, check, wish};
use super::{policy, t4};
use crate::neighbours::Neighbours;

fn found(spec: Value) -> Vec<(ProblemReason, String)> {
    let problems = check(&policy(spec).spec);
    let pair = |problem: super::super::Problem| (problem.reason, problem.path);
    problems.into_iter().map(pair).collect()
}

#[test]
fn what_is_not_supported_yet_says_so() {
    let part = json!({
        "strategy": {"type": "Exclusive"},
        "overrides": [{"gpus": {"indices": [0]}, "strategy": {"type": "Auto"}}],
        "workload": {},
    });
    for (spec, path) in [
        (
            json!({"strategy": {"type": "Auto"}, "workload": {}}),
            "spec.strategy.type",
        ),
        (part, "spec.overrides[0].strategy.type"),
    ] {
        assert_eq!(
            found(spec.clone()),
            [(NotYetSupported, path.to_owned())],
            "{spec}"
        );
        let (_, refused) = wish(
            [&policy(spec)],
            &[].into(),
            &Neighbours::default(),
            &[t4(0)],
            &BTreeSet::new(),
        );
        assert!(
            matches!(refused, Wish::Refused { problem, .. } if problem.reason == NotYetSupported)
        );
    }
}

#[test]
fn what_needs_no_hardware_is_found_with_the_path_of_its_field() {
    let maintenance =
        |rules: Value| json!({"strategy": {"type": "Exclusive"}, "maintenance": rules});
    let near = json!({"matchExpressions": [{"key": "a", "operator": "Near"}]});
    for (spec, reason, path) in [
        (
            json!({"strategy": {"type": "MIG", "mig": {"layout": {"3g.banana": 1}}}}),
            UnknownProfile,
            "spec.strategy.mig.layout",
        ),
        (
            json!({"strategy": {"type": "MIG", "mig": {"preset": "Largest", "perProduct": [{"products": ["*"], "layout": {"x": 1}}]}}}),
            UnknownProfile,
            "spec.strategy.mig.perProduct[0].layout",
        ),
        (
            json!({"strategy": {"type": "MIG", "mig": {"layout": {"3g.20gb": 1, "1g.5gb": 1}, "advertise": "Single"}}}),
            Conflict,
            "spec.strategy.mig.layout",
        ),
        (
            json!({"strategy": {"type": "MIG", "mig": {"preset": "Largest", "advertise": "Single",
                "perProduct": [{"products": ["*"], "layout": {"1g.5gb": 1, "1g.5gb+me": 1}}]}}}),
            Conflict,
            "spec.strategy.mig.perProduct[0].layout",
        ),
        (
            json!({"strategy": {"type": "MIG", "mig": {"layout": {"1g.5gb": 7},
                "timeSlicing": {"replicas": 2, "perProfile": {"1g.10gb": 4}}}}}),
            UnknownProfile,
            "spec.strategy.mig.timeSlicing.perProfile",
        ),
        (
            json!({"strategy": {"type": "MIG", "mig": {"preset": "Smallest",
                "timeSlicing": {"replicas": 2, "perProfile": {"small": 4}}}}}),
            UnknownProfile,
            "spec.strategy.mig.timeSlicing.perProfile",
        ),
        (
            json!({"strategy": {"type": "Exclusive"}, "nodeSelector": near}),
            BadSelector,
            "spec.nodeSelector",
        ),
        (
            maintenance(json!({"drain": {"podSelector": near}})),
            BadSelector,
            "spec.maintenance.drain.podSelector",
        ),
        (
            maintenance(
                json!({"drain": {"waitForCompletion": {"podSelector": near, "timeout": "1h"}}}),
            ),
            BadSelector,
            "spec.maintenance.drain.waitForCompletion.podSelector",
        ),
        (
            maintenance(json!({"drain": {"timeout": "0s"}})),
            BadDuration,
            "spec.maintenance.drain.timeout",
        ),
        (
            maintenance(json!({"canary": {"nodes": 1, "soak": "0m"}})),
            BadDuration,
            "spec.maintenance.canary.soak",
        ),
        (
            maintenance(json!({"minRemaining": "soon"})),
            BadDuration,
            "spec.maintenance.minRemaining",
        ),
        (
            maintenance(
                json!({"windows": [{"start": "01:00", "end": "02:00", "timeZone": "Mars/Olympus"}]}),
            ),
            UnknownTimeZone,
            "spec.maintenance.windows[0].timeZone",
        ),
    ] {
        assert_eq!(found(spec.clone()), [(reason, path.to_owned())], "{spec}");
    }
    assert_eq!(
        found(maintenance(
            json!({"drain": {"timeout": "1h"}, "minRemaining": "5m"})
        )),
        []
    );
}

#[test]
fn slices_may_be_shared_and_called_gpus() {
    let layout = json!({"1g.5gb": 4, "3g.20gb": 1});
    let shared = json!({"replicas": 2, "perProfile": {"1g.5gb": 4}, "renameByDefault": true});
    for mig in [
        json!({"layout": layout, "timeSlicing": shared}),
        json!({"preset": "Balanced", "timeSlicing": {"replicas": 2, "perProfile": {"2g.10gb": 4}}}),
        json!({"layout": {"2g.10gb": 3}, "perProduct": [{"products": ["*H100*"], "layout": layout}], "timeSlicing": shared}),
        json!({"layout": {"1g.5gb": 7}, "advertise": "Single", "timeSlicing": shared}),
        json!({"preset": "Balanced", "advertise": "Single"}),
    ] {
        let spec = json!({"strategy": {"type": "MIG", "mig": mig}});
        assert_eq!(found(spec), [], "{mig}");
    }
}
