//! The watch of one object: what is known of it, and a wake-up when the operator asks for something.

use crds::GpuNode;
use futures::{StreamExt, pin_mut};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use process::patience::{is_news, patiently};
use process::shutdown::Shutdown;
use tokio::sync::watch::Sender;
use tracing::warn;

/// What the watch knows.
#[derive(Clone, Debug, Default)]
pub enum Known {
    /// Nothing yet: the API server has not answered.
    #[default]
    Unknown,
    /// There is no such object.
    Absent,
    /// As of the last event.
    Found(Box<GpuNode>),
}

/// Watches the object of this name until `stop` is requested. Trouble is logged once, and waited out with back-off.
pub async fn watch(client: Client, name: String, known: Sender<Known>, stop: Shutdown) {
    let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let events = patiently(watcher(Api::<GpuNode>::all(client), config));
    pin_mut!(events);
    let (mut listed, mut failing) = (None, false);
    loop {
        let event = tokio::select! {
            () = stop.requested() => return,
            event = events.next() => event,
        };
        match event {
            None => return,
            Some(Ok(event)) => {
                failing &= !is_news(&event);
                take_in(event, &mut listed, &known);
            }
            Some(Err(error)) => {
                if !failing {
                    warn!(
                        error = &error as &dyn std::error::Error,
                        "cannot watch GpuNode {name}; it is tried again, check that the API server can be reached from this node and that the CustomResourceDefinitions are installed"
                    );
                }
                failing = true;
            }
        }
    }
}

fn take_in(event: Event<GpuNode>, listed: &mut Option<GpuNode>, known: &Sender<Known>) {
    match event {
        Event::Init => *listed = None,
        Event::InitApply(object) => *listed = Some(object),
        Event::InitDone => publish(listed.take(), known),
        Event::Apply(object) => publish(Some(object), known),
        Event::Delete(_) => publish(None, known),
    }
}

/// Wakes whoever waits only if it matters to an agent: what it wrote itself does not.
fn publish(object: Option<GpuNode>, known: &Sender<Known>) {
    known.send_if_modified(|known| {
        let is_news = match (&known, &object) {
            (Known::Found(old), Some(new)) => {
                old.spec != new.spec || old.metadata.uid != new.metadata.uid
            }
            (Known::Absent, None) => false,
            (Known::Unknown | Known::Absent | Known::Found(_), Some(_) | None) => true,
        };
        *known = object.map_or(Known::Absent, |object| Known::Found(Box::new(object)));
        is_news
    });
}
