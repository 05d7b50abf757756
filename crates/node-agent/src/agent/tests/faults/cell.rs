//! One cell: an operation with one fault.

use crds::gpu_node::AgentStage;
use nvml_sim::state::{Fault, When};

use super::missing::without;
use crate::agent::tests::ordeal::folder::{Folder, Snapshot};
use crate::agent::tests::ordeal::gatekeeper::{Ended, Verdict, run, run_gated};
use crate::agent::tests::ordeal::outcome::{Layouts, Meanwhile, Outcome};

/// NVML's number for what a GPU does not have.
const NOT_SUPPORTED: u32 = 3;

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
pub enum Broken<'a> {
    /// Calls answer this code and do nothing.
    Fault {
        call: &'a str,
        code: u32,
        when: When,
    },
    /// Calls are done, and answer this code all the same.
    Late {
        call: &'a str,
        code: u32,
        when: When,
    },
    /// The library has no such function.
    Missing { call: &'a str },
}

impl Broken<'_> {
    /// Whether the driver says that there is no MIG, or no such profile.
    fn is_denial(&self) -> bool {
        match *self {
            Self::Fault { call, code, .. } => {
                code == NOT_SUPPORTED && call.starts_with("nvmlDeviceGet")
            }
            Self::Late { .. } | Self::Missing { .. } => false,
        }
    }
}

/// An operation to which it happens.
pub struct Trial<'a> {
    pub disk: &'a Snapshot,
    pub layouts: &'a Layouts,
}

impl Trial<'_> {
    /// Runs it; the letter of its end.
    pub fn ends(&self, broken: &Broken<'_>) -> char {
        let folder = Folder::with(self.disk);
        let held = self.hold(&folder);
        run_broken(&folder, broken);
        let stage = self.outcome(&folder, &held, broken);
        if let Some(message) = complaint(&folder, stage) {
            assert!(is_named(&message, broken), "{broken:?}: {message}");
        }
        let letter = letter(stage);
        if letter == 'W' {
            heal(&folder);
            run(&folder);
            assert_eq!(
                self.outcome(&folder, &held, broken),
                AgentStage::Done,
                "{broken:?}"
            );
        }
        letter
    }

    /// What is kept has a pod all the time.
    fn hold(&self, folder: &Folder) -> Vec<String> {
        let node = folder.node().gpus().unwrap().remove(0);
        let is_kept = |place: &(String, u32)| self.layouts.target.contains(place);
        let kept = node.instances.into_iter();
        let kept = kept.filter(|it| is_kept(&(it.profile.clone(), it.start)));
        let held: Vec<_> = kept.flat_map(|it| it.mig_uuids).collect();
        folder.hold(&held);
        held
    }

    fn outcome(&self, folder: &Folder, held: &[String], broken: &Broken<'_>) -> AgentStage {
        let outcome = Outcome {
            layouts: self.layouts,
            folder,
            meanwhile: Meanwhile::Nothing,
            held,
            mode: self.layouts.before.mig_mode.unwrap(),
            denied: broken.is_denial(),
        };
        outcome.check()
    }
}

fn run_broken(folder: &Folder, broken: &Broken<'_>) {
    match *broken {
        Broken::Fault { call, code, when } => {
            let function = call.to_owned();
            let fault = Fault {
                function,
                code,
                when,
            };
            folder.node().inject(fault).unwrap();
            run(folder);
        }
        Broken::Late { call, code, when } => {
            let (effect, mut times) = (format!("{call} ends 0"), 0);
            let ended = run_gated(folder, |point| {
                times += u32::from(point == effect);
                match when {
                    When::Nth(nth) if nth != times => Verdict::Go,
                    When::Nth(_) | When::Every if point != effect => Verdict::Go,
                    When::Nth(_) | When::Every => Verdict::Instead(code),
                }
            });
            assert_eq!(ended, Ended::AtRest);
        }
        Broken::Missing { call } => {
            let whole = nvml_sim::install(&folder.path().join("whole")).unwrap();
            without(call, &whole, &folder.library());
            run(folder);
        }
    }
}

fn heal(folder: &Folder) {
    folder.node().heal().unwrap();
    let _ = std::fs::remove_file(folder.library());
}

const fn letter(stage: AgentStage) -> char {
    match stage {
        AgentStage::Done => 'D',
        AgentStage::RolledBack => 'B',
        AgentStage::Failed => 'F',
        AgentStage::Refused => 'R',
        AgentStage::Ready | AgentStage::Destroying | AgentStage::Creating => 'W',
    }
}

/// What a person reads of it.
fn complaint(folder: &Folder, stage: AgentStage) -> Option<String> {
    match stage {
        AgentStage::Done => None,
        AgentStage::RolledBack | AgentStage::Failed | AgentStage::Refused => {
            Some(folder.operation().error.unwrap())
        }
        AgentStage::Ready | AgentStage::Destroying | AgentStage::Creating => {
            let conditions = folder.said().conditions;
            let ready = conditions.into_iter().find(|it| it.type_ == "Ready");
            let ready = ready.filter(|it| it.status == "False").unwrap();
            Some(ready.message)
        }
    }
}

/// Whether a message names the call; or, of the codes that have a sentence of their own, what could not be done.
fn is_named(message: &str, broken: &Broken<'_>) -> bool {
    let (call, code) = match *broken {
        Broken::Fault { call, code, .. } | Broken::Late { call, code, .. } => (call, Some(code)),
        Broken::Missing { call } => (call, None),
    };
    let doing = match call {
        "nvmlDeviceSetMigMode" => "cannot turn MIG mode",
        "nvmlComputeInstanceDestroy" => "cannot destroy the compute instances of",
        "nvmlGpuInstanceDestroy" => "cannot destroy",
        "nvmlDeviceCreateGpuInstanceWithPlacement" => "cannot create",
        "nvmlGpuInstanceCreateComputeInstance" => "cannot create a compute instance in",
        _ => call,
    };
    match code {
        // By this answer a driver says what a GPU does not have: then that is told.
        Some(NOT_SUPPORTED) => {
            let denied = ["has no MIG", "MIG mode", "1g.6gb", "offers no profile"];
            message.contains(call) || denied.iter().any(|it| message.contains(it))
        }
        Some(15) => message.contains(" is lost") || message.contains(call),
        Some(19 | 23) => message.contains(doing) || message.contains(call),
        _ => message.contains(call),
    }
}
