//! What each node should be, by the policies.
