//! Locks that outlive a panic.
//!
//! What the crate keeps behind a mutex is whole after every statement, so a thread that panicked while it held the lock
//! leaves nothing half-done: the others go on, and the panic is reported where the thread is joined.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks the mutex, also after a panic of another thread that held it.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_panic_of_another_thread_does_not_lock_everybody_out() {
        let mutex = Arc::new(Mutex::new(1));
        let held = Arc::clone(&mutex);
        let thread = std::thread::spawn(move || {
            let mut value = held.lock().unwrap();
            *value = 2;
            panic!("on purpose");
        });
        assert!(thread.join().is_err());
        assert!(mutex.is_poisoned());
        assert_eq!(*lock(&mutex), 2);
    }
}
