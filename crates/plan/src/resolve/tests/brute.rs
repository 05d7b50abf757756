//! A node on which everything is tried: a slow second opinion.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crds::GpuSharingPolicy;
use crds::gpu_node::{GpuStatus, Holder, MigInstance, MigMode, MigModeStatus, Target};
use serde_json::{Value, json};

use super::policy;
use crate::layout::tests::hardware::offers;

/// Profile, memory slices, which are compute slices too, and the largest number of instances.
pub(super) const PROFILES: [(&str, i32, usize); 3] =
    [("4g.24gb", 4, 1), ("2g.12gb", 2, 2), ("1g.6gb", 1, 4)];
pub(super) const PODS: [&str; 6] = ["a/u", "a/v", "a/w", "a/x", "a/y", "a/z"];

/// Protected pods that leave, all that leave, instances destroyed, created, and room left by profile.
pub(super) type Worth = (usize, usize, usize, usize, Reverse<[usize; 3]>);
/// Instances by profile and start.
pub(super) type Layout = BTreeSet<(usize, i32)>;

/// What one GPU may become.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    part: usize,
    gone: BTreeSet<usize>,
    destroyed: usize,
    created: usize,
    room: [usize; 3],
}

/// A GPU of the case: cut or not, and the pods on each device (of the whole GPU: at start 0).
#[derive(Clone, Debug)]
pub(super) struct Gpu {
    pub(super) cut: bool,
    pub(super) layout: Layout,
    pub(super) pods: Vec<(usize, i32)>,
}

/// A strategy: whole for so many pods, or cut into so many of each profile.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Plan {
    Whole(usize),
    Cut([usize; 3]),
}

#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) gpus: Vec<Gpu>,
    pub(super) protected: BTreeSet<usize>,
    pub(super) own: Plan,
    /// Strategy, how many, and which indices if any.
    pub(super) overrides: Vec<(Plan, Option<usize>, Vec<i32>)>,
}

pub(super) fn size(profile: usize) -> i32 {
    PROFILES[profile].1
}

/// Every way to place so many of each profile.
pub(super) fn every(wanted: [usize; 3]) -> Vec<Layout> {
    let mut found = vec![Layout::new()];
    for (profile, &number) in wanted.iter().enumerate() {
        for _ in 0..number {
            let more = found.iter().flat_map(|layout| {
                let starts = (0..4).step_by(size(profile).cast_unsigned() as usize);
                let free = starts.filter(|&start| is_free(layout, profile, start));
                free.map(|start| layout.iter().copied().chain([(profile, start)]).collect())
            });
            let more: BTreeSet<Layout> = more.collect();
            found = more.into_iter().collect();
        }
    }
    found
}

pub(super) fn is_free(layout: &Layout, profile: usize, start: i32) -> bool {
    let end = start + size(profile);
    layout
        .iter()
        .all(|&(other, at)| at >= end || at + size(other) <= start)
}

/// How many more of each profile fit, each for itself.
pub(super) fn room(layout: &Layout) -> [usize; 3] {
    [0, 1, 2].map(|profile| {
        let starts = (0..4).step_by(size(profile).cast_unsigned() as usize);
        starts
            .filter(|&start| is_free(layout, profile, start))
            .count()
    })
}

impl Gpu {
    fn on(&self, start: i32) -> BTreeSet<usize> {
        let there = self.pods.iter().filter(|(_, at)| *at == start);
        there.map(|(pod, _)| *pod).collect()
    }

    fn everybody(&self) -> BTreeSet<usize> {
        self.pods.iter().map(|(pod, _)| *pod).collect()
    }

    /// Everything that a part may make of it.
    fn outcomes(&self, part: usize, plan: &Plan) -> Vec<Outcome> {
        match plan {
            Plan::Whole(replicas) => {
                let crowd = if self.cut || self.on(0).len() > *replicas {
                    self.everybody()
                } else {
                    BTreeSet::new()
                };
                let destroyed = self.layout.len();
                vec![Outcome {
                    part,
                    gone: crowd,
                    destroyed,
                    created: 0,
                    room: [0; 3],
                }]
            }
            Plan::Cut(wanted) => every(*wanted)
                .into_iter()
                .map(|to| self.cut_to(part, &to))
                .collect(),
        }
    }

    pub(super) fn cut_to(&self, part: usize, to: &Layout) -> Outcome {
        let goes = |place: &&(usize, i32)| !to.contains(place) || self.on(place.1).len() > 1;
        let gone = if self.cut {
            self.layout
                .iter()
                .filter(goes)
                .flat_map(|(_, start)| self.on(*start))
                .collect()
        } else {
            self.everybody()
        };
        Outcome {
            part,
            gone,
            destroyed: self.layout.difference(to).count(),
            created: to.difference(&self.layout).count(),
            room: room(to),
        }
    }

    pub(super) fn status(&self, index: i32) -> GpuStatus {
        let mode = if self.cut {
            MigMode::Enabled
        } else {
            MigMode::Disabled
        };
        let device = |start: i32| {
            if self.cut {
                format!("MIG-{index}-{start}")
            } else {
                format!("GPU-{index}")
            }
        };
        let instance = |&(profile, start): &(usize, i32)| MigInstance {
            profile: PROFILES[profile].0.to_owned(),
            start,
            size: size(profile),
            uuid: Some(device(start)),
            parts: Vec::new(),
            owned: true,
        };
        let mut gpu = GpuStatus {
            product: "NVIDIA A30".to_owned(),
            mig: MigModeStatus {
                current: mode,
                pending: mode,
            },
            profiles: offers("A30"),
            instances: self.layout.iter().map(instance).collect(),
            ..super::a100(index, &[])
        };
        for (pod, start) in &self.pods {
            gpu.holders.push(Holder {
                namespace: "a".to_owned(),
                pod: PODS[*pod].trim_start_matches("a/").to_owned(),
                container: "main".to_owned(),
                device: device(*start),
                resource: String::new(),
            });
        }
        gpu
    }
}

impl Plan {
    fn strategy(&self) -> Value {
        match self {
            Self::Whole(1) => json!({"type": "Exclusive"}),
            Self::Whole(replicas) => {
                json!({"type": "TimeSlicing", "timeSlicing": {"replicas": replicas}})
            }
            Self::Cut(numbers) => {
                let some = PROFILES
                    .iter()
                    .zip(numbers)
                    .filter(|(_, number)| **number > 0);
                let layout: BTreeMap<_, _> =
                    some.map(|((name, ..), number)| (*name, *number)).collect();
                json!({"type": "MIG", "mig": {"layout": layout}})
            }
        }
    }
}

impl Case {
    pub(super) fn policy(&self) -> GpuSharingPolicy {
        let overrides = self.overrides.iter().map(|(plan, count, indices)| {
            let mut gpus = json!({});
            match count {
                Some(count) => gpus["count"] = json!(count),
                None => gpus["indices"] = json!(indices),
            }
            json!({"gpus": gpus, "strategy": plan.strategy()})
        });
        let overrides: Vec<_> = overrides.collect();
        policy(json!({"strategy": self.own.strategy(), "overrides": overrides}))
    }

    fn plan(&self, part: usize) -> &Plan {
        self.overrides
            .get(part)
            .map_or(&self.own, |(plan, ..)| plan)
    }

    /// The parts that a GPU may follow.
    fn open(&self, index: usize) -> Vec<usize> {
        let mut open = Vec::new();
        for (part, (_, count, indices)) in self.overrides.iter().enumerate() {
            if count.is_some() {
                open.push(part);
            } else if indices.contains(&i32::try_from(index).unwrap()) {
                open.push(part);
                return open;
            }
        }
        open.push(self.overrides.len());
        open
    }

    fn outcomes(&self) -> Vec<Vec<Outcome>> {
        let of = |(index, gpu): (usize, &Gpu)| {
            let open = self.open(index).into_iter();
            open.flat_map(|part| gpu.outcomes(part, self.plan(part)))
                .collect()
        };
        self.gpus.iter().enumerate().map(of).collect()
    }

    /// The best there is, and whether there would be anything but for the device plugin.
    pub(super) fn best(&self) -> (Option<Worth>, bool) {
        let every = self.outcomes();
        let mut chosen = Vec::new();
        let mut best = (None, false);
        self.walk(&every, &mut chosen, &mut best);
        best
    }

    fn walk<'a>(
        &self,
        every: &'a [Vec<Outcome>],
        chosen: &mut Vec<&'a Outcome>,
        best: &mut (Option<Worth>, bool),
    ) {
        let Some(of) = every.get(chosen.len()) else {
            if self.counts(chosen) {
                best.1 = true;
                if self.agrees(chosen) {
                    let worth = self.worth(chosen);
                    best.0 = Some(best.0.map_or(worth, |it| it.min(worth)));
                }
            }
            return;
        };
        for outcome in of {
            chosen.push(outcome);
            self.walk(every, chosen, best);
            chosen.pop();
        }
    }

    fn counts(&self, chosen: &[&Outcome]) -> bool {
        let follow = |part| chosen.iter().filter(|it| it.part == part).count();
        let mut overrides = self.overrides.iter().enumerate();
        overrides.all(|(part, (_, count, _))| count.is_none_or(|count| follow(part) == count))
    }

    /// Whole GPUs are one resource with one number of replicas.
    fn agrees(&self, chosen: &[&Outcome]) -> bool {
        let whole = chosen.iter().filter_map(|it| match self.plan(it.part) {
            Plan::Whole(replicas) => Some(*replicas),
            Plan::Cut(_) => None,
        });
        whole.collect::<BTreeSet<_>>().len() < 2
    }

    fn worth(&self, chosen: &[&Outcome]) -> Worth {
        let gone: BTreeSet<usize> = chosen
            .iter()
            .flat_map(|it| it.gone.iter().copied())
            .collect();
        let room = [0, 1, 2].map(|profile| chosen.iter().map(|it| it.room[profile]).sum());
        (
            gone.intersection(&self.protected).count(),
            gone.len(),
            chosen.iter().map(|it| it.destroyed).sum(),
            chosen.iter().map(|it| it.created).sum(),
            Reverse(room),
        )
    }

    /// What a target is worth. The parts must be such as the policy allows.
    pub(super) fn judge(&self, target: &Target) -> Worth {
        let mut every = self.outcomes();
        let profile = |name: &str| PROFILES.iter().position(|it| it.0 == name).unwrap();
        for ((of, gpu), wanted) in every.iter_mut().zip(&self.gpus).zip(&target.gpus) {
            let places = wanted.mig.instances.iter();
            let to: Layout = places.map(|it| (profile(&it.profile), it.start)).collect();
            let is = |it: &Outcome| match self.plan(it.part) {
                Plan::Whole(replicas) => {
                    !wanted.mig.enabled
                        && i32::try_from(*replicas).unwrap() == wanted.sharing.replicas
                }
                Plan::Cut(numbers) => {
                    let number = |profile| to.iter().filter(|it| it.0 == profile).count();
                    wanted.mig.enabled && [0, 1, 2].map(number) == *numbers
                }
            };
            of.retain(is);
            for it in of.iter_mut().filter(|_| wanted.mig.enabled) {
                *it = gpu.cut_to(it.part, &to);
            }
        }
        // Which of two parts that ask for the same a GPU follows cannot be seen: the target is right if it may be right.
        let mut best = (None, false);
        self.walk(&every, &mut Vec::new(), &mut best);
        best.0.expect("a target that the policy allows")
    }
}
