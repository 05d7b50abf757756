//! Which part of a policy each GPU of a node follows, and which slices it gets.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::{GpuStatus, MigTarget};
use crds::policy::Advertise;

use super::assignment::{Rules, assign};
use super::candidates::{self, Candidate, Pods, candidates};
use super::cost::Kind;
use super::parts::{Part, open_to};
use super::{Problem, ProblemReason};
use crate::layout::by_size;

/// Of each GPU the number of the part that it follows, and its slices; and whether instances that others have made may go.
type Allotment = (Vec<usize>, Vec<MigTarget>, bool);

/// Allots the GPUs, which are in the order of their indices. Of all ways the one that disturbs the node least: the fewest
/// `protected` pods leave, then the fewest pods; the fewest instances are destroyed, then created; the most room is left
/// for instances of the largest profile, then of the next; the first parts take the first GPUs.
pub(super) fn allot(
    parts: &[Part<'_>],
    gpus: &[&GpuStatus],
    protected: &BTreeSet<String>,
) -> Result<Allotment, Problem> {
    let open: Vec<_> = gpus.iter().map(|gpu| open_to(parts, gpu)).collect();
    let node = Node {
        parts,
        gpus,
        open,
        protected,
    };
    let adopt = node.open.iter().flatten().any(|&part| parts[part].adopts());
    let (followed, slices) = node.allot(adopt)?;
    // A part that nothing is left for has no say in what the others may destroy.
    if adopt && !followed.iter().any(|&part| parts[part].adopts()) {
        let (followed, slices) = node.allot(false)?;
        return Ok((followed, slices, false));
    }
    Ok((followed, slices, adopt))
}

/// A node before its GPUs are allotted.
struct Node<'a> {
    parts: &'a [Part<'a>],
    gpus: &'a [&'a GpuStatus],
    /// The parts that each GPU may follow.
    open: Vec<Vec<usize>>,
    protected: &'a BTreeSet<String>,
}

impl Node<'_> {
    fn allot(&self, adopt: bool) -> Result<(Vec<usize>, Vec<MigTarget>), Problem> {
        let pods = Pods {
            protected: self.protected,
            shared: self.shared(),
        };
        let mut every = Vec::with_capacity(self.gpus.len());
        let mut problems = Vec::new();
        for (gpu, open) in self.gpus.iter().zip(&self.open) {
            let found = self.candidates(gpu, open, adopt, &pods, &mut problems)?;
            every.push(found);
        }
        let is_plain = self.parts.iter().all(|part| part.count.is_none());
        let picks = if is_plain && every.iter().all(|of| of.len() == 1) {
            vec![0; every.len()]
        } else {
            self.assign(&every, &pods)
                .ok_or_else(|| self.too_few(problems))?
        };
        let picked = every.into_iter().zip(picks);
        let picked = picked.filter_map(|(of, pick)| of.into_iter().nth(pick));
        Ok(picked.map(|it| (it.part, it.mig)).unzip())
    }

    /// The pods that are on several GPUs.
    fn shared(&self) -> BTreeSet<String> {
        let mut on: BTreeMap<(&str, &str), &str> = BTreeMap::new();
        let mut shared = BTreeSet::new();
        for gpu in self.gpus {
            for holder in &gpu.holders {
                let pod = (holder.namespace.as_str(), holder.pod.as_str());
                if *on.entry(pod).or_insert(&gpu.uuid) != gpu.uuid {
                    shared.insert(candidates::name(holder));
                }
            }
        }
        shared
    }

    /// Of each part that the GPU may follow. A GPU that can follow none is the problem; one that cannot follow some is a
    /// problem only if these are short of GPUs.
    fn candidates(
        &self,
        gpu: &GpuStatus,
        open: &[usize],
        adopt: bool,
        pods: &Pods<'_>,
        problems: &mut Vec<(usize, Problem)>,
    ) -> Result<Vec<Candidate>, Problem> {
        let mut every = Vec::with_capacity(1);
        let mut last = None;
        for &part in open {
            match candidates(gpu, (part, &self.parts[part]), adopt, pods) {
                Ok(found) => every.extend(found),
                Err(problem) => {
                    problems.push((part, problem.clone()));
                    last = Some(problem);
                }
            }
        }
        match last {
            Some(problem) if every.is_empty() => Err(problem),
            Some(_) | None => Ok(every),
        }
    }

    fn assign(&self, every: &[Vec<Candidate>], pods: &Pods<'_>) -> Option<Vec<usize>> {
        let counts: Vec<_> = self.parts.iter().map(|part| part.count).collect();
        let room = self.room();
        let (kinds, any) = (self.kinds(), vec![Kind::default(); counts.len()]);
        let assign_by = |kinds: &[Kind]| {
            let rules = Rules {
                counts: &counts,
                kinds,
                protected: self.protected,
                shared: &pods.shared,
            };
            assign(every, &room, &rules)
        };
        // Where no choice is without a conflict, the best of the others tells people of it.
        assign_by(&kinds).or_else(|| assign_by(&any))
    }

    /// Parts that have the same number are alike in what the device plugin can do in only one way.
    fn kinds(&self) -> Vec<Kind> {
        let first = |is: &dyn Fn(&Part<'_>) -> bool| self.parts.iter().position(is);
        let kind = |part: &Part<'_>| {
            let whole = part.strategy.mig.is_none();
            let sharing = |it: &Part<'_>| it.sharing(&MigTarget::default());
            let alike = |it: &Part<'_>| it.strategy.mig.is_none() && sharing(it) == sharing(part);
            let rules = part.rules();
            Kind {
                whole: whole.then(|| first(&alike)).flatten(),
                rules: rules.and_then(|rules| first(&|it| it.rules() == Some(rules))),
                single: Some(part.advertise() == Some(Advertise::Single)),
            }
        };
        self.parts.iter().map(kind).collect()
    }

    /// Of each GPU, which of the node's profiles it offers, the largest first.
    fn room(&self) -> Vec<Vec<usize>> {
        let every: Vec<_> = self.gpus.iter().map(|gpu| sizes(gpu)).collect();
        let known: BTreeSet<_> = every.iter().flatten().collect();
        let known: Vec<_> = known.into_iter().collect();
        let number = |size| known.binary_search(&size).unwrap_or_default();
        let numbers = every.iter().map(|of| of.iter().map(number).collect());
        numbers.collect()
    }

    /// Why some part that takes only some GPUs does not get as many as it wants.
    fn too_few(&self, problems: Vec<(usize, Problem)>) -> Problem {
        let counted = self.parts.iter().enumerate();
        let counted = counted.filter_map(|(number, part)| Some((number, part, part.count?)));
        let mut short = None;
        for (number, part, count) in counted {
            let open = self
                .open
                .iter()
                .filter(|open| open.contains(&number))
                .count();
            let mut own = problems.iter().filter(|(of, _)| *of == number);
            if open < count {
                return too_few(part, count, open);
            }
            if let Some((_, problem)) = own.next() {
                return problem.clone();
            }
            short.get_or_insert(part);
        }
        let path = short.map_or("spec.overrides", |part| &part.path);
        let message = "several overrides count on the same GPUs of the node, and there are too few for all of them; lower \
                       gpus.count in one of them";
        Problem::new(
            ProblemReason::TooFewGpus,
            format!("{path}.gpus.count"),
            message,
        )
    }
}

fn too_few(part: &Part<'_>, count: usize, open: usize) -> Problem {
    let path = format!("{}.gpus.count", part.path);
    let message = format!(
        "{count} GPUs are wanted for this override, and the node has {open} that match it and are not taken by overrides \
         before it; lower count, match more products, or move the override up"
    );
    Problem::new(ProblemReason::TooFewGpus, path, message)
}

/// The sizes of the profiles that a GPU offers, the largest first.
fn sizes(gpu: &GpuStatus) -> Vec<(Reverse<i32>, Reverse<i64>, &str)> {
    let mut sizes: Vec<_> = gpu.profiles.iter().map(by_size).collect();
    sizes.sort_unstable();
    sizes
}
