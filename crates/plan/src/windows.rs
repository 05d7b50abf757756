//! Maintenance windows and blackouts.
