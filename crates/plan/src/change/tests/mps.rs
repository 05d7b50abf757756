//! The MPS daemon of a node: when it has to be started anew, and whom that disturbs.

use crds::gpu_node::{ChangeClass, GpuStatus, MigMode, MpsTarget, SharingTarget, Target};
use crds::policy::StrategyType;

use super::{gpu, holder, slices, whole};
use crate::change::{between, differences, is_reached};

fn clients(replicas: i32, percentage: i32, mib: i64) -> SharingTarget {
    SharingTarget {
        r#type: StrategyType::Mps,
        replicas,
        per_profile: [].into(),
        mps: Some(MpsTarget {
            active_thread_percentage: percentage,
            memory_limit_mib: Some(mib),
        }),
    }
}

fn served(sharing: &SharingTarget) -> GpuStatus {
    let mut gpu = gpu(MigMode::Disabled, &[]);
    gpu.mps = Some(sharing.clone());
    gpu
}

fn wanted(sharing: &SharingTarget) -> Target {
    let mut target = whole(1);
    target.gpus[0].sharing = sharing.clone();
    target
}

#[test]
fn to_start_to_stop_and_to_change_the_daemon_takes_whole_gpus() {
    let four = clients(4, 25, 10_240);
    let plain = gpu(MigMode::Disabled, &[]);
    let in_words = "whole, 4 MPS clients of 25 % and 10240 MiB";
    for (now, target, before, after, differs) in [
        (
            plain,
            wanted(&four),
            "whole",
            in_words,
            "MPS does not serve it, and should: 4 MPS clients of 25 % and 10240 MiB",
        ),
        (
            served(&four),
            whole(1),
            in_words,
            "whole",
            "MPS serves it, and should not: 4 MPS clients of 25 % and 10240 MiB",
        ),
        (
            served(&four),
            wanted(&clients(4, 25, 8_192)),
            in_words,
            "whole, 4 MPS clients of 25 % and 8192 MiB",
            "MPS serves 4 MPS clients of 25 % and 10240 MiB, and should serve 4 MPS clients of 25 % and 8192 MiB",
        ),
        (
            served(&four),
            wanted(&clients(4, 50, 10_240)),
            in_words,
            "whole, 4 MPS clients of 50 % and 10240 MiB",
            "MPS serves 4 MPS clients of 25 % and 10240 MiB, and should serve 4 MPS clients of 50 % and 10240 MiB",
        ),
        (
            served(&four),
            wanted(&clients(3, 25, 10_240)),
            in_words,
            "whole, 3 MPS clients of 25 % and 10240 MiB",
            "MPS serves 4 MPS clients of 25 % and 10240 MiB, and should serve 3 MPS clients of 25 % and 10240 MiB",
        ),
    ] {
        let mut now = now;
        now.holders = vec![holder("x", "main", "GPU-a")];
        let now = [now];
        let change = between(&now, &target);
        assert_eq!(change.class, ChangeClass::Gpus, "{after}");
        assert!(change.affected.contains("GPU-a"), "{after}");
        let told = &change.gpus[0];
        assert_eq!((told.before.as_str(), told.after.as_str()), (before, after));
        let found = is_reached(&now, &target).unwrap_err();
        assert_eq!(found, format!("GPU 0 (GPU-a): {differs}"));
    }
}

#[test]
fn a_daemon_that_serves_as_it_should_is_left_alone() {
    let four = clients(4, 25, 10_240);
    let change = between(&[served(&four)], &wanted(&four));
    assert_eq!((change.class, change.gpus.len()), (ChangeClass::None, 0));
    assert_eq!(is_reached(&[served(&four)], &wanted(&four)), Ok(()));
}

#[test]
fn a_gpu_with_slices_loses_them_before_mps_serves_it() {
    let seven = super::seven();
    let change = between(std::slice::from_ref(&seven), &wanted(&clients(2, 50, 100)));
    let numbers = [change.gpus[0].destroyed, change.gpus[0].created];
    assert_eq!((change.class, numbers), (ChangeClass::Gpus, [7, 0]));
    assert_eq!(change.affected.len(), 8, "the GPU and each slice");
    // And the other way round.
    let back = between(&[served(&clients(2, 50, 100))], &slices(&[("1g.5gb", 0)]));
    assert_eq!(back.class, ChangeClass::Gpus);
}

/// One daemon: what one GPU gets anew, all others are emptied for.
#[test]
fn another_limit_of_one_gpu_empties_all_that_the_daemon_serves() {
    let four = clients(4, 25, 10_240);
    let named = |uuid: &str, mut gpu: GpuStatus| {
        gpu.uuid = uuid.to_owned();
        gpu
    };
    let gpus = [
        named("GPU-a", served(&four)),
        named("GPU-b", served(&four)),
        named("GPU-c", gpu(MigMode::Disabled, &[])),
    ];
    let mut target = wanted(&four);
    for (uuid, sharing) in [
        ("GPU-b", clients(4, 25, 5_000)),
        ("GPU-c", SharingTarget::exclusive()),
    ] {
        let mut gpu = target.gpus[0].clone();
        (gpu.uuid, gpu.sharing) = (uuid.to_owned(), sharing);
        target.gpus.push(gpu);
    }
    let change = between(&gpus, &target);
    let affected: Vec<_> = change.affected.iter().map(String::as_str).collect();
    assert_eq!(affected, ["GPU-a", "GPU-b"]);
    assert_eq!(differences(&gpus, &target).len(), 1);
    // A GPU that is gone does not make the daemon start anew.
    target.gpus[1].sharing = four;
    target.gpus[2].uuid = "GPU-gone".to_owned();
    assert_eq!(between(&gpus[..2], &target).class, ChangeClass::None);
}
