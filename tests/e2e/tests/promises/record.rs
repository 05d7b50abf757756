//! Who wrote what, by the API server's audit log.

use std::time::Duration;

use e2e::{Look, Mark, Query, Record, eventually};
use jiff::Timestamp;

use crate::scene::{LONG, Scene};

/// The operator's service account.
const OPERATOR: &str = ":gpu-sharing-operator";
/// The agents' service account.
const AGENT: &str = ":gpu-sharing-agent";
/// Nothing is written for so long: everybody has finished.
const QUIET: Duration = Duration::from_secs(2);

/// How long a node was out of service because of us, by the API server's clock.
#[derive(Debug)]
pub struct Outage {
    /// The node.
    pub node: String,
    /// When its cordon arrived.
    pub from: Timestamp,
    /// When its uncordon was answered.
    pub to: Timestamp,
}

impl Scene {
    /// Now.
    pub async fn mark(&self) -> Mark {
        let audit = self.cluster.bed.audit();
        audit.mark(&self.cluster.client).await.unwrap()
    }

    /// What a query selects, from all that is answered by now.
    pub async fn written(&self, query: Query) -> Vec<Record> {
        let audit = self.cluster.bed.audit();
        audit.settled(&self.cluster.client, &query).await.unwrap()
    }

    /// What the operator has written since the mark, its lease and events aside.
    pub async fn operator_writes(&self, since: Mark) -> Vec<Record> {
        let query = Query::writes().since(since).by(OPERATOR);
        self.written(query.except("leases").except("events")).await
    }

    /// What the operator and the agents have written since the mark, the lease aside.
    pub async fn product_writes(&self, since: Mark) -> Vec<Record> {
        let query = |user| Query::writes().since(since).by(user).except("leases");
        let mut all = self.written(query(OPERATOR)).await;
        all.extend(self.written(query(AGENT)).await);
        all
    }

    /// The operator's cordons since the mark, of whatever node.
    pub async fn cordons(&self, since: Mark) -> Vec<Record> {
        let mut writes = self.operator_writes(since).await;
        writes.retain(is_cordon);
        writes
    }

    /// The times that nodes were out of service since the mark and are over, in the order of their cordons.
    pub async fn outages(&self, since: Mark) -> Vec<Outage> {
        let mut writes = self.operator_writes(since).await;
        writes.retain(Record::took_effect);
        let end = |cordon: &Record, later: &[Record]| {
            let is_its = |it: &&Record| is_uncordon(it) && it.object.name == cordon.object.name;
            later.iter().find(is_its).map(|it| it.answered)
        };
        let cordons = writes.iter().enumerate().filter(|(_, it)| is_cordon(it));
        let outages = cordons.filter_map(|(index, cordon)| {
            Some(Outage {
                node: cordon.object.name.clone(),
                from: cordon.received,
                to: end(cordon, &writes[index..])?,
            })
        });
        outages.collect()
    }

    /// Evictions that the API server accepted since the mark: the names of the pods, in order.
    pub async fn evicted(&self, since: Mark) -> Vec<String> {
        let query = Query::writes().since(since).to("pods/eviction").accepted();
        let records = self.written(query).await;
        records
            .into_iter()
            .map(|record| record.object.name)
            .collect()
    }

    /// Waits until operator and agents have nothing more to write for now.
    pub async fn quiet(&self) -> Mark {
        eventually("nobody writes", LONG, async || {
            let mark = self.mark().await;
            tokio::time::sleep(QUIET).await;
            let writes = self.product_writes(mark).await;
            Ok(if writes.is_empty() {
                Look::Done(mark)
            } else {
                Look::NotYet(told(&writes))
            })
        })
        .await
        .unwrap()
    }
}

/// Whether the write makes a node unschedulable.
pub fn is_cordon(record: &Record) -> bool {
    record.object.resource == "nodes" && record.request["spec"]["unschedulable"] == true
}

fn is_uncordon(record: &Record) -> bool {
    record.object.resource == "nodes" && record.request["spec"]["unschedulable"] == false
}

/// Writes in few words.
pub fn told(records: &[Record]) -> String {
    let told = |record: &Record| {
        let object = &record.object;
        let user = record.user.rsplit(':').next().unwrap_or_default();
        format!(
            "{user} {} {}/{} {}: {} {}",
            record.verb,
            object.resource,
            object.subresource,
            object.name,
            record.code,
            record.request
        )
    };
    records.iter().map(told).collect::<Vec<_>>().join("\n")
}
