//! An API server for tests with one `GpuNode`, which remembers what it was asked.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};

use crds::{GpuNode, GpuNodeSpec};
use http::{Method, Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

use super::GpuNodes;

/// An API server. Clones are the same one.
#[derive(Clone, Default)]
pub struct FakeApi(Arc<Mutex<Server>>);

/// Hears a body or an object.
type Listener = Box<dyn FnMut(&Value) + Send>;

#[derive(Default)]
struct Server {
    object: Option<Value>,
    version: u64,
    asked: Vec<Asked>,
    trouble: VecDeque<(Method, Trouble)>,
    on_patch: Option<Listener>,
    on_store: Option<Listener>,
}

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub what: String,
    pub query: String,
    pub body: Value,
}

/// What goes wrong with a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// It is refused.
    Refuse(u16),
    /// It is done, and the answer is lost.
    LoseAnswer,
    /// Somebody asks for this just before.
    AfterSpec(Box<GpuNodeSpec>),
}

impl FakeApi {
    /// One that has this object, as an earlier one stored it.
    pub fn with(object: &GpuNode) -> Self {
        let version = object.metadata.resource_version.as_ref();
        let version = version.and_then(|version| version.parse().ok());
        let server = Server {
            object: Some(json!(object)),
            version: version.unwrap_or_default(),
            ..Server::default()
        };
        Self(Arc::new(Mutex::new(server)))
    }

    pub fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.answer(request).await) }
        });
        Client::new(service, "default")
    }

    pub fn gpu_nodes(&self) -> GpuNodes {
        GpuNodes::new(self.client(), "n1".to_owned())
    }

    /// The object as it is.
    pub fn object(&self) -> Option<GpuNode> {
        let object = self.lock().object.clone();
        object.map(|object| serde_json::from_value(object).unwrap())
    }

    /// The operator asks for this.
    pub fn set_spec(&self, spec: &GpuNodeSpec) {
        self.lock().set_spec(spec);
    }

    pub fn delete(&self) {
        self.lock().object = None;
    }

    /// What goes wrong with the next request of this method.
    pub fn trouble(&self, method: Method, trouble: Trouble) {
        self.lock().trouble.push_back((method, trouble));
    }

    /// Is called with the body of each patch before it is looked at.
    pub fn on_patch(&self, call: impl FnMut(&Value) + Send + 'static) {
        self.lock().on_patch = Some(Box::new(call));
    }

    /// Is called with the object whenever it was stored.
    pub fn on_store(&self, call: impl FnMut(&Value) + Send + 'static) {
        self.lock().on_store = Some(Box::new(call));
    }

    /// Everything that was written since this was last asked, in order.
    pub fn writes(&self) -> Vec<Asked> {
        let asked = std::mem::take(&mut self.lock().asked);
        let is_write = |it: &Asked| !it.what.starts_with("GET ");
        asked.into_iter().filter(is_write).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Server> {
        self.0.lock().unwrap()
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let bytes = body.collect_bytes().await.unwrap();
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let asked = Asked {
            what: format!("{} {}", head.method, head.uri.path()),
            query: head.uri.query().unwrap_or_default().to_owned(),
            body,
        };
        let (code, answer) = self.lock().serve(&head.method, asked);
        let body = Body::from(serde_json::to_vec(&answer).unwrap());
        Response::builder().status(code).body(body).unwrap()
    }
}

impl Server {
    fn serve(&mut self, method: &Method, asked: Asked) -> (u16, Value) {
        let body = asked.body.clone();
        self.asked.push(asked);
        if let (&Method::PATCH, Some(call)) = (method, &mut self.on_patch) {
            call(&body);
        }
        match self.next_trouble(method) {
            Some(Trouble::Refuse(code)) => failure(code),
            Some(Trouble::LoseAnswer) => {
                self.obey(method, &body);
                failure(504)
            }
            Some(Trouble::AfterSpec(spec)) => {
                self.set_spec(&spec);
                self.obey(method, &body)
            }
            None => self.obey(method, &body),
        }
    }

    fn next_trouble(&mut self, method: &Method) -> Option<Trouble> {
        let is_next = |it: &(Method, Trouble)| it.0 == *method;
        let next = self.trouble.iter().position(is_next)?;
        self.trouble.remove(next).map(|(_, trouble)| trouble)
    }

    fn obey(&mut self, method: &Method, body: &Value) -> (u16, Value) {
        match *method {
            Method::GET => self
                .object
                .clone()
                .map_or_else(|| failure(404), |it| (200, it)),
            Method::POST if self.object.is_some() => failure(409),
            Method::POST => {
                let mut object = body.clone();
                object["metadata"]["uid"] = json!(format!("uid-{}", self.version));
                object["metadata"]["generation"] = json!(1);
                self.store(object)
            }
            Method::PATCH => self.patch(body),
            _ => failure(405),
        }
    }

    fn patch(&mut self, body: &Value) -> (u16, Value) {
        let Some(mut object) = self.object.clone() else {
            return failure(404);
        };
        for key in ["uid", "resourceVersion"] {
            let expected = &body["metadata"][key];
            if !expected.is_null() && *expected != object["metadata"][key] {
                return failure(409);
            }
        }
        object["status"]["agent"] = body["status"]["agent"].clone();
        self.store(object)
    }

    fn set_spec(&mut self, spec: &GpuNodeSpec) {
        let mut object = self.object.clone().unwrap();
        let generation = object["metadata"]["generation"].as_i64().unwrap_or(1);
        let changes = object["spec"] != json!(spec);
        object["metadata"]["generation"] = json!(generation + i64::from(changes));
        object["spec"] = json!(spec);
        self.store(object);
    }

    fn store(&mut self, mut object: Value) -> (u16, Value) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.object = Some(object.clone());
        if let Some(call) = &mut self.on_store {
            call(&object);
        }
        (200, object)
    }
}

fn failure(code: u16) -> (u16, Value) {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
        "reason": "Told", "message": "told to fail",
    });
    (code, body)
}
