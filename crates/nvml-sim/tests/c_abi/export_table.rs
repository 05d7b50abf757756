//! nvidia-smi's private table: found by its id, and what its functions say.

use std::ffi::{c_char, c_uint, c_void};
use std::ptr::{null, null_mut};

use libloading::Library;
use nvml_sim::Client;
use nvml_wrapper_sys::bindings as sys;

use crate::A100;
use crate::own_process::{library, load, on_a_node};
use crate::raw::{
    INSUFFICIENT_SIZE, INVALID_ARGUMENT, NOT_SUPPORTED, SUCCESS, blank, handle, raw, text,
};

const ID: [u8; 16] = *b"\xc4\xfe\x3e\x6c\xc9\x8f\x6c\x4e\xa3\x27\xee\x69\x6e\x12\xf7\xc4";

type Lookup = unsafe extern "C" fn(*mut *const c_void, *const u8) -> c_uint;
type Function = unsafe extern "C" fn(sys::nvmlDevice_t, *mut c_uint, *mut Process) -> c_uint;

/// 4128 bytes a process, as nvidia-smi 535 steps through them.
#[repr(C)]
#[derive(Clone, Copy)]
struct Process {
    pid: u32,
    memory: u64,
    gpu_instance: u32,
    compute_instance: u32,
    unknown: u64,
    name: [c_char; 4096],
}

fn look_up(library: &Library, id: *const u8) -> (c_uint, *const c_void) {
    let mut table = null();
    // SAFETY: the signature is that of nvidia-smi; the pointers outlive the call.
    let code = unsafe {
        let lookup = library
            .get::<Lookup>(b"nvmlInternalGetExportTable")
            .unwrap();
        lookup(&raw mut table, id)
    };
    (code, table)
}

/// The function at a position after the table's first word.
fn function(table: *const c_void, slot: usize) -> Function {
    // SAFETY: the table is as long as its first word says, and holds functions after it.
    unsafe {
        assert!((slot + 2) * size_of::<usize>() <= *table.cast::<usize>());
        *table.cast::<Function>().add(slot + 1)
    }
}

#[test]
fn the_table_is_there_under_its_id_alone() {
    on_a_node(&[A100], |node| {
        let _session = load();
        // SAFETY: the library does nothing when it is loaded.
        let library = unsafe { Library::new(library()) }.unwrap();
        let (code, table) = look_up(&library, ID.as_ptr());
        assert_eq!(code, SUCCESS);
        // SAFETY: it looks at no argument.
        let reset = unsafe { function(table, 19)(null_mut(), null_mut(), null_mut()) };
        assert_eq!(reset, NOT_SUPPORTED);
        assert_eq!(look_up(&library, [0; 16].as_ptr()), (NOT_SUPPORTED, null()));
        assert_eq!(look_up(&library, null()), (INVALID_ARGUMENT, null()));
        assert_eq!(node.gpus().unwrap().len(), 1);
    });
}

#[test]
fn processes_are_listed_with_their_names() {
    on_a_node(&[A100], |node| {
        let nvml = load();
        // SAFETY: the library does nothing when it is loaded.
        let library = unsafe { Library::new(library()) }.unwrap();
        node.set_mig_mode(0, true).unwrap();
        let uuid = node.create_instance(0, "2g.10gb", None).unwrap();
        for pid in [7, 8] {
            let name = format!("program-{pid}");
            let memory_mib = 10;
            let client = Client {
                pid,
                name,
                memory_mib,
            };
            node.attach_mig(&uuid, client).unwrap();
        }
        let device = handle(&nvml.device_by_index(0).unwrap());
        let (_, table) = look_up(&library, ID.as_ptr());
        let mut processes: [Process; 2] = [blank(); 2];
        let mut ask = |slot, room| {
            let mut count = room;
            // SAFETY: there is room for the count that is told.
            let code =
                unsafe { function(table, slot)(device, &raw mut count, processes.as_mut_ptr()) };
            (code, count)
        };
        assert_eq!(ask(212, 1), (INSUFFICIENT_SIZE, 2));
        assert_eq!(ask(212, 2), (SUCCESS, 2));
        assert_eq!([213, 214].map(|slot| ask(slot, 2)), [(SUCCESS, 0); 2]);
        for (process, pid) in processes.iter().zip([7, 8]) {
            assert_eq!((process.pid, process.memory), (pid, 10 << 20));
            assert_eq!((process.gpu_instance, process.compute_instance), (1, 0));
            assert_eq!(text(&process.name), format!("program-{pid}"));
            assert_eq!(process.unknown, 0);
        }
        let mut total = blank::<sys::nvmlBAR1Memory_t>();
        let code = raw!(nvml, nvmlDeviceGetBAR1MemoryInfo(device, &raw mut total));
        assert_eq!((code, total.bar1Total), (SUCCESS, 65_536 << 20));
    });
}
