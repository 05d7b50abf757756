//! The commands of the daemon, and what it answers.

use std::fmt;

/// What a daemon can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// The processes of its servers.
    ServerList,
    /// Sets the share of threads of each client, in percent.
    SetPercentage(i32),
    /// Reads that share.
    Percentage,
    /// Limits the memory of each client on a GPU.
    SetMemory {
        /// NVML's index.
        index: i32,
        /// In MiB.
        mib: i64,
    },
    /// Reads that limit.
    Memory {
        /// NVML's index.
        index: i32,
    },
    /// Ends servers and daemon; servers that still run after this many seconds are forced.
    Quit {
        /// Seconds.
        forced_after: u64,
    },
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServerList => write!(f, "get_server_list"),
            Self::SetPercentage(percent) => {
                write!(f, "set_default_active_thread_percentage {percent}")
            }
            Self::Percentage => write!(f, "get_default_active_thread_percentage"),
            Self::SetMemory { index, mib } => {
                write!(f, "set_default_device_pinned_mem_limit {index} {mib}M")
            }
            Self::Memory { index } => write!(f, "get_default_device_pinned_mem_limit {index}"),
            Self::Quit { forced_after } => write!(f, "quit -t {forced_after}"),
        }
    }
}

/// The processes in an answer to [`Command::ServerList`]. None: it is no such answer.
pub fn servers(answer: &str) -> Option<Vec<i32>> {
    answer
        .lines()
        .map(|line| line.trim().parse().ok())
        .collect()
}

/// Whether an answer to [`Command::Percentage`] says this.
pub fn is_percentage(answer: &str, percent: i32) -> bool {
    answer.trim().parse() == Ok(f64::from(percent))
}

/// Whether an answer to [`Command::Memory`] says this: whole `G` are rounded down.
pub fn is_memory(answer: &str, mib: i64) -> bool {
    let answer = answer.trim();
    answer == format!("{mib}M") || (mib >= 1_024 && answer == format!("{}G", mib / 1_024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_read_back_with_a_decimal() {
        assert!(is_percentage("25.0\n", 25));
        assert!(is_percentage("25", 25));
        for other in ["25.5", "100.0", "", "Unknown command \"x\""] {
            assert!(!is_percentage(other, 25), "{other}");
        }
    }

    #[test]
    fn a_limit_of_memory_is_read_back_in_whole_gigabytes_if_it_has_one() {
        for (answer, mib) in [
            ("512M", 512),
            ("9G", 10_239),
            ("10G", 10_240),
            ("10240M", 10_240),
        ] {
            assert!(is_memory(answer, mib), "{answer} {mib}");
        }
        for (answer, mib) in [("0G", 512), ("10G", 10_239), ("", 512), ("Invalid", 512)] {
            assert!(!is_memory(answer, mib), "{answer} {mib}");
        }
    }

    #[test]
    fn a_list_of_servers_is_a_process_in_each_line() {
        assert_eq!(servers(""), Some(vec![]));
        assert_eq!(servers("17\n4711\n"), Some(vec![17, 4711]));
        assert_eq!(servers("Unknown command \"get_server_list\"\n"), None);
    }
}
