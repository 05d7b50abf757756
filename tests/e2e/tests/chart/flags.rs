//! The command lines in the charts are ones that the programs understand.

use std::path::PathBuf;
use std::process::Command;

use e2e::NAMESPACE;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use kube::Api;

use crate::command::Said;
use crate::installed;

/// One of our programs: cargo puts it above the folder with the tests.
fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join(name)
}

/// Asserts that each flag of the pod's first container is in the program's help.
fn understands(template: PodTemplateSpec) {
    let mut containers = template.spec.unwrap().containers;
    let command = containers.remove(0).command.unwrap();
    let (name, flags) = command.split_first().unwrap();
    let help = Command::new(program(name)).arg("--help").output().unwrap();
    let help = Said::from(help).expect_success(name);
    for flag in flags {
        let (flag, _) = flag.split_once('=').unwrap();
        assert!(
            help.contains(&format!("{flag} <")),
            "{name} has no {flag}: {help}"
        );
    }
}

#[tokio::test]
async fn the_operator_understands_its_command_line() {
    let (_bed, client) = installed().await;
    let deployments: Api<Deployment> = Api::namespaced(client, NAMESPACE);
    let operator = deployments.get("gpu-sharing-operator").await.unwrap();
    understands(operator.spec.unwrap().template);
}

#[tokio::test]
async fn the_agent_understands_its_command_line() {
    let (_bed, client) = installed().await;
    let sets: Api<DaemonSet> = Api::namespaced(client, NAMESPACE);
    let agent = sets.get("gpu-sharing-agent").await.unwrap();
    understands(agent.spec.unwrap().template);
}
