//! The tables against the API server, and the definitions against the tables: no rule and no bound without an example
//! on either side of it.

use kube::Client;
use serde_json::Value;

use crate::bounds::{Bound, bounds, values_at};
use crate::cases::{Case, tables};
use crate::installed;
use crate::request::{Refusal, Unknown, check};

#[tokio::test]
async fn the_api_server_accepts_what_is_right() {
    let (_bed, client) = installed().await;
    let mut wrong = Vec::new();
    for (file, table) in tables() {
        for case in &table.accepted {
            let object = case.object(&table.kind);
            let answer = check(&client, &table.kind, &object, Unknown::Refused).await;
            if let Err(refusal) = answer {
                wrong.push(format!("{file}: {}: {refusal:#?}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_api_server_refuses_what_is_wrong_and_says_where_and_what_to_write() {
    let (_bed, client) = installed().await;
    let mut wrong = Vec::new();
    for (file, table) in tables() {
        for case in &table.refused {
            match refused(&client, &table.kind, case).await {
                None => wrong.push(format!("{file}: {}: accepted", case.name)),
                Some(said) if !is_expected(case, &said) => {
                    let expected = &case.because;
                    let name = &case.name;
                    wrong.push(format!(
                        "{file}: {name}: {said:#?}\ninstead of {expected:#?}"
                    ));
                }
                Some(_) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn refused(client: &Client, kind: &str, case: &Case) -> Option<Refusal> {
    let object = case.object(kind);
    check(client, kind, &object, Unknown::Refused).await.err()
}

/// The same fields, and of each the expected words.
fn is_expected(case: &Case, said: &Refusal) -> bool {
    said.keys().eq(case.because.keys())
        && case
            .because
            .iter()
            .all(|(field, words)| said[field].iter().any(|message| message.contains(words)))
}

#[tokio::test]
async fn every_rule_and_bound_has_an_example_that_it_refuses() {
    let (_bed, client) = installed().await;
    let mut refusals = Vec::new();
    for (_, table) in tables() {
        for case in &table.refused {
            if let Some(said) = refused(&client, &table.kind, case).await {
                refusals.push((table.kind.clone(), said));
            }
        }
    }
    let is_refused = |bound: &Bound| {
        let of_kind = refusals.iter().filter(|(kind, _)| *kind == bound.kind);
        of_kind.flat_map(|(_, said)| said).any(|(field, messages)| {
            bound.is_at(field) && messages.iter().any(|it| it.contains(&bound.says))
        })
    };
    let missing: Vec<_> = bounds().into_iter().filter(|it| !is_refused(it)).collect();
    assert!(missing.is_empty(), "no case is refused by {missing:#?}");
}

#[test]
fn every_rule_and_bound_has_an_example_that_just_passes() {
    let tables = tables();
    let specs: Vec<(&str, Value)> = tables
        .iter()
        .flat_map(|(_, table)| {
            let kind = table.kind.as_str();
            let objects = table.accepted.iter().map(move |case| case.object(kind));
            objects.map(move |object| (kind, object))
        })
        .collect();
    let passes = |bound: &Bound| {
        let of_kind = specs.iter().filter(|(kind, _)| *kind == bound.kind);
        let mut values = of_kind.flat_map(|(_, object)| values_at(object, &bound.path));
        bound.edges.iter().all(|edge| {
            let mut found = values.clone();
            found.any(|value| edge.is_met_by(value))
        }) && values.next().is_some()
    };
    let missing: Vec<_> = bounds().into_iter().filter(|it| !passes(it)).collect();
    assert!(missing.is_empty(), "no accepted case is at {missing:#?}");
}

#[tokio::test]
async fn a_misspelt_field_is_dropped_when_the_client_does_not_ask_for_more() {
    let (_bed, client) = installed().await;
    let object = serde_json::json!({
        "metadata": {"name": "misspelt"},
        "spec": {"strategy": {"type": "Exclusive"}, "priorty": 7},
    });
    let kind = "GpuSharingPolicy";
    let stored = check(&client, kind, &object, Unknown::Dropped)
        .await
        .unwrap();
    assert_eq!(stored["spec"].get("priorty"), None);
    assert_eq!(stored["spec"]["priority"], 0);
}
