//! How old the picture on the screen is.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How far back the worst is looked for.
const WINDOW: Duration = Duration::from_secs(2);

/// The ages of the pictures that were shown of late.
#[derive(Debug, Default)]
pub(crate) struct Ages {
    /// When a picture gave way to the next, and how old it was then: as old as it ever was on the screen.
    replaced: VecDeque<(Instant, Duration)>,
    /// The age of the newest when it came onto the screen.
    shown: Option<Duration>,
}

impl Ages {
    /// The picture on the screen gives way to another.
    pub(crate) fn replace(&mut self, captured: Instant) {
        let now = Instant::now();
        self.replaced.push_back((now, captured.elapsed()));
        while self.replaced.front().is_some_and(|(moment, _)| now.duration_since(*moment) > WINDOW) {
            self.replaced.pop_front();
        }
    }

    /// A picture is on the screen for the first time.
    pub(crate) fn show(&mut self, captured: Instant) {
        self.shown = Some(captured.elapsed());
    }

    /// How old the newest was when it came onto the screen, in milliseconds.
    pub(crate) fn shown_ms(&self) -> Option<f64> {
        self.shown.map(|age| age.as_secs_f64() * 1e3)
    }

    /// How old a picture on the screen was at most, in the last two seconds, in milliseconds.
    pub(crate) fn worst_ms(&self) -> Option<f64> {
        let recent = self.replaced.iter().filter(|(moment, _)| moment.elapsed() <= WINDOW);
        recent.map(|(_, age)| age.as_secs_f64() * 1e3).max_by(f64::total_cmp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_what_was_seen_last_of_a_picture() {
        let mut ages = Ages::default();
        assert_eq!((ages.shown_ms(), ages.worst_ms()), (None, None));
        let captured = Instant::now() - Duration::from_millis(80);
        ages.show(captured);
        ages.replace(captured - Duration::from_millis(300));
        ages.replace(captured);
        let (shown, worst) = (ages.shown_ms().unwrap(), ages.worst_ms().unwrap());
        assert!((80.0..200.0).contains(&shown) && (380.0..500.0).contains(&worst), "{shown}, {worst}");
    }
}
