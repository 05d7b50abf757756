//! Conditions whose transition times change only when their status does.
