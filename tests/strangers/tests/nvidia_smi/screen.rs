//! What a person sees.

use crate::{A100, H100, client, node, smi};

/// The words of the first line that contains all of these.
fn row<'a>(text: &'a str, with: &[&str]) -> Vec<&'a str> {
    let mut lines = text.lines();
    let line = lines.find(|line| with.iter().all(|part| line.contains(part)));
    let words = line.unwrap_or_default().split_whitespace();
    words.filter(|word| *word != "|").collect()
}

#[test]
fn the_overview_shows_gpus_slices_and_processes() {
    let node = node(&[A100, H100, "T4"]);
    node.node.set_mig_mode(0, true).unwrap();
    let uuid = node.node.create_instance(0, "3g.20gb", Some(4)).unwrap();
    node.node.attach_mig(&uuid, client(4001)).unwrap();
    node.node.attach(2, client(4002)).unwrap();
    let text = smi(&node, "");
    assert!(text.contains("Driver Version: 580.95.05"), "{text}");
    let found = row(&text, &["NVIDIA A100-SXM4-40GB"]);
    assert_eq!(found[..3], ["0", "NVIDIA", "A100-SXM4-40GB"]);
    assert!(
        !row(&text, &["100MiB / 40960MiB", "Default"]).is_empty(),
        "{text}"
    );
    // GPU, GPU instance, compute instance, device, memory; multiprocessors, errors; engines.
    let slice = row(&text, &["MiB / 19968MiB"]);
    assert_eq!(slice[..4], ["0", "1", "0", "0"]);
    assert_eq!(slice[4..7], ["100MiB", "/", "19968MiB"]);
    assert_eq!(slice[7..], ["42", "0", "3", "0", "2", "0", "0"]);
    assert!(!row(&text, &["0MiB / 32767MiB"]).is_empty(), "{text}");
    let process = ["0", "1", "0", "4001", "C", "program-4001", "100MiB"];
    assert_eq!(row(&text, &["4001"]), process);
    let process = ["2", "N/A", "N/A", "4002", "C", "program-4002", "100MiB"];
    assert_eq!(row(&text, &["4002"]), process);
}

#[test]
fn compute_profiles_are_listed_with_what_is_left_of_them() {
    let node = node(&[A100]);
    node.node.set_mig_mode(0, true).unwrap();
    smi(&node, "mig -cgi 9:4");
    smi(&node, "mig -cci 1 -gi 1");
    let text = smi(&node, "mig -lcip");
    let left = |profile: &str| row(&text, &[&format!(" MIG {profile} ")])[4..6].join(" ");
    assert_eq!(left("1c.3g.20gb"), "0 1/3");
    assert_eq!(left("2c.3g.20gb"), "1 0/1");
    assert_eq!(left("3g.20gb"), "2* 0/1");
}

#[test]
fn processes_can_be_queried() {
    let node = node(&["T4"]);
    node.node.attach(0, client(4001)).unwrap();
    let text = smi(
        &node,
        "--query-compute-apps=pid,used_memory,name --format=csv,noheader",
    );
    assert_eq!(text, "4001, 100 MiB, program-4001\n");
}

#[test]
fn what_is_not_simulated_is_not_available_and_never_an_error() {
    let node = node(&[A100, "T4"]);
    node.node.set_mig_mode(0, true).unwrap();
    node.node.create_instance(0, "2g.10gb", None).unwrap();
    for arguments in ["", "-q", "-q -x"] {
        let text = smi(&node, arguments);
        assert!(text.contains("N/A"), "{text}");
        for word in ["Uninitialized", "ERR!", "Unknown", "GPU is lost", "Error)"] {
            assert!(!text.contains(word), "{arguments}: {word}: {text}");
        }
    }
    let log = node.log();
    let said = "nvmlDeviceGetTemperature 3 NOT_SUPPORTED (not simulated)";
    assert!(log.iter().any(|line| line == said));
}
