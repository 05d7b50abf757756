//! Whether a node has as many GPUs as the parts of a policy count on, whatever these can become.

use super::parts::Part;
use super::{Problem, ProblemReason};

/// `open`: the parts that each GPU may follow.
pub(super) fn check(parts: &[Part<'_>], open: &[Vec<usize>]) -> Result<(), Problem> {
    let mut wanted = 0;
    for (number, part) in parts.iter().enumerate() {
        let Some(count) = part.count else { continue };
        let own = open.iter().filter(|open| open.contains(&number)).count();
        if own < count {
            return Err(for_one(part, count, own));
        }
        wanted += count;
    }
    if wanted > open.len() {
        return Err(for_all(parts));
    }
    Ok(())
}

fn for_one(part: &Part<'_>, count: usize, open: usize) -> Problem {
    let path = format!("{}.gpus.count", part.path);
    let message = format!(
        "{count} GPUs are wanted for this override, and the node has {open} that match it and are not taken by overrides \
         before it; lower count, match more products, or move the override up"
    );
    Problem::new(ProblemReason::TooFewGpus, path, message)
}

/// There are too few for all parts together.
pub(super) fn for_all(parts: &[Part<'_>]) -> Problem {
    let first = parts.iter().find(|part| part.count.is_some());
    let path = first.map_or("spec.overrides", |part| &part.path);
    let message = "several overrides count on the same GPUs of the node, and there are too few for all of them; lower \
                   gpus.count in one of them";
    Problem::new(
        ProblemReason::TooFewGpus,
        format!("{path}.gpus.count"),
        message,
    )
}
