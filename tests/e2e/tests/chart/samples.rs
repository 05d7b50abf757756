//! The policies in `samples/`.

use std::fs;

use crate::command::dry_run;
use crate::{installed, repository};

#[tokio::test]
async fn the_api_server_accepts_every_sample() {
    let (bed, _) = installed().await;
    let mut names = Vec::new();
    for file in fs::read_dir(repository("samples")).unwrap() {
        let path = file.unwrap().path();
        let sample = fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().display().to_string();
        dry_run(&bed, &sample).expect_success(&name);
        names.push(name);
    }
    names.sort();
    assert_eq!(
        names,
        [
            "dev-time-slicing.yaml",
            "inference-mig.yaml",
            "inference-mps.yaml",
            "shared-slices.yaml",
            "training-windows.yaml"
        ]
    );
}

#[tokio::test]
async fn the_api_server_refuses_a_sample_with_a_field_that_is_misspelt() {
    let (bed, _) = installed().await;
    let sample = fs::read_to_string(repository("samples/inference-mig.yaml")).unwrap();
    let misspelt = sample.replace("layout:", "layuot:");
    let said = dry_run(&bed, &misspelt);
    assert!(
        !said.succeeded && said.errors.contains("layuot"),
        "{}",
        said.errors
    );
}
