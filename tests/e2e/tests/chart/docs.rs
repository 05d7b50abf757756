//! What the documents tell people to do can be done, and what they name is there.

use std::fs;
use std::process::{Command, Stdio};

use e2e::{Bed, control_plane_binaries};

use crate::command::{Said, dry_run};
use crate::{installed, repository};

/// Each with the most lines that it may have.
const DOCUMENTS: [(&str, usize); 4] = [
    ("README.md", 200),
    ("ARCHITECTURE.md", 150),
    ("CONTRIBUTING.md", 100),
    ("CHANGELOG.md", 1000),
];

/// Folders in the root of the repository; a path that begins with one of them must exist.
const FOLDERS: [&str; 6] = [
    ".ci/",
    "charts/",
    "crates/",
    "manifests/",
    "samples/",
    "tests/",
];

fn read(path: &str) -> String {
    fs::read_to_string(repository(path)).unwrap()
}

/// The content of all fenced blocks of a language.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let begun = document.split(&fence).skip(1);
    begun
        .map(|rest| rest.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

/// The commands of all shell blocks, one a line.
fn commands(document: &str) -> Vec<String> {
    let blocks = blocks(document, "sh").concat().replace("\\\n", " ");
    let lines = blocks.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// What stands between backticks in running text.
fn spans(document: &str) -> Vec<&str> {
    let text = document.split("```").step_by(2);
    text.flat_map(|text| text.split('`').skip(1).step_by(2))
        .collect()
}

/// Where links to files point.
fn links(document: &str) -> Vec<&str> {
    let targets = document.split("](").skip(1);
    targets
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.starts_with("http"))
        .collect()
}

#[test]
fn documents_are_short_enough_to_be_read() {
    for (name, most) in DOCUMENTS {
        let lines = read(name).lines().count();
        assert!(lines <= most, "{name} has {lines} lines");
    }
}

#[test]
fn every_file_that_a_document_names_is_there() {
    for (name, _) in DOCUMENTS {
        let document = read(name);
        let spans = spans(&document);
        let named = spans
            .into_iter()
            .filter(|span| FOLDERS.iter().any(|folder| span.starts_with(folder)));
        for path in named.chain(links(&document)) {
            assert!(repository(path).exists(), "{name}: {path}");
        }
    }
}

/// The targets that a command asks make for.
fn targets(command: &str) -> impl Iterator<Item = &str> {
    let words = command.split_whitespace();
    let arguments = words.skip_while(|word| *word != "make").skip(1);
    arguments.filter(|word| !word.contains('='))
}

#[test]
fn every_target_that_a_document_names_is_in_the_makefile() {
    let makefile = read("Makefile");
    for (name, _) in DOCUMENTS {
        let document = read(name);
        let commands = commands(&document);
        let all = commands.iter().map(String::as_str).chain(spans(&document));
        for target in all.flat_map(targets) {
            let rule = format!("\n{target}:");
            assert!(makefile.contains(&rule), "{name}: make {target}");
        }
    }
}

#[tokio::test]
async fn every_policy_in_a_document_is_accepted() {
    let (bed, _) = installed().await;
    let policies = blocks(&read("README.md"), "yaml");
    assert!(!policies.is_empty());
    for policy in policies {
        dry_run(&bed, &policy).expect_success(&policy);
    }
}

#[tokio::test]
async fn every_command_in_a_document_works() {
    let (bed, _) = installed().await;
    for (name, _) in DOCUMENTS {
        for command in commands(&read(name)) {
            if let Err(why) = check(&bed, &command) {
                panic!("{name}: {command}: {why}");
            }
        }
    }
}

/// Runs a command, or as much of it as does no harm.
fn check(bed: &Bed, command: &str) -> Result<(), String> {
    let words: Vec<_> = command.split_whitespace().collect();
    match words[..] {
        // Another test looks at the targets.
        ["make", ..] => Ok(()),
        ["cargo", ..] => packages(&words),
        ["ls", ..] => programs(&words[1..]),
        ["kubectl", "get" | "explain" | "gpusharing", ..] => run(bed, command),
        ["kubectl", "apply" | "create", ..] => run(bed, &format!("{command} --dry-run=server")),
        // The bed has its objects already, from the manifests.
        ["helm", "install", ..] => {
            run(bed, &format!("{command} --dry-run=server --take-ownership"))
        }
        ["helm", "uninstall", release, ..] => {
            let installed = format!("helm install {release} ");
            let known = read("README.md").contains(&installed);
            known
                .then_some(())
                .ok_or_else(|| "not installed".to_owned())
        }
        _ => Err("nobody has said how this is checked; say it here".to_owned()),
    }
}

/// Packages after `-p`.
fn packages(words: &[&str]) -> Result<(), String> {
    let flags = words.iter().zip(words.iter().skip(1));
    let mut packages = flags
        .filter(|(flag, _)| **flag == "-p")
        .map(|(_, name)| name);
    let unknown = packages.find(|name| !repository("crates").join(name).is_dir());
    unknown.map_or(Ok(()), |name| Err(format!("no package {name}")))
}

/// Binaries in cargo's output folder.
fn programs(paths: &[&str]) -> Result<(), String> {
    let manifests = fs::read_dir(repository("crates")).unwrap();
    let manifests =
        manifests.map(|found| fs::read_to_string(found.unwrap().path().join("Cargo.toml")));
    let manifests: String = manifests.map(Result::unwrap).collect();
    let unknown = paths.iter().find(|path| {
        let name = path.rsplit('/').next().unwrap_or_default();
        !manifests.contains(&format!("name = \"{name}\""))
    });
    unknown.map_or(Ok(()), |path| Err(format!("no program makes {path}")))
}

fn run(bed: &Bed, command: &str) -> Result<(), String> {
    let path = std::env::var("PATH").unwrap_or_default();
    let binaries = control_plane_binaries().unwrap();
    let mut shell = Command::new("bash");
    shell.args(["-c", command]).current_dir(repository(""));
    // A test's own binary is in a folder below those that cargo has built beside it.
    let test = std::env::current_exe().unwrap();
    let ours = test.ancestors().nth(2).unwrap();
    shell.env(
        "PATH",
        format!("{}:{}:{path}", binaries.display(), ours.display()),
    );
    shell
        .env("KUBECONFIG", bed.kubeconfig())
        .stdin(Stdio::null());
    let said = Said::from(shell.output().unwrap());
    if said.succeeded {
        Ok(())
    } else {
        Err(said.errors)
    }
}
