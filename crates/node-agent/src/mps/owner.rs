//! Whose a pipe directory is.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::process::{Flock, FlockType, fcntl_getlk};

/// The process of the daemon that serves this pipe directory. None: the directory is absent, or left over. A daemon in a
/// process namespace that we do not see has process 0.
///
/// It holds a lock on a file there, which ends with it: other than the sockets, the lock is never left over.
pub fn of(pipe: &Path) -> io::Result<Option<i32>> {
    let file = match File::open(pipe.join("control_lock")) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let asked = Flock::from(FlockType::WriteLock);
    let holder = fcntl_getlk(&file, &asked)?;
    Ok(holder.map(|lock| lock.pid.map_or(0, |pid| pid.as_raw_nonzero().get())))
}
