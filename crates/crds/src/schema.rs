//! Pieces of schema that several fields share.

use schemars::{Schema, json_schema};
use serde_json::Value;

/// A string that matches `pattern`, with CEL rules that say in words what to write instead.
pub(crate) fn text(description: &str, max_length: u32, pattern: &str, rules: Value) -> Schema {
    json_schema!({
        "type": "string",
        "description": description,
        "minLength": 1,
        "maxLength": max_length,
        "pattern": pattern,
        "x-kubernetes-validations": rules,
    })
}
