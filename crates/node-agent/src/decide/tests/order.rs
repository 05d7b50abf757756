//! The agent takes its steps in the order that the planner says, and nothing besides.

use std::collections::BTreeMap;

use crds::gpu_node::{GpuStatus, MigInstance, PlacedProfile, Target};
use plan::layout::{Existing, Layout, Occupancy, Step as Planned, search};
use proptest::prelude::*;

use super::machine::{begin, gpu, places, run};
use crate::decide::Step;
use crate::journal::Stage;
use crate::world::{World, a100, target};

/// What the planner knows of an instance; those of others may not go.
fn existing(instance: &MigInstance) -> Existing {
    let occupancy = if instance.owned {
        Occupancy::Free
    } else {
        Occupancy::Unmovable("somebody else's".to_owned())
    };
    Existing {
        profile: instance.profile.clone(),
        start: instance.start,
        size: instance.size,
        whole: instance.uuid.is_some(),
        occupancy,
    }
}

/// The layout that the planner makes of these wishes, if there is one.
fn planned(gpu: &GpuStatus, wishes: &[PlacedProfile]) -> Option<Layout> {
    let mut wanted = BTreeMap::new();
    for wish in wishes {
        *wanted.entry(wish.profile.clone()).or_insert(0) += 1;
    }
    let existing: Vec<_> = gpu.instances.iter().map(existing).collect();
    search(&gpu.profiles, &existing, &wanted).ok()
}

/// A target of this layout, with MIG mode as it is.
fn towards(layout: &Layout) -> Target {
    let mut target = target("G", &[]);
    target.gpus[0].mig.enabled = true;
    target.gpus[0].mig.instances.clone_from(&layout.instances);
    target
}

/// The planner's steps as the agent's: each is two, one for the GPU instance and one for what fills it.
fn halves(step: Planned, gpu: &GpuStatus) -> [Step; 2] {
    let uuid = gpu.uuid.clone();
    match step {
        Planned::Destroy(at) => {
            let mut instances = gpu.instances.iter();
            let there = instances.find(|it| it.start == at.start).unwrap();
            let destroyed = Step::DestroyDevice {
                gpu: uuid.clone(),
                at: at.clone(),
                device: there.uuid.clone().unwrap(),
            };
            [destroyed, Step::DestroyInstance { gpu: uuid, at }]
        }
        Planned::Create(at) => {
            let (gpu, place) = (uuid.clone(), at.clone());
            let created = Step::CreateInstance { gpu, at: place };
            [created, Step::CreateDevice { gpu: uuid, at }]
        }
    }
}

/// MIG mode is on, and no instance of ours is half made: such go first, of which the planner knows nothing.
fn in_order(mut gpu: GpuStatus) -> GpuStatus {
    gpu.mig = a100("G").mig;
    for instance in gpu.instances.iter_mut().filter(|it| it.owned) {
        instance.uuid = Some(format!("MIG-G-{}", instance.start));
    }
    gpu
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_agent_takes_the_steps_of_the_plan_in_their_order(
        gpu in gpu().prop_map(in_order), wishes in places(),
    ) {
        let layout = planned(&gpu, &wishes);
        prop_assume!(layout.is_some());
        let layout = layout.unwrap();
        let mut world = World::new(vec![gpu.clone()]);
        let mut task = begin(&gpu, &towards(&layout));
        run(&mut world, &mut task);
        prop_assert_eq!(&task.stage, &Stage::Done);
        let steps = layout.steps().into_iter().flat_map(|step| halves(step, &gpu));
        prop_assert_eq!(world.taken, steps.collect::<Vec<_>>());
    }
}
