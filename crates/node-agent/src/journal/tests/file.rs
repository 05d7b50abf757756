//! What is written is read by the next agent, and by one at a time.

use std::fs;

use plan::reason::Reason;

use crate::decide::Step;
use crate::journal::{Journal, JournalError, Making, Record, Stage, Task};
use crate::world::{place, target};

pub fn task(stage: Stage) -> Task {
    Task {
        id: 7,
        target: target("G", &[("3g.20gb", 4)]),
        previous: Vec::new(),
        stage,
    }
}

fn steps() -> [Step; 5] {
    let (gpu, at) = ("G".to_owned(), place("1g.5gb", 3));
    let device = "MIG-1".to_owned();
    [
        Step::SetMode {
            gpu: gpu.clone(),
            enabled: true,
        },
        Step::DestroyDevice {
            gpu: gpu.clone(),
            at: at.clone(),
            device,
        },
        Step::DestroyInstance {
            gpu: gpu.clone(),
            at: at.clone(),
        },
        Step::CreateInstance {
            gpu: gpu.clone(),
            at: at.clone(),
        },
        Step::CreateDevice { gpu, at },
    ]
}

#[test]
fn what_was_written_is_read_by_the_next_agent() {
    let folder = tempfile::tempdir().unwrap();
    let error = "because".to_owned();
    for stage in [
        Stage::Intended,
        Stage::Clearing,
        Stage::UndoClearing {
            error: error.clone(),
        },
        Stage::Failed { error },
    ] {
        for step in steps() {
            let mut journal = Journal::open(folder.path()).unwrap();
            let write = |record: &mut Record| {
                record.boot_id = "first".to_owned();
                let device = Making::Device("MIG-0".to_owned());
                record.claim("G", &place("1g.5gb", 0), "first", device);
                record.begin(&step, "first");
                record.operation = Some(task(stage.clone()));
            };
            journal.update(write).unwrap();
            let written = journal.record().clone();
            drop(journal);
            let found = Journal::open(folder.path()).unwrap();
            assert_eq!(*found.record(), written);
            assert_eq!(found.record().operation, Some(task(stage.clone())));
            assert_eq!(found.record().step.as_ref().unwrap().step, step);
        }
    }
}

#[test]
fn a_folder_has_one_agent_and_is_free_when_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let first = Journal::open(&folder.path().join("new/folder")).unwrap();
    let second = Journal::open(&folder.path().join("new/folder")).unwrap_err();
    assert!(matches!(second, JournalError::Taken { .. }), "{second}");
    drop(first);
    Journal::open(&folder.path().join("new/folder")).unwrap();
}

#[test]
fn what_cannot_be_written_has_not_happened() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path()).unwrap();
    // The next write wants to put a file where now a folder is.
    fs::create_dir(folder.path().join("journal.json.new")).unwrap();
    let error = journal.update(|record| record.boot_id = "second".to_owned());
    assert_eq!(error.unwrap_err().reason(), Reason::JournalUnwritable);
    assert_eq!(journal.record().boot_id, "");
    journal.update(|_| ()).unwrap();
}
