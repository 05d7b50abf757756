//! The `ConfigMap` with the device plugin's configurations, as it is read: what each key holds, and since when.

use std::collections::BTreeMap;

use crds::names;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ConfigMap;

/// One configuration in the `ConfigMap`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Its text.
    pub content: String,
    /// Since when it is there, by the clock of the operator that published it. `None`: nobody has noted that down.
    pub since: Option<Timestamp>,
}

/// The configurations in a `ConfigMap`, by key. A moment that cannot be read is none.
pub fn entries(map: &ConfigMap) -> BTreeMap<String, Entry> {
    let annotations = map.metadata.annotations.as_ref();
    let since = |key: &str| {
        let noted = annotations?.get(&annotation(key))?;
        noted.parse().ok()
    };
    let data = map.data.iter().flatten();
    let entry = |(key, content): (&String, &String)| {
        let (content, since) = (content.clone(), since(key));
        (key.clone(), Entry { content, since })
    };
    data.map(entry).collect()
}

/// The annotation of the `ConfigMap` that says since when a key is there.
pub fn annotation(key: &str) -> String {
    format!("{}{key}", names::ANNOTATION_PUBLISHED_PREFIX)
}
