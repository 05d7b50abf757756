//! `ResourceSlices`: what drivers of dynamic resource allocation offer. Only whether NVIDIA's driver offers this node's GPUs.

use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams};

use super::Cluster;
use crate::error::Error;

/// The driver's name (`NVIDIA/k8s-dra-driver-gpu` v0.5.0-dev, `cmd/gpu-kubelet-plugin/main.go:42`).
const DRIVER: &str = "gpu.nvidia.com";
/// The versions of the API, from Kubernetes 1.34 on and before it. Where neither is served, nobody can have such slices.
const VERSIONS: [&str; 2] = ["v1", "v1beta1"];

impl Cluster {
    /// The name of a `ResourceSlice` that offers the node's GPUs through NVIDIA's DRA driver; none if there is none.
    pub async fn dra_slice(&self, node: &str) -> Result<Option<String>, Error> {
        let selector = format!("spec.nodeName={node},spec.driver={DRIVER}");
        let of_node = ListParams::default().fields(&selector).limit(1);
        for version in VERSIONS {
            let kind = GroupVersionKind::gvk("resource.k8s.io", version, "ResourceSlice");
            let kind = ApiResource::from_gvk_with_plural(&kind, "resourceslices");
            let slices = Api::<DynamicObject>::all_with(self.client.clone(), &kind);
            match slices.list_metadata(&of_node).await {
                Ok(listed) => {
                    let first = listed.items.into_iter().next();
                    return Ok(first.and_then(|slice| slice.metadata.name));
                }
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                Err(error) => {
                    let object = format!("the ResourceSlices of Node {node}");
                    return Err(Error::request("list", object)(error));
                }
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use plan::reason::Reason;
    use serde_json::{Value, json};

    use crate::fake::{FakeApi, failure};

    fn asks(version: &str) -> String {
        format!("GET /apis/resource.k8s.io/{version}/resourceslices")
    }

    fn slices(names: &[&str]) -> Value {
        let slice = |name: &&str| {
            json!({
                "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": {"name": name},
            })
        };
        let items: Vec<_> = names.iter().map(slice).collect();
        json!({
            "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList", "metadata": {}, "items": items,
        })
    }

    #[tokio::test]
    async fn slices_are_asked_for_by_node_and_driver_and_an_api_that_is_not_served_has_none() {
        for (version, answer, expected) in [
            ("v1", slices(&["n1-gpu-7x9"]), Some("n1-gpu-7x9")),
            ("v1beta1", slices(&["old"]), Some("old")),
            ("v1", slices(&[]), None),
            ("v0", slices(&["never"]), None),
        ] {
            let api = FakeApi::default();
            api.on(&asks(version), 200, answer);
            let found = api.cluster().dra_slice("n1").await.unwrap();
            assert_eq!(found.as_deref(), expected, "{version}");
            let query = api.asked()[0].query.clone();
            let selector = "spec.nodeName%3Dn1%2Cspec.driver%3Dgpu.nvidia.com";
            assert!(
                query.contains(selector) && query.contains("limit=1"),
                "{query}"
            );
        }
    }

    #[tokio::test]
    async fn slices_that_may_not_be_read_are_not_taken_for_none() {
        let api = FakeApi::default();
        api.on(&asks("v1"), 403, failure(403, "Forbidden", "no"));
        let refused = api.cluster().dra_slice("n1").await.unwrap_err();
        assert_eq!(refused.reason(), Reason::Forbidden);
    }
}
