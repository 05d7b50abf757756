//! One cache: a store that a watch keeps current, and a broadcast of the changes in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use futures::stream::{self, Stream, StreamExt};
use kube::core::DeserializeGuard;
use kube::runtime::reflector::{self, ObjectRef, Store, store::Writer};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Resource, ResourceExt};
use process::Chain;
use process::admin::{Gate, Readiness};
use process::patience::{is_news, patiently};
use process::shutdown::Shutdown;
use serde::de::DeserializeOwned;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use tracing::{info, warn};

use super::Slim;

/// Changes that a slow listener may be behind by before it is told that anything may have changed.
const BACKLOG: usize = 1024;

/// What a cached kind must be able to do.
pub trait Cached:
    Resource<DynamicType = ()>
    + Slim
    + Clone
    + fmt::Debug
    + PartialEq
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
}

impl<K> Cached for K where
    K: Resource<DynamicType = ()>
        + Slim
        + Clone
        + fmt::Debug
        + PartialEq
        + DeserializeOwned
        + Send
        + Sync
        + 'static
{
}

/// A store that a [`Filler`] keeps current. Clones share it.
#[derive(Clone, Debug)]
pub struct Cache<K: Cached> {
    store: Store<K>,
    changes: broadcast::Sender<Change<K>>,
    /// Whether everything has been seen once.
    filled: watch::Sender<bool>,
}

/// What an object means that this version of the operator cannot read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is left alone; the others are not concerned.
    Alone,
    /// Decisions about the others would be wrong without it: begin with nothing.
    Blocks,
}

/// A change that can matter.
#[derive(Clone, Debug)]
pub struct Change<K> {
    /// The object's name.
    pub name: String,
    /// As it was; none if it is new.
    pub before: Option<Arc<K>>,
    /// As it is; none if it is gone.
    pub after: Option<Arc<K>>,
}

/// What keeps a [`Cache`] current.
pub struct Filler<K: Cached> {
    api: Api<DeserializeGuard<K>>,
    config: watcher::Config,
    writer: Writer<K>,
    cache: Cache<K>,
    gate: Gate,
    what: &'static str,
    unreadable: Unreadable,
    /// Names of objects that cannot be read.
    sick: BTreeSet<String>,
    /// What was there before a new list began.
    before_list: BTreeMap<String, Arc<K>>,
}

/// A cache of what `api` and `config` say, named `what` for people, and its filler.
pub fn new<K: Cached>(
    api: Api<DeserializeGuard<K>>,
    config: watcher::Config,
    readiness: &Readiness,
    what: &'static str,
    unreadable: Unreadable,
) -> (Cache<K>, Filler<K>) {
    let (store, writer) = reflector::store();
    let cache = Cache {
        store,
        changes: broadcast::Sender::new(BACKLOG),
        filled: watch::Sender::new(false),
    };
    let filler = Filler {
        api,
        config,
        writer,
        cache: cache.clone(),
        gate: readiness.gate(what),
        what,
        unreadable,
        sick: BTreeSet::new(),
        before_list: BTreeMap::new(),
    };
    (cache, filler)
}

impl<K: Cached> Cache<K> {
    /// For kube's `Controller`.
    pub fn store(&self) -> Store<K> {
        self.store.clone()
    }

    /// The object of this name, if its kind has no namespace.
    pub fn get(&self, name: &str) -> Option<Arc<K>> {
        self.store.get(&ObjectRef::new(name))
    }

    /// The object as it is kept, if it is.
    fn kept(&self, object: &K) -> Option<Arc<K>> {
        self.store.get(&ObjectRef::from_obj(object))
    }

    /// All objects, in no order.
    pub fn all(&self) -> Vec<Arc<K>> {
        self.store.state()
    }

    /// Completes when everything has been seen once.
    pub async fn filled(&self) {
        let mut filled = self.filled.subscribe();
        // The sender is ours, so it cannot have gone.
        drop(filled.wait_for(|filled| *filled).await);
    }

    /// Every change from now on; `None` where some were missed and anything may have changed.
    pub fn changes(&self) -> impl Stream<Item = Option<Change<K>>> + Send + 'static {
        stream::unfold(self.changes.subscribe(), |mut changes| async move {
            match changes.recv().await {
                Ok(change) => Some((Some(change), changes)),
                Err(RecvError::Lagged(_)) => Some((None, changes)),
                Err(RecvError::Closed) => None,
            }
        })
    }

    /// By name, for a comparison with what a new list brings.
    fn by_name(&self) -> BTreeMap<String, Arc<K>> {
        let all = self.all().into_iter();
        all.map(|object| (object.name_any(), object)).collect()
    }
}

impl<K: Cached> Filler<K> {
    /// Watches until `stop` is requested. Trouble is logged once and tried again for ever.
    pub async fn run(mut self, stop: Shutdown) {
        let watch = patiently(watcher(self.api.clone(), self.config.clone()));
        let mut events = std::pin::pin!(watch.take_until(stop.requested()));
        let mut trouble = None;
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    trouble = trouble.filter(|_| !is_news(&event));
                    self.take(event);
                }
                Err(error) => self.complain(&error, &mut trouble),
            }
        }
    }

    fn complain(&self, error: &watcher::Error, known: &mut Option<String>) {
        let text = Chain(error).to_string();
        if known.as_ref() != Some(&text) {
            warn!(what = self.what, error = text, "cannot watch; trying again");
        }
        if !*self.cache.filled.borrow() {
            self.gate
                .close(format!("cannot list the {}: {text}", self.what));
        }
        *known = Some(text);
    }

    fn take(&mut self, event: Event<DeserializeGuard<K>>) {
        match event {
            Event::Init => {
                self.before_list = self.cache.by_name();
                self.sick.clear();
                self.writer.apply_watcher_event(&Event::Init);
            }
            Event::InitApply(found) => {
                if let Some(object) = self.readable(found) {
                    self.writer.apply_watcher_event(&Event::InitApply(object));
                }
            }
            Event::InitDone => self.listed(),
            Event::Apply(found) => {
                if let Some(object) = self.readable(found) {
                    self.applied(object);
                }
                self.open();
            }
            Event::Delete(found) => {
                self.sick.remove(&name(&found));
                if let Ok(object) = found.0 {
                    self.deleted(object);
                }
                self.open();
            }
        }
    }

    /// The object, slimmed. One that cannot be read stays what it was last, if it was ever read.
    fn readable(&mut self, found: DeserializeGuard<K>) -> Option<K> {
        let name = name(&found);
        match found.0 {
            Ok(mut object) => {
                self.sick.remove(&name);
                object.slim();
                Some(object)
            }
            Err(invalid) => {
                let (what, error) = (self.what, invalid.error);
                let advice = "upgrade the operator if a newer version wrote it";
                warn!(what, name, error, advice, "cannot read an object");
                let before = self.before_list.get(&name).cloned();
                self.sick.insert(name);
                before.map(Arc::unwrap_or_clone)
            }
        }
    }

    fn listed(&mut self) {
        self.writer.apply_watcher_event(&Event::InitDone);
        let mut before = std::mem::take(&mut self.before_list);
        let after = self.cache.by_name();
        info!(what = self.what, count = after.len(), "listed");
        for (name, object) in after {
            let old = before.remove(&name);
            self.tell(name, old, Some(object));
        }
        for (name, object) in before {
            self.tell(name, Some(object), None);
        }
        self.open();
    }

    /// Says that everything has been seen, once that is so.
    fn open(&self) {
        if let Some(name) = self.blocking() {
            let (what, advice) = (
                self.what,
                "upgrade the operator if a newer version wrote it",
            );
            self.gate
                .close(format!("cannot read {name} of the {what}; {advice}"));
            return;
        }
        self.gate.open();
        self.cache.filled.send_replace(true);
    }

    /// An object without which nothing may begin.
    fn blocking(&self) -> Option<&String> {
        match self.unreadable {
            Unreadable::Blocks if !*self.cache.filled.borrow() => self.sick.first(),
            Unreadable::Blocks | Unreadable::Alone => None,
        }
    }

    fn applied(&mut self, object: K) {
        let (name, before) = (object.name_any(), self.cache.kept(&object));
        let after = Some(Arc::new(object.clone()));
        self.writer.apply_watcher_event(&Event::Apply(object));
        self.tell(name, before, after);
    }

    fn deleted(&mut self, object: K) {
        let (name, before) = (object.name_any(), self.cache.kept(&object));
        self.writer.apply_watcher_event(&Event::Delete(object));
        self.tell(name, before, None);
    }

    fn tell(&self, name: String, before: Option<Arc<K>>, after: Option<Arc<K>>) {
        let same = match (&before, &after) {
            (Some(before), Some(after)) => before.alike(after),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !same {
            let change = Change {
                name,
                before,
                after,
            };
            // Nobody listens before we lead.
            drop(self.cache.changes.send(change));
        }
    }
}

fn name<K: Resource>(found: &DeserializeGuard<K>) -> String {
    found.meta().name.clone().unwrap_or_default()
}

#[cfg(test)]
impl<K: Cached> Filler<K> {
    /// Fills the cache as a first list would.
    pub fn seed(&mut self, objects: impl IntoIterator<Item = K>) {
        self.take(Event::Init);
        for object in objects {
            self.take(Event::InitApply(DeserializeGuard(Ok(object))));
        }
        self.take(Event::InitDone);
    }
}

impl<K: Cached> fmt::Debug for Filler<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filler")
            .field("what", &self.what)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
