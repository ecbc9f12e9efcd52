//! Seeks in real videos made with ffmpeg on the spot: wherever a seek leads, the frames are those of a straight run, by
//! number, time and pixels.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::common::{has, missing};
use trailsight::frame::Picture;
use trailsight::source::{Source, SourceError, SourceSettings, SourceSpec, open_file};

/// A folder with tools to fill it; `None`, said aloud, without ffmpeg.
fn folder() -> Option<tempfile::TempDir> {
    has("ffmpeg").then(|| tempfile::tempdir().unwrap())
}

/// Runs ffmpeg with `arguments`, split at spaces (`DIR` stands for the folder), and returns the last as a path; `None`,
/// said aloud, where this ffmpeg cannot make it.
fn make(folder: &tempfile::TempDir, arguments: &str) -> Option<PathBuf> {
    let words: Vec<String> =
        arguments.split(' ').map(|w| w.replace("DIR", folder.path().to_str().unwrap())).collect();
    let output =
        Command::new("ffmpeg").args(["-v", "error", "-nostdin", "-y"]).args(&words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("Unknown encoder") {
        missing(&format!("an encoder ({})", said.trim()));
        return None;
    }
    assert!(output.status.success(), "{arguments}: {said}");
    Some(PathBuf::from(words.last().unwrap()))
}

fn open(name: &str, settings: &SourceSettings) -> Box<dyn Source> {
    open_file(&SourceSpec::parse(name), settings).unwrap()
}

/// What of a frame has to be the same.
type Seen = (u64, f64, Arc<Picture>);

fn next(source: &mut dyn Source) -> Option<Seen> {
    match source.next_frame() {
        Ok(frame) => frame.map(|frame| (frame.sequence, frame.time, frame.picture)),
        Err(SourceError::Short { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

fn run(source: &mut dyn Source) -> Vec<Seen> {
    std::iter::from_fn(|| next(source)).collect()
}

/// Seeks to `time` and compares `count` frames from the wanted one on with those of a straight run.
fn check(source: &mut dyn Source, straight: &[Seen], time: f64, count: usize, what: &str) {
    let begun = Instant::now();
    assert!(source.seek(time).unwrap(), "{what}");
    let wanted = straight.iter().rposition(|(_, at, _)| *at <= time).unwrap_or(0);
    let mut first = None;
    loop {
        let Some(frame) = next(source) else { panic!("{what}: nothing comes for {time}") };
        let number = frame.0 as usize;
        assert!(number <= *first.get_or_insert(wanted), "{what}: {number} ({}) comes for {time}", frame.1);
        first = Some(number + 1);
        assert!(frame == straight[number], "{what}: frame {number} ({}) differs after {time}", frame.1);
        if number >= wanted {
            break;
        }
    }
    for number in wanted + 1..wanted + count {
        let frame = next(source);
        assert!(frame.as_ref() == straight.get(number), "{what}: frame {number} differs after {time}");
    }
    let limit = Duration::from_secs(60);
    assert!(begun.elapsed() < limit, "{what}: {time} took {:?}", begun.elapsed());
}

/// Seeks all over the recording, on a source that has given nothing, one that plays and one that has ended.
fn check_all(name: &str, settings: &SourceSettings, least: usize) {
    let straight = run(&mut *open(name, settings));
    assert!(straight.len() >= least, "{name}: {} frames", straight.len());
    let (first, last) = (straight[0].1, straight.last().unwrap().1);
    let mut source = open(name, settings);
    source.prepare_seeking();
    for part in [0.7, 0.12, 0.93, 0.33] {
        check(&mut *source, &straight, first + part * (last - first), 3, name);
    }
    // The very time of a frame, between two, next to the ends and beyond.
    for number in [1, straight.len() / 2] {
        check(&mut *source, &straight, straight[number].1, 2, name);
        check(&mut *source, &straight, f64::midpoint(straight[number].1, straight[number + 1].1), 2, name);
    }
    for time in [last, f64::INFINITY, first - 1.0, f64::NAN] {
        check(&mut *source, &straight, time, 2, name);
    }
    while next(&mut *source).is_some() {}
    check(&mut *source, &straight, f64::midpoint(first, last), straight.len(), name);
    assert!(next(&mut *source).is_none() && next(&mut *source).is_none(), "{name}");
    // One that was played for a while first.
    let mut source = open(name, settings);
    (0..10).for_each(|_| assert!(next(&mut *source).is_some()));
    check(&mut *source, &straight, first + 0.8 * (last - first), 2, name);
    check(&mut *source, &straight, first, 2, name);
}

const CLIP: &str = "-f lavfi -i testsrc2=s=160x90:r=25:d=6";

#[test]
fn what_has_an_index_seeks_exactly() {
    let Some(dir) = folder() else { return };
    let settings = SourceSettings::default();
    for arguments in [
        format!("{CLIP} -c:v libx264 -bf 3 -g 30 DIR/a.mp4"),
        format!(
            "{CLIP} -vf select='not(mod(n,3))+gt(n,60)' -vsync passthrough -c:v libx264 -bf 3 -g 30 DIR/vfr.mkv"
        ),
        format!("{CLIP} -c:v libx264 -bf 3 -g 30 -x264-params open-gop=1 DIR/open.mkv"),
        format!(
            "{CLIP} -vf select='not(mod(n,3))+gt(n,60)' -vsync passthrough -c:v libx264 -bf 3 -g 30 DIR/vfr.mp4"
        ),
        format!("{CLIP} -c:v libx265 -x265-params log-level=none:keyint=30 DIR/hevc.mp4"),
        format!("{CLIP} -c:v libx265 -x265-params log-level=none:keyint=30 DIR/hevc.mkv"),
        format!("{CLIP} -c:v libvpx -g 30 DIR/a.webm"),
        // The video begins at 3 s.
        "-itsoffset 3 -i DIR/a.mp4 -f lavfi -i anullsrc -t 8 -map 0:v -map 1:a -c:v copy DIR/late.mkv"
            .to_owned(),
        // An edit list hides the frames before 1.3 s.
        "-ss 1.3 -i DIR/a.mp4 -c copy DIR/edited.mp4".to_owned(),
        format!("{CLIP} -c:v libx264 -movflags frag_keyframe+empty_moov -g 30 DIR/fragments.mp4"),
    ] {
        let Some(path) = make(&dir, &arguments) else { continue };
        check_all(path.to_str().unwrap(), &settings, 100);
    }
}

#[test]
fn what_has_none_seeks_as_exactly() {
    let Some(dir) = folder() else { return };
    let settings = SourceSettings::default();
    for arguments in [
        format!("{CLIP} -c:v libx264 -bf 3 -g 30 DIR/a.ts"),
        format!("{CLIP} -c:v libx264 -bf 3 -g 30 -x264-params open-gop=1 DIR/open.ts"),
        format!("{CLIP} -c:v mpeg2video -bf 2 -g 30 DIR/mpeg2.ts"),
        format!("{CLIP} -c:v libx265 -x265-params log-level=none:keyint=30 DIR/hevc.ts"),
        format!("{CLIP} -c:v mpeg2video -bf 2 -g 30 DIR/a.mpg"),
        format!("{CLIP} -c:v libx264 -bf 3 -g 30 DIR/a.flv"),
        format!("{CLIP} -c:v mpeg4 -g 30 DIR/m.avi"),
        format!("{CLIP} -c:v mpeg4 -bf 2 -g 30 DIR/b.avi"),
        format!("{CLIP} -c:v libx264 -bf 3 -g 30 DIR/h.avi"),
        format!("{CLIP} -c:v libx264 -bf 3 -g 30 DIR/a.h264"),
        format!("{CLIP} -r 10 DIR/a.gif"),
    ] {
        let Some(path) = make(&dir, &arguments) else { continue };
        check_all(path.to_str().unwrap(), &settings, 60);
    }
    // A recording whose time begins anew in the middle.
    let whole = std::fs::read(dir.path().join("a.ts")).unwrap();
    let twice = dir.path().join("twice.ts");
    std::fs::write(&twice, [whole.clone(), whole].concat()).unwrap();
    check_all(twice.to_str().unwrap(), &settings, 250);
}

#[test]
fn start_end_and_rate_are_kept() {
    let Some(dir) = folder() else { return };
    let path = make(&dir, &format!("{CLIP} -c:v libx264 -bf 3 -g 30 DIR/a.mp4")).unwrap();
    let vfr = "-vf select='not(mod(n,3))+gt(n,60)' -vsync passthrough -c:v libx264 -bf 3 -g 30 DIR/vfr.mp4";
    let vfr = make(&dir, &format!("{CLIP} {vfr}")).unwrap();
    let ts = make(&dir, "-i DIR/a.mp4 -c copy DIR/a.ts").unwrap();
    for path in [path, vfr, ts] {
        let name = path.to_str().unwrap();
        let plain = SourceSettings::default();
        check_all(name, &SourceSettings { start: Some(2.01), end: Some(4.5), ..plain.clone() }, 40);
        check_all(name, &SourceSettings { fps: Some(50.0), start: Some(0.5), mirror: true, ..plain }, 40);
    }
}

#[test]
fn a_recording_that_is_cut_off_seeks_without_a_complaint() {
    let Some(dir) = folder() else { return };
    for name in ["whole.mp4", "whole.mkv"] {
        let whole =
            make(&dir, &format!("{CLIP} -c:v libx264 -g 30 -movflags +faststart DIR/{name}")).unwrap();
        let bytes = std::fs::read(&whole).unwrap();
        let cut = dir.path().join(format!("cut-{name}"));
        std::fs::write(&cut, &bytes[..bytes.len() * 2 / 3]).unwrap();
        let settings = SourceSettings::default();
        let straight = run(&mut *open(cut.to_str().unwrap(), &settings));
        let mut source = open(cut.to_str().unwrap(), &settings);
        for time in [2.0, 0.5, 5.9, 3.0] {
            check(&mut *source, &straight, time, 2, name);
        }
        while let Some(frame) = source.next_frame().unwrap() {
            assert!(frame.sequence < straight.len() as u64);
        }
    }
}

#[test]
fn a_source_that_was_stopped_gives_nothing_and_ends_fast() {
    let Some(dir) = folder() else { return };
    let path = make(&dir, &format!("{CLIP} -c:v libx264 -g 30 DIR/a.mp4")).unwrap();
    let settings = SourceSettings::default();
    let mut source = open(path.to_str().unwrap(), &settings);
    let stop = source.stopper().unwrap();
    assert!(source.seek(3.0).unwrap());
    // Handed out before the seek, it still works after it.
    stop();
    let begun = Instant::now();
    (0..200).for_each(|_| drop(source.next_frame()));
    assert!(next(&mut *source).is_none());
    for time in [4.0, 0.0, f64::INFINITY] {
        assert!(source.seek(time).is_ok());
        assert!(next(&mut *source).is_none());
    }
    assert!(begun.elapsed() < Duration::from_secs(30), "nothing is waited for");
}

/// Answers requests for the file, or a part of it from some byte on.
fn serve(mut stream: TcpStream, file: &[u8]) -> std::io::Result<()> {
    let mut from = None;
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?.to_ascii_lowercase();
        if let Some(range) = line.strip_prefix("range: bytes=") {
            from = range.split('-').next().and_then(|from| from.parse::<usize>().ok());
        }
        if line.is_empty() {
            break;
        }
    }
    let (start, all) = (from.unwrap_or(0).min(file.len()), file.len());
    let status = if from.is_some() { "206 Partial Content" } else { "200 OK" };
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nAccept-Ranges: bytes\r\n")?;
    write!(stream, "Content-Range: bytes {start}-{}/{all}\r\n", all.saturating_sub(1))?;
    write!(stream, "Content-Length: {}\r\n\r\n", all - start)?;
    stream.write_all(&file[start..])
}

#[test]
fn a_file_behind_an_address_seeks() {
    let Some(dir) = folder() else { return };
    let path = make(&dir, &format!("{CLIP} -c:v libx264 -bf 3 -g 30 DIR/a.mp4")).unwrap();
    let file = std::fs::read(&path).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/a.mp4", listener.local_addr().unwrap());
    // Left behind at the end of the test.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that has enough hangs up.
            let file = file.clone();
            std::thread::spawn(move || serve(stream, &file));
        }
    });
    check_all(&address, &SourceSettings::default(), 150);
}

#[test]
fn what_is_no_file_says_that_it_cannot() {
    let Some(dir) = folder() else { return };
    let path = make(&dir, &format!("{CLIP} -c:v libx264 -g 30 DIR/a.ts")).unwrap();
    let pipe = dir.path().join("pipe");
    if !Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()) {
        missing("mkfifo");
        return;
    }
    let (from, to) = (path, pipe.clone());
    // The probe reads what the pipe holds first; the decoder goes on where it hung up.
    std::thread::spawn(move || feed(&from, &to));
    let mut source = open(pipe.to_str().unwrap(), &SourceSettings::default());
    assert!(!source.seek(1.0).unwrap());
}

fn feed(from: &Path, to: &Path) {
    let bytes = std::fs::read(from).unwrap();
    while let Ok(mut pipe) = std::fs::OpenOptions::new().write(true).open(to) {
        // Whoever reads hangs up when it has enough.
        let _ = pipe.write_all(&bytes);
    }
}
