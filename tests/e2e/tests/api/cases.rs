//! The examples of `cases/*.yaml`: specs that are accepted, and specs that are refused with the reason.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A file of examples.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Of which kind.
    pub kind: String,
    /// What is accepted.
    #[serde(default)]
    pub accepted: Vec<Case>,
    /// What is refused.
    #[serde(default)]
    pub refused: Vec<Case>,
}

/// An object that a person might write.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// `metadata.name`, where that matters.
    #[serde(default)]
    named: Option<Value>,
    /// Members of `spec`, in place of those of the least spec.
    #[serde(default)]
    spec: Map<String, Value>,
    /// Why it is refused: for each field a part of the message. All of them, and no others.
    #[serde(default)]
    pub because: BTreeMap<String, String>,
}

impl Case {
    /// The object: the least that there is of its kind, with what the case says.
    pub fn object(&self, kind: &str) -> Value {
        let mut spec = match kind {
            "GpuSharingPolicy" => json!({"strategy": {"type": "Exclusive"}}),
            _ => json!({}),
        };
        let name = self.named.clone().map_or(json!("a-case"), written_out);
        for (member, value) in &self.spec {
            spec[member] = written_out(value.clone());
        }
        json!({"metadata": {"name": name}, "spec": spec})
    }
}

/// Writes out `{repeat: text, times: n}` and `{list: item, times: n}`: a long text, and a long list.
fn written_out(value: Value) -> Value {
    let times = value.get("times").and_then(Value::as_u64);
    let times = times.map_or(0, |times| usize::try_from(times).unwrap());
    if let Some(text) = value.get("repeat").and_then(Value::as_str) {
        return json!(text.repeat(times));
    }
    if let Some(item) = value.get("list") {
        return json!(vec![written_out(item.clone()); times]);
    }
    match value {
        Value::Object(members) => {
            let written = members
                .into_iter()
                .map(|(name, it)| (name, written_out(it)));
            Value::Object(written.collect())
        }
        Value::Array(items) => items.into_iter().map(written_out).collect(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}

/// All tables, by file name.
pub fn tables() -> Vec<(String, Table)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/cases");
    let mut tables: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| {
            let path = file.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let name = path.file_name().unwrap().display().to_string();
            let table = serde_saphyr::from_str(&text)
                .unwrap_or_else(|error| panic!("cannot read {name}: {error}"));
            (name, table)
        })
        .collect();
    tables.sort_by(|(a, _), (b, _)| a.cmp(b));
    tables
}
