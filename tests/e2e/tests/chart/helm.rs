//! The charts as helm sees them.

use std::fs;

use serde_json::Value;

use crate::command::{dry_run, helm, template};
use crate::{installed, repository};

const CHARTS: [&str; 2] = ["charts/gpu-sharing-crds", "charts/gpu-sharing-operator"];

#[test]
fn helm_finds_no_fault_with_the_charts() {
    for chart in CHARTS {
        helm(&["lint", "--strict", chart]).expect_success(chart);
    }
}

#[test]
fn the_charts_have_the_version_of_the_programs() {
    for chart in CHARTS {
        let text = fs::read_to_string(repository(chart).join("Chart.yaml")).unwrap();
        let chart: Value = serde_saphyr::from_str(&text).unwrap();
        let expected = env!("CARGO_PKG_VERSION");
        assert_eq!(
            [&chart["version"], &chart["appVersion"]],
            [expected, expected],
            "{chart}"
        );
    }
}

#[test]
fn a_value_that_is_wrong_is_refused_by_name() {
    assert!(template(&["--set", "operator.replicas=2"]).succeeded);
    for (value, named) in [
        ("operator.replica=2", "replica"),
        ("replicas=2", "replicas"),
        ("operator.replicas=two", "replicas"),
        ("operator.replicas=-1", "replicas"),
        ("operator.podDisruptionBudget=true", "replicas"),
        ("operator.allowForce=maybe", "allowForce"),
        ("operator.resources.request.cpu=1", "request"),
        ("operator.tolerations[0].operator=Sometimes", "tolerations"),
        ("image.pullPolicy=Sometimes", "pullPolicy"),
        ("image.repository=", "repository"),
        ("image.tag=a b", "tag"),
        ("imagePullSecrets[0].name=a", "imagePullSecrets"),
        ("log.format=xml", "format"),
        ("log.level=", "level"),
        ("devicePlugin.namespace=GPU", "namespace"),
        ("devicePlugin.configMap=null", "configMap"),
        ("devicePlugin.configDelay=90", "configDelay"),
        ("devicePlugin.restart=maybe", "restart"),
        ("agent.nodeSelector.gpu=true", "nodeSelector"),
        ("agent.driver.root=driver", "root"),
        ("agent.kubeletRoot=", "kubeletRoot"),
        ("agent.nvml=/lib", "nvml"),
    ] {
        let said = template(&["--set", value]);
        assert!(
            !said.succeeded && said.errors.contains(named),
            "{value}: {}",
            said.errors
        );
    }
}

#[test]
fn the_right_to_delete_pods_comes_with_the_flags_that_use_it_or_not_at_all() {
    for (force, refresh, restart, roles) in [
        ("true", "app=exporter", "true", 2),
        ("true", "app=exporter", "false", 2),
        ("true", "none", "true", 2),
        ("true", "none", "false", 1),
        ("false", "app=exporter", "false", 1),
        ("false", "none", "true", 1),
        ("false", "none", "false", 0),
    ] {
        let force = format!("operator.allowForce={force}");
        let labels = format!("devicePlugin.refresh={{{refresh}}}");
        let restart = format!("devicePlugin.restart={restart}");
        let set = ["--set", &force, "--set", &labels, "--set", &restart];
        let rendered = template(&set).expect_success(&labels);
        let rules = rendered.matches("resources: [pods]\n  verbs: [delete]");
        assert_eq!(
            rules.count(),
            roles,
            "{force} {labels} {restart}: {rendered}"
        );
        let force = force.replace("operator.allowForce", "--allow-force");
        let restart = restart.replace("devicePlugin.restart", "--restart-device-plugin");
        let refresh = format!("--refresh-selector={refresh}");
        let flags = [&force, &refresh, &restart];
        assert!(
            flags.iter().all(|flag| rendered.contains(*flag)),
            "{rendered}"
        );
    }
}

/// The MPS daemon and its servers are processes of the agent's container.
#[test]
fn an_agent_that_may_run_the_mps_daemon_has_memory_for_it_without_a_further_word() {
    for (value, memory) in [
        ("agent.mps.enabled=false", "128Mi"),
        ("agent.mps.enabled=true", "1Gi"),
    ] {
        let only = ["--show-only", "templates/agent/daemonset.yaml"];
        let rendered = template(&[&["--set", value], &only[..]].concat()).expect_success(value);
        let agent: Value = serde_saphyr::from_str(&rendered).unwrap();
        let container = &agent["spec"]["template"]["spec"]["containers"][0];
        let limits = &container["resources"]["limits"];
        assert_eq!(limits["memory"], memory, "{value}");
    }
}

#[test]
fn every_value_is_described() {
    let text = fs::read_to_string(repository(CHARTS[1]).join("values.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let mut silent = Vec::new();
    undescribed(&schema["properties"], "", &mut silent);
    assert_eq!(silent, Vec::<String>::new());
}

/// The properties, by path, with neither a description nor a definition that has one.
fn undescribed(properties: &Value, path: &str, silent: &mut Vec<String>) {
    for (name, property) in properties.as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        if property
            .get("description")
            .or(property.get("$ref"))
            .is_none()
        {
            silent.push(path.clone());
        }
        undescribed(&property["properties"], &path, silent);
    }
}

#[tokio::test]
async fn the_api_server_accepts_what_helm_renders_from_any_values() {
    let (bed, _) = installed().await;
    for (values, expected) in [
        ("everything.yaml", "poddisruptionbudget"),
        ("nothing.yaml", "daemonset"),
    ] {
        let file = repository("tests/e2e/tests/chart/values").join(values);
        let file = file.display().to_string();
        let rendered = template(&["--values", &file]).expect_success(values);
        let said = dry_run(&bed, &rendered).expect_success(values);
        assert!(said.contains(expected), "{values}: {said}");
    }
}
