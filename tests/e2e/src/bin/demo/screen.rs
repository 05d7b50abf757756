//! What the audience sees.

use std::fmt::Write as _;
use std::io::{IsTerminal, Stdout, Write, stdout};
use std::time::Instant;

use nvml_sim::GpuView;

/// Standard output, with the time since the beginning.
pub struct Screen {
    begin: Instant,
    out: Stdout,
}

impl Screen {
    /// An empty one.
    pub fn new() -> Self {
        Self {
            begin: Instant::now(),
            out: stdout(),
        }
    }

    /// A line.
    pub fn say(&self, text: &str) {
        // Nobody to tell if the reader of a pipe has gone.
        let _ = writeln!(self.out.lock(), "{text}");
    }

    /// A line with the seconds since the beginning.
    pub fn note(&self, text: &str) {
        let seconds = self.begin.elapsed().as_secs_f32();
        self.say(&format!("  {seconds:6.1} s  {text}"));
    }

    /// The headline of an act.
    pub fn headline(&self, text: &str) {
        self.say(&format!(
            "\n── {text} {}",
            "─".repeat(96_usize.saturating_sub(text.chars().count()))
        ));
    }

    /// A line that the next one replaces, on a terminal; elsewhere nothing.
    pub fn tick(&self, text: &str) {
        if self.out.is_terminal() {
            let _ = write!(self.out.lock(), "\r\x1b[K  {text}");
            let _ = self.out.lock().flush();
        }
    }

    /// Takes away a tick.
    pub fn clear_tick(&self) {
        if self.out.is_terminal() {
            let _ = write!(self.out.lock(), "\r\x1b[K");
        }
    }

    /// A node's GPUs, slice by slice.
    pub fn map(&self, node: &str, gpus: &[GpuView]) {
        for gpu in gpus {
            self.say(&format!(
                "  {node} GPU {} {:<15} {}",
                gpu.index,
                gpu.product,
                slices(gpu)
            ));
        }
    }
}

/// The memory slices of a GPU from left to right; `*` marks an instance with a process on it.
fn slices(gpu: &GpuView) -> String {
    match gpu.mig_mode {
        None => return "whole (the product has no MIG)".to_owned(),
        Some(mode) if !mode.current => return "whole (MIG is off)".to_owned(),
        Some(_) => {}
    }
    let width = 9;
    let mut map = String::from("|");
    let mut at = 0;
    for instance in &gpu.instances {
        let start = instance.start;
        map.push_str(&free(start.saturating_sub(at), width));
        let busy = gpu.processes.iter().any(|process| {
            process
                .mig_uuid
                .as_ref()
                .is_some_and(|uuid| instance.mig_uuids.contains(uuid))
        });
        let mark = if busy { "*" } else { "" };
        let cell = (width + 1) * instance.size as usize - 1;
        let label = format!("{}{mark}", instance.profile);
        // Writing to a String cannot fail.
        let _ = write!(map, "{label:^cell$}|");
        at = start + instance.size;
    }
    map.push_str(&free(gpu.memory_slices.saturating_sub(at), width));
    map
}

fn free(slices: u32, width: usize) -> String {
    format!("{}|", ".".repeat(width)).repeat(slices as usize)
}
