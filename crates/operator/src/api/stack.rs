//! What the API server shows of NVIDIA's device plugin on one node. Read only where it does not do what it was told.

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams};
use plan::diagnosis::{ClusterPolicyView, PluginPod, Stack};
use serde_json::Value;
use tracing::warn;

use super::Cluster;

impl Cluster {
    /// From the pods on the node, our `ConfigMap` and the policies of NVIDIA's GPU operator. Policies that cannot be read
    /// are left out: then there is less to say, and nothing else depends on them.
    pub async fn stack(&self, pods: &[Pod], configs: Option<&ConfigMap>) -> Stack {
        let data = configs.and_then(|configs| configs.data.as_ref());
        Stack {
            config_map: (self.plugin.namespace.clone(), self.plugin.name.clone()),
            keys: data
                .into_iter()
                .flat_map(|data| data.keys().cloned())
                .collect(),
            cluster_policies: self.cluster_policies().await,
            pods: pods.iter().filter_map(PluginPod::of).collect(),
        }
    }

    async fn cluster_policies(&self) -> Vec<ClusterPolicyView> {
        let kind = GroupVersionKind::gvk("nvidia.com", "v1", "ClusterPolicy");
        let kind = ApiResource::from_gvk_with_plural(&kind, "clusterpolicies");
        let policies = Api::<DynamicObject>::all_with(self.client.clone(), &kind);
        match policies.list(&ListParams::default()).await {
            Ok(listed) => listed.items.iter().map(view).collect(),
            // The GPU operator is not installed.
            Err(kube::Error::Api(status)) if status.code == 404 => Vec::new(),
            Err(error) => {
                let error = process::Chain(&error).to_string();
                warn!(
                    error,
                    "cannot list ClusterPolicies; they are left out of the diagnosis"
                );
                Vec::new()
            }
        }
    }
}

fn view(policy: &DynamicObject) -> ClusterPolicyView {
    ClusterPolicyView::of(&serde_json::to_value(policy).unwrap_or(Value::Null))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::fake::{FakeApi, failure, read};

    const POLICIES: &str = "GET /apis/nvidia.com/v1/clusterpolicies";

    #[tokio::test]
    async fn the_policies_of_the_gpu_operator_are_read_where_there_are_any() {
        let policy = json!({
            "apiVersion": "nvidia.com/v1", "kind": "ClusterPolicy", "metadata": {"name": "cluster-policy"},
            "spec": {"devicePlugin": {"config": {"name": "configs"}}, "mig": {"strategy": "single"}},
        });
        let list = json!({
            "apiVersion": "nvidia.com/v1", "kind": "ClusterPolicyList", "metadata": {}, "items": [policy],
        });
        let refused = failure(403, "Forbidden", "no");
        for (code, answer, expected) in [
            (200, list, &["cluster-policy"][..]),
            (404, failure(404, "NotFound", "no"), &[]),
            (403, refused, &[]),
        ] {
            let api = FakeApi::default();
            api.on(POLICIES, code, answer);
            let configs = read(json!({"metadata": {}, "data": {"mig-1": "x"}}));
            let stack = api.cluster().stack(&[], Some(&configs)).await;
            let names = stack.cluster_policies.iter().map(|it| it.name.as_str());
            assert_eq!(names.collect::<Vec<_>>(), expected, "{code}");
            assert_eq!(stack.config_map.1, "configs");
            assert!(stack.keys.contains("mig-1"));
        }
    }
}
