//! Every version of some objects, in order: for tests about what happened in between.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use kube::api::ListParams;
use kube::runtime::watcher::{Config, Event, watcher};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::eventually::{Look, PATIENCE, eventually};
use crate::{Error, Result};

/// One version of an object, or its end.
#[derive(Clone, Debug)]
pub enum Change<K> {
    /// It was so when the history began, or became so.
    Is(K),
    /// It is gone; so it was.
    Gone(K),
}

/// What a watch has seen since it began. It ends when dropped.
#[derive(Debug)]
pub struct History<K> {
    seen: Arc<Mutex<Vec<Change<K>>>>,
    task: JoinHandle<()>,
    api: Api<K>,
    selector: String,
}

impl<K> History<K>
where
    K: Resource<DynamicType: Clone + Debug> + Clone + Debug + DeserializeOwned + Send + 'static,
{
    /// Begins with the objects as they are now; `selector` is a field selector such as
    /// `metadata.name=n1`, empty for all.
    pub async fn of(api: Api<K>, selector: &str) -> Result<Self> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (listed, mut complete) = watch::channel(false);
        let into = seen.clone();
        let changes = watcher(api.clone(), Config::default().fields(selector));
        let task = tokio::spawn(changes.for_each(move |event| {
            record(&into, &listed, event);
            std::future::ready(())
        }));
        let ended = |_| Error::Malformed {
            what: "the watch for a history".to_owned(),
            wrong: "it ended".to_owned(),
        };
        complete
            .wait_for(|complete| *complete)
            .await
            .map_err(ended)?;
        Ok(Self {
            seen,
            task,
            api,
            selector: selector.to_owned(),
        })
    }

    /// Everything up to this moment, oldest first: a watch tells of a change some time after it was made.
    pub async fn up_to_now(&self) -> Result<Vec<Change<K>>> {
        let only = ListParams::default().fields(&self.selector);
        let what = "list the objects that a history is of";
        let now = self.api.list(&only).await.map_err(Error::api(what))?;
        eventually("the watch tells of what is there", PATIENCE, async || {
            let so_far = self.so_far();
            let behind = now.iter().find(|object| !tells_of(&so_far, *object));
            Ok(match behind {
                None => Look::Done(so_far),
                Some(object) => Look::NotYet(format!("nothing yet of {:?}", object.meta())),
            })
        })
        .await
    }

    /// All that the watch has told so far, oldest first.
    pub fn so_far(&self) -> Vec<Change<K>> {
        let seen = self.seen.lock();
        seen.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One value of each version up to this moment, equal neighbours once.
    pub async fn steps<T: PartialEq>(&self, mut value: impl FnMut(&K) -> T) -> Result<Vec<T>> {
        let mut steps: Vec<T> = self
            .up_to_now()
            .await?
            .iter()
            .filter_map(|change| match change {
                Change::Is(object) => Some(value(object)),
                Change::Gone(_) => None,
            })
            .collect();
        steps.dedup();
        Ok(steps)
    }

    /// Waits until the history has a version that satisfies the condition.
    pub async fn until(&self, what: &str, mut condition: impl FnMut(&K) -> bool) -> Result<()> {
        eventually(what, PATIENCE, async || {
            let so_far = self.so_far();
            let mut is = |change: &Change<K>| match change {
                Change::Is(object) => condition(object),
                Change::Gone(_) => false,
            };
            Ok(if so_far.iter().any(&mut is) {
                Look::Done(())
            } else {
                Look::NotYet(format!("{:?}", so_far.last()))
            })
        })
        .await
    }
}

impl<K> Drop for History<K> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whether these tell of an object as it is, or as it became later.
fn tells_of<K: Resource>(changes: &[Change<K>], object: &K) -> bool {
    let version = |of: &K| {
        let version = of.meta().resource_version.as_deref();
        version.and_then(|version| version.parse::<u64>().ok())
    };
    changes.iter().any(|change| match change {
        Change::Is(other) | Change::Gone(other) => {
            other.meta().uid == object.meta().uid && version(other) >= version(object)
        }
    })
}

fn record<K>(
    into: &Mutex<Vec<Change<K>>>,
    listed: &watch::Sender<bool>,
    event: Result<Event<K>, kube::runtime::watcher::Error>,
) {
    let mut seen = into.lock().unwrap_or_else(PoisonError::into_inner);
    match event {
        Ok(Event::InitApply(object) | Event::Apply(object)) => seen.push(Change::Is(object)),
        Ok(Event::Delete(object)) => seen.push(Change::Gone(object)),
        Ok(Event::InitDone) => drop(listed.send_replace(true)),
        // The watcher begins again by itself after an error.
        Ok(Event::Init) | Err(_) => {}
    }
}
