//! What a program may do: what its pod's service account may, and nothing else.

use e2e::{Bed, Fleet, NAMESPACE, NodeSpec, Program, apply, parse};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use kube::api::{ListParams, PostParams};

/// The shape of the chart's agent, with a right that is easy to see.
const AGENT: &str = "
{apiVersion: v1, kind: Namespace, metadata: {name: gpu-sharing-system}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: an-account, namespace: gpu-sharing-system}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reads-nodes}
rules: [{apiGroups: [''], resources: [nodes], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reads-nodes}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reads-nodes}
subjects: [{kind: ServiceAccount, name: an-account, namespace: gpu-sharing-system}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: gpu-sharing-agent, namespace: gpu-sharing-system}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      serviceAccountName: an-account
      nodeSelector: {nvidia.com/gpu.present: 'true'}
      containers: [{name: agent, image: 'a:1'}]
";

#[tokio::test]
async fn a_program_has_the_rights_and_the_node_of_its_pod() {
    let bed = Bed::start().await.unwrap();
    let admin = bed.client().await.unwrap();
    let mut fleet = Fleet::start(&bed).await.unwrap();
    let manifests = parse("the agent", AGENT).unwrap();
    apply(&admin, manifests).await.unwrap();
    fleet.add_plain("plain").await.unwrap();
    fleet
        .add(NodeSpec::new("first").gpus("T4", 1))
        .await
        .unwrap();
    let node = NodeSpec::new("second").gpus("T4", 1);
    let node = fleet.add(node).await.unwrap();

    let agent = Program::agent(&bed, &node).unwrap();
    agent.authorize(&admin).await.unwrap();
    let client = agent.client().await.unwrap();
    let nodes: Api<Node> = Api::all(client.clone());
    assert_eq!(
        nodes
            .list(&ListParams::default())
            .await
            .unwrap()
            .items
            .len(),
        3
    );
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    let refused = pods.list(&ListParams::default()).await.unwrap_err();
    assert!(
        matches!(&refused, kube::Error::Api(status) if status.code == 403),
        "{refused}"
    );

    let reviews: Api<SelfSubjectReview> = Api::all(client);
    let (params, me) = (PostParams::default(), SelfSubjectReview::default());
    let me = reviews.create(&params, &me).await.unwrap();
    let me = me.status.unwrap().user_info.unwrap();
    assert_eq!(
        me.username.unwrap(),
        format!("system:serviceaccount:{NAMESPACE}:an-account")
    );
    let node_name = &me.extra.unwrap()["authentication.kubernetes.io/node-name"];
    assert_eq!(*node_name, ["second"]);
}
