//! What the product costs, on a real Kubernetes control plane with simulated GPUs: how soon an opening window is used, how
//! soon a standby of the operator goes on, and how long a node is out of service for a change, beside the same change by
//! hand with kubectl.
//!
//! Times are those of the API server's audit log and of `status.maintenance.history`; nothing is a promise, and a slow or
//! busy machine shows.

mod by_hand;
mod ground;
mod handing_over;
mod openings;
mod ours;
mod outage;
mod page;

use std::error::Error;
use std::process::ExitCode;

use page::Page;

#[tokio::main]
async fn main() -> ExitCode {
    let page = Page::new();
    match measure(&page).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            page.line(&format!("\nThis could not be measured: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// One cluster after the other, so that none disturbs another.
async fn measure(page: &Page) -> Result<(), Box<dyn Error>> {
    openings::measure(page).await?;
    handing_over::measure(page).await?;
    outage::measure(page).await
}
