//! The engine: boxes in, identities out.
