//! Which part of a policy each GPU of a node follows, and which slices it gets.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::{GpuStatus, MigTarget};
use crds::policy::{Advertise, StrategyType};

use super::assignment::{Choice, Rules, assign};
use super::candidates::{self, Candidate, Pods, problem};
use super::cost::{Kind, Pair, Toll, Weighed};
use super::parts::{Part, open_to};
use super::scale::Scale;
use super::sites::{Site, Ways};
use super::{Problem, shortage};
use crate::layout::{Hardware, by_size, existing};

/// What the GPUs of a node get.
pub(super) struct Allotment {
    /// Of each GPU the number of the part that it follows.
    pub(super) followed: Vec<usize>,
    /// Of each GPU its slices.
    pub(super) slices: Vec<MigTarget>,
    /// Whether instances that others have made may go.
    pub(super) adopt: bool,
    /// Whether every other allotment is known to disturb the node no less.
    pub(super) is_proved: bool,
}

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
    let allotment = node.allot(adopt)?;
    let mut followed = allotment.followed.iter();
    // A part that nothing is left for has no say in what the others may destroy.
    if adopt && !followed.any(|&part| parts[part].adopts()) {
        return node.allot(false);
    }
    Ok(allotment)
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
    fn allot(&self, adopt: bool) -> Result<Allotment, Problem> {
        let pods = Pods {
            protected: self.protected,
            shared: self.shared(),
        };
        shortage::check(self.parts, &self.open)?;
        let gpus = || self.gpus.iter();
        let hardware: Vec<_> = gpus().map(|it| Hardware::new(&it.profiles).ok()).collect();
        let existing: Vec<_> = gpus().map(|it| existing(it, adopt)).collect();
        let each = gpus().zip(&existing).zip(&hardware);
        let sites = each
            .map(|((gpu, existing), hardware)| Site::new(gpu, existing, hardware.as_ref(), &pods));
        let sites: Vec<_> = sites.collect();
        let ways = Ways::new(&sites, self.parts);
        let mut every = Vec::with_capacity(self.gpus.len());
        for site in sites.iter().enumerate() {
            every.push(self.candidates(site, adopt, &ways)?);
        }
        let choice = self.choose(&every, &pods, adopt)?;
        let picked = every.iter().zip(choice.picks).map(|(of, pick)| &of[pick]);
        let picked = picked.zip(&hardware);
        let target = |(it, hardware): (&Candidate<'_>, &Option<_>)| it.target(hardware.as_ref());
        let (followed, slices) = picked.map(|it| (it.0.part, target(it))).unzip();
        Ok(Allotment {
            followed,
            slices,
            adopt,
            is_proved: choice.is_proved,
        })
    }

    /// Which of its candidates each GPU gets.
    fn choose(
        &self,
        every: &[Vec<Candidate<'_>>],
        pods: &Pods<'_>,
        adopt: bool,
    ) -> Result<Choice, Problem> {
        let is_plain = self.parts.iter().all(|part| part.count.is_none());
        if is_plain && every.iter().all(|of| of.len() == 1) {
            return Ok(Choice {
                picks: vec![0; every.len()],
                is_proved: true,
            });
        }
        let choice = self.assign(every, pods);
        choice.ok_or_else(|| self.too_few(every, adopt))
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
    fn candidates<'w>(
        &self,
        (number, site): (usize, &Site<'_>),
        adopt: bool,
        ways: &'w Ways,
    ) -> Result<Vec<Candidate<'w>>, Problem> {
        let mut every: Vec<Candidate<'w>> = Vec::new();
        let open = &self.open[number];
        for &part in open {
            let is_alike = |it: &&Candidate<'_>| ways.are_alike(it.part, part);
            if let Some(alike) = every.iter().find(is_alike).map(|it| it.part) {
                let alike = every.iter().filter(|it| it.part == alike);
                let alike: Vec<_> = alike.map(|it| it.for_part(part)).collect();
                every.extend(alike);
            } else {
                let own = (part, &self.parts[part]);
                let packings = || ways.packings((number, site), own);
                every.extend(site.candidates(own, adopt, packings));
            }
        }
        let last = open.last().filter(|_| every.is_empty());
        let problem = last.and_then(|last| problem(self.gpus[number], &self.parts[*last], adopt));
        problem.map_or(Ok(every), Err)
    }

    fn assign(&self, every: &[Vec<Candidate<'_>>], pods: &Pods<'_>) -> Option<Choice> {
        let counts: Vec<_> = self.parts.iter().map(|part| part.count).collect();
        let weights: Vec<Pair> = pods.shared.keys().map(|pod| pods.weight(pod)).collect();
        let tolls = self.tolls(every);
        let scale = Scale::new(&tolls, &weights, self.parts.len());
        let weigh = |(gpu, (candidates, tolls)): (usize, (&Vec<Candidate<'_>>, &Vec<Toll>))| {
            let each = candidates.iter().zip(tolls);
            let weighed = each.map(|(it, toll)| Weighed {
                part: it.part,
                gone: it.gone,
                cost: scale.cost(toll, gpu, it.part),
            });
            weighed.collect::<Vec<_>>()
        };
        let each = every.iter().zip(&tolls).enumerate();
        let gpus: Vec<_> = each.map(weigh).collect();
        let assign_by = |kinds: &[Kind]| {
            let rules = Rules {
                counts: &counts,
                kinds,
                weights: &weights,
                scale: &scale,
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
            let alike =
                |it: &Part<'_>| it.strategy.mig.is_none() && it.of_whole() == part.of_whole();
            let rules = part.rules();
            Kind {
                whole: whole.then(|| first(&alike)).flatten(),
                rules: rules.and_then(|rules| first(&|it| it.rules() == Some(rules))),
                single: Some(part.advertise() == Some(Advertise::Single)),
                mps: match part.strategy.r#type {
                    StrategyType::Mps => Some(true),
                    StrategyType::Mig => Some(false),
                    StrategyType::Exclusive | StrategyType::TimeSlicing | StrategyType::Auto => {
                        None
                    }
                },
            }
        };
        self.parts.iter().map(kind).collect()
    }

    /// What each candidate takes.
    fn tolls(&self, every: &[Vec<Candidate<'_>>]) -> Vec<Vec<Toll>> {
        let (room, profiles) = self.room();
        let toll = |(of, room): (&Vec<Candidate<'_>>, &Vec<usize>)| {
            let tolls = of.iter().map(|it| it.toll(room, profiles));
            tolls.collect::<Vec<_>>()
        };
        every.iter().zip(&room).map(toll).collect()
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
    fn too_few(&self, every: &[Vec<Candidate<'_>>], adopt: bool) -> Problem {
        let counted = self.parts.iter().enumerate();
        for (number, part) in counted.filter(|(_, part)| part.count.is_some()) {
            let gpus = self.gpus.iter().zip(&self.open).zip(every);
            let open = gpus.filter(|((_, open), _)| open.contains(&number));
            let cannot = |of: &[Candidate<'_>]| of.iter().all(|it| it.part != number);
            let mut own = open.filter(|(_, of)| cannot(of));
            let first = own.next();
            if let Some(problem) = first.and_then(|((gpu, _), _)| problem(gpu, part, adopt)) {
                return problem;
            }
        }
        shortage::for_all(self.parts)
    }
}

/// The sizes of the profiles that a GPU offers, the largest first.
fn sizes(gpu: &GpuStatus) -> Vec<(Reverse<i32>, Reverse<i64>, &str)> {
    let mut sizes: Vec<_> = gpu.profiles.iter().map(by_size).collect();
    sizes.sort_unstable();
    sizes
}
