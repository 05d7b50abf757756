//! Watches that ask less and less often while the API server is away.

use futures::{Stream, StreamExt, stream};
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, DefaultBackoff, Event};

/// Waits after each failure of a watch, longer each time (0.8 s to 30 s, spread), until the watch brings something.
///
/// Not kube's `default_backoff`: that one begins anew at every [`Event::Init`], which a watch says before it asks the
/// API server, so that with the server away every process of a cluster would ask about once a second for ever.
pub fn patiently<K>(
    events: impl Stream<Item = watcher::Result<Event<K>>>,
) -> impl Stream<Item = watcher::Result<Event<K>>> {
    let begin = (Box::pin(events), DefaultBackoff::default(), None);
    stream::unfold(begin, async |(mut events, mut backoff, wait)| {
        if let Some(wait) = wait {
            tokio::time::sleep(wait).await;
        }
        let event = events.next().await?;
        let wait = match &event {
            Ok(event) if is_news(event) => {
                backoff.reset();
                None
            }
            Ok(_) => None,
            Err(_) => backoff.next(),
        };
        Some((event, (events, backoff, wait)))
    })
}

/// Whether the API server has said something: a watch that begins has only asked.
pub fn is_news<K>(event: &Event<K>) -> bool {
    match event {
        Event::Init => false,
        Event::InitApply(_) | Event::InitDone | Event::Apply(_) | Event::Delete(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;

    type Item = watcher::Result<Event<()>>;

    fn attempt(last: Item) -> [Item; 2] {
        [Ok(Event::Init), last]
    }

    fn failure() -> Item {
        Err(watcher::Error::NoResourceVersion)
    }

    /// How long the watch waited after each of its items.
    async fn waits(items: Vec<Item>) -> Vec<Duration> {
        let mut events = Box::pin(patiently(stream::iter(items)));
        let (mut last, mut waits) = (Instant::now(), Vec::new());
        while events.next().await.is_some() {
            waits.push(last.elapsed());
            last = Instant::now();
        }
        waits.push(last.elapsed());
        waits.split_off(1)
    }

    /// The first wait, spread.
    const SHORT: Duration = Duration::from_secs(2);

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_fails_again_and_again_asks_less_and_less_often() {
        let items = (0..8).flat_map(|_| attempt(failure())).collect();
        let waits = waits(items).await;
        assert!(waits[1] < SHORT, "{waits:?}");
        assert!(waits[15] > 5 * SHORT, "{waits:?}");
        assert!(waits.iter().step_by(2).all(Duration::is_zero), "{waits:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_has_brought_something_begins_with_short_waits_again() {
        let failures = (0..8).flat_map(|_| attempt(failure()));
        let rest = attempt(Ok(Event::InitDone))
            .into_iter()
            .chain(attempt(failure()));
        let waits = waits(failures.chain(rest).collect()).await;
        let last = waits.last().unwrap();
        assert!(!last.is_zero() && *last < SHORT, "{waits:?}");
    }
}
