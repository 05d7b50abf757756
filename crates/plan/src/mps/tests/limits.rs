//! What clients may use.

use crds::gpu_node::{GpuStatus, MigMode, MigModeStatus};
use proptest::prelude::*;

use super::super::{Limits, Refusal, Settings, limits};

fn gpu(index: i32, memory_mib: i64, capability: &str) -> GpuStatus {
    GpuStatus {
        index,
        uuid: format!("GPU-{index}"),
        product: "NVIDIA T4".to_owned(),
        memory_mib,
        compute_capability: Some(capability.to_owned()),
        mig: MigModeStatus {
            current: MigMode::NotSupported,
            pending: MigMode::NotSupported,
        },
        instances: Vec::new(),
        profiles: Vec::new(),
        compute_mode: None,
        mps: None,
        holders: Vec::new(),
        processes: Vec::new(),
    }
}

fn replicas(replicas: i32) -> Settings {
    Settings {
        replicas,
        active_thread_percentage: None,
        memory_limit_mib: None,
        allow_memory_oversubscription: false,
    }
}

#[test]
fn by_default_clients_share_threads_and_memory_evenly_and_the_rest_is_lost() {
    for (memory, share_of, percentage, mib) in [
        (40_960, 4, 25, 10_240),
        (40_960, 3, 33, 13_653),
        (15_360, 7, 14, 2_194),
        (81_920, 48, 2, 1_706),
        (100, 1, 100, 100),
    ] {
        let told = limits(&[gpu(2, memory, "8.0")], &replicas(share_of)).unwrap();
        let memory_mib = [(2, mib)].into();
        let expected = Limits {
            active_thread_percentage: percentage,
            memory_mib,
        };
        assert_eq!(told, expected, "{memory} MiB for {share_of}");
    }
}

#[test]
fn what_is_said_counts_more_than_the_share() {
    let settings = Settings {
        active_thread_percentage: Some(60),
        memory_limit_mib: Some(512),
        ..replicas(4)
    };
    let told = limits(&[gpu(0, 40_960, "8.0"), gpu(1, 15_360, "7.5")], &settings).unwrap();
    assert_eq!(told.active_thread_percentage, 60);
    assert_eq!(told.memory_mib, [(0, 512), (1, 512)].into());
}

#[test]
fn a_gpu_that_does_not_report_its_memory_has_no_limit_of_memory() {
    let told = limits(&[gpu(0, 0, "12.1"), gpu(1, 1_000, "12.1")], &replicas(2)).unwrap();
    assert_eq!(told.memory_mib, [(1, 500)].into());
}

#[test]
fn old_hardware_serves_sixteen_clients_and_new_hardware_forty_eight() {
    for (capability, most) in [
        (Some("7.0"), 16),
        (Some("7.4"), 16),
        (Some("7.5"), 48),
        (Some("8.0"), 48),
        (Some("12.0"), 48),
        (Some("6.10"), 16),
        (Some("nine"), 16),
        (None, 16),
    ] {
        let mut gpu = gpu(0, 40_960, "");
        gpu.compute_capability = capability.map(str::to_owned);
        let gpus = [gpu];
        assert!(limits(&gpus, &replicas(most)).is_ok(), "{capability:?}");
        let (index, replicas_asked) = (0, most + 1);
        let refusal = Refusal::TooManyReplicas {
            index,
            replicas: replicas_asked,
            most,
        };
        let refused = limits(&gpus, &replicas(replicas_asked));
        assert_eq!(refused, Err(vec![refusal]), "{capability:?}");
    }
}

#[test]
fn memory_is_given_twice_only_where_that_is_allowed() {
    let gpus = [gpu(0, 40_960, "8.0"), gpu(1, 20_480, "8.0")];
    let mut settings = Settings {
        memory_limit_mib: Some(8_192),
        ..replicas(3)
    };
    let refusal = Refusal::TooMuchMemory {
        index: 1,
        asked: 24_576,
        memory: 20_480,
    };
    assert_eq!(limits(&gpus, &settings), Err(vec![refusal]));
    settings.allow_memory_oversubscription = true;
    assert_eq!(limits(&gpus, &settings).unwrap().memory_mib[&1], 8_192);
}

#[test]
fn a_client_gets_some_memory_or_is_refused() {
    let refused = limits(&[gpu(0, 3, "8.0")], &replicas(4));
    assert_eq!(refused, Err(vec![Refusal::NoMemory { index: 0 }]));
}

#[test]
fn a_sliced_gpu_is_refused_also_while_its_mode_is_pending() {
    use MigMode::{Disabled, Enabled};
    for (current, pending) in [(Enabled, Enabled), (Disabled, Enabled), (Enabled, Disabled)] {
        let mut gpu = gpu(5, 40_960, "8.0");
        gpu.mig = MigModeStatus { current, pending };
        let refused = limits(&[gpu], &replicas(2));
        assert_eq!(refused, Err(vec![Refusal::Mig { index: 5 }]));
    }
}

proptest! {
    #[test]
    fn even_shares_never_exceed_a_gpu_and_waste_less_than_one_client_has(
        memory in 48_i64..300_000, clients in 1_i32..=48
    ) {
        let told = limits(&[gpu(0, memory, "9.0")], &replicas(clients)).unwrap();
        let count = i64::from(clients);
        prop_assert!(told.memory_mib[&0] * count <= memory);
        prop_assert!((told.memory_mib[&0] + 1) * count > memory);
        prop_assert!((1..=100).contains(&told.active_thread_percentage));
        prop_assert!(told.active_thread_percentage * clients <= 100);
    }
}
