//! Pods that must leave: what is read about them, how they are asked, and what their owners are told.

use super::*;

#[tokio::test]
async fn budgets_are_read_only_where_one_has_refused_an_eviction() {
    let kit = Kit::new();
    kit.api.on(&format!("GET {NODE}"), 200, node());
    kit.api
        .on(&format!("GET {GPU_NODE}"), 200, gpu_node(&draining()));
    let budgets = "GET /apis/policy/v1/namespaces/jobs/poddisruptionbudgets";
    let asked_for_budgets = |kit: &Kit| {
        let asked = kit.api.asked();
        asked.iter().filter(|asked| asked.what == budgets).count()
    };
    let (nodes, now) = (&kit.nodes, Timestamp::now());
    for (reply, asked) in [
        (plan::drain::Reply::Throttled(None), 0),
        (
            plan::drain::Reply::Budget {
                message: "no".to_owned(),
                after: None,
            },
            1,
        ),
    ] {
        nodes.memories.answered("n1", &pod("p"), false, &reply, now);
        let evictions = nodes.memories.evictions("n1");
        let read = read::fresh(
            &nodes.cluster,
            &nodes.caches,
            "n1",
            &evictions,
            now,
            &nodes.rules.limits,
        )
        .await;
        assert!(matches!(read, Ok(Fresh::Seen(_))));
        assert_eq!(asked_for_budgets(&kit), asked, "{reply:?}");
    }
}

#[tokio::test]
async fn owners_are_told_once_the_status_is_written_and_only_on_their_pods() {
    let kit = Kit::new();
    let status = format!("PATCH {GPU_NODE}/status");
    kit.api.on(&status, 200, gpu_node(&draining()));
    let told = "POST /apis/events.k8s.io/v1/namespaces/jobs/events";
    kit.api.on(told, 201, json!({"metadata": {}}));
    let mut step = step(draining());
    let event = step.events.remove(0);
    let pod = pod("p");
    step.pod_events = vec![PodEvent { pod, event }];
    let reported = kit.nodes.report(&mut seen(), &step).await;
    assert!(reported.unwrap());
    assert_eq!(kit.writes(), [status, told.to_owned()]);
}

#[tokio::test]
async fn a_pod_that_may_not_leave_keeps_nobody_else_from_leaving() {
    let kit = Kit::new();
    let eviction = |name: &str| format!("POST /api/v1/namespaces/jobs/pods/{name}/eviction");
    let mut budget = failure(429, "TooManyRequests", "Cannot evict pod");
    budget["details"] = json!({"causes": [{"reason": "DisruptionBudget", "message": "b"}]});
    kit.api.on(&eviction("stays"), 429, budget);
    let success = json!({"kind": "Status", "status": "Success"});
    kit.api.on(&eviction("goes"), 201, success);
    let evict = |name: &str| Effect::Evict {
        pod: pod(name),
        grace: None,
    };
    let effects = vec![evict("stays"), evict("goes"), evict("went")];
    let acted = kit.nodes.act(&mut seen(), effects).await;
    assert_eq!(acted.unwrap(), Acted::Done);

    assert_eq!(kit.writes().len(), 3);
    let memory = kit.nodes.memories.evictions("n1");
    assert!(memory["uid-of-goes"].accepted && !memory["uid-of-stays"].accepted);
    assert!(!memory.contains_key("uid-of-went"), "404: gone");
    let measured = kit.measured();
    for result in ["Accepted", "DisruptionBudget", "Gone"] {
        let line = format!("evictions_total{{result=\"{result}\"}} 1");
        assert!(measured.contains(&line), "{line} in {measured}");
    }
}

#[tokio::test]
async fn what_the_first_pods_say_is_told_before_the_others_are_asked() {
    let kit = Kit::new();
    let evict = |name: usize| Effect::Evict {
        pod: pod(&name.to_string()),
        grace: None,
    };
    let mut seen = seen();
    let acted = kit.nodes.act(&mut seen, (0..20).map(evict).collect());
    assert_eq!(acted.await.unwrap(), Acted::Done);
    assert_eq!(kit.writes().len(), 8);
}
