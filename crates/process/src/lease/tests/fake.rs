//! An API server that knows one Lease, and can be told to misbehave.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Client;
use kube::client::Body;
use serde_json::json;
use tower_test::mock::{self, SendResponse};

/// How long a slow answer takes, after what was asked for has happened.
pub const SLOW: Duration = Duration::from_secs(3);

/// How requests are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// As an API server does.
    Fair,
    /// As an API server does, but the answer takes [`SLOW`].
    Slow,
    /// Not at all.
    Silent,
    /// A write happens, and nobody is told.
    Forgetful,
    /// With 403.
    Forbidding,
}

struct State {
    mood: Mood,
    lease: Option<Lease>,
    version: u64,
    log: Vec<String>,
    /// Kept so that unanswered requests stay open.
    unanswered: Vec<SendResponse<Response<Body>>>,
}

/// A handle on the server; clones share it.
#[derive(Clone)]
pub struct FakeServer(Arc<Mutex<State>>);

impl FakeServer {
    /// A fair server without a Lease, and a client of it.
    pub fn start() -> (Self, Client) {
        let (service, mut requests) = mock::pair::<Request<Body>, Response<Body>>();
        let server = Self(Arc::new(Mutex::new(State {
            mood: Mood::Fair,
            lease: None,
            version: 0,
            log: Vec::new(),
            unanswered: Vec::new(),
        })));
        let answering = server.clone();
        tokio::spawn(async move {
            while let Some((request, respond)) = requests.next_request().await {
                answering.handle(request, respond).await;
            }
        });
        (server, Client::new(service, "default"))
    }

    pub fn set(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// Writes the Lease behind everybody's back.
    pub fn put(&self, lease: Option<Lease>) {
        let mut state = self.state();
        state.lease = lease;
        state.bump();
    }

    pub fn lease(&self) -> Option<Lease> {
        self.state().lease.clone()
    }

    pub fn holder(&self) -> Option<String> {
        self.lease()
            .and_then(|lease| lease.spec)
            .and_then(|spec| spec.holder_identity)
    }

    /// Method and status of every request so far.
    pub fn log(&self) -> Vec<String> {
        self.state().log.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    async fn handle(&self, request: Request<Body>, respond: SendResponse<Response<Body>>) {
        let (parts, body) = request.into_parts();
        let bytes = body.collect_bytes().await.unwrap();
        let path = parts.uri.path();
        assert!(
            path.starts_with("/apis/coordination.k8s.io/v1/namespaces/here/leases"),
            "{path}"
        );
        match self.react(&parts.method, &bytes) {
            Some((answer, delay)) => {
                tokio::time::sleep(delay).await;
                respond.send_response(answer);
            }
            None => self.state().unanswered.push(respond),
        }
    }

    /// Does what is asked for. Returns the answer and how long it takes, if there is to be one.
    fn react(&self, method: &Method, body: &[u8]) -> Option<(Response<Body>, Duration)> {
        let mut state = self.state();
        let mut delay = Duration::ZERO;
        match state.mood {
            Mood::Fair => {}
            Mood::Forgetful if *method == Method::GET => {}
            Mood::Slow => delay = SLOW,
            Mood::Silent => return None,
            Mood::Forgetful => {
                state.write(method, body);
                return None;
            }
            Mood::Forbidding => {
                return Some((answer(StatusCode::FORBIDDEN, "Forbidden", None), delay));
            }
        }
        let (status, reason) = match *method {
            Method::GET if state.lease.is_none() => (StatusCode::NOT_FOUND, "NotFound"),
            Method::GET => (StatusCode::OK, ""),
            _ => state.write(method, body),
        };
        state.log.push(format!("{method} {}", status.as_u16()));
        Some((answer(status, reason, state.lease.as_ref()), delay))
    }
}

impl State {
    fn bump(&mut self) {
        self.version += 1;
        if let Some(lease) = &mut self.lease {
            lease.metadata.resource_version = Some(self.version.to_string());
        }
    }

    /// Compare-and-swap, as the API server does it.
    fn write(&mut self, method: &Method, body: &[u8]) -> (StatusCode, &'static str) {
        let sent: Lease = serde_json::from_slice(body).unwrap();
        let version = |lease: &Lease| lease.metadata.resource_version.clone();
        let verdict = match (&self.lease, method) {
            (None, &Method::POST) => (StatusCode::CREATED, ""),
            (Some(_), &Method::POST) => return (StatusCode::CONFLICT, "AlreadyExists"),
            (None, _) => return (StatusCode::NOT_FOUND, "NotFound"),
            (Some(stored), _) if version(stored) != version(&sent) => {
                return (StatusCode::CONFLICT, "Conflict");
            }
            (Some(_), _) => (StatusCode::OK, ""),
        };
        self.lease = Some(sent);
        self.bump();
        verdict
    }
}

fn answer(status: StatusCode, reason: &str, lease: Option<&Lease>) -> Response<Body> {
    let body = match lease {
        Some(lease) if status.is_success() => serde_json::to_vec(lease),
        _ => serde_json::to_vec(&json!({
            "kind": "Status", "apiVersion": "v1", "status": "Failure",
            "message": reason, "reason": reason, "code": status.as_u16(),
        })),
    };
    Response::builder()
        .status(status)
        .body(Body::from(body.unwrap()))
        .unwrap()
}
