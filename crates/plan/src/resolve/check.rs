//! What is wrong with a policy, whatever the hardware.

use crds::policy::{Strategy, StrategyType};
use crds::{DurationText, GpuSharingPolicySpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::selector::wrong;
use super::{Problem, ProblemReason, check_mig, workload};
use crate::windows::{Schedule, duration};

/// Everything that is wrong with a policy and needs no hardware to see; what the API server's own rules refuse is not
/// looked for again, unless something here depends on it. In the order of the fields.
pub fn check(spec: &GpuSharingPolicySpec) -> Vec<Problem> {
    let mut problems = Vec::new();
    problems.extend(selector(spec.node_selector.as_ref(), "spec.nodeSelector"));
    problems.extend(strategy(&spec.strategy, "spec.strategy"));
    for (index, part) in spec.overrides.iter().enumerate() {
        let path = format!("spec.overrides[{index}].strategy");
        problems.extend(strategy(&part.strategy, &path));
    }
    problems.extend(workload::check(spec));
    problems.extend(
        Schedule::parse(&spec.maintenance)
            .err()
            .into_iter()
            .flatten(),
    );
    problems.extend(maintenance(spec));
    problems
}

fn strategy(strategy: &Strategy, path: &str) -> Vec<Problem> {
    match (strategy.r#type, &strategy.mig) {
        // Without its member MIG is refused by the API server.
        (StrategyType::Exclusive | StrategyType::TimeSlicing | StrategyType::Mps, _)
        | (StrategyType::Mig, None) => Vec::new(),
        (StrategyType::Auto, _) => vec![later(path, "type", "Auto")],
        (StrategyType::Mig, Some(mig)) => check_mig::problems(mig, &format!("{path}.mig")),
    }
}

fn later(path: &str, field: &str, what: &str) -> Problem {
    let message =
        format!("{what} is not supported by this version; use Exclusive, TimeSlicing, MPS or MIG");
    Problem::new(
        ProblemReason::NotYetSupported,
        format!("{path}.{field}"),
        message,
    )
}

fn maintenance(spec: &GpuSharingPolicySpec) -> Vec<Problem> {
    let (maintenance, at) = (&spec.maintenance, "spec.maintenance");
    let drain = &maintenance.drain;
    let wait = drain.wait_for_completion.as_ref();
    let soak = maintenance.canary.as_ref().map(|canary| &canary.soak);
    let lengths = [
        (maintenance.min_remaining.as_ref(), "minRemaining"),
        (soak, "canary.soak"),
        (Some(&drain.timeout), "drain.timeout"),
        (
            wait.map(|wait| &wait.timeout),
            "drain.waitForCompletion.timeout",
        ),
    ];
    let lengths = lengths
        .into_iter()
        .filter_map(|(text, field)| length(text?, &format!("{at}.{field}")));
    let selectors = [
        (drain.pod_selector.as_ref(), "drain.podSelector"),
        (
            wait.map(|wait| &wait.pod_selector),
            "drain.waitForCompletion.podSelector",
        ),
    ];
    let selectors = selectors
        .into_iter()
        .filter_map(|(it, field)| selector(it, &format!("{at}.{field}")));
    lengths.chain(selectors).collect()
}

fn length(text: &DurationText, path: &str) -> Option<Problem> {
    let message = "a length of time longer than zero is needed, such as 10m or 1h30m";
    duration(text)
        .is_none()
        .then(|| Problem::new(ProblemReason::BadDuration, path, message))
}

fn selector(selector: Option<&LabelSelector>, path: &str) -> Option<Problem> {
    let message = wrong(selector?)?;
    Some(Problem::new(ProblemReason::BadSelector, path, message))
}
