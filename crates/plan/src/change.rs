//! What differs between the GPUs of a node and their target, and whom that disturbs.
