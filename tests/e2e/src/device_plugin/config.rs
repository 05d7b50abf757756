//! The configuration file of NVIDIA's device plugin, version v1.
//!
//! As in its `api/config/v1`: keys that it does not know are dropped without a word, an empty file
//! is the default configuration (`config.go`: 113). What it refuses ends the plugin, which then advertises nothing. MPS wins over
//! time-slicing without a word where both stand there (`sharing.go`: 36), and is refused with mixed names
//! (`cmd/nvidia-device-plugin/main.go`: 227).

use std::collections::BTreeMap;

use serde::Deserialize;

/// What `nvidia.com/` names are prefixed with where the file leaves it out.
const PREFIX: &str = "nvidia.com/";
/// Added by `renameByDefault` (`consts.go`: 26).
const SHARED: &str = ".shared";
/// The longest name of a resource, with its prefix (`resources.go`).
const LONGEST: usize = 63;

/// What of the file matters to which resources a node advertises.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginConfig {
    /// How MIG devices become resources.
    pub mig: MigStrategy,
    /// Replicas by resource name. Resources that the node does not have are no error.
    pub replicas: BTreeMap<String, u32>,
    /// They are served through MPS; otherwise they take turns.
    pub mps: bool,
    /// Replicated resources are called `<name>.shared`.
    pub rename: bool,
    /// A container that asks for more than one replica is refused.
    pub fail_requests_greater_than_one: bool,
}

/// `flags.migStrategy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MigStrategy {
    /// MIG is not looked at: a GPU is a GPU.
    #[default]
    None,
    /// All GPUs are cut into like MIG devices, which are called `nvidia.com/gpu`.
    Single,
    /// MIG devices are called `nvidia.com/mig-<profile>`.
    Mixed,
}

impl PluginConfig {
    /// Reads a file.
    ///
    /// # Errors
    /// What the plugin would print before it exits.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let file: File = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        if !["", "v1"].contains(&file.version.as_str()) {
            return Err(format!("unknown version: {}", file.version));
        }
        let mps = file.sharing.mps.is_some();
        if mps && file.flags.mig_strategy == MigStrategy::Mixed {
            return Err("using --mig-strategy=mixed is not supported with MPS".to_owned());
        }
        let shared = file.sharing.mps.or(file.sharing.time_slicing);
        let replicas = shared.as_ref().map(Replicated::replicas).transpose()?;
        let shared = shared.unwrap_or_default();
        Ok(Self {
            mig: file.flags.mig_strategy,
            replicas: replicas.unwrap_or_default(),
            mps,
            rename: shared.rename_by_default,
            // Unset means allowed for time-slicing, and refused for MPS (config.go:72).
            fail_requests_greater_than_one: shared.fail_requests_greater_than_one.unwrap_or(mps),
        })
    }

    /// How many devices one device of this resource becomes, and what they are called.
    pub fn shared(&self, resource: &str) -> (u32, String) {
        match self.replicas.get(resource) {
            None => (1, resource.to_owned()),
            Some(replicas) if self.rename => (*replicas, format!("{resource}{SHARED}")),
            Some(replicas) => (*replicas, resource.to_owned()),
        }
    }

    /// Whether a container may ask for this many of an advertised resource (rm.go:83).
    pub fn allows(&self, resource: &str, count: usize) -> bool {
        let name = resource.strip_suffix(SHARED).unwrap_or(resource);
        let replicated = self.replicas.contains_key(name);
        count <= 1 || !replicated || !self.fail_requests_greater_than_one
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct File {
    version: String,
    flags: Flags,
    sharing: Sharing,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Flags {
    mig_strategy: MigStrategy,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Sharing {
    time_slicing: Option<Replicated>,
    mps: Option<Replicated>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Replicated {
    rename_by_default: bool,
    fail_requests_greater_than_one: Option<bool>,
    resources: Option<Vec<Resource>>,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
    replicas: u32,
}

impl Replicated {
    /// Replicas by resource. The list is mandatory and not empty (`replicas.go`: 166), a number is 2 or more (214).
    fn replicas(&self) -> Result<BTreeMap<String, u32>, String> {
        let resources = self.resources.as_deref().unwrap_or_default();
        if resources.is_empty() {
            return Err("no resources specified".to_owned());
        }
        let replicas = |resource: &Resource| match resource.replicas {
            2.. => Ok((full_name(&resource.name)?, resource.replicas)),
            0 | 1 => Err("number of replicas must be >= 2".to_owned()),
        };
        resources.iter().map(replicas).collect()
    }
}

/// With the prefix, which may be left out; what follows it is a DNS subdomain (`resources.go`).
fn full_name(name: &str) -> Result<String, String> {
    let bare = name.strip_prefix(PREFIX).unwrap_or(name);
    let full = format!("{PREFIX}{bare}");
    if full.len() > LONGEST {
        Err(format!(
            "fully-qualified resource name must be {LONGEST} characters or less: {full}"
        ))
    } else if bare.split('.').all(is_dns_label) {
        Ok(full)
    } else {
        Err(format!("incorrect format for resource name '{bare}'"))
    }
}

fn is_dns_label(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_inner) && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_the_default() {
        for empty in ["", "\n", "version: v1\n", "unknown: {a: 1}\n"] {
            assert_eq!(
                PluginConfig::parse(empty),
                Ok(PluginConfig::default()),
                "{empty:?}"
            );
        }
    }

    #[test]
    fn time_slicing_is_read() {
        let config = PluginConfig::parse(
            "{version: v1, flags: {migStrategy: mixed, other: 1}, sharing: {timeSlicing: {\
             renameByDefault: true, failRequestsGreaterThanOne: true, resources: [\
             {name: nvidia.com/gpu, replicas: 4}, {name: mig-1g.5gb, replicas: 2}]}}}",
        )
        .unwrap();
        assert_eq!(config.mig, MigStrategy::Mixed);
        assert_eq!(
            config.shared("nvidia.com/gpu"),
            (4, "nvidia.com/gpu.shared".to_owned())
        );
        assert_eq!(config.shared("nvidia.com/mig-1g.5gb").0, 2);
        assert_eq!(config.shared("nvidia.com/mig-2g.10gb").0, 1);
        assert!(!config.allows("nvidia.com/gpu.shared", 2));
        assert!(config.allows("nvidia.com/gpu.shared", 1));
        assert!(config.allows("nvidia.com/mig-2g.10gb", 2));
    }

    #[test]
    fn mps_is_read_and_wins_over_time_slicing() {
        let mps = |rule: &str| {
            let file = format!(
                "sharing: {{mps: {{{rule}resources: [{{name: gpu, replicas: 3}}]}}, \
                 timeSlicing: {{resources: [{{name: gpu, replicas: 9}}]}}}}"
            );
            PluginConfig::parse(&file).unwrap()
        };
        let config = mps("");
        assert!(config.mps);
        assert_eq!(config.shared("nvidia.com/gpu").0, 3);
        assert!(!config.allows("nvidia.com/gpu", 2));
        assert!(mps("failRequestsGreaterThanOne: false, ").allows("nvidia.com/gpu", 2));
    }

    #[test]
    fn what_the_plugin_refuses_is_refused() {
        for (file, reason) in [
            ("version: v2", "unknown version: v2"),
            (
                "sharing: {timeSlicing: {resources: [{name: gpu, replicas: 1}]}}",
                "number of replicas must be >= 2",
            ),
            ("flags: {migStrategy: both}", "both"),
            ("sharing: {mps: {}}", "no resources specified"),
            (
                "{flags: {migStrategy: mixed}, sharing: {mps: {resources: [{name: gpu, replicas: 2}]}}}",
                "not supported with MPS",
            ),
            ("sharing: {timeSlicing: {}}", "no resources specified"),
            (
                "sharing: {timeSlicing: {resources: []}}",
                "no resources specified",
            ),
            (
                "sharing: {timeSlicing: {resources: [{name: mig-1g.5gb+me, replicas: 2}]}}",
                "incorrect format for resource name 'mig-1g.5gb+me'",
            ),
            (
                &format!(
                    "sharing: {{timeSlicing: {{resources: [{{name: {}, replicas: 2}}]}}}}",
                    "a".repeat(53)
                ),
                "63 characters or less",
            ),
        ] {
            let refused = PluginConfig::parse(file).unwrap_err();
            assert!(refused.contains(reason), "{file}: {refused}");
        }
    }
}
