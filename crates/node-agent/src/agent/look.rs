//! One look: everything is read, something is done, and told.

use plan::reason::Reason;
use tracing::{info, warn};

use super::{Agent, LONGEST, Next, POLL, SOON, view::View};
use crate::api::Known;
use crate::decide::status::Unready;
use crate::driver::DriverError;
use crate::engine::{Engine, EngineError};
use crate::journal::{Journal, JournalError, Stage};
use crate::observation::{Observation, boot_id};

impl Agent {
    /// One look. A journal that cannot be written is opened again at the next one: everything that was about to be
    /// written is decided afresh.
    ///
    /// # Errors
    /// Nobody answers for the driver any more.
    pub(super) async fn look(&mut self) -> Result<Next, DriverError> {
        match self.look_once().await {
            Ok(next) => Ok(next),
            Err(EngineError::Driver(gone)) => Err(gone),
            Err(EngineError::Journal(error)) => {
                self.engine = None;
                let unready = self.no_journal(&error);
                self.complain(Some(&unready));
                self.report_blind(Some(&unready)).await;
                Ok(Next::After(SOON))
            }
        }
    }

    async fn look_once(&mut self) -> Result<Next, EngineError> {
        let journal = self.open_journal();
        if let Some(engine) = &self.engine {
            self.kept = engine.kept()?;
        }
        self.hear().await;
        let seen = self.observe().await?;
        let unready = match &seen {
            Ok(seen) => journal.or_else(|| unknown_holders(seen)),
            Err(unready) => Some(unready.clone()),
        };
        self.complain(unready.as_ref());
        let Ok(seen) = seen else {
            return self.look_blind(unready).await;
        };
        let (say, next) = self.operate(&seen, unready.as_ref()).await?;
        self.report(&seen, unready.as_ref(), say, next).await;
        Ok(next)
    }

    /// The GPUs cannot be read: the last that is known of them stands, and `Ready` says that it is not so any more.
    async fn look_blind(&mut self, unready: Option<Unready>) -> Result<Next, EngineError> {
        self.failures = self.failures.saturating_add(1);
        self.report_blind(unready.as_ref()).await;
        if self.is_under_way() {
            return Ok(Next::After(SOON));
        }
        let wait = POLL.saturating_mul(2_u32.saturating_pow(self.failures - 1));
        Ok(Next::After(wait.min(LONGEST)))
    }

    /// What the operator asks for. An intent is resolved by what the `GpuNode` itself says.
    async fn hear(&mut self) {
        if self.view.is_none() || self.known.has_changed().unwrap_or(false) {
            let known = self.known.borrow_and_update().clone();
            match known {
                Known::Unknown => {}
                Known::Absent => (self.view, self.absent) = (None, true),
                Known::Found(object) => match &mut self.view {
                    Some(view) => view.hear(*object),
                    None => self.view = Some(View::of(*object)),
                },
            }
        }
        if self.is_intended() {
            match self.api.get().await {
                Ok(object) => self.view = Some(View::of(object)),
                Err(error) => self.api_failed(&error),
            }
        }
    }

    fn open_journal(&mut self) -> Option<Unready> {
        if self.engine.is_none() {
            match Journal::open(&self.paths.journal) {
                Ok(journal) => {
                    let (gpus, mps) = (self.gpus.clone(), self.mps.clone());
                    let metrics = self.metrics.clone();
                    self.engine = Some(Engine::new(gpus, journal, mps, metrics));
                }
                Err(error) => return Some(self.no_journal(&error)),
            }
        }
        self.gates.journal.open();
        None
    }

    /// Reads the driver, the kubelet and the boot id. The inner error says why the GPUs are not known.
    async fn observe(&mut self) -> Result<Result<Observation, Unready>, EngineError> {
        let inventory = match self.gpus.inventory().await {
            Ok(inventory) if inventory.gpus.is_empty() => return Ok(Err(self.no_gpus())),
            Ok(inventory) => inventory,
            Err(DriverError::Driver(error)) => return Ok(Err(self.no_driver(&error))),
            Err(gone @ DriverError::Gone) => return Err(gone.into()),
        };
        self.gates.driver.open();
        self.failures = 0;
        let boot_id = match boot_id(&self.paths.boot_id) {
            Ok(boot_id) => boot_id,
            Err(error) => {
                let message = process::Chain(&error).to_string();
                let reason = Reason::BootIdUnreadable;
                return Ok(Err(Unready { reason, message }));
            }
        };
        let unknown = self.read_holders().await;
        let sharing = self.sharing(&inventory.gpus);
        let record = self.engine.as_ref().map(Engine::record);
        let seen = Observation::new(boot_id, inventory, &self.holders, unknown, record);
        let seen = seen.shared(sharing);
        self.note_death(&seen);
        self.metrics.seen(&seen.gpus);
        Ok(Ok(seen))
    }

    /// Why holders are not known, if so. Then those that were known last stand.
    async fn read_holders(&mut self) -> Option<String> {
        match self.kubelet.holders().await {
            Ok(holders) => {
                self.holders = holders;
                self.gates.kubelet.open();
                None
            }
            Err(error) => {
                self.metrics.read_failed("kubelet");
                let message = process::Chain(&error).to_string();
                self.gates.kubelet.close(&message);
                Some(message)
            }
        }
    }

    fn no_journal(&self, error: &JournalError) -> Unready {
        self.metrics.read_failed("journal");
        let message = process::Chain(error).to_string();
        self.gates.journal.close(&message);
        let reason = error.reason();
        Unready { reason, message }
    }

    fn no_driver(&self, error: &gpu::Error) -> Unready {
        self.metrics.read_failed("driver");
        let message = error.to_string();
        self.gates.driver.close(&message);
        let reason = Reason::NoDriver;
        Unready { reason, message }
    }

    fn no_gpus(&self) -> Unready {
        self.metrics.seen(&[]);
        let message = "the driver shows no GPU; if the node has one, see `nvidia-smi` and the kernel's log, otherwise \
                       keep the agent off this node with its node selector";
        self.gates.driver.close(message);
        Unready {
            reason: Reason::NoGpus,
            message: message.to_owned(),
        }
    }

    /// Logs each complaint once, and its end.
    fn complain(&mut self, unready: Option<&Unready>) {
        let complaint = unready.map(|unready| unready.message.clone());
        if complaint == self.complaint {
            return;
        }
        if let Some(message) = &complaint {
            warn!("not ready: {message}");
        } else {
            info!("the driver answers, and who holds the GPUs is known");
        }
        self.complaint = complaint;
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.stage().is_some_and(Stage::is_under_way)
    }

    fn is_intended(&self) -> bool {
        self.stage() == Some(&Stage::Intended)
    }

    fn stage(&self) -> Option<&Stage> {
        let task = self.engine.as_ref()?.record().operation.as_ref()?;
        Some(&task.stage)
    }
}

fn unknown_holders(seen: &Observation) -> Option<Unready> {
    seen.holders().err().map(|message| Unready {
        reason: Reason::HoldersUnknown,
        message: message.to_owned(),
    })
}
