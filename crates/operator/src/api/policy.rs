//! Policies: read afresh, and their status applied by compare-and-swap, because its slots are the lock.

use crds::{GpuSharingPolicy, GpuSharingPolicyStatus, names};
use kube::api::{Patch, PatchParams};
use kube::{Api, Resource, ResourceExt};
use serde_json::json;

use super::{Cluster, Written};
use crate::error::Error;

impl Cluster {
    /// The policy as it is now; none if there is none of this name.
    pub async fn policy(&self, name: &str) -> Result<Option<GpuSharingPolicy>, Error> {
        let answer = self.policies().get_opt(name).await;
        answer.map_err(Error::request("read", object(name)))
    }

    /// Applies the whole status, at the version that it was decided on.
    pub async fn apply_policy_status(
        &self,
        found: &GpuSharingPolicy,
        status: &GpuSharingPolicyStatus,
    ) -> Result<Written<GpuSharingPolicy>, Error> {
        let name = found.name_any();
        let missing = |missing| Error::Incomplete {
            object: object(&name),
            missing,
        };
        let version = found.resource_version();
        let body = json!({
            "apiVersion": GpuSharingPolicy::api_version(&()),
            "kind": GpuSharingPolicy::kind(&()),
            "metadata": {
                "name": name,
                "uid": found.uid().ok_or_else(|| missing("a uid"))?,
                "resourceVersion": version.ok_or_else(|| missing("a resourceVersion"))?,
            },
            "status": status,
        });
        let params = PatchParams::apply(names::OPERATOR_MANAGER).force();
        let (policies, patch) = (self.policies(), Patch::Apply(&body));
        let request = policies.patch_status(&name, &params, &patch);
        let (verb, object) = ("update the status of", object(&name));
        let answer = self.fence.send(verb, &object, request).await?;
        Written::of(answer, verb, object)
    }

    fn policies(&self) -> Api<GpuSharingPolicy> {
        Api::all(self.client.clone())
    }
}

fn object(name: &str) -> String {
    format!("GpuSharingPolicy {name}")
}
