//! The parent's side of the gate: what happens to an agent at each point.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::{env, thread};

use super::folder::Folder;

/// What becomes of the agent at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Go,
    /// The call answers this code.
    Instead(u32),
    /// It is killed.
    Die,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The agent came to rest.
    AtRest,
    /// It was killed.
    Killed,
}

/// What the parent hears.
enum Heard {
    Point(String, UnixStream),
    /// The child's output ended: so has the child.
    Over(String),
}

/// Runs an agent on this node until it comes to rest. Nobody asks it at any point.
pub fn run(folder: &Folder) {
    let child = command(folder).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// Runs an agent on this node; `keep` is asked at each point.
pub fn run_gated(folder: &Folder, mut keep: impl FnMut(&str) -> Verdict) -> Ended {
    let gate = folder.path().join("gate");
    let listener = UnixListener::bind(&gate).unwrap();
    let mut command = command(folder);
    let mut child = command.env("NVML_SIM_GATE", &gate).spawn().unwrap();
    let (sender, heard) = mpsc::channel();
    let mut output = child.stdout.take().unwrap();
    let over = sender.clone();
    thread::spawn(move || {
        let mut said = String::new();
        let _ = output.read_to_string(&mut said);
        let _ = over.send(Heard::Over(said));
    });
    thread::spawn(move || accept(&listener, &sender));
    let mut killed = false;
    for heard in heard {
        match heard {
            Heard::Over(said) => {
                // Lets the thread that accepts end.
                drop(UnixStream::connect(&gate));
                return ended(child, killed, &said);
            }
            Heard::Point(point, mut asker) if !killed => {
                // An agent that has ended by itself is heard of next.
                let _ = match keep(&point) {
                    Verdict::Go => asker.write_all(b"\n"),
                    Verdict::Instead(code) => asker.write_all(format!("{code}\n").as_bytes()),
                    Verdict::Die => {
                        killed = true;
                        child.kill()
                    }
                };
            }
            Heard::Point(..) => {}
        }
    }
    panic!("nobody listens to the agent any more");
}

fn ended(mut child: Child, killed: bool, said: &str) -> Ended {
    let status = child.wait().unwrap();
    if killed {
        return Ended::Killed;
    }
    let mut complained = String::new();
    let _ = child.stderr.take().unwrap().read_to_string(&mut complained);
    assert!(status.success(), "{said}{complained}");
    Ended::AtRest
}

/// Until a connection says nothing: it is the parent's own, or that of an agent that was killed.
fn accept(listener: &UnixListener, sender: &Sender<Heard>) {
    for connection in listener.incoming() {
        let connection = connection.unwrap();
        let mut lines = BufReader::new(connection.try_clone().unwrap());
        let mut first = String::new();
        if lines.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let sender = sender.clone();
        thread::spawn(move || listen(first, lines, &connection, &sender));
    }
}

fn listen(
    first: String,
    lines: BufReader<UnixStream>,
    connection: &UnixStream,
    sender: &Sender<Heard>,
) {
    // A killed agent's connection may end with an error; it is over all the same.
    for line in std::iter::once(Ok(first)).chain(lines.lines()) {
        let (Ok(line), Ok(asker)) = (line, connection.try_clone()) else {
            return;
        };
        if sender
            .send(Heard::Point(line.trim().to_owned(), asker))
            .is_err()
        {
            return;
        }
    }
}

fn command(folder: &Folder) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", super::child::NAME, "--ignored", "--nocapture"])
        .env(super::child::FOLDER, folder.path())
        .env("NVML_SIM_STATE", folder.state())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}
