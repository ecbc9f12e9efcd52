//! Stand-ins for ffmpeg that misbehave, and the parts that need no ffmpeg. Real videos: `tests/library/source_video.rs`.

use super::*;
use std::collections::VecDeque;
use std::io::BufReader;
use std::path::Path;

use super::probe::is_timeless;
use super::process::{LINE, MESSAGES, container_of, keep, read_line};
use crate::sync::lock;

#[test]
fn times_never_go_back() {
    let mut clock = Clock::new(Some(10.0), false);
    let told: Vec<f64> =
        [Some(1.0), Some(1.1), Some(1.05), Some(1.2), None, Some(0.0), Some(0.1), Some(f64::NAN), Some(9.0)]
            .map(|stamp| (clock.tell(stamp) * 1e6).round() / 1e6)
            .to_vec();
    // 1.05 is a slip; 0.0 a new beginning, after which the stamps are shifted.
    assert_eq!(told, [1.0, 1.1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 10.4]);
}

#[test]
fn a_clock_that_begins_anew_ahead_goes_on_where_it_may() {
    let stamps = [Some(7.0), Some(7.1), Some(3607.2), Some(3607.3), Some(7.0), Some(95445.0), Some(95445.1)];
    let told = |spliced| {
        let mut clock = Clock::new(Some(10.0), spliced);
        stamps.map(|stamp| (clock.tell(stamp) * 1e6).round() / 1e6)
    };
    assert_eq!(told(true), [7.0, 7.1, 7.2, 7.3, 7.4, 7.5, 7.6]);
    assert_eq!(told(false)[..4], [7.0, 7.1, 3607.2, 3607.3], "other containers mean what they say");
    // One picture in five minutes.
    let mut slow = Clock::new(Some(1.0 / 300.0), true);
    assert_eq!([0.0, 300.0, 600.0, 1200.0].map(|stamp| slow.tell(Some(stamp))), [0.0, 300.0, 600.0, 1200.0]);
}

#[test]
fn containers_without_times_are_known() {
    let line = |name: &str| format!("[info] Input #0, {name}, from 'tcp://127.0.0.1:9':");
    let known = |name: &str| is_timeless(container_of(&line(name)).unwrap());
    assert!(["mpjpeg", "h264", "jpeg_pipe"].iter().all(|name| known(name)));
    assert!(["mpegts", "mov,mp4,m4a,3gp,3g2,mj2", "rtsp"].iter().all(|name| !known(name)));
    assert_eq!(container_of("[info] Stream #0:0: Video: h264, from a place"), None);
}

#[test]
fn long_lines_are_cut_and_the_next_one_is_whole() {
    let text = format!("{}\nshort\n\nlast", "x".repeat(3 * LINE));
    let mut log = BufReader::with_capacity(100, text.as_bytes());
    let mut line = Vec::new();
    let mut lengths = Vec::new();
    while read_line(&mut log, &mut line) {
        lengths.push(line.len());
    }
    assert_eq!(lengths, [LINE, 5, 0, 4]);
}

#[test]
fn messages_are_tidied_and_few() {
    let messages = Mutex::new(VecDeque::new());
    keep("[mov,mp4 @ 0x5628] [error] stream 0, offset 0x1: partial file", &messages);
    keep("[info] nothing", &messages);
    keep("[fatal] rtsp://me:secret@cam/live: 401", &messages);
    assert_eq!(*lock(&messages), ["mov,mp4: stream 0, offset 0x1: partial file", "rtsp://cam/live: 401"]);
    for i in 0..100 {
        keep(&format!("[error] {i}"), &messages);
    }
    assert_eq!(lock(&messages).len(), MESSAGES);
}

#[cfg(unix)]
mod fakes {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const REPLY: &str = r#"{"streams": [{"codec_type": "video", "codec_name": "h264", "width": 4, "height": 2,
        "avg_frame_rate": "10/1", "nb_frames": "3", "duration": "0.3", "start_time": "0.0"}],
        "format": {"format_name": "mov,mp4", "duration": "0.3"}}"#;
    const CONFIG: &str =
        "echo '[Parsed_showinfo_3 @ 0x1] [info] config in time_base: 1/10, frame_rate: 10/1' >&2";

    struct Fake {
        folder: tempfile::TempDir,
    }

    impl Fake {
        /// An `ffprobe` that answers with `reply` and an `ffmpeg` that runs the shell commands `script`.
        fn new(reply: &str, script: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("reply"), reply).unwrap();
            std::fs::write(folder.path().join("film.mp4"), "film").unwrap();
            let fake = Self { folder };
            fake.program("ffprobe", &format!("cat '{}'", fake.path("reply").display()));
            fake.program("ffmpeg", script);
            fake
        }

        fn path(&self, name: &str) -> std::path::PathBuf {
            self.folder.path().join(name)
        }

        fn program(&self, name: &str, script: &str) {
            let path = self.path(name);
            // Written under another name first: a program that is open for writing somewhere cannot be started.
            std::fs::write(self.path("new"), format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(self.path("new"), std::fs::Permissions::from_mode(0o755)).unwrap();
            std::fs::rename(self.path("new"), path).unwrap();
        }

        fn tools(&self) -> Tools {
            Tools { ffmpeg: self.path("ffmpeg"), ffprobe: self.path("ffprobe") }
        }

        fn open(&self) -> Result<FfmpegSource, SourceError> {
            let input = Input::File(self.path("film.mp4"));
            // Another test's fork may hold the script open for a moment ("text file busy").
            for _ in 0..50 {
                match FfmpegSource::open_with(&self.tools(), &input, &Options::default()) {
                    Err(SourceError::Open { why, .. }) if why.contains("busy") => {
                        thread::sleep(Duration::from_millis(20));
                    }
                    outcome => return outcome,
                }
            }
            FfmpegSource::open_with(&self.tools(), &input, &Options::default())
        }
    }

    /// Shell commands for frame `n` of 4 × 2 pixels.
    fn frame(n: u32) -> String {
        format!(
            "echo '[Parsed_showinfo_3 @ 0x1] [info] n: {n} pts: {n} pts_time:x fmt:gray sar:1/1 s:4x2 i:P ' >&2\n\
             echo '[Parsed_showinfo_3 @ 0x1] [info] color_range:pc color_space:unknown' >&2\nprintf 'abcdefgh'\n"
        )
    }

    fn all(source: &mut FfmpegSource) -> (u64, Option<SourceError>) {
        let mut count = 0;
        loop {
            match source.next_frame() {
                Ok(Some(frame)) => {
                    assert_eq!(frame.sequence, count);
                    count += 1;
                }
                Ok(None) => return (count, None),
                Err(error) => {
                    assert!(matches!(source.next_frame(), Ok(None)), "after an error there is no more");
                    return (count, Some(error));
                }
            }
        }
    }

    #[test]
    fn a_plain_run() {
        let script = format!("{CONFIG}\n{}{}{}", frame(0), frame(1), frame(2));
        let fake = Fake::new(REPLY, &script);
        let mut source = fake.open().unwrap();
        assert_eq!((source.info().size, source.info().frames), (Some((4, 2)), Some(3)));
        let first = source.next_frame().unwrap().unwrap();
        assert_eq!(first.picture.rgb()[1], [b'b'; 3]);
        assert!((source.next_frame().unwrap().unwrap().time - 0.1).abs() < 1e-12);
        assert!(source.next_frame().unwrap().is_some());
        assert!(source.next_frame().unwrap().is_none());
    }

    #[test]
    fn a_death_in_the_middle_is_an_error_with_its_last_words() {
        let words = "echo '[h264 @ 0x77] [error] all is lost' >&2";
        for (last, wanted) in [("exit 3", "exit status: 3"), ("kill -9 $$", "signal: 9")] {
            let script = format!("{CONFIG}\n{}{}{words}\n{last}", frame(0), frame(1));
            let fake = Fake::new(REPLY, &script);
            let (count, error) = all(&mut fake.open().unwrap());
            let error = error.unwrap().to_string();
            assert_eq!(count, 2);
            assert!(error.contains(wanted) && error.contains("h264: all is lost"), "{error}");
        }
        // In the middle of a frame.
        let script = format!("{CONFIG}\n{}{}", frame(0), frame(1).replace("abcdefgh", "abc")) + "exit 1";
        let (count, error) = all(&mut Fake::new(REPLY, &script).open().unwrap());
        assert!(count == 1 && matches!(error, Some(SourceError::Read { .. })));
    }

    #[test]
    fn a_death_at_once_and_an_early_end_are_told_apart() {
        let (count, error) = all(&mut Fake::new(REPLY, "exit 1").open().unwrap());
        assert!(count == 0 && matches!(error, Some(SourceError::Read { .. })));
        let (_, error) = all(&mut Fake::new(REPLY, "exit 0").open().unwrap());
        assert!(error.unwrap().to_string().contains("not one frame"));
        let partial = "echo '[mov @ 0x1] [error] stream 0: partial file' >&2";
        let script = format!("{CONFIG}\n{}{}{partial}", frame(0), frame(1));
        let (_, error) = all(&mut Fake::new(REPLY, &script).open().unwrap());
        match error {
            Some(SourceError::Short { got: 2, promised: 3, detail, .. }) => {
                assert!(detail.contains("partial file"))
            }
            other => panic!("{other:?}"),
        }
        // An edit list hides frames without an error.
        let reply = REPLY.replace(r#""duration": "0.3""#, r#""duration": "0.2""#);
        let script = format!("{CONFIG}\n{}{}", frame(0), frame(1));
        assert_eq!(all(&mut Fake::new(&reply, &script).open().unwrap()).0, 2);
        assert!(all(&mut Fake::new(&reply, &script).open().unwrap()).1.is_none());
    }

    #[test]
    fn garbage_is_an_error_and_never_a_hang() {
        for (script, word) in [
            (format!("{CONFIG}\nhead -c 300000 /dev/urandom >&2\n{}", frame(7)), "cannot be followed"),
            (format!("{CONFIG}\n{}", frame(0).replace("4x2", "40000x40000")), "out of range"),
            (format!("{CONFIG}\n{}", frame(0).replace("4x2", "0x0")), "out of range"),
            (format!("{CONFIG}\n{}", frame(0).replace("gray", "nv12")), "nv12"),
            (format!("{CONFIG}\n{}", frame(0).replace("pts: 0", "pts: x")), "no time stamp"),
        ] {
            let (count, error) = all(&mut Fake::new(REPLY, &script).open().unwrap());
            let error = error.unwrap().to_string();
            assert!(count == 0 && error.contains(word), "{error}");
        }
    }

    #[test]
    fn a_full_pipe_on_either_side_is_no_deadlock() {
        // Far more log than a pipe holds before each frame, and frames while nobody reads the log's end.
        let noise = "head -c 200000 /dev/zero | tr '\\0' 'x' >&2; echo >&2\n";
        let script = format!("{CONFIG}\n{noise}{}{noise}{}{noise}{}{noise}", frame(0), frame(1), frame(2));
        let (count, error) = all(&mut Fake::new(REPLY, &script).open().unwrap());
        assert!(count == 3 && error.is_none(), "{error:?}");
    }

    /// Whether the process with this id runs (a reaped one does not exist).
    fn runs(pid: u32) -> bool {
        Path::new("/proc").join(pid.to_string()).exists()
    }

    #[test]
    fn the_stopper_ends_a_blocked_read_and_the_child() {
        for script in ["exec sleep 600", "exec yes", "exec yes '[error] x' >&2"] {
            let fake = Fake::new(REPLY, script);
            let mut source = fake.open().unwrap();
            let pid = lock(&source.child).id();
            let stop = source.stopper().unwrap();
            let begun = Instant::now();
            let stopping = thread::spawn(move || {
                thread::sleep(Duration::from_millis(150));
                stop();
            });
            assert!(matches!(source.next_frame(), Ok(None)), "{script}");
            stopping.join().unwrap();
            assert!(begun.elapsed() < Duration::from_secs(4), "{script}");
            assert!(!cfg!(target_os = "linux") || !runs(pid), "{script}");
        }
    }

    #[test]
    fn a_stopper_ends_a_seek_and_the_child_that_it_started() {
        // The child that is started in the middle gives nothing, and does not end.
        let script =
            format!("case \"$*\" in *-ss*) exec sleep 600;; esac\n{CONFIG}\n{}{}", frame(0), frame(1));
        let reply = REPLY.replace(r#""duration": "0.3""#, r#""duration": "60.0""#);
        let fake = Fake::new(&reply, &script);
        let mut source = fake.open().unwrap();
        assert!(source.next_frame().unwrap().is_some());
        let (stop, child) = (source.stopper().unwrap(), Arc::clone(&source.child));
        let begun = Instant::now();
        let stopping = thread::spawn(move || {
            thread::sleep(Duration::from_millis(400));
            let pid = lock(&child).id();
            stop();
            pid
        });
        assert!(source.seek(30.0).unwrap());
        assert!(source.next_frame().unwrap().is_none());
        let pid = stopping.join().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(4));
        assert!(!cfg!(target_os = "linux") || !runs(pid));
        assert!(source.seek(0.0).unwrap());
        assert!(source.next_frame().unwrap().is_none(), "stopped is stopped");
        let pid = lock(&source.child).id();
        assert!(!cfg!(target_os = "linux") || !runs(pid));
    }

    #[test]
    fn a_child_that_cannot_be_started_again_is_an_error() {
        let script = format!("{CONFIG}\n{}{}{}", frame(0), frame(1), frame(2));
        let fake = Fake::new(REPLY, &script);
        let mut source = fake.open().unwrap();
        assert!(source.next_frame().unwrap().is_some());
        std::fs::remove_file(fake.path("ffmpeg")).unwrap();
        assert!(matches!(source.seek(0.0), Err(SourceError::Missing { .. })));
        assert!(source.next_frame().unwrap().is_none());
        // And it is good again once there is one.
        fake.program("ffmpeg", &script);
        assert!(source.seek(0.0).unwrap());
        assert_eq!(source.next_frame().unwrap().unwrap().sequence, 0);
    }

    #[test]
    fn nothing_is_left_when_the_source_is_dropped() {
        let script = format!("{CONFIG}\n{}exec sleep 600", frame(0));
        let fake = Fake::new(REPLY, &script);
        let mut source = fake.open().unwrap();
        assert!(source.next_frame().unwrap().is_some());
        let pid = lock(&source.child).id();
        assert!(!cfg!(target_os = "linux") || runs(pid));
        drop(source);
        assert!(!cfg!(target_os = "linux") || !runs(pid));
    }

    #[test]
    fn a_probe_that_talks_nonsense_is_an_error() {
        for reply in ["", "{", "[]", r#"{"streams": 5}"#, r#"{"format": {}}"#] {
            let error = Fake::new(reply, "exit 0").open().err().unwrap();
            assert!(matches!(error, SourceError::Read { .. }), "{reply}: {error}");
        }
    }

    #[test]
    fn programs_that_are_missing_are_named() {
        let fake = Fake::new(REPLY, "exit 0");
        let input = Input::File(fake.path("film.mp4"));
        let none = Tools { ffprobe: fake.path("none"), ..fake.tools() };
        let error = FfmpegSource::open_with(&none, &input, &Options::default()).err().unwrap().to_string();
        assert!(error.contains("ffprobe") && error.contains("install ffmpeg"), "{error}");
        let none = Tools { ffmpeg: fake.path("none"), ..fake.tools() };
        let error = FfmpegSource::open_with(&none, &input, &Options::default()).err().unwrap();
        assert!(matches!(error, SourceError::Missing { program: "ffmpeg", .. }), "{error}");
    }
}
