//! Bad input is named, with what to do about it: no crash loop without a word, and no journal is lost.

use std::fs;
use std::process::Command;

use crds::GpuNode;
use crds::gpu_node::MaintenanceStatus;
use e2e::{Look, NodeSpec, PATIENCE, Program, built, eventually, wait_within};
use serde_json::json;

use crate::look::{FREE, condition};
use crate::scene::{LONG, SEVEN, Scene, a100, spec};

/// Waits until a program runs, is not ready, and says all of this about why.
async fn not_ready(program: &mut Program, parts: &[&str]) {
    eventually(&format!("says {parts:?}"), PATIENCE, async || {
        program.check()?;
        Ok(
            match program
                .get("/readyz")
                .await
                .map_err(|error| format!("{error:?}"))
            {
                Ok(_) => Look::NotYet("it says that it is ready".to_owned()),
                Err(said) if parts.iter().all(|part| said.contains(part)) => Look::Done(()),
                Err(said) => Look::NotYet(said),
            },
        )
    })
    .await
    .unwrap();
}

async fn start(scene: &mut Scene, node: &str) {
    let client = scene.cluster.client.clone();
    scene
        .cluster
        .agent(node)
        .unwrap()
        .start(&client)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_agent_that_cannot_see_gpus_waits_says_why_and_holds_up_no_other_node() {
    let empty = NodeSpec::new("empty").label("nvidia.com/gpu.present", "true");
    let nodes = [a100("driverless"), a100("garbled"), empty, a100("fine")];
    let mut scene = Scene::install(nodes).await;
    let bed = &scene.cluster.bed;
    let nowhere = "/nowhere/libnvidia-ml.so.1";
    let driverless = Program::agent(bed, scene.cluster.node("driverless")).unwrap();
    scene.cluster.agents.insert(
        "driverless".to_owned(),
        driverless.arg("--nvml-library", nowhere),
    );
    let state = scene.cluster.node("garbled").gpus().path().to_owned();
    let sound = fs::read(&state).unwrap();
    fs::write(&state, "{\"version\": 1, \"gpus\": [").unwrap();
    scene.start_operator().await;
    for node in ["driverless", "garbled", "empty", "fine"] {
        start(&mut scene, node).await;
    }

    let agents = &mut scene.cluster.agents;
    not_ready(agents.get_mut("driverless").unwrap(), &[nowhere]).await;
    let garbled = agents.get_mut("garbled").unwrap();
    not_ready(garbled, &["driver: ", "UNKNOWN (999)"]).await;
    let log = garbled.log();
    assert!(
        log.contains("gpus.json"),
        "the library says where the file is wrong: {log}"
    );
    not_ready(agents.get_mut("empty").unwrap(), &["GPU"]).await;
    let policy = scene.policy("p", &format!("{{strategy: {SEVEN}}}")).await;
    scene.in_sync("fine", &policy).await;

    // Nobody has to restart anything once the driver is in order.
    fs::write(&state, sound).unwrap();
    scene
        .cluster
        .agent("garbled")
        .unwrap()
        .wait_ready()
        .await
        .unwrap();
    scene.in_sync("garbled", &policy).await;
    for agent in scene.cluster.agents.values_mut() {
        agent.check().unwrap();
    }
}

#[tokio::test]
async fn a_journal_that_does_not_parse_is_kept_and_what_it_said_of_ours_is_taken_for_others() {
    let mut scene = Scene::start([a100("n1")]).await;
    let policy = scene.policy("p", &spec("n1", SEVEN, "")).await;
    scene.in_sync("n1", &policy).await;
    let agent = scene.cluster.agent("n1").unwrap();
    agent.terminate().await.unwrap();
    let folder = scene.cluster.node("n1").journal_folder();
    let devices = scene.devices("n1");
    let (journal, garbage) = (folder.join("journal.json"), "{\"previous\": [{");
    assert!(journal.exists(), "an operation leaves a journal");
    fs::write(&journal, garbage).unwrap();

    start(&mut scene, "n1").await;
    let kept = folder.join("journal.json.unreadable-1");
    let lost = |node: &GpuNode| {
        let status = node.status.as_ref();
        let agent = status.and_then(|status| status.agent.as_ref());
        let lost = agent.and_then(|agent| condition(&agent.conditions, "JournalLost").cloned());
        lost.filter(|lost| lost.status == "True")
    };
    let gpu_nodes = scene.cluster.gpu_nodes();
    let what = "says that its journal is lost";
    let node = wait_within(LONG, &gpu_nodes, "n1", what, |node| lost(node).is_some()).await;
    let message = lost(&node.unwrap()).unwrap().message;
    assert!(message.contains(kept.to_str().unwrap()), "{message}");

    let mark = scene.mark().await;
    let layout = json!({"1g.5gb": null, "3g.20gb": 2});
    let halves = json!({"strategy": {"mig": {"layout": layout}}});
    scene.change_policy("p", halves).await;
    let others = |status: &MaintenanceStatus| {
        let waits = status.waiting_for.as_deref().unwrap_or_default();
        waits.contains("made by somebody else; set mig.adopt")
    };
    let what = "waits for what others have made";
    scene.wait_node("n1", what, others).await;
    scene.quiet().await;
    assert!(scene.cordons(mark).await.is_empty());
    assert_eq!(scene.standing("n1").await, FREE);
    assert_eq!(scene.devices("n1"), devices);
    assert_eq!(fs::read_to_string(&kept).unwrap(), garbage);

    let adopt = json!({"strategy": {"mig": {"adopt": true}}});
    let policy = scene.change_policy("p", adopt).await;
    scene.in_sync("n1", &policy).await;
    assert_eq!(scene.slices("n1"), ["3g.20gb"; 2]);
    assert_eq!(
        fs::read_to_string(&kept).unwrap(),
        garbage,
        "it is for a person to delete"
    );
}

/// Port 1 is nobody's.
const NOBODY: &str = "
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
";

#[test]
fn an_operator_without_an_api_server_ends_and_says_where_it_looked() {
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    fs::write(&kubeconfig, NOBODY).unwrap();
    let mut command = Command::new(built("gpu-sharing-operator", "operator").unwrap());
    command.arg("--kubeconfig").arg(kubeconfig);
    command.args([
        "--admin-address",
        "127.0.0.1:0",
        "--lease-namespace",
        "default",
    ]);
    let ended = command.output().unwrap();
    let said = [ended.stdout, ended.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(
        said.contains("cannot reach the Kubernetes API server at https://127.0.0.1:1"),
        "{said}"
    );
    assert!(said.contains("check that it runs"), "{said}");
}

#[tokio::test]
async fn an_agent_without_an_api_server_waits_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("kubeconfig"), NOBODY).unwrap();
    nvml_sim::install(&at("driver")).unwrap();
    let gpus = nvml_sim::SimulatedNode::create(at("gpus.json"), None, &["T4"]).unwrap();
    let log = fs::File::create(at("log")).unwrap();
    let agent = Command::new(built("gpu-sharing-agent", "node-agent").unwrap())
        .args([
            "--node-name",
            "n1",
            "--admin-address",
            "127.0.0.1:0",
            "--admin-port-file",
        ])
        .arg(at("address"))
        .arg("--kubeconfig")
        .arg(at("kubeconfig"))
        .arg("--nvml-library")
        .arg(at("driver").join("libnvidia-ml.so.1"))
        .arg("--journal-dir")
        .arg(at("journal"))
        .arg("--boot-id-file")
        .arg(gpus.boot_id_path())
        .env("NVML_SIM_STATE", gpus.path())
        .stderr(log.try_clone().unwrap())
        .stdout(log)
        .spawn()
        .unwrap();
    let mut agent = Killed(agent);
    eventually("the agent says what it waits for", PATIENCE, async || {
        assert_eq!(agent.0.try_wait().unwrap(), None, "it ended");
        let Ok(address) = fs::read_to_string(at("address")) else {
            return Ok(Look::NotYet("it does not listen".to_owned()));
        };
        let said = e2e::http_get(&format!("http://{address}/readyz")).await;
        let said = said.map_err(|error| format!("{error:?}")).unwrap_err();
        Ok(
            if said.contains("the API server") && said.contains("check that it can be reached") {
                Look::Done(())
            } else {
                Look::NotYet(said)
            },
        )
    })
    .await
    .unwrap();
}

/// A process that does not outlive its test.
struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // Fails only for one that has ended and been waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
