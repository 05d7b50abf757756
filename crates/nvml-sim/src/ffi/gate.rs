//! The gate: somebody who is asked before and after each call, and so can stop the program at any point.
//!
//! `NVML_SIM_GATE=SOCKET` names a unix socket on which the gatekeeper listens. Each call writes two lines to it,
//! `<symbol> begins` and, when its effect is there, `<symbol> ends <code>`, and waits after each for a line: an empty one
//! lets the call go on, a number is what it answers instead. A gatekeeper may keep the program waiting for ever, look at
//! the state, change it, or kill the program: then it died at exactly this point. One that is gone stops nobody.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};

use crate::Code;

/// The connection to the gatekeeper, once there is one.
static KEEPER: Mutex<Option<BufReader<UnixStream>>> = Mutex::new(None);

/// Does the work of a call between the two questions.
pub fn pass(symbol: &str, work: impl FnOnce() -> Result<(), Code>) -> Result<(), Code> {
    if let Some(instead) = ask(&format!("{symbol} begins\n")) {
        return Err(instead);
    }
    let answer = work();
    let code = answer.map_or_else(Code::number, |()| 0);
    ask(&format!("{symbol} ends {code}\n")).map_or(answer, Err)
}

/// What the gatekeeper wants answered instead, if there is one and he does.
fn ask(question: &str) -> Option<Code> {
    let path = env::var_os("NVML_SIM_GATE")?;
    let mut keeper = KEEPER.lock().unwrap_or_else(PoisonError::into_inner);
    if keeper.is_none() {
        *keeper = UnixStream::connect(path).ok().map(BufReader::new);
    }
    let connection = keeper.as_mut()?;
    connection.get_mut().write_all(question.as_bytes()).ok()?;
    let mut answer = String::new();
    connection.read_line(&mut answer).ok()?;
    let number = answer.trim().parse().ok()?;
    Some(Code::from_number(number).unwrap_or(Code::Unknown))
}
