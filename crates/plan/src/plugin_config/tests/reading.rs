//! A second reading of the plugin's rules (k8s-device-plugin v0.20): what it would advertise with a configuration on a
//! node. Written from its sources alone; it shares nothing with the code that it judges.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// A GPU of the node: of a product, and its slices by profile if it is in MIG mode.
#[derive(Clone, Debug)]
pub(super) struct Gpu {
    pub(super) product: String,
    pub(super) slices: Option<Vec<String>>,
}

/// What a node advertises, and what its plugin hands out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Advertised {
    pub(super) resources: BTreeMap<String, i64>,
    /// Whether a container may have more than one replica.
    pub(super) several: bool,
}

/// What the plugin advertises. The error is why it ends instead.
pub(super) fn read(config: &str, gpus: &[Gpu]) -> Result<Advertised, String> {
    let config: Value = serde_saphyr::from_str(config).map_err(|error| error.to_string())?;
    // api/config/v1/config.go: an empty version is v1.
    match &config["version"] {
        Value::Null => {}
        Value::String(version) if version == "v1" || version.is_empty() => {}
        other => return Err(format!("unknown version: {other}")),
    }
    let found = match config["flags"]["migStrategy"].as_str() {
        None | Some("none") => gpus.iter().map(|_| "nvidia.com/gpu".to_owned()).collect(),
        Some("single") => single(gpus)?,
        Some("mixed") => mixed(gpus)?,
        Some(other) => return Err(format!("invalid strategy {other}")),
    };
    // sharing.go: MPS wins over time-slicing without a word.
    let mps = !config["sharing"]["mps"].is_null();
    if mps {
        without_slices(&config, gpus)?;
    }
    let sharing = &config["sharing"][if mps { "mps" } else { "timeSlicing" }];
    let replicas = replicas(sharing)?;
    // config.go: unset means that it is allowed, and with MPS that it is not.
    let several = !sharing["failRequestsGreaterThanOne"]
        .as_bool()
        .unwrap_or(mps);
    let rename = sharing["renameByDefault"].as_bool().unwrap_or(false);
    let mut resources = BTreeMap::new();
    for name in found {
        // device_map.go: entries of resources that the node does not have are passed over.
        let (name, count) = match replicas.get(&name) {
            Some(count) if rename => (format!("{name}.shared"), *count),
            Some(count) => (name, *count),
            None => (name, 1),
        };
        *resources.entry(resource_name(&name)?).or_insert(0) += count;
    }
    Ok(Advertised { resources, several })
}

/// `cmd/nvidia-device-plugin/main.go` and `internal/plugin/mps.go` refuse MPS with mixed names and for MIG devices;
/// `internal/lm/nvml.go` of the feature discovery for any GPU in MIG mode.
fn without_slices(config: &Value, gpus: &[Gpu]) -> Result<(), String> {
    if config["flags"]["migStrategy"] == "mixed" {
        return Err("using --mig-strategy=mixed is not supported with MPS".to_owned());
    }
    if gpus.iter().any(|gpu| gpu.slices.is_some()) {
        return Err("MPS sharing is not supported for mig devices".to_owned());
    }
    Ok(())
}

/// `device_map.go`: all GPUs in one mode; in MIG mode none without devices, and those all with the same attributes.
fn single(gpus: &[Gpu]) -> Result<Vec<String>, String> {
    let modes: BTreeSet<bool> = gpus.iter().map(|gpu| gpu.slices.is_some()).collect();
    if modes.len() > 1 {
        return Err("all devices must be configured with the same migEnabled value".to_owned());
    }
    let mut kinds = BTreeSet::new();
    let mut names = Vec::new();
    for gpu in gpus {
        let Some(slices) = &gpu.slices else {
            names.push("nvidia.com/gpu".to_owned());
            continue;
        };
        if slices.is_empty() {
            return Err("a device has no MIG devices configured".to_owned());
        }
        kinds.extend(slices.iter().map(|slice| (&gpu.product, slice)));
        names.extend(slices.iter().map(|_| "nvidia.com/gpu".to_owned()));
    }
    if kinds.len() > 1 {
        return Err("more than one MIG device type present on node".to_owned());
    }
    Ok(names)
}

/// `rm.go`: a GPU in MIG mode is hidden; a MIG device is called after its profile, each `+` a `.`.
fn mixed(gpus: &[Gpu]) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for gpu in gpus {
        match &gpu.slices {
            None => names.push("nvidia.com/gpu".to_owned()),
            Some(slices) => {
                for slice in slices {
                    names.push(resource_name(&format!("mig-{}", slice.replace('+', ".")))?);
                }
            }
        }
    }
    Ok(names)
}

/// `replicas.go`: the list is there and not empty; each name is one, each number 2 or more.
fn replicas(sharing: &Value) -> Result<BTreeMap<String, i64>, String> {
    if sharing.is_null() {
        return Ok(BTreeMap::new());
    }
    let resources = sharing["resources"].as_array();
    let resources = resources.filter(|list| !list.is_empty());
    let mut replicas = BTreeMap::new();
    for item in resources.ok_or("no resources specified")? {
        let name = item["name"].as_str().ok_or("no resource name")?;
        let count = item["replicas"].as_i64().ok_or("no replicas")?;
        if count < 2 {
            return Err("number of replicas must be >= 2".to_owned());
        }
        if replicas.insert(resource_name(name)?, count).is_some() {
            return Err(format!("{name} stands there twice"));
        }
    }
    Ok(replicas)
}

/// `resources.go`: the prefix is added where it is missing; 63 characters at most with it; behind it a DNS subdomain.
fn resource_name(name: &str) -> Result<String, String> {
    let name = match name.strip_prefix("nvidia.com/") {
        Some(_) => name.to_owned(),
        None => format!("nvidia.com/{name}"),
    };
    if name.len() > 63 {
        return Err(format!("{name} is too long"));
    }
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let bytes = label.as_bytes();
        bytes.first().is_some_and(|byte| inner(*byte))
            && bytes.last().is_some_and(|byte| inner(*byte))
            && bytes.iter().all(|byte| inner(*byte) || *byte == b'-')
    };
    if name["nvidia.com/".len()..].split('.').all(is_label) {
        Ok(name)
    } else {
        Err(format!("{name} is not a DNS subdomain"))
    }
}

#[test]
fn the_second_reading_knows_what_the_plugin_refuses_and_what_it_advertises() {
    let a100 = |slices: &[&str]| Gpu {
        product: "A100".to_owned(),
        slices: Some(slices.iter().map(|it| (*it).to_owned()).collect()),
    };
    let whole = || Gpu {
        product: "T4".to_owned(),
        slices: None,
    };
    let single = "flags: {migStrategy: single}";
    let long = format!(
        "sharing: {{timeSlicing: {{resources: [{{name: {}, replicas: 2}}]}}}}",
        "a".repeat(53)
    );
    for (config, gpus, reason) in [
        ("version: v2", vec![], "unknown version"),
        (single, vec![a100(&[])], "has no MIG devices"),
        (
            single,
            vec![a100(&["1g.5gb"]), whole()],
            "same migEnabled value",
        ),
        (
            single,
            vec![a100(&["1g.5gb", "2g.10gb"])],
            "more than one MIG device type",
        ),
        (
            "sharing: {timeSlicing: {}}",
            vec![],
            "no resources specified",
        ),
        (
            "sharing: {timeSlicing: {resources: []}}",
            vec![],
            "no resources specified",
        ),
        (
            "sharing: {timeSlicing: {resources: [{name: gpu, replicas: 1}]}}",
            vec![],
            ">= 2",
        ),
        (
            "sharing: {timeSlicing: {resources: [{name: mig-1g.5gb+me, replicas: 2}]}}",
            vec![],
            "DNS subdomain",
        ),
        (long.as_str(), vec![], "too long"),
        ("sharing: {mps: {}}", vec![], "no resources specified"),
        (
            "{flags: {migStrategy: mixed}, sharing: {mps: {resources: [{name: gpu, replicas: 2}]}}}",
            vec![whole()],
            "mig-strategy=mixed",
        ),
        (
            "sharing: {mps: {resources: [{name: gpu, replicas: 2}]}}",
            vec![a100(&[])],
            "mig devices",
        ),
    ] {
        let error = read(config, &gpus).unwrap_err();
        assert!(error.contains(reason), "{config}: {error}");
    }
    let config = "{flags: {migStrategy: mixed}, sharing: {timeSlicing: {renameByDefault: true, resources: [\
                  {name: mig-1g.5gb.me, replicas: 3}, {name: nvidia.com/mig-7g.40gb, replicas: 2}]}}}";
    let read = read(config, &[a100(&["1g.5gb+me", "2g.10gb"]), whole()]).unwrap();
    let expected = [("gpu", 1), ("mig-1g.5gb.me.shared", 3), ("mig-2g.10gb", 1)];
    let expected = expected.map(|(name, count)| (format!("nvidia.com/{name}"), count));
    assert_eq!((read.resources, read.several), (expected.into(), true));
    let sliced = "timeSlicing: {resources: [{name: gpu, replicas: 9}]}";
    for (rule, several) in [("", false), ("failRequestsGreaterThanOne: false, ", true)] {
        let served = format!("mps: {{{rule}resources: [{{name: gpu, replicas: 2}}]}}");
        let read = self::read(&format!("{{sharing: {{{sliced}, {served}}}}}"), &[whole()]);
        let read = read.unwrap();
        let expected = [("nvidia.com/gpu".to_owned(), 2)].into();
        assert_eq!((read.resources, read.several), (expected, several));
    }
}
