//! Against a socket that speaks just enough HTTP: what is sent, and what each failure says.

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::Chain;

const VERSION: &str = r#"{"major":"1","minor":"33","gitVersion":"v1.33.0","gitCommit":"","gitTreeState":"","buildDate":"","goVersion":"","compiler":"","platform":""}"#;
const UNAUTHORIZED: &str = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}"#;
const BUSY: &str = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"busy","reason":"TooManyRequests","code":429}"#;

/// A kubeconfig for `server` with a token file beside it.
fn kubeconfig(server: &str) -> (TempDir, KubeArgs) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "secret").unwrap();
    let path = folder.path().join("kubeconfig");
    let text = format!(
        "{{apiVersion: v1, kind: Config, current-context: c, \
         clusters: [{{name: k, cluster: {{server: '{server}'}}}}], \
         users: [{{name: u, user: {{tokenFile: token}}}}], \
         contexts: [{{name: c, context: {{cluster: k, user: u}}}}]}}"
    );
    std::fs::write(&path, text).unwrap();
    (
        folder,
        KubeArgs {
            kubeconfig: Some(path),
        },
    )
}

/// Answers the first request with this, and says what the request was.
async fn answering(status: &str, body: &str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}/", listener.local_addr().unwrap());
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    (server, asked)
}

async fn failure(args: &KubeArgs) -> (KubernetesError, String) {
    let error = connect(args, "tester").await.err().unwrap();
    let message = Chain(&error).to_string();
    (error, message)
}

#[tokio::test]
async fn requests_carry_the_user_agent_and_the_token_of_the_token_file() {
    let (server, asked) = answering("200 OK", VERSION).await;
    let (_folder, args) = kubeconfig(&server);
    let clients = connect(&args, "tester/1.2").await.unwrap();
    assert_eq!(clients.server, server);
    let request = asked.await.unwrap();
    assert!(request.starts_with("GET /version "), "{request}");
    assert!(request.contains("user-agent: tester/1.2\r\n"), "{request}");
    assert!(
        request.contains("authorization: Bearer secret\r\n"),
        "{request}"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_with_the_cause_and_the_next_step() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let (_folder, args) = kubeconfig(&server);
    let (error, message) = failure(&args).await;
    assert!(
        matches!(error, KubernetesError::Unreachable { .. }),
        "{error:?}"
    );
    assert!(
        message.contains(&server) && message.contains("check that it runs"),
        "{message}"
    );
    assert!(message.contains("Connection refused"), "{message}");
}

#[tokio::test]
async fn refused_credentials_are_told_from_an_absent_server() {
    let (server, _asked) = answering("401 Unauthorized", UNAUTHORIZED).await;
    let (_folder, args) = kubeconfig(&server);
    let (error, message) = failure(&args).await;
    assert!(
        matches!(error, KubernetesError::Refused { .. }),
        "{error:?}"
    );
    assert!(
        message.contains(&server) && message.contains("token"),
        "{message}"
    );
}

#[tokio::test]
async fn the_once_client_does_not_ask_a_second_time() {
    // A second request would find nobody who accepts it: the answer would not be 429.
    let (server, _asked) = answering("429 Too Many Requests", BUSY).await;
    let (_folder, args) = kubeconfig(&server);
    let clients = build(&args, "tester").await.unwrap();
    let error = clients.once.apiserver_version().await.unwrap_err();
    assert!(
        matches!(&error, kube::Error::Api(status) if status.code == 429),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_kubeconfig_that_is_not_there_is_named() {
    let args = KubeArgs {
        kubeconfig: Some("/does/not/exist".into()),
    };
    let (error, message) = failure(&args).await;
    assert!(
        matches!(error, KubernetesError::Kubeconfig { .. }),
        "{error:?}"
    );
    assert!(
        message.contains("/does/not/exist") && message.contains("--kubeconfig"),
        "{message}"
    );
}
