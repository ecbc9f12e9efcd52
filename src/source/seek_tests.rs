//! Seeks against straight runs, for the sources that need no other program and for what is put around a source. Videos
//! that ffmpeg decodes: `tests/library/source_seek.rs`.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::frame::Picture;

/// What of a frame has to be the same.
type Seen = (u64, f64, Arc<Picture>);

fn next(source: &mut dyn Source) -> Option<Seen> {
    match source.next_frame() {
        Ok(frame) => frame.map(|frame| (frame.sequence, frame.time, frame.picture)),
        // A recording that is cut off ends so, and a source that was sent about does not complain of it.
        Err(SourceError::Short { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

fn run(source: &mut dyn Source) -> Vec<Seen> {
    std::iter::from_fn(|| next(source)).collect()
}

/// Seeks to `time` and compares up to `count` of the frames that come with those of a straight run.
fn check(source: &mut dyn Source, straight: &[Seen], time: f64, count: usize) -> Result<(), TestCaseError> {
    prop_assert!(source.seek(time).unwrap());
    let mut number = None;
    for _ in 0..count {
        let frame = next(source);
        let at = match (number, &frame) {
            (Some(at), _) => at,
            (None, Some((sequence, at, _))) => {
                prop_assert!(*sequence == 0 || *at <= time, "{at} comes first for {time}");
                *sequence as usize
            }
            (None, None) => straight.len(),
        };
        prop_assert!(number.is_some() || at < straight.len() || straight.is_empty(), "nothing for {time}");
        prop_assert_eq!(frame.as_ref(), straight.get(at), "for {}", time);
        if frame.is_none() {
            break;
        }
        number = Some(at + 1);
    }
    Ok(())
}

/// Seeks, each with how many frames are taken after it.
fn seeks() -> impl Strategy<Value = Vec<(f64, usize)>> {
    let time = prop_oneof![
        8 => -0.5..6.0_f64,
        4 => (0..40_u32).prop_map(|i| f64::from(i) / 10.0),
        1 => Just(f64::INFINITY),
        1 => Just(f64::NEG_INFINITY),
        1 => Just(f64::NAN),
    ];
    prop::collection::vec((time, prop_oneof![4 => 0..6_usize, 1 => Just(1000)]), 1..10)
}

fn grey(value: u8, side: u32) -> image::RgbImage {
    image::RgbImage::from_pixel(side, side, image::Rgb([value; 3]))
}

fn images(folder: &Path, broken: &[usize]) -> ImageSource {
    for i in 0..20 {
        let path = folder.join(format!("{i}.png"));
        match broken.contains(&i) {
            // What the head tells is not the whole truth.
            true if i % 2 == 0 => std::fs::write(path, "broken").unwrap(),
            true => std::fs::write(path, b"\x89PNG\r\n\x1a\n broken").unwrap(),
            false => grey(i as u8, 4).save(path).unwrap(),
        }
    }
    ImageSource::folder(folder, Some(10.0)).unwrap()
}

#[test]
fn images_are_numbered_as_in_a_straight_run() {
    for broken in [&[][..], &[4, 5, 11], &[0, 1, 19], &[0, 1, 2, 3, 17, 18, 19]] {
        let folder = tempfile::tempdir().unwrap();
        let straight = run(&mut images(folder.path(), broken));
        assert_eq!(straight.len(), 20 - broken.len());
        for time in [0.0, 0.3, 0.55, 1.2, 1.9, -3.0, 1.75, 99.0, f64::NAN, f64::INFINITY, 0.4] {
            // One that has seen nothing, then one that has seen all.
            let mut fresh = images(folder.path(), broken);
            check(&mut fresh, &straight, time, 3).unwrap();
            run(&mut fresh);
            check(&mut fresh, &straight, time, 30).unwrap();
        }
    }
}

/// A piece of an AVI.
#[derive(Debug, Clone)]
enum Chunk {
    /// A picture of this grey.
    Good(u8),
    /// A picture of another size.
    Other(u8),
    Repeat,
    /// Begins as a picture does.
    Garbage,
    /// Is none.
    Wrong,
    Sound(usize),
    /// A picture whose length leads nowhere.
    Lost(u8),
    /// Bytes between chunks.
    Junk(usize),
}

fn jpeg(value: u8, side: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    grey(value, side).write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

fn avi(chunks: &[Chunk], promised: u32) -> Vec<u8> {
    let chunk = |id: &[u8], data: &[u8]| {
        let mut all = [id, &(data.len() as u32).to_le_bytes(), data].concat();
        all.resize(all.len().next_multiple_of(2), 0);
        all
    };
    let mut stream = [0; 56];
    stream[..8].copy_from_slice(b"vidsMJPG");
    stream[20..24].copy_from_slice(&1_u32.to_le_bytes());
    stream[24..28].copy_from_slice(&10_u32.to_le_bytes());
    stream[32..36].copy_from_slice(&promised.to_le_bytes());
    let mut format = [0; 40];
    format[4] = 16;
    format[8] = 16;
    format[16..20].copy_from_slice(b"MJPG");
    let head = [&b"strl"[..], &chunk(b"strh", &stream), &chunk(b"strf", &format)].concat();
    let mut pictures = b"movi".to_vec();
    for piece in chunks {
        pictures.extend(match piece {
            Chunk::Good(value) => chunk(b"00dc", &jpeg(*value, 16)),
            Chunk::Other(value) => chunk(b"00dc", &jpeg(*value, 8)),
            Chunk::Repeat => chunk(b"00dc", &[]),
            Chunk::Garbage => chunk(b"00dc", b"\xff\xd8 what is this"),
            Chunk::Wrong => chunk(b"00dc", b"what is this"),
            Chunk::Sound(length) => chunk(b"01wb", &vec![7; *length]),
            Chunk::Lost(value) => {
                let mut all = chunk(b"00dc", &jpeg(*value, 16));
                all[7] = 0x7f;
                all
            }
            Chunk::Junk(length) => vec![0xee; *length],
        });
    }
    let lists = [chunk(b"LIST", &head), chunk(b"LIST", &pictures)].concat();
    chunk(b"RIFF", &[&b"AVI "[..], &lists].concat())
}

fn piece() -> impl Strategy<Value = Chunk> {
    prop_oneof![
        6 => any::<u8>().prop_map(Chunk::Good),
        2 => Just(Chunk::Repeat),
        1 => any::<u8>().prop_map(Chunk::Other),
        1 => Just(Chunk::Garbage),
        1 => Just(Chunk::Wrong),
        1 => (0..9000_usize).prop_map(Chunk::Sound),
        1 => any::<u8>().prop_map(Chunk::Lost),
        1 => (1..20_usize).prop_map(Chunk::Junk),
    ]
}

fn check_avi(bytes: Vec<u8>, first: usize, seeks: &[(f64, usize)]) -> Result<(), TestCaseError> {
    // Leaked, as the reader takes only what lasts; a few kilobytes a case.
    let bytes: &'static [u8] = bytes.leak();
    let Ok(mut straight) = AviSource::from_bytes(bytes, "straight") else { return Ok(()) };
    let straight = run(&mut straight);
    let mut source = AviSource::from_bytes(bytes, "sought").unwrap();
    for _ in 0..first {
        next(&mut source);
    }
    for (time, count) in seeks {
        check(&mut source, &straight, *time, *count)?;
    }
    Ok(())
}

proptest! {
    #[test]
    fn an_avi_gives_the_frames_of_a_straight_run(
        pieces in prop::collection::vec(piece(), 1..40),
        promised in 0..50_u32,
        cut in prop_oneof![2 => Just(0_usize), 1 => 0..3000_usize],
        first in 0..10_usize,
        seeks in seeks(),
    ) {
        let mut bytes = avi(&pieces, promised);
        bytes.truncate(bytes.len() - cut.min(bytes.len()));
        check_avi(bytes, first, &seeks)?;
    }

    #[test]
    fn a_damaged_avi_gives_the_frames_of_a_straight_run(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        seeks in seeks(),
    ) {
        let pieces: Vec<Chunk> = (0..20).map(|i| Chunk::Good(i * 12)).collect();
        let mut bytes = avi(&pieces, 20);
        for (place, value) in damage {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        check_avi(bytes, 0, &seeks)?;
    }

    #[test]
    fn a_frame_is_found_by_its_own_time(rate in 1..200_000_u32, scale in 1..2_000_u32, frame in 0..1_000_000_u32) {
        // Through an AVI's head: the time told of a frame leads to that frame.
        let rate = super::avi::file::Rate::new(rate, scale);
        prop_assert_eq!(rate.frame_at(rate.time(u64::from(frame))), u64::from(frame));
    }
}

#[test]
fn the_demo_clip_gives_the_frames_of_a_straight_run() {
    let open = || AviSource::from_bytes(include_bytes!("../../assets/demo.avi"), "demo").unwrap();
    let straight = run(&mut open());
    assert_eq!(straight.len(), 200);
    let mut source = open();
    for time in [20.0, 3.3, 28.5, 99.0, 0.0, 12.0 / 7.0, 14.0] {
        check(&mut source, &straight, time, 3).unwrap();
        assert!(source.seek(f64::INFINITY).unwrap());
        assert_eq!(next(&mut source), straight.last().cloned());
        assert!(next(&mut source).is_none() && next(&mut source).is_none());
    }
}

/// A recording that seeks, more or less exactly: so many frames too early.
struct Fake {
    info: SourceInfo,
    frames: Vec<Seen>,
    next: usize,
    early: usize,
    stopped: Arc<std::sync::atomic::AtomicBool>,
}

impl Fake {
    fn boxed(times: &[f64], early: usize) -> Box<dyn Source> {
        let picture = |i: usize| Arc::new(Picture::new(2, 1, vec![i as u8, 1, 1, 2, 2, 2]).unwrap());
        let frames = times.iter().enumerate().map(|(i, time)| (i as u64, *time, picture(i))).collect();
        let info = SourceInfo {
            name: "fake".to_owned(),
            kind: SourceKind::Recording,
            size: Some((2, 1)),
            rate: Some(10.0),
            frames: None,
            duration: None,
            sound: None,
        };
        Box::new(Self { info, frames, next: 0, early, stopped: Arc::default() })
    }
}

impl Source for Fake {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
        if self.stopped.load(std::sync::atomic::Ordering::SeqCst) {
            return Ok(None);
        }
        let frame = self.frames.get(self.next).cloned();
        self.next += 1;
        let captured = Instant::now();
        Ok(frame.map(|(sequence, time, picture)| Frame { picture, sequence, time, captured, file: None }))
    }

    fn seek(&mut self, time: f64) -> Result<bool, SourceError> {
        let exact = self.frames.partition_point(|(_, at, _)| *at <= time);
        self.next = exact.saturating_sub(1 + self.early);
        Ok(true)
    }

    fn stopper(&self) -> Option<Stopper> {
        let stopped = Arc::clone(&self.stopped);
        Some(Box::new(move || stopped.store(true, std::sync::atomic::Ordering::SeqCst)))
    }
}

proptest! {
    #[test]
    fn what_is_put_around_a_source_gives_the_frames_of_a_straight_run(
        gaps in prop::collection::vec(prop_oneof![5 => Just(1_u32), 1 => Just(0), 1 => 2..15_u32], 0..60),
        offset in 0..20_u32,
        early in 0..4_usize,
        first in 0..8_usize,
        (fps, start, end) in (
            prop::option::of(prop_oneof![Just(10.0), Just(7.0), Just(29.97)]),
            prop::option::of(-1.0..5.0_f64),
            prop::option::of(-1.0..7.0_f64),
        ),
        mirror in any::<bool>(),
        seeks in seeks(),
    ) {
        let mut at = offset;
        let times: Vec<f64> = gaps.iter().map(|gap| { at += gap; f64::from(at) / 10.0 }).collect();
        let settings = SourceSettings { fps, start, end, mirror, ..SourceSettings::default() };
        let straight = run(&mut *adapt(Fake::boxed(&times, 0), &settings));
        let mut source = adapt(Fake::boxed(&times, early), &settings);
        for _ in 0..first {
            next(&mut *source);
        }
        for (time, count) in seeks {
            check(&mut *source, &straight, time, count)?;
        }
    }
}

#[test]
fn what_is_put_around_a_source_that_cannot_seek_cannot_either() {
    struct Straight(Box<dyn Source>);
    impl Source for Straight {
        fn info(&self) -> &SourceInfo {
            self.0.info()
        }
        fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
            self.0.next_frame()
        }
    }
    let times = [0.0, 0.1, 0.2, 0.3, 0.4];
    for (fps, start, mirror) in [(Some(5.0), None, false), (None, Some(0.1), false), (None, None, true)] {
        let settings = SourceSettings { fps, start, mirror, ..SourceSettings::default() };
        let straight = run(&mut *adapt(Fake::boxed(&times, 0), &settings));
        let mut source = adapt(Box::new(Straight(Fake::boxed(&times, 0))), &settings);
        assert!(!source.seek(0.3).unwrap());
        assert_eq!(next(&mut *source).as_ref(), straight.first(), "nothing has changed");
        assert!(!source.seek(0.3).unwrap());
        assert_eq!(next(&mut *source).as_ref(), straight.get(1), "nothing has changed");
    }
}
