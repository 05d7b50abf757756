//! How long a node is out of service for a change of its layout, and for how many pods: by the operator, and by hand.

use std::collections::BTreeMap;

use e2e::{Mark, Workload};
use jiff::SignedDuration;
use nvml_sim::{Pace, SimulatedNode};

use crate::ground::{Ground, Result, between, first_cordon, mig, node};
use crate::page::{Page, seconds};
use crate::{by_hand, ours};

/// The node that the operator changes.
pub const OURS: &str = "ours";
/// The node that is changed with kubectl.
pub const BY_HAND: &str = "by-hand";
/// What a pod needs to end.
const ENDS_IN: u32 = 3;
/// Pods with a slice, and without.
const PODS: [i32; 2] = [5, 4];
/// The layout before the change.
const BEFORE: &str = "{1g.5gb: 7}";
/// The layout after the change.
pub const AFTER: [(&str, usize); 2] = [("2g.10gb", 1), ("1g.5gb", 5)];

/// What a change has cost.
pub struct Cost {
    /// Pods that were evicted.
    pub evicted: usize,
    /// Slices that are gone, and that are new.
    pub slices: (usize, usize),
    /// From the cordon to the uncordon.
    pub out: SignedDuration,
    /// What that time was spent on.
    pub parts: Vec<(String, SignedDuration)>,
}

/// The same change of the same node with the same pods, both ways.
pub async fn measure(page: &Page) -> Result<()> {
    let ground = Ground::start([OURS, BY_HAND].map(node)).await?;
    let policy = ground.create_policy(&mig(BEFORE)).await?;
    for name in [OURS, BY_HAND] {
        ground.in_sync(name, &policy).await?;
        load(&ground, name).await?;
        ground.cluster.node(name).gpus().set_pace(Pace::Real)?;
    }
    let by_hand = by_hand::change(&ground).await?;
    let ours = ours::change(&ground).await?;
    let driver = driver_time(ground.cluster.node(OURS).gpus(), &ours)?;
    tell(page, &ours, &by_hand, driver);
    Ok(())
}

async fn load(ground: &Ground, node: &str) -> Result<()> {
    let [on_slices, others] = PODS;
    let pods = |kind: &str| {
        let name = format!("{kind}-{node}");
        Workload::new(&name).on(node).drains_in(ENDS_IN)
    };
    let model = pods("model").asks("nvidia.com/mig-1g.5gb", 1);
    ground.run(&model, on_slices).await?;
    ground.run(&pods("web"), others).await
}

/// MIG devices of a node's GPU.
pub fn devices(ground: &Ground, node: &str) -> Result<Vec<String>> {
    let gpus = ground.cluster.node(node).gpus().gpus()?;
    let instances = gpus.into_iter().flat_map(|gpu| gpu.instances);
    Ok(instances.flat_map(|instance| instance.mig_uuids).collect())
}

/// What a node's change has cost, by the audit log since the mark and by the devices that there were.
pub async fn cost(
    ground: &Ground,
    node: &str,
    since: Mark,
    before: &[String],
    parts: Vec<(String, SignedDuration)>,
) -> Result<Cost> {
    let records = ground.accepted(since).await?;
    let evictions = records
        .iter()
        .filter(|record| record.object.subresource == "eviction");
    let of_node = evictions.filter(|record| record.object.name.contains(&format!("-{node}-")));
    let after = devices(ground, node)?;
    let missing =
        |from: &[String], all: &[String]| from.iter().filter(|it| !all.contains(it)).count();
    let (from, to) = (
        first_cordon(&records, node, true)?,
        first_cordon(&records, node, false)?,
    );
    Ok(Cost {
        evicted: of_node.count(),
        slices: (missing(before, &after), missing(&after, before)),
        out: between(from, to),
        parts,
    })
}

/// What the driver needs for the slices that a change destroys and creates.
fn driver_time(gpus: &SimulatedNode, cost: &Cost) -> Result<SignedDuration> {
    let (destroyed, created) = cost.slices;
    let each = gpus.state()?.latency_ms;
    let destroys = by_hand::takes(&each, by_hand::DESTROY) * i32::try_from(destroyed)?;
    Ok(destroys + by_hand::takes(&each, by_hand::CREATE) * i32::try_from(created)?)
}

fn tell(page: &Page, ours: &Cost, by_hand: &Cost, driver: SignedDuration) {
    let after: BTreeMap<_, _> = AFTER.into();
    let [on_slices, others] = PODS;
    page.headline(&format!(
        "One A100 from {BEFORE} to {after:?}, under {on_slices} pods on slices and {others} without, which need {ENDS_IN} s to end"
    ));
    let row = |what: &str, one: &str, other: &str| {
        page.line(&format!("  {what:<38} {one:>8} {other:>12}"));
    };
    row("", "operator", "kubectl drain");
    row(
        "pods evicted",
        &ours.evicted.to_string(),
        &by_hand.evicted.to_string(),
    );
    row(
        "slices destroyed",
        &ours.slices.0.to_string(),
        &by_hand.slices.0.to_string(),
    );
    row(
        "slices created",
        &ours.slices.1.to_string(),
        &by_hand.slices.1.to_string(),
    );
    row(
        "seconds from cordon to uncordon",
        &seconds(ours.out),
        &seconds(by_hand.out),
    );
    let pods = SignedDuration::from_secs(ENDS_IN.into());
    page.line(&format!(
        "  The floor of the operator's: {} s, of which its pods need {} and the driver {}.",
        seconds(pods + driver),
        seconds(pods),
        seconds(driver)
    ));
    for (who, cost) in [("operator", ours), ("kubectl drain", by_hand)] {
        let parts = cost.parts.iter();
        let parts: Vec<_> = parts
            .map(|(what, time)| format!("{what} {}", seconds(*time)))
            .collect();
        page.line(&format!("  {who}: {}", parts.join(", ")));
    }
}
