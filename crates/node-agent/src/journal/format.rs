//! The bytes of the file: a line that says version and checksum, and the record as JSON.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::Record;

/// The version of the format that this agent writes and reads.
const VERSION: u64 = 2;

/// What can be read of a first line of any version.
#[derive(Deserialize)]
struct Header {
    version: u64,
}

/// The file that holds a record.
pub fn print(record: &Record) -> serde_json::Result<Vec<u8>> {
    let mut body = serde_json::to_vec_pretty(record)?;
    body.push(b'\n');
    let mut file = header(&body).into_bytes();
    file.extend(body);
    Ok(file)
}

/// The record in a file. Every byte counts: a file that [`print()`] would not have written is none.
///
/// # Errors
/// What is wrong with it, a clause for people.
pub fn parse(file: &[u8]) -> Result<Record, String> {
    let end = file.iter().position(|byte| *byte == b'\n');
    let end = end.ok_or("its first line is not complete")?;
    let (first, body) = file.split_at(end + 1);
    let found: Header = serde_json::from_slice(first)
        .map_err(|error| format!("its first line names no version: {error}"))?;
    if found.version != VERSION {
        let found = found.version;
        return Err(format!(
            "its version is {found}, and this agent knows {VERSION}"
        ));
    }
    if header(body).as_bytes() != first {
        return Err("its checksum is wrong: it is cut off, or was changed".to_owned());
    }
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn header(body: &[u8]) -> String {
    use std::fmt::Write;
    let mut sum = String::new();
    for byte in Sha256::digest(body) {
        // A string takes everything.
        let _ = write!(sum, "{byte:02x}");
    }
    format!("{{\"version\":{VERSION},\"sha256\":\"{sum}\"}}\n")
}
