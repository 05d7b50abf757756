//! A GPU drawn in text: its memory slices, what is on them, and who uses it.

use std::fmt;

use super::{GpuView, InstanceView};
use crate::state::{ComputeMode, MigMode};

/// Characters that the slices of a GPU are wide together, their left borders included.
const WIDTH: usize = 96;

impl fmt::Display for GpuView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "GPU {}  {}  {}",
            self.index,
            self.product,
            mode(self.mig_mode)
        )?;
        match self.compute_mode {
            ComputeMode::Default => {}
            ComputeMode::Prohibited => write!(f, "  compute prohibited")?,
            ComputeMode::ExclusiveProcess => write!(f, "  exclusive process")?,
        }
        writeln!(
            f,
            "{}  {}",
            if self.lost { "  LOST" } else { "" },
            self.uuid
        )?;
        if self.mig_mode.is_some_and(|mode| mode.current) {
            writeln!(f, "  {}", self.slices())?;
            self.instances
                .iter()
                .try_for_each(|instance| self.write_instance(f, instance))?;
        }
        self.write_processes(f, None)
    }
}

impl GpuView {
    /// One line: each instance as wide as its memory slices, free slices dotted.
    fn slices(&self) -> String {
        let mut line = String::new();
        let width = WIDTH / self.memory_slices.max(1) as usize;
        let mut slice = 0;
        while slice < self.memory_slices {
            let here = self
                .instances
                .iter()
                .find(|instance| instance.start == slice);
            let (size, label, fill) = match here {
                Some(instance) => (instance.size.max(1), instance.profile.as_str(), ' '),
                None => (1, "", '.'),
            };
            let width = width * size as usize - 1;
            line.push('|');
            line.push_str(label);
            line.extend(std::iter::repeat_n(fill, width.saturating_sub(label.len())));
            slice += size;
        }
        line.push('|');
        line
    }

    fn write_instance(&self, f: &mut fmt::Formatter<'_>, instance: &InstanceView) -> fmt::Result {
        let InstanceView {
            id,
            profile,
            start,
            size,
            mig_uuids,
        } = instance;
        if mig_uuids.is_empty() {
            writeln!(
                f,
                "  {profile} at {start}:{size}, GPU instance {id}, no compute instance"
            )?;
        }
        for uuid in mig_uuids {
            writeln!(
                f,
                "  {profile} at {start}:{size}, GPU instance {id}, {uuid}"
            )?;
            self.write_processes(f, Some(uuid))?;
        }
        Ok(())
    }

    fn write_processes(&self, f: &mut fmt::Formatter<'_>, mig_uuid: Option<&str>) -> fmt::Result {
        let here = self
            .processes
            .iter()
            .filter(|process| process.mig_uuid.as_deref() == mig_uuid);
        for process in here {
            writeln!(
                f,
                "    process {} {}, {} MiB",
                process.pid, process.name, process.memory_mib
            )?;
        }
        Ok(())
    }
}

fn mode(mode: Option<MigMode>) -> &'static str {
    match mode {
        None => "no MIG",
        Some(MigMode {
            current: true,
            pending: true,
        }) => "MIG on",
        Some(MigMode {
            current: false,
            pending: false,
        }) => "MIG off",
        Some(MigMode {
            current: true,
            pending: false,
        }) => "MIG on, off after a reset",
        Some(MigMode {
            current: false,
            pending: true,
        }) => "MIG off, on after a reset",
    }
}

#[cfg(test)]
mod tests {
    use crate::{Client, SimulatedNode};

    #[test]
    fn a_map_shows_slices_instances_and_processes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gpus.json");
        let node = SimulatedNode::create(path, Some(1), &["A100-SXM4-40GB", "T4"]).unwrap();
        node.set_mig_mode(0, true).unwrap();
        let three = node.create_instance(0, "3g.20gb", Some(0)).unwrap();
        node.create_instance(0, "1g.5gb", Some(6)).unwrap();
        let client = |pid| Client {
            pid,
            name: "train".to_owned(),
            memory_mib: 100,
        };
        node.attach_mig(&three, client(7)).unwrap();
        node.attach(1, client(8)).unwrap();
        let gpus = node.gpus().unwrap();
        let [mig, plain] = [gpus[0].to_string(), gpus[1].to_string()];
        let free = "...........";
        let slices = format!(
            "|3g.20gb{}|{free}|{free}|1g.5gb     |{free}|",
            " ".repeat(40)
        );
        assert!(mig.contains(&slices), "{mig}");
        assert!(mig.contains(&format!(
            "3g.20gb at 0:4, GPU instance 1, {three}\n    process 7 train"
        )));
        assert!(plain.starts_with("GPU 1  T4  no MIG  GPU-"), "{plain}");
        assert!(plain.ends_with("    process 8 train, 100 MiB\n"), "{plain}");
    }
}
