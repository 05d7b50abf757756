//! The kubelet's `PodResources` API, v1, `List` only, on a unix socket.
//!
//! The messages are those of `k8s.io/kubelet/pkg/apis/podresources/v1`, less what is about NUMA, CPUs,
//! memory and claims.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use http::uri::PathAndQuery;
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::codegen::{Body, Service, StdError};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::Endpoint;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use super::{DeviceManager, PodDemand};
use crate::{Error, Result};

const LIST: &str = "/v1.PodResourcesLister/List";

/// Asks for all pods of the node.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListRequest {}

/// All pods of the node.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListResponse {
    /// Pods that have not ended.
    #[prost(message, repeated, tag = "1")]
    pub pod_resources: Vec<PodResources>,
}

/// One pod.
#[derive(Clone, PartialEq, prost::Message)]
pub struct PodResources {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its namespace.
    #[prost(string, tag = "2")]
    pub namespace: String,
    /// Its containers.
    #[prost(message, repeated, tag = "3")]
    pub containers: Vec<ContainerResources>,
}

/// One container.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ContainerResources {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its devices: the kubelet makes an entry for each.
    #[prost(message, repeated, tag = "2")]
    pub devices: Vec<ContainerDevices>,
}

/// Devices of one resource.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ContainerDevices {
    /// Such as `nvidia.com/gpu`.
    #[prost(string, tag = "1")]
    pub resource_name: String,
    /// As the plugin named them.
    #[prost(string, repeated, tag = "2")]
    pub device_ids: Vec<String>,
}

impl ListResponse {
    /// All pods of a node that were admitted and have not ended, those without devices too.
    pub fn of(pods: &[PodDemand], devices: &DeviceManager) -> Self {
        let alive = pods.iter();
        let alive = alive.filter(|pod| !pod.ended && !devices.has_refused(&pod.uid));
        let pod_resources = alive.map(|pod| PodResources {
            name: pod.name.clone(),
            namespace: pod.namespace.clone(),
            containers: containers(pod, devices),
        });
        Self {
            pod_resources: pod_resources.collect(),
        }
    }
}

fn containers(pod: &PodDemand, devices: &DeviceManager) -> Vec<ContainerResources> {
    let held = devices.of(&pod.uid);
    let names = pod.containers.iter().map(|(name, _)| name);
    names
        .map(|name| ContainerResources {
            name: name.clone(),
            devices: held
                .and_then(|held| held.get(name))
                .into_iter()
                .flatten()
                .map(|(resource, device)| ContainerDevices {
                    resource_name: resource.clone(),
                    device_ids: vec![device.id.clone()],
                })
                .collect(),
        })
        .collect()
}

/// Serves what it was last told.
#[derive(Clone, Debug, Default)]
pub struct PodResourcesServer(Arc<Mutex<ListResponse>>);

impl PodResourcesServer {
    /// From now on this is the answer.
    pub fn set(&self, answer: ListResponse) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }

    fn answer(&self) -> ListResponse {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Listens on a unix socket; the future serves until it is dropped.
    pub fn listen(&self, socket: &Path) -> Result<impl Future<Output = ()> + Send + 'static> {
        let listener = UnixListener::bind(socket).map_err(Error::file("listen on", socket))?;
        let server = tonic::transport::Server::builder()
            .add_service(self.clone())
            .serve_with_incoming(UnixListenerStream::new(listener));
        // It ends with an error only if the listener does; then its clients say so.
        Ok(async { drop(server.await) })
    }
}

/// Asks the server at a socket, as an agent would.
///
/// # Errors
/// What gRPC says, with the socket.
pub async fn ask(socket: &Path) -> Result<ListResponse> {
    let failed = |wrong: String| Error::Malformed {
        what: format!("ask {}", socket.display()),
        wrong,
    };
    let endpoint = Endpoint::try_from(format!("unix:{}", socket.display()));
    let endpoint = endpoint.map_err(|error| failed(error.to_string()))?;
    let channel = endpoint.connect().await;
    let mut client = tonic::client::Grpc::new(channel.map_err(|error| failed(error.to_string()))?);
    client
        .ready()
        .await
        .map_err(|error| failed(error.to_string()))?;
    let codec = ProstCodec::<ListRequest, ListResponse>::default();
    let request = Request::new(ListRequest {});
    let answer = client
        .unary(request, PathAndQuery::from_static(LIST), codec)
        .await;
    Ok(answer
        .map_err(|status| failed(status.to_string()))?
        .into_inner())
}

impl NamedService for PodResourcesServer {
    const NAME: &'static str = "v1.PodResourcesLister";
}

/// By hand, so that nobody needs a compiler for one call.
impl<B> Service<http::Request<B>> for PodResourcesServer
where
    B: Body + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let lister = self.clone();
        Box::pin(async move {
            Ok(if request.uri().path() == LIST {
                Grpc::new(ProstCodec::default())
                    .unary(lister, request)
                    .await
            } else {
                Status::unimplemented("only List is played here").into_http()
            })
        })
    }
}

impl UnaryService<ListRequest> for PodResourcesServer {
    type Response = ListResponse;
    type Future = std::future::Ready<Result<Response<ListResponse>, Status>>;

    fn call(&mut self, _: Request<ListRequest>) -> Self::Future {
        ready(Ok(Response::new(self.answer())))
    }
}
