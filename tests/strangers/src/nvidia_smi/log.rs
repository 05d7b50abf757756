//! `nvidia-smi -q -x`: the ids behind MIG devices, and the processes.

use roxmltree::{Document, Node, ParsingOptions};

use crate::{Machine, Output, Result};

/// What is read from the log.
pub struct Logged {
    /// MIG devices, in the order of their indices.
    pub devices: Vec<Device>,
    /// Processes of every kind.
    pub processes: Vec<Process>,
}

/// A MIG device.
pub struct Device {
    /// UUID of its GPU.
    pub gpu: String,
    /// Of the GPU instance and of the compute instance.
    pub ids: (u32, u32),
}

/// A process.
pub struct Process {
    /// UUID of its GPU.
    pub gpu: String,
    /// As the kernel has it.
    pub pid: i64,
    /// Of the GPU instance and of the compute instance; none on a whole GPU.
    pub ids: Option<(u32, u32)>,
}

/// All of every GPU.
pub fn read(machine: &Machine) -> Result<Logged> {
    let output = machine.smi(&["-q", "-x"])?;
    let command = output.command.clone();
    let text = output.success()?;
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    let log = Document::parse_with_options(&text, options)
        .map_err(|error| Output::unreadable(&command, error.to_string()))?;
    let gpus = log
        .root_element()
        .children()
        .filter(|n| n.has_tag_name("gpu"));
    let mut logged = Logged {
        devices: Vec::new(),
        processes: Vec::new(),
    };
    for gpu in gpus {
        let whole = || {
            let uuid = text_of(gpu, "uuid")?.to_owned();
            let devices = inside(gpu, "mig_devices", "mig_device");
            let processes = inside(gpu, "processes", "process_info");
            Some((
                devices
                    .map(|node| device(&uuid, node))
                    .collect::<Option<Vec<_>>>()?,
                processes
                    .map(|node| process(&uuid, node))
                    .collect::<Option<Vec<_>>>()?,
            ))
        };
        let (devices, processes) = whole().ok_or_else(|| {
            let id = gpu.attribute("id").unwrap_or("without id");
            Output::unreadable(&command, format!("the log of GPU {id}"))
        })?;
        logged.devices.extend(devices);
        logged.processes.extend(processes);
    }
    Ok(logged)
}

fn device(gpu: &str, node: Node<'_, '_>) -> Option<Device> {
    Some(Device {
        gpu: gpu.to_owned(),
        ids: ids(node)?,
    })
}

fn process(gpu: &str, node: Node<'_, '_>) -> Option<Process> {
    Some(Process {
        gpu: gpu.to_owned(),
        pid: text_of(node, "pid")?.parse().ok()?,
        ids: ids(node),
    })
}

/// The ids, unless they are `N/A`.
fn ids(node: Node<'_, '_>) -> Option<(u32, u32)> {
    let gi = text_of(node, "gpu_instance_id")?.parse().ok()?;
    Some((gi, text_of(node, "compute_instance_id")?.parse().ok()?))
}

fn inside<'a, 'b>(
    node: Node<'a, 'b>,
    group: &'static str,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'b>> {
    let groups = node.children().filter(move |n| n.has_tag_name(group));
    let items = groups.flat_map(|group| group.children());
    items.filter(move |n| n.has_tag_name(name))
}

fn text_of<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    let child = node.children().find(|n| n.has_tag_name(name))?;
    child.text().map(str::trim)
}
