//! What `kubectl apply` tells the author of a policy about what its strategy does not isolate.

use e2e::{Bed, Error, Look, PATIENCE, eventually};
use serde_json::{Value, json};

use crate::command::dry_run;
use crate::installed;

const SLICING: &str = "TimeSlicing isolates nothing";
const HYBRID: &str = "mig.timeSlicing isolates slices from each other, and nothing inside a slice";
const MPS: &str = "MPS limits memory and threads at the CUDA API and isolates no faults";

/// The warnings that kubectl prints for a policy, which is accepted.
fn warnings(bed: &Bed, spec: &Value) -> String {
    let policy = json!({
        "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuSharingPolicy",
        "metadata": {"name": "warned"}, "spec": spec,
    });
    let said = dry_run(bed, &policy.to_string());
    assert!(said.succeeded, "{spec}: {}", said.errors);
    said.errors
}

#[tokio::test]
async fn the_author_of_a_policy_is_told_in_one_sentence_what_it_does_not_isolate() {
    let (bed, _) = installed().await;
    let slicing = json!({"type": "TimeSlicing", "timeSlicing": {"replicas": 2}});
    let mps = json!({"type": "MPS", "mps": {"replicas": 2}});
    let slices = json!({"type": "MIG", "mig": {"preset": "Balanced"}});
    let hybrid =
        json!({"type": "MIG", "mig": {"preset": "Balanced", "timeSlicing": {"replicas": 2}}});
    let only = |strategy: &Value| json!({"strategy": strategy});
    let over = |strategy: &Value| json!({"strategy": slices, "overrides": [{"gpus": {"indices": [0]}, "strategy": strategy}]});
    let both =
        json!({"strategy": slicing, "overrides": [{"gpus": {"indices": [0]}, "strategy": mps}]});

    // Policies take a moment to be in force.
    let look = async || {
        let said = warnings(&bed, &only(&slicing));
        Ok::<_, Error>(if said.contains(SLICING) {
            Look::Done(())
        } else {
            Look::NotYet(said)
        })
    };
    eventually("a warning about TimeSlicing", PATIENCE, look)
        .await
        .unwrap();
    for (spec, expected) in [
        (only(&slicing), vec![SLICING]),
        (only(&mps), vec![MPS]),
        (only(&hybrid), vec![HYBRID]),
        (over(&slicing), vec![SLICING]),
        (over(&hybrid), vec![HYBRID]),
        (both, vec![SLICING, MPS]),
        (only(&slices), vec![]),
        (only(&json!({"type": "Exclusive"})), vec![]),
    ] {
        let said = warnings(&bed, &spec);
        let told = said.lines().filter(|line| line.starts_with("Warning:"));
        assert_eq!(told.count(), expected.len(), "{spec}: {said}");
        for sentence in expected {
            assert!(said.contains(sentence), "{spec}: {said}");
        }
    }
}
