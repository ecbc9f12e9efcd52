//! When frames are due: from source time to the machine's clock, at any speed.

use std::time::{Duration, Instant};

/// If a frame is later than this, the clock is set to it: the frames after it are not shown faster to catch up.
const LATE: Duration = Duration::from_millis(100);

/// Maps source times to moments. Begins with the first frame it is asked for, and again after [`Clock::stop`].
#[derive(Debug)]
pub(crate) struct Clock {
    /// A moment, and the source time that was due at it.
    anchor: Option<(Instant, f64)>,
    /// The source time of the last frame that was shown.
    last: Option<f64>,
    /// Seconds of the source in a second.
    speed: f64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { anchor: None, last: None, speed: 1.0 }
    }

    /// The next frame is due at once, whatever its time.
    pub(crate) fn stop(&mut self) {
        (self.anchor, self.last) = (None, None);
    }

    /// Continues from the last frame now: the time between was a pause.
    pub(crate) fn go_on(&mut self, now: Instant) {
        self.anchor = self.last.map(|last| (now, last));
    }

    /// A frame of this source time is due so long after now, whatever came before.
    pub(crate) fn begin(&mut self, time: f64, after: Duration, now: Instant) {
        (self.anchor, self.last) = (Some((now + after, time)), None);
    }

    /// Changes the speed, from the last frame on.
    pub(crate) fn set_speed(&mut self, speed: f64, now: Instant) {
        if speed != self.speed {
            self.speed = speed;
            self.go_on(now);
        }
    }

    /// How long it is until a frame of this source time is due; zero where it is.
    pub(crate) fn left(&self, time: f64, now: Instant) -> Duration {
        let Some((moment, anchor)) = self.anchor else { return Duration::ZERO };
        let ahead = Duration::try_from_secs_f64(((time - anchor) / self.speed).max(0.0));
        let due = ahead.ok().and_then(|ahead| moment.checked_add(ahead));
        due.map_or(Duration::MAX, |due| due.saturating_duration_since(now))
    }

    /// A frame is shown now.
    pub(crate) fn shown(&mut self, time: f64, now: Instant) {
        let due = self.anchor.and_then(|(moment, anchor)| {
            let ahead = Duration::try_from_secs_f64(((time - anchor) / self.speed).max(0.0)).ok()?;
            moment.checked_add(ahead)
        });
        if due.is_none_or(|due| now.saturating_duration_since(due) > LATE || due > now + LATE) {
            self.anchor = Some((now, time));
        }
        self.last = Some(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_due_at_their_times_and_speeds() {
        let (mut clock, start) = (Clock::new(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        let left = |clock: &Clock, time, now| clock.left(time, at(now)).as_millis();
        assert_eq!(left(&clock, 40.0, 0), 0);
        clock.shown(40.0, at(0));
        assert_eq!((left(&clock, 40.5, 0), left(&clock, 40.5, 300), left(&clock, 40.5, 900)), (500, 200, 0));
        // A little late does not move the clock, very late does.
        clock.shown(40.5, at(550));
        assert_eq!(left(&clock, 41.0, 550), 450);
        clock.shown(41.0, at(2000));
        assert_eq!(left(&clock, 41.5, 2000), 500);
        clock.set_speed(4.0, at(2100));
        assert_eq!(left(&clock, 42.0, 2100), 250);
        clock.set_speed(0.25, at(2200));
        assert_eq!(left(&clock, 42.0, 2200), 4000);
        // A halt shifts everything.
        clock.set_speed(1.0, at(2200));
        clock.go_on(at(9000));
        assert_eq!(left(&clock, 42.0, 9000), 1000);
        clock.stop();
        assert_eq!(left(&clock, 3.0, 9000), 0);
        clock.shown(3.0, at(9000));
        assert!(clock.left(f64::INFINITY, at(9000)) > Duration::from_secs(1 << 40));
        clock.shown(f64::NAN, at(9000));
        clock.left(f64::NAN, at(9000));
    }
}
