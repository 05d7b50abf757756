//! How soon one replica of the operator goes on when the one that leads ends or dies.

use e2e::{Look, Mark, Program, Query, Record, eventually};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use serde_json::json;

use crate::ground::{Ground, LONG, Result, between, mig, node};
use crate::page::Page;

/// How often each way.
const TIMES: usize = 5;
/// The object that the replicas hold in turn.
const LEASE: &str = "gpu-sharing-operator";

/// How the leader goes.
#[derive(Clone, Copy)]
enum End {
    /// SIGTERM: it gives the lease back.
    Asked,
    /// SIGKILL: nobody hears of it.
    Killed,
}

/// Two replicas with the settings that users have.
struct Replicas {
    ground: Ground,
    leader: (&'static str, Program),
    standby: (&'static str, Program),
    /// How often they have changed places.
    changes: i32,
}

/// Measures both ends again and again.
pub async fn measure(page: &Page) -> Result<()> {
    let mut replicas = Replicas::start().await?;
    let lasts = replicas.lease_seconds().await?;
    page.headline(&format!("From the end of the leading operator, {TIMES} times each way, with its lease of {lasts} s, to"));
    for (end, word) in [(End::Asked, "asked to end"), (End::Killed, "killed")] {
        let (mut led, mut wrote) = (Vec::new(), Vec::new());
        for _ in 0..TIMES {
            let (leads, writes) = replicas.change_places(end).await?;
            led.push(leads);
            wrote.push(writes);
        }
        page.spread(&format!("{word}: the other's lease"), &led);
        page.spread(&format!("{word}: its first write"), &wrote);
    }
    Ok(())
}

impl Replicas {
    async fn start() -> Result<Self> {
        let mut ground = Ground::install([node("n1")]).await?;
        let client = ground.cluster.client.clone();
        for agent in ground.cluster.agents.values_mut() {
            agent.start(&client).await?;
        }
        let replica = |name: &'static str| -> Result<_> {
            let program = Program::operator(&ground.cluster.bed, name)?;
            Ok((name, program.arg("--pod-name", name)))
        };
        let (mut leader, mut standby) = (replica("first")?, replica("second")?);
        leader.1.start(&client).await?;
        leader.1.wait_ready().await?;
        let policy = ground.create_policy(&mig("{1g.5gb: 7}")).await?;
        ground.in_sync("n1", &policy).await?;
        standby.1.start(&client).await?;
        standby.1.wait_ready().await?;
        Ok(Self {
            ground,
            leader,
            standby,
            changes: 0,
        })
    }

    async fn lease_seconds(&self) -> Result<i32> {
        let client = self.ground.cluster.client.clone();
        let leases: Api<Lease> = Api::namespaced(client, e2e::NAMESPACE);
        let spec = leases.get(LEASE).await?.spec;
        Ok(spec
            .and_then(|spec| spec.lease_duration_seconds)
            .ok_or("the lease has no duration")?)
    }

    /// The leader goes, the standby takes over and has something to do, and who went is the next standby. How long it took
    /// the other to lead, and to write something that is not the lease.
    async fn change_places(&mut self, end: End) -> Result<(SignedDuration, SignedDuration)> {
        let mark = self.ground.mark().await?;
        let gone = Timestamp::now();
        match end {
            End::Asked => {
                self.leader.1.ask_to_end()?;
                self.leader.1.wait_ended().await?;
            }
            End::Killed => self.leader.1.kill(),
        }
        // Whoever leads next has to look at it, and says so in the policy's status.
        self.changes += 1;
        let news = json!({"priority": self.changes});
        self.ground.change_policy(news).await?;
        let (leads, writes) = self.taken_over(mark).await?;
        std::mem::swap(&mut self.leader, &mut self.standby);
        self.standby.1.start(&self.ground.cluster.client).await?;
        self.standby.1.wait_ready().await?;
        Ok((between(gone, leads), between(gone, writes)))
    }

    /// When the standby took the lease, and when it first wrote anything else.
    async fn taken_over(&self, since: Mark) -> Result<(Timestamp, Timestamp)> {
        let audit = self.ground.cluster.bed.audit();
        let what = format!("{} goes on", self.standby.0);
        let found = eventually(&what, LONG, async || {
            let records = audit.find(&Query::writes().since(since).accepted())?;
            let lease = records.iter().find(|record| self.is_taking(record));
            let write = lease.and_then(|lease| {
                let mut writes = records.iter();
                let is = |it: &&Record| {
                    it.credential == lease.credential && it.object.resource != "leases"
                };
                writes.find(is)
            });
            Ok(match (lease, write) {
                (Some(lease), Some(write)) => Look::Done((lease.received, write.received)),
                (lease, _) => Look::NotYet(format!("{lease:?}")),
            })
        });
        Ok(found.await?)
    }

    /// Whether the standby takes the lease by this write.
    fn is_taking(&self, record: &Record) -> bool {
        let holder = record.request["spec"]["holderIdentity"].as_str();
        let pod = holder.and_then(|holder| holder.split_once('_'));
        record.object.name == LEASE && pod.is_some_and(|(pod, _)| pod == self.standby.0)
    }
}
