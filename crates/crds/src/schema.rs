//! Pieces of schema that several fields share.

use schemars::{Schema, SchemaGenerator, json_schema};

/// A string of at most `max_length` bytes that `rule` (CEL) holds for. A rule instead of a `pattern`: its message says
/// what to write, where the API server would answer with the regular expression.
pub(crate) fn text(description: &str, max_length: u32, rule: &str, message: &str) -> Schema {
    json_schema!({
        "type": "string",
        "description": description,
        "maxLength": max_length,
        "x-kubernetes-validations": [{"rule": rule, "message": message}],
    })
}

/// A time of day, `HH:MM`.
pub(crate) fn time_of_day(_: &mut SchemaGenerator) -> Schema {
    text(
        "A time of day, HH:MM.",
        16,
        "self.matches('^([01][0-9]|2[0-3]):[0-5][0-9]$')",
        "must be a time of day from 00:00 to 23:59, with two digits each, such as 02:30",
    )
}

/// A cron expression of five fields; what they say is checked where the policy is resolved.
pub(crate) fn cron(_: &mut SchemaGenerator) -> Schema {
    text(
        "A cron expression of five fields.",
        128,
        r"self.matches('^\\S+( +\\S+){4}$')",
        "must be five fields: minute, hour, day of month, month, day of week, such as 0 2 * * 6",
    )
}

/// The key of a label.
pub(crate) fn label_key(_: &mut SchemaGenerator) -> Schema {
    text(
        "The key of a label.",
        317,
        "self.matches('^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$')",
        "must be the key of a label, such as topology.kubernetes.io/zone",
    )
}

/// The schema of Kubernetes' `LabelSelector`, with the rules that Kubernetes itself applies only to its own kinds: a
/// selector that cannot be read must not be accepted here and select nothing later.
pub(crate) fn label_selector(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "properties": {
            "matchLabels": {
                "type": "object",
                "description": "Labels that must be there with these values. At most 16.",
                "maxProperties": 16,
                "additionalProperties": {"type": "string", "maxLength": 63},
            },
            "matchExpressions": {
                "type": "array",
                "description": "What else must hold of the labels: all of these. At most 16.",
                "maxItems": 16,
                "items": requirement(),
                "x-kubernetes-list-type": "atomic",
            },
        },
        "x-kubernetes-map-type": "atomic",
    })
}

fn requirement() -> Schema {
    json_schema!({
        "type": "object",
        "required": ["key", "operator"],
        "properties": {
            "key": {
                "type": "string",
                "description": "The label's key.",
                "minLength": 1,
                "maxLength": 317,
            },
            "operator": {
                "type": "string",
                "description": "In and NotIn compare the label with values; Exists and DoesNotExist ask for the label alone.",
                "enum": ["In", "NotIn", "Exists", "DoesNotExist"],
            },
            "values": {
                "type": "array",
                "description": "The values of In and NotIn. At most 64.",
                "maxItems": 64,
                "items": {"type": "string", "maxLength": 63},
                "x-kubernetes-list-type": "atomic",
            },
        },
        "x-kubernetes-validations": [{
            "rule": "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)",
            "message": "In and NotIn need values; Exists and DoesNotExist have none",
        }],
    })
}
