//! What is done.

use std::time::Instant;

use crds::gpu_node::ComputeMode;
use plan::mps::{Action, Limits, Setup};

use super::super::command::{Command, is_memory, is_percentage};
use super::super::daemon::Daemon;
use super::super::error::{MpsError, io};
use super::super::ground;
use super::Supervisor;
use super::look::ANSWER;
use crate::driver::DriverError;

impl Supervisor {
    pub(super) async fn act(&mut self, action: &Action) -> Result<(), MpsError> {
        match action {
            Action::Rest => Ok(()),
            Action::Start(setup) => self.start(setup).await,
            Action::Configure(setup) => self.configure(&setup.limits).await,
            Action::Quit => {
                self.quit();
                Ok(())
            }
            Action::Kill => self.kill().await,
            Action::Restore => self.restore().await,
        }
    }

    /// The note comes before the first compute mode: whoever finds it, gives them back.
    async fn start(&mut self, setup: &Setup) -> Result<(), MpsError> {
        self.kill().await?;
        ground::check_shared_memory(&self.place, &self.tools.shared_memory)?;
        self.notes.add(&self.place, &setup.gpus)?;
        for gpu in &setup.gpus {
            let mode = ComputeMode::ExclusiveProcess;
            self.gpus.set_compute_mode(gpu, mode).await?;
        }
        ground::prepare(&self.place)?;
        let started = Daemon::start(&self.tools, &self.place, &self.mark);
        self.daemon = Some(started.map_err(io("start", &self.tools.control))?);
        (self.configured, self.answered) = (false, false);
        self.asked = Instant::now();
        Ok(())
    }

    /// Nothing is believed that is not read back.
    async fn configure(&mut self, limits: &Limits) -> Result<(), MpsError> {
        let percent = limits.active_thread_percentage;
        let told = Command::SetPercentage(percent);
        let right = |answer: &str| is_percentage(answer, percent);
        self.tell_daemon(told, Command::Percentage, right).await?;
        for (index, mib) in &limits.memory_mib {
            let (index, mib) = (*index, *mib);
            let told = Command::SetMemory { index, mib };
            let right = |answer: &str| is_memory(answer, mib);
            self.tell_daemon(told, Command::Memory { index }, right)
                .await?;
        }
        ground::mark_started(&self.place)?;
        (self.configured, self.trouble) = (true, None);
        Ok(())
    }

    async fn tell_daemon(
        &self,
        told: Command,
        asked: Command,
        right: impl Fn(&str) -> bool,
    ) -> Result<(), MpsError> {
        self.channel.ask(told, ANSWER).await?;
        let answer = self.channel.ask(asked, ANSWER).await?;
        if right(&answer) {
            return Ok(());
        }
        Err(MpsError::NotTaken {
            told,
            asked,
            answer,
        })
    }

    /// The client waits as long as the daemon does; nobody waits for the client.
    fn quit(&self) {
        let (channel, patience) = (self.channel.clone(), self.patience.quit);
        let forced_after = (patience.as_secs() / 2).max(1);
        tokio::spawn(async move {
            let asked = channel.ask(Command::Quit { forced_after }, patience).await;
            if let Err(error) = asked {
                tracing::warn!(%error, "the MPS daemon does not quit");
            }
        });
    }

    async fn kill(&self) -> Result<(), MpsError> {
        let killed = self.mark.kill_all().await;
        killed.map_err(io(
            "end what is left of the MPS daemon at",
            &self.place.pipe(),
        ))
    }

    /// The note goes last: until then the next process does all of this again. A GPU that refuses keeps no other from being
    /// given back.
    async fn restore(&mut self) -> Result<(), MpsError> {
        self.kill().await?;
        let note = self.notes.read()?;
        let mut refused = None;
        for gpu in note.iter().flat_map(|note| &note.gpus) {
            match self.gpus.set_compute_mode(gpu, ComputeMode::Default).await {
                Ok(()) => {}
                Err(DriverError::Driver(gpu::Error::NoSuchGpu(_))) => {
                    tracing::warn!(gpu, "the GPU was taken away; its compute mode goes with it");
                }
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        refused.map_or(Ok(()), Err)?;
        ground::clear(&self.place)?;
        self.notes.remove()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use process::admin::Liveness;

    use super::super::super::note::Notes;
    use super::super::super::place::Place;
    use super::super::Tools;
    use super::*;
    use crate::driver::Gpus;
    use crate::world::{Shared, World, t4};

    #[tokio::test]
    async fn a_gpu_that_is_lost_keeps_no_other_in_its_compute_mode() {
        let folder = tempfile::tempdir().unwrap();
        let mut left = t4("GPU-1-left");
        left.compute_mode = Some(ComputeMode::ExclusiveProcess);
        let uuid = left.uuid.clone();
        let node = Shared::new(World::new(vec![left]));
        let place = Place {
            root: folder.path().join("mps"),
            resource: "nvidia.com/gpu".to_owned(),
        };
        let notes = Notes::open(folder.path(), &place.resource).unwrap();
        notes
            .add(&place, &["GPU-0-lost".to_owned(), uuid.clone()])
            .unwrap();
        let tools = Tools {
            control: PathBuf::from("nvidia-cuda-mps-control"),
            shared_memory: place.shared_memory(),
            cuda: None,
        };
        let gpus = Gpus::start(node.load(), Liveness::new(std::time::Duration::MAX)).unwrap();
        let mut supervisor = Supervisor::new(tools, place, gpus, notes, Box::new(|_| {}));
        assert!(supervisor.restore().await.is_err());
        let mode = node.world().gpu(&uuid).compute_mode;
        assert_eq!(mode, Some(ComputeMode::Default));
        let kept = supervisor.notes.read().unwrap();
        assert!(kept.is_some(), "the lost one is tried again");
    }
}
