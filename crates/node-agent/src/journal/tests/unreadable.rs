//! A journal that cannot be read is noticed, kept, and said to be unknown.

use std::fs;
use std::path::{Path, PathBuf};

use crate::journal::{Journal, Making, Record, Stage, format};
use crate::world::place;

use super::file::task;

fn record() -> Record {
    let mut record = Record::new();
    record.boot_id = "first".to_owned();
    record.claim("G", &place("1g.5gb", 3), "first", Making::Empty);
    record.operation = Some(task(Stage::Building));
    record
}

/// Opens the journal that has these bytes. What is kept, and whether anything is known.
fn open(folder: &Path, bytes: &[u8]) -> (Vec<PathBuf>, bool) {
    fs::write(folder.join("journal.json"), bytes).unwrap();
    let journal = Journal::open(folder).unwrap();
    let is_known = *journal.record() != Record::new();
    (journal.kept().unwrap(), is_known)
}

#[test]
fn every_byte_that_changes_and_every_cut_is_noticed() {
    let good = format::print(&record()).unwrap();
    assert_eq!(format::parse(&good), Ok(record()));
    for length in 0..good.len() {
        format::parse(&good[..length]).unwrap_err();
    }
    for position in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[position] ^= 1 << bit;
            let read = format::parse(&bad);
            assert!(read.is_err(), "bit {bit} of byte {position}");
        }
    }
    let longer = [good.as_slice(), b"\n"].concat();
    assert_eq!(
        format::parse(&longer).unwrap_err(),
        "its checksum is wrong: it is cut off, or was changed"
    );
}

#[test]
fn what_is_wrong_is_told() {
    let good = String::from_utf8(format::print(&record()).unwrap()).unwrap();
    let newer = good.replace("\"version\":2", "\"version\":3");
    let torn = good[..good.len() / 2].to_owned();
    for (text, said) in [
        ("", "its first line is not complete"),
        ("not JSON\n", "its first line names no version: expected"),
        ("{}\n", "its first line names no version: missing field"),
        (&newer, "its version is 3, and this agent knows 2"),
        (&torn, "its checksum is wrong"),
        (
            "{\n  \"version\": 1\n}\n",
            "its first line names no version",
        ),
    ] {
        let wrong = format::parse(text.as_bytes()).unwrap_err();
        assert!(wrong.starts_with(said), "{wrong}");
    }
}

#[test]
fn an_unreadable_journal_is_kept_and_nothing_is_known_until_a_person_takes_it_away() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let name = |number| folder.join(format!("journal.json.unreadable-{number}"));
    assert_eq!(open(folder, b"first"), (vec![name(1)], false));
    assert_eq!(open(folder, b"second"), (vec![name(1), name(2)], false));
    for (number, text) in [(1, "first"), (2, "second")] {
        assert_eq!(fs::read_to_string(name(number)).unwrap(), text);
    }
    // A good one beside them is read, and they stay.
    let good = format::print(&record()).unwrap();
    assert_eq!(open(folder, &good), (vec![name(1), name(2)], true));
    fs::remove_file(name(1)).unwrap();
    assert_eq!(open(folder, b"third"), (vec![name(2), name(3)], false));
    fs::remove_file(name(2)).unwrap();
    fs::remove_file(name(3)).unwrap();
    assert_eq!(open(folder, &good), (vec![], true));
}

#[test]
fn files_that_only_look_alike_are_nobodys_journals() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "journal.json.unreadable-",
        "journal.json.unreadable-x",
        "journal.json.new",
    ] {
        fs::write(folder.path().join(name), "something").unwrap();
    }
    let journal = Journal::open(folder.path()).unwrap();
    assert!(journal.kept().unwrap().is_empty());
}
