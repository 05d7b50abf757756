//! Maintenance windows and blackouts.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::DurationText;
use crate::schema::{cron, time_of_day};

/// A day of the week.
#[derive(
    Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, PartialOrd, Ord, JsonSchema,
)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// A recurring window, in one of two forms: `start` with `end` or `duration` (and `days`), or `cron` with `duration`.
/// An instance belongs to the day on which it starts; it includes its start and excludes its end.
#[derive(KubeSchema, Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[x_kube(
    validation = Rule::new("has(self.start) != has(self.cron)")
        .message("set either start (with end or duration) or cron (with duration)"),
    validation = Rule::new("!has(self.cron) || (has(self.duration) && !has(self.end) && !has(self.days))")
        .message("cron goes with duration, and without end and days"),
    validation = Rule::new("!has(self.start) || has(self.end) != has(self.duration)")
        .message("start goes with either end or duration")
)]
#[serde(rename_all = "camelCase")]
pub struct MaintenanceWindow {
    /// Days on which the window starts, of `Mon`, `Tue`, `Wed`, `Thu`, `Fri`, `Sat`, `Sun`. Unset: every day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 7))]
    pub days: Vec<Day>,
    /// Local time at which the window starts, `HH:MM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "time_of_day")]
    pub start: Option<String>,
    /// Local time at which the window ends, `HH:MM`; at or before `start`: on the next day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "time_of_day")]
    pub end: Option<String>,
    /// Start times as a cron expression of five fields: minute, hour, day of month, month, day of week.
    /// `0 2 * * 6` is 02:00 on Saturdays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "cron")]
    pub cron: Option<String>,
    /// How long the window is, such as `2h`: exactly, also when clocks change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DurationText")]
    pub duration: Option<DurationText>,
    /// IANA time zone such as `Europe/Berlin`. Default `UTC`.
    #[serde(default = "utc")]
    #[schemars(length(min = 1, max = 64))]
    pub time_zone: String,
}

/// A span in which nothing may begin.
#[derive(KubeSchema, Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[x_kube(validation = Rule::new("self.from < self.to").message("from must be before to"))]
#[serde(rename_all = "camelCase")]
pub struct Blackout {
    /// When it begins, such as `2026-12-20T00:00:00Z`.
    pub from: Time,
    /// When it is over. Later than `from`.
    pub to: Time,
    /// Why, for people who wait for it to end. At most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(max = 256))]
    pub reason: Option<String>,
}

fn utc() -> String {
    "UTC".to_owned()
}
