//! Devices that the plugin would hand out to more pods than may have one.

use std::collections::BTreeSet;

use crds::gpu_node::{GpuStatus, Holder, MigInstance};

use crate::offer::Offer;

/// A device that stays and must be emptied.
pub(super) struct Overdrawn<'a> {
    pub(super) device: &'a String,
    /// As a sentence without its full stop.
    pub(super) why: String,
}

/// Those of a GPU of which these instances stay.
pub(super) fn of<'a>(
    gpu: &'a GpuStatus,
    kept: &[&'a MigInstance],
    offer: impl Fn(Option<&'a str>) -> Offer<'a>,
) -> Vec<Overdrawn<'a>> {
    let slices = kept.iter();
    let slices = slices.filter_map(|it| Some((it.uuid.as_ref()?, Some(*it))));
    let stay = [(&gpu.uuid, None)].into_iter().chain(slices);
    let overdrawn = stay.filter_map(|(device, slice)| {
        let offer = offer(slice.map(|it| it.profile.as_str()));
        let holders = gpu.holders.iter().filter(|it| it.device == *device);
        let users = Users::of(holders, offer);
        let why = users
            .is_overdrawn(offer)
            .then(|| users.why(gpu, slice, offer))?;
        Some(Overdrawn { device, why })
    });
    overdrawn.collect()
}

/// Whether a device with these holders has more pods than may have it, or one that the plugin will not count.
pub(crate) fn is_overdrawn<'a>(
    holders: impl Iterator<Item = &'a Holder>,
    offer: Offer<'_>,
) -> bool {
    Users::of(holders, offer).is_overdrawn(offer)
}

/// Who uses a device.
#[derive(Default)]
struct Users<'a> {
    /// Namespace and name.
    pods: BTreeSet<(&'a str, &'a str)>,
    /// One that has it under another name than it will have: a resource of its own to the scheduler and to the kubelet,
    /// which hand out the device once more (Kubernetes, `pkg/kubelet/cm/devicemanager`: devices in use are kept by
    /// resource).
    uncounted: Option<&'a Holder>,
}

impl<'a> Users<'a> {
    fn of(holders: impl Iterator<Item = &'a Holder>, offer: Offer<'_>) -> Self {
        let mut users = Self::default();
        for holder in holders {
            users
                .pods
                .insert((holder.namespace.as_str(), holder.pod.as_str()));
            if !holder.resource.is_empty() && !offer.is_called(&holder.resource) {
                users.uncounted.get_or_insert(holder);
            }
        }
        users
    }

    fn is_overdrawn(&self, offer: Offer<'_>) -> bool {
        let most = usize::try_from(offer.replicas).unwrap_or(usize::MAX);
        self.uncounted.is_some() || self.pods.len() > most
    }

    fn why(&self, gpu: &GpuStatus, slice: Option<&MigInstance>, offer: Offer<'_>) -> String {
        let device = match slice {
            None => format!("GPU {}", gpu.index),
            Some(it) => format!("{} at slice {} of GPU {}", it.profile, it.start, gpu.index),
        };
        match self.uncounted {
            Some(holder) => format!(
                "{}/{} has {device} as {}, and would share it with whoever gets it as {offer}",
                holder.namespace, holder.pod, holder.resource
            ),
            None => format!(
                "{} pods are on {device}, and {} may be",
                self.pods.len(),
                offer.replicas
            ),
        }
    }
}
