//! The memory that clients share with their server, in a mount namespace of the test's own.

use std::fs;
use std::process::{Command, Output};

/// Runs these lines with root's rights over mounts that nobody else sees. `$agent` is our program, `$root` a folder.
fn alone(script: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("root")).unwrap();
    let mut command = Command::new("unshare");
    command
        .args(["--map-root-user", "--mount", "sh", "-euc", script])
        .env("agent", env!("CARGO_BIN_EXE_gpu-sharing-agent"))
        .env("root", folder.path().join("root"));
    command.output().unwrap()
}

#[test]
#[ignore = "needs namespaces of its own: make mps"]
fn the_shared_memory_is_mounted_and_one_that_is_there_stays() {
    let output = alone(
        "\"$agent\" mps-shared-memory --mps-root \"$root\"
         stat --file-system --format %T \"$root/shm\"
         stat --format %a \"$root/shm\"
         touch \"$root/shm/of-a-client\"
         \"$agent\" mps-shared-memory --mps-root \"$root\"
         ls \"$root/shm\"",
    );
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complained}");
    assert_eq!(said, "tmpfs\n1777\nof-a-client\n");
}

#[test]
#[ignore = "needs namespaces of its own: make mps"]
fn a_folder_that_cannot_be_had_is_named() {
    let output = alone("\"$agent\" mps-shared-memory --mps-root /proc/nothing");
    assert!(!output.status.success());
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(
        complained.contains("cannot create /proc/nothing/shm"),
        "{complained}"
    );
}
