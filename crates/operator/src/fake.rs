//! An API server for tests: answers by route, and remembers what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::api::{Cluster, PluginConfigMap};
use crate::fence::Fence;

/// An API server that answers as it was told to, and 404 to all else. Clones are the same server.
#[derive(Clone, Debug, Default)]
pub struct FakeApi {
    answers: Arc<Mutex<BTreeMap<String, Answers>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// Status and body of the answers to come.
type Answers = VecDeque<(u16, Value)>;

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Method and path, such as `GET /api/v1/nodes/n1`.
    pub what: String,
    /// What follows the `?`.
    pub query: String,
    /// The content type; empty without one.
    pub kind: String,
    /// The body; null without one.
    pub body: Value,
}

impl Asked {
    /// Whether it changes anything.
    pub fn is_write(&self) -> bool {
        !self.what.starts_with("GET ")
    }
}

impl FakeApi {
    /// A client of this server, which sends each request once.
    pub fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.answer(request).await) }
        });
        Client::new(service, "default")
    }

    /// The cluster behind this server, for a leader whose lease is long.
    pub fn cluster(&self) -> Cluster {
        let fence = Fence::by(Duration::from_secs(5), |_| true);
        Cluster::new(self.client(), fence, plugin(), "operator-0".to_owned())
    }

    /// Answers `what` so; told twice, first so and then so, and the last answer for ever.
    pub fn on(&self, what: &str, code: u16, body: Value) -> &Self {
        let mut answers = self.answers.lock().unwrap();
        let answers = answers.entry(what.to_owned()).or_default();
        answers.push_back((code, body));
        self
    }

    /// Answers `what` so from now on, whatever was told before.
    pub fn instead(&self, what: &str, code: u16, body: Value) {
        let answers = VecDeque::from([(code, body)]);
        self.answers
            .lock()
            .unwrap()
            .insert(what.to_owned(), answers);
    }

    /// Everything that was asked, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Every request that changes something, in order.
    pub fn writes(&self) -> Vec<Asked> {
        self.asked().into_iter().filter(Asked::is_write).collect()
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let what = format!("{} {}", head.method, head.uri.path());
        let kind = head.headers.get(http::header::CONTENT_TYPE);
        let bytes = body.collect_bytes().await.unwrap();
        self.asked.lock().unwrap().push(Asked {
            what: what.clone(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            kind: kind.map_or("", |kind| kind.to_str().unwrap()).to_owned(),
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        });
        let (code, body) = self.told(&what);
        let body = Body::from(serde_json::to_vec(&body).unwrap());
        Response::builder().status(code).body(body).unwrap()
    }

    fn told(&self, what: &str) -> (u16, Value) {
        let mut answers = self.answers.lock().unwrap();
        match answers.get_mut(what) {
            None => (404, failure(404, "NotFound", "not found")),
            Some(answers) if answers.len() > 1 => answers.pop_front().unwrap(),
            Some(answers) => answers[0].clone(),
        }
    }
}

/// The device plugin's `ConfigMap` of this server.
pub fn plugin() -> PluginConfigMap {
    PluginConfigMap {
        namespace: "gpu-operator".to_owned(),
        name: "configs".to_owned(),
    }
}

/// An object of a kind, from its JSON.
pub fn read<K: DeserializeOwned>(object: Value) -> K {
    serde_json::from_value(object).unwrap()
}

/// A `Status` that says no.
pub fn failure(code: u16, reason: &str, message: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure",
        "code": code, "reason": reason, "message": message,
    })
}
