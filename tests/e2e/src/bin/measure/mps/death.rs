//! One death.

use std::collections::BTreeSet;

use e2e::{Look, Program, Query, eventually};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use rustix::process::{Pid, getuid};

use super::served::{NODE, Served};
use crate::ground::{LONG, Result, between};

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// The control daemon.
    Daemon,
    /// The server, which the daemon has started for its clients.
    Server,
    /// The node's agent. It is started again at once.
    Agent,
}

impl Victim {
    /// For a person.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Daemon => "daemon",
            Self::Server => "server",
            Self::Agent => "agent",
        }
    }

    /// The reason of the Event.
    const fn reason(self) -> &'static str {
        match self {
            Self::Daemon | Self::Agent => "MpsDaemonDied",
            Self::Server => "MpsServerDied",
        }
    }
}

/// What a death has cost, counted from the kill.
pub struct Cost {
    /// Until the agent noticed.
    pub noticed: SignedDuration,
    /// Until the Event was written.
    pub told: SignedDuration,
    /// Until a daemon answered that has its limits: another one, if the old one was to die.
    pub served: SignedDuration,
    /// The compute modes of the GPUs at once after the kill, and when they are served again.
    pub modes: (String, String),
}

impl Served {
    /// Kills it, and waits until everything is as before.
    pub async fn death(&mut self, of: Victim) -> Result<Cost> {
        let (server, daemons) = (self.server()?, self.mps()?.daemons());
        let known = self.told(of).await?;
        let at = Timestamp::now();
        match of {
            Victim::Daemon => self.mps()?.kill(&daemons),
            Victim::Server => self.mps()?.kill(&[server]),
            Victim::Agent => self.agent()?.kill(),
        }
        let then = self.modes()?;
        if of == Victim::Agent {
            let client = self.ground.cluster.client.clone();
            self.agent()?.start(&client).await?;
        }
        let again = self.served_again(of, &daemons).await?;
        let told = self.news(of, &known).await?;
        let noticed = self.noticed(at).await?;
        Ok(Cost {
            noticed: between(at, noticed),
            told: between(at, told),
            served: between(at, again),
            modes: (then, self.modes()?),
        })
    }

    /// A server, started as for the first client of a user.
    fn server(&self) -> Result<Pid> {
        let mps = self.mps()?;
        let user = getuid().as_raw();
        let asked = mps.ask_gpu(&format!("start_server -uid {user}"));
        asked.ok_or("the daemon does not start a server")?;
        let listed = mps.ask_gpu("get_server_list").unwrap_or_default();
        let first = listed
            .lines()
            .next()
            .and_then(|pid| pid.trim().parse().ok());
        let first = first.and_then(Pid::from_raw);
        Ok(first.ok_or_else(|| format!("the daemon lists no server: {listed}"))?)
    }

    fn agent(&mut self) -> Result<&mut Program> {
        Ok(self
            .ground
            .cluster
            .agent(NODE)
            .ok_or("the node has no agent")?)
    }

    /// When a daemon answers, another one if it is not only a server that has died.
    async fn served_again(&self, of: Victim, daemons: &[Pid]) -> Result<Timestamp> {
        let mps = self.mps()?;
        let served = eventually("clients can be served again", LONG, async || {
            let is_right = of == Victim::Server || mps.daemons() != daemons;
            Ok(if is_right && self.answers().is_ok_and(|it| it) {
                Look::Done(Timestamp::now())
            } else {
                Look::NotYet(format!("daemons {:?}", mps.daemons()))
            })
        });
        Ok(served.await?)
    }

    /// When the API server got an Event that was not known.
    async fn news(&self, of: Victim, known: &BTreeSet<String>) -> Result<Timestamp> {
        let cluster = &self.ground.cluster;
        let name = eventually("the death is told", LONG, async || {
            let told = self.told(of).await?;
            let mut news = told.difference(known).cloned();
            Ok(news
                .next()
                .map_or_else(|| Look::NotYet(format!("{told:?}")), Look::Done))
        })
        .await?;
        let (audit, query) = (cluster.bed.audit(), Query::writes().named(&name));
        let records = audit.settled(&cluster.client, &query).await?;
        Ok(records
            .first()
            .ok_or("the Event is not in the audit log")?
            .received)
    }

    /// Names of the Events about such deaths.
    async fn told(&self, of: Victim) -> e2e::Result<BTreeSet<String>> {
        let events: Api<Event> = Api::default_namespaced(self.ground.cluster.client.clone());
        let events = events.list(&ListParams::default()).await;
        let events = events.map_err(e2e::Error::api("list events"))?.into_iter();
        let such = events.filter(|event| event.reason.as_deref() == Some(of.reason()));
        Ok(such.map(|event| event.name_any()).collect())
    }
}
