//! `test-gpu`: our agent beside NVIDIA's nvidia-smi on this machine's real GPUs.

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;
use crds::gpu_node::{GpuStatus, MigMode};
use gpu::Nvml;
use strangers::{Machine, built, tour};

/// Compares what our agent reports with what nvidia-smi prints, on the GPUs of this machine
#[derive(Debug, Parser)]
struct Args {
    /// Also turn MIG on where nothing runs and nothing is cut, make and destroy each profile once, and turn it off again
    #[arg(long)]
    change_mig: bool,
}

/// Exit statuses of nvidia-smi when there is no driver: NVML's `DRIVER_NOT_LOADED` and `LIBRARY_NOT_FOUND`.
const NO_DRIVER: [i32; 2] = [9, 12];

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "test-gpu: {}", sentence(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout();
    if !driver_answers() {
        writeln!(out, "skipped: no NVIDIA driver on this machine")?;
        return Ok(());
    }
    let machine = Machine {
        agent: built("gpu-sharing-agent", "node-agent")?,
        nvidia_smi: PathBuf::from("nvidia-smi"),
        environment: Vec::new(),
    };
    let comparison = machine.agree("as the GPUs are now")?;
    let inventory = machine.inventory()?;
    for gpu in &inventory.gpus {
        writeln!(out, "{}: agent and nvidia-smi agree", named(gpu))?;
    }
    for (gpu, profile) in comparison.unlisted {
        writeln!(out, "GPU {gpu}: nvidia-smi does not list {profile}")?;
    }
    if args.change_mig {
        change_mig(&machine, &inventory.gpus, &mut out)?;
    }
    Ok(())
}

fn change_mig(
    machine: &Machine,
    gpus: &[GpuStatus],
    out: &mut dyn Write,
) -> Result<(), Box<dyn Error>> {
    let mut driver = Nvml::load(Path::new("libnvidia-ml.so.1"))?;
    for gpu in gpus {
        if let Some(why) = hands_off(gpu) {
            writeln!(out, "{}: MIG is left alone: {why}", named(gpu))?;
            continue;
        }
        let tried = tour(machine, &mut driver, gpu)?;
        let profiles = tried.join(", ");
        writeln!(out, "{}: made and destroyed {profiles}", named(gpu))?;
    }
    Ok(())
}

/// Why this GPU is not to be changed.
fn hands_off(gpu: &GpuStatus) -> Option<&'static str> {
    if gpu.mig.current == MigMode::NotSupported {
        Some("it has none")
    } else if gpu.mig.current != gpu.mig.pending {
        Some("a change of its mode is pending")
    } else if !gpu.processes.is_empty() {
        Some("processes are on it")
    } else if !gpu.instances.is_empty() {
        Some("it is cut into instances")
    } else {
        None
    }
}

fn named(gpu: &GpuStatus) -> String {
    format!("GPU {} ({})", gpu.index, gpu.product)
}

fn driver_answers() -> bool {
    let listed = Command::new("nvidia-smi").arg("-L").output();
    let code = listed.ok().map(|output| output.status.code());
    code.is_some_and(|code| !code.is_some_and(|code| NO_DRIVER.contains(&code)))
}

/// The error and each of its causes.
fn sentence(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
