//! The real helm and kubectl.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use e2e::{Bed, control_plane_binaries};

use crate::repository;

/// What a command said, and whether it succeeded.
pub struct Said {
    pub succeeded: bool,
    pub output: String,
    pub errors: String,
}

impl Said {
    /// Its output.
    ///
    /// # Panics
    /// If it failed, with its errors.
    pub fn expect_success(self, what: &str) -> String {
        assert!(self.succeeded, "{what}: {}", self.errors);
        self.output
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Self {
            succeeded: output.status.success(),
            output: text(&output.stdout),
            errors: text(&output.stderr),
        }
    }
}

/// Runs helm at the root of the repository. It needs no cluster.
pub fn helm(arguments: &[&str]) -> Said {
    let program = control_plane_binaries().unwrap().join("helm");
    let mut command = Command::new(program);
    command.args(arguments).current_dir(repository(""));
    command.output().unwrap().into()
}

/// The operator's chart with these further arguments, as a user renders it.
pub fn template(arguments: &[&str]) -> Said {
    let chart = "charts/gpu-sharing-operator";
    let mut all = vec!["template", "gpu-sharing", chart];
    all.extend(["--namespace", e2e::NAMESPACE]);
    all.extend(arguments);
    helm(&all)
}

/// Asks the API server what it would say to these manifests; nothing is written.
pub fn dry_run(bed: &Bed, manifests: &str) -> Said {
    let program = control_plane_binaries().unwrap().join("kubectl");
    let mut command = Command::new(program);
    command.arg("--kubeconfig").arg(bed.kubeconfig());
    command.args([
        "apply",
        "--filename=-",
        "--dry-run=server",
        "--validate=strict",
    ]);
    command.args(["--server-side", "--force-conflicts"]);
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = pipes.stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(manifests.as_bytes()).unwrap();
    drop(input);
    child.wait_with_output().unwrap().into()
}
