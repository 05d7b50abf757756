//! Which nodes of a policy may be out of service now.
