//! The acts of the demo, in order.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::time::Duration;

use crds::gpu_node::Phase;
use e2e::{Mark, shown, wait_within};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::figures::{self, Pods};
use crate::promises;
use crate::screen::Screen;
use crate::stage::{DEV_NODE, LONG, MIG_NODES, Stage};
use crate::watching::Watching;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What was so before the change, to be compared with what is so after it.
pub struct Before {
    /// The pods of the Deployment `inference`: UID by name, and their nodes.
    pub pods: Pods,
    /// Where the audit log was.
    pub mark: Mark,
    /// Nodes and Deployments from here on.
    pub watching: Watching,
}

/// What the operations meant to do, and when they could begin.
pub struct Plan {
    /// When the window opened.
    pub opens: Timestamp,
    /// Names of the pods that were to be evicted.
    pub victims: BTreeSet<String>,
}

/// A cluster comes up, and the product is installed.
pub async fn set_up(screen: &Screen) -> Result<Stage> {
    screen.headline(
        "1. A Kubernetes cluster, four GPU nodes, and the product installed from its manifests",
    );
    let stage = Stage::build().await?;
    screen.note("etcd, API server, controller manager, scheduler and KWOK are up; operator and four agents are ready");
    for name in MIG_NODES.iter().chain([&DEV_NODE]) {
        screen.map(name, &stage.cluster.node(name).gpus().gpus()?);
    }
    Ok(stage)
}

/// Two policies, and the nodes follow.
pub async fn share(screen: &Screen, stage: &Stage) -> Result<()> {
    screen.headline("2. Two policies: `inference` cuts each A100 into 7 slices, `dev` lets 4 pods take turns on each T4");
    let cluster = &stage.cluster;
    let inference = "{nodeSelector: {matchLabels: {pool: inference}}, strategy: {type: MIG, mig: {layout: {1g.5gb: 7}}}, \
                     maintenance: {maxUnavailable: 3}}";
    let dev = "{nodeSelector: {matchLabels: {pool: dev}}, \
               strategy: {type: TimeSlicing, timeSlicing: {replicas: 4}}}";
    cluster.create_policy("inference", inference).await?;
    cluster.create_policy("dev", dev).await?;
    wait_in_sync(stage, MIG_NODES.iter().chain([&DEV_NODE])).await?;
    for name in MIG_NODES {
        let node = cluster.node(name);
        node.wait_allocatable(&[("nvidia.com/mig-1g.5gb", 14)])
            .await?;
        screen.map(name, &node.gpus().gpus()?);
    }
    cluster
        .node(DEV_NODE)
        .wait_allocatable(&[("nvidia.com/gpu", 8)])
        .await?;
    screen.note(
        "three nodes advertise nvidia.com/mig-1g.5gb: 14 each; gpu-4 advertises nvidia.com/gpu: 8",
    );
    Ok(())
}

/// Pods take slices.
pub async fn load(screen: &Screen, stage: &Stage) -> Result<Before> {
    screen.headline("3. A Deployment of 6 pods on nvidia.com/mig-1g.5gb; its budget lets one of them be missing");
    stage.run_inference().await?;
    stage.wait_held(6).await?;
    let pods = figures::pods(&stage.inference_pods().await?);
    for (node, names) in figures::by_node(&pods) {
        screen.note(&format!("{node} runs {}", names.join(", ")));
        screen.map(&node, &stage.cluster.node(&node).gpus().gpus()?);
    }
    screen.say("  (* a process runs on the slice)");
    Ok(Before {
        pods,
        mark: stage
            .cluster
            .bed
            .audit()
            .mark(&stage.cluster.client)
            .await?,
        watching: Watching::begin(stage).await?,
    })
}

/// Another layout is wanted, from a moment on; what it will cost is known at once. Returns that moment.
pub async fn change(screen: &Screen, stage: &Stage) -> Result<Timestamp> {
    screen.headline("4. The policy changes to {3g.20gb: 1, 2g.10gb: 1, 1g.5gb: 2}; its window opens in 15 seconds");
    let opens = Timestamp::from_second(Timestamp::now().as_second() + 15)?;
    let policy = stage
        .change_policy(json!({
            "strategy": {"mig": {"layout": {"1g.5gb": 2, "2g.10gb": 1, "3g.20gb": 1}}},
            "maintenance": {
                "maxUnavailable": 1,
                "windows": [{"start": "00:00", "end": "00:00"}],
                "blackouts": [{"from": "2026-01-01T00:00:00Z", "to": opens.to_string(), "reason": "the audience takes its seats"}],
            },
        }))
        .await?;
    screen.say(&shown(&json!({"strategy": policy.spec.strategy})));
    stage.run_training().await?;
    for name in MIG_NODES {
        let waits = |node: &crds::GpuNode| {
            let maintenance = figures::maintenance(node);
            maintenance.phase == Phase::Pending && maintenance.plan.is_some()
        };
        let node = wait_within(
            LONG,
            &stage.cluster.gpu_nodes(),
            name,
            "shows its plan",
            waits,
        )
        .await?;
        let maintenance = figures::maintenance(&node);
        for line in figures::plan(name, &maintenance) {
            screen.say(&line);
        }
    }
    Ok(opens)
}

/// Nothing happens before the window opens.
pub async fn wait_for_window(screen: &Screen, stage: &Stage, opens: Timestamp) -> Result<()> {
    let waits = figures::maintenance(&stage.cluster.gpu_nodes().get(MIG_NODES[0]).await?);
    screen.note(&format!(
        "{} waits for {}",
        MIG_NODES[0],
        waits.waiting_for.as_deref().unwrap_or("nothing")
    ));
    loop {
        let left = opens.duration_since(Timestamp::now());
        if left <= SignedDuration::ZERO {
            break;
        }
        screen.tick(&format!("the window opens in {} s", left.as_secs() + 1));
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    screen.clear_tick();
    screen.note("the window is open");
    Ok(())
}

/// Node by node. Returns the pods that were to be evicted.
pub async fn watch_nodes(screen: &Screen, stage: &Stage) -> Result<BTreeSet<String>> {
    screen.headline("5. One node at a time: cordon, drain what the change touches, repartition, verify, uncordon");
    let victims = crate::watching::narrate(screen, stage).await?;
    wait_in_sync(stage, MIG_NODES.iter()).await?;
    stage.wait_available("training", 3).await?;
    screen.note("3 pods of `training` run on nvidia.com/mig-3g.20gb");
    stage.wait_available("inference", 6).await?;
    screen.note("6 pods of `inference` run");
    for name in MIG_NODES {
        screen.map(name, &stage.cluster.node(name).gpus().gpus()?);
    }
    Ok(victims)
}

/// What it cost, from the API, and whether every promise was kept.
pub async fn account(screen: &Screen, stage: &Stage, before: &Before, plan: &Plan) -> Result<bool> {
    screen.headline("6. What it cost, as the API server tells it");
    let mut nodes = BTreeMap::new();
    for name in MIG_NODES.iter().chain([&DEV_NODE]) {
        let node = stage.cluster.gpu_nodes().get(name).await?;
        nodes.insert((*name).to_owned(), figures::maintenance(&node));
    }
    for line in figures::summary(stage, before, &nodes).await? {
        screen.say(&line);
    }
    screen.headline("7. What was promised");
    let mut kept = true;
    for promise in promises::all(stage, before, plan, &nodes).await? {
        kept &= promise.broken.is_none();
        match promise.broken {
            None => screen.say(&format!("  kept    {}", promise.what)),
            Some(how) => screen.say(&format!("  BROKEN  {}: {how}", promise.what)),
        }
    }
    Ok(kept)
}

async fn wait_in_sync<'a>(stage: &Stage, names: impl Iterator<Item = &'a &'a str>) -> Result<()> {
    for name in names {
        let in_sync = |node: &crds::GpuNode| figures::is_in_sync(node);
        wait_within(
            LONG,
            &stage.cluster.gpu_nodes(),
            name,
            "is in sync with its policy",
            in_sync,
        )
        .await?;
    }
    Ok(())
}
