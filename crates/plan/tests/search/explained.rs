//! What must be told of every step: a phase that is entered says what it waits for, until when, and what happens then;
//! and a condition that is set has a word of the table and a sentence.

use crds::gpu_node::{MaintenanceStatus, Phase};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use plan::conditions;
use plan::maintenance::Step;
use plan::reason::Reason;

use crate::rules::{Verdict, rule};
use crate::sight::Sight;

/// Of a step, by what it saw.
pub fn told(sight: &Sight, step: &Step) -> Verdict {
    let (before, after) = (&sight.maintenance, &step.status);
    if before.phase != after.phase {
        entered(after)?;
    }
    for condition in &after.conditions {
        let old = conditions::find(&before.conditions, &condition.type_);
        if old.is_none_or(|old| old.reason != condition.reason || old.message != condition.message)
        {
            worded(condition)?;
        }
    }
    Ok(())
}

fn entered(status: &MaintenanceStatus) -> Verdict {
    rule(
        status.phase_since.is_some() || status.phase == Phase::Unmanaged,
        "E: a phase since nobody knows when",
    )?;
    let is_settled = status.phase == Phase::Unmanaged || status.phase == Phase::InSync;
    let sentence = status.waiting_for.as_deref();
    rule(
        sentence.is_some() != is_settled,
        "E: a phase that does not say what it waits for",
    )?;
    let (Some(sentence), Some(deadline)) = (sentence, &status.deadline) else {
        return Ok(());
    };
    let until = format!("until {}; then ", deadline.0);
    rule(
        sentence.contains(&until),
        "E: a phase that does not say until when it waits, and what happens then",
    )
}

fn worded(condition: &Condition) -> Verdict {
    rule(
        Reason::of(&condition.reason).as_str() == condition.reason,
        "E: a condition whose reason is in no table",
    )?;
    rule(
        !condition.message.is_empty(),
        "E: a condition without a sentence",
    )?;
    rule(
        condition.observed_generation.is_some(),
        "E: a condition about nobody knows which generation",
    )
}
