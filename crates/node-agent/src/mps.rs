//! NVIDIA's MPS control daemon as a child that is really supervised. What is decided is in [`plan::mps`].
//!
//! ```text
//!   engine ──► Mps (handle) ──► task ─┐ orders, reports
//!   `gpu-sharing-agent mps` ──► serve ┴► Supervisor ──► plan::mps::step ──► Start | Configure | Quit | Kill | Restore
//!                  │ look: Daemon (our child), owner (whose is the pipe directory), Note (compute modes to give back)
//!                  └ act:  Gpus (compute mode), ground (directories), Daemon (process), Channel (commands), Mark (kill)
//! ```
//!
//! It is a drop-in for NVIDIA's own MPS daemon set: their device plugin finds a daemon at `<root>/<resource>/pipe` that
//! answers `get_default_active_thread_percentage`, and gives pods that directory and `<root>/shm` as their `/dev/shm`.
//!
//! What the daemon does, as measured on 535.309.01 of Debian, without a GPU; `make mps` repeats it:
//!
//! - `-f` stays in the foreground and logs on its standard output; no `control.log` is written then. It finds the server
//!   through `PATH`.
//! - It holds a POSIX lock on `<pipe>/control_lock`, which the kernel takes away when it dies. A second daemon on the same
//!   directory says so and exits with 1. What a dead one has left there is used again.
//! - A client (`nvidia-cuda-mps-control` without arguments) exits with 0 whatever the daemon thinks of the command, and
//!   with 1 only if there is no daemon. So answers are read back: an unknown command, a percentage that is refused and a
//!   limit that is not understood look like success. A limit of memory is accepted without a word, and read back in whole
//!   G from 1 G on, rounded down (`10239M` reads `9G`).
//! - A server is started for the first client of a user (or by `start_server -uid`), and is listed at once. Its end is
//!   logged as `Server <pid> exited with status <n>`, where a killed one has status 0 as well. Without a GPU it exits
//!   with 1 within milliseconds, so that the list never shows it: the log does.
//! - `quit` waits for servers, and with a server that hangs forever; so does `quit -t` after it. The client of a stopped
//!   daemon waits forever. SIGTERM ends the daemon at once and leaves its servers alone in the world.
//! - Servers inherit environment and process group of the daemon. [`mark`] relies on the first. They inherit its standard
//!   input too, but the daemon closes that as soon as a server has ended.

mod channel;
mod command;
mod daemon;
mod error;
mod event;
mod ground;
mod handle;
mod mark;
mod note;
mod owner;
mod place;
#[cfg(test)]
pub mod played;
mod report;
mod serve;
mod shared_memory;
mod supervisor;
mod task;

pub use handle::{Mps, Outcome};
pub use report::Death;
pub use serve::{MpsArgs, serve};
pub use shared_memory::{SharedMemoryArgs, share_memory};
pub use task::{Node, PlaceArgs, prepare};
