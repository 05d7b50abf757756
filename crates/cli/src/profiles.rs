//! The GPU products that are known, and what their hardware offers.

mod report;
mod text;

use report::Report;

use crate::args::{Format, ProfilesArgs};
use crate::outcome::{Outcome, json};
use crate::product::{self, UnknownProduct};

/// Lists one product, or all.
pub fn run(args: &ProfilesArgs) -> Result<Outcome, UnknownProduct> {
    let products = match &args.product {
        Some(name) => vec![product::find(name)?],
        None => products::ALL.to_vec(),
    };
    let reports: Vec<_> = products.into_iter().map(Report::of).collect();
    Ok(Outcome {
        is_valid: true,
        text: match args.output {
            Format::Text => text::of(&reports),
            Format::Json => json(&reports),
        },
    })
}
