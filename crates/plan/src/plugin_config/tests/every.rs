//! Every configuration that policies can lead to, on nodes of every product, by the second reading.

use std::collections::{BTreeMap, BTreeSet};

use crds::GpuSharingPolicy;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use super::reading::{self, read};
use super::*;
use crate::resolve::{Problem, ProblemReason, check, goal};

fn gpu(index: usize, product: &products::Product) -> GpuStatus {
    let profiles = product.mig.as_ref().map(products::Mig::offers);
    let capability = product.compute_capability;
    let mode = if profiles.is_some() {
        MigMode::Enabled
    } else {
        MigMode::NotSupported
    };
    GpuStatus {
        product: product.name.to_owned(),
        memory_mib: i64::try_from(product.memory_mib).unwrap(),
        compute_capability: Some(format!("{}.{}", capability.0, capability.1)),
        profiles: profiles.unwrap_or_default(),
        ..status(i32::try_from(index).unwrap(), mode, &[])
    }
}

/// Four of ten are of one product, as nodes are; the others are any.
fn node() -> impl Strategy<Value = Vec<GpuStatus>> {
    let any = || select(products::ALL);
    let alike = (any(), 1..4_usize).prop_map(|(product, number)| vec![product; number]);
    let mixed = prop::collection::vec(any(), 1..4);
    prop_oneof![2 => alike, 3 => mixed].prop_map(|products| {
        let each = products.into_iter().enumerate();
        each.map(|(index, product)| gpu(index, product)).collect()
    })
}

/// Some of the numbers that it takes to write a strategy.
#[derive(Clone, Debug)]
struct Dice {
    kind: u32,
    profiles: Vec<(Index, i32)>,
    single: bool,
    replicas: Option<i32>,
    own: Vec<(Index, i32)>,
    rename: bool,
    fail: bool,
}

fn dice() -> impl Strategy<Value = Dice> {
    let few = |most: usize| prop::collection::vec((any::<Index>(), 1..4), 1..=most);
    let replicas = prop::option::weighted(0.7, 2..=48);
    let own = prop::collection::vec((any::<Index>(), 2..=48), 0..3);
    let rest = (prop::bool::weighted(0.3), replicas, own);
    let rules = (prop::bool::weighted(0.3), prop::bool::weighted(0.7));
    (0..9_u32, few(3), rest, rules).prop_map(|(kind, profiles, rest, rules)| Dice {
        kind,
        profiles,
        single: rest.0,
        replicas: rest.1,
        own: rest.2,
        rename: rules.0,
        fail: rules.1,
    })
}

impl Dice {
    /// A strategy for a GPU of the node, as people write it.
    fn strategy(&self, node: &[GpuStatus]) -> Value {
        let rules =
            json!({"renameByDefault": self.rename, "failRequestsGreaterThanOne": self.fail});
        let names: Vec<_> = node.iter().flat_map(|gpu| &gpu.profiles).collect();
        if self.kind == 0 {
            return json!({"type": "Exclusive"});
        }
        if self.kind == 8 {
            return json!({"type": "MPS", "mps": {"replicas": self.replicas.unwrap_or(2)}});
        }
        if self.kind == 1 || names.is_empty() {
            let mut shared = rules;
            shared["replicas"] = json!(self.replicas.unwrap_or(2));
            return json!({"type": "TimeSlicing", "timeSlicing": shared});
        }
        let mut mig = json!({"advertise": if self.single { "Single" } else { "Mixed" }});
        let numbers = |picked: &[(Index, i32)]| -> Map<String, Value> {
            let each = picked
                .iter()
                .map(|(at, number)| (at.get(&names).name.clone(), json!(number)));
            each.collect()
        };
        match self.kind {
            2 => mig["preset"] = json!("Smallest"),
            3 => mig["preset"] = json!("Largest"),
            4 => mig["preset"] = json!("Balanced"),
            5 => mig["layout"] = numbers(&self.profiles[..1]).into(),
            _ => mig["layout"] = numbers(&self.profiles).into(),
        }
        if let Some(replicas) = self.replicas {
            let mut shared = rules;
            shared["replicas"] = json!(replicas);
            let mut own = numbers(&self.own);
            own.retain(|name, _| mig["layout"].is_null() || !mig["layout"][name].is_null());
            if !own.is_empty() {
                shared["perProfile"] = own.into();
            }
            mig["timeSlicing"] = shared;
        }
        json!({"type": "MIG", "mig": mig})
    }
}

fn policy(node: &[GpuStatus], own: &Dice, other: Option<&(Dice, Index)>) -> GpuSharingPolicy {
    let overrides = other.iter().map(|(dice, at)| {
        json!({"gpus": {"indices": [at.index(node.len())]}, "strategy": dice.strategy(node)})
    });
    let overrides: Vec<_> = overrides.collect();
    let spec = json!({"strategy": own.strategy(node), "overrides": overrides});
    let object = json!({"apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuSharingPolicy", "metadata": {"name": "p"}, "spec": spec});
    serde_json::from_value(object).unwrap()
}

/// The node when it is as the target says.
fn reached(node: &[GpuStatus], target: &Target) -> Vec<GpuStatus> {
    let each = node.iter().zip(&target.gpus).map(|(gpu, wanted)| {
        let slices: Vec<_> = wanted
            .mig
            .instances
            .iter()
            .map(|it| (it.profile.as_str(), true))
            .collect();
        let mode = if wanted.mig.enabled {
            MigMode::Enabled
        } else {
            MigMode::Disabled
        };
        GpuStatus {
            product: gpu.product.clone(),
            ..status(gpu.index, mode, &slices)
        }
    });
    each.collect()
}

/// The same, as the second reading has it.
fn as_read(node: &[GpuStatus]) -> Vec<reading::Gpu> {
    let each = node.iter().map(|gpu| reading::Gpu {
        product: gpu.product.clone(),
        slices: (gpu.mig.current == MigMode::Enabled)
            .then(|| gpu.instances.iter().map(|it| it.profile.clone()).collect()),
    });
    each.collect()
}

/// How many pods the policy wants to be able to have on this node, in all.
fn wanted(policy: &GpuSharingPolicy, node: &[GpuStatus]) -> i64 {
    let of = |gpu: &GpuStatus| -> i64 {
        let mut overrides = policy.spec.overrides.iter();
        let own = overrides.find(|it| it.gpus.indices.contains(&gpu.index));
        let strategy = own.map_or(&policy.spec.strategy, |it| &it.strategy);
        let Some(mig) = &strategy.mig else {
            let sliced = strategy.time_slicing.as_ref().map(|it| it.replicas);
            let served = strategy.mps.as_ref().map(|it| it.replicas);
            return sliced.or(served).unwrap_or(1).into();
        };
        let shared = mig.time_slicing.as_ref();
        let replicas = |profile: &str| {
            shared.map_or(1, |it| *it.per_profile.get(profile).unwrap_or(&it.replicas))
        };
        let slices = gpu.instances.iter();
        slices
            .map(|slice| i64::from(replicas(&slice.profile)))
            .sum()
    };
    node.iter().map(of).sum()
}

fn is_label(value: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = value.as_bytes();
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    value.len() <= 63 && edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(inner)
}

fn resolved(policy: &GpuSharingPolicy, node: &[GpuStatus]) -> Result<Target, Problem> {
    if let Some(problem) = check(&policy.spec).into_iter().next() {
        return Err(problem);
    }
    goal(policy, node, &BTreeSet::new()).map(|goal| goal.target)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_plugin_advertises_what_we_expect_with_every_configuration_that_policies_lead_to(
        (node, own, other) in (node(), dice(), prop::option::of((dice(), any::<Index>()))),
    ) {
        let policy = policy(&node, &own, other.as_ref());
        let target = match resolved(&policy, &node) {
            Ok(target) => target,
            // Whatever cannot be had says so in time; nothing that the API has is left for later.
            Err(problem) => {
                prop_assert!(problem.reason != ProblemReason::NotYetSupported, "{problem}");
                return Ok(());
            }
        };
        let node = reached(&node, &target);
        let read = read(&render(&target), &as_read(&node));
        let read = read.map_err(|error| TestCaseError::fail(format!("{error}: {}", render(&target))))?;
        let expected = advertised(&node, &target);
        prop_assert_eq!(&read.resources, &expected);
        prop_assert_eq!(read.resources.values().sum::<i64>(), wanted(&policy, &node));
        let is_shared = expected.values().sum::<i64>() > as_read(&node).iter().map(devices_of).sum::<i64>();
        prop_assert!(!is_shared || read.several != target.replicas.fail_requests_greater_than_one);
        for key in keys(&target) {
            prop_assert!(is_label(&key), "{key}");
        }
        for (label, value) in guarantees::labels(&target, "p") {
            prop_assert!(is_label(&value), "{label}: {value}");
        }
    }
}

fn devices_of(gpu: &reading::Gpu) -> i64 {
    gpu.slices
        .as_ref()
        .map_or(1, |slices| i64::try_from(slices.len()).unwrap())
}

/// The property above is about something: each way to share is among what it comes to.
#[test]
fn policies_lead_to_each_way_to_share() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let case = (node(), dice(), prop::option::of((dice(), any::<Index>())));
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..2000 {
        let (node, own, other) = case.new_tree(&mut runner).unwrap().current();
        let kind = match resolved(&policy(&node, &own, other.as_ref()), &node) {
            Ok(target) => format!("{:?} {}", target.advertise, guarantees::strategy(&target)),
            Err(problem) => problem.reason.reason().as_str().to_owned(),
        };
        *seen.entry(kind).or_default() += 1;
    }
    for kind in [
        "Mixed exclusive",
        "Mixed time-slicing",
        "Mixed mps",
        "Mixed mig",
        "Mixed mig-time-slicing",
        "Mixed mixed",
        "Single mig",
        "Single mig-time-slicing",
        "Conflict",
        "MpsLimitsExceeded",
    ] {
        assert!(
            seen.get(kind).is_some_and(|times| *times >= 10),
            "{kind}: {seen:?}"
        );
    }
}

/// No name that the API admits for a profile, and none that a product has, is too long for the plugin.
#[test]
fn the_longest_names_fit() {
    let longest = ["8g.9999gb+me.all", "8g.9999gb+gfx", "8g.9999gb-me"];
    let offered = products::ALL
        .iter()
        .filter_map(|product| product.mig.as_ref());
    let offered = offered
        .flat_map(|mig| mig.profiles)
        .map(|profile| profile.name);
    for profile in longest.into_iter().chain(offered) {
        let mut target = target(&[(&[profile], 48)]);
        target.replicas.rename = true;
        let slices = vec![profile.to_owned()];
        let gpu = reading::Gpu {
            product: String::new(),
            slices: Some(slices),
        };
        let read = read(&render(&target), &[gpu]).unwrap();
        let name = format!("{}.shared", layout_name(profile));
        assert_eq!(read.resources, [(name, 48)].into());
    }
}

fn layout_name(profile: &str) -> String {
    format!("nvidia.com/mig-{}", profile.replace('+', "."))
}
