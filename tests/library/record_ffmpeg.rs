//! Video through `ffmpeg`: times, colours, sound, and a child that dies.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::video::{assert_card, card, ffmpeg, have_ffmpeg, numbered, packet_times, probe, run};
use trailsight::sink::{SinkError, VideoSettings, VideoWriter};

/// Irregular times around a rate.
fn irregular(fps: f64, count: u32) -> Vec<f64> {
    (0..count)
        .map(|i| {
            let jitter = f64::from(i * 7919 % 13) / 13.0 - 0.5;
            let pause = if i > count / 2 { 1.7 } else { 0.0 };
            if i == 0 { 0.0 } else { pause + (f64::from(i) + 0.8 * jitter) / fps }
        })
        .collect()
}

#[test]
fn every_frame_keeps_its_own_time() {
    if !have_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, fps) in [("a.mp4", 7.0), ("b.mp4", 30.0), ("c.mkv", 30.0), ("d.mov", 7.0), ("e.webm", 7.0)] {
        let path = folder.path().join(name);
        let times = irregular(fps, 60);
        let settings = VideoSettings { rate: Some(fps), ..VideoSettings::default() };
        let mut writer = VideoWriter::create(&path, &settings).unwrap();
        for (number, time) in times.iter().enumerate() {
            writer.write(&numbered(96, 64, number as u32), 12.5 + time).unwrap();
        }
        assert!(!path.exists());
        writer.finish().unwrap();
        let told = packet_times(&path);
        assert_eq!(told.len(), times.len(), "{name}");
        for (told, given) in told.iter().zip(&times) {
            assert!((told - given).abs() <= 0.001, "{name}: {told} instead of {given}");
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5, "nothing else is left behind");
}

#[test]
fn colours_come_out_as_they_went_in_and_are_named() {
    if !have_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (canvas, colours) = card();
    for name in ["a.mp4", "b.mkv", "c.webm"] {
        let path = folder.path().join(name);
        let mut writer =
            VideoWriter::create(&path, &VideoSettings { quality: 100, ..VideoSettings::default() }).unwrap();
        for frame in 0..5 {
            writer.write(&canvas, f64::from(frame) / 10.0).unwrap();
        }
        writer.finish().unwrap();
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-i"]).arg(&path);
        command.args([
            "-vf",
            "scale=in_color_matrix=bt709:in_range=tv",
            "-frames:v",
            "1",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
            "-",
        ]);
        assert_card(&run(&mut command).0, &colours);
        let tags = probe(&path, "stream=color_range,color_space,color_transfer,color_primaries,pix_fmt");
        assert_eq!(tags, ["yuv420p,tv,bt709,bt709,bt709"], "{name}");
    }
}

#[test]
fn odd_sizes_are_padded_to_even_ones() {
    if !have_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (width, height) in [(1, 1), (97, 63), (98, 63)] {
        let path = folder.path().join(format!("{width}x{height}.mp4"));
        let mut writer = VideoWriter::create(&path, &VideoSettings::default()).unwrap();
        writer.write(&numbered(width, height, 5), 0.0).unwrap();
        writer.finish().unwrap();
        let even = |side: usize| side + side % 2;
        assert_eq!(probe(&path, "stream=width,height"), [format!("{},{}", even(width), even(height))]);
    }
}

/// A clip of three seconds whose sound is in this codec.
fn clip(folder: &Path, name: &str, codec: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc=size=64x48:rate=10:duration=3",
        "-f",
        "lavfi",
        "-i",
        "sine=duration=3",
        "-c:v",
        "mjpeg",
        "-c:a",
        codec,
        path.to_str().unwrap(),
    ]);
    path
}

fn sound_of(path: &Path) -> String {
    let mut command = Command::new("ffprobe");
    command.args([
        "-v",
        "error",
        "-select_streams",
        "a",
        "-show_entries",
        "stream=codec_name,duration",
        "-of",
        "csv=p=0",
    ]);
    String::from_utf8(run(command.arg(path)).0).unwrap().trim().to_owned()
}

#[test]
fn sound_is_copied_or_encoded_anew_where_it_must_be() {
    if !have_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let aac = clip(folder.path(), "aac.mkv", "aac");
    let pcm = clip(folder.path(), "pcm.avi", "pcm_s16le");
    let silent = folder.path().join("silent.avi");
    ffmpeg(&["-i", pcm.to_str().unwrap(), "-an", "-c", "copy", silent.to_str().unwrap()]);
    for (sound, name, codec) in [
        (&aac, "a.mp4", "aac"),
        (&pcm, "b.mp4", "aac"),
        (&pcm, "c.mkv", "pcm_s16le"),
        (&aac, "d.webm", "opus"),
        (&silent, "e.mp4", ""),
    ] {
        let path = folder.path().join(name);
        let settings = VideoSettings { sound: Some(sound.clone()), ..VideoSettings::default() };
        let mut writer = VideoWriter::create(&path, &settings).unwrap();
        for frame in 0..30 {
            writer.write(&numbered(64, 48, frame), f64::from(frame) / 10.0).unwrap();
        }
        writer.finish().unwrap();
        let told = sound_of(&path);
        assert!(told.starts_with(codec) && told.is_empty() == codec.is_empty(), "{name}: {told}");
        let times = packet_times(&path);
        assert_eq!(times.len(), 30, "{name}");
        assert!(
            // Where no edit list can hide it, the lead of the sound's encoder stands before the first picture.
            times.iter().enumerate().all(|(i, time)| (time - i as f64 / 10.0).abs() < 0.035),
            "{name}: {times:?}"
        );
    }
}

#[test]
fn given_up_it_does_not_wait_for_the_rest_of_the_sound() {
    if !have_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("long.mkv");
    ffmpeg(&["-f", "lavfi", "-i", "anullsrc", "-t", "7200", "-c:a", "pcm_s16le", long.to_str().unwrap()]);
    let settings = VideoSettings { sound: Some(long), ..VideoSettings::default() };
    let mut writer = VideoWriter::create(&folder.path().join("a.mkv"), &settings).unwrap();
    for frame in 0..30 {
        writer.write(&numbered(64, 48, frame), f64::from(frame) / 10.0).unwrap();
    }
    let begun = std::time::Instant::now();
    drop(writer);
    assert!(begun.elapsed().as_secs_f64() < 60.0, "{:?}", begun.elapsed());
    // All 30, unless the machine is so busy that the encoder was given up before it came to them.
    assert!(packet_times(&folder.path().join("a.partial.mkv")).len() >= 10);
}

#[test]
fn a_file_that_is_cut_plays_up_to_there() {
    if !have_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mp4");
    let mut writer = VideoWriter::create(&path, &VideoSettings::default()).unwrap();
    for frame in 0..100 {
        writer.write(&numbered(96, 64, frame), f64::from(frame) / 10.0).unwrap();
    }
    // Dropped: the encoder completes what it has, under the partial name.
    drop(writer);
    let partial = folder.path().join("a.partial.mp4");
    assert!(!path.exists());
    assert_eq!(packet_times(&partial).len(), 100);
    // Cut off: only whole fragments of two seconds are sure.
    let bytes = fs::read(&partial).unwrap();
    let cut = folder.path().join("cut.mp4");
    fs::write(&cut, &bytes[..bytes.len() * 3 / 4]).unwrap();
    let frames = packet_times(&cut).len();
    assert!((40..100).contains(&frames), "{frames}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_that_dies_is_an_error_with_its_words() {
    if !have_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mp4");
    let mut writer = VideoWriter::create(&path, &VideoSettings::default()).unwrap();
    writer.write(&numbered(640, 480, 0), 0.0).unwrap();
    // The child is ours: the one that writes this very file.
    let partial = folder.path().join("a.partial.mp4");
    let child = fs::read_dir("/proc").unwrap().filter_map(Result::ok).find(|entry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(partial.to_str().unwrap())
    });
    let id = child.unwrap().file_name();
    run(Command::new("kill").arg("-9").arg(id));
    let error =
        (1..1000).find_map(|frame| writer.write(&numbered(640, 480, 1), f64::from(frame)).err()).unwrap();
    let said = error.to_string();
    assert!(matches!(error, SinkError::Encoder { .. }) && said.contains("signal: 9"), "{said}");
    assert!(said.contains("a.partial.mp4"), "{said}");
    assert!(
        writer.write(&numbered(640, 480, 1), 5000.0).unwrap_err().to_string().contains("stopped already")
    );
}

#[test]
fn what_the_encoder_refuses_is_said_in_its_words() {
    if !have_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut writer = VideoWriter::create(&folder.path().join("a.mp4"), &VideoSettings::default()).unwrap();
    // Wider than H.264 (libx264) and MPEG-4 allow.
    let outcome = (0..100).try_for_each(|frame| writer.write(&numbered(20_000, 16, frame), f64::from(frame)));
    let said = outcome.and_then(|()| writer.finish()).unwrap_err().to_string();
    assert!(said.contains("ffmpeg ended with") && said.contains("20000"), "{said}");
    assert!(!folder.path().join("a.mp4").exists());
}

/// The same file with the last `from` in it changed: a codec's mark that no ffmpeg knows.
fn disguised(path: &Path, name: &str, marks: &[(&[u8; 4], &[u8; 4])]) -> std::path::PathBuf {
    let mut bytes = fs::read(path).unwrap();
    let mut from = bytes.windows(4).rposition(|word| word == marks[0].0).unwrap();
    for (old, new) in marks {
        from += bytes[from..].windows(4).position(|word| word == *old).unwrap();
        bytes[from..from + 4].copy_from_slice(*new);
    }
    let new = path.with_file_name(name);
    fs::write(&new, bytes).unwrap();
    new
}

#[test]
fn sound_that_nobody_decodes_costs_neither_the_video_nor_the_other_tracks() {
    if !have_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let aac = clip(folder.path(), "aac.mp4", "aac");
    let two = folder.path().join("two.mp4");
    let aac = aac.to_str().unwrap();
    ffmpeg(&["-i", aac, "-map", "0:v", "-map", "0:a", "-map", "0:a", "-c", "copy", two.to_str().unwrap()]);
    let marks: [(&[u8; 4], &[u8; 4]); 2] = [(b"mp4a", b"apac"), (b"esds", b"dapa")];
    let second = disguised(&two, "second.mov", &marks);
    let only = disguised(Path::new(aac), "only.mov", &marks);
    let gone = folder.path().join("none.mkv");
    for ending in ["mp4", "mov", "mkv", "webm", "avi"] {
        for (sound, tracks) in [(&second, 1), (&only, 0), (&gone, 0)] {
            let path = folder.path().join(format!("out.{ending}"));
            let settings = VideoSettings { sound: Some(sound.clone()), ..VideoSettings::default() };
            let mut writer = VideoWriter::create(&path, &settings).unwrap();
            for frame in 0..30 {
                writer.write(&numbered(64, 48, frame), f64::from(frame) / 10.0).unwrap();
            }
            writer.finish().unwrap();
            let tracks = if ending == "avi" { 0 } else { tracks };
            assert_eq!(sound_of(&path).lines().count(), tracks, "{sound:?} in {ending}");
        }
    }
}

#[test]
fn sound_and_pictures_of_a_video_are_at_their_own_times() {
    if !have_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at_once = clip(folder.path(), "aac.mp4", "aac");
    let late = folder.path().join("late.mp4");
    let name = at_once.to_str().unwrap();
    let later = ["-itsoffset", "1", "-i", name, "-i", name, "-map", "0:v", "-map", "1:a", "-c", "copy"];
    ffmpeg(&[later.as_slice(), &[late.to_str().unwrap()]].concat());
    let start = |path: &Path, stream: &str| -> f64 {
        let mut command = Command::new("ffprobe");
        command.args(["-v", "error", "-select_streams", stream, "-show_entries", "stream=start_time"]);
        let told = run(command.args(["-of", "csv=p=0"]).arg(path)).0;
        String::from_utf8(told).unwrap().trim().parse().unwrap()
    };
    // The source's clock, and the first picture's time on it; a source may count from its first picture, too.
    for (sound, origin, pictures) in [(&at_once, 0.0, 0.0), (&late, 1.0, 1.0), (&late, 0.0, 1.0)] {
        for ending in ["mp4", "mov"] {
            let path = folder.path().join(format!("out.{ending}"));
            let settings = VideoSettings { sound: Some(sound.clone()), ..VideoSettings::default() };
            let mut writer = VideoWriter::create(&path, &settings).unwrap();
            for frame in 0..30 {
                writer.write(&numbered(64, 48, frame), origin + f64::from(frame) / 10.0).unwrap();
            }
            writer.finish().unwrap();
            let times = packet_times(&path);
            assert_eq!(times.len(), 30, "{ending}");
            let own = |(i, time): (usize, &f64)| (time - pictures - i as f64 / 10.0).abs() < 0.001;
            assert!(times.iter().enumerate().all(own), "{sound:?} in {ending}: {times:?}");
            // The lead of the encoder (1024 samples) is before 0, and no player plays it.
            assert!((-0.024..0.001).contains(&start(&path, "a:0")), "{ending}: {}", start(&path, "a:0"));
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said() {
    if !have_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("full.mp4");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let mut writer = VideoWriter::create(&path, &VideoSettings::default()).unwrap();
    let outcome =
        (0..60).try_for_each(|frame| writer.write(&numbered(320, 240, frame), f64::from(frame) / 10.0));
    let said = outcome.and_then(|()| writer.finish()).unwrap_err().to_string();
    assert!(said.contains("disk is full"), "{said}");
}

#[test]
fn places_and_endings_are_checked_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let say = |name: &str| {
        VideoWriter::create(&folder.path().join(name), &VideoSettings::default()).unwrap_err().to_string()
    };
    assert!(say("a.gif").contains("the ending .gif is not known; known are .avi"), "{}", say("a.gif"));
    assert!(say("none/a.avi").contains("does not exist"));
    if have_ffmpeg() {
        assert!(say("none/a.mp4").contains("does not exist"));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
