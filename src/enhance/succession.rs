//! Which pictures follow one another.

/// Pictures further apart than this, in seconds of source time, or in the wrong order, do not follow one another.
const GAP_SECONDS: f64 = 2.0;

/// The source time of the picture before.
#[derive(Debug, Default)]
pub(super) struct Succession {
    /// In seconds; `None`: no picture came before.
    last: Option<f64>,
}

impl Succession {
    /// The seconds from the picture before to the one of this source time; `None` where it does not follow on one.
    pub(super) fn passed(&mut self, time: f64) -> Option<f64> {
        let last = self.last.replace(time)?;
        Some(time - last).filter(|passed| (0.0..=GAP_SECONDS).contains(passed))
    }

    /// The next picture follows on none.
    pub(super) fn begin_anew(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_a_step_back_and_a_new_beginning_follow_on_nothing() {
        let mut succession = Succession::default();
        let passed = [1.0, 1.5, 3.5, 5.6, 5.0, 5.0].map(|time| succession.passed(time));
        assert_eq!(passed, [None, Some(0.5), Some(2.0), None, None, Some(0.0)]);
        succession.begin_anew();
        assert_eq!((succession.passed(5.1), succession.passed(f64::NAN)), (None, None));
    }
}
