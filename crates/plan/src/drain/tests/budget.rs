use crds::gpu_node::BlockedPod;
use serde_json::{Value, json};

use super::assess::pod;
use crate::drain::{BudgetView, EvictionMemory, Outlook, Reply, explained, namespaces};

fn budget(spec: Value, generation: i64, status: Value) -> BudgetView {
    let metadata = json!({"namespace": "default", "name": "web", "generation": generation});
    let budget = json!({"metadata": metadata, "spec": spec, "status": status});
    BudgetView::of(&serde_json::from_value(budget).unwrap())
}

fn web() -> Value {
    json!({"selector": {"matchLabels": {"app": "web"}}})
}

fn counted(allowed: i32, expected: i32, desired: i32) -> Value {
    json!({
        "observedGeneration": 3, "disruptionsAllowed": allowed, "expectedPods": expected,
        "desiredHealthy": desired, "currentHealthy": expected,
    })
}

#[test]
fn the_numbers_of_a_budget_say_whether_waiting_helps() {
    for (name, generation, status, expected) in [
        (
            "maxUnavailable 0, or minAvailable 100 %",
            3,
            counted(0, 3, 3),
            Outlook::Hopeless,
        ),
        (
            "one replica, minAvailable 1",
            3,
            counted(0, 1, 1),
            Outlook::Hopeless,
        ),
        (
            "minAvailable above the replicas",
            3,
            counted(0, 3, 5),
            Outlook::Hopeless,
        ),
        ("one pod is away", 3, counted(0, 3, 2), Outlook::Open),
        ("an eviction is allowed", 3, counted(1, 3, 3), Outlook::Open),
        ("covers nobody", 3, counted(0, 0, 0), Outlook::Open),
        ("negative", 3, counted(-1, 3, 3), Outlook::Open),
        ("the spec is newer", 4, counted(0, 3, 3), Outlook::Unknown),
        ("never counted", 1, json!(null), Outlook::Unknown),
    ] {
        let outlook = budget(web(), generation, status).outlook();
        assert_eq!(outlook, expected, "{name}");
    }
}

const SAID: &str = "The disruption budget web needs 3 healthy pods and has 3 currently";

fn block(reason: &str, message: &str) -> BlockedPod {
    BlockedPod {
        pod: "default/web-1".to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
    }
}

#[test]
fn only_the_budget_that_the_server_names_and_that_covers_the_pod_explains_a_refusal() {
    let hopeless = |spec: Value| budget(spec, 3, counted(0, 3, 3));
    let elsewhere = BudgetView {
        namespace: "other".to_owned(),
        ..hopeless(web())
    };
    let another = BudgetView {
        name: "we".to_owned(),
        ..hopeless(web())
    };
    let other_pods = json!({"selector": {"matchLabels": {"app": "api"}}});
    let mut pod = pod("web-1");
    pod.labels = [("app".to_owned(), "web".to_owned())].into();
    let by_budget = || block("DisruptionBudget", SAID);
    for (name, block, budgets, is_explained) in [
        ("its own", by_budget(), vec![hopeless(web())], true),
        (
            "among others",
            by_budget(),
            vec![another.clone(), hopeless(web())],
            true,
        ),
        ("none known", by_budget(), vec![], false),
        ("of another namespace", by_budget(), vec![elsewhere], false),
        ("of another name", by_budget(), vec![another], false),
        (
            "of other pods",
            by_budget(),
            vec![hopeless(other_pods)],
            false,
        ),
        (
            "an empty selector covers nothing",
            by_budget(),
            vec![hopeless(json!({"selector": {}}))],
            false,
        ),
        (
            "no selector covers nothing",
            by_budget(),
            vec![hopeless(json!({}))],
            false,
        ),
        (
            "one that may open",
            by_budget(),
            vec![budget(web(), 3, counted(0, 3, 2))],
            false,
        ),
        (
            "one whose status is stale",
            by_budget(),
            vec![budget(web(), 4, counted(0, 3, 3))],
            false,
        ),
        (
            "another kind of refusal",
            block("Error", SAID),
            vec![hopeless(web())],
            false,
        ),
    ] {
        let said = explained(&block, &pod, &budgets);
        assert_eq!(
            said.reason == "HopelessDisruptionBudget",
            is_explained,
            "{name}"
        );
        assert_eq!(said == block, !is_explained, "{name}");
    }
}

#[test]
fn a_hopeless_budget_is_named_with_its_numbers_and_what_to_do() {
    let mut pod = pod("web-1");
    pod.labels = [("app".to_owned(), "web".to_owned())].into();
    let hopeless = budget(web(), 3, counted(0, 3, 3));
    let said = explained(&block("DisruptionBudget", SAID), &pod, &[hopeless]);
    assert_eq!(
        said.message,
        "The disruption budget web needs 3 healthy pods and has 3 currently. This cannot succeed as things are: budget \
         default/web counts 3 pods and wants 3 of them healthy, so it never lets one go. Run more replicas, or give it \
         another minAvailable or maxUnavailable"
    );
}

#[test]
fn budgets_are_asked_for_only_where_one_has_refused() {
    let now = "2026-03-01T02:00:00Z".parse().unwrap();
    let refused = Reply::Budget {
        message: SAID.to_owned(),
        after: None,
    };
    let memory = |namespace: &str, reply: &Reply| {
        let mut pod = pod("web-1").reference;
        pod.namespace = namespace.to_owned();
        EvictionMemory::after(None, &pod, reply, now).unwrap()
    };
    let memories = [
        memory("a", &refused),
        memory("a", &refused),
        memory("b", &Reply::Accepted),
        memory("c", &Reply::Throttled(None)),
        memory("d", &Reply::Budgets(String::new())),
    ];
    assert_eq!(Vec::from_iter(namespaces(&memories)), ["a"]);
}
