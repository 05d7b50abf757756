//! The flags of all parts together, as a binary flattens them.

use std::time::Duration;

use clap::{CommandFactory, Parser};
use process::admin::AdminArgs;
use process::kubernetes::KubeArgs;
use process::lease::LeaseArgs;
use process::logs::{Format, LogArgs};

#[derive(Debug, Parser)]
struct Flags {
    #[command(flatten)]
    logs: LogArgs,
    #[command(flatten)]
    admin: AdminArgs,
    #[command(flatten)]
    kube: KubeArgs,
    #[command(flatten)]
    lease: LeaseArgs,
}

#[test]
fn the_flags_are_consistent() {
    Flags::command().debug_assert();
}

#[test]
fn each_flag_reaches_its_field() {
    let flags = Flags::parse_from([
        "tester",
        "--log-level=warn,kube=debug",
        "--log-format=json",
        "--admin-address=127.0.0.1:0",
        "--admin-port-file=/tmp/port",
        "--kubeconfig=/tmp/kubeconfig",
        "--lease-duration=1m30s",
        "--pod-name=pod-0",
    ]);
    assert_eq!(flags.logs.log_format, Format::Json);
    assert_eq!(flags.admin.admin_address.port(), 0);
    assert_eq!(flags.admin.admin_port_file, Some("/tmp/port".into()));
    assert_eq!(flags.kube.kubeconfig, Some("/tmp/kubeconfig".into()));
    assert_eq!(flags.lease.lease_duration, Duration::from_secs(90));
    let config = flags.lease.config("tester").unwrap();
    assert_eq!(config.timing.renew_deadline, Duration::from_secs(10));
    assert_eq!(config.timing.retry_period, Duration::from_secs(2));
}

#[test]
fn a_bad_value_is_refused_with_its_flag_and_an_example() {
    for (flag, hint) in [
        ("--lease-duration=15", "15s"),
        ("--retry-period=0s", "15s"),
        ("--log-level=kube=loud", "kube"),
        ("--admin-address=8080", "address"),
    ] {
        let message = Flags::try_parse_from(["tester", flag])
            .unwrap_err()
            .to_string();
        let name = flag.split('=').next().unwrap();
        assert!(
            message.contains(name) && message.contains(hint),
            "{message}"
        );
    }
}
