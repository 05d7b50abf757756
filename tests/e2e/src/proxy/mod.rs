//! A proxy between our programs and the API server, which makes go wrong what can.
//!
//! Programs speak plain HTTP to it, with the tokens that they have anyway; it passes them on and speaks TLS to the API
//! server, so who asked stays in the audit log.

mod answer;
mod fault;
mod forward;
mod stream;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::Client;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

pub use fault::{Fault, Weather};

use crate::control_plane::{client_of, kubeconfig};
use crate::dice::Dice;
use crate::{Bed, Error, Result};
use fault::Ask;

/// What the proxy answers with; an error ends the connection.
type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A proxy of one API server. It and its connections end when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

/// What its connections share.
#[derive(Debug)]
struct State {
    /// The faults that there are now.
    weather: Mutex<Weather>,
    dice: Mutex<Dice>,
    injected: Mutex<BTreeMap<Fault, u64>>,
}

impl Proxy {
    /// Listens, in fair weather. What goes wrong with the n-th request follows from the seed; which request that is, from
    /// who is faster.
    pub async fn start(bed: &Bed, seed: u64) -> Result<Self> {
        let bind = Error::file("bind", "127.0.0.1:0");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.map_err(bind)?;
        let address = listener.local_addr();
        let address = address.map_err(Error::file("look up", "127.0.0.1:0"))?;
        let anonymous = bed.folder().join(format!("kube/proxy-{}", address.port()));
        let config = kubeconfig(bed.folder(), &bed.server(), json!({}));
        fs::write(&anonymous, config).map_err(Error::file("write", &anonymous))?;
        let upstream = client_of(&anonymous).await?;
        let state = Arc::new(State {
            weather: Mutex::default(),
            dice: Mutex::new(Dice::new(seed)),
            injected: Mutex::default(),
        });
        Ok(Self {
            address,
            task: tokio::spawn(accept(listener, state.clone(), upstream)),
            state,
        })
    }

    /// Where programs find it, as the server of their kubeconfigs.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on.
    pub fn set(&self, weather: Weather) {
        *lock(&self.state.weather) = weather;
    }

    /// How often each fault has been injected.
    pub fn injected(&self) -> BTreeMap<Fault, u64> {
        lock(&self.state.injected).clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    /// What goes wrong with the next request of this kind.
    fn draw(&self, ask: Ask) -> Option<Fault> {
        let drawn = lock(&self.weather).draw(&mut lock(&self.dice), ask)?;
        *lock(&self.injected).entry(drawn).or_default() += 1;
        Some(drawn)
    }

    fn number_below(&self, end: u64) -> u64 {
        lock(&self.dice).below(end)
    }
}

/// Serves every connection until it is aborted, and they with it.
async fn accept(listener: TcpListener, state: Arc<State>, upstream: Client) {
    let mut connections = JoinSet::new();
    loop {
        // Its errors are of the client that was about to come.
        if let Ok((stream, _)) = listener.accept().await {
            connections.spawn(serve(stream, state.clone(), upstream.clone()));
        }
        while connections.try_join_next().is_some() {}
    }
}

/// A connection ends when the client ends it, or when a fault does.
async fn serve(stream: TcpStream, state: Arc<State>, upstream: Client) {
    let service = service_fn(|request| forward::answer(request, state.clone(), upstream.clone()));
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!(%error, "a connection through the proxy ended");
    }
}

/// Nothing is left half done in here by a task that panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
