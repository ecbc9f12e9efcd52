//! The picture that is made for the network from a frame. The frame travels on and is shown without waiting for it.

use std::sync::{Arc, OnceLock};

use crate::enhance::Enhanced;

/// What was made of a frame's picture, as far as it is known by now. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Enhancement {
    /// What is known from the beginning.
    shown: Enhanced,
    /// What the enhance thread has made of it; `None` inside: it has passed the frame over for a newer one.
    outcome: Arc<OnceLock<Option<Enhanced>>>,
}

impl Enhancement {
    /// From what the shown chain gave; the [`Promise`] is for the thread that runs the network chain.
    pub(crate) fn promised(shown: Enhanced) -> (Self, Promise) {
        let outcome = Arc::default();
        (Self { shown, outcome: Arc::clone(&outcome) }, Promise(outcome))
    }

    /// No more is expected.
    pub(crate) fn settled(enhanced: Enhanced) -> Self {
        let outcome = Arc::new(OnceLock::from(Some(enhanced.clone())));
        Self { shown: enhanced, outcome }
    }

    /// All that is known now; the picture for the network is part of it once the enhance thread is done.
    pub(crate) fn now(&self) -> &Enhanced {
        self.outcome().unwrap_or(&self.shown)
    }

    /// What the enhance thread has made of it; `None`: nothing yet, or nothing at all.
    pub(crate) fn outcome(&self) -> Option<&Enhanced> {
        self.outcome.get().and_then(Option::as_ref)
    }

    /// The enhance thread is not done with it yet.
    pub(crate) fn is_awaited(&self) -> bool {
        self.outcome.get().is_none()
    }

    /// There will never be a picture for the network.
    pub(crate) fn is_passed_over(&self) -> bool {
        matches!(self.outcome.get(), Some(None))
    }
}

/// Settles an [`Enhancement`]: with what was made, or, dropped, with nothing.
#[derive(Debug)]
pub(crate) struct Promise(Arc<OnceLock<Option<Enhanced>>>);

impl Promise {
    /// Settles it with all that was made.
    pub(crate) fn keep(self, enhanced: Enhanced) {
        let _ = self.0.set(Some(enhanced));
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        // Without effect where it was kept.
        let _ = self.0.set(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixelated(pixelated: bool) -> Enhanced {
        Enhanced { pixelated, ..Enhanced::default() }
    }

    #[test]
    fn a_promise_is_kept_or_dropped_and_all_clones_know() {
        let (enhancement, promise) = Enhancement::promised(pixelated(true));
        let clone = enhancement.clone();
        assert!(clone.is_awaited() && clone.outcome().is_none() && clone.now().pixelated);
        promise.keep(pixelated(false));
        assert!(!clone.is_awaited() && clone.outcome().is_some() && !clone.now().pixelated);

        let (enhancement, promise) = Enhancement::promised(pixelated(true));
        drop(promise);
        assert!(
            enhancement.is_passed_over() && enhancement.outcome().is_none() && enhancement.now().pixelated
        );
        assert!(Enhancement::settled(pixelated(true)).outcome().is_some());
    }
}
