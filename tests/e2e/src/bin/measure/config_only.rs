//! How soon a node advertises another number of replicas, and whom that disturbs.

use crds::GpuSharingPolicy;
use crds::names::{LABEL_MAX_SHARERS, LABEL_PLUGIN_CONFIG};
use e2e::{Record, Workload, extended};
use futures::try_join;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::runtime::wait::await_condition;
use kube::{Api, ResourceExt};
use serde_json::json;
use tokio::time::timeout;

use crate::ground::{GPU, Ground, LONG, Result, between, node};
use crate::page::Page;

/// How often.
const TIMES: usize = 6;
/// The node.
const NODE: &str = "n1";
/// Pods that share its GPU.
const PODS: i32 = 4;
/// Replicas before the change and after it, and the other way round the next time.
const REPLICAS: [usize; 2] = [4, 8];

/// When things happened after the policy's change arrived.
struct Took {
    labelled: SignedDuration,
    advertised: SignedDuration,
    promised: SignedDuration,
}

/// Measures it again and again on one node.
pub async fn measure(page: &Page) -> Result<()> {
    let ground = Ground::start([node(NODE)]).await?;
    let [few, many] = REPLICAS;
    let sliced = format!("{{type: TimeSlicing, timeSlicing: {{replicas: {few}}}}}");
    let policy = ground.create_policy(&sliced).await?;
    ground.in_sync(NODE, &policy).await?;
    ground
        .run(&Workload::new("model").asks(GPU, 1), PODS)
        .await?;
    let before = uids(&ground).await?;
    let (mut labelled, mut advertised, mut promised) = (Vec::new(), Vec::new(), Vec::new());
    for time in 0..TIMES {
        let took = change(&ground, REPLICAS[(time + 1) % REPLICAS.len()]).await?;
        labelled.push(took.labelled);
        advertised.push(took.advertised);
        promised.push(took.promised);
    }
    let after = uids(&ground).await?;
    let disturbed = before.iter().filter(|uid| !after.contains(uid)).count();
    page.headline(&format!(
        "From {few} replicas to {many} or back under {PODS} pods, {TIMES} times, from the policy's change to"
    ));
    page.spread("the label for the device plugin", &labelled);
    page.spread("the right allocatable", &advertised);
    page.spread("the right guarantees", &promised);
    page.line(&format!("  pods disturbed: {disturbed} of {PODS}"));
    Ok(())
}

async fn change(ground: &Ground, replicas: usize) -> Result<Took> {
    let mark = ground.mark().await?;
    let wanted = json!({"strategy": {"timeSlicing": {"replicas": replicas}}});
    let changed = ground.change_policy(wanted);
    let (policy, advertised) = try_join!(changed, advertises(ground, replicas))?;
    ground.in_sync(NODE, &policy).await?;
    let records = ground.accepted(mark).await?;
    let applied = arrived(&records, "the policy's change", is_change_of(&policy))?;
    let label = |name: &'static str| {
        move |it: &Record| {
            it.object.resource == "nodes" && it.request["metadata"]["labels"][name].is_string()
        }
    };
    let labelled = arrived(&records, "the label", label(LABEL_PLUGIN_CONFIG))?;
    let promised = arrived(&records, "the guarantees", label(LABEL_MAX_SHARERS))?;
    Ok(Took {
        labelled: between(applied, labelled),
        advertised: between(applied, advertised),
        promised: between(applied, promised),
    })
}

/// When a watch saw so many whole GPUs to be had.
async fn advertises(ground: &Ground, replicas: usize) -> Result<Timestamp> {
    let nodes: Api<Node> = Api::all(ground.cluster.client.clone());
    let is = move |node: Option<&Node>| {
        node.is_some_and(|node| extended(node).get(GPU) == Some(&replicas))
    };
    timeout(LONG, await_condition(nodes, NODE, is)).await??;
    Ok(Timestamp::now())
}

fn is_change_of(policy: &GpuSharingPolicy) -> impl Fn(&Record) -> bool {
    let name = policy.name_any();
    move |it| {
        let object = &it.object;
        (
            object.resource.as_str(),
            object.subresource.as_str(),
            &object.name,
        ) == ("gpusharingpolicies", "", &name)
    }
}

/// When the first such write arrived.
fn arrived(records: &[Record], what: &str, is: impl Fn(&Record) -> bool) -> Result<Timestamp> {
    let found = records.iter().find(|record| is(record));
    let found = found.ok_or_else(|| format!("{what} was never written"))?;
    Ok(found.received)
}

/// Of all pods that do not end.
async fn uids(ground: &Ground) -> Result<Vec<String>> {
    let pods: Api<Pod> = Api::default_namespaced(ground.cluster.client.clone());
    let pods = pods.list(&kube::api::ListParams::default()).await?;
    let stay = pods
        .iter()
        .filter(|pod| pod.metadata.deletion_timestamp.is_none());
    Ok(stay.filter_map(ResourceExt::uid).collect())
}
