//! What the library exports, against the lists of what NVIDIA's do.

use std::collections::BTreeSet;
use std::ffi::c_uint;
use std::{env, fs};

use libloading::{Library, Symbol};

use crate::A100;
use crate::own_process::{library, load, on_a_node};
use crate::raw::{NOT_SUPPORTED, UNINITIALIZED};

/// Names from the shared objects and bindings that the first line of each file tells.
const LISTS: [&str; 2] = [
    include_str!("symbols/driver-535.txt"),
    include_str!("symbols/nvml-13.txt"),
];
/// Functions that answer without a session and cannot be made to fail.
const ALWAYS: [&str; 2] = ["nvmlErrorString", "nvmlShutdown"];

type Function = unsafe extern "C" fn() -> c_uint;

fn listed() -> BTreeSet<&'static str> {
    let lines = LISTS.into_iter().flat_map(str::lines);
    lines.filter(|line| !line.starts_with('#')).collect()
}

fn exported<'a>(library: &'a Library, name: &str) -> Symbol<'a, Function> {
    // SAFETY: what is called below looks at its arguments only after what it is tested for.
    unsafe { library.get(name.as_bytes()) }.unwrap()
}

/// The library, as the loader has it.
fn open() -> Library {
    // SAFETY: the library does nothing when it is loaded.
    unsafe { Library::new(library()) }.unwrap()
}

#[test]
fn exactly_the_functions_of_the_real_libraries_are_exported() {
    on_a_node(&["T4"], |node| {
        let library = open();
        let listed = listed();
        for name in &listed {
            exported(&library, name);
        }
        let known: BTreeSet<_> = nvml_sim::symbols().chain(ALWAYS).collect();
        assert_eq!(known, listed);
        assert_eq!(node.gpus().unwrap().len(), 1);
    });
}

#[test]
fn no_function_answers_before_init() {
    on_a_node(&["T4"], |node| {
        let library = open();
        let session = nvml_sim::symbols().filter(|name| !name.starts_with("nvmlInit"));
        for name in session {
            let function = exported(&library, name);
            // SAFETY: without a session no argument is looked at.
            assert_eq!(unsafe { function() }, UNINITIALIZED, "{name}");
        }
        assert_eq!(node.gpus().unwrap().len(), 1);
    });
}

#[test]
fn what_is_not_simulated_says_so_and_nothing_else() {
    on_a_node(&[A100], |node| {
        let _session = load();
        let library = open();
        for name in nvml_sim::not_simulated() {
            let function = exported(&library, name);
            // SAFETY: it looks at no argument.
            assert_eq!(unsafe { function() }, NOT_SUPPORTED, "{name}");
            let log = fs::read_to_string(env::var_os("NVML_SIM_LOG").unwrap()).unwrap();
            let expected = format!("{name} 3 NOT_SUPPORTED (not simulated)");
            assert_eq!(log.lines().next_back(), Some(expected.as_str()));
        }
        assert_eq!(node.gpus().unwrap()[0].instances, []);
    });
}
