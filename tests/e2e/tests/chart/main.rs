//! What users install and read: charts, manifests, samples and documents. Accepted by a real API server, with rights
//! that suffice and no others, and true.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do; clippy exempts the tests alone"
)]

mod admission;
mod command;
mod docs;
mod flags;
mod helm;
mod rights;
mod samples;
mod warnings;

use std::path::{Path, PathBuf};

use e2e::{Bed, Guest, PluginConfigMap, install_product};
use kube::Client;
use tokio::sync::OnceCell;

/// The bed that all tests here share, with the product installed from `manifests/`, and its administrator.
async fn installed() -> (Guest, Client) {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    let bed = Bed::shared().await.unwrap();
    let client = bed.client().await.unwrap();
    INSTALLED
        .get_or_init(async || {
            let namespace = PluginConfigMap::default().namespace;
            bed.create_namespace(&namespace).await.unwrap();
            install_product(&client).await.unwrap();
        })
        .await;
    (bed, client)
}

/// A path in the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}
