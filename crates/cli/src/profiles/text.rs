//! Products and profiles for a person to read.

use std::fmt::Write as _;

use super::report::{Report, Shown};

/// One product after the other.
pub fn of(reports: &[Report]) -> String {
    let mut text = String::new();
    for report in reports {
        // Writing to a String cannot fail.
        let _ = write_one(&mut text, report);
    }
    text
}

fn write_one(text: &mut String, report: &Report) -> std::fmt::Result {
    let Report { product, name, .. } = report;
    if !report.mig {
        return writeln!(text, "{product} ({name}): no MIG");
    }
    writeln!(
        text,
        "{product} ({name}): {} compute slices, {} memory slices",
        report.compute_slices, report.memory_slices
    )?;
    writeln!(
        text,
        "  {:<16}{:>4}{:>9}{:>8}{:>9}{:>5}  STARTS",
        "PROFILE", "ID", "COMPUTE", "MEMORY", "MIB", "MAX"
    )?;
    for Shown {
        name,
        id,
        slices,
        memory_slices,
        memory_mib,
        max,
        placements,
    } in &report.profiles
    {
        let starts: Vec<_> = placements.iter().map(u32::to_string).collect();
        writeln!(
            text,
            "  {name:<16}{id:>4}{slices:>9}{memory_slices:>8}{memory_mib:>9}{max:>5}  {}",
            starts.join(",")
        )?;
    }
    Ok(())
}
