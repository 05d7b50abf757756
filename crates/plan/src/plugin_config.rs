//! What NVIDIA's device plugin is told, and what the node must advertise then.
