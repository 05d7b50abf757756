//! A kubelet for tests, on a unix socket.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::codegen::{Body, Service, StdError};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use super::messages::{
    ContainerDevices, ContainerResources, ListRequest, ListResponse, PodResources,
};

/// Answers what it was last told, for as long as the test runs. None: with an error.
#[derive(Clone, Debug)]
pub struct PlayedKubelet {
    socket: PathBuf,
    answer: Arc<Mutex<Option<ListResponse>>>,
}

/// Pod `default/<name>` whose container has these devices.
pub fn pod(name: &str, resource: &str, devices: &[&str]) -> PodResources {
    PodResources {
        name: name.to_owned(),
        namespace: "default".to_owned(),
        containers: vec![ContainerResources {
            name: "main".to_owned(),
            devices: vec![ContainerDevices {
                resource_name: resource.to_owned(),
                device_ids: devices.iter().map(|it| (*it).to_owned()).collect(),
            }],
        }],
    }
}

impl PlayedKubelet {
    /// Listens in this folder. Nobody holds anything yet.
    pub fn listen(folder: &Path) -> Self {
        let kubelet = Self {
            socket: folder.join("kubelet.sock"),
            answer: Arc::new(Mutex::new(Some(ListResponse::default()))),
        };
        let listener = UnixListener::bind(&kubelet.socket).unwrap();
        let server = tonic::transport::Server::builder()
            .add_service(kubelet.clone())
            .serve_with_incoming(UnixListenerStream::new(listener));
        tokio::spawn(server);
        kubelet
    }

    pub fn socket(&self) -> PathBuf {
        self.socket.clone()
    }

    pub fn set(&self, pod_resources: Vec<PodResources>) {
        *self.answer.lock().unwrap() = Some(ListResponse { pod_resources });
    }

    pub fn refuse(&self) {
        *self.answer.lock().unwrap() = None;
    }
}

impl NamedService for PlayedKubelet {
    const NAME: &'static str = "v1.PodResourcesLister";
}

impl<B> Service<http::Request<B>> for PlayedKubelet
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
        let kubelet = self.clone();
        assert_eq!(request.uri().path(), "/v1.PodResourcesLister/List");
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::default());
            Ok(grpc.unary(kubelet, request).await)
        })
    }
}

impl UnaryService<ListRequest> for PlayedKubelet {
    type Response = ListResponse;
    type Future = Ready<Result<Response<ListResponse>, Status>>;

    fn call(&mut self, _: Request<ListRequest>) -> Self::Future {
        let answer = self.answer.lock().unwrap().clone();
        let refused = || Status::unavailable("told to refuse");
        ready(answer.map(Response::new).ok_or_else(refused))
    }
}
