//! Why the window program ended early.

use super::surface::SurfaceError;
use crate::pipeline::{RunError, StatusError};
use crate::sink::SinkError;

/// Why a run in a window failed.
#[derive(Debug, thiserror::Error)]
pub enum UiError {
    /// The source or the network failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A result cannot be written.
    #[error(transparent)]
    Record(#[from] SinkError),
    /// The window failed.
    #[error(transparent)]
    Surface(#[from] SurfaceError),
    /// The status file cannot be written.
    #[error(transparent)]
    Status(#[from] StatusError),
}
