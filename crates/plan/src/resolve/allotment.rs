//! Which part of a policy each GPU of a node follows, and which slices it gets.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::{GpuStatus, MigTarget};
use crds::policy::Advertise;

use super::assignment::{Rules, assign};
use super::candidates::{self, Candidate, Pods, candidates, problem};
use super::cost::{Kind, Pair};
use super::parts::{Part, open_to};
use super::{Problem, ProblemReason};
use crate::layout::{by_size, existing};

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

/// So many pods that are on several GPUs are counted once however many GPUs they leave; the others count on each.
const MOST_SHARED: u32 = u128::BITS;

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
        for (gpu, open) in self.gpus.iter().zip(&self.open) {
            every.push(self.candidates(gpu, open, adopt, &pods)?);
        }
        let is_plain = self.parts.iter().all(|part| part.count.is_none());
        let picks = if is_plain && every.iter().all(|of| of.len() == 1) {
            vec![0; every.len()]
        } else {
            self.assign(&every, &pods)
                .ok_or_else(|| self.too_few(&every, adopt))?
        };
        let picked = every.into_iter().zip(picks);
        let picked = picked.filter_map(|(of, pick)| of.into_iter().nth(pick));
        Ok(picked.map(|it| (it.part, it.mig)).unzip())
    }

    /// The pods that are on several GPUs, by number.
    fn shared(&self) -> BTreeMap<String, u32> {
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
        shared.into_iter().zip(0..MOST_SHARED).collect()
    }

    /// Of each part that the GPU may follow. A GPU that can follow none is the problem; one that cannot follow some is a
    /// problem only if these are short of GPUs.
    fn candidates(
        &self,
        gpu: &GpuStatus,
        open: &[usize],
        adopt: bool,
        pods: &Pods<'_>,
    ) -> Result<Vec<Candidate>, Problem> {
        let existing = existing(gpu, adopt);
        let mut every = Vec::with_capacity(1);
        for &part in open {
            let own = (part, &self.parts[part]);
            every.extend(candidates((gpu, &existing), own, adopt, pods));
        }
        let last = open.last().filter(|_| every.is_empty());
        let problem = last.and_then(|last| problem(gpu, &self.parts[*last], adopt));
        problem.map_or(Ok(every), Err)
    }

    fn assign(&self, every: &[Vec<Candidate>], pods: &Pods<'_>) -> Option<Vec<usize>> {
        let counts: Vec<_> = self.parts.iter().map(|part| part.count).collect();
        let weights: Vec<Pair> = pods.shared.keys().map(|pod| pods.weight(pod)).collect();
        let (room, profiles) = self.room();
        let weigh = |(of, room): (&Vec<Candidate>, &Vec<usize>)| {
            let weighed = of.iter().map(|it| it.weigh(room, profiles));
            weighed.collect::<Vec<_>>()
        };
        let gpus: Vec<_> = every.iter().zip(&room).map(weigh).collect();
        let assign_by = |kinds: &[Kind]| {
            let rules = Rules {
                counts: &counts,
                kinds,
                weights: &weights,
                profiles,
            };
            assign(&gpus, &rules)
        };
        // Where no choice is without a conflict, the best of the others tells people of it.
        assign_by(&self.kinds()).or_else(|| assign_by(&vec![Kind::default(); counts.len()]))
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

    /// Of each GPU, which of the node's profiles it offers, the largest first; and how many there are.
    fn room(&self) -> (Vec<Vec<usize>>, usize) {
        let every: Vec<_> = self.gpus.iter().map(|gpu| sizes(gpu)).collect();
        let known: BTreeSet<_> = every.iter().flatten().collect();
        let known: Vec<_> = known.into_iter().collect();
        let number = |size| known.binary_search(&size).unwrap_or_default();
        let numbers = every.iter().map(|of| of.iter().map(number).collect());
        (numbers.collect(), known.len())
    }

    /// Why some part that takes only some GPUs does not get as many as it wants.
    fn too_few(&self, every: &[Vec<Candidate>], adopt: bool) -> Problem {
        let counted = self.parts.iter().enumerate();
        let counted = counted.filter_map(|(number, part)| Some((number, part, part.count?)));
        let mut short = None;
        for (number, part, count) in counted {
            let gpus = self.gpus.iter().zip(&self.open).zip(every);
            let open = gpus.filter(|((_, open), _)| open.contains(&number));
            if open.clone().count() < count {
                return too_few(part, count, open.count());
            }
            let cannot = |of: &[Candidate]| of.iter().all(|it| it.part != number);
            let mut own = open.filter(|(_, of)| cannot(of));
            let first = own.next();
            if let Some(problem) = first.and_then(|((gpu, _), _)| problem(gpu, part, adopt)) {
                return problem;
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
