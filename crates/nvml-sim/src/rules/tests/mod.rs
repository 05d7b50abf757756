//! Tables over the rules; here, what they share.

mod devices;
mod layouts;
mod listing;
mod modes;

use std::collections::{BTreeSet, VecDeque};

use super::{
    Activation, attach, create_compute_instance, create_gpu_instance, destroy_compute_instance,
    destroy_gpu_instance, detach, reboot, remaining_capacity, reset, set_mig_mode,
};
use crate::Code;
use crate::state::{ComputeMode, Process, State, Until};
use products::{Mig, Profile, compute_profiles};

const A100: &str = "A100-SXM4-40GB";
const H100: &str = "H100-SXM5-80GB";

fn node(product: &str) -> State {
    State::new(1, &[products::find(product).unwrap()])
}

/// A node with one GPU, MIG on.
fn mig_node(product: &str) -> State {
    let mut state = node(product);
    assert_eq!(set_mig_mode(&mut state, 0, true), Ok(Activation::Done));
    state
}

fn mig(state: &State) -> &'static Mig {
    super::mig(&state.gpus[0]).unwrap()
}

/// Creates a GPU instance by name.
fn create(state: &mut State, profile: &str, start: Option<u32>) -> Result<u64, Code> {
    let id = mig(state).by_name(profile).unwrap().id;
    create_gpu_instance(state, 0, id, start)
}

/// Creates a GPU instance with a full compute instance; serials of both.
fn create_device(state: &mut State, profile: &str) -> (u64, u64) {
    let gi = create(state, profile, None).unwrap();
    let whole = compute_profiles(mig(state).by_name(profile).unwrap())
        .last()
        .unwrap()
        .id;
    (
        gi,
        create_compute_instance(state, 0, gi, whole, None).unwrap(),
    )
}

fn uuid_of(state: &State, serial: u64) -> String {
    super::compute_instance(&state.gpus[0], serial)
        .unwrap()
        .1
        .uuid
        .clone()
}

fn process(pid: u32, mig_uuid: Option<String>) -> Process {
    Process {
        pid,
        name: "train".to_owned(),
        memory_mib: 1_000,
        mig_uuid,
    }
}

fn layout(state: &State) -> Vec<(u32, u32)> {
    let mut all: Vec<_> = state.gpus[0]
        .instances
        .iter()
        .map(|gi| (gi.start, gi.profile_id))
        .collect();
    all.sort_unstable();
    all
}
