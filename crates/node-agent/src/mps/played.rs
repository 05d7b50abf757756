//! A supervisor that does at once what it is ordered, or cannot.

use std::path::{Path, PathBuf};
use std::time::Duration;

use plan::mps::{Setup, Stage};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use super::event::Event;
use super::handle::{Ground, Mps, Order};
use super::note::Notes;
use super::place::Place;
use super::report::Report;
use super::supervisor::Tools;

/// The daemon that is played. It stays as it is while nobody plays it.
pub struct PlayedDaemon {
    orders: watch::Receiver<Order>,
    report: watch::Sender<Report>,
    player: Option<JoinHandle<()>>,
}

/// A daemon, and the agent's end of it, with its directories in this folder.
pub fn played(folder: &Path) -> (Mps, PlayedDaemon) {
    let place = Place {
        root: folder.join("mps"),
        resource: "nvidia.com/gpu".to_owned(),
    };
    std::fs::create_dir_all(place.shared_memory()).unwrap();
    let ground = Ground {
        tools: Tools {
            control: PathBuf::from("nvidia-cuda-mps-control"),
            shared_memory: place.shared_memory(),
            cuda: None,
        },
        mark: Notes::mark_in(folder, &place.resource),
        place,
    };
    let (ordered, orders) = watch::channel(Order::default());
    let (report, heard) = watch::channel(Report::default());
    let daemon = PlayedDaemon {
        orders,
        report,
        player: None,
    };
    (Mps::new(Some(ground), ordered, heard), daemon)
}

impl PlayedDaemon {
    /// From now on it does what it is ordered; `works`: or is given up each time.
    pub fn plays(&mut self, works: bool) {
        if let Some(player) = self.player.take() {
            player.abort();
        }
        let (orders, report) = (self.orders.clone(), self.report.clone());
        self.player = Some(tokio::spawn(play(orders, report, works)));
    }

    /// What it was ordered last.
    pub fn ordered(&self) -> Option<Setup> {
        self.orders.borrow().setup.clone()
    }

    /// Something happens to it.
    pub fn tells(&self, event: &Event) {
        let now = jiff::Timestamp::now();
        self.report.send_modify(|report| {
            report.hear(event, now);
        });
    }

    /// It was killed.
    pub fn dies(&self) {
        let gpus = self.ordered().map_or_else(Vec::new, |setup| setup.gpus);
        let status = "signal: 9 (SIGKILL)".to_owned();
        self.tells(&Event::DaemonEnded { status, gpus });
    }
}

async fn play(mut orders: watch::Receiver<Order>, report: watch::Sender<Report>, works: bool) {
    loop {
        let order = orders.borrow_and_update().clone();
        let is_idle = order.setup.is_none();
        let stage = stage(order.setup, works);
        report.send_modify(|report| {
            report.hear(&Event::Stage { stage, pid: None }, jiff::Timestamp::now());
            (report.answers, report.is_idle) = (order.number, is_idle);
        });
        if orders.changed().await.is_err() {
            return;
        }
    }
}

fn stage(setup: Option<Setup>, works: bool) -> Stage {
    let (heard, deadline) = (Duration::ZERO, Duration::ZERO);
    match setup {
        None => Stage::Absent,
        Some(setup) if works => Stage::Running { setup, heard },
        Some(setup) => Stage::CrashLooping { setup, deadline },
    }
}
