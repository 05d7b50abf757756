//! The engine on simulated GPUs, and on a new agent after each step.

mod foreign;
mod modes;
mod own_process;

use crds::gpu_node::{GpuStatus, Target};
use gpu::{Nvml, ResetCommand};
use nvml_sim::SimulatedNode;
use nvml_sim::state::{Fault, Until, When};
use process::admin::Liveness;
use prometheus_client::registry::Registry;

use super::{Engine, Progress};
use crate::driver::Gpus;
use crate::journal::{Journal, Record, Stage};
use crate::metrics::Metrics;
use crate::mps::Mps;
use crate::observation::{Observation, boot_id};
use crate::world;
use own_process::on_a_node;

const A100: &[&str] = &["A100-SXM4-40GB"];
const MOVES: usize = 100;
const SMALL: [(&str, i32); 7] = [
    ("1g.5gb", 0),
    ("1g.5gb", 1),
    ("1g.5gb", 2),
    ("1g.5gb", 3),
    ("1g.5gb", 4),
    ("1g.5gb", 5),
    ("1g.5gb", 6),
];
const MIXED: [(&str, i32); 4] = [("1g.5gb", 0), ("1g.5gb", 1), ("2g.10gb", 2), ("3g.20gb", 4)];

/// A node with the folder of its journal. What it knows besides is on the disk.
struct Bed<'a> {
    node: &'a SimulatedNode,
}

impl Bed<'_> {
    /// An agent that has just been started.
    fn engine(&self) -> Engine {
        let folder = self.node.path().parent().unwrap();
        let library = nvml_sim::install(folder).unwrap();
        let reset = ResetCommand::new(folder.join("nvidia-smi"));
        let load = Box::new(move || {
            let driver = Nvml::load(&library)?.with_reset(reset.clone());
            Ok(Box::new(driver) as Box<dyn gpu::Driver>)
        });
        let gpus = Gpus::start(load, Liveness::new(std::time::Duration::MAX)).unwrap();
        let journal = Journal::open(&folder.join("journal")).unwrap();
        let metrics = Metrics::register(&mut Registry::default());
        Engine::new(gpus, journal, Mps::none(), metrics)
    }

    async fn look(&self, engine: &Engine) -> Observation {
        let inventory = engine.gpus.inventory().await.unwrap();
        let boot_id = boot_id(&self.node.boot_id_path()).unwrap();
        Observation::new(boot_id, inventory, &[], None, Some(engine.record()))
    }

    /// An operation up to the point of no return.
    async fn begin(&self, engine: &mut Engine, target: &Target) {
        let seen = self.look(engine).await;
        engine.intend(7, target, &seen).unwrap();
        engine.confirm().unwrap();
    }

    /// Goes on until the operation is over. `crash` is asked before each move whether the agent dies there.
    async fn finish(&self, mut engine: Engine, mut crash: impl FnMut() -> bool) -> Record {
        for _ in 0..MOVES {
            if crash() {
                drop(engine);
                engine = self.engine();
            }
            let seen = self.look(&engine).await;
            if engine.advance(&seen).await.unwrap() == Progress::Over {
                return engine.record().clone();
            }
        }
        panic!("does not end: {:?}", engine.record());
    }

    /// From a new agent to the end of an operation.
    async fn operate(&self, target: &Target) -> Record {
        let mut engine = self.engine();
        self.begin(&mut engine, target).await;
        self.finish(engine, || false).await
    }

    fn target(&self, places: &[(&str, i32)]) -> Target {
        let uuid = &self.node.gpus().unwrap()[0].uuid;
        world::target(uuid, places)
    }

    fn slices(&self) -> Vec<(String, u32)> {
        let gpus = self.node.gpus().unwrap();
        let whole = gpus[0].instances.iter();
        whole
            .filter(|it| it.mig_uuids.len() == 1)
            .map(|it| (it.profile.clone(), it.start))
            .collect()
    }
}

fn stage(record: &Record) -> &Stage {
    &record.operation.as_ref().unwrap().stage
}

fn names(places: &[(&str, i32)]) -> Vec<(String, u32)> {
    places
        .iter()
        .map(|(profile, start)| ((*profile).to_owned(), u32::try_from(*start).unwrap()))
        .collect()
}

fn fault(function: &str, nth: u32) -> Fault {
    Fault {
        function: function.to_owned(),
        code: 999,
        when: When::Nth(nth),
    }
}

#[test]
fn an_operation_cuts_a_whole_gpu_and_another_cuts_it_anew() {
    on_a_node(A100, async |node| {
        let bed = Bed { node };
        let record = bed.operate(&bed.target(&SMALL)).await;
        assert_eq!(*stage(&record), Stage::Done);
        assert_eq!(bed.slices(), names(&SMALL));
        let kept = node.gpus().unwrap()[0].instances[0].clone();
        let record = bed.operate(&bed.target(&MIXED)).await;
        assert_eq!(bed.slices(), names(&MIXED));
        assert_eq!(node.gpus().unwrap()[0].instances[0], kept);
        assert_eq!(record.made.len(), MIXED.len());
        let record = bed.operate(&bed.target(&[])).await;
        assert_eq!(*stage(&record), Stage::Done);
        assert!(record.made.is_empty() && bed.slices().is_empty());
    });
}

#[test]
fn an_agent_that_dies_after_any_step_goes_on_to_the_target() {
    on_a_node(A100, async |node| {
        let bed = Bed { node };
        // Once, at some move; and before each.
        for dies_at in (1..18).step_by(4).map(Some).chain([None]) {
            bed.operate(&bed.target(&SMALL)).await;
            let mut engine = bed.engine();
            bed.begin(&mut engine, &bed.target(&MIXED)).await;
            let mut moves = 0;
            let crash = || {
                moves += 1;
                dies_at.is_none_or(|at| at == moves)
            };
            let record = bed.finish(engine, crash).await;
            assert_eq!(*stage(&record), Stage::Done, "{dies_at:?}");
            assert_eq!(bed.slices(), names(&MIXED), "{dies_at:?}");
            assert_eq!(record.made.len(), MIXED.len(), "{dies_at:?}");
        }
    });
}

#[test]
fn a_step_that_fails_brings_the_layout_from_before_back_although_the_agent_dies_all_the_time() {
    on_a_node(A100, async |node| {
        let bed = Bed { node };
        for dies in [false, true] {
            for (function, nth) in [
                ("nvmlGpuInstanceDestroy", 3),
                ("nvmlComputeInstanceDestroy", 2),
                ("nvmlDeviceCreateGpuInstanceWithPlacement", 2),
                ("nvmlGpuInstanceCreateComputeInstance", 1),
            ] {
                bed.operate(&bed.target(&SMALL)).await;
                let mut engine = bed.engine();
                bed.begin(&mut engine, &bed.target(&MIXED)).await;
                node.inject(fault(function, nth)).unwrap();
                let record = bed.finish(engine, || dies).await;
                let Stage::RolledBack { error } = stage(&record) else {
                    panic!("{function}: {record:?}");
                };
                assert!(error.contains(function), "{error}");
                assert_eq!(bed.slices(), names(&SMALL), "{function}");
                assert_eq!(record.made.len(), SMALL.len(), "{function}");
            }
        }
    });
}

#[test]
fn a_gpu_that_cannot_be_brought_back_is_said_to_have_failed() {
    on_a_node(A100, async |node| {
        let bed = Bed { node };
        bed.operate(&bed.target(&SMALL)).await;
        let mut engine = bed.engine();
        bed.begin(&mut engine, &bed.target(&MIXED)).await;
        let when = When::Every;
        let function = "nvmlDeviceCreateGpuInstanceWithPlacement";
        node.inject(Fault {
            when,
            ..fault(function, 1)
        })
        .unwrap();
        let record = bed.finish(engine, || false).await;
        let Stage::Failed { error } = stage(&record) else {
            panic!("{record:?}");
        };
        assert!(error.contains("going back failed too"), "{error}");
        node.heal().unwrap();
        // The next operation goes on from there.
        let record = bed.operate(&bed.target(&MIXED)).await;
        assert_eq!(*stage(&record), Stage::Done);
    });
}

#[test]
fn a_mode_that_stays_pending_is_taken_back() {
    on_a_node(A100, async |node| {
        let bed = Bed { node };
        node.stick_mode(0, Until::Reboot).unwrap();
        let record = bed.operate(&bed.target(&SMALL)).await;
        assert!(
            matches!(stage(&record), Stage::RolledBack { .. }),
            "{record:?}"
        );
        let seen: Vec<GpuStatus> = bed.look(&bed.engine()).await.gpus;
        assert_eq!(seen[0].mig.current, seen[0].mig.pending);
    });
}

#[test]
fn after_a_reboot_the_verified_layout_is_made_again() {
    on_a_node(A100, async |node| {
        let bed = Bed { node };
        bed.operate(&bed.target(&MIXED)).await;
        node.reboot().unwrap();
        assert!(bed.slices().is_empty());
        let mut moves = 0;
        loop {
            // A new agent each time: it dies after each step.
            let mut engine = bed.engine();
            let seen = bed.look(&engine).await;
            if engine.recover(&seen).await.unwrap() == Progress::Over {
                assert_eq!(engine.record().boot_id, seen.boot_id);
                break;
            }
            moves += 1;
            assert!(moves < MOVES);
        }
        assert_eq!(bed.slices(), names(&MIXED));
        let owned = bed.look(&bed.engine()).await;
        assert!(owned.gpus[0].instances.iter().all(|it| it.owned));
    });
}

#[test]
fn what_a_reboot_took_away_is_left_when_it_cannot_be_made_again() {
    on_a_node(A100, async |node| {
        let bed = Bed { node };
        bed.operate(&bed.target(&MIXED)).await;
        node.reboot().unwrap();
        node.inject(fault("nvmlDeviceCreateGpuInstanceWithPlacement", 1))
            .unwrap();
        let mut engine = bed.engine();
        let seen = bed.look(&engine).await;
        assert_eq!(engine.recover(&seen).await.unwrap(), Progress::Stepped);
        let seen = bed.look(&engine).await;
        assert_eq!(engine.recover(&seen).await.unwrap(), Progress::Over);
        assert!(bed.slices().is_empty());
    });
}

#[test]
fn a_gpu_that_cannot_be_restored_does_not_keep_another_from_it_and_is_not_tried_for_ever() {
    on_a_node(&["A100-SXM4-40GB", "A100-SXM4-40GB"], async |node| {
        let bed = Bed { node };
        let mut both = bed.target(&MIXED);
        let second = node.gpus().unwrap()[1].uuid.clone();
        both.gpus.extend(world::target(&second, &MIXED).gpus);
        bed.operate(&both).await;
        node.reboot().unwrap();
        node.inject(fault("nvmlDeviceCreateGpuInstanceWithPlacement", 2))
            .unwrap();
        let mut engine = bed.engine();
        for _ in 0..MOVES {
            let seen = bed.look(&engine).await;
            if engine.recover(&seen).await.unwrap() == Progress::Over {
                break;
            }
        }
        let seen = bed.look(&engine).await;
        assert_eq!(engine.record().boot_id, seen.boot_id);
        let made: Vec<_> = seen.gpus.iter().map(|gpu| gpu.instances.len()).collect();
        assert_eq!(made, [1, MIXED.len()]);
        let given_up: Vec<_> = engine.given_up().keys().cloned().collect();
        assert_eq!(given_up, [seen.gpus[0].uuid.clone()]);
    });
}

#[test]
fn a_profile_that_a_new_driver_does_not_offer_any_more_is_told_and_not_tried_for_ever() {
    on_a_node(A100, async |node| {
        let bed = Bed { node };
        bed.operate(&bed.target(&MIXED)).await;
        node.reboot().unwrap();
        // The number of 3g in NVML's enum.
        node.fail_profile(2, nvml_sim::Code::NotSupported).unwrap();
        let mut engine = bed.engine();
        for _ in 0..MOVES {
            let seen = bed.look(&engine).await;
            if engine.recover(&seen).await.unwrap() == Progress::Over {
                break;
            }
        }
        assert_eq!(bed.slices(), names(&MIXED[..3]));
        let why = engine.given_up().values().next().unwrap();
        assert!(why.contains("does not offer 3g.20gb"), "{why}");
        let seen = bed.look(&engine).await;
        assert_eq!(engine.recover(&seen).await.unwrap(), Progress::Over);
    });
}

#[test]
fn a_step_without_effect_is_not_taken_for_ever() {
    on_a_node(A100, async |node| {
        let bed = Bed { node };
        let mut engine = bed.engine();
        bed.begin(&mut engine, &bed.target(&SMALL)).await;
        let before = bed.look(&engine).await;
        // The look is the same after each step, as if the driver had done nothing.
        assert_eq!(engine.advance(&before).await.unwrap(), Progress::Stepped);
        assert_eq!(engine.advance(&before).await.unwrap(), Progress::Entered);
        let error = stage(engine.record()).error().unwrap().to_owned();
        assert!(error.ends_with("and nothing changed"), "{error}");
    });
}

#[test]
fn an_instance_that_somebody_else_makes_in_our_place_meanwhile_is_not_ours_to_destroy() {
    on_a_node(A100, async |node| {
        let bed = Bed { node };
        node.set_mig_mode(0, true).unwrap();
        let mut engine = bed.engine();
        bed.begin(&mut engine, &bed.target(&SMALL)).await;
        let seen = bed.look(&engine).await;
        assert_eq!(engine.advance(&seen).await.unwrap(), Progress::Entered);
        let theirs = node.create_instance(0, "1g.5gb", Some(0)).unwrap();
        assert_eq!(engine.advance(&seen).await.unwrap(), Progress::Entered);
        let record = bed.finish(engine, || false).await;
        assert!(matches!(stage(&record), Stage::RolledBack { .. }));
        let found = &node.gpus().unwrap()[0].instances;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].mig_uuids, [theirs]);
        assert!(record.made.is_empty());
    });
}
