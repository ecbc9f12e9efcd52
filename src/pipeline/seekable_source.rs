//! A source with seeking: forwards, backwards, to a time, to the end. The most recently decoded frames are kept, so that
//! a step back shows a picture at once. Other places are reached by the source's own seek, or, if it has none, by reading
//! it again from its beginning.

use std::collections::VecDeque;

use super::message::{Reopen, Target};
use crate::frame::Frame;
use crate::source::{Source, SourceError, SourceInfo};

/// A usual budget for the frames kept, in bytes of their pictures: 10 frames of full HD, 72 of 640 × 480.
pub(super) const BUDGET: usize = 64 << 20;
/// A place at most this many seconds of source time ahead is reached by decoding on.
const NEAR: f64 = 2.0;
/// How much before a wanted time decoding begins, in seconds, so that steps back from there find frames: at most, and no
/// more than half of what can be kept.
const LEAD: f64 = 1.0;
/// How much longer the lead becomes where a seek has led past the wanted frame.
const LONGER: f64 = 4.0;
/// A lead from which on the beginning is meant, in seconds.
const LONGEST: f64 = 1000.0;

/// Whether decoding on came to its goal.
enum Reached {
    Yes,
    Interrupted,
}

/// A source and the frames around the place where it is.
///
/// The frames kept follow each other without a gap, and the source goes on behind the last of them.
pub(super) struct SeekableSource {
    source: Box<dyn Source>,
    reopen: Option<Reopen>,
    /// Bytes of pictures that may be kept.
    budget: usize,
    kept: VecDeque<Frame>,
    /// Bytes of pictures that are kept.
    bytes: usize,
    /// Which of the frames kept comes next; as many as there are: the source's next.
    next: usize,
    /// Whether the first frame kept is the recording's first.
    from_first: bool,
    /// Whether the last frame kept is the recording's last.
    to_last: bool,
    /// The time of the recording's first frame in seconds, once it has been seen.
    first_time: Option<f64>,
    /// Whether the source can seek; assumed until it reports otherwise.
    seekable: bool,
}

impl SeekableSource {
    /// Takes a source before its first frame. `reopen` begins it again, for a source that cannot seek. `budget` is how
    /// many bytes of pictures may be kept ([`BUDGET`] is a usual value); at least two frames are kept. Zero: there will
    /// be no seeks.
    pub(super) fn new(source: Box<dyn Source>, reopen: Option<Reopen>, budget: usize) -> Self {
        let mut source = source;
        let seekable = !source.info().kind.is_live();
        if seekable && budget > 0 {
            source.prepare_seeking();
        }
        Self {
            source,
            reopen,
            budget,
            kept: VecDeque::new(),
            bytes: 0,
            next: 0,
            from_first: true,
            to_last: false,
            first_time: None,
            seekable,
        }
    }

    /// What the source says of itself.
    pub(super) fn info(&self) -> &SourceInfo {
        self.source.info()
    }

    /// The length of the recording in seconds, where its container does not tell it and it has been found since.
    pub(super) fn found_duration(&mut self) -> Option<f64> {
        if self.budget == 0 || self.info().duration.is_some() || !self.seekable {
            return None;
        }
        self.source.found_duration()
    }

    /// The next frame; `None` at the end, also when asked again. A seek back works after it.
    ///
    /// # Errors
    /// What the source says.
    pub(super) fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
        if self.next >= self.kept.len() && !self.read()? {
            return Ok(None);
        }
        let frame = self.kept.get(self.next).cloned();
        self.next += usize::from(frame.is_some());
        Ok(frame)
    }

    /// Goes to `target`, so that the next frame is the wanted one. Between decoded frames `interrupted` is asked: where it
    /// says true, the seek is given up with `Ok(false)`, somewhere on the way; another one is to follow. Also
    /// `Ok(false)`, with nothing changed, where the target cannot be reached: it lies behind, and the source can neither
    /// seek nor be begun again.
    ///
    /// # Errors
    /// What the source says. A later seek may succeed.
    pub(super) fn seek(
        &mut self,
        target: Target,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> Result<bool, SourceError> {
        let ahead = match self.kept.front() {
            Some(front) => self.from_first || target.reaches(front),
            // Nothing is known of where the source is, but at its beginning.
            None => self.from_first,
        };
        if ahead && (self.is_near(target) || !self.seekable) {
            return self.read_to(target, interrupted);
        }
        if self.seekable
            && let Some(outcome) = self.jump(target, interrupted)?
        {
            return match outcome {
                Reached::Yes => Ok(true),
                Reached::Interrupted => Ok(false),
            };
        }
        // The source has just said that it cannot.
        if ahead {
            return self.read_to(target, interrupted);
        }
        let Some(reopen) = &self.reopen else { return Ok(false) };
        let source = reopen()?;
        self.source = source;
        self.forget();
        self.from_first = true;
        self.read_to(target, interrupted)
    }

    /// The source time near which `target` lies, in seconds; `None` for a last frame of which nothing is known.
    fn time_of(&mut self, target: Target) -> Option<f64> {
        match target {
            Target::At(time) | Target::Before(time) => Some(time),
            Target::Last => {
                let duration = self.info().duration.or(self.source.found_duration());
                let duration = duration.filter(|duration| duration.is_finite())?;
                Some(self.first_time.unwrap_or(0.0) + duration)
            }
        }
    }

    /// Whether a target that is not behind is among the frames kept, or so little after them that decoding on is the
    /// quickest way.
    fn is_near(&mut self, target: Target) -> bool {
        if self.to_last {
            return true;
        }
        let last = self.kept.back().map_or(self.first_time.unwrap_or(0.0), |frame| frame.time);
        self.time_of(target).is_none_or(|time| time - last <= NEAR)
    }

    /// How much before a wanted time decoding is to begin, in seconds.
    fn lead(&self) -> f64 {
        let frame = self.kept.back().map(|frame| frame.picture.pixels().len()).or_else(|| {
            let (width, height) = self.info().size?;
            Some(width as usize * height as usize * 3)
        });
        let frames = frame.map_or(0, |bytes| self.budget / bytes.max(1) / 2);
        (frames as f64 / self.info().rate.filter(|rate| *rate > 0.0).unwrap_or(25.0)).min(LEAD)
    }

    /// Goes to `target` by the source's own seek; `None`, with nothing changed, where it has none.
    fn jump(
        &mut self,
        target: Target,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Reached>, SourceError> {
        let time = self.time_of(target).unwrap_or(f64::INFINITY);
        let mut lead = self.lead();
        loop {
            if interrupted() {
                return Ok(Some(Reached::Interrupted));
            }
            let to_first = lead >= LONGEST || !time.is_finite() && lead > LEAD;
            let from = if to_first { f64::NEG_INFINITY } else { time - lead };
            match self.source.seek(from) {
                Ok(true) => self.forget(),
                Ok(false) => {
                    self.seekable = false;
                    return Ok(None);
                }
                Err(error) => {
                    // Where the source is now is unknown.
                    self.forget();
                    return Err(error);
                }
            }
            let some = self.read()?;
            // What a seek to before everything leads to is the first frame, whatever its number.
            self.from_first |= to_first && some;
            let reaches = self.kept.front().is_some_and(|frame| self.from_first || target.reaches(frame));
            if reaches || to_first {
                return Ok(Some(match self.read_to(target, interrupted)? {
                    true => Reached::Yes,
                    false => Reached::Interrupted,
                }));
            }
            lead = (lead * LONGER).max(LEAD);
        }
    }

    /// Reads on until the wanted frame is known, which is not behind; `Ok(false)` where interrupted.
    fn read_to(
        &mut self,
        target: Target,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> Result<bool, SourceError> {
        loop {
            // Whether a frame is the last that reaches is only known when the next one is there and does not.
            let behind = self.kept.partition_point(|frame| target.reaches(frame));
            if behind < self.kept.len() || self.to_last {
                self.next = behind.saturating_sub(1);
                return Ok(true);
            }
            if interrupted() {
                self.next = self.kept.len();
                return Ok(false);
            }
            self.read()?;
        }
    }

    /// Takes a frame from the source and keeps it as the last; false at the source's end.
    fn read(&mut self) -> Result<bool, SourceError> {
        if self.to_last {
            return Ok(false);
        }
        let Some(frame) = self.source.next_frame()? else {
            self.to_last = true;
            return Ok(false);
        };
        if frame.sequence == 0 {
            self.from_first |= self.kept.is_empty();
            self.first_time = Some(frame.time);
        }
        self.bytes += frame.picture.pixels().len();
        self.kept.push_back(frame);
        while self.bytes > self.budget && self.kept.len() > 2 {
            let oldest = self.kept.pop_front();
            self.bytes -= oldest.map_or(0, |frame| frame.picture.pixels().len());
            self.from_first = false;
            self.next = self.next.saturating_sub(1);
        }
        Ok(true)
    }

    /// Drops what is kept: the source is elsewhere.
    fn forget(&mut self) {
        self.kept.clear();
        (self.bytes, self.next) = (0, 0);
        (self.from_first, self.to_last) = (false, false);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use proptest::prelude::*;

    use super::*;
    use crate::frame::Picture;
    use crate::source::SourceKind;

    /// How a source's seek behaves.
    #[derive(Debug, Clone, Copy)]
    enum Aim {
        /// So many frames too early (below zero) or too late.
        Off(i64),
        /// It says that it cannot.
        Cannot,
        /// It fails now and then.
        Fails,
    }

    /// Frames of 4 bytes a piece, whose pixels tell which they are.
    struct Fake {
        info: SourceInfo,
        times: Arc<[f64]>,
        next: usize,
        aim: Aim,
        seeks: u32,
    }

    impl Fake {
        fn boxed(times: &Arc<[f64]>, aim: Aim, duration: Option<f64>) -> Box<dyn Source> {
            let info = SourceInfo {
                name: "fake".to_owned(),
                kind: SourceKind::Recording,
                size: Some((1, 1)),
                rate: Some(10.0),
                frames: None,
                duration,
                sound: None,
            };
            Box::new(Self { info, times: Arc::clone(times), next: 0, aim, seeks: 0 })
        }
    }

    impl Source for Fake {
        fn info(&self) -> &SourceInfo {
            &self.info
        }

        fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
            let Some(&time) = self.times.get(self.next) else { return Ok(None) };
            self.next += 1;
            let pixels = (self.next as u32 - 1).to_le_bytes()[..3].to_vec();
            Ok(Some(Frame {
                picture: Arc::new(Picture::new(1, 1, pixels).unwrap()),
                sequence: self.next as u64 - 1,
                time,
                captured: Instant::now(),
                file: None,
            }))
        }

        fn seek(&mut self, time: f64) -> Result<bool, SourceError> {
            self.seeks += 1;
            let exact = self.times.partition_point(|t| *t <= time).saturating_sub(1);
            let off = match self.aim {
                Aim::Cannot => return Ok(false),
                Aim::Fails if self.seeks.is_multiple_of(3) => {
                    self.next = self.times.len();
                    return Err(SourceError::Read { what: "fake".to_owned(), why: "it fails".to_owned() });
                }
                Aim::Fails => 0,
                Aim::Off(off) => off,
            };
            self.next = if exact == 0 { 0 } else { exact.saturating_add_signed(off as isize) };
            Ok(true)
        }
    }

    #[derive(Debug, Clone)]
    enum Command {
        Next(usize),
        Seek(Target),
        /// Given up after so many questions.
        Interrupted(Target, usize),
    }

    fn target() -> impl Strategy<Value = Target> {
        prop_oneof![
            5 => (-1.0..15.0_f64).prop_map(Target::At),
            // Times that frames have.
            3 => (0..60_u32).prop_map(|i| Target::At(f64::from(i) / 10.0)),
            3 => (0..60_u32).prop_map(|i| Target::Before(f64::from(i) / 10.0)),
            1 => Just(Target::Last),
            1 => prop_oneof![Just(f64::NEG_INFINITY), Just(f64::INFINITY), Just(f64::NAN)]
                .prop_map(Target::At),
        ]
    }

    fn command() -> impl Strategy<Value = Command> {
        prop_oneof![
            3 => (1..30_usize).prop_map(Command::Next),
            5 => target().prop_map(Command::Seek),
            1 => (target(), 0..5_usize).prop_map(|(target, after)| Command::Interrupted(target, after)),
        ]
    }

    /// Gaps between frames in tenths of a second: often one, sometimes none, sometimes long.
    fn times() -> impl Strategy<Value = Vec<f64>> {
        let gap = prop_oneof![6 => Just(1_u32), 2 => Just(0_u32), 1 => 2..40_u32];
        (0..20_u32, prop::collection::vec(gap, 0..80)).prop_map(|(start, gaps)| {
            let mut at = start;
            let first = f64::from(start) / 10.0;
            let rest = gaps.into_iter().map(|gap| {
                at += gap;
                f64::from(at) / 10.0
            });
            std::iter::once(first).chain(rest).collect()
        })
    }

    fn aim() -> impl Strategy<Value = Aim> {
        prop_oneof![
            3 => Just(Aim::Off(0)),
            2 => (-30..0_i64).prop_map(Aim::Off),
            2 => (1..30_i64).prop_map(Aim::Off),
            1 => Just(Aim::Cannot),
            1 => Just(Aim::Fails),
        ]
    }

    /// The place of the wanted frame among all.
    fn wanted(times: &[f64], target: Target) -> usize {
        let behind = match target {
            Target::At(time) => times.iter().filter(|t| **t <= time).count(),
            Target::Before(time) => times.iter().filter(|t| **t < time).count(),
            Target::Last => times.len(),
        };
        behind.saturating_sub(1)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn it_goes_where_a_list_of_all_frames_would(
            times in times(),
            aim in aim(),
            // Right, unknown, or wrong either way.
            duration in prop_oneof![Just(Some(1.0)), Just(None), Just(Some(0.3)), Just(Some(3.0))],
            kept in 0..40_usize,
            commands in prop::collection::vec(command(), 1..20),
        ) {
            let times: Arc<[f64]> = times.into();
            let span = times.last().unwrap() - times[0] + 0.1;
            let duration = duration.map(|part| part * span);
            let again = Arc::clone(&times);
            let reopen: Reopen = Box::new(move || Ok(Fake::boxed(&again, Aim::Cannot, duration)));
            let mut head = SeekableSource::new(Fake::boxed(&times, aim, duration), Some(reopen), kept * 3);
            // `None`: unknown, after a seek that was given up or failed.
            let mut place = Some(0);
            let check = |head: &mut SeekableSource, place: &mut Option<usize>| {
                let Some(at) = *place else { return Ok(()) };
                let frame = head.next_frame().unwrap();
                prop_assert_eq!(frame.as_ref().map(|f| f.sequence), (at < times.len()).then_some(at as u64));
                if let Some(frame) = frame {
                    prop_assert_eq!(frame.time, times[at]);
                    prop_assert_eq!(usize::from(frame.picture.pixels()[0]), at);
                    *place = Some(at + 1);
                }
                prop_assert!(head.kept.len() <= kept.max(2));
                Ok(())
            };
            for command in commands {
                match command {
                    Command::Next(count) => {
                        for _ in 0..count {
                            check(&mut head, &mut place)?;
                        }
                    }
                    Command::Seek(target) => {
                        let outcome = head.seek(target, &mut || false);
                        prop_assert!(outcome.is_ok() || matches!(aim, Aim::Fails), "{:?}", outcome);
                        place = match outcome {
                            Ok(reached) => {
                                prop_assert!(reached);
                                Some(wanted(&times, target))
                            }
                            Err(_) => None,
                        };
                        check(&mut head, &mut place)?;
                    }
                    Command::Interrupted(target, after) => {
                        let mut asked = 0;
                        let outcome = head.seek(target, &mut || {
                            asked += 1;
                            asked > after
                        });
                        prop_assert!(asked <= after + 1, "asked again after it was interrupted");
                        place = matches!(outcome, Ok(true)).then(|| wanted(&times, target));
                        check(&mut head, &mut place)?;
                    }
                }
            }
        }
    }

    fn ten_seconds() -> Arc<[f64]> {
        (0..100).map(|i| f64::from(i) / 10.0).collect()
    }

    #[test]
    fn a_step_back_among_the_frames_kept_asks_nothing_of_the_source() {
        let mut head = SeekableSource::new(Fake::boxed(&ten_seconds(), Aim::Fails, None), None, BUDGET);
        for _ in 0..50 {
            head.next_frame().unwrap();
        }
        for back in 1..40_u32 {
            let mut asked = 0;
            let mut ask = || {
                asked += 1;
                false
            };
            assert!(head.seek(Target::Before(f64::from(50 - back) / 10.0), &mut ask).unwrap());
            assert_eq!((asked, head.kept.len()), (0, 50));
            assert_eq!(head.next_frame().unwrap().unwrap().sequence, 49 - u64::from(back));
        }
    }

    #[test]
    fn what_can_neither_seek_nor_begin_again_says_so_and_goes_on() {
        let mut head = SeekableSource::new(Fake::boxed(&ten_seconds(), Aim::Cannot, None), None, 30);
        assert!(head.seek(Target::At(5.0), &mut || false).unwrap());
        assert_eq!(head.next_frame().unwrap().unwrap().sequence, 50);
        assert!(!head.seek(Target::At(1.0), &mut || false).unwrap());
        assert_eq!(head.next_frame().unwrap().unwrap().sequence, 51);
    }

    #[test]
    fn an_empty_recording_has_no_last_frame() {
        let mut head = SeekableSource::new(Fake::boxed(&Arc::from([]), Aim::Off(0), None), None, BUDGET);
        for target in [Target::Last, Target::At(3.0), Target::Before(0.0)] {
            assert!(head.seek(target, &mut || false).unwrap());
            assert!(head.next_frame().unwrap().is_none());
        }
    }
}
