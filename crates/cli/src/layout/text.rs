//! An answer for a person to read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use plan::layout::{Existing, Occupancy, counts};
use products::Product;

use super::answer::{Action, Answer, Instance, Verb};
use super::map::{Block, Map};

/// The answer in a line, the GPU before and after, and what is done.
pub fn of(
    product: &Product,
    existing: &[Existing],
    wanted: &BTreeMap<String, i32>,
    answer: &Answer,
) -> String {
    let mut text = format!("{}  {}: ", product.key, counts(wanted));
    // Writing to a String cannot fail.
    let _ = match &answer.reason {
        None => feasible(&mut text, product, existing, answer),
        Some(reason) => infeasible(&mut text, product, existing, answer, reason),
    };
    text
}

fn feasible(
    text: &mut String,
    product: &Product,
    existing: &[Existing],
    answer: &Answer,
) -> std::fmt::Result {
    writeln!(text, "feasible; {}", leaving(answer.evictions))?;
    let is_kept = |it: &&Existing| answer.kept.iter().any(|kept| kept.start == it.start);
    let is_pinned = |it: &&Existing| matches!(it.occupancy, Occupancy::Unmovable(_));
    let before = existing.iter().map(|it| {
        let stays = is_kept(&it) || is_pinned(&it);
        block(
            &it.profile,
            it.start,
            it.size,
            if stays { '=' } else { '-' },
        )
    });
    let beside = existing.iter().filter(|it| is_pinned(it) && !is_kept(it));
    let beside = beside.map(|it| block(&it.profile, it.start, it.size, '='));
    let made = |it: &Instance, mark| block(&it.profile, it.start, it.size.cast_signed(), mark);
    let kept = answer.kept.iter().map(|it| made(it, '='));
    let created = answer.created.iter().map(|it| made(it, '+'));
    let after = kept.chain(created).chain(beside).collect();
    let map = Map {
        slices: slices(product),
        rows: vec![("before", before.collect()), ("after", after)],
    };
    write!(text, "{map}")?;
    writeln!(text, "        = stays, - is destroyed, + is created")?;
    if answer.steps.is_empty() {
        writeln!(text, "nothing to do")?;
    }
    for (index, action) in answer.steps.iter().enumerate() {
        writeln!(text, "step {}: {}", index + 1, step(existing, action))?;
    }
    Ok(())
}

fn step(existing: &[Existing], Action { verb, instance }: &Action) -> String {
    let Instance { profile, start, .. } = instance;
    match (verb, pods(existing, *start)) {
        (Verb::Create, _) => format!("create {profile}@{start}"),
        (Verb::Destroy, 0) => format!("destroy {profile}@{start}"),
        (Verb::Destroy, pods) => format!("destroy {profile}@{start} ({})", leaving(pods)),
    }
}

fn infeasible(
    text: &mut String,
    product: &Product,
    existing: &[Existing],
    answer: &Answer,
    reason: &str,
) -> std::fmt::Result {
    writeln!(text, "NOT feasible\n{reason}")?;
    if !existing.is_empty() {
        let now = existing.iter().map(|it| {
            let mark = match it.occupancy {
                Occupancy::Unmovable(_) => '=',
                Occupancy::Free | Occupancy::Pods(_) => '-',
            };
            block(&it.profile, it.start, it.size, mark)
        });
        let map = Map {
            slices: slices(product),
            rows: vec![("now", now.collect())],
        };
        write!(text, "{map}")?;
        writeln!(text, "        = must stay, - may be destroyed")?;
    }
    for blocked in &answer.blocked_by {
        writeln!(
            text,
            "{}@{} is blocked by {}",
            blocked.profile, blocked.start, blocked.by
        )?;
    }
    for layout in &answer.alternatives {
        let items = layout
            .iter()
            .map(|(profile, number)| format!("{profile}={number}"));
        writeln!(text, "try --want {}", items.collect::<Vec<_>>().join(","))?;
    }
    Ok(())
}

fn block(profile: &str, start: i32, size: i32, mark: char) -> Block {
    let number = |number: i32| usize::try_from(number).unwrap_or_default();
    Block {
        start: number(start),
        size: number(size),
        label: format!("{mark}{profile}"),
    }
}

fn slices(product: &Product) -> usize {
    product
        .mig
        .as_ref()
        .map_or(0, |mig| mig.memory_slices as usize)
}

/// How many pods may be evicted from the instance at this slice.
fn pods(existing: &[Existing], start: i32) -> usize {
    let here = existing.iter().find(|it| it.start == start);
    here.map_or(0, |it| match &it.occupancy {
        Occupancy::Pods(pods) => pods.len(),
        Occupancy::Free | Occupancy::Unmovable(_) => 0,
    })
}

fn leaving(pods: usize) -> String {
    match pods {
        0 => "no pod has to leave".to_owned(),
        1 => "1 pod has to leave".to_owned(),
        _ => format!("{pods} pods have to leave"),
    }
}
