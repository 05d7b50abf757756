//! The limits and the steps: tables for what is known, and a daemon that misbehaves at random for the rest.

mod limits;
mod steps;
mod troubles;
