//! What is said of GPUs that somebody else has changed.

use crds::GpuNodeSpec;
use crds::gpu_node::{AgentStage, MigMode, OperationStage, PolicyReference};

use super::bed::{Bed, halves};
use crate::world::at;

/// Whether a condition holds, its reason and its message.
fn condition(bed: &Bed, kind: &str) -> (bool, String, String) {
    let conditions = bed.said().conditions;
    let found = conditions.into_iter().find(|it| it.type_ == kind).unwrap();
    (found.status == "True", found.reason, found.message)
}

#[tokio::test]
async fn drift_and_instances_of_others_are_told_and_only_an_operation_changes_anything() {
    let mut bed = Bed::new().await;
    bed.ask(OperationStage::Proceed, halves());
    bed.settle().await;
    assert_eq!(bed.stage(), AgentStage::Done);
    for kind in ["Drifted", "ForeignInstances"] {
        assert!(!condition(&bed, kind).0, "{kind}");
    }
    let taken = bed.taken();
    {
        let mut world = bed.shared.world();
        let gpu = &mut world.gpus[0];
        gpu.instances.remove(0);
        let divided = at(gpu, 4);
        divided.uuid = None;
        divided.parts = vec!["MIG-a".to_owned()];
    }
    bed.settle().await;
    let (drifted, reason, message) = condition(&bed, "Drifted");
    assert_eq!((drifted, reason.as_str()), (true, "Differs"));
    assert_eq!(
        message,
        "GPU 0 (G): 3g.20gb at slice 0 is missing; GPU 0 (G): 3g.20gb at slice 4 has no whole compute instance"
    );
    let (foreign, _, message) = condition(&bed, "ForeignInstances");
    assert!(
        foreign && message.contains("3g.20gb at slice 4 of GPU 0 (divided: MIG-a)"),
        "{message}"
    );
    assert_eq!(bed.taken(), taken);
}

#[tokio::test]
async fn a_mode_that_somebody_left_pending_is_told_and_left_until_an_operation() {
    let mut bed = Bed::new().await;
    bed.shared.world().gpus[0].mig.pending = MigMode::Disabled;
    bed.settle().await;
    let (settled, reason, _) = condition(&bed, "ModesSettled");
    assert_eq!((settled, reason.as_str()), (false, "ModePending"));
    assert_eq!(bed.taken(), 0);
    bed.ask(OperationStage::Proceed, halves());
    bed.settle().await;
    assert_eq!(bed.stage(), AgentStage::Done);
    assert!(condition(&bed, "ModesSettled").0);
}

#[tokio::test]
async fn conditions_are_about_the_generation_that_was_heard_and_a_new_one_is_told_once() {
    let mut bed = Bed::new().await;
    bed.api.writes();
    let another = GpuNodeSpec {
        policy: Some(PolicyReference {
            name: "p".to_owned(),
            uid: "u".to_owned(),
            generation: 2,
        }),
        ..GpuNodeSpec::default()
    };
    for (spec, generation, writes) in [
        (GpuNodeSpec::default(), 1, 0),
        (another.clone(), 2, 1),
        (another, 2, 0),
    ] {
        bed.api.set_spec(&spec);
        bed.hear();
        bed.settle().await;
        let told = bed.said().conditions;
        let generations: Vec<_> = told.iter().map(|it| it.observed_generation).collect();
        assert_eq!(generations, vec![Some(generation); told.len()]);
        assert_eq!(bed.api.writes().len(), writes, "generation {generation}");
    }
}
