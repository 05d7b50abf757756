//! What the proxy makes go wrong goes wrong as it says, on a real API server.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do; clippy exempts the tests alone"
)]

use std::fs;

use e2e::{Bed, Fault, Guest, PATIENCE, Proxy, Query, Weather};
use futures::StreamExt;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{PostParams, WatchEvent, WatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};

struct Scene {
    bed: Guest,
    proxy: Proxy,
    through: Api<Namespace>,
}

impl Scene {
    async fn start() -> Self {
        let bed = Bed::shared().await.unwrap();
        let proxy = Proxy::start(&bed, 1).await.unwrap();
        let mut file: Kubeconfig =
            serde_json::from_str(&fs::read_to_string(bed.kubeconfig()).unwrap()).unwrap();
        file.clusters[0].cluster.as_mut().unwrap().server = Some(proxy.url());
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(file, &options).await;
        let mut config = config.unwrap();
        config.default_retry = false;
        let through = Api::all(Client::try_from(config).unwrap());
        Self {
            bed,
            proxy,
            through,
        }
    }

    fn always(&self, fault: Fault) {
        self.proxy.set(Weather {
            faults: vec![fault],
            per_mille: 1000,
        });
    }

    /// The code of the answer; none if there was none.
    async fn create(&self, name: &str) -> Option<u16> {
        let mut namespace = Namespace::default();
        namespace.metadata.name = Some(name.to_owned());
        let params = PostParams::default();
        match self.through.create(&params, &namespace).await {
            Ok(_) => Some(201),
            Err(kube::Error::Api(status)) => Some(status.code),
            Err(_) => None,
        }
    }

    /// The codes of the API server's own answers about this namespace.
    async fn arrived(&self, name: &str) -> Vec<u16> {
        let client = self.bed.client().await.unwrap();
        let query = Query::writes().verb("create").to("namespaces").named(name);
        let written = self.bed.audit().settled(&client, &query).await.unwrap();
        written.iter().map(|record| record.code).collect()
    }
}

#[tokio::test]
async fn a_write_meets_each_fault() {
    let scene = Scene::start().await;
    for (fault, answer, arrives) in [
        (Fault::Conflict, Some(409), &[][..]),
        (Fault::Throttled, Some(429), &[]),
        (Fault::ThrottledFor, Some(429), &[]),
        (Fault::InternalError, Some(500), &[]),
        (Fault::Unavailable, Some(503), &[]),
        (Fault::RequestLost, None, &[]),
        (Fault::ReplyLost, None, &[201]),
        (Fault::Duplicated, Some(201), &[201, 409]),
        (Fault::Delayed, Some(201), &[201]),
        // Not for a write.
        (Fault::WatchReset, Some(201), &[201]),
    ] {
        scene.always(fault);
        let name = format!("{fault:?}").to_lowercase();
        assert_eq!(scene.create(&name).await, answer, "{fault:?}");
        assert_eq!(scene.arrived(&name).await, arrives, "{fault:?}");
        let injected = scene.proxy.injected().get(&fault).copied();
        let expected = (fault != Fault::WatchReset).then_some(1);
        assert_eq!(injected, expected, "{fault:?}");
    }
    scene.proxy.set(Weather::fair());
    assert_eq!(scene.create("fair").await, Some(201));
}

#[tokio::test]
async fn an_open_watch_is_reset_or_too_old() {
    let scene = Scene::start().await;
    for fault in [Fault::WatchReset, Fault::WatchGone] {
        scene.proxy.set(Weather::fair());
        let params = WatchParams::default();
        let mut events = scene.through.watch(&params, "0").await.unwrap().boxed();
        assert!(events.next().await.unwrap().is_ok());
        scene.always(fault);
        let end = async {
            loop {
                match events.next().await {
                    Some(Ok(WatchEvent::Error(status))) => return Some(status.code),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return None,
                }
            }
        };
        let end = tokio::time::timeout(PATIENCE, end).await.unwrap();
        let expected = (fault == Fault::WatchGone).then_some(410);
        assert_eq!(end, expected, "{fault:?}");
        assert!(scene.proxy.injected()[&fault] > 0);
    }
}
