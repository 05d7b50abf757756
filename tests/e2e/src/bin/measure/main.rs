//! What the product costs, on a real Kubernetes control plane with simulated GPUs: how soon an opening window is used, how
//! soon a standby of the operator goes on, how long a node is out of service for a change, beside the same change by hand
//! with kubectl, how soon a change that disturbs nobody is there, and what the death of an MPS process costs.
//!
//! Times are those of the API server's audit log and of `status.maintenance.history`, or else of a watch; nothing is a
//! promise, and a slow or busy machine shows.

mod by_hand;
mod config_only;
mod ground;
mod handing_over;
mod mps;
mod openings;
mod ours;
mod outage;
mod page;

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use ground::Result;
use page::Page;

/// Measures on simulated GPUs and prints a page of figures
#[derive(Parser)]
struct Arguments {
    /// What to measure [default: everything]
    #[arg(value_enum)]
    parts: Vec<Part>,
}

/// What is measured, each on a cluster of its own.
#[derive(Clone, Copy, ValueEnum)]
enum Part {
    Openings,
    HandingOver,
    Outage,
    ConfigOnly,
    Mps,
}

impl Part {
    async fn measure(self, page: &Page) -> Result<()> {
        match self {
            Self::Openings => openings::measure(page).await,
            Self::HandingOver => handing_over::measure(page).await,
            Self::Outage => outage::measure(page).await,
            Self::ConfigOnly => config_only::measure(page).await,
            Self::Mps => mps::measure(page).await,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let page = Page::new();
    match measure(&page, &Arguments::parse().parts).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            page.line(&format!("\nThis could not be measured: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// One cluster after the other, so that none disturbs another.
async fn measure(page: &Page, parts: &[Part]) -> Result<()> {
    let all = Part::value_variants();
    for part in if parts.is_empty() { all } else { parts } {
        part.measure(page).await?;
    }
    Ok(())
}
