//! Whether NVIDIA's device plugin can call every slice of a node `nvidia.com/gpu`.
//!
//! With `migStrategy: single` the plugin ends at once unless every GPU of the node is in MIG mode, has slices, and all of
//! them have the same attributes (k8s-device-plugin, `internal/rm/device_map.go`).

use crds::gpu_node::{GpuStatus, GpuTarget, MigInstance};
use crds::policy::Advertise;

use super::parts::Part;
use super::{Problem, ProblemReason};

/// Under which names the slices of a node are advertised, whose GPUs are to become this, each by its part.
pub(super) fn advertise(
    followed: &[&Part<'_>],
    gpus: &[GpuTarget],
    current: &[&GpuStatus],
    adopt: bool,
) -> Result<Advertise, Problem> {
    let node: Vec<_> = followed
        .iter()
        .zip(gpus)
        .zip(current)
        .map(|((part, wanted), current)| Gpu {
            part,
            wanted,
            current,
        })
        .collect();
    let is_single = |it: &&Gpu<'_>| it.part.advertise() == Some(Advertise::Single);
    let Some(one) = node.iter().find(is_single) else {
        return Ok(Advertise::Mixed);
    };
    for other in &node {
        one.beside(other)?;
        one.beside_foreign(other, adopt)?;
    }
    Ok(Advertise::Single)
}

/// A GPU, what it is to become, and the part that says so.
struct Gpu<'a> {
    part: &'a Part<'a>,
    wanted: &'a GpuTarget,
    current: &'a GpuStatus,
}

impl Gpu<'_> {
    fn path(&self) -> String {
        format!("{}.mig.advertise", self.part.strategy_path())
    }

    /// Whether its slices can be called so beside those of the other.
    fn beside(&self, other: &Self) -> Result<(), Problem> {
        let (here, there) = (self.wanted.index, other.wanted.index);
        let (path, message) = match other.part.advertise() {
            None => (
                self.path(),
                format!(
                    "GPU {there} is not cut into slices, and NVIDIA's device plugin ends where slices are advertised as \
                     nvidia.com/gpu beside whole GPUs; write advertise: Mixed, or cut every GPU of the node into the same \
                     slices"
                ),
            ),
            Some(Advertise::Mixed) => (
                other.path(),
                format!(
                    "slices of GPU {here} are advertised as nvidia.com/gpu and those of GPU {there} by their profiles, and \
                     NVIDIA's device plugin has one way for all GPUs of a node; write the same advertise in every part of \
                     the policy"
                ),
            ),
            Some(Advertise::Single) => {
                let Some(unlike) = self.unlike(other) else {
                    return Ok(());
                };
                (
                    other.path(),
                    format!(
                        "GPU {here} has slices of {} and GPU {there} of {unlike}, and NVIDIA's device plugin ends where \
                         slices that are not all alike are advertised as nvidia.com/gpu; write advertise: Mixed, or cut \
                         every GPU of the node into the same slices",
                        self.profile()
                    ),
                )
            }
        };
        Err(Problem::new(ProblemReason::Conflict, path, message))
    }

    /// A kind of slice of the other that is not like its own. What attributes a profile has is up to the product: a slice
    /// of another product counts as unlike, whatever it is called.
    fn unlike(&self, other: &Self) -> Option<String> {
        let mut slices = other.wanted.mig.instances.iter();
        if let Some(slice) = slices.find(|it| it.profile != self.profile()) {
            return Some(slice.profile.clone());
        }
        let (here, there) = (&self.current.product, &other.current.product);
        (here != there).then(|| format!("{} on another product, {there}", self.profile()))
    }

    /// The profile of its first slice. There is one: no layout is empty.
    fn profile(&self) -> &str {
        let first = self.wanted.mig.instances.first();
        first.map_or("", |slice| &slice.profile)
    }

    /// Whether what others have made on the other, and is left there, is like its slices.
    fn beside_foreign(&self, other: &Self, adopt: bool) -> Result<(), Problem> {
        let is_like = |it: &MigInstance| it.profile == self.profile() && it.uuid.is_some();
        let is_wanted = |it: &MigInstance| {
            let mut places = other.wanted.mig.instances.iter();
            places.any(|place| place.start == it.start && place.profile == it.profile)
        };
        let mut left = other.current.instances.iter();
        let left = left.find(|it| !it.owned && !adopt && !is_wanted(it) && !is_like(it));
        left.map_or(Ok(()), |it| {
            let message = format!(
                "GPU {} has {} at slice {}, made by somebody else, and NVIDIA's device plugin ends where slices that are \
                 not all alike are advertised as nvidia.com/gpu; set mig.adopt so that it may be destroyed, destroy it by \
                 hand, or write advertise: Mixed",
                other.wanted.index, it.profile, it.start
            );
            Err(Problem::new(ProblemReason::ForeignInstances, self.path(), message))
        })
    }
}
