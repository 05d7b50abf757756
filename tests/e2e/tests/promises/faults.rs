//! Whatever goes wrong between our programs and the API server, again and again: the main job is done, once, and no
//! program ends over it.

use crds::gpu_node::OperationResult;
use e2e::{Fault, Look, Program, Proxy, Weather, Workload, eventually};
use kube::ResourceExt;
use serde_json::json;

use crate::look::FREE;
use crate::scene::{LONG, SEVEN, SMALL, Scene, a100};

/// The GPU in halves, as a resource and as a layout.
const HALF: &str = "nvidia.com/mig-3g.20gb";

/// A scene whose operator and agent speak through a proxy.
async fn behind_a_proxy() -> (Scene, Proxy) {
    let mut scene = Scene::install([a100("n1")]).await;
    let cluster = &mut scene.cluster;
    let proxy = Proxy::start(&cluster.bed, 5).await.unwrap();
    let through = |program: Program| program.through(proxy.url());
    cluster.operator = through(Program::operator(&cluster.bed, "operator").unwrap());
    let agent = through(Program::agent(&cluster.bed, cluster.node("n1")).unwrap());
    cluster.agents.insert("n1".to_owned(), agent);
    scene.start_programs().await;
    (scene, proxy)
}

/// How many of a thousand requests go wrong: more of those that there are fewer of.
fn often(fault: Fault) -> u64 {
    match fault {
        Fault::Conflict | Fault::Duplicated => 250,
        Fault::WatchReset | Fault::WatchGone => 100,
        Fault::Throttled
        | Fault::ThrottledFor
        | Fault::InternalError
        | Fault::Unavailable
        | Fault::RequestLost
        | Fault::ReplyLost
        | Fault::Delayed => 40,
    }
}

fn times(proxy: &Proxy, fault: Fault) -> u64 {
    proxy.injected().get(&fault).copied().unwrap_or_default()
}

#[tokio::test]
async fn the_gpu_is_cut_and_its_pod_leaves_whatever_goes_wrong_on_the_way() {
    let (mut scene, proxy) = behind_a_proxy().await;
    let first = scene.policy("p", &format!("{{strategy: {SEVEN}}}")).await;
    let mut last = scene.in_sync("n1", &first).await.history.remove(0);
    for (round, fault) in Fault::ALL.into_iter().enumerate() {
        let (held, layout) = if round % 2 == 0 {
            (SMALL, json!({"3g.20gb": 2, "1g.5gb": null}))
        } else {
            (HALF, json!({"1g.5gb": 7, "3g.20gb": null}))
        };
        let app = format!("{fault:?}").to_lowercase();
        let pod = scene.run_one(&Workload::new(&app).asks(held, 1)).await;
        let (mark, before) = (scene.mark().await, times(&proxy, fault));
        proxy.set(Weather {
            faults: vec![fault],
            per_mille: often(fault),
        });
        let changed = json!({"strategy": {"mig": {"layout": layout}}});
        let policy = scene.change_policy("p", changed).await;
        let done = scene.in_sync("n1", &policy).await;
        // The renewals of the lease and the watches go on.
        eventually("it went wrong at least once", LONG, async || {
            Ok(match times(&proxy, fault) - before {
                0 => Look::NotYet("never".to_owned()),
                often => Look::Done(often),
            })
        })
        .await
        .unwrap();
        proxy.set(Weather::fair());

        let evicted = scene.evicted(mark).await;
        let name = pod.name_any();
        assert_eq!(evicted.first(), Some(&name), "{fault:?}");
        assert!(
            evicted.iter().all(|it| *it == name),
            "{fault:?}: {evicted:?}"
        );
        let [newest, before_it] = &done.history[..2] else {
            panic!("{fault:?}: {done:?}");
        };
        assert_eq!(newest.result, OperationResult::Succeeded, "{fault:?}");
        assert_eq!(*before_it, last, "{fault:?}: one operation");
        last = newest.clone();
        assert_eq!(scene.standing("n1").await, FREE, "{fault:?}");
        let injected = times(&proxy, fault) - before;
        let took = last.finished_at.0.duration_since(last.started_at.0);
        eprintln!(
            "{fault:?} {injected} times: the operation took {} s",
            took.as_secs()
        );
        scene.stop(&app).await;
        scene.cluster.operator.check().unwrap();
        scene.cluster.agent("n1").unwrap().check().unwrap();
    }
}
