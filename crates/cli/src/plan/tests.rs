use std::fs;
use std::path::PathBuf;

use super::*;

const POLICY: &str = "
apiVersion: gpusharing.dev/v1alpha1
kind: GpuSharingPolicy
metadata: {name: inference}
spec:
  nodeSelector: {matchLabels: {pool: a}}
  strategy: {type: MIG, mig: {layout: {LAYOUT}MEMBERS}}
---
apiVersion: v1
kind: Namespace
metadata: {name: other}
";

/// Two nodes with a GPU of two profiles: n1 of pool a with a pod on one of two slices, n2 of no pool.
const CLUSTER: &str = r#"{"apiVersion": "v1", "kind": "List", "items": [
  {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "labels": {"pool": "a"}}},
  {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n2"}},
  {"apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuNode", "metadata": {"name": "n2"}, "spec": {}},
  {"apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuNode", "metadata": {"name": "n1"}, "spec": {}, "status": {"agent": {
    "bootId": "b", "gpus": [{
      "index": 0, "uuid": "GPU-0", "product": "NVIDIA A30", "memoryMiB": 24576,
      "mig": {"current": "Enabled", "pending": "Enabled"},
      "instances": [
        {"profile": "2g.12gb", "start": 0, "size": 2, "uuid": "MIG-0", "owned": true},
        {"profile": "2g.12gb", "start": 2, "size": 2, "uuid": "MIG-2", "owned": true}],
      "profiles": [
        {"name": "2g.12gb", "id": 5, "slices": 2, "max": 2, "memoryMiB": 11672, "placements": [{"start": 0, "size": 2}, {"start": 2, "size": 2}]},
        {"name": "4g.24gb", "id": 0, "slices": 4, "max": 1, "memoryMiB": 23344, "placements": [{"start": 0, "size": 4}]}],
      "holders": [{"namespace": "a", "pod": "x", "container": "main", "device": "MIG-2",
        "resource": "nvidia.com/mig-2g.12gb"}]}]}}}
]}"#;

fn planned(layout: &str, cluster: bool) -> Result<Outcome, Error> {
    planned_with(layout, "", cluster)
}

/// `members`: of `mig`, each after a comma.
fn planned_with(layout: &str, members: &str, cluster: bool) -> Result<Outcome, Error> {
    let policy = POLICY.replace("LAYOUT", layout).replace("MEMBERS", members);
    let (_folder, mut args) = files_of(&policy);
    args.cluster = args.cluster.filter(|_| cluster);
    run(&args)
}

/// The policy and the cluster as files, for as long as their folder is kept.
fn files_of(policy: &str) -> (tempfile::TempDir, PlanArgs) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let args = PlanArgs {
        filenames: vec![write("policy.yaml", policy)],
        cluster: Some(write("cluster.json", CLUSTER)),
    };
    (folder, args)
}

#[test]
fn a_plan_names_what_changes_and_who_must_leave() {
    let outcome = planned("4g.24gb: 1", true).unwrap();
    assert_eq!(
        outcome.text,
        "policy inference: valid\n\
         node n1 by policy inference: slices change\n  \
         GPU 0: 2x2g.12gb -> 4g.24gb (0 kept, 2 destroyed, 1 created)\n  \
         mig: pods can have 1 nvidia.com/mig-4g.24gb; at most 1 share a device\n  \
         must leave: a/x (as if none had gpusharing.dev/do-not-evict: these files do not say)\n\
         node n2: left as it is, no policy selects it\n"
    );
    assert!(outcome.is_valid);
}

#[test]
fn a_plan_that_may_not_be_the_least_says_so() {
    let policy = POLICY.replace("LAYOUT", "4g.24gb: 1");
    let (_folder, args) = files_of(&policy.replace("MEMBERS", ""));
    let policies = files::policies(&args.filenames[0]).unwrap();
    let hosts = cluster::read(&args.cluster.unwrap()).unwrap();
    let host = hosts.iter().find(|host| host.name == "n1").unwrap();
    let mut goal = plan::resolve::goal(&policies[0], &host.gpus, &BTreeSet::new()).unwrap();
    let told = |goal: &Goal| {
        let mut outcome = Outcome {
            text: String::new(),
            is_valid: true,
        };
        outcome.goal(goal, &host.gpus);
        outcome.text
    };
    let proved = told(&goal);
    goal.is_proved = false;
    let other = told(&goal);
    assert!(!proved.contains("perhaps"), "{proved}");
    assert!(
        other.contains("\n  perhaps more than had to be disturbed: "),
        "{other}"
    );
}

#[test]
fn what_is_odd_is_told_and_valid_all_the_same() {
    let policy = "
apiVersion: gpusharing.dev/v1alpha1
kind: GpuSharingPolicy
metadata: {name: odd}
spec:
  nodeSelector: {matchLabels: {pool: z}}
  strategy: {type: Exclusive}
  maintenance:
    maxUnavailable: 0
    windows: [{cron: 0 2 30 2 *, duration: 2h}]
";
    let (_folder, args) = files_of(policy);
    let outcome = run(&args).unwrap();
    assert!(outcome.is_valid);
    for part in [
        "policy odd: valid\n  warning: spec.maintenance.maxUnavailable: it is 0",
        "\n  warning: spec.maintenance.windows[0]: it never opens",
        "\nwarning: policy odd wins none of these nodes: compare its spec.nodeSelector",
    ] {
        assert!(outcome.text.contains(part), "{part} in {}", outcome.text);
    }
}

#[test]
fn nobody_leaves_for_what_is_there() {
    let outcome = planned("2g.12gb: 2", true).unwrap();
    assert!(
        outcome
            .text
            .contains("node n1 by policy inference: its GPUs stay as they are\n  mig: pods can have 2 nvidia.com/mig-2g.12gb; "),
        "{}",
        outcome.text
    );
}

#[test]
fn a_plan_says_how_often_slices_are_handed_out_and_under_which_name() {
    let text = |with: &str| {
        planned_with("2g.12gb: 2", &format!(", {with}"), true)
            .unwrap()
            .text
    };
    let by_profile = text("timeSlicing: {replicas: 2, perProfile: {2g.12gb: 3}}");
    let line = "  mig-time-slicing: pods can have 6 nvidia.com/mig-2g.12gb; at most 3 share a device\nnode n2";
    assert!(by_profile.contains(line), "{by_profile}");
    let single = text("advertise: Single, timeSlicing: {replicas: 2, renameByDefault: true}");
    let line = "  mig-time-slicing: pods can have 4 nvidia.com/gpu.shared; at most 2 share a device\n  \
                to be emptied: a/x has 2g.12gb at slice 2 of GPU 0 as nvidia.com/mig-2g.12gb, and would share it with \
                whoever gets it as nvidia.com/gpu.shared\n  must leave: a/x ";
    assert!(single.contains(line), "{single}");
}

#[test]
fn a_policy_that_no_hardware_can_have_is_not_valid() {
    let outcome = planned("2g.12gb: 1, 4g.24gb: 1", true).unwrap();
    assert!(
        outcome
            .text
            .contains("cannot be done\n  spec.strategy.mig.layout: GPU 0 (NVIDIA A30): "),
        "{}",
        outcome.text
    );
    assert!(!outcome.is_valid);
    let offline = planned("2g.12gb: 1, 4g.24gb: 1", false).unwrap();
    assert!(
        offline.is_valid,
        "without hardware it cannot be known: {}",
        offline.text
    );
}

#[test]
fn what_needs_no_hardware_is_found_offline() {
    let outcome = planned("3g.banana: 1", false).unwrap();
    assert!(
        outcome
            .text
            .starts_with("policy inference: NOT VALID\n  spec.strategy.mig.layout: "),
        "{}",
        outcome.text
    );
    assert!(!outcome.is_valid);
}

#[test]
fn a_file_that_cannot_be_read_says_which_and_why() {
    let error = planned("2g.12gb: [1]", false).unwrap_err().to_string();
    assert!(
        error.contains("cannot read GpuSharingPolicy \"inference\" in "),
        "{error}"
    );
    let missing = run(&PlanArgs {
        filenames: vec!["/nowhere/policy.yaml".into()],
        cluster: None,
    });
    let error = missing.unwrap_err().to_string();
    assert!(
        error.starts_with("cannot read /nowhere/policy.yaml: "),
        "{error}"
    );
}
