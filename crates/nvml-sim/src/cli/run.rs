//! What each command does.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use nvml_sim::state::{Fault, When};
use nvml_sim::{Client, SimulatedNode, install};

use super::arguments::{Action, Arguments, Attach, Command, MigAction, Output};
use super::faults::{FaultAction, Pace, Quirk, Until};

type Outcome = Result<(), Box<dyn Error>>;

/// Runs one command and writes what it says to `out`.
///
/// # Errors
/// As a sentence for a person; then nothing was changed, but for a MIG mode that is pending.
pub fn run(arguments: Arguments, out: &mut impl Write) -> Outcome {
    match arguments.command {
        Command::Ctl { state, action } => ctl(state, action, out),
        Command::Install { folder } => {
            let library = install(&folder)?;
            Ok(writeln!(out, "{}", library.display())?)
        }
    }
}

fn ctl(state: PathBuf, action: Action, out: &mut impl Write) -> Outcome {
    if let Action::Init { gpus, seed } = action {
        let node = SimulatedNode::create(state, seed, &gpus)?;
        return show(&node, Output::Map, out);
    }
    let node = SimulatedNode::open(state)?;
    match action {
        Action::Init { .. } => Ok(()),
        Action::Attach(what) => attach(&node, what),
        Action::Detach { pid } => Ok(node.detach(pid)?),
        Action::Fault(what) => fault(&node, what),
        Action::Heal => Ok(node.heal()?),
        Action::Pace { pace } => Ok(node.set_pace(pace.into())?),
        Action::Quirk(what) => quirk(&node, &what),
        Action::Reboot => Ok(writeln!(out, "{}", node.reboot()?)?),
        Action::Mig(what) => mig(&node, what, out),
        Action::Reset { gpu } => Ok(node.reset(gpu)?),
        Action::Show { output } => show(&node, output, out),
    }
}

fn attach(node: &SimulatedNode, what: Attach) -> Outcome {
    let Attach {
        pid,
        device,
        name,
        memory_mib,
    } = what;
    let client = Client {
        pid,
        name,
        memory_mib,
    };
    match (device.gpu, device.mig) {
        (_, Some(uuid)) => node.attach_mig(&uuid, client)?,
        (Some(gpu), None) => node.attach(gpu, client)?,
        (None, None) => return Err("name a device: --gpu INDEX or --mig UUID".into()),
    }
    Ok(())
}

fn fault(node: &SimulatedNode, what: FaultAction) -> Outcome {
    match what {
        FaultAction::Call {
            function,
            code,
            nth,
            every,
        } => {
            let when = if every { When::Every } else { When::Nth(nth) };
            node.inject(Fault {
                function,
                code: code.number(),
                when,
            })?;
        }
        FaultAction::Latency { function, millis } => node.delay(&function, millis)?,
        FaultAction::GpuLost { gpu } => node.lose(gpu)?,
        FaultAction::ModeStuck { gpu, until } => node.stick_mode(gpu, until.into())?,
    }
    Ok(())
}

impl From<Until> for nvml_sim::state::Until {
    fn from(until: Until) -> Self {
        match until {
            Until::Reset => Self::Reset,
            Until::Reboot => Self::Reboot,
        }
    }
}

impl From<Pace> for nvml_sim::Pace {
    fn from(pace: Pace) -> Self {
        match pace {
            Pace::AtOnce => Self::AtOnce,
            Pace::Real => Self::Real,
        }
    }
}

fn quirk(node: &SimulatedNode, what: &Quirk) -> Outcome {
    match *what {
        Quirk::HideProfiles => node.hide_profiles()?,
        Quirk::RenumberProfile { own, other } => node.renumber_profile(own, other)?,
        Quirk::NameMigDevices => node.name_mig_devices()?,
        Quirk::FailProfile { number, code } => node.fail_profile(number, code)?,
    }
    Ok(())
}

fn mig(node: &SimulatedNode, what: MigAction, out: &mut impl Write) -> Outcome {
    match what {
        MigAction::Enable { gpu } => node.set_mig_mode(gpu, true)?,
        MigAction::Disable { gpu } => node.set_mig_mode(gpu, false)?,
        MigAction::Create {
            gpu,
            profile,
            start,
            compute,
        } => {
            let uuids = match compute.as_slice() {
                [] => vec![node.create_instance(gpu, &profile, start)?],
                sizes => node.create_divided(gpu, &profile, start, sizes)?,
            };
            writeln!(out, "{}", uuids.join("\n"))?;
        }
        MigAction::Destroy { uuid } => node.destroy_instance(&uuid)?,
    }
    Ok(())
}

fn show(node: &SimulatedNode, output: Output, out: &mut impl Write) -> Outcome {
    let gpus = node.gpus()?;
    match output {
        Output::Map => gpus.iter().try_for_each(|gpu| write!(out, "{gpu}"))?,
        Output::Json => {
            serde_json::to_writer_pretty(&mut *out, &gpus)?;
            writeln!(out)?;
        }
    }
    Ok(())
}
