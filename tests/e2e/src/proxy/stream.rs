//! A watch: passed on event by event, until something goes wrong with it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{Stream, unfold};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::time::{Interval, interval};

use super::answer::gone;
use super::fault::{Ask, Fault};
use super::{Body, State};

/// How often something may go wrong with an open watch.
const TURN: Duration = Duration::from_millis(500);

/// A watch that is open, or has ended.
enum Watch {
    Open(Box<Open>),
    Over,
}

struct Open {
    events: kube::client::Body,
    turn: Interval,
    state: Arc<State>,
}

/// What happened next.
enum Next {
    Frame(io::Result<Frame<Bytes>>),
    Wrong(Fault),
    End,
}

/// The events of a watch, and the faults of the weather that it is open in.
pub fn watch(events: kube::client::Body, state: Arc<State>) -> Body {
    let open = Open {
        events,
        turn: interval(TURN),
        state,
    };
    StreamBody::new(frames(Watch::Open(Box::new(open)))).boxed_unsync()
}

fn frames(watch: Watch) -> impl Stream<Item = io::Result<Frame<Bytes>>> {
    unfold(watch, async |watch| {
        let Watch::Open(mut open) = watch else {
            return None;
        };
        match open.next().await {
            Next::Frame(Ok(frame)) => Some((Ok(frame), Watch::Open(open))),
            Next::Frame(Err(error)) => Some((Err(error), Watch::Over)),
            Next::Wrong(Fault::WatchGone) => Some((Ok(Frame::data(gone())), Watch::Over)),
            Next::Wrong(_) => {
                let reset = io::Error::from(io::ErrorKind::ConnectionReset);
                Some((Err(reset), Watch::Over))
            }
            Next::End => None,
        }
    })
}

impl Open {
    async fn next(&mut self) -> Next {
        loop {
            tokio::select! {
                frame = self.events.frame() => return match frame {
                    Some(frame) => Next::Frame(frame.map_err(io::Error::other)),
                    None => Next::End,
                },
                _ = self.turn.tick() => if let Some(fault) = self.state.draw(Ask::Watch) {
                    return Next::Wrong(fault);
                },
            }
        }
    }
}
