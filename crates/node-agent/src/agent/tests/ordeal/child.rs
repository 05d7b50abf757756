//! The child: a real agent on the node in a folder, look by look until it comes to rest.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use crds::gpu_node::AgentStage;
use gpu::{Driver, Nvml};
use process::admin::{Liveness, Readiness};
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use super::disk::Gate;
use super::folder::Folder;
use crate::agent::{Agent, Next, Paths};
use crate::api::Known;
use crate::api::fake::FakeApi;
use crate::driver::Gpus;
use crate::engine::Engine;
use crate::journal::Journal;
use crate::kubelet::Kubelet;
use crate::kubelet::played::{PlayedKubelet, pod};
use crate::metrics::Metrics;
use crate::mps::Mps;

/// The path of the test that is the child.
pub const NAME: &str = "agent::tests::ordeal::child::an_agent_on_the_node_in_a_folder";
/// Names the folder.
pub const FOLDER: &str = "AGENT_FOLDER";
/// More looks than any operation here needs.
const LOOKS: usize = 300;
/// How often it waits before it is stopped: longer than for anything that goes by.
const WAITS: u32 = 12;

#[test]
#[ignore = "run by the other tests here, as the process that dies"]
fn an_agent_on_the_node_in_a_folder() {
    let folder = Folder::at(env::var_os(FOLDER).unwrap().into());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(live(&folder));
}

async fn live(folder: &Folder) {
    let gate = Gate::connect();
    let api = api(folder, &gate);
    let kubelet = kubelet(folder);
    let object = api.object().unwrap();
    let (_known, heard) = watch::channel(Known::Found(Box::new(object)));
    let library = library(folder);
    let load = Box::new(move || Ok(Box::new(Nvml::load(&library)?) as Box<dyn Driver>));
    let gpus = Gpus::start(load, Liveness::new(Duration::MAX)).unwrap();
    let metrics = Metrics::register(&mut Registry::default());
    let paths = Paths {
        journal: folder.path().join("journal"),
        boot_id: folder.node().boot_id_path(),
    };
    let journal = Journal::open_on(Box::new(gate), &paths.journal).unwrap();
    let mut agent = Agent::new(
        paths,
        gpus.clone(),
        Mps::none(),
        Kubelet::new(kubelet.socket()),
        api.gpu_nodes(),
        heard,
        metrics.clone(),
        &Readiness::new(),
    );
    agent.engine = Some(Engine::new(gpus, journal, Mps::none(), metrics));
    let mut waits = 0;
    for _ in 0..LOOKS {
        if agent.look().await.unwrap() == Next::Now {
            continue;
        }
        waits += 1;
        if waits == WAITS || is_at_rest(&api) {
            return;
        }
    }
    panic!("does not come to rest: {:?}", api.object());
}

/// Whether the operator has an answer that is the last, or asks for nothing.
fn is_at_rest(api: &FakeApi) -> bool {
    let object = api.object().unwrap();
    let Some(asked) = object.spec.operation else {
        return true;
    };
    let said = object.status.and_then(|status| status.agent?.operation);
    said.is_some_and(|said| {
        said.id == asked.id
            && match said.stage {
                AgentStage::Ready | AgentStage::Destroying | AgentStage::Creating => false,
                AgentStage::Refused
                | AgentStage::Done
                | AgentStage::RolledBack
                | AgentStage::Failed => true,
            }
    })
}

/// The API server outlives the agent, which may die before and after each write to it.
fn api(folder: &Folder, gate: &Gate) -> FakeApi {
    let api = FakeApi::with(&folder.gpu_node());
    let (gate, folder) = (gate.clone(), Folder::at(folder.path().to_owned()));
    api.on_store(move |object| {
        let object = serde_json::from_value(object.clone()).unwrap();
        gate.pass("GpuNode", || folder.write_gpu_node(&object));
    });
    api
}

/// The simulated library, unless the folder has one of its own.
fn library(folder: &Folder) -> PathBuf {
    let own = folder.library();
    if own.exists() {
        return own;
    }
    nvml_sim::install(folder.path()).unwrap()
}

fn kubelet(folder: &Folder) -> PlayedKubelet {
    // The one before died with its agent.
    let _ = std::fs::remove_file(folder.path().join("kubelet.sock"));
    let kubelet = PlayedKubelet::listen(folder.path());
    let held = folder.held().into_iter();
    kubelet.set(
        held.map(|device| pod("model", &resource(folder, &device), &[&device]))
            .collect(),
    );
    kubelet
}

/// As what a pod has the device.
fn resource(folder: &Folder, device: &str) -> String {
    let gpus = folder.node().gpus().unwrap().into_iter();
    let mut slices = gpus.flat_map(|gpu| gpu.instances);
    let slice = slices.find(|it| it.mig_uuids.iter().any(|uuid| uuid == device));
    slice.map_or_else(
        || "nvidia.com/gpu".to_owned(),
        |it| plan::profile::resource(&it.profile),
    )
}
