//! What is shown while many recordings are tracked: a bar for each that is at work, and a line for all of them.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::commands::progress;
use crate::source::SourceInfo;
use crate::sync::lock;

/// How often the line for all is written anew.
const OFTEN: Duration = Duration::from_millis(200);

/// The bars, and the sums.
pub(super) struct ProgressBoard {
    quiet: bool,
    total: ProgressBar,
    sums: Mutex<Sums>,
}

/// What the line for all tells.
struct Sums {
    begun: Instant,
    /// When the line was written last.
    updated: Option<Instant>,
    files: usize,
    ended: usize,
    frames: u64,
    /// What is done of the work, and the whole of it, in the unit of the files' weights.
    done: f64,
    work: f64,
}

/// The bar of one recording.
pub(super) struct Line<'a> {
    board: &'a ProgressBoard,
    bar: ProgressBar,
    weight: f64,
    /// What of the weight is done.
    done: f64,
    /// The part of the weight that a frame is, where that is known.
    frame: f64,
}

impl ProgressBoard {
    /// For recordings of these weights.
    pub(super) fn new(weights: &[f64], quiet: bool) -> Self {
        let sums = Sums {
            begun: Instant::now(),
            updated: None,
            files: weights.len(),
            ended: 0,
            frames: 0,
            done: 0.0,
            work: weights.iter().sum(),
        };
        let board = Self { quiet, total: progress::line(quiet), sums: Mutex::new(sums) };
        board.update(&mut board.sums());
        board
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        lock(&self.sums)
    }

    /// A recording is begun.
    pub(super) fn begin(&self, info: &SourceInfo, weight: f64) -> Line<'_> {
        let bar = progress::named_bar(info, &self.total, self.quiet);
        let frame = bar.length().map_or(0.0, |frames| weight / frames.max(1) as f64);
        Line { board: self, bar, weight, done: 0.0, frame }
    }

    /// A recording came to its end without having been begun.
    pub(super) fn pass_over(&self, weight: f64) {
        let mut sums = self.sums();
        sums.ended += 1;
        sums.done += weight;
        self.update(&mut sums);
    }

    /// Writes something above the bars.
    pub(super) fn notify(&self, text: &str) {
        progress::say(text);
    }

    /// Takes the line for all away.
    pub(super) fn end(&self) {
        self.total.finish_and_clear();
    }

    fn update(&self, sums: &mut Sums) {
        sums.updated = Some(Instant::now());
        self.total.set_message(sums.text(sums.begun.elapsed()));
    }
}

impl Sums {
    fn text(&self, elapsed: Duration) -> String {
        let (seconds, share) = (elapsed.as_secs_f64(), self.done / self.work.max(f64::MIN_POSITIVE));
        let fps = self.frames as f64 / seconds.max(1e-9);
        let mut text =
            format!("{} of {} recordings  {} frames  {fps:.1} fps", self.ended, self.files, self.frames);
        // Too early, it would be a guess.
        if seconds > 1.0 && share > 0.002 {
            let left = Duration::from_secs_f64((seconds / share - seconds).max(0.0));
            text.push_str(&format!("  {} left", indicatif::HumanDuration(left)));
        }
        text
    }
}

impl Line<'_> {
    /// One more frame, with so many tracks in it.
    pub(super) fn frame(&mut self, tracks: usize) {
        self.bar.set_message(format!("{tracks} tracks"));
        self.bar.inc(1);
        // A header may promise too few frames.
        let step = self.frame.min(self.weight - self.done).max(0.0);
        self.done += step;
        let mut sums = self.board.sums();
        sums.frames += 1;
        sums.done += step;
        if sums.updated.is_none_or(|updated| updated.elapsed() >= OFTEN) {
            self.board.update(&mut sums);
        }
    }

    /// The recording is through, or failed.
    pub(super) fn end(self) {
        self.bar.finish_and_clear();
        self.board.pass_over(self.weight - self.done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceKind;

    #[test]
    fn the_line_for_all_adds_up() {
        let info = SourceInfo {
            name: "a".to_owned(),
            kind: SourceKind::Recording,
            size: None,
            rate: None,
            frames: Some(10),
            duration: None,
            sound: None,
        };
        let board = ProgressBoard::new(&[30.0, 10.0], true);
        let mut line = board.begin(&info, 30.0);
        (0..5).for_each(|_| line.frame(3));
        assert_eq!(
            board.sums().text(Duration::from_secs(3)),
            "0 of 2 recordings  5 frames  1.7 fps  5 seconds left"
        );
        // More frames than were promised do not make more of it than it is.
        (0..20).for_each(|_| line.frame(3));
        assert!(board.sums().done <= 30.0);
        line.end();
        board.pass_over(10.0);
        let sums = board.sums();
        assert!(sums.ended == 2 && (sums.done - sums.work).abs() < 1e-9);
    }
}
