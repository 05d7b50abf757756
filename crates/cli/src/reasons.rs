//! What the reasons of conditions and events mean.

use plan::reason::Reason;

use crate::args::ReasonsArgs;
use crate::outcome::Outcome;

/// Explains some words, or all.
pub fn run(args: &ReasonsArgs) -> Outcome {
    let mut outcome = Outcome {
        text: String::new(),
        is_valid: true,
    };
    let asked = match args.words.as_slice() {
        [] => Reason::ALL,
        some => some,
    };
    let longest = asked.iter().map(|reason| reason.as_str().len());
    let width = longest.max().unwrap_or_default();
    for reason in asked {
        let (word, meaning) = (reason.as_str(), reason.meaning());
        outcome.line(&format!("{word:width$}  {meaning}"));
    }
    outcome
}

/// A word of the table for the command line, in any case.
pub fn word(text: &str) -> Result<Reason, String> {
    let mut all = Reason::ALL.iter();
    let found = all.find(|reason| reason.as_str().eq_ignore_ascii_case(text));
    let advice = "no condition or event of this version has it; `kubectl gpusharing reasons` lists all that there are";
    found.copied().ok_or_else(|| advice.to_owned())
}
