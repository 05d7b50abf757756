//! The file is always one whole state, and never lost.

use std::fs;
use std::path::PathBuf;
use std::thread;

use tempfile::TempDir;

use super::{Store, StoreError};
use crate::Code;

use crate::rules::{create_gpu_instance, set_mig_mode};
use crate::state::State;

/// A folder with the path of a state file that is not there yet.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gpus.json");
    (folder, path)
}

fn node() -> State {
    State::new(1, &[products::find("A100-SXM4-40GB").unwrap()])
}

#[test]
fn what_is_written_is_read() {
    let (_folder, path) = place();
    let store = Store::new(path);
    store.create(&node()).unwrap();
    assert_eq!(store.read().unwrap(), node());
    store
        .update(|state| state.driver_version = "1.2.3".to_owned())
        .unwrap();
    assert_eq!(store.read().unwrap().driver_version, "1.2.3");
}

#[test]
fn an_unusable_file_is_named_with_its_place_and_kept_byte_for_byte() {
    let impossible = {
        let mut state = node();
        set_mig_mode(&mut state, 0, true).unwrap();
        create_gpu_instance(&mut state, 0, 9, Some(0)).unwrap();
        let mut twin = state.gpus[0].instances[0].clone();
        twin.id = 2;
        state.gpus[0].instances.push(twin);
        serde_json::to_string(&state).unwrap()
    };
    let table = [
        (
            "{\n \"version\": 1,",
            "EOF while parsing a value at line 2 column 14",
        ),
        ("", "EOF while parsing a value at line 1 column 0"),
        (
            "{\"version\": 1, \"surprise\": 2}",
            "unknown field `surprise`",
        ),
        (impossible.as_str(), "gpus[0]: instance 2 overlaps another"),
    ];
    for (text, expected) in table {
        let (_folder, path) = place();
        fs::write(&path, text).unwrap();
        let store = Store::new(&path);
        let errors = [
            store.read().unwrap_err(),
            store.update(|_| ()).unwrap_err(),
            store.repair_boot_id().unwrap_err(),
        ];
        for error in errors {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let sentence = format!("{error}: {}", source.unwrap_or_default());
            assert!(sentence.contains(expected), "{sentence}");
            assert!(sentence.contains(path.to_str().unwrap()), "{sentence}");
        }
        assert!(matches!(store.create(&node()), Err(StoreError::Exists(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

type Spoil = fn(&mut State);

#[test]
fn each_rule_about_a_state_is_checked() {
    let mut mig = node();
    set_mig_mode(&mut mig, 0, true).unwrap();
    create_gpu_instance(&mut mig, 0, 9, Some(4)).unwrap();
    mig.check().unwrap();
    let table: &[(Spoil, &str)] = &[
        (|state| state.version = 2, "version is 2"),
        (
            |state| state.gpus[0].product = "A1".to_owned(),
            "product \"A1\" is not known",
        ),
        (|state| state.gpus[0].mig_mode = None, "migMode is missing"),
        (
            |state| state.gpus[0].product = "T4".to_owned(),
            "migMode is set, a T4 has none",
        ),
        (
            |state| state.gpus[0].instances[0].profile_id = 77,
            "no profile 77",
        ),
        (
            |state| state.gpus[0].instances[0].start = 2,
            "cannot start at 2",
        ),
        (
            |state| state.gpus = vec![state.gpus[0].clone(); 17],
            "17 GPUs",
        ),
        (
            |state| state.gpus[0].mig_mode.as_mut().unwrap().current = false,
            "has instances, but MIG mode is off",
        ),
    ];
    for (spoil, expected) in table {
        let mut state = mig.clone();
        spoil(&mut state);
        let wrong = state.check().unwrap_err();
        assert!(wrong.contains(expected), "{wrong}");
    }
}

#[test]
fn what_a_killed_writer_leaves_behind_is_harmless() {
    let (folder, path) = place();
    let store = Store::new(path);
    store.create(&node()).unwrap();
    fs::write(folder.path().join("gpus.json.tmp"), "{\"vers").unwrap();
    assert_eq!(store.read().unwrap(), node());
    store.update(|state| state.require_root = true).unwrap();
    assert!(store.read().unwrap().require_root);
    assert!(!folder.path().join("gpus.json.tmp").exists());
}

#[test]
fn a_boot_id_file_that_a_killed_writer_left_old_is_mended() {
    let (_folder, path) = place();
    let store = Store::new(path);
    store.create(&node()).unwrap();
    fs::write(store.boot_id_path(), "old\n").unwrap();
    store.repair_boot_id().unwrap();
    let boot_id = fs::read_to_string(store.boot_id_path()).unwrap();
    assert_eq!(boot_id.trim_end(), node().boot_id);
}

#[test]
fn a_file_that_is_missing_says_how_to_make_one() {
    let (_folder, path) = place();
    let error = Store::new(&path).read().unwrap_err().to_string();
    assert!(
        error.contains(&format!("nvml-sim ctl --state {} init", path.display())),
        "{error}"
    );
}

#[test]
fn of_many_threads_exactly_one_gets_the_placement() {
    let (_folder, path) = place();
    let store = Store::new(path);
    let mut state = node();
    set_mig_mode(&mut state, 0, true).unwrap();
    store.create(&state).unwrap();
    let create = || {
        store
            .update(|state| create_gpu_instance(state, 0, 9, Some(4)))
            .unwrap()
    };
    let results: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(create)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let full = Err(Code::InsufficientResources);
    assert_eq!(results.iter().filter(|result| **result == full).count(), 7);
    assert_eq!(store.read().unwrap().gpus[0].instances.len(), 1);
}
