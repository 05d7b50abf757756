use futures::FutureExt;
use k8s_openapi::api::core::v1::Node;
use serde_json::{Value, json};

use super::*;
use crate::fake::FakeApi;

type Guarded = DeserializeGuard<Node>;

fn caching(readiness: &Readiness) -> (Cache<Node>, Filler<Node>) {
    with(readiness, Unreadable::Alone)
}

fn with(readiness: &Readiness, unreadable: Unreadable) -> (Cache<Node>, Filler<Node>) {
    let (api, config) = (
        Api::all(FakeApi::default().client()),
        watcher::Config::default(),
    );
    new(api, config, readiness, "nodes", unreadable)
}

fn sick(name: &str) -> Guarded {
    read(json!({"metadata": {"name": name}, "spec": {"unschedulable": "perhaps"}}))
}

fn read(object: Value) -> Guarded {
    serde_json::from_value(object).unwrap()
}

fn node(name: &str, version: &str, cordoned: bool) -> Guarded {
    read(json!({
        "metadata": {"name": name, "resourceVersion": version},
        "spec": {"unschedulable": cordoned},
    }))
}

fn list(filler: &mut Filler<Node>, nodes: impl IntoIterator<Item = Guarded>) {
    filler.take(Event::Init);
    for node in nodes {
        filler.take(Event::InitApply(node));
    }
    filler.take(Event::InitDone);
}

/// Names of what has changed until now.
fn changed(changes: &mut (impl Stream<Item = Option<Change<Node>>> + Unpin)) -> Vec<String> {
    let mut names = Vec::new();
    while let Some(Some(change)) = changes.next().now_or_never() {
        names.push(change.unwrap().name);
    }
    names
}

#[tokio::test]
async fn a_listener_hears_of_changes_that_matter_and_of_no_others() {
    let (cache, mut filler) = caching(&Readiness::new());
    let mut changes = Box::pin(cache.changes());
    list(&mut filler, [node("a", "1", false), node("b", "1", false)]);
    assert_eq!(changed(&mut changes), ["a", "b"], "all are new");

    filler.take(Event::Apply(node("a", "2", false)));
    assert_eq!(changed(&mut changes), [""; 0], "only its version changed");
    filler.take(Event::Apply(node("a", "3", true)));
    assert_eq!(changed(&mut changes), ["a"], "cordoned");
    filler.take(Event::Delete(node("b", "4", false)));
    assert_eq!(changed(&mut changes), ["b"], "deleted");
}

#[tokio::test]
async fn a_new_list_tells_what_happened_while_the_watch_was_broken() {
    let (cache, mut filler) = caching(&Readiness::new());
    list(
        &mut filler,
        ["a", "b", "c"].map(|name| node(name, "1", false)),
    );
    let mut changes = Box::pin(cache.changes());
    let relisted = [
        node("a", "1", false),
        node("b", "5", true),
        node("d", "5", false),
    ];
    list(&mut filler, relisted);
    assert_eq!(changed(&mut changes), ["b", "d", "c"]);
    assert!(cache.get("c").is_none());
}

#[tokio::test]
async fn an_object_that_cannot_be_read_concerns_the_others_only_where_they_depend_on_it() {
    for (unreadable, ready) in [(Unreadable::Alone, true), (Unreadable::Blocks, false)] {
        let readiness = Readiness::new();
        let (cache, mut filler) = with(&readiness, unreadable);
        assert_eq!(readiness.closed().len(), 1);
        list(&mut filler, [sick("a"), node("b", "1", false)]);
        assert_eq!(readiness.closed().is_empty(), ready, "{unreadable:?}");
        assert_eq!(cache.filled().now_or_never().is_some(), ready);
        assert!(cache.get("b").is_some() && cache.get("a").is_none());

        filler.take(Event::Apply(node("a", "2", false)));
        assert_eq!(readiness.closed(), [], "it can be read now");
        assert!(cache.filled().now_or_never().is_some());
    }
}

#[tokio::test]
async fn an_object_that_cannot_be_read_any_more_stays_what_it_was() {
    let (cache, mut filler) = caching(&Readiness::new());
    list(&mut filler, [node("a", "1", true)]);
    let mut changes = Box::pin(cache.changes());
    filler.take(Event::Apply(sick("a")));
    list(&mut filler, [sick("a")]);
    assert_eq!(changed(&mut changes), [""; 0]);
    assert!(cache.get("a").is_some());
}

#[tokio::test]
async fn a_listener_that_is_far_behind_is_told_that_anything_may_have_changed() {
    let (cache, mut filler) = caching(&Readiness::new());
    let mut changes = Box::pin(cache.changes());
    let many = (0..=BACKLOG).map(|n| node(&format!("n{n}"), "1", false));
    list(&mut filler, many);
    assert!(changes.next().await.unwrap().is_none());
}
