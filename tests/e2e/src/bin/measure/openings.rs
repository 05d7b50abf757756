//! How soon after its window has opened a node is cordoned.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::ground::{Ground, Result, between, first_cordon, mig, node};
use crate::page::Page;

/// How many openings.
const OPENINGS: usize = 9;
/// How long before its opening a window is made: more than the node needs to be planned and wait.
const BEFORE: SignedDuration = SignedDuration::from_secs(6);

/// Measures it again and again on one node.
pub async fn measure(page: &Page) -> Result<()> {
    let ground = Ground::start([node("n1")]).await?;
    let policy = ground.create_policy(&mig("{1g.5gb: 7}")).await?;
    ground.in_sync("n1", &policy).await?;
    let (mut begun, mut cordoned) = (Vec::new(), Vec::new());
    for round in 0..OPENINGS {
        let (begins, cordons) = opening(&ground, round).await?;
        begun.push(begins);
        cordoned.push(cordons);
    }
    page.headline(&format!(
        "From the moment in which a window opens, {OPENINGS} times, to"
    ));
    page.spread("the beginning of the operation", &begun);
    page.spread("the node's cordon", &cordoned);
    Ok(())
}

/// How long after the opening the operation began, and the cordon arrived.
async fn opening(ground: &Ground, round: usize) -> Result<(SignedDuration, SignedDuration)> {
    let mark = ground.mark().await?;
    let now = Timestamp::now();
    let opens = Timestamp::from_second((now + BEFORE).as_second())?;
    let policy = ground
        .change_policy(closed_until(opens, now, round))
        .await?;
    let done = ground.in_sync("n1", &policy).await?;
    let latest = done.history.first().ok_or("there was no operation")?;
    let cordoned = first_cordon(&ground.accepted(mark).await?, "n1", true)?;
    Ok((
        between(opens, latest.started_at.0),
        between(opens, cordoned),
    ))
}

/// Another layout than in the round before, in a window that is open all day but for a blackout, which is exact to the
/// second.
fn closed_until(opens: Timestamp, now: Timestamp, round: usize) -> Value {
    let layout = if round.is_multiple_of(2) {
        json!({"1g.5gb": null, "3g.20gb": 2})
    } else {
        json!({"1g.5gb": 7, "3g.20gb": null})
    };
    let from = now - SignedDuration::from_hours(1);
    json!({
        "strategy": {"mig": {"layout": layout}},
        "maintenance": {
            "windows": [{"start": "00:00", "end": "00:00"}],
            "minRemaining": "1s",
            "blackouts": [{"from": from.to_string(), "to": opens.to_string()}],
        },
    })
}
