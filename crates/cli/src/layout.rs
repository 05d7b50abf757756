//! Where slices would stand on one GPU, and what has to go for them.

mod answer;
mod bad_input;
mod items;
mod map;
mod state;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;

use answer::Answer;
use bad_input::BadInput;
pub use items::{Held, Placed, Wish};

use crate::args::{Format, LayoutArgs};
use crate::outcome::{Outcome, json};
use crate::product;

/// Finds the layout that the command line asks for.
pub fn run(args: &LayoutArgs) -> Result<Outcome, BadInput> {
    let product = product::find(&args.product)?;
    let wanted = wanted(&args.want)?;
    let existing = state::existing(product, args)?;
    let answer = Answer::find(product, &existing, &wanted);
    Ok(Outcome {
        is_valid: answer.feasible,
        text: match args.output {
            Format::Text => text::of(product, &existing, &wanted, &answer),
            Format::Json => json(&answer),
        },
    })
}

fn wanted(wishes: &[Wish]) -> Result<BTreeMap<String, i32>, BadInput> {
    let mut wanted = BTreeMap::new();
    for Wish { profile, number } in wishes {
        if wanted.insert(profile.clone(), *number).is_some() {
            return Err(BadInput::Twice {
                flag: "want",
                what: profile.clone(),
            });
        }
    }
    Ok(wanted)
}
