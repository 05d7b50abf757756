//! MIG: which slices a GPU is cut into and how they are advertised.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::strategy::yes;

/// A layout from the hardware's own list of profiles.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
pub enum MigPreset {
    /// Two small slices, one medium and one large, as far as the product has room.
    Balanced,
    /// As many of the smallest slices as fit.
    Smallest,
    /// One slice as large as the GPU.
    Largest,
}

/// Under which names slices are advertised.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, Hash, JsonSchema)]
pub enum Advertise {
    /// `nvidia.com/mig-<profile>` for each profile.
    #[default]
    Mixed,
    /// `nvidia.com/gpu` for each slice; every slice of a node must then be alike.
    Single,
}

/// How GPUs are cut into slices. Exactly one of `layout` and `preset`; `perProduct` refines either for some products.
#[derive(KubeSchema, Clone, Debug, Deserialize, Serialize, PartialEq)]
#[x_kube(
    validation = Rule::new("has(self.layout) != has(self.preset)")
        .message("must have either layout (counts by profile) or preset (Balanced, Smallest or Largest), and not both")
)]
#[serde(rename_all = "camelCase")]
pub struct Mig {
    /// How many slices of which profile each GPU gets, such as `{3g.20gb: 1, 1g.5gb: 2}`. Counts 1 to 8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "layout_schema")]
    pub layout: Option<BTreeMap<String, i32>>,
    /// A layout from the hardware's own list of profiles: `Balanced`, `Smallest` or `Largest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MigPreset")]
    pub preset: Option<MigPreset>,
    /// Other layouts for some products. The first match wins; the rest follow `layout` or `preset`. At most 8.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    #[schemars(length(max = 8))]
    pub per_product: Vec<ProductLayout>,
    /// Allow an operation to destroy instances that others have made. Default false: they are reported and left.
    #[serde(default)]
    pub adopt: bool,
    /// `Mixed` (default): `nvidia.com/mig-<profile>` for each profile. `Single`: `nvidia.com/gpu` for each slice.
    #[serde(default)]
    pub advertise: Advertise,
    /// Let several pods take turns inside each slice. Unset: one pod per slice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SliceTimeSlicing")]
    pub time_slicing: Option<SliceTimeSlicing>,
}

/// The layout for GPUs of some products.
#[derive(KubeSchema, Clone, Debug, Deserialize, Serialize, PartialEq)]
#[x_kube(
    validation = Rule::new("has(self.layout) != has(self.preset)")
        .message("must have either layout (counts by profile) or preset (Balanced, Smallest or Largest), and not both")
)]
#[serde(rename_all = "camelCase")]
pub struct ProductLayout {
    /// Product names as NVML reports them, `*` for any text, such as `*H100*80GB*`. 1 to 8.
    #[schemars(length(min = 1, max = 8), inner(length(min = 1, max = 64)))]
    pub products: Vec<String>,
    /// How many slices of which profile each GPU gets, such as `{3g.40gb: 2}`. Counts 1 to 8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "layout_schema")]
    pub layout: Option<BTreeMap<String, i32>>,
    /// A layout from the hardware's own list of profiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MigPreset")]
    pub preset: Option<MigPreset>,
}

/// Several pods take turns inside each slice.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SliceTimeSlicing {
    /// How many pods may share one slice, 2 to 48.
    #[schemars(range(min = 2, max = 48))]
    pub replicas: i32,
    /// Other numbers for some profiles, such as `{1g.5gb: 4}`. 2 to 48.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "replicas_schema")]
    pub per_profile: BTreeMap<String, i32>,
    /// Advertise `<name>.shared` instead of `<name>`. Default false.
    #[serde(default)]
    pub rename_by_default: bool,
    /// Refuse pods that ask for more than one replica: two replicas are no more compute than one. Default true.
    #[serde(default = "yes")]
    pub fail_requests_greater_than_one: bool,
}

fn layout_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    by_profile(1, 8)
}

fn replicas_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    by_profile(2, 48)
}

/// A map by profile name. The names are checked by CEL: schemas of Kubernetes cannot check keys.
fn by_profile(minimum: i32, maximum: i32) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "minProperties": 1,
        "maxProperties": 8,
        "additionalProperties": {"type": "integer", "format": "int32", "minimum": minimum, "maximum": maximum},
        "x-kubernetes-map-type": "atomic",
        "x-kubernetes-validations": [{
            "rule": "self.all(p, p.matches('^[1-8]g[.][1-9][0-9]{0,3}gb([+](me|gfx|me[.]all)|-me)?$'))",
            "message": "each name must be a MIG profile as nvidia-smi lists it, such as 1g.5gb, 3g.20gb or 1g.5gb+me",
        }],
    })
}
