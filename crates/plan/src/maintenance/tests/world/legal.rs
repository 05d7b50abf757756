//! What the API server takes: no step may ask for anything that it refuses to keep.

use crds::gpu_node::MaintenanceStatus;

use crate::maintenance::{Effect, Step};

/// The longest message of a condition (`metav1.Condition`), in characters. The other sentences keep to it too.
const LONGEST_MESSAGE: usize = 32_768;
/// Well below what etcd takes for one object, by default 1.5 MiB.
const LARGEST_STATUS: usize = 1 << 20;
/// The longest value of a label.
const LONGEST_VALUE: usize = 63;

/// Checks what a step asks for.
pub(super) fn check(step: &Step) {
    for message in sentences(&step.status) {
        check_sentence(message);
    }
    let told = step.pod_events.iter().map(|told| &told.event);
    for event in step.events.iter().chain(told) {
        check_sentence(&event.message);
        assert!(!event.message.trim().is_empty(), "{event:?}");
    }
    let size = serde_json::to_vec(&step.status).unwrap().len();
    assert!(size <= LARGEST_STATUS, "a status of {size} bytes");
    for effect in &step.effects {
        check_effect(effect);
    }
}

fn sentences(status: &MaintenanceStatus) -> impl Iterator<Item = &String> {
    let conditions = status.conditions.iter().map(|it| &it.message);
    let history = status.history.iter().map(|it| &it.message);
    let outcome = status.outcome.iter().map(|it| &it.message);
    let drain = status.drain.iter().flat_map(|it| &it.blocked);
    let blocked = drain.map(|it| &it.message);
    let waits = status.waiting_for.iter();
    conditions
        .chain(history)
        .chain(outcome)
        .chain(blocked)
        .chain(waits)
}

/// A sentence fits, and into one line: people read it in a column and in a table.
fn check_sentence(message: &str) {
    let length = message.chars().count();
    assert!(length <= LONGEST_MESSAGE, "{length} characters");
    assert!(!message.contains(char::is_control), "{message:?}");
    let is_empty_at_the_end = message.ends_with([' ', ':', ',', '(']);
    assert!(!is_empty_at_the_end, "{message:?}");
}

fn check_effect(effect: &Effect) {
    match effect {
        Effect::Uncordon { labels, .. }
        | Effect::Label(labels)
        | Effect::Remember { labels, .. } => {
            labels
                .values()
                .flatten()
                .for_each(|value| check_value(value));
        }
        Effect::PublishConfig { key, content, .. } => {
            check_value(key);
            assert!(!key.is_empty() && !content.is_empty());
        }
        Effect::Evict { grace, .. } | Effect::Delete { grace, .. } => {
            assert!(grace.is_none_or(|grace| grace >= 1), "{effect:?}");
        }
        Effect::Restart(_) => {}
        Effect::Cordon { operation, .. } => assert!(*operation > 0, "{effect:?}"),
        Effect::Ask(spec) => {
            let operation = spec.operation.as_ref();
            assert!(operation.is_none_or(|asked| asked.id > 0), "{spec:?}");
        }
    }
}

/// A label's value: empty, or letters, digits, `-`, `_` and `.`, and a letter or a digit at both ends.
fn check_value(value: &str) {
    let is_plain = |it: char| it.is_ascii_alphanumeric();
    let is_within = |it: char| is_plain(it) || matches!(it, '-' | '_' | '.');
    let is_legal = value.len() <= LONGEST_VALUE
        && value.chars().all(is_within)
        && value.starts_with(is_plain)
        && value.ends_with(is_plain);
    assert!(value.is_empty() || is_legal, "{value:?}");
}
