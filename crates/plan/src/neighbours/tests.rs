//! Nodes as these projects write them.

use serde_json::{Value, json};

use super::*;

fn neighbours(metadata: Value, allocatable: Value) -> Neighbours {
    let node = json!({"metadata": metadata, "status": {"allocatable": allocatable}});
    Neighbours::of(&serde_json::from_value(node).unwrap())
}

fn labelled(labels: Value) -> Neighbours {
    neighbours(json!({"labels": labels}), json!({}))
}

/// As the GPU operator (v26.7.0) labels a node with an A100, and its MIG Manager then.
fn under_mig_manager(deployed: &str, config: &str, state: &str) -> Neighbours {
    labelled(json!({
        "nvidia.com/gpu.present": "true",
        "nvidia.com/gpu.deploy.driver": "true",
        "nvidia.com/gpu.deploy.device-plugin": "true",
        "nvidia.com/gpu.deploy.mig-manager": deployed,
        "nvidia.com/mig.capable": "true",
        "nvidia.com/mig.strategy": "single",
        "nvidia.com/mig.config": config,
        "nvidia.com/mig.config.state": state,
    }))
}

#[test]
fn a_node_without_others_has_none() {
    let found =
        labelled(json!({"nvidia.com/gpu.present": "true", "nvidia.com/mig.capable": "true"}));
    assert_eq!(found, Neighbours::default());
    assert_eq!(found.objection(), None);
    assert_eq!(found.mig_objection(), None);
    assert_eq!(found.driver_upgrade(), None);
}

#[test]
fn mig_manager_acts_while_it_is_asked_for_a_layout_and_not_kept_away() {
    for (deployed, config, state, acts, busy) in [
        ("true", "all-disabled", "success", true, false),
        ("true", "all-balanced", "pending", true, true),
        ("true", "all-balanced", "rebooting", true, true),
        ("true", "all-balanced", "failed", true, false),
        // As the GPU operator labels nodes without a MIG Manager, and as one is left whose config label was taken away.
        ("true", "", "", false, false),
        ("true", "", "success", false, false),
        ("true", "", "pending", true, true),
        ("", "all-balanced", "", true, false),
        ("", "", "success", false, false),
        ("false", "all-balanced", "success", false, false),
        (
            "paused-for-driver-upgrade",
            "all-balanced",
            "success",
            false,
            false,
        ),
    ] {
        let found = under_mig_manager(deployed, config, state).mig_manager;
        let expected = match &found {
            MigManager::Acts { is_busy, .. } => (true, *is_busy),
            MigManager::Away | MigManager::KeptAway | MigManager::TakenOver { .. } => {
                (false, false)
            }
        };
        assert_eq!(expected, (acts, busy), "{deployed} {config} {state}");
        let is_kept = !deployed.is_empty() && deployed != "true";
        assert_eq!(found == MigManager::KeptAway, is_kept, "{deployed}");
    }
}

#[test]
fn the_evidence_names_the_labels_with_their_values() {
    let found = under_mig_manager("true", "all-disabled", "success");
    let problem = found.mig_objection().unwrap();
    assert_eq!(problem.reason, ProblemReason::ForeignManager);
    assert_eq!(problem.path, "spec.takeOver");
    for part in [
        "nvidia.com/gpu.deploy.mig-manager=true, nvidia.com/mig.config=all-disabled, nvidia.com/mig.config.state=success",
        "set spec.takeOver to true",
    ] {
        assert!(problem.message.contains(part), "{}", problem.message);
    }
}

#[test]
fn what_was_taken_is_remembered_and_whether_anybody_has_touched_it_since() {
    let taken = |before: &str, now: Option<&str>| {
        let labels = now.map(|now| json!({"nvidia.com/gpu.deploy.mig-manager": now}));
        let annotations = json!({"gpusharing.dev/mig-manager-before": before});
        neighbours(
            json!({"labels": labels, "annotations": annotations}),
            json!({}),
        )
        .mig_manager
    };
    for (before, now, was, is_intact) in [
        ("true", Some("false"), Some("true"), true),
        ("", Some("false"), None, true),
        ("true", Some("true"), Some("true"), false),
        ("true", None, Some("true"), false),
        // Somebody's word is the latest.
        ("", Some("true"), Some("true"), false),
    ] {
        let before_it = was.map(str::to_owned);
        let expected = MigManager::TakenOver {
            before: before_it,
            is_intact,
        };
        assert_eq!(taken(before, now), expected, "{before} {now:?}");
    }
}

#[test]
fn everybody_who_divides_gpus_is_named_with_what_shows_it() {
    let hami = json!({"annotations": {
        "hami.io/node-handshake": "Requesting_2026-05-14 07:07:33",
        "hami.io/node-nvidia-register": r#"[{"id":"GPU-1","count":10,"devmem":32768,"devcore":100,"type":"NVIDIA-Tesla V100-PCIE-32GB","health":true}]"#,
    }});
    let nos = json!({"labels": {"nos.nebuly.com/gpu-partitioning": "mig"}});
    let dra = json!({"labels": {"nvidia.com/gpu.deploy.dra-driver": "true"}});
    let bare = json!({});
    for (metadata, allocatable, expected) in [
        (
            &hami,
            json!({}),
            "HAMi hands out the GPUs of this node (annotation hami.io/node-nvidia-register)",
        ),
        (
            &nos,
            json!({}),
            "nos divides the GPUs of this node (label nos.nebuly.com/gpu-partitioning=mig)",
        ),
        (
            &bare,
            json!({"cpu": "8", "org.instaslice/mig-1g.5gb": "7"}),
            "(resource org.instaslice/mig-1g.5gb)",
        ),
        (
            &bare,
            json!({"cpu": "8", "mig.das.com/1g.5gb": "7"}),
            "(resource mig.das.com/1g.5gb)",
        ),
        (
            &dra,
            json!({}),
            "(label nvidia.com/gpu.deploy.dra-driver=true)",
        ),
    ] {
        let found = neighbours(metadata.clone(), allocatable);
        let problem = found.objection().unwrap_or_else(|| panic!("{expected}"));
        assert_eq!(problem.reason, ProblemReason::ForeignManager);
        assert!(problem.message.contains(expected), "{}", problem.message);
    }
}

#[test]
fn what_they_leave_behind_empty_is_nothing() {
    for metadata in [
        json!({"annotations": {"hami.io/node-nvidia-register": ""}}),
        json!({"annotations": {"hami.io/node-nvidia-register": "[]"}}),
        json!({"labels": {"nos.nebuly.com/gpu-partitioning": ""}}),
        json!({"labels": {"nvidia.com/gpu.deploy.dra-driver": "false"}}),
    ] {
        assert_eq!(
            neighbours(metadata.clone(), json!({})).manager,
            None,
            "{metadata}"
        );
    }
}

#[test]
fn a_resource_slice_of_nvidias_driver_is_told_unless_the_node_shows_somebody() {
    let with_slice = Neighbours::default().with_slice(Some("n1-gpu.nvidia.com-7x9"));
    let manager = with_slice.manager.unwrap();
    assert!(
        manager.contains("(ResourceSlice n1-gpu.nvidia.com-7x9)"),
        "{manager}"
    );
    let nos = labelled(json!({"nos.nebuly.com/gpu-partitioning": "mps"}));
    assert_eq!(nos.clone().with_slice(Some("slice")), nos);
    assert_eq!(
        Neighbours::default().with_slice(None),
        Neighbours::default()
    );
}

#[test]
fn a_driver_upgrade_is_waited_for_until_it_is_done_and_a_failed_one_is_told() {
    let states = [
        "upgrade-required",
        "cordon-required",
        "wait-for-jobs-required",
        "pod-deletion-required",
        "drain-required",
        "node-maintenance-required",
        "post-maintenance-required",
        "pod-restart-required",
        "validation-required",
        "uncordon-required",
    ];
    let told = |state: &str| labelled(json!({LABEL_DRIVER_UPGRADE: state})).driver_upgrade();
    for state in states {
        let told = told(state).unwrap_or_default();
        assert!(
            told.starts_with("NVIDIA's driver upgrade on this node to end"),
            "{told}"
        );
        assert!(told.contains(state), "{told}");
    }
    let failed = told("upgrade-failed").unwrap_or_default();
    assert!(
        failed.starts_with("somebody to see to NVIDIA's driver upgrade"),
        "{failed}"
    );
    assert_eq!((told(""), told("upgrade-done")), (None, None));
}

#[test]
fn clients_run_and_are_paused_by_their_labels_and_nobody_elses_pause_is_ours() {
    let clients = labelled(json!({
        "nvidia.com/gpu.deploy.device-plugin": "true",
        "nvidia.com/gpu.deploy.dcgm-exporter": "paused-for-gpu-sharing",
        "nvidia.com/gpu.deploy.gpu-feature-discovery": "paused-for-mig-change",
        "nvidia.com/gpu.deploy.dcgm": "false",
        "nvidia.com/gpu.deploy.container-toolkit": "true",
    }))
    .clients;
    let running: Vec<_> = clients.running.iter().map(String::as_str).collect();
    let paused: Vec<_> = clients.paused.iter().map(String::as_str).collect();
    assert_eq!(running, ["nvidia.com/gpu.deploy.device-plugin"]);
    assert_eq!(paused, ["nvidia.com/gpu.deploy.dcgm-exporter"]);
}

#[test]
fn a_pod_is_one_of_a_client_by_its_node_selector() {
    let pod = json!({"spec": {"containers": [], "nodeSelector": {
        "nvidia.com/gpu.deploy.dcgm": "true", "nvidia.com/gpu.deploy.driver": "true", "pool": "a",
    }}});
    let labels = labels_of(&serde_json::from_value(pod).unwrap());
    assert_eq!(Vec::from_iter(labels), ["nvidia.com/gpu.deploy.dcgm"]);
}

/// As the device plugin's chart (v0.20.0) and the GPU operator (v26.7.0) make it.
#[test]
fn nvidias_own_mps_daemon_is_known_by_its_program() {
    let is_one = |command: Value| {
        let manager = json!({"name": "config-manager", "command": ["config-manager"]});
        let daemon = json!({"name": "mps-control-daemon-ctr", "command": command});
        let pod = json!({"metadata": {}, "spec": {"containers": [manager, daemon]}});
        is_mps_daemon(&serde_json::from_value(pod).unwrap())
    };
    assert!(is_one(json!(["mps-control-daemon"])));
    assert!(is_one(json!(["/usr/bin/mps-control-daemon", "run"])));
    assert!(!is_one(json!(["nvidia-device-plugin"])));
    assert!(!is_one(json!(["sh", "-c", "mps-control-daemon"])));
    assert!(!is_one(json!(null)));
}
