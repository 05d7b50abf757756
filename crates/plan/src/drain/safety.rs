//! Which pods may not be evicted, and why.

use crds::gpu_node::BlockedPod;
use crds::policy::DrainSettings;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::pod::{Controller, PodView, Until};
use crate::reason::Reason;
use crate::resolve;

/// Whether a selector selects a pod. One that cannot be read selects nothing.
pub fn selects(selector: &LabelSelector, pod: &PodView) -> bool {
    resolve::matches(selector, &pod.labels)
}

/// Why a running pod that is in the way may not be evicted, the first reason that there is.
pub(super) fn objection(
    settings: &DrainSettings,
    pod: &PodView,
    now: Timestamp,
) -> Option<BlockedPod> {
    let found = by_controller(settings, pod)
        .or_else(|| by_protection(pod, now))
        .or_else(|| by_selection(settings, pod))
        .or_else(|| by_data(settings, pod));
    let (reason, message) = found?;
    Some(BlockedPod {
        pod: pod.name(),
        reason: reason.as_str().to_owned(),
        message,
    })
}

fn by_controller(settings: &DrainSettings, pod: &PodView) -> Option<(Reason, String)> {
    match &pod.controller {
        Controller::Kubelet => Some((
            Reason::MirrorPod,
            "a static pod cannot be evicted: take its manifest off the node".to_owned(),
        )),
        Controller::DaemonSet => Some((
            Reason::DaemonSet,
            "its DaemonSet would put it back at once: keep the DaemonSet off this node".to_owned(),
        )),
        Controller::None if !settings.force => Some((
            Reason::NoController,
            "nobody would make it anew: delete it, or set maintenance.drain.force".to_owned(),
        )),
        Controller::None | Controller::Other(_) => None,
    }
}

fn by_protection(pod: &PodView, now: Timestamp) -> Option<(Reason, String)> {
    let until = match pod.protection.until(pod.started, now) {
        Until::Never => return None,
        Until::At(end) if pod.started.is_some() => {
            format!("until {}", crate::conditions::seconds(end).0)
        }
        Until::At(_) => "for some time after its start, and it has not started".to_owned(),
        Until::Forever => "as long as it lives".to_owned(),
    };
    Some((
        Reason::DoNotEvict,
        format!(
            "its annotation {} protects it {until}",
            crds::names::ANNOTATION_DO_NOT_EVICT
        ),
    ))
}

fn by_selection(settings: &DrainSettings, pod: &PodView) -> Option<(Reason, String)> {
    let selector = settings.pod_selector.as_ref()?;
    (!selects(selector, pod)).then(|| {
        (
            Reason::NotSelected,
            "the policy's maintenance.drain.podSelector does not select it".to_owned(),
        )
    })
}

fn by_data(settings: &DrainSettings, pod: &PodView) -> Option<(Reason, String)> {
    (pod.empty_dir && !settings.delete_empty_dir_data).then(|| {
        (
            Reason::EmptyDir,
            "it would lose its emptyDir volumes: delete it, or set maintenance.drain.deleteEmptyDirData"
                .to_owned(),
        )
    })
}
