//! An agent that dies, and leaves a journal of which a byte is wrong.

use std::fs;

use crds::gpu_node::AgentStage;

use super::enumerate::{killed_at, points};
use crate::agent::tests::ordeal::folder::Folder;
use crate::agent::tests::ordeal::gatekeeper::run;
use crate::agent::tests::ordeal::scenario::{A30, Scenario};

/// What the operator was told last of operation 7.
fn told(folder: &Folder) -> Option<AgentStage> {
    let operation = folder.said().operation?;
    (operation.id == 7).then_some(operation.stage)
}

#[test]
fn a_journal_that_is_corrupted_at_any_point_is_kept_and_nothing_is_changed_any_more() {
    let scenario = Scenario {
        ours: &[("1g.6gb", 0), ("2g.12gb", 2)],
        target: &[("2g.12gb", 0), ("2g.12gb", 2)],
        ..A30
    };
    let start = scenario.start();
    for (number, point) in points(&start.disk).distinct.iter().enumerate() {
        let folder = Folder::with(&killed_at(&start.disk, point));
        let path = folder.path().join("journal/journal.json");
        let mut journal = fs::read(&path).unwrap();
        let byte = number * 7919 % journal.len();
        journal[byte] ^= 1;
        fs::write(&path, &journal).unwrap();
        let (before, gpus) = (told(&folder), folder.node().gpus().unwrap());
        run(&folder);
        let context = format!("byte {byte} {} {:?}", point.name, folder.operation());
        assert_eq!(folder.node().gpus().unwrap(), gpus, "{context}");
        let kept = path.with_file_name("journal.json.unreadable-1");
        assert_eq!(fs::read(&kept).unwrap(), journal, "{context}");
        let expected = match before {
            // Nothing had begun, and what stands is nobody's.
            None | Some(AgentStage::Ready | AgentStage::Refused) => AgentStage::Refused,
            // A person has to look: the node stays cordoned.
            Some(AgentStage::Destroying | AgentStage::Creating | AgentStage::Failed) => {
                AgentStage::Failed
            }
            Some(end @ (AgentStage::Done | AgentStage::RolledBack)) => end,
        };
        assert_eq!(told(&folder), Some(expected), "{context}");
        if expected == AgentStage::Failed {
            let error = folder.operation().error.unwrap();
            assert!(error.contains(kept.to_str().unwrap()), "{error}");
        }
    }
}
