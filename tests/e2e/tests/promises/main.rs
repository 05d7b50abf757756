//! What users are promised, one file each: on a real API server, with operator and agents as users install them and
//! GPUs that are played.
//!
//! ```text
//! scene      a cluster for one test: nodes with GPUs, workloads, policies
//! look       what has become of a node: phases, conditions, events, GPUs
//! record     who wrote what, by the API server's audit log
//! barrier    the API server refuses the write that would end a phase
//! ```
//!
//! Most tests begin with a pod that has a whole A100, and a policy that cuts the GPU into slices: the pod must leave.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do; clippy exempts the tests alone"
)]

mod barrier;
mod look;
mod record;
mod scene;

mod agent_down;
mod agent_killed;
mod api_server_away;
mod bad_input;
mod budget;
mod config_delay;
mod disruption_budget;
mod fail_over;
mod failing_step;
mod faults;
mod foreign_cordon;
mod guarantees;
mod halt;
mod happy_path;
mod held_slices;
mod hold;
mod hybrid;
mod idle;
mod invalid_policy;
mod matrix;
mod mps;
mod mps_crash_loop;
mod node_deleted;
mod only_planned;
mod operator_killed;
mod pending_mode;
mod policy_deleted;
mod quarantine;
mod retarget;
mod rollout;
mod selector_lost;
mod single;
mod unevictable_pods;
mod uninstall;
mod windows;
