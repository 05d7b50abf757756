//! Loading the library, and what a person reads when it cannot be.

use std::fs;
use std::path::Path;

use gpu::{Code, Error, Nvml};
use nvml_sim::state::{Fault, When};

use crate::own_process::{load, on_a_node};

#[test]
fn a_library_that_is_not_there_is_named() {
    let path = Path::new("/nowhere/libnvidia-ml.so.1");
    let error = Nvml::load(path).unwrap_err();
    assert!(
        matches!(&error, Error::Library { path: named, .. } if named == path),
        "{error:?}"
    );
    let said = error.to_string();
    assert!(
        said.starts_with("cannot load NVIDIA's driver library /nowhere/libnvidia-ml.so.1: "),
        "{said}"
    );
    assert!(said.contains("No such file or directory"), "{said}");
}

#[test]
fn a_file_that_is_no_library_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("libnvidia-ml.so.1");
    fs::write(&path, "not a library").unwrap();
    assert!(matches!(Nvml::load(&path), Err(Error::Library { .. })));
}

#[test]
fn a_library_without_its_driver_does_not_start() {
    on_a_node(&["T4"], |node| {
        let function = "nvmlInit_v2".to_owned();
        node.inject(Fault {
            function,
            code: 9,
            when: When::Nth(1),
        })
        .unwrap();
        let error = load(node).unwrap_err();
        assert!(
            matches!(error, Error::Init { code: Code(9), .. }),
            "{error:?}"
        );
        let said = error.to_string();
        assert!(
            said.ends_with("DRIVER_NOT_LOADED (9); load NVIDIA's driver on the node"),
            "{said}"
        );
        load(node).unwrap();
    });
}
