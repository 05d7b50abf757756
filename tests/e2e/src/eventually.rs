//! Waiting for conditions: never for a time.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use kube::{Api, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// Between two looks.
pub const POLL: Duration = Duration::from_millis(50);
/// Enough for anything that has no delay of its own, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What a look at the world showed.
#[derive(Debug)]
pub enum Look<T> {
    /// It has happened.
    Done(T),
    /// Not yet; this is what there is instead.
    NotYet(String),
}

/// Looks until it has happened, or `patience` is over.
///
/// # Errors
/// [`Error::Timeout`] with what was seen last; an error of the look at once.
pub async fn eventually<T>(
    what: &str,
    patience: Duration,
    mut look: impl AsyncFnMut() -> Result<Look<T>>,
) -> Result<T> {
    let begin = Instant::now();
    loop {
        match look().await? {
            Look::Done(value) => return Ok(value),
            Look::NotYet(last) if begin.elapsed() > patience => {
                return Err(Error::Timeout {
                    what: what.to_owned(),
                    waited: patience,
                    last,
                });
            }
            Look::NotYet(_) => tokio::time::sleep(POLL).await,
        }
    }
}

/// Waits until an object is there and satisfies a condition, and returns it.
///
/// # Errors
/// [`Error::Timeout`] after [`PATIENCE`], with the object as last seen, or that there was none.
pub async fn wait_for<K>(
    api: &Api<K>,
    name: &str,
    what: &str,
    condition: impl FnMut(&K) -> bool,
) -> Result<K>
where
    K: Clone + DeserializeOwned + Debug + Serialize + Resource,
{
    wait_within(PATIENCE, api, name, what, condition).await
}

/// [`wait_for`] with another patience.
pub async fn wait_within<K>(
    patience: Duration,
    api: &Api<K>,
    name: &str,
    what: &str,
    mut condition: impl FnMut(&K) -> bool,
) -> Result<K>
where
    K: Clone + DeserializeOwned + Debug + Serialize + Resource,
{
    eventually(&format!("{name}: {what}"), patience, async || {
        Ok(match get(api, name).await? {
            Some(object) if condition(&object) => Look::Done(object),
            Some(object) => Look::NotYet(shown(&object)),
            None => Look::NotYet("no such object".to_owned()),
        })
    })
    .await
}

/// Waits until there is no object of this name, or only a younger one than `uid`.
pub async fn wait_gone<K>(api: &Api<K>, name: &str, uid: Option<&str>) -> Result<()>
where
    K: Clone + DeserializeOwned + Debug + Serialize + Resource,
{
    eventually(&format!("{name} is gone"), PATIENCE, async || {
        Ok(match get(api, name).await? {
            Some(object) if uid.is_none() || object.meta().uid.as_deref() == uid => {
                Look::NotYet(shown(&object))
            }
            Some(_) | None => Look::Done(()),
        })
    })
    .await
}

async fn get<K>(api: &Api<K>, name: &str) -> Result<Option<K>>
where
    K: Clone + DeserializeOwned + Debug,
{
    api.get_opt(name)
        .await
        .map_err(Error::api(format!("get {name}")))
}

/// An object for a person: as YAML, without the bookkeeping of its fields' owners.
pub fn shown<K: Serialize>(object: &K) -> String {
    let mut json = serde_json::to_value(object).unwrap_or_default();
    if let Some(metadata) = json.get_mut("metadata").and_then(|m| m.as_object_mut()) {
        metadata.remove("managedFields");
    }
    format!(
        "\n{}",
        serde_saphyr::to_string(&json).unwrap_or_else(|_| json.to_string())
    )
}
