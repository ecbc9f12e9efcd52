//! Motion-JPEG AVI: what we write can be read by us and by others at any moment, and what we read may be damaged.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::video::{
    assert_card, card, ffmpeg, have_ffmpeg, near, number_of, numbered, packet_times, run,
};
use proptest::prelude::*;
use trailsight::sink::{VideoSettings, VideoWriter};
use trailsight::source::{AviSource, Source, SourceError, is_motion_jpeg};

/// The pictures that a file gives, as the numbers painted on them, with their times, and how it ended.
fn read(path: &Path) -> (Vec<(u32, f64)>, Result<(), SourceError>) {
    let mut source = match AviSource::open(path) {
        Ok(source) => source,
        Err(error) => return (vec![], Err(error)),
    };
    let mut frames = vec![];
    loop {
        match source.next_frame() {
            Ok(Some(frame)) => {
                assert_eq!(frame.sequence, frames.len() as u64);
                frames.push((number_of(&frame.picture), frame.time));
            }
            Ok(None) => return (frames, Ok(())),
            Err(error) => return (frames, Err(error)),
        }
    }
}

fn numbers(frames: &[(u32, f64)]) -> Vec<u32> {
    frames.iter().map(|(number, _)| *number).collect()
}

/// Writes frames with these times at `rate`.
fn write(path: &Path, rate: f64, times: &[f64]) -> VideoWriter {
    let settings = VideoSettings { rate: Some(rate), ..VideoSettings::default() };
    let mut writer = VideoWriter::create(path, &settings).unwrap();
    for (number, time) in times.iter().enumerate() {
        writer.write(&numbered(64, 48, number as u32), *time).unwrap();
    }
    writer
}

/// An AVI of 12 numbered frames at 10 fps.
fn small(folder: &Path) -> PathBuf {
    let path = folder.join("small.avi");
    let times: Vec<f64> = (0..12).map(|i| i as f64 / 10.0).collect();
    write(&path, 10.0, &times).finish().unwrap();
    path
}

#[test]
fn frames_keep_their_order_and_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.avi");
    let times: Vec<f64> = (0..40).map(|i| 3.0 + f64::from(i) * 1001.0 / 30_000.0).collect();
    write(&path, 30_000.0 / 1001.0, &times).finish().unwrap();
    assert!(is_motion_jpeg(&path));
    let source = AviSource::open(&path).unwrap();
    assert_eq!(source.info().size, Some((64, 48)));
    assert_eq!(source.info().frames, Some(40));
    assert!((source.info().rate.unwrap() - 30_000.0 / 1001.0).abs() < 1e-9);
    assert!((source.info().duration.unwrap() - 40.0 * 1001.0 / 30_000.0).abs() < 1e-9);
    let (frames, end) = read(&path);
    end.unwrap();
    assert_eq!(numbers(&frames), (0..40).collect::<Vec<_>>());
    for ((_, time), given) in frames.iter().zip(&times) {
        assert!((time - (given - 3.0)).abs() < 1e-9);
    }
}

#[test]
fn irregular_times_become_a_constant_rate_within_half_a_frame() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.avi");
    let times = [0.0, 0.1, 0.14, 0.33, 0.34, 0.9, 1.0];
    write(&path, 10.0, &times).finish().unwrap();
    let (frames, end) = read(&path);
    end.unwrap();
    // 0.14 lies nearest to 0.1 and 0.34 to 0.3, where a frame is already.
    assert_eq!(numbers(&frames), [0, 1, 1, 3, 3, 3, 3, 3, 3, 5, 6]);
    if have_ffmpeg() {
        let told = packet_times(&path);
        assert!(
            told.iter().all(|time| frames.iter().any(|(_, ours)| (ours - time).abs() < 1e-3)),
            "{told:?}"
        );
        assert_eq!((told.len(), *told.last().unwrap()), (5, 1.0));
    }
}

#[test]
fn a_day_of_standstill_is_cut_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.avi");
    write(&path, 10.0, &[0.0, 0.1, 90_000.0, 90_000.1, f64::NAN, 1e300, f64::MAX]).finish().unwrap();
    let (frames, end) = read(&path);
    end.unwrap();
    assert!(numbers(&frames).starts_with(&[0, 1, 2, 3]) && frames.len() < 10, "{frames:?}");
}

#[test]
fn the_file_plays_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.avi");
    let times: Vec<f64> = (0..30).map(|i| f64::from(i) / 10.0).collect();
    let writer = write(&path, 10.0, &times);
    assert!(!path.exists());
    let copy = folder.path().join("copy.avi");
    fs::copy(folder.path().join("a.partial.avi"), &copy).unwrap();
    drop(writer);
    let (frames, end) = read(&copy);
    end.unwrap();
    assert_eq!(numbers(&frames), (0..30).collect::<Vec<_>>());
    if have_ffmpeg() {
        assert_eq!(packet_times(&copy).len(), 30);
        let said =
            run(Command::new("ffmpeg").args(["-v", "error", "-i"]).arg(&copy).args(["-f", "null", "-"]));
        assert_eq!(said.1, "", "nothing to complain about");
    }
    assert!(!path.exists() && folder.path().join("a.partial.avi").exists());
}

#[test]
fn others_read_our_colours_and_we_read_theirs() {
    if !have_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.avi");
    let (canvas, colours) = card();
    let mut writer = VideoWriter::create(&path, &VideoSettings::default()).unwrap();
    writer.write(&canvas, 0.0).unwrap();
    writer.finish().unwrap();
    let theirs = folder.path().join("b.avi");
    ffmpeg(&["-i", path.to_str().unwrap(), "-c:v", "mjpeg", "-q:v", "1", theirs.to_str().unwrap()]);
    for file in [&path, &theirs] {
        let frame = AviSource::open(file).unwrap().next_frame().unwrap().unwrap();
        assert_card(frame.picture.pixels(), &colours);
    }
    let (raw, _) = run(Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(&path)
        .args(["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]));
    assert_card(&raw, &colours);
}

#[test]
fn files_of_ffmpeg_are_read_as_ffprobe_does() {
    if !have_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("theirs.avi");
    let name = path.to_str().unwrap();
    // Odd sizes, sound, and standard Huffman tables.
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc=size=99x51:rate=30000/1001:duration=2",
        "-f",
        "lavfi",
        "-i",
        "sine=duration=2:sample_rate=11025",
        "-c:v",
        "mjpeg",
        "-huffman",
        "default",
        "-c:a",
        "pcm_u8",
        name,
    ]);
    let source = AviSource::open(&path).unwrap();
    assert_eq!(source.info().size, Some((99, 51)));
    assert_eq!(source.info().sound.as_deref(), Some(path.as_path()));
    let (frames, end) = read(&path);
    end.unwrap();
    let times = packet_times(&path);
    assert_eq!(frames.len(), times.len());
    assert!(frames.iter().zip(&times).all(|((_, ours), theirs)| (ours - theirs).abs() < 1e-5));

    // Without the tables, as cameras write it: the same pictures.
    let mut bytes = fs::read(&path).unwrap();
    let mut taken = 0;
    for start in 0..bytes.len() - 420 {
        if bytes[start..].starts_with(&[0xff, 0xc4, 0x01, 0xa2]) {
            // A comment of the same length.
            bytes[start + 1] = 0xfe;
            taken += 1;
        }
    }
    assert_eq!(taken, frames.len());
    let bare = folder.path().join("bare.avi");
    fs::write(&bare, bytes).unwrap();
    let (mut ours, mut whole) = (AviSource::open(&bare).unwrap(), AviSource::open(&path).unwrap());
    while let Some(frame) = whole.next_frame().unwrap() {
        assert_eq!(ours.next_frame().unwrap().unwrap().picture, frame.picture);
    }

    let other = folder.path().join("mpeg4.avi");
    ffmpeg(&["-f", "lavfi", "-i", "testsrc=duration=1", "-c:v", "mpeg4", other.to_str().unwrap()]);
    assert!(!is_motion_jpeg(&other));
    let said = AviSource::open(&other).err().unwrap().to_string();
    assert!(said.contains("FMP4, not Motion JPEG; install ffmpeg"), "{said}");
}

/// A file of several parts: what `ffmpeg` does past a gigabyte, put together from a small one.
#[test]
fn parts_without_index_and_without_padding_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(small(folder.path())).unwrap();
    let movi = bytes.windows(4).position(|four| four == b"movi").unwrap();
    let index = bytes.windows(4).position(|four| four == b"ix00").unwrap();
    let pictures = &bytes[movi + 4..index];
    let mut two = bytes[..index].to_vec();
    two.extend_from_slice(b"JUNK\x03\0\0\0abc\0RIFF\0\0\0\0AVIXLIST\0\0\0\0movi");
    two.extend_from_slice(b"LIST\0\0\0\0rec 01wb\x02\0\0\0xx");
    two.extend_from_slice(pictures);
    two.extend_from_slice(b"00dc\0\0\0\0");
    let path = folder.path().join("two.avi");
    fs::write(&path, &two).unwrap();
    let (frames, end) = read(&path);
    end.unwrap();
    let wanted: Vec<u32> = (0..12).chain(0..12).chain([11]).collect();
    assert_eq!(numbers(&frames), wanted);

    // The same pictures without padding, cut out chunk by chunk.
    let mut tight = bytes[..movi + 4].to_vec();
    let mut at = 0;
    while at < pictures.len() {
        let size = u32::from_le_bytes(pictures[at + 4..at + 8].try_into().unwrap()) as usize;
        // An odd length for every chunk: a zero behind the end of the JPEG is no harm.
        let odd = size | 1;
        tight.extend_from_slice(b"00dc");
        tight.extend_from_slice(&(odd as u32).to_le_bytes());
        tight.extend_from_slice(&pictures[at + 8..at + 8 + size]);
        tight.resize(tight.len() + odd - size, 0);
        at += 8 + size + size % 2;
    }
    fs::write(&path, &tight).unwrap();
    let (frames, end) = read(&path);
    end.unwrap();
    assert_eq!(numbers(&frames), (0..12).collect::<Vec<_>>());
}

#[test]
fn a_cut_file_gives_its_frames_and_then_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let whole = small(folder.path());
    let bytes = fs::read(&whole).unwrap();
    let third = bytes.windows(4).enumerate().filter(|(_, four)| four == b"00dc").map(|(at, _)| at);
    let third = third.filter(|at| bytes[at + 8..].starts_with(&[0xff, 0xd8])).nth(3).unwrap();
    let cut = folder.path().join("cut.avi");
    fs::write(&cut, &bytes[..third + 100]).unwrap();
    let (frames, end) = read(&cut);
    assert_eq!(numbers(&frames), [0, 1, 2]);
    let said = end.unwrap_err().to_string();
    assert!(said.contains("it gave 3 frames of 12; the file is cut off"), "{said}");
}

#[test]
fn damage_costs_no_more_than_its_frame() {
    let folder = tempfile::tempdir().unwrap();
    let whole = small(folder.path());
    let good = fs::read(&whole).unwrap();
    let starts: Vec<usize> = (0..good.len() - 10)
        .filter(|&at| good[at..].starts_with(b"00dc") && good[at + 8..].starts_with(&[0xff, 0xd8]))
        .collect();
    assert_eq!(starts.len(), 12);
    let path = folder.path().join("bad.avi");
    // The length of frame 3 is enormous; that of frame 6 is a bit short; frame 8 is no JPEG; the first one is rubbish.
    let mut bytes = good.clone();
    bytes[starts[3] + 7] = 0x7f;
    bytes[starts[6] + 4] ^= 0x21;
    bytes[starts[8] + 8] = 0;
    for byte in &mut bytes[starts[0] + 10..starts[1]] {
        *byte = 0;
    }
    fs::write(&path, &bytes).unwrap();
    let (frames, end) = read(&path);
    end.unwrap();
    assert_eq!(numbers(&frames), [1, 1, 2, 2, 4, 5, 5, 7, 7, 9, 10, 11]);

    for start in starts {
        bytes[start + 8] = 0;
    }
    fs::write(&path, &bytes).unwrap();
    let said = AviSource::open(&path).err().unwrap().to_string();
    assert!(said.contains("no picture in it can be decoded"), "{said}");
}

#[test]
fn what_is_no_avi_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.avi");
    for (content, wanted) in [
        (&b""[..], "no whole AVI file"),
        (b"hello, this is text and not a film", "no AVI file"),
        (b"RIFF\0\0\0\0AVI LIST\x04\0\0\0hdrl", "no whole AVI file"),
        (b"RIFF\0\0\0\0AVI LIST\x04\0\0\0movi", "no video"),
    ] {
        fs::write(&path, content).unwrap();
        assert!(!is_motion_jpeg(&path));
        let said = AviSource::open(&path).err().unwrap().to_string();
        assert!(said.starts_with("cannot open ") && said.contains(wanted), "{said}");
    }
    assert!(AviSource::open(folder.path()).is_err() && AviSource::open(&folder.path().join("none")).is_err());
}

#[test]
fn a_full_disk_is_said() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let mut writer = VideoWriter::create(Path::new("/dev/full"), &VideoSettings::default()).unwrap();
    let said = writer.write(&numbered(64, 48, 1), 0.0).unwrap_err().to_string();
    assert!(said.contains("disk is full"), "{said}");
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (width, height) in [(0, 0), (0, 7)] {
        let mut writer =
            VideoWriter::create(&folder.path().join("a.avi"), &VideoSettings::default()).unwrap();
        let said = writer.write(&trailsight::view::Canvas::new(width, height), 0.0).unwrap_err().to_string();
        assert!(said.contains("out of range"), "{said}");
    }
}

#[test]
fn another_size_is_fitted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.avi");
    let mut writer = VideoWriter::create(&path, &VideoSettings::default()).unwrap();
    writer.write(&numbered(64, 48, 0), 0.0).unwrap();
    let mut white = trailsight::view::Canvas::new(480, 480);
    white.pixels_mut().fill(0x00ff_ffff);
    writer.write(&white, 1.0 / 30.0).unwrap();
    writer.finish().unwrap();
    let mut source = AviSource::open(&path).unwrap();
    source.next_frame().unwrap();
    let picture = source.next_frame().unwrap().unwrap().picture;
    let at = |x: usize| picture.rgb()[24 * 64 + x];
    assert!(
        near(at(2), [0; 3], 6)
            && near(at(61), [0; 3], 6)
            && near(at(12), [255; 3], 6)
            && near(at(51), [255; 3], 6)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Any beginning of a file, and any bytes changed in it: frames or an error, never a panic, and never more frames
    /// than chunks.
    #[test]
    fn no_damage_makes_it_panic(
        cut in 0.0f64..1.2, flips in prop::collection::vec((0.0f64..1.0, any::<u8>()), 0..12), head in any::<bool>()
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = fs::read(small(folder.path())).unwrap();
        // The room for the index makes most of the head; leave it out of what is changed.
        let length = if head { 300.0 } else { bytes.len() as f64 };
        for (at, value) in flips {
            bytes[(at * length) as usize] = value;
        }
        bytes.truncate((cut * bytes.len() as f64) as usize);
        let path = folder.path().join("bad.avi");
        fs::write(&path, &bytes).unwrap();
        let (frames, _) = read(&path);
        prop_assert!(frames.len() <= 40);
    }

    /// Killed at any moment: every frame that lies in the file whole is read.
    #[test]
    fn every_whole_frame_of_a_cut_file_is_read(cut in 0.0f64..1.0) {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = fs::read(small(folder.path())).unwrap();
        bytes.truncate((cut * bytes.len() as f64) as usize);
        let path = folder.path().join("cut.avi");
        fs::write(&path, &bytes).unwrap();
        let whole = (0..bytes.len().saturating_sub(10)).filter(|&at| {
            let size = |four: &[u8]| u32::from_le_bytes(four.try_into().unwrap()) as usize;
            bytes[at..].starts_with(b"00dc") && bytes[at + 8..].starts_with(&[0xff, 0xd8])
                && at + 8 + size(&bytes[at + 4..at + 8]) <= bytes.len()
        }).count() as u32;
        let (frames, _) = read(&path);
        prop_assert_eq!(numbers(&frames), (0..whole).collect::<Vec<_>>());
    }
}
