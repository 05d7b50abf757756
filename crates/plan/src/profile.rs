//! Names of MIG profiles.
