//! Events: what a person finds under `kubectl describe`, one per transition.

use crds::gpu_node::PodReference;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Resource};
use plan::maintenance::EventKind;
use plan::reason::Reason;
use process::Chain;
use tracing::warn;

use super::Cluster;
use crate::error::Error;

/// Where events about objects without a namespace are kept.
const NAMESPACE: &str = "default";
/// Who we are, in every event.
const CONTROLLER: &str = "gpusharing.dev/operator";
/// The longest name that the API server accepts, in bytes.
const LONGEST_NAME: usize = 253;
/// The longest note that the API server accepts, in bytes.
const LONGEST_NOTE: usize = 1024;

/// What an event is about.
#[derive(Clone, Debug)]
pub struct Object(ObjectReference);

impl Object {
    /// An object of ours.
    pub fn of<K: Resource<DynamicType = ()>>(object: &K) -> Self {
        Self(object.object_ref(&()))
    }

    /// A pod.
    pub fn pod(pod: &PodReference) -> Self {
        Self(ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Pod".to_owned()),
            namespace: Some(pod.namespace.clone()),
            name: Some(pod.name.clone()),
            uid: Some(pod.uid.clone()),
            ..ObjectReference::default()
        })
    }

    /// Where events about it are kept: in its own namespace if it has one.
    fn namespace(&self) -> &str {
        self.0.namespace.as_deref().unwrap_or(NAMESPACE)
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Whether somebody should look.
    pub kind: EventKind,
    /// One word for why.
    pub reason: Reason,
    /// Sentences for people.
    pub note: String,
}

impl Cluster {
    /// Says what happened to `about`. An event that cannot be written is logged and lost: no work
    /// depends on it.
    ///
    /// Not kube's `Recorder`: it folds events of one reason into the first, and loses what the
    /// later ones say.
    pub async fn tell(&self, about: &Object, notice: &Notice) {
        let event = event(about, notice, &self.instance, Timestamp::now());
        let namespace = about.namespace();
        let events: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        if let Err(error) = events.create(&PostParams::default(), &event).await {
            let object = format!(
                "the Event {} in namespace {namespace}",
                notice.reason.as_str()
            );
            let error = Error::request("create", object)(error);
            warn!(error = %Chain(&error), "an event is lost");
        }
    }
}

fn event(about: &Object, notice: &Notice, instance: &str, now: Timestamp) -> Event {
    let Object(regarding) = about;
    let time = format!(".{:x}", now.as_nanosecond());
    let name = regarding.name.as_deref().unwrap_or_default();
    let name = &name[..name.floor_char_boundary(LONGEST_NAME - time.len())];
    // What is cut off must not leave a part of the name that ends in a dash, or is empty.
    let name = name.trim_end_matches(['-', '.']);
    Event {
        metadata: ObjectMeta {
            // As client-go names them: unique by the time, readable by the object.
            name: Some(format!("{name}{time}")),
            ..ObjectMeta::default()
        },
        event_time: Some(MicroTime(now)),
        reporting_controller: Some(CONTROLLER.to_owned()),
        reporting_instance: Some(instance.to_owned()),
        action: Some(notice.reason.as_str().to_owned()),
        reason: Some(notice.reason.as_str().to_owned()),
        regarding: Some(regarding.clone()),
        note: Some(shortened(&notice.note).to_owned()),
        type_: Some(match notice.kind {
            EventKind::Normal => "Normal".to_owned(),
            EventKind::Warning => "Warning".to_owned(),
        }),
        ..Event::default()
    }
}

/// The beginning that fits into an event.
fn shortened(note: &str) -> &str {
    &note[..note.floor_char_boundary(LONGEST_NOTE)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_note_is_cut_between_characters() {
        let note = "ä".repeat(LONGEST_NOTE);
        assert_eq!(shortened(&note).len(), LONGEST_NOTE);
        let note = format!("x{note}");
        assert_eq!(shortened(&note).len(), LONGEST_NOTE - 1);
        assert_eq!(shortened("short"), "short");
    }
}
