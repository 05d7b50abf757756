//! One question to the kubelet: `List`.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crds::names::RESOURCE_PREFIX;
use http::Uri;
use http::uri::PathAndQuery;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::transport::{Channel, Endpoint};
use tonic_prost::ProstCodec;

use super::messages::{ListRequest, ListResponse, PodResources};
use crds::gpu_node::Holder;

const LIST: &str = "/v1.PodResourcesLister/List";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// The kubelet's own limit.
const LONGEST_ANSWER: usize = 16 << 20;

/// Why it is not known who holds devices. Unknown is held.
#[derive(Debug, thiserror::Error)]
pub enum KubeletError {
    /// The socket is not there, or nobody listens.
    #[error(
        "cannot reach the kubelet at {}; check that it runs, and that --pod-resources-socket names its socket",
        socket.display()
    )]
    Unreachable {
        /// Its socket.
        socket: PathBuf,
        /// Why not.
        source: tonic::transport::Error,
    },
    /// It answers with an error.
    #[error("the kubelet at {} does not list its pods; look into its log", socket.display())]
    Refused {
        /// Its socket.
        socket: PathBuf,
        /// Its answer.
        source: Box<tonic::Status>,
    },
}

/// The kubelet of this node.
#[derive(Clone, Debug)]
pub struct Kubelet {
    socket: PathBuf,
}

impl Kubelet {
    /// The kubelet that listens on this socket. Nothing is sent yet.
    pub fn new(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// Every container with a device of NVIDIA's, sorted. Connects each time: a connection that is kept may be to a
    /// kubelet that is no more.
    pub async fn holders(&self) -> Result<Vec<Holder>, KubeletError> {
        let refused = |source| KubeletError::Refused {
            socket: self.socket.clone(),
            source: Box::new(source),
        };
        let channel = self.connect().await?;
        let mut client =
            tonic::client::Grpc::new(channel).max_decoding_message_size(LONGEST_ANSWER);
        client
            .ready()
            .await
            .map_err(|source| KubeletError::Unreachable {
                socket: self.socket.clone(),
                source,
            })?;
        let codec = ProstCodec::<ListRequest, ListResponse>::default();
        let request = tonic::Request::new(ListRequest {});
        let path = PathAndQuery::from_static(LIST);
        let answer = client.unary(request, path, codec).await;
        let pods = answer.map_err(refused)?.into_inner().pod_resources;
        let mut holders: Vec<_> = pods.iter().flat_map(of).collect();
        holders.sort();
        holders.dedup();
        Ok(holders)
    }

    async fn connect(&self) -> Result<Channel, KubeletError> {
        let socket = self.socket.clone();
        let connector = tower::service_fn(move |_: Uri| {
            let socket = socket.clone();
            async move { Ok::<_, io::Error>(TokioIo::new(UnixStream::connect(socket).await?)) }
        });
        // The address is only what the kubelet reads as its own name.
        Endpoint::from_static("http://localhost")
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .connect_with_connector(connector)
            .await
            .map_err(|source| KubeletError::Unreachable {
                socket: self.socket.clone(),
                source,
            })
    }
}

fn of(pod: &PodResources) -> impl Iterator<Item = Holder> {
    pod.containers.iter().flat_map(move |container| {
        let ours = container
            .devices
            .iter()
            .filter(|it| it.resource_name.starts_with(RESOURCE_PREFIX));
        let each = ours.flat_map(|it| it.device_ids.iter().map(|id| (id, &it.resource_name)));
        each.map(move |(device, resource)| Holder {
            namespace: pod.namespace.clone(),
            pod: pod.name.clone(),
            container: container.name.clone(),
            device: without_replica(device).to_owned(),
            resource: resource.clone(),
        })
    })
}

/// The UUID behind a device: NVIDIA's plugin appends `::<n>` to the replicas of a shared one.
fn without_replica(device: &str) -> &str {
    device.split_once("::").map_or(device, |(uuid, _)| uuid)
}

#[cfg(test)]
mod tests;
