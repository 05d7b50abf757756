//! One cluster with simulated GPUs, for a test or the demo.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::PostParams;
use kube::{Api, Client};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::sync::OnceCell;

use crate::audit::Audit;
use crate::control_plane::{Component, ControlPlane, Identity};
use crate::eventually::{Look, PATIENCE, eventually, wait_for};
use crate::http_get::http_get;
use crate::watchdog::Watchdog;
use crate::{Error, Result};

/// A port that was free may be taken before it is used.
const ATTEMPTS: usize = 3;
/// More than the API server needs to answer what is under way.
const ANSWERED: Duration = Duration::from_secs(2);

/// A control plane in a folder of its own.
///
/// Dropping it kills everything and removes the folder; so does the end of the process, however it
/// comes. The folder with all logs stays, and its path is printed, if the test panics or the
/// environment says `KEEP=1`.
#[derive(Debug)]
pub struct Bed {
    folder: PathBuf,
    // Before the watchdog: what it would kill is then gone already.
    plane: Mutex<ControlPlane>,
    watchdog: Mutex<Watchdog>,
}

impl Bed {
    /// Starts a cluster without nodes. About 5 s and 510 MiB.
    ///
    /// # Errors
    /// The program that did not start, with the end of its log.
    pub async fn start() -> Result<Self> {
        let mut attempt = 1;
        loop {
            match Self::try_start().await {
                Err(error) if attempt < ATTEMPTS && is_taken_port(&error) => attempt += 1,
                result => return result,
            }
        }
    }

    /// The one bed of this process, started by whoever asks first: for tests that keep to their own
    /// nodes and namespaces. It ends with the process.
    pub async fn shared() -> Result<Guest> {
        static SHARED: OnceCell<Bed> = OnceCell::const_new();
        SHARED.get_or_try_init(Self::start).await.map(Guest)
    }

    async fn try_start() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("gpu-bed-").tempdir();
        let folder = folder.map_err(Error::file("create a folder in", std::env::temp_dir()))?;
        let folder = folder.keep();
        let mut watchdog = Watchdog::start(&folder)?;
        let plane = match ControlPlane::start(&folder, &mut watchdog).await {
            Ok(plane) => plane,
            Err(error) => {
                if !is_taken_port(&error) {
                    keep(&mut watchdog, &folder);
                }
                return Err(error);
            }
        };
        let bed = Self {
            folder,
            plane: Mutex::new(plane),
            watchdog: Mutex::new(watchdog),
        };
        nvml_sim::install(&bed.driver())?;
        bed.namespace_is_usable("default").await?;
        Ok(bed)
    }

    /// Its folder: `logs`, `audit.log`, `kube/admin` (a kubeconfig), `nodes`, `programs`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder with the simulated driver library, for `LD_LIBRARY_PATH`.
    pub fn driver(&self) -> PathBuf {
        self.folder.join("driver")
    }

    /// A new client with all rights, on the calling runtime. Requests are not repeated.
    pub async fn client(&self) -> Result<Client> {
        self.client_of(Identity::Admin).await
    }

    /// A new client of somebody.
    pub async fn client_of(&self, identity: Identity) -> Result<Client> {
        identity.client(&self.folder).await
    }

    /// The kubeconfig of the administrator, for kubectl.
    pub fn kubeconfig(&self) -> PathBuf {
        Identity::Admin.kubeconfig(&self.folder)
    }

    /// Where the API server is: `https://127.0.0.1:PORT`.
    pub fn server(&self) -> String {
        self.plane().server()
    }

    /// Who wrote what so far.
    pub fn audit(&self) -> Audit {
        Audit::new(self.folder.join("audit.log"))
    }

    /// Freezes a component (SIGSTOP): it is there and does not answer.
    pub fn pause(&self, component: Component) -> Result<()> {
        self.plane().pause(component)
    }

    /// Lets a frozen component go on.
    pub fn resume(&self, component: Component) -> Result<()> {
        self.plane().resume(component)
    }

    /// Ends the API server, starts it again, and waits until it answers.
    ///
    /// It is asked first, and answers what it has been asked: its audit log is whole. Then it is killed, for it would wait
    /// a minute for those who watch.
    pub async fn restart_api_server(&self) -> Result<()> {
        let running = self.plane().take_api_server();
        if let Some(mut child) = running {
            match child.terminate(ANSWERED).await {
                Ok(_) | Err(Error::Timeout { .. }) => child.kill(),
                Err(error) => return Err(error),
            }
        }
        let url = self.plane().start_api_server(&mut lock(&self.watchdog))?;
        eventually("the API server answers again", PATIENCE, async || {
            Ok(match http_get(&url).await {
                Ok(_) => Look::Done(()),
                Err(error) => Look::NotYet(format!("{error:?}")),
            })
        })
        .await
    }

    /// The process group that ends with the bed.
    pub fn group(&self) -> Option<Pid> {
        self.plane().group()
    }

    /// Keeps the folder when the bed ends, and prints where it is.
    pub fn keep(&self) {
        keep(&mut lock(&self.watchdog), &self.folder);
    }

    /// Creates a namespace and waits until pods may be created in it.
    pub async fn create_namespace(&self, name: &str) -> Result<()> {
        let namespaces: Api<Namespace> = Api::all(self.client().await?);
        let mut namespace = Namespace::default();
        namespace.metadata.name = Some(name.to_owned());
        let made = namespaces.create(&PostParams::default(), &namespace).await;
        made.map_err(Error::api(format!("create namespace {name}")))?;
        self.namespace_is_usable(name).await
    }

    /// Waits until pods may be created in a namespace: it needs its default service account.
    pub async fn namespace_is_usable(&self, namespace: &str) -> Result<()> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client().await?, namespace);
        wait_for(&accounts, "default", "the service account exists", |_| true)
            .await
            .map(drop)
    }

    /// Ends the programs one by one, in the reverse order of their start, as an administrator would.
    ///
    /// # Errors
    /// The first that does not end by itself; dropping the bed kills it.
    pub async fn stop(&self) -> Result<()> {
        let running = self.plane().take_running();
        ControlPlane::stop(running).await?;
        lock(&self.watchdog).forget();
        Ok(())
    }

    fn plane(&self) -> MutexGuard<'_, ControlPlane> {
        lock(&self.plane)
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if is_to_be_kept() {
            self.keep();
        }
        // While its leader has not been waited for, the id of the group is nobody else's.
        if let Some(group) = self.group() {
            // Fails only if nobody is left in it.
            let _ = kill_process_group(group, Signal::KILL);
            lock(&self.watchdog).forget();
        }
    }
}

/// A test's part in the shared bed. The bed is kept if the test panics.
#[derive(Debug)]
pub struct Guest(&'static Bed);

impl Deref for Guest {
    type Target = Bed;

    fn deref(&self) -> &Bed {
        self.0
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if is_to_be_kept() {
            self.keep();
        }
    }
}

fn is_to_be_kept() -> bool {
    std::thread::panicking() || std::env::var_os("KEEP").is_some_and(|keep| keep == "1")
}

fn keep(watchdog: &mut Watchdog, folder: &Path) {
    watchdog.keep();
    eprintln!("the bed's logs and state stay in {}", folder.display());
}

fn is_taken_port(error: &Error) -> bool {
    matches!(error, Error::Ended { tail, .. } if tail.contains("address already in use"))
}

/// A test that panicked while it held the lock leaves nothing half done in here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
