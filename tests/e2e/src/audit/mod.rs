//! The API server's own record of who wrote what.

mod query;
mod record;

use std::fs;
use std::path::PathBuf;

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::PostParams;

pub use query::{Mark, Query};
pub use record::{ObjectRef, Record};

use crate::eventually::{Look, PATIENCE, eventually};
use crate::{Error, Result};

/// The audit log of a bed: every write of everybody but KWOK, the scheduler and the fleet; with the
/// request's body for nodes, evictions, config maps, leases and our own kinds.
#[derive(Clone, Debug)]
pub struct Audit(PathBuf);

impl Audit {
    pub(crate) fn new(file: PathBuf) -> Self {
        Self(file)
    }

    /// All that has been recorded, oldest first, whatever came of it.
    ///
    /// # Errors
    /// A line that is not an event of the audit log.
    pub fn records(&self) -> Result<Vec<Record>> {
        let bytes = fs::read(&self.0).map_err(Error::file("read", &self.0))?;
        let text = String::from_utf8_lossy(&bytes);
        // The last line may be half written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole
            .lines()
            .map(|line| {
                serde_json::from_str(line).map_err(|wrong| Error::Malformed {
                    what: format!("{} has the line {line}", self.0.display()),
                    wrong: wrong.to_string(),
                })
            })
            .collect()
    }

    /// Now, for [`Query::since`]: everything answered before this call is before the mark.
    ///
    /// The log is written after the answer, so this writes something itself (a dry run) and waits
    /// until it is in the log.
    pub async fn mark(&self, client: &kube::Client) -> Result<Mark> {
        let namespaces: Api<Namespace> = Api::all(client.clone());
        let name = format!("mark-{}", self.records()?.len());
        let mut mark = Namespace::default();
        mark.metadata.name = Some(name.clone());
        let dry = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        let made = namespaces.create(&dry, &mark).await;
        made.map_err(Error::api("mark the audit log"))?;
        eventually("the mark is in the audit log", PATIENCE, async || {
            let records = self.records()?;
            let found = records.iter().rposition(|r| r.object.name == name);
            Ok(match found {
                Some(index) => Look::Done(Mark(index + 1)),
                None => Look::NotYet(format!("{} records", records.len())),
            })
        })
        .await
    }

    /// What a query selects from all that is recorded once everything answered so far is in the log.
    pub async fn settled(&self, client: &kube::Client, query: &Query) -> Result<Vec<Record>> {
        let Mark(end) = self.mark(client).await?;
        let mut records = self.records()?;
        records.truncate(end - 1);
        Ok(query.select(records))
    }

    /// What a query selects from all that is recorded now.
    pub fn find(&self, query: &Query) -> Result<Vec<Record>> {
        Ok(query.select(self.records()?))
    }
}
