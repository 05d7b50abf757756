//! Reading objects from files.

use std::fs;
use std::path::{Path, PathBuf};

use crds::GpuSharingPolicy;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A file that is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is neither YAML nor JSON.
    #[error("cannot read {} as YAML: {wrong}", .path.display())]
    Yaml {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        wrong: String,
    },
    /// An object is not of the form that its kind asks for.
    #[error("cannot read {kind} {name:?} in {}: {wrong}; compare with kubectl explain {kind}", .path.display())]
    Object {
        /// The file.
        path: PathBuf,
        /// The object's kind.
        kind: String,
        /// The object's name.
        name: String,
        /// What is wrong.
        wrong: String,
    },
    /// There is no policy in the file.
    #[error("there is no GpuSharingPolicy in {}", .path.display())]
    NoPolicy {
        /// The file.
        path: PathBuf,
    },
}

/// The policies of a file, in its order.
pub fn policies(path: &Path) -> Result<Vec<GpuSharingPolicy>, Error> {
    let policies = of_kind(path, &objects(path)?, "GpuSharingPolicy")?;
    if policies.is_empty() {
        let path = path.to_owned();
        return Err(Error::NoPolicy { path });
    }
    Ok(policies)
}

/// All objects of a file: its documents, and the items of lists among them.
pub fn objects(path: &Path) -> Result<Vec<Value>, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    let documents: Vec<Option<Value>> =
        serde_saphyr::from_multiple(&text).map_err(|wrong| Error::Yaml {
            path: path.to_owned(),
            wrong: wrong.to_string(),
        })?;
    Ok(documents.into_iter().flatten().flat_map(items).collect())
}

fn items(mut object: Value) -> Vec<Value> {
    match object.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => vec![object],
    }
}

/// The objects of one kind, typed.
pub fn of_kind<K: DeserializeOwned>(
    path: &Path,
    objects: &[Value],
    kind: &str,
) -> Result<Vec<K>, Error> {
    let of_kind = objects.iter().filter(|object| object["kind"] == kind);
    of_kind
        .map(|object| {
            serde_json::from_value(object.clone()).map_err(|wrong| Error::Object {
                path: path.to_owned(),
                kind: kind.to_owned(),
                name: object["metadata"]["name"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                wrong: wrong.to_string(),
            })
        })
        .collect()
}
