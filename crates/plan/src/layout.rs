//! Where instances stand on a GPU: an exact search for the placement that disturbs least.
