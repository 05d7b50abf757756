//! What is said while a journal is kept that nobody can read.

use std::path::PathBuf;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use plan::conditions::{self, Verdict};
use plan::reason::Reason;

/// The condition `JournalLost`, from the journals that are kept because nobody can read them.
pub fn journal_lost(conditions: &mut Vec<Condition>, kept: &[PathBuf], now: Timestamp) {
    let message = names(kept).map(|kept| {
        format!(
            "cannot read {kept}: nobody knows which instances this agent made, so those that stand are taken for somebody \
             else's, and what was verified is not restored after a reboot. Compare the GPUs with `nvidia-smi mig -lgi`; an \
             operation whose policy sets mig.adopt takes the instances over. Then delete the file"
        )
    });
    let lost = Verdict::from(message.is_some());
    let (reason, message) = match &message {
        Some(message) => (Reason::Unreadable, message.as_str()),
        None => (Reason::Readable, "the journal is in order"),
    };
    conditions::set(conditions, "JournalLost", lost, reason, message, now);
}

/// Why an operation cannot be gone on with that the operator knows to have begun, and the journal does not.
pub fn lost_operation(id: i64, kept: &[PathBuf]) -> String {
    let journal = names(kept).map_or_else(
        || "the journal knows nothing of it".to_owned(),
        |kept| format!("the journal of it cannot be read and is kept as {kept}"),
    );
    format!(
        "operation {id} had begun to change the GPUs, and {journal}; nothing more is changed. Check the GPUs with nvidia-smi \
         against the layout from before, which `status.agent.operation.previous` has"
    )
}

/// The files as one clause; none if there are none.
fn names(kept: &[PathBuf]) -> Option<String> {
    let names: Vec<_> = kept.iter().map(|path| path.display().to_string()).collect();
    (!names.is_empty()).then(|| names.join(" and "))
}
