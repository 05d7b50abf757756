//! The change by the operator.

use jiff::SignedDuration;
use serde_json::json;

use crate::ground::{Ground, Result};
use crate::outage::{AFTER, Cost, OURS, cost, devices};

/// Changes the node by its policy. The parts are the phases, of which `Preparing` comes before the cordon.
pub async fn change(ground: &Ground) -> Result<Cost> {
    let (before, mark) = (devices(ground, OURS)?, ground.mark().await?);
    let layout: serde_json::Map<_, _> = AFTER
        .map(|(profile, count)| (profile.to_owned(), count.into()))
        .into_iter()
        .collect();
    let wanted = json!({"strategy": {"mig": {"layout": layout}}});
    let policy = ground.change_policy(wanted).await?;
    let done = ground.in_sync(OURS, &policy).await?;
    let latest = done.history.first().ok_or("there was no operation")?;
    let phases = latest.durations.iter();
    let parts = phases.map(|spent| {
        (
            format!("{:?}", spent.phase),
            SignedDuration::from_millis(spent.milliseconds),
        )
    });
    cost(ground, OURS, mark, &before, parts.collect()).await
}
