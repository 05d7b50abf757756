//! An agent may write the `GpuNode` of its own node, and in it only what it reports.

use crds::GpuNode;
use e2e::{FakeNode, Fleet, Guest, Look, NAMESPACE, NodeSpec, PATIENCE, Program, eventually};
use http::header::{HeaderName, HeaderValue};
use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicy;
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};

use crate::installed;

type GpuNodes = Api<DynamicObject>;

fn gpu_nodes(client: &Client) -> GpuNodes {
    Api::all_with(client.clone(), &ApiResource::erase::<GpuNode>(&()))
}

/// The answer to a write: nothing, or the API server's message.
type Answer = Result<(), String>;

fn answer<T>(result: kube::Result<T>) -> Answer {
    result.map(drop).map_err(|error| match error {
        kube::Error::Api(status) => status.message.clone(),
        other => panic!("{other}"),
    })
}

async fn create(nodes: &GpuNodes, name: &str, content: Value) -> Answer {
    let mut object = json!({
        "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuNode", "metadata": {"name": name}, "spec": {},
    });
    json_patch(&mut object, content);
    let object = serde_json::from_value(object).unwrap();
    answer(nodes.create(&PostParams::default(), &object).await)
}

fn json_patch(object: &mut Value, content: Value) {
    for (key, value) in content.as_object().into_iter().flatten() {
        match object.get_mut(key) {
            Some(Value::Object(inner)) => inner.extend(value.as_object().cloned().unwrap()),
            _ => object[key] = value.clone(),
        }
    }
}

/// Applies a status under the name of `manager`, and takes what is another's.
async fn report(nodes: &GpuNodes, name: &str, manager: &str, status: Value) -> Answer {
    let object =
        json!({"apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuNode", "status": status});
    let params = PatchParams::apply(manager).force();
    answer(
        nodes
            .patch_status(name, &params, &Patch::Apply(object))
            .await,
    )
}

fn agent_status(boot_id: &str) -> Value {
    json!({"agent": {"bootId": boot_id}})
}

fn target() -> Value {
    json!({"target": {"gpus": []}})
}

async fn agent_of(bed: &Guest, admin: &Client, node: &FakeNode) -> GpuNodes {
    let agent = Program::agent(bed, node).unwrap();
    agent.authorize(admin).await.unwrap();
    gpu_nodes(&agent.client().await.unwrap())
}

/// Policies take a moment to be in force. Until then an agent could create this.
async fn in_force(agent: &GpuNodes) {
    let foreign = json!({
        "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuNode", "metadata": {"name": "nobody"}, "spec": {},
    });
    let foreign = serde_json::from_value(foreign).unwrap();
    let params = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    eventually("the admission policy is in force", PATIENCE, async || {
        Ok(match agent.create(&params, &foreign).await {
            Ok(_) => Look::NotYet("a write to another's GpuNode passes".to_owned()),
            Err(_) => Look::Done(()),
        })
    })
    .await
    .unwrap();
}

fn refused(answer: Answer, why: &str) {
    let message = answer.err().unwrap_or_else(|| panic!("not refused: {why}"));
    assert!(message.contains(why), "{message}");
}

#[tokio::test]
async fn an_agent_writes_its_own_status_and_nothing_else() {
    let (bed, admin) = installed().await;
    let mut fleet = Fleet::start(&bed).await.unwrap();
    let one = fleet.add(NodeSpec::new("n1").gpus("T4", 1)).await.unwrap();
    let other = fleet.add(NodeSpec::new("n2").gpus("T4", 1)).await.unwrap();
    let agent = agent_of(&bed, &admin, &one).await;
    let neighbour = agent_of(&bed, &admin, &other).await;
    let operator = gpu_nodes(&admin);
    in_force(&agent).await;

    // What it cannot create.
    let asks = "spec says what the operator asks for";
    let lives = "ownerReferences and finalizers";
    let owner = json!([{"apiVersion": "v1", "kind": "Node", "name": "n2", "uid": "u"}]);
    refused(create(&agent, "n1", json!({"spec": target()})).await, asks);
    refused(
        create(
            &agent,
            "n1",
            json!({"metadata": {"finalizers": ["example.com/stay"]}}),
        )
        .await,
        lives,
    );
    refused(
        create(
            &agent,
            "n1",
            json!({"metadata": {"ownerReferences": owner}}),
        )
        .await,
        lives,
    );
    let own = "the agent on node n1 may write GpuNode n1 and no other, not n2; check the agent's --node-name";
    refused(create(&agent, "n2", json!({})).await, own);

    // What it can, and then report.
    create(&agent, "n1", json!({})).await.unwrap();
    create(&neighbour, "n2", json!({})).await.unwrap();
    report(&agent, "n1", "agent", agent_status("first"))
        .await
        .unwrap();
    let maintenance = json!({"maintenance": {"phase": "Draining"}});
    report(&operator, "n1", "operator", maintenance)
        .await
        .unwrap();
    report(&agent, "n1", "agent", agent_status("second"))
        .await
        .unwrap();

    // What it cannot report.
    refused(
        report(&agent, "n2", "agent", agent_status("mine")).await,
        own,
    );
    let record = "status.maintenance is the operator's record";
    let forged = json!({"agent": {"bootId": "second"}, "maintenance": {"phase": "InSync"}});
    refused(report(&agent, "n1", "agent", forged).await, record);
    let merge = Patch::Merge(json!({"status": {"maintenance": null}}));
    let erased = agent
        .patch_status("n1", &PatchParams::default(), &merge)
        .await;
    refused(answer(erased), record);
    let seen = operator.get("n1").await.unwrap().data;
    assert_eq!(seen["status"]["agent"]["bootId"], "second");
    assert_eq!(seen["status"]["maintenance"]["phase"], "Draining");
    assert_eq!(seen["spec"], json!({}));
}

#[tokio::test]
async fn an_agent_leaves_the_rest_as_it_is_even_where_a_role_would_let_it_write() {
    let (bed, admin) = installed().await;
    let mut fleet = Fleet::start(&bed).await.unwrap();
    let node = fleet.add(NodeSpec::new("n4").gpus("T4", 1)).await.unwrap();
    let agent = agent_of(&bed, &admin, &node).await;
    in_force(&agent).await;
    create(&agent, "n4", json!({})).await.unwrap();

    let merge = PatchParams::default();
    let patch = Patch::Merge(json!({"spec": target()}));
    let by_role = answer(agent.patch("n4", &merge, &patch).await);
    refused(by_role, "cannot patch resource \"gpunodes\"");

    let mighty = with_all_rights(&bed, "n4").await;
    for (content, why) in [
        (
            json!({"spec": target()}),
            "spec says what the operator asks for",
        ),
        (
            json!({"metadata": {"finalizers": ["example.com/stay"]}}),
            "ownerReferences and finalizers",
        ),
    ] {
        refused(
            answer(mighty.patch("n4", &merge, &Patch::Merge(content)).await),
            why,
        );
    }
    let harmless = Patch::Merge(json!({"metadata": {"labels": {"a": "b"}}}));
    answer(mighty.patch("n4", &merge, &harmless).await).unwrap();
    let elsewhere = with_all_rights(&bed, "n5").await;
    refused(
        answer(elsewhere.patch("n4", &merge, &harmless).await),
        "may write GpuNode n5 and no other",
    );
}

/// The agent of a node, if a role let it do everything.
async fn with_all_rights(bed: &Guest, node: &str) -> GpuNodes {
    let mut config = administrator(bed).await;
    for (header, value) in [
        (
            "impersonate-user",
            format!("system:serviceaccount:{NAMESPACE}:gpu-sharing-agent").as_str(),
        ),
        ("impersonate-group", "system:masters"),
        (
            "impersonate-extra-authentication.kubernetes.io%2fnode-name",
            node,
        ),
    ] {
        let name = HeaderName::from_static(header);
        config
            .headers
            .push((name, HeaderValue::from_str(value).unwrap()));
    }
    gpu_nodes(&Client::try_from(config).unwrap())
}

#[tokio::test]
async fn a_token_that_names_no_node_writes_nothing() {
    let (bed, admin) = installed().await;
    let mut fleet = Fleet::start(&bed).await.unwrap();
    let node = fleet.add(NodeSpec::new("n3").gpus("T4", 1)).await.unwrap();
    in_force(&agent_of(&bed, &admin, &node).await).await;
    let accounts: Api<ServiceAccount> = Api::namespaced(admin, NAMESPACE);
    let params = PostParams::default();
    let token = accounts
        .create_token_request("gpu-sharing-agent", &params, &TokenRequest::default())
        .await;
    let client = with_token(&bed, &token.unwrap().status.unwrap().token).await;
    let answer = create(&gpu_nodes(&client), "n3", json!({})).await;
    refused(
        answer,
        "this token of gpu-sharing-agent is not bound to a pod on a node",
    );
}

/// A client of the bed for whoever has this token.
async fn with_token(bed: &Guest, token: &str) -> Client {
    let mut config = administrator(bed).await;
    config.auth_info.token = Some(token.to_owned().into());
    Client::try_from(config).unwrap()
}

async fn administrator(bed: &Guest) -> Config {
    let file = Kubeconfig::read_from(bed.kubeconfig()).unwrap();
    let options = KubeConfigOptions::default();
    Config::from_custom_kubeconfig(file, &options)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_rules_for_agents_fit_their_objects_and_refuse_what_they_cannot_judge() {
    let (_bed, admin) = installed().await;
    let policies: Api<ValidatingAdmissionPolicy> = Api::all(admin);
    let checked = |policy: &ValidatingAdmissionPolicy| {
        let status = policy.status.as_ref();
        status.is_some_and(|status| status.observed_generation.is_some())
    };
    let name = "gpu-sharing-agent";
    let policy = e2e::wait_for(&policies, name, "its types are checked", checked).await;
    let policy = policy.unwrap();
    let checking = policy.status.unwrap().type_checking;
    assert_eq!(checking.and_then(|found| found.expression_warnings), None);
    assert_eq!(policy.spec.unwrap().failure_policy.unwrap(), "Fail");
}
