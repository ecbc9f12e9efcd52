//! How old the picture on the screen is.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How far back the worst is looked for.
const WINDOW: Duration = Duration::from_secs(2);

/// The ages of recently shown pictures.
#[derive(Debug, Default)]
pub(crate) struct Ages {
    /// When each picture was replaced, and how old it was then: its greatest age on the screen.
    replaced: VecDeque<(Instant, Duration)>,
    /// The age of the newest when it came onto the screen.
    shown: Option<Duration>,
}

impl Ages {
    /// The picture on the screen is replaced.
    pub(crate) fn replace(&mut self, captured: Instant, now: Instant) {
        self.replaced.push_back((now, now.saturating_duration_since(captured)));
        while self.replaced.front().is_some_and(|(moment, _)| now.duration_since(*moment) > WINDOW) {
            self.replaced.pop_front();
        }
    }

    /// A picture is on the screen for the first time.
    pub(crate) fn show(&mut self, captured: Instant, now: Instant) {
        self.shown = Some(now.saturating_duration_since(captured));
    }

    /// How old the newest was when it came onto the screen, in milliseconds.
    pub(crate) fn shown_ms(&self) -> Option<f64> {
        self.shown.map(|age| age.as_secs_f64() * 1e3)
    }

    /// How old a picture on the screen was at most, in the last two seconds, in milliseconds.
    pub(crate) fn worst_ms(&self, now: Instant) -> Option<f64> {
        let recent =
            self.replaced.iter().filter(|(moment, _)| now.saturating_duration_since(*moment) <= WINDOW);
        recent.map(|(_, age)| age.as_secs_f64() * 1e3).max_by(f64::total_cmp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_what_was_seen_last_of_a_picture() {
        let (mut ages, start) = (Ages::default(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!((ages.shown_ms(), ages.worst_ms(at(0))), (None, None));
        ages.show(at(300), at(380));
        ages.replace(at(0), at(380));
        ages.replace(at(300), at(400));
        assert_eq!((ages.shown_ms(), ages.worst_ms(at(400))), (Some(80.0), Some(380.0)));
        // Only the last two seconds count.
        assert_eq!(ages.worst_ms(at(2_390)), Some(100.0));
        assert_eq!(ages.worst_ms(at(2_401)), None);
        // A moment before the picture's own is no age below zero.
        ages.show(at(500), at(400));
        assert_eq!(ages.shown_ms(), Some(0.0));
    }
}
