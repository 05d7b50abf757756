//! What the GPUs of a node guarantee to a pod, as labels.
