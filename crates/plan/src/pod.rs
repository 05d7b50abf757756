//! A pod as the decisions see it.
