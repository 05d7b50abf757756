//! Differences between two JSON values.

use serde_json::Value;

use super::Difference;

/// Every leaf that is not the same in both, with its place.
pub fn differences(agent: &Value, other: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    walk("", agent, other, &mut found);
    found
}

fn walk(place: &str, agent: &Value, other: &Value, found: &mut Vec<Difference>) {
    match (agent, other) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<_> = a.keys().chain(b.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                let dot = if place.is_empty() { "" } else { "." };
                let (a, b) = (a.get(key), b.get(key));
                step(format!("{place}{dot}{key}"), a, b, found);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for index in 0..a.len().max(b.len()) {
                step(
                    format!("{place}[{index}]"),
                    a.get(index),
                    b.get(index),
                    found,
                );
            }
        }
        (agent, other) if agent == other => {}
        (agent, other) => found.push(Difference {
            place: place.to_owned(),
            agent: agent.clone(),
            other: other.clone(),
        }),
    }
}

fn step(place: String, agent: Option<&Value>, other: Option<&Value>, found: &mut Vec<Difference>) {
    let nothing = Value::Null;
    let (agent, other) = (agent.unwrap_or(&nothing), other.unwrap_or(&nothing));
    walk(&place, agent, other, found);
}

/// The items of a list, of the lists in its items, and so on down the path.
pub fn all_of<'a>(value: &'a mut Value, path: &[&str]) -> Vec<&'a mut Value> {
    let mut found = vec![value];
    for key in path {
        found = found
            .into_iter()
            .filter_map(|value| value.get_mut(*key)?.as_array_mut())
            .flatten()
            .collect();
    }
    found
}
