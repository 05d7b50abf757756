//! The journal outlives its agent, and is nobody else's.

use std::fs;

use crate::journal::{Journal, JournalError, Record, Stage, Task};
use crate::world::{a100, at, cut, place, target};

fn task(stage: Stage) -> Task {
    Task {
        id: 7,
        target: target("G", &[("3g.20gb", 4)]),
        previous: Vec::new(),
        stage,
    }
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
        let mut journal = Journal::open(folder.path()).unwrap();
        let write = |record: &mut Record| {
            record.boot_id = "first".to_owned();
            record.claim("G", &place("1g.5gb", 3), None);
            record.operation = Some(task(stage.clone()));
        };
        journal.update(write).unwrap();
        let written = journal.record().clone();
        drop(journal);
        let found = Journal::open(folder.path()).unwrap();
        assert_eq!(*found.record(), written);
        assert_eq!(found.record().operation, Some(task(stage)));
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
fn a_file_that_this_agent_does_not_understand_is_left_as_it_is() {
    for (text, said) in [
        ("", "EOF"),
        ("{\"version\": 1, \"boot", "EOF"),
        ("{}", "its version is none, and this agent knows 1"),
        ("{\"version\": 2, \"more\": []}", "its version is 2"),
        ("{\"version\": 1, \"bootId\": 5}", "invalid type"),
        (
            "{\"version\": 1, \"bootId\": \"\", \"made\": [], \"verified\": [], \"operation\": null, \"more\": 1}",
            "unknown field `more`",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.json");
        fs::write(&path, text).unwrap();
        let error = Journal::open(folder.path()).unwrap_err();
        assert_eq!(error.reason(), "JournalUnreadable", "{text}");
        let words = error.to_string();
        assert!(words.contains(said), "{text}: {words}");
        assert!(words.contains(path.to_str().unwrap()), "{words}");
        assert!(words.contains("move the file away"), "{words}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        fs::remove_file(&path).unwrap();
        Journal::open(folder.path()).unwrap();
    }
}

#[test]
fn what_cannot_be_written_has_not_happened() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path()).unwrap();
    // The next write wants to put a file where now a folder is.
    fs::create_dir(folder.path().join("journal.json.new")).unwrap();
    let error = journal.update(|record| record.boot_id = "second".to_owned());
    assert_eq!(error.unwrap_err().reason(), "JournalUnwritable");
    assert_eq!(journal.record().boot_id, "");
    journal.update(|_| ()).unwrap();
}

#[test]
fn an_instance_is_ours_until_somebody_else_makes_one_in_its_place() {
    let at_0 = place("1g.5gb", 0);
    let mut gpu = cut(a100("G"), &[("1g.5gb", 0)]);
    let owns = |record: &Record, gpu: &crds::gpu_node::GpuStatus| {
        record.owns(&gpu.uuid, &gpu.instances[0])
    };
    let mut record = Record::new();
    assert!(!owns(&record, &gpu), "nothing was made");
    record.claim("G", &at_0, None);
    assert!(owns(&record, &gpu), "it was about to be made");
    record.settle(std::slice::from_ref(&gpu));
    at(&mut gpu, 0).uuid = None;
    assert!(owns(&record, &gpu), "its compute instance failed");
    at(&mut gpu, 0).uuid = Some("MIG-other".to_owned());
    assert!(!owns(&record, &gpu), "somebody made it again");
    record.claim("G", &at_0, Some("MIG-other".to_owned()));
    assert!(owns(&record, &gpu), "we made it again");
    assert_eq!(record.made.len(), 1);
    gpu.uuid = "H".to_owned();
    assert!(!owns(&record, &gpu), "it is on another GPU");
    record.settle(&[gpu]);
    assert!(record.made.is_empty(), "it is gone");
}

#[test]
fn an_adopting_operation_makes_what_it_keeps_its_own() {
    for adopt in [false, true] {
        let mut gpu = cut(a100("G"), &[("1g.5gb", 0), ("3g.20gb", 4)]);
        at(&mut gpu, 0).owned = false;
        let mut task = task(Stage::Building);
        task.target.adopt = adopt;
        let mut record = Record::new();
        record.finish(&task, std::slice::from_ref(&gpu));
        assert_eq!(record.owns("G", at(&mut gpu, 0)), adopt);
        assert!(record.owns("G", at(&mut gpu, 4)));
        assert_eq!(record.verified.len(), 1);
        record.finish(&task, &[gpu]);
        assert_eq!(record.verified.len(), 1, "one layout for each GPU");
    }
}
