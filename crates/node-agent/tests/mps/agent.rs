//! The agent's process, and what it tells.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Instant;

use serde_json::Value;

use crate::bed::{LONG, signal};

pub struct Agent {
    child: Child,
    events: Receiver<Value>,
    heard: Vec<Value>,
}

impl Agent {
    pub fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, events) = channel();
        let stdout = child.stdout.take().unwrap();
        thread::spawn(move || listen(stdout, &sender));
        let heard = Vec::new();
        Self {
            child,
            events,
            heard,
        }
    }

    /// The next event of this kind; others before it are passed over.
    pub fn hears(&mut self, kind: &str) -> Value {
        self.find(kind, |event| event["event"] == kind)
    }

    /// Waits until it is at this stage.
    pub fn is_at(&mut self, stage: &str) -> Value {
        self.find(stage, |event| {
            event["event"] == "Stage" && event["stage"] == stage
        })
    }

    /// Its daemon's process, once it serves.
    pub fn serves(&mut self) -> i32 {
        let pid = &self.is_at("Running")["pid"];
        i32::try_from(pid.as_i64().unwrap()).unwrap()
    }

    fn find(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let left = LONG.saturating_sub(began.elapsed());
            let Ok(event) = self.events.recv_timeout(left) else {
                panic!("never: {what}; heard {:#?}", self.heard);
            };
            self.heard.push(event.clone());
            if wanted(&event) {
                return event;
            }
        }
    }

    pub fn ask_to_end(&self) {
        signal(self.pid(), "TERM");
    }

    /// Asks it to end, and waits. Whether it says that it has succeeded.
    pub fn ends(mut self) -> bool {
        self.ask_to_end();
        self.child.wait().unwrap().success()
    }

    /// Waits for its end.
    pub fn ended(mut self) -> bool {
        self.child.wait().unwrap().success()
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(stdout: ChildStdout, sender: &Sender<Value>) {
    for line in BufReader::new(stdout).lines() {
        let event = serde_json::from_str(&line.unwrap()).unwrap();
        if sender.send(event).is_err() {
            return;
        }
    }
}
