//! The real kubectl.

use std::process::Command;

use e2e::{Bed, Error, Look, PATIENCE, control_plane_binaries, eventually};

/// What kubectl prints, or its errors.
pub fn kubectl(bed: &Bed, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(control_plane_binaries().unwrap().join("kubectl"));
    command.arg("--kubeconfig").arg(bed.kubeconfig());
    command.arg("--cache-dir").arg(bed.folder().join("kubectl"));
    let output = command.args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

/// What `kubectl explain` says of a field, on one line. The documentation of a definition that is new takes a moment.
pub async fn explained(bed: &Bed, field: &str) -> String {
    let what = format!("kubectl explains {field}");
    let look = async || {
        Ok::<_, Error>(match kubectl(bed, &["explain", field]) {
            Ok(text) => Look::Done(text),
            Err(errors) => Look::NotYet(errors),
        })
    };
    let text = eventually(&what, PATIENCE, look).await.unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
