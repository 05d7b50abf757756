//! An operation that goes through an ordeal.

use crds::GpuNode;
use crds::gpu_node::{AgentStage, OperationStage, Target};
use nvml_sim::SimulatedNode;
use nvml_sim::state::{Fault, When};

use super::folder::{Folder, Snapshot};
use super::gatekeeper::run;
use super::outcome::Layouts;
use crate::agent::tests::bed;
use crate::world;

/// Profiles and places.
pub type Places = &'static [(&'static str, i32)];

/// An operation, from the GPU as it is to a target.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    pub name: &'static str,
    pub product: &'static str,
    /// What we have made. None: MIG mode is off.
    pub ours: Places,
    /// What others have made, each with the sizes of its compute instances.
    pub foreign: &'static [(&'static str, u32, &'static [u32])],
    pub target: Places,
    pub adopt: bool,
    /// A call that fails.
    pub fault: Option<(&'static str, When)>,
}

/// An A30 without MIG.
pub const A30: Scenario = Scenario {
    name: "",
    product: "A30",
    ours: &[],
    foreign: &[],
    target: &[],
    adopt: false,
    fault: None,
};

/// The GPUs, the journal and the `GpuNode` when the operator says `Proceed`.
pub struct Start {
    pub disk: Snapshot,
    pub layouts: Layouts,
}

impl Scenario {
    pub fn start(&self) -> Start {
        let folder = Folder::with(&Snapshot::new());
        let node = SimulatedNode::create(folder.state(), Some(1), &[self.product]).unwrap();
        folder.write_gpu_node(&gpu_node());
        if !self.ours.is_empty() {
            ask(&folder, 6, towards(&node, self.ours));
            run(&folder);
            assert_eq!(folder.operation().stage, AgentStage::Done);
        }
        let mut foreign = Vec::new();
        for (profile, start, sizes) in self.foreign {
            let made = node.create_divided(0, profile, Some(*start), sizes);
            foreign.extend(made.unwrap());
        }
        if let Some((function, when)) = self.fault {
            let (function, code) = (function.to_owned(), 999);
            let fault = Fault {
                function,
                code,
                when,
            };
            node.inject(fault).unwrap();
        }
        let target = Target {
            adopt: self.adopt,
            ..towards(&node, self.target)
        };
        ask(&folder, 7, target);
        let wanted = self.target.iter().map(|(profile, start)| {
            let start = u32::try_from(*start).unwrap();
            ((*profile).to_owned(), start)
        });
        Start {
            disk: folder.snapshot(),
            layouts: Layouts {
                before: node.gpus().unwrap().remove(0),
                foreign,
                target: wanted.collect(),
                adopt: self.adopt,
            },
        }
    }
}

fn towards(node: &SimulatedNode, places: Places) -> Target {
    world::target(&node.gpus().unwrap()[0].uuid, places)
}

fn gpu_node() -> GpuNode {
    let mut object = GpuNode::new("n1", crds::GpuNodeSpec::default());
    object.metadata.uid = Some("uid-1".to_owned());
    object.metadata.resource_version = Some("1".to_owned());
    object
}

/// The operator asks for an operation, and its agent may proceed.
fn ask(folder: &Folder, id: i64, target: Target) {
    let mut object = folder.gpu_node();
    object.spec = bed::spec(OperationStage::Proceed, target);
    object.spec.operation.as_mut().unwrap().id = id;
    folder.write_gpu_node(&object);
}
