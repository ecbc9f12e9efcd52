//! What can be asked of any source: another rate, a mirrored or turned picture, a start and an end. Each is a source
//! around a source; sources know nothing of it.

use std::sync::Arc;

use super::{Rotate, Source, SourceError, SourceInfo, SourceSettings};
use crate::frame::{Frame, Picture};

/// Puts around `source` what `settings` ask for: the rate first (recordings and images only: a live picture's time is
/// when it came), then start and end in the time that results, then mirror and turn.
pub fn adapt(source: Box<dyn Source>, settings: &SourceSettings) -> Box<dyn Source> {
    let mut source = source;
    if let Some(fps) = settings.fps.filter(|fps| fps.is_finite() && *fps > 0.0)
        && !source.info().kind.is_live()
    {
        source = Box::new(Retimed::new(source, fps));
    }
    if settings.start.is_some() || settings.end.is_some() {
        source = Box::new(Cut::new(source, settings.start, settings.end));
    }
    if settings.mirror || settings.rotate != Rotate::None {
        source = Box::new(Turned::new(source, settings.mirror, settings.rotate));
    }
    source
}

/// A source whose own time stamps are replaced by `sequence ÷ rate`.
struct Retimed {
    inner: Box<dyn Source>,
    info: SourceInfo,
    fps: f64,
    /// Frames a second by the source's own time, to guess where a frame lies.
    own_rate: f64,
    /// The frame looked at last, by its number and its own time: guesses start from it.
    near: (u64, f64),
    /// A frame that was taken to see where a seek had led to.
    waiting: Option<Frame>,
}

/// How often a frame's own time is guessed anew.
const GUESSES: u32 = 8;
/// A guess is good that leads to a frame at most so many seconds (of the source's own time) before the wanted one.
const NEAR_ENOUGH: f64 = 1.0;

impl Retimed {
    fn new(inner: Box<dyn Source>, fps: f64) -> Self {
        let old = inner.info().clone();
        let duration = match (old.frames, old.duration, old.rate) {
            (Some(frames), ..) => Some(frames as f64 / fps),
            (None, Some(seconds), Some(rate)) => Some(seconds * rate / fps),
            _ => None,
        };
        // Sound keeps the old time and would drift away from the pictures.
        let own_rate = old.rate.filter(|rate| rate.is_finite() && *rate > 0.0).unwrap_or(fps);
        let info = SourceInfo { rate: Some(fps), duration, sound: None, ..old };
        Self { inner, info, fps, own_rate, near: (0, 0.0), waiting: None }
    }

    /// The next frame with its own time.
    fn inner_frame(&mut self) -> Result<Option<Frame>, SourceError> {
        let frame = self.inner.next_frame()?;
        if let Some(frame) = &frame {
            self.near = (frame.sequence, frame.time);
        }
        Ok(frame)
    }

    /// The number of the last frame whose new time is at or before `time`.
    fn number_at(&self, time: f64) -> u64 {
        // What is below zero, or no number, becomes 0; what is out of range the largest.
        let guess = (time * self.fps) as u64;
        let around = [guess.saturating_add(1), guess, guess.saturating_sub(1)];
        around.into_iter().find(|&number| number as f64 / self.fps <= time).unwrap_or(0)
    }
}

impl Source for Retimed {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
        let frame = match self.waiting.take() {
            Some(frame) => Some(frame),
            None => self.inner_frame()?,
        };
        Ok(frame.map(|frame| Frame { time: frame.sequence as f64 / self.fps, ..frame }))
    }

    fn seek(&mut self, time: f64) -> Result<bool, SourceError> {
        let wanted = self.number_at(time);
        // Only the frame's number is known, not its own time, which may run unevenly: guessed by the rate, from the
        // frame seen last; from where that leads to, once more, until it is near enough.
        let mut below: Option<u64> = None;
        let mut early = 0.0;
        for guesses in 0..=GUESSES {
            let (number, own) = self.near;
            let guess = own + (wanted as f64 - number as f64) / self.own_rate - early;
            let guess = if guesses < GUESSES { guess } else { f64::NEG_INFINITY };
            if !self.inner.seek(guess)? {
                return Ok(false);
            }
            self.waiting = self.inner_frame()?;
            let Some(found) = self.waiting.as_ref().map(|frame| frame.sequence) else { break };
            if found > wanted {
                early = (early * 4.0_f64).max(NEAR_ENOUGH);
                continue;
            }
            // A guess that leads no further than the one before leads to the end.
            let near = (wanted - found) as f64 <= NEAR_ENOUGH * self.own_rate;
            if near || below.is_some_and(|number| number >= found) {
                break;
            }
            below = Some(found);
        }
        Ok(true)
    }

    /// Times begin at 0 here.
    fn begin(&self) -> Option<f64> {
        None
    }

    /// Frames are counted, not timed.
    fn found_duration(&mut self) -> Option<f64> {
        None
    }

    fn inner(&self) -> Option<&dyn Source> {
        Some(self.inner.as_ref())
    }

    fn inner_mut(&mut self) -> Option<&mut dyn Source> {
        Some(self.inner.as_mut())
    }
}

/// The part of a source from `start` (inclusive) to `end` (exclusive), in seconds after the source's first frame, whatever
/// that frame's own time is; the first frame kept is number 0.
struct Cut {
    inner: Box<dyn Source>,
    info: SourceInfo,
    start: f64,
    end: f64,
    /// The time of the source's first frame, once it is known.
    begin: Option<f64>,
    /// The number that the first frame kept has without the cut, once it has been seen.
    first: Option<u64>,
    over: bool,
}

/// Times that differ by less, in seconds, are the same: containers round them.
const SAME_TIME: f64 = 1e-6;

impl Cut {
    fn new(inner: Box<dyn Source>, start: Option<f64>, end: Option<f64>) -> Self {
        let (start, end) = (start.unwrap_or(0.0), end.unwrap_or(f64::INFINITY));
        let old = inner.info().clone();
        let duration = match old.duration {
            Some(seconds) => Some((end.min(seconds) - start).max(0.0)),
            None if end.is_finite() => Some((end - start).max(0.0)),
            None => None,
        };
        let info = SourceInfo { frames: None, duration, sound: None, ..old };
        let begin = inner.begin();
        Self { inner, info, start, end, begin, first: None, over: false }
    }

    /// The next frame within the cut, with the number that it has without; `None` at its end.
    fn kept(&mut self) -> Result<Option<Frame>, SourceError> {
        while let Some(frame) = self.inner.next_frame()? {
            let since = frame.time - *self.begin.get_or_insert(frame.time);
            if since >= self.end - SAME_TIME {
                break;
            }
            if since >= self.start - SAME_TIME {
                self.first.get_or_insert(frame.sequence);
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }
}

impl Source for Cut {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
        if self.over {
            return Ok(None);
        }
        if let Some(frame) = self.kept()? {
            let sequence = frame.sequence.saturating_sub(self.first.unwrap_or_default());
            return Ok(Some(Frame { sequence, ..frame }));
        }
        self.over = true;
        // A device is not needed any more. The decoder of a recording may be, for a seek; nobody takes its frames, so
        // that it waits and costs nothing.
        if self.info.kind.is_live()
            && let Some(stop) = self.inner.stopper()
        {
            stop();
        }
        Ok(None)
    }

    fn seek(&mut self, time: f64) -> Result<bool, SourceError> {
        if self.first.is_none() {
            // The numbers count from the first frame kept, which has to be seen once.
            if !self.inner.seek(self.begin.map_or(f64::NEG_INFINITY, |begin| begin + self.start))? {
                return Ok(false);
            }
            self.over = self.kept()?.is_none();
            if self.over {
                return Ok(true);
            }
        }
        let begin = self.begin.unwrap_or_default();
        // Before the start, so that of several frames at that time the first one comes; the frame at the end itself is
        // outside.
        let (start, end) = (begin + self.start, begin + self.end - SAME_TIME);
        let within = if time > start { time.min(end.next_down()) } else { start - 2.0 * SAME_TIME };
        if !self.inner.seek(within)? {
            return Ok(false);
        }
        self.over = false;
        Ok(true)
    }

    fn begin(&self) -> Option<f64> {
        None
    }

    /// The part that is kept of what the source has found.
    fn found_duration(&mut self) -> Option<f64> {
        self.inner.found_duration().map(|seconds| (self.end.min(seconds) - self.start).max(0.0))
    }

    fn inner(&self) -> Option<&dyn Source> {
        Some(self.inner.as_ref())
    }

    fn inner_mut(&mut self) -> Option<&mut dyn Source> {
        Some(self.inner.as_mut())
    }
}

/// A source whose pictures are mirrored, then turned.
struct Turned {
    inner: Box<dyn Source>,
    info: SourceInfo,
    mirror: bool,
    rotate: Rotate,
}

impl Turned {
    fn new(inner: Box<dyn Source>, mirror: bool, rotate: Rotate) -> Self {
        let mut info = inner.info().clone();
        if matches!(rotate, Rotate::Quarter | Rotate::ThreeQuarters) {
            info.size = info.size.map(|(width, height)| (height, width));
        }
        Self { inner, info, mirror, rotate }
    }

    fn turn(&self, picture: &Picture) -> Result<Picture, SourceError> {
        let turned = turned(picture, self.mirror, self.rotate);
        turned.map_err(|error| SourceError::Picture { what: self.info.name.clone(), error })
    }
}

impl Source for Turned {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
        let Some(frame) = self.inner.next_frame()? else { return Ok(None) };
        Ok(Some(Frame { picture: Arc::new(self.turn(&frame.picture)?), ..frame }))
    }

    fn inner(&self) -> Option<&dyn Source> {
        Some(self.inner.as_ref())
    }

    fn inner_mut(&mut self) -> Option<&mut dyn Source> {
        Some(self.inner.as_mut())
    }
}

/// `picture` with left and right swapped where `mirror` says so, then turned clockwise.
fn turned(picture: &Picture, mirror: bool, rotate: Rotate) -> Result<Picture, crate::frame::PictureError> {
    let (width, height) = picture.size();
    let swapped = matches!(rotate, Rotate::Quarter | Rotate::ThreeQuarters);
    let (out_width, out_height) = if swapped { (height, width) } else { (width, height) };
    let mut out = Picture::filled(out_width, out_height, [0; 3])?;
    let source = picture.rgb();
    let row = width as usize;
    // Seen from the target: which source row or column each target row is, and whether it runs backwards.
    // A mirrored picture's column x is the source's column width - 1 - x.
    let (from_below, from_right) = match rotate {
        Rotate::None => (false, mirror),
        Rotate::Half => (true, !mirror),
        Rotate::Quarter => (true, mirror),
        Rotate::ThreeQuarters => (false, !mirror),
    };
    if swapped {
        transpose(source, row, out.rgb_mut(), from_below, from_right);
    } else {
        let rows = source.chunks_exact(row);
        let targets = out.rgb_mut().chunks_exact_mut(row);
        let copy = |(target, source): (&mut [[u8; 3]], &[[u8; 3]])| {
            target.copy_from_slice(source);
            if from_right {
                target.reverse();
            }
        };
        if from_below { targets.zip(rows.rev()).for_each(copy) } else { targets.zip(rows).for_each(copy) }
    }
    Ok(out)
}

/// Rows become columns. Target row `y` is source column `y` (counted from the right where `from_right`); its pixels run
/// down that column (up where `from_below`). Worked off in squares, so that both sides stay in the cache.
fn transpose(source: &[[u8; 3]], width: usize, target: &mut [[u8; 3]], from_below: bool, from_right: bool) {
    const SQUARE: usize = 32;
    let height = source.len() / width;
    for left in (0..width).step_by(SQUARE) {
        for top in (0..height).step_by(SQUARE) {
            for column in left..(left + SQUARE).min(width) {
                let out_row = if from_right { width - 1 - column } else { column };
                for line in top..(top + SQUARE).min(height) {
                    let out_column = if from_below { height - 1 - line } else { line };
                    target[out_row * height + out_column] = source[line * width + column];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Health, SourceKind, Stopper};
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::{Duration, Instant};

    /// Frames of 2 × 1 pixels at given times.
    struct Fixed {
        info: SourceInfo,
        times: std::vec::IntoIter<f64>,
        sequence: u64,
    }

    impl Fixed {
        fn boxed(kind: SourceKind, times: &[f64]) -> Box<dyn Source> {
            let info = SourceInfo {
                name: "fixed".to_owned(),
                kind,
                size: Some((2, 1)),
                rate: Some(10.0),
                frames: Some(times.len() as u64),
                duration: Some(times.len() as f64 / 10.0),
                sound: Some("sound".into()),
            };
            Box::new(Self { info, times: Vec::from(times).into_iter(), sequence: 0 })
        }
    }

    impl Source for Fixed {
        fn info(&self) -> &SourceInfo {
            &self.info
        }

        fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
            self.sequence += 1;
            Ok(self.times.next().map(|time| Frame {
                picture: Arc::new(Picture::new(2, 1, vec![1, 1, 1, 2, 2, 2]).unwrap()),
                sequence: self.sequence - 1,
                time,
                captured: Instant::now(),
                file: None,
            }))
        }
    }

    fn frames(mut source: Box<dyn Source>) -> Vec<(u64, f64)> {
        std::iter::from_fn(|| source.next_frame().unwrap()).map(|f| (f.sequence, f.time)).collect()
    }

    #[test]
    fn a_rate_replaces_the_times_of_recordings_but_not_of_live_sources() {
        let settings = SourceSettings { fps: Some(5.0), ..SourceSettings::default() };
        let source = adapt(Fixed::boxed(SourceKind::Recording, &[3.0, 3.1, 9.0]), &settings);
        assert_eq!(source.info().rate, Some(5.0));
        assert_eq!(source.info().duration, Some(0.6));
        assert_eq!(source.info().sound, None);
        assert_eq!(frames(source), [(0, 0.0), (1, 0.2), (2, 0.4)]);
        let live = adapt(Fixed::boxed(SourceKind::Camera, &[3.0, 3.1]), &settings);
        assert_eq!(frames(live), [(0, 3.0), (1, 3.1)]);
    }

    #[test]
    fn start_and_end_cut_and_number_anew() {
        let settings = SourceSettings { start: Some(0.1), end: Some(0.3), ..SourceSettings::default() };
        let times = [0.0, 0.1, 0.2, 0.3, 0.4];
        let source = adapt(Fixed::boxed(SourceKind::Recording, &times), &settings);
        assert_eq!(source.info().frames, None);
        assert!((source.info().duration.unwrap() - 0.2).abs() < 1e-9);
        assert_eq!(frames(source), [(0, 0.1), (1, 0.2)]);
        let after = SourceSettings { start: Some(7.0), ..SourceSettings::default() };
        assert_eq!(frames(adapt(Fixed::boxed(SourceKind::Recording, &times), &after)), []);
    }

    #[test]
    fn mirror_comes_before_the_turn() {
        // 1 2 3
        // 4 5 6
        let picture = Picture::new(3, 2, (1..=6).flat_map(|v| [v; 3]).collect()).unwrap();
        let seen = |mirror, rotate| {
            let out = turned(&picture, mirror, rotate).unwrap();
            (out.size(), out.rgb().iter().map(|p| p[0]).collect::<Vec<_>>())
        };
        assert_eq!(seen(false, Rotate::None), ((3, 2), vec![1, 2, 3, 4, 5, 6]));
        assert_eq!(seen(true, Rotate::None), ((3, 2), vec![3, 2, 1, 6, 5, 4]));
        assert_eq!(seen(false, Rotate::Half), ((3, 2), vec![6, 5, 4, 3, 2, 1]));
        assert_eq!(seen(true, Rotate::Half), ((3, 2), vec![4, 5, 6, 1, 2, 3]));
        assert_eq!(seen(false, Rotate::Quarter), ((2, 3), vec![4, 1, 5, 2, 6, 3]));
        assert_eq!(seen(true, Rotate::Quarter), ((2, 3), vec![6, 3, 5, 2, 4, 1]));
        assert_eq!(seen(false, Rotate::ThreeQuarters), ((2, 3), vec![3, 6, 2, 5, 1, 4]));
        assert_eq!(seen(true, Rotate::ThreeQuarters), ((2, 3), vec![1, 4, 2, 5, 3, 6]));
    }

    /// Answers to everything that a source can be asked.
    struct Telling {
        info: SourceInfo,
        damage: Arc<AtomicU64>,
        told: Arc<AtomicU64>,
    }

    impl Source for Telling {
        fn info(&self) -> &SourceInfo {
            &self.info
        }

        fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
            let picture = Arc::new(Picture::filled(2, 1, [0; 3]).unwrap());
            Ok(Some(Frame { picture, sequence: 0, time: 0.0, captured: Instant::now(), file: None }))
        }

        fn seek(&mut self, _: f64) -> Result<bool, SourceError> {
            self.told.fetch_add(1, Ordering::Relaxed);
            Ok(true)
        }

        fn prepare_seeking(&mut self) {
            self.told.fetch_add(1_000, Ordering::Relaxed);
        }

        fn damage(&self) -> Option<Arc<AtomicU64>> {
            Some(Arc::clone(&self.damage))
        }

        fn health(&self) -> Option<Health> {
            Some(Health::new(Duration::from_secs(1)))
        }

        fn stopper(&self) -> Option<Stopper> {
            let told = Arc::clone(&self.told);
            Some(Box::new(move || {
                told.fetch_add(1_000_000, Ordering::Relaxed);
            }))
        }
    }

    #[test]
    fn whatever_a_source_can_be_asked_goes_through_every_adapter() {
        let plain = SourceSettings::default();
        let settings = [
            SourceSettings { fps: Some(5.0), ..plain.clone() },
            SourceSettings { start: Some(0.0), ..plain.clone() },
            SourceSettings { mirror: true, ..plain.clone() },
            SourceSettings { fps: Some(5.0), start: Some(0.0), mirror: true, ..plain },
        ];
        for settings in settings {
            let (damage, told) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
            let info = Fixed::boxed(SourceKind::Recording, &[0.0]).info().clone();
            let inner = Telling { info, damage: Arc::clone(&damage), told: Arc::clone(&told) };
            let mut source = adapt(Box::new(inner), &settings);
            let through = source.damage().expect("what counts the damage");
            assert!(Arc::ptr_eq(&through, &damage), "{settings:?}");
            assert!(source.health().is_some(), "{settings:?}");
            source.prepare_seeking();
            source.stopper().expect("what stops it")();
            assert_eq!(told.load(Ordering::Relaxed), 1_001_000, "{settings:?}");
            assert!(source.seek(1.0).unwrap(), "{settings:?}");
            assert!(told.load(Ordering::Relaxed) > 1_001_000, "{settings:?}");
        }
    }

    #[test]
    fn a_turn_swaps_the_told_size() {
        let settings = SourceSettings { rotate: Rotate::Quarter, ..SourceSettings::default() };
        let mut source = adapt(Fixed::boxed(SourceKind::Recording, &[0.0]), &settings);
        assert_eq!(source.info().size, Some((1, 2)));
        assert_eq!(source.next_frame().unwrap().unwrap().picture.size(), (1, 2));
    }

    proptest::proptest! {
        #[test]
        fn four_quarter_turns_are_none(width in 1_u32..80, height in 1_u32..80, seed in 0_u8..255) {
            let pixels = (0..width * height * 3).map(|i| (i as u8).wrapping_mul(31) ^ seed).collect();
            let picture = Picture::new(width, height, pixels).unwrap();
            let mut now = picture.clone();
            for _ in 0..4 {
                now = turned(&now, false, Rotate::Quarter).unwrap();
            }
            proptest::prop_assert_eq!(&now, &picture);
            let back = turned(&turned(&picture, true, Rotate::Quarter).unwrap(), true, Rotate::Quarter).unwrap();
            proptest::prop_assert_eq!(&back, &picture);
        }
    }
}
