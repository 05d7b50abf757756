//! Two clients of one Kubernetes API server, and an honest answer when it is not there.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use http::header::{HeaderValue, USER_AGENT};
use kube::config::{InferConfigError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use tracing::info;

/// The longest that a TCP and TLS connection may take to come up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest silence on a watch; kube's watches end by themselves after 290 s.
const WATCH_TIMEOUT: Duration = Duration::from_mins(5);
/// The longest that the answer to a single request may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest that the first request, which only asks whether the server is there, may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the API server is and who we are; flatten it into a binary's flags.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Kubernetes")]
pub struct KubeArgs {
    /// Kubeconfig file; unset: $KUBECONFIG, then ~/.kube/config, then the service account of the
    /// pod this runs in
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum KubernetesError {
    /// `--kubeconfig` names a file that cannot be used.
    #[error("cannot use the kubeconfig {path}; check the file that --kubeconfig names")]
    Kubeconfig {
        /// What `--kubeconfig` asked for.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<KubeconfigError>,
    },
    /// Nothing says where the API server is.
    #[error(
        "cannot find a Kubernetes API server; run in a pod with a service account, set KUBECONFIG, \
         or pass --kubeconfig"
    )]
    NotConfigured(#[source] Box<InferConfigError>),
    /// The program's name cannot be sent as a user agent.
    #[error("cannot use `{0}` as a user agent; it must be printable ASCII")]
    UserAgent(String),
    /// The configuration is readable, but the credentials or certificates in it are not usable.
    #[error("cannot build a client for {server}; check its credentials and certificates")]
    Client {
        /// URL of the API server.
        server: String,
        /// What is wrong.
        source: Box<kube::Error>,
    },
    /// The API server does not answer.
    #[error(
        "cannot reach the Kubernetes API server at {server}; check that it runs and that the \
         address, network policies and certificates let us reach it from here"
    )]
    Unreachable {
        /// URL of the API server.
        server: String,
        /// Why the request failed.
        source: Box<kube::Error>,
    },
    /// The API server took the connection and then said nothing.
    #[error(
        "the Kubernetes API server at {server} has not answered within {} s; check that it is \
         healthy, and that nothing between here and there holds the connection",
        CHECK_TIMEOUT.as_secs()
    )]
    Silent {
        /// URL of the API server.
        server: String,
    },
    /// The API server answers, and not to us.
    #[error(
        "the Kubernetes API server at {server} does not accept our credentials; check the service \
         account's token or the user in the kubeconfig"
    )]
    Refused {
        /// URL of the API server.
        server: String,
        /// Its answer.
        source: Box<kube::Error>,
    },
}

/// Two clients of the same API server, as the same user.
#[derive(Clone)]
pub struct Clients {
    /// For watches and for writes that may be repeated. kube resends by itself on 429, 503 and
    /// 504, POST too, up to 15 times. Silence for 300 s ends a request.
    pub api: Client,
    /// For evictions, leases, compare-and-swap writes, and reads that must be answered soon: every
    /// request is sent exactly once and answered within 30 s, or it fails. Not for watches.
    pub once: Client,
    /// URL of the API server, for messages.
    pub server: String,
}

/// Builds the clients and makes sure that the API server answers to them.
///
/// `program` is sent as user agent, so that the API server's audit log tells who asked. A token
/// file (a service account's, or a kubeconfig's `tokenFile`; no line break at its end) is read
/// again at least once a minute, so rotated tokens are picked up.
pub async fn connect(args: &KubeArgs, program: &str) -> Result<Clients, KubernetesError> {
    let clients = build(args, program).await?;
    clients.check().await?;
    Ok(clients)
}

/// Builds the clients and sends nothing: for a process that has work to do even while the API
/// server is away.
pub async fn build(args: &KubeArgs, program: &str) -> Result<Clients, KubernetesError> {
    let mut config = configuration(args).await?;
    let agent = HeaderValue::from_str(program)
        .map_err(|_| KubernetesError::UserAgent(program.to_owned()))?;
    config.headers.push((USER_AGENT, agent));
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    // Otherwise the time that a pooled connection was idle counts against the next answer.
    config.reset_reader_on_write = true;
    let server = config.cluster_url.to_string();
    let mut once = config.clone();
    once.read_timeout = Some(ANSWER_TIMEOUT);
    once.default_retry = false;
    config.read_timeout = Some(WATCH_TIMEOUT);
    let (api, once) = (client(config, &server)?, client(once, &server)?);
    Ok(Clients { api, once, server })
}

impl Clients {
    /// Asks the API server for its version, once.
    pub async fn check(&self) -> Result<(), KubernetesError> {
        let server = self.server.clone();
        match tokio::time::timeout(CHECK_TIMEOUT, self.once.apiserver_version()).await {
            Ok(Ok(version)) => {
                info!(
                    server,
                    version = version.git_version,
                    "the API server answers"
                );
                Ok(())
            }
            Ok(Err(error)) if is_refusal(&error) => Err(KubernetesError::Refused {
                server,
                source: Box::new(error),
            }),
            Ok(Err(error)) => Err(KubernetesError::Unreachable {
                server,
                source: Box::new(error),
            }),
            Err(_) => Err(KubernetesError::Silent { server }),
        }
    }
}

/// Whether this is a 401 or a 403.
fn is_refusal(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 401 || status.is_forbidden())
}

fn client(config: Config, server: &str) -> Result<Client, KubernetesError> {
    Client::try_from(config).map_err(|error| KubernetesError::Client {
        server: server.to_owned(),
        source: Box::new(error),
    })
}

async fn configuration(args: &KubeArgs) -> Result<Config, KubernetesError> {
    let Some(path) = &args.kubeconfig else {
        let inferred = Config::infer().await;
        return inferred.map_err(|error| KubernetesError::NotConfigured(Box::new(error)));
    };
    let unusable = |error| KubernetesError::Kubeconfig {
        path: path.clone(),
        source: Box::new(error),
    };
    let kubeconfig = Kubeconfig::read_from(path).map_err(unusable)?;
    let options = KubeConfigOptions::default();
    Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(unusable)
}

#[cfg(test)]
mod tests;
