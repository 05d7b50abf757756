//! The API server refuses the write that would end a phase, so that the phase lasts for as long as a test needs it.

use e2e::{Look, PATIENCE, apply, eventually, parse};
use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use crate::scene::Scene;

/// Refuses some writes to nodes while it stands.
pub struct Barrier {
    policies: Api<ValidatingAdmissionPolicy>,
    bindings: Api<ValidatingAdmissionPolicyBinding>,
}

/// A label that the barrier refuses too: so it shows that it is in force.
const PROBE: &str = "bed/probe";
const NAME: &str = "barrier";

impl Barrier {
    /// Refuses, of the nodes with the label `barrier: <kind>`: to become unschedulable (`cordon`), to become schedulable
    /// (`uncordon`), to have their resources changed by the fleet (`advertise`).
    pub async fn raise(scene: &Scene) -> Self {
        let client = &scene.cluster.client;
        apply(client, parse(NAME, MANIFEST).unwrap()).await.unwrap();
        let barrier = Self {
            policies: Api::all(client.clone()),
            bindings: Api::all(client.clone()),
        };
        let nodes: Api<Node> = Api::all(client.clone());
        let probe = Patch::Merge(json!({"metadata": {"labels": {PROBE: ""}}}));
        let dry = PatchParams {
            dry_run: true,
            ..PatchParams::default()
        };
        let node = scene.cluster.nodes.keys().next().unwrap();
        eventually("the barrier is in force", PATIENCE, async || {
            Ok(match nodes.patch(node, &dry, &probe).await {
                Ok(_) => Look::NotYet("the probe passes".to_owned()),
                Err(_) => Look::Done(()),
            })
        })
        .await
        .unwrap();
        barrier
    }

    /// Lets everything pass again. It takes the API server a moment to notice.
    pub async fn lower(self) {
        let params = DeleteParams::default();
        self.bindings.delete(NAME, &params).await.unwrap();
        self.policies.delete(NAME, &params).await.unwrap();
    }
}

const MANIFEST: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: barrier}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], resources: [nodes, nodes/status], operations: [UPDATE]}
  variables:
  - {name: kind, expression: "has(object.metadata.labels) && 'barrier' in object.metadata.labels ? object.metadata.labels['barrier'] : ''"}
  - {name: was, expression: "has(oldObject.spec.unschedulable) && oldObject.spec.unschedulable"}
  - {name: is, expression: "has(object.spec.unschedulable) && object.spec.unschedulable"}
  validations:
  - {expression: "!has(object.metadata.labels) || !('bed/probe' in object.metadata.labels)", message: the barrier is in force}
  - {expression: "variables.kind != 'cordon' || variables.was || !variables.is", message: the barrier refuses the cordon}
  - {expression: "variables.kind != 'uncordon' || !variables.was || variables.is", message: the barrier refuses the uncordon}
  - {expression: "variables.kind != 'advertise' || request.subResource != 'status' || request.userInfo.username != 'fleet'", message: the barrier refuses the devices}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: barrier}
spec: {policyName: barrier, validationActions: [Deny]}
"#;
