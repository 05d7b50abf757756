//! The API as users meet it, on a real API server: what is accepted, what is refused and in which words, what is
//! filled in, who owns what, and what `kubectl` says about it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do; clippy exempts the tests alone"
)]

mod bounds;
mod cases;
mod columns;
mod defaults;
mod explain;
mod kubectl;
mod request;
mod rules;
mod status;
mod union;

use e2e::{Bed, Guest, apply, parse};
use kube::Client;
use tokio::sync::OnceCell;

/// The bed that all tests here share, with both definitions installed, and its administrator.
async fn installed() -> (Guest, Client) {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    let bed = Bed::shared().await.unwrap();
    let client = bed.client().await.unwrap();
    INSTALLED
        .get_or_init(async || {
            let definitions = crds::definitions().unwrap();
            let objects = definitions.iter().flat_map(|definition| {
                let json = serde_json::to_string(definition).unwrap();
                parse("definition", &json).unwrap()
            });
            apply(&client, objects.collect()).await.unwrap();
        })
        .await;
    (bed, client)
}
