//! Instances that others have made: taken over or away only where they are adopted, and given back as well as can be.

use crds::gpu_node::Target;
use nvml_sim::SimulatedNode;

use super::{A100, Bed, fault, on_a_node, stage};
use crate::journal::{Record, Stage};

/// A target that adopts, for a GPU on which somebody has divided `3g.20gb` at slice 4.
fn adopting(bed: &Bed<'_>, places: &[(&str, i32)]) -> Target {
    let mut target = bed.target(places);
    target.adopt = true;
    target
}

fn divide(node: &SimulatedNode) -> Vec<String> {
    node.set_mig_mode(0, true).unwrap();
    node.create_divided(0, "3g.20gb", Some(4), &[2, 1]).unwrap()
}

fn error(record: &Record) -> &str {
    match stage(record) {
        Stage::RolledBack { error } => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_divided_instance_is_left_beside_what_is_made_unless_it_is_adopted() {
    on_a_node(A100, async |node| {
        let bed = Bed { node };
        let theirs = divide(node);
        let record = bed.operate(&bed.target(&[("1g.5gb", 0)])).await;
        assert_eq!(*stage(&record), Stage::Done);
        let seen = bed.look(&bed.engine()).await;
        let found = &seen.gpus[0].instances[1];
        assert_eq!((&found.parts, found.owned), (&theirs, false));
        let record = bed.operate(&adopting(&bed, &[("1g.5gb", 0)])).await;
        assert_eq!(*stage(&record), Stage::Done);
        assert_eq!(bed.slices(), [("1g.5gb".to_owned(), 0)]);
        assert_eq!(record.made.len(), 1);
    });
}

#[test]
fn a_divided_instance_that_went_comes_back_as_one_device_of_ours_although_the_agent_dies() {
    on_a_node(A100, async |node| {
        let bed = Bed { node };
        // Destroyed with one half of it left, wholly, and with its place taken.
        for (function, nth) in [
            ("nvmlComputeInstanceDestroy", 2),
            ("nvmlGpuInstanceDestroy", 1),
            ("nvmlDeviceCreateGpuInstanceWithPlacement", 1),
            ("nvmlGpuInstanceCreateComputeInstance", 1),
        ] {
            for dies in [false, true] {
                let theirs = divide(node);
                let mut engine = bed.engine();
                let target = adopting(&bed, &[("7g.40gb", 0)]);
                bed.begin(&mut engine, &target).await;
                node.inject(fault(function, nth)).unwrap();
                let record = bed.finish(engine, || dies).await;
                let seen = bed.look(&bed.engine()).await;
                let [found] = &*seen.gpus[0].instances else {
                    panic!("{function}: {:?}", seen.gpus[0].instances);
                };
                let place = (&*found.profile, found.start);
                assert_eq!(place, ("3g.20gb", 4), "{function}");
                // One part that is left is theirs still.
                let is_half = function == "nvmlComputeInstanceDestroy";
                let is_whole = found.owned && found.uuid.is_some();
                assert_eq!(is_whole, !is_half, "{function}");
                let error = error(&record);
                let gone = theirs.iter().filter(|part| !found.parts.contains(part));
                let gone = gone.cloned().collect::<Vec<_>>().join(", ");
                let told = if is_half {
                    format!("3g.20gb at slice 4 is somebody else's, and {gone} in it is gone")
                } else {
                    format!("somebody else had made with {gone} in it, is one device now")
                };
                assert!(error.ends_with(&told), "{function}: {error}");
                assert_eq!(found.parts.len(), usize::from(is_half), "{function}");
                bed.operate(&adopting(&bed, &[])).await;
            }
        }
    });
}
