//! What a way to reach cameras must offer: the seam between `device`, which chooses, and `v4l2` and `nokhwa`.
//!
//! A backend has two functions: one gives a [`Listing`] of what the camera with an index offers, the other opens it with one
//! format and gives a [`Device`]. Both run on the thread that belongs to the camera, where they may block; whatever they
//! call of a foreign library goes through [`guarded`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::CameraFormat;
use super::device_error::DeviceError;
use super::layout::Layout;

/// A buffer as it came from the driver.
pub(super) struct Captured {
    pub(super) bytes: Box<dyn AsRef<[u8]> + Send>,
    /// The driver says that its contents are damaged.
    pub(super) broken: bool,
    /// When the picture was taken, as far as that is known.
    pub(super) at: Instant,
}

/// A camera that gives frames. Closed when dropped.
pub(super) trait Device {
    /// What was agreed on, and how its pictures lie in memory.
    fn layout(&self) -> &Layout;

    /// The next buffer; `None` where none came within about this time, as far as the wait can have an end.
    fn wait(&mut self, at_most: Duration) -> Result<Option<Captured>, DeviceError>;
}

/// What a camera says that it offers.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// What can be read; may be nonsense.
    pub(super) formats: Vec<CameraFormat>,
    /// The names of pixel formats that cannot.
    pub(super) others: Vec<String>,
}

/// Runs the code of a camera library, which panics on some of what devices tell it (a step of zero, an unknown colour).
pub(super) fn guarded<T>(call: impl FnOnce() -> Result<T, DeviceError>) -> Result<T, DeviceError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| {
        Err(DeviceError::Other("the camera's driver reported something impossible".to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_inside_a_library_becomes_a_fault() {
        let result: Result<(), DeviceError> = guarded(|| panic!("a step of zero"));
        assert!(matches!(result, Err(DeviceError::Other(_))));
    }
}
