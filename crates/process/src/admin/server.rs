//! The HTTP side of health, readiness and metrics.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get};
use prometheus_client::{encoding::text, registry::Registry};
use tokio::net::TcpListener;
use tracing::info;

use super::{AdminArgs, Liveness, Readiness};
use crate::shutdown::Shutdown;

/// The content type of `OpenMetrics` 1.0 text.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Why the admin server cannot do its work.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The address is taken, not ours, or not allowed.
    #[error(
        "cannot listen on {address} for health and metrics; give a free address of this host with \
         --admin-address"
    )]
    Bind {
        /// What `--admin-address` asked for.
        address: SocketAddr,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The bound address cannot be written down.
    #[error("cannot write {path}; give a writable path with --admin-port-file, or leave it out")]
    PortFile {
        /// What `--admin-port-file` asked for.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// Serving ended by itself.
    #[error("the admin server stopped serving")]
    Serve(#[source] io::Error),
}

/// A bound admin server that does not answer yet.
#[derive(Debug)]
pub struct AdminServer {
    listener: TcpListener,
    address: SocketAddr,
    liveness: Option<Liveness>,
}

/// What the handlers answer from.
#[derive(Debug)]
struct Answers {
    registry: Arc<Registry>,
    readiness: Readiness,
    liveness: Option<Liveness>,
}

impl AdminServer {
    /// Takes the address, and writes down which it is if `--admin-port-file` asks for it.
    ///
    /// The file appears whole or not at all, so that a reader never sees half an address.
    pub async fn bind(args: &AdminArgs) -> Result<Self, AdminError> {
        let address = args.admin_address;
        let bind = |source| AdminError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        if let Some(path) = &args.admin_port_file {
            let failed = |source| AdminError::PortFile {
                path: path.clone(),
                source,
            };
            write_whole(path, &address.to_string())
                .await
                .map_err(failed)?;
        }
        info!(%address, "health and metrics are served here");
        Ok(Self {
            listener,
            address,
            liveness: None,
        })
    }

    /// Makes `/healthz` answer 503 while `liveness` is stale. Without it, answering at all is
    /// taken as a sign of life.
    #[must_use]
    pub fn with_liveness(mut self, liveness: Liveness) -> Self {
        self.liveness = Some(liveness);
        self
    }

    /// The address that was bound; its port is never 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` is requested, then finishes the requests under way.
    pub async fn serve(
        self,
        registry: Arc<Registry>,
        readiness: Readiness,
        stop: Shutdown,
    ) -> Result<(), AdminError> {
        let answers = Answers {
            registry,
            readiness,
            liveness: self.liveness,
        };
        let routes = Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(Arc::new(answers));
        axum::serve(self.listener, routes)
            .with_graceful_shutdown(async move { stop.requested().await })
            .await
            .map_err(AdminError::Serve)
    }
}

async fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".new");
    tokio::fs::write(&unfinished, text).await?;
    tokio::fs::rename(&unfinished, path).await
}

async fn healthz(State(answers): State<Arc<Answers>>) -> Response {
    match answers.liveness.as_ref().and_then(Liveness::stale_for) {
        None => "ok\n".into_response(),
        Some(silent) => {
            let body = format!("no progress for {} s\n", silent.as_secs());
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
    }
}

async fn readyz(State(answers): State<Arc<Answers>>) -> Response {
    let mut body = String::new();
    for (name, why) in answers.readiness.closed() {
        // One line each, whatever the reason contains.
        body += &format!("{name}: {why}").replace('\n', " ");
        body += "\n";
    }
    if body.is_empty() {
        return "ok\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
}

async fn metrics(State(answers): State<Arc<Answers>>) -> Response {
    let mut body = String::new();
    match text::encode(&mut body, &answers.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPENMETRICS)], body).into_response(),
        Err(error) => {
            let body = format!("cannot encode the metrics: {error}\n");
            (StatusCode::INTERNAL_SERVER_ERROR, body).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    use prometheus_client::metrics::counter::Counter;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    fn any_port() -> AdminArgs {
        let admin_address = (IpAddr::from(Ipv4Addr::LOCALHOST), 0).into();
        AdminArgs {
            admin_address,
            admin_port_file: None,
        }
    }

    /// Status line, headers and body of one request.
    async fn ask(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// A server that answers until the returned request to stop is made.
    fn start(server: AdminServer, registry: Registry, readiness: &Readiness) -> Shutdown {
        let stop = Shutdown::new();
        tokio::spawn(server.serve(Arc::new(registry), readiness.clone(), stop.clone()));
        stop
    }

    #[tokio::test]
    async fn readyz_lists_what_is_not_ready_and_why() {
        let readiness = Readiness::new();
        let (caches, driver) = (readiness.gate("caches"), readiness.gate("driver"));
        driver.close("cannot load\nlibrary");
        let server = AdminServer::bind(&any_port()).await.unwrap();
        let address = server.address();
        let _stop = start(server, Registry::default(), &readiness);

        let answer = ask(address, "/readyz").await;
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        let body = "\r\n\r\ncaches: not started yet\ndriver: cannot load library\n";
        assert!(answer.ends_with(body), "{answer}");

        caches.open();
        driver.open();
        let answer = ask(address, "/readyz").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    #[tokio::test]
    async fn healthz_is_ok_until_the_heartbeat_is_stale() {
        for (stale_after, status) in [(Duration::from_hours(1), "200"), (Duration::ZERO, "503")] {
            let server = AdminServer::bind(&any_port()).await.unwrap();
            let server = server.with_liveness(Liveness::new(stale_after));
            let address = server.address();
            let _stop = start(server, Registry::default(), &Readiness::new());
            let answer = ask(address, "/healthz").await;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}")),
                "{answer}"
            );
        }
    }

    #[tokio::test]
    async fn metrics_are_openmetrics_text() {
        let mut registry = Registry::default();
        let drains = Counter::<u64>::default();
        registry.register("drains", "Drains begun", drains.clone());
        drains.inc_by(3);
        let server = AdminServer::bind(&any_port()).await.unwrap();
        let address = server.address();
        let _stop = start(server, registry, &Readiness::new());
        let answer = ask(address, "/metrics").await;
        assert!(
            answer.contains(&format!("content-type: {OPENMETRICS}\r\n")),
            "{answer}"
        );
        assert!(
            answer.contains("drains_total 3\n") && answer.contains("# EOF\n"),
            "{answer}"
        );
    }

    #[tokio::test]
    async fn the_bound_address_is_written_to_the_port_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin");
        let args = AdminArgs {
            admin_port_file: Some(path.clone()),
            ..any_port()
        };
        let server = AdminServer::bind(&args).await.unwrap();
        let written: SocketAddr = std::fs::read_to_string(path).unwrap().parse().unwrap();
        assert_eq!(written, server.address());
        assert_ne!(written.port(), 0);
    }

    #[tokio::test]
    async fn a_taken_address_is_refused_by_name() {
        let first = AdminServer::bind(&any_port()).await.unwrap();
        let args = AdminArgs {
            admin_address: first.address(),
            admin_port_file: None,
        };
        let message = AdminServer::bind(&args).await.unwrap_err().to_string();
        assert!(message.contains(&first.address().to_string()), "{message}");
        assert!(message.contains("--admin-address"), "{message}");
    }
}
