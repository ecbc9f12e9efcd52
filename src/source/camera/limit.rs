//! Calls into a camera's driver that may never come back: each on a thread of its own, waited for within a limit.
//!
//! A thread whose driver hangs cannot be ended. It is remembered, and no other is begun for the same camera until it is
//! done, so that trying again and again does not pile them up.

use std::sync::{Arc, Mutex, MutexGuard, Weak, mpsc};
use std::thread;
use std::time::Duration;

use super::device_error::DeviceError;
use crate::sync::lock;

/// The calls that were given up and may still be under way, with the camera's index. Those that ended are dropped.
static LEFT: Mutex<Vec<(u32, Weak<()>)>> = Mutex::new(Vec::new());

/// What a call reports: at once, or before it continues with work that no caller waits for.
pub(super) type Teller<T> = mpsc::SyncSender<Result<T, DeviceError>>;

/// Runs `call` on a thread and waits for what it tells first, but no longer than `at_most`.
///
/// # Errors
/// What the call tells; [`DeviceError::Silent`] where it tells nothing in time; [`DeviceError::StillSilent`], without a call, where
/// an earlier one for this camera is not done yet.
pub(super) fn within<T: Send + 'static>(
    index: u32,
    at_most: Duration,
    call: impl FnOnce(&Teller<T>) + Send + 'static,
) -> Result<T, DeviceError> {
    if is_hung(index) {
        return Err(DeviceError::StillSilent);
    }
    let (tell, told) = mpsc::sync_channel(1);
    let running = Arc::new(());
    let mark = Arc::downgrade(&running);
    let run = move || {
        call(&tell);
        drop(running);
    };
    thread::Builder::new()
        .name(format!("camera {index}"))
        .spawn(run)
        .map_err(|error| DeviceError::Other(format!("cannot start a thread: {error}")))?;
    told.recv_timeout(at_most).unwrap_or_else(|_| {
        left().push((index, mark));
        Err(DeviceError::Silent(at_most.as_secs()))
    })
}

fn is_hung(index: u32) -> bool {
    let mut left = left();
    left.retain(|(_, mark)| mark.strong_count() > 0);
    left.iter().any(|(other, _)| *other == index)
}

fn left() -> MutexGuard<'static, Vec<(u32, Weak<()>)>> {
    lock(&LEFT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_hangs_is_not_repeated_until_it_is_done() {
        let (free, wait) = mpsc::sync_channel::<()>(1);
        let short = Duration::from_millis(20);
        let hung = within(900, short, move |_: &Teller<()>| {
            let _ = wait.recv();
        });
        assert_eq!(hung, Err(DeviceError::Silent(0)));
        let again = || within(900, Duration::from_secs(20), |tell| drop(tell.send(Ok(7))));
        assert_eq!(again(), Err(DeviceError::StillSilent));
        let other = within(901, Duration::from_secs(20), |tell| drop(tell.send(Ok(7))));
        assert_eq!(other, Ok(7), "another camera is not held up");
        free.send(()).unwrap();
        while is_hung(900) {
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(again(), Ok(7));
    }
}
