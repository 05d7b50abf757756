//! Quantities as people write them: durations, memory, and a number or percentage of nodes.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::schema::text;

/// A length of time as text: hours, minutes and seconds in this order, such as `2h`, `1h30m` or `90s`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DurationText(pub String);

impl From<&str> for DurationText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl JsonSchema for DurationText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        text(
            "A length of time: hours, minutes and seconds, such as 2h, 1h30m or 90s.",
            32,
            "self != '' && self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') && duration(self) > duration('0s')",
            "must be a length of time longer than zero: hours, minutes and seconds in this order, such as 90s, 10m or 1h30m",
        )
    }
}

/// An amount of memory as Kubernetes writes it, with a binary suffix: `8Gi`, `512Mi`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MemoryText(pub String);

/// A memory amount that is not a whole number with one of the suffixes Ki, Mi, Gi, Ti.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BytesError(pub String);

impl std::fmt::Display for BytesError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "cannot read {:?} as memory: write a whole number and Mi, Gi or Ti, such as 8Gi",
            self.0
        )
    }
}

impl std::error::Error for BytesError {}

impl MemoryText {
    /// The amount in bytes.
    ///
    /// # Errors
    /// The text is not of the form that the schema asks for, or the amount does not fit 64 bits.
    pub fn bytes(&self) -> Result<u64, BytesError> {
        let unknown = || BytesError(self.0.clone());
        let digits = self.0.trim_end_matches(|c: char| !c.is_ascii_digit());
        let shift = match &self.0[digits.len()..] {
            "Ki" => 10,
            "Mi" => 20,
            "Gi" => 30,
            "Ti" => 40,
            _ => return Err(unknown()),
        };
        let number: u64 = digits.parse().map_err(|_| unknown())?;
        number.checked_mul(1 << shift).ok_or_else(unknown)
    }
}

impl JsonSchema for MemoryText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Memory".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        text(
            "GPU memory with a binary suffix, such as 8Gi or 512Mi.",
            16,
            "self.matches('^[1-9][0-9]{0,7}(Mi|Gi|Ti)$')",
            "must be an amount of memory: a whole number and Mi, Gi or Ti, such as 8Gi",
        )
    }
}

/// A number of nodes, or a percentage of the nodes that a policy selects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NodeCount {
    /// So many nodes; 0 freezes the policy.
    Number(i32),
    /// Such as `25%`: rounded down, but at least one node unless it is `0%`.
    Percent(String),
}

impl Default for NodeCount {
    fn default() -> Self {
        Self::Number(1)
    }
}

impl JsonSchema for NodeCount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "NodeCount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number of nodes, or a percentage such as 25%. 0 admits nobody.",
            "x-kubernetes-int-or-string": true,
            "x-kubernetes-validations": [{
                "rule": "type(self) == int ? self >= 0 && self <= 100000 : self.matches('^(100|[1-9]?[0-9])%$')",
                "message": "must be a number of nodes from 0 to 100000, or a percentage from 0% to 100%",
            }],
        })
    }
}
