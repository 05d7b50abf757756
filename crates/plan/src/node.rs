//! A Kubernetes node as the decisions see it.
