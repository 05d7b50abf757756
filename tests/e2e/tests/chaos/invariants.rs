//! What must hold whatever happens. Each function returns sentences about what did not, with the records that show it.

use std::collections::{BTreeMap, BTreeSet};

use crds::names;
use e2e::Record;
use jiff::Timestamp;

use crate::evidence::{Facts, NodeVersion};
use crate::world::{BUDGET, policy_of};

/// The operator's service account.
const OPERATOR: &str = ":gpu-sharing-operator";

/// Everything that is wrong with what is new.
pub fn violations(facts: &Facts) -> Vec<String> {
    let mut all = foreign_uncordons(facts);
    all.extend(evictions_outside_draining(facts));
    all.extend(writes_of_deposed_leaders(facts));
    all.extend(budgets_exceeded(facts));
    all
}

/// How much of what is new there was to judge.
pub fn judged(facts: &Facts) -> BTreeMap<&'static str, usize> {
    let count = |is: fn(&Record) -> bool| by_operator(facts).filter(|it| is(it)).count();
    let leaders = by_operator(facts).filter(|record| record.object.resource == "leases");
    let leaders: BTreeSet<_> = leaders.map(|record| &record.credential).collect();
    [
        ("evictions", count(is_eviction)),
        ("uncordons", count(is_uncordon)),
        ("writes of leaders", count(is_of_leader)),
        ("leaders", leaders.len()),
    ]
    .into()
}

fn is_eviction(record: &Record) -> bool {
    record.object.subresource == "eviction"
}

fn is_uncordon(record: &Record) -> bool {
    record.object.resource == "nodes" && record.request["spec"]["unschedulable"] == false
}

fn is_of_leader(record: &Record) -> bool {
    !["leases", "events"].contains(&record.object.resource.as_str())
}

fn by_operator(facts: &Facts) -> impl Iterator<Item = &Record> {
    let new = facts.records.iter().skip(facts.new);
    new.filter(|record| record.user.ends_with(OPERATOR) && record.took_effect())
}

/// A write of the operator that makes a node schedulable names the version that it was decided on: in that version the
/// cordon was the operator's, and marked.
fn foreign_uncordons(facts: &Facts) -> Vec<String> {
    let uncordons = by_operator(facts).filter(|record| is_uncordon(record));
    let judged = uncordons.filter_map(|record| {
        let based_on = record.request["metadata"]["resourceVersion"].as_str()?;
        let is = |node: &&NodeVersion| node.name == record.object.name && node.version == based_on;
        let wrong = match facts.nodes.iter().find(is) {
            None => "nobody has seen the version that it was based on",
            Some(node) if !node.marked => "it was not marked",
            Some(node) if node.owners != [names::CORDON_MANAGER] => {
                "the cordon was somebody else's"
            }
            Some(_) => return None,
        };
        Some(format!("uncordoned, and {wrong}: {}", told(record)))
    });
    judged.collect()
}

/// Each eviction falls into a time in which its node may have been in `Draining`, by the operator's own writes.
fn evictions_outside_draining(facts: &Facts) -> Vec<String> {
    let mut phases: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in &facts.records {
        let is_phase = !record.request["status"]["maintenance"]["phase"].is_null();
        if is_phase && record.object.resource == "gpunodes" && record.took_effect() {
            phases.entry(&record.object.name).or_default().push(record);
        }
    }
    let evictions = by_operator(facts).filter(|record| is_eviction(record));
    let judged = evictions.filter_map(|eviction| {
        let uid = eviction.request["deleteOptions"]["preconditions"]["uid"].as_str();
        let Some(node) = uid.and_then(|uid| facts.pods.get(uid)) else {
            return Some(format!(
                "evicted a pod that was on no node: {}",
                told(eviction)
            ));
        };
        let writes = phases.get(node.as_str()).map_or(&[][..], Vec::as_slice);
        let possible = during(writes, eviction);
        let drains =
            |record: &&Record| record.request["status"]["maintenance"]["phase"] == "Draining";
        let seen = possible.iter().map(|record| told(record));
        (!possible.iter().any(drains)).then(|| {
            let seen: Vec<_> = seen.collect();
            format!(
                "evicted from {node} outside of Draining: {}\nbut {}",
                told(eviction),
                seen.join("\n")
            )
        })
    });
    judged.collect()
}

/// The write that stood when a request arrived, and those that were under way until it was answered.
fn during<'a>(writes: &[&'a Record], request: &Record) -> Vec<&'a Record> {
    let begun = writes.iter().filter(|it| it.received <= request.answered);
    let done = begun.clone().filter(|it| it.answered <= request.received);
    let last: Option<Timestamp> = done.map(|it| it.answered).max();
    begun
        .filter(|it| last.is_none_or(|last| it.answered >= last))
        .copied()
        .collect()
}

/// No write arrives after another replica has taken the lease.
fn writes_of_deposed_leaders(facts: &Facts) -> Vec<String> {
    let holds = |record: &&Record| {
        let holder = &record.request["spec"]["holderIdentity"];
        record.object.resource == "leases"
            && record.took_effect()
            && record.user.ends_with(OPERATOR)
            && holder.as_str().is_some_and(|holder| !holder.is_empty())
    };
    let lease: Vec<_> = facts.records.iter().filter(holds).collect();
    let writes = by_operator(facts).filter(|record| is_of_leader(record));
    let judged = writes.filter_map(|write| {
        let holders = during(&lease, write);
        let own = |record: &&Record| record.credential == write.credential;
        let holder = holders.last().filter(|_| !holders.iter().any(own))?;
        Some(format!(
            "written by a deposed leader: {}\nthe lease: {}",
            told(write),
            told(holder)
        ))
    });
    judged.collect()
}

/// In no version has a policy more slots, or more nodes that an operation has marked, than it may have.
fn budgets_exceeded(facts: &Facts) -> Vec<String> {
    let mut wrong: BTreeSet<String> = BTreeSet::new();
    for (policy, slots) in &facts.slots {
        if *slots > BUDGET {
            wrong.insert(format!("{policy} has {slots} slots and may have {BUDGET}"));
        }
    }
    let mut marked: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for node in &facts.nodes {
        let number = node
            .name
            .strip_prefix('n')
            .and_then(|number| number.parse().ok());
        let Some(policy) = number.map(policy_of) else {
            continue;
        };
        let marked = marked.entry(policy).or_default();
        if node.marked {
            marked.insert(&node.name);
        } else {
            marked.remove(node.name.as_str());
        }
        if marked.len() > BUDGET {
            wrong.insert(format!(
                "at version {}, {marked:?} are marked at once",
                node.version
            ));
        }
    }
    wrong.into_iter().collect()
}

/// A record in one line.
fn told(record: &Record) -> String {
    let object = &record.object;
    format!(
        "{} to {} {} {} {}/{} {}: {} {}",
        record.received,
        record.answered,
        record.credential,
        record.verb,
        object.resource,
        object.subresource,
        object.name,
        record.code,
        record.request
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// An accepted write of a replica in these seconds.
    fn write(
        by: &str,
        seconds: (u8, u8),
        resource: &str,
        subresource: &str,
        request: Value,
    ) -> Record {
        let at = |second| format!("2026-01-01T00:00:{second:02}Z");
        let credential = json!({"authentication.kubernetes.io/credential-id": [by]});
        let record = json!({
            "requestReceivedTimestamp": at(seconds.0), "stageTimestamp": at(seconds.1), "verb": "patch",
            "user": {"username": "sa:gpu-sharing-operator", "extra": credential}, "requestURI": "/",
            "objectRef": {"resource": resource, "subresource": subresource, "name": "n0"},
            "responseStatus": {"code": 200}, "requestObject": request,
        });
        serde_json::from_value(record).expect("it is a record")
    }

    fn facts(records: Vec<Record>) -> Facts {
        Facts {
            records,
            new: 0,
            nodes: Vec::new(),
            pods: [("u".to_owned(), "n0".to_owned())].into(),
            slots: Vec::new(),
        }
    }

    fn node(name: &str, version: &str, marked: bool, owner: &str) -> NodeVersion {
        NodeVersion {
            name: name.to_owned(),
            version: version.to_owned(),
            unschedulable: true,
            marked,
            owners: vec![owner.to_owned()],
        }
    }

    #[test]
    fn an_uncordon_is_judged_by_the_version_that_it_was_based_on() {
        let body = json!({"metadata": {"resourceVersion": "7"}, "spec": {"unschedulable": false}});
        for (version, marked, owner, count) in [
            ("7", true, names::CORDON_MANAGER, 0),
            ("7", false, names::CORDON_MANAGER, 1),
            ("7", true, "kubectl", 1),
            ("6", true, names::CORDON_MANAGER, 1),
        ] {
            let mut facts = facts(vec![write("a", (1, 2), "nodes", "", body.clone())]);
            facts.nodes.push(node("n0", version, marked, owner));
            let wrong = foreign_uncordons(&facts);
            assert_eq!(wrong.len(), count, "{version} {marked} {owner}: {wrong:?}");
        }
    }

    #[test]
    fn an_eviction_is_judged_by_the_phases_that_were_possible_then() {
        let phase = |phase: &str, seconds| {
            write(
                "a",
                seconds,
                "gpunodes",
                "status",
                json!({"status": {"maintenance": {"phase": phase}}}),
            )
        };
        let evict = |uid: &str, seconds| {
            let body = json!({"deleteOptions": {"preconditions": {"uid": uid}}});
            write("a", seconds, "pods", "eviction", body)
        };
        for (row, eviction, count) in [
            ("in the middle", evict("u", (6, 7)), 0),
            ("while the phase is entered", evict("u", (4, 4)), 0),
            ("before it", evict("u", (2, 3)), 1),
            ("while it is left", evict("u", (9, 12)), 0),
            ("after it", evict("u", (12, 13)), 1),
            ("of a pod elsewhere", evict("other", (6, 7)), 1),
        ] {
            let phases = [
                phase("Preparing", (0, 1)),
                phase("Draining", (4, 5)),
                phase("Releasing", (10, 11)),
            ];
            let wrong =
                evictions_outside_draining(&facts(phases.into_iter().chain([eviction]).collect()));
            assert_eq!(wrong.len(), count, "{row}: {wrong:?}");
        }
    }

    #[test]
    fn a_write_is_judged_by_the_lease_that_was_held_then() {
        let lease = |by: &str, holder: &str, seconds| {
            write(
                by,
                seconds,
                "leases",
                "",
                json!({"spec": {"holderIdentity": holder}}),
            )
        };
        let status = |by: &str, seconds| write(by, seconds, "gpunodes", "status", json!({}));
        for (row, write, count) in [
            ("the first leads", status("a", (2, 3)), 0),
            ("it has given the lease back", status("a", (5, 5)), 0),
            ("as the other takes over", status("a", (5, 8)), 0),
            ("the other leads", status("a", (8, 9)), 1),
            ("by the other", status("b", (8, 9)), 0),
        ] {
            let held = [
                lease("a", "a_1", (0, 1)),
                lease("a", "", (4, 4)),
                lease("b", "b_1", (6, 7)),
            ];
            let wrong =
                writes_of_deposed_leaders(&facts(held.into_iter().chain([write]).collect()));
            assert_eq!(wrong.len(), count, "{row}: {wrong:?}");
        }
    }

    #[test]
    fn budgets_are_judged_at_every_version() {
        let marked = |name, marked| node(name, "1", marked, names::CORDON_MANAGER);
        let mut facts = facts(Vec::new());
        facts.slots = vec![("p0".to_owned(), BUDGET)];
        facts.nodes = vec![
            marked("n0", true),
            marked("n1", true),
            marked("n0", false),
            marked("n2", true),
            marked("n5", true),
        ];
        assert_eq!(budgets_exceeded(&facts), [""; 0]);
        facts.nodes.push(marked("n0", true));
        facts.slots.push(("p1".to_owned(), BUDGET + 1));
        assert_eq!(budgets_exceeded(&facts).len(), 2);
    }
}
