//! Real videos made with ffmpeg on the spot, read back: times against ffprobe's, sizes, colours, cuts, and every kind
//! of file that is not a whole video.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::has;
use trailsight::frame::Frame;
use trailsight::source::{
    Source, SourceError, SourceKind, SourceSettings, SourceSpec, Tools, open_file, open_file_with,
};

/// A folder with tools to fill it; `None`, said aloud, without ffmpeg.
fn folder() -> Option<tempfile::TempDir> {
    has("ffmpeg").then(|| tempfile::tempdir().unwrap())
}

/// Runs ffmpeg with `arguments`, split at spaces (`DIR` stands for the folder), and returns the last as a path.
fn make(folder: &tempfile::TempDir, arguments: &str) -> PathBuf {
    let words: Vec<String> =
        arguments.split(' ').map(|w| w.replace("DIR", folder.path().to_str().unwrap())).collect();
    let output =
        Command::new("ffmpeg").args(["-v", "error", "-nostdin", "-y"]).args(&words).output().unwrap();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(words.last().unwrap())
}

fn open(path: &Path) -> Result<Box<dyn Source>, SourceError> {
    open_set(path, &SourceSettings::default())
}

fn open_set(path: &Path, settings: &SourceSettings) -> Result<Box<dyn Source>, SourceError> {
    open_file(&SourceSpec::parse(path.to_str().unwrap()), settings)
}

fn all(source: &mut dyn Source) -> (Vec<Frame>, Option<SourceError>) {
    let mut frames = Vec::new();
    loop {
        match source.next_frame() {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => return (frames, None),
            Err(error) => return (frames, Some(error)),
        }
    }
}

fn frames(path: &Path) -> Vec<Frame> {
    let (frames, error) = all(&mut *open(path).unwrap());
    assert!(error.is_none(), "{error:?}");
    assert!(frames.iter().enumerate().all(|(i, f)| f.sequence == i as u64));
    assert!(frames.windows(2).all(|w| w[0].time <= w[1].time));
    frames
}

/// The presentation times in seconds as ffprobe tells them.
fn probed_times(path: &Path) -> Vec<f64> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp_time"])
        .args(["-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|l| l.trim_matches(',').split(',').next()?.parse().ok()).collect()
}

fn assert_times(path: &Path, least: usize) {
    let (got, wanted) = (frames(path), probed_times(path));
    assert!(wanted.len() >= least, "{}: {} frames", path.display(), wanted.len());
    assert_eq!(got.len(), wanted.len(), "{}", path.display());
    for (frame, time) in got.iter().zip(wanted) {
        assert!((frame.time - time).abs() < 1e-6, "{}: {} for {time}", path.display(), frame.time);
    }
}

#[test]
fn times_are_ffprobes_own() {
    let Some(dir) = folder() else { return };
    let vfr = make(
        &dir,
        "-f lavfi -i testsrc2=s=160x90:r=30:d=3 -vf select='not(mod(n,3))+gt(n,60)' -vsync passthrough \
         -c:v libx264 -bf 3 DIR/vfr.mp4",
    );
    assert_times(&vfr, 40);
    let times = frames(&vfr);
    let step = |i: usize| times[i + 1].time - times[i].time;
    assert!(step(0) > 2.5 * step(times.len() - 2), "the rate varies");
    let b_frames = make(
        &dir,
        "-f lavfi -i testsrc2=s=160x90:r=30000/1001:d=2 -c:v libx264 -bf 3 -g 15 -movflags +faststart DIR/b.mp4",
    );
    assert_times(&b_frames, 59);
    let turned = make(&dir, "-i DIR/b.mp4 -c copy -metadata:s:v:0 rotate=90 DIR/turned.mp4");
    assert_times(&turned, 59);
    assert_times(&make(&dir, "-i DIR/b.mp4 -c copy DIR/b.ts"), 59);
    assert_times(&make(&dir, "-i DIR/b.mp4 -c copy DIR/b.mkv"), 59);
    // An edit list hides the frames before 0.7 s; that is no shortfall.
    assert_times(&make(&dir, "-ss 0.7 -i DIR/b.mp4 -c copy DIR/edited.mp4"), 30);
    assert_times(&make(&dir, "-f lavfi -i testsrc2=s=160x90:r=10:d=1 -c:v mpeg4 DIR/m.avi"), 10);
}

#[test]
fn pictures_come_upright_with_square_pixels_and_as_announced() {
    let Some(dir) = folder() else { return };
    make(&dir, "-f lavfi -i testsrc2=s=160x90:r=10:d=0.5 -c:v libx264 DIR/a.mp4");
    let turned = make(&dir, "-i DIR/a.mp4 -c copy -metadata:s:v:0 rotate=90 DIR/turned.mp4");
    let wide = make(
        &dir,
        "-f lavfi -i testsrc=s=161x91:r=10:d=0.5,setsar=4/3 -pix_fmt yuv420p -c:v ffv1 DIR/wide.mkv",
    );
    let tall = make(&dir, "-f lavfi -i testsrc2=s=160x90:r=10:d=0.5,setsar=3/4 -c:v ffv1 DIR/tall.mkv");
    for (path, size) in [(turned, (90, 160)), (wide, (215, 91)), (tall, (160, 120))] {
        let mut source = open(&path).unwrap();
        assert_eq!(source.info().size, Some(size), "{}", path.display());
        assert_eq!(source.info().kind, SourceKind::Recording);
        assert_eq!(source.next_frame().unwrap().unwrap().picture.size(), size, "{}", path.display());
    }
    // The size changes in the middle of a stream.
    let small = make(&dir, "-f lavfi -i testsrc2=s=64x48:r=10:d=0.5 -c:v mpeg2video -f mpegts DIR/small.ts");
    let large = make(&dir, "-f lavfi -i testsrc2=s=96x64:r=10:d=0.5 -c:v mpeg2video -f mpegts DIR/large.ts");
    let both = dir.path().join("both.ts");
    std::fs::write(&both, [std::fs::read(small).unwrap(), std::fs::read(large).unwrap()].concat()).unwrap();
    let sizes: Vec<_> = frames(&both).iter().map(|f| f.picture.size()).collect();
    assert!(sizes.contains(&(64, 48)) && sizes.contains(&(96, 64)), "{sizes:?}");
}

#[test]
fn colours_are_right_in_every_encoding() {
    let Some(dir) = folder() else { return };
    let bars = "-f lavfi -i color=c=0xC83214:s=160x90:r=5:d=0.4";
    let hd = "-f lavfi -i color=c=0xC83214:s=1280x720:r=5:d=0.4";
    let tagged = "-vf scale=out_color_matrix=bt709:out_range=tv -colorspace bt709 -color_range tv";
    for arguments in [
        format!("{bars} -c:v libx264 -qp 1 -pix_fmt yuv420p DIR/sd.mp4"),
        format!("{bars} -c:v ffv1 -pix_fmt gbrp DIR/rgb.mkv"),
        format!("{bars} -c:v qtrle -pix_fmt argb DIR/alpha.mov"),
        format!("{bars} -c:v mjpeg -q:v 1 -pix_fmt yuvj420p DIR/full.mkv"),
        format!("{bars} -c:v mjpeg -q:v 1 -pix_fmt yuvj422p DIR/full422.mkv"),
        format!("{bars} -c:v libx264 -qp 1 -pix_fmt yuv444p DIR/444.mp4"),
        format!("{bars} -c:v libx264 -qp 1 -pix_fmt yuv420p10le DIR/deep.mp4"),
        format!("{bars} {tagged} -pix_fmt yuv420p -c:v libx264 -qp 1 DIR/tagged.mp4"),
        // High definition without a word on its colours is taken as BT.709.
        format!("{hd} -vf scale=out_color_matrix=bt709:out_range=tv -pix_fmt yuv420p -c:v ffv1 DIR/hd.mkv"),
    ] {
        let path = make(&dir, &arguments);
        let frame = frames(&path).remove(0);
        let pixel = frame.picture.rgb()[1000];
        assert!(
            pixel.iter().zip([0xC8, 0x32, 0x14]).all(|(a, b): (&u8, u8)| a.abs_diff(b) <= 4),
            "{path:?} {pixel:?}"
        );
    }
    let grey =
        make(&dir, "-f lavfi -i color=c=0x646464:s=160x90:r=5:d=0.4 -c:v ffv1 -pix_fmt gray DIR/grey.mkv");
    let pixel = frames(&grey)[0].picture.rgb()[0];
    assert!(pixel[0].abs_diff(0x64) <= 1 && pixel[0] == pixel[1] && pixel[1] == pixel[2], "{pixel:?}");
}

#[test]
fn start_and_end_keep_the_true_times() {
    let Some(dir) = folder() else { return };
    make(&dir, "-f lavfi -i testsrc2=s=160x90:r=30000/1001:d=3 -c:v libx264 -bf 3 -g 20 DIR/b.mp4");
    make(&dir, "-i DIR/b.mp4 -c copy DIR/b.ts");
    make(&dir, "-i DIR/b.mp4 -c copy DIR/b.mkv");
    make(&dir, "-i DIR/b.mp4 -c:v mpeg4 DIR/b.avi");
    for name in ["b.mp4", "b.ts", "b.mkv", "b.avi"] {
        let path = dir.path().join(name);
        let whole = frames(&path);
        // Exactly at a frame, which is to be the first; and a little before the end of all.
        let begin = whole[0].time;
        let (start, end) = (whole[31].time - begin, whole[70].time - begin);
        let settings = SourceSettings { start: Some(start), end: Some(end), ..SourceSettings::default() };
        let mut source = open_set(&path, &settings).unwrap();
        assert_eq!((source.info().frames, source.info().sound.clone()), (None, None));
        let (part, error) = all(&mut *source);
        assert!(error.is_none(), "{name}: {error:?}");
        assert_eq!(part.len(), 39, "{name}");
        for (i, (got, wanted)) in part.iter().zip(&whole[31..]).enumerate() {
            assert!((got.time - wanted.time).abs() < 1e-9 && got.sequence == i as u64, "{name}: frame {i}");
            assert_eq!(got.picture, wanted.picture, "{name}: frame {i}");
        }
        let late = SourceSettings { start: Some(100.0), ..SourceSettings::default() };
        let (none, error) = all(&mut *open_set(&path, &late).unwrap());
        assert!(none.is_empty() && error.is_none(), "{name}: {error:?}");
        let fast =
            SourceSettings { fps: Some(10.0), start: Some(1.0), end: Some(2.0), ..SourceSettings::default() };
        let (retimed, _) = all(&mut *open_set(&path, &fast).unwrap());
        assert_eq!(retimed.len(), 10, "{name}");
        assert_eq!(retimed[0].picture, whole[10].picture, "{name}");
    }
}

#[test]
fn a_cut_off_recording_gives_its_frames_and_then_says_so() {
    let Some(dir) = folder() else { return };
    let encode = "-f lavfi -i testsrc2=s=160x90:r=30:d=2";
    for arguments in [
        format!("{encode} -c:v libx264 -bf 3 -movflags +faststart DIR/a.mp4"),
        format!("{encode} -c:v mpeg4 DIR/a.avi"),
        format!("{encode} -c:v mpeg4 DIR/a.mkv"),
    ] {
        let path = make(&dir, &arguments);
        assert_eq!(frames(&path).len(), 60);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() * 6 / 10]).unwrap();
        let (frames, error) = all(&mut *open(&path).unwrap());
        match error {
            Some(SourceError::Short { got, promised: 60, .. }) => assert_eq!(got, frames.len() as u64),
            other => panic!("{path:?}: {} frames, then {other:?}", frames.len()),
        }
        assert!(frames.len() > 20 && frames.len() < 50, "{path:?}: {}", frames.len());
    }
    // With its index at the end, nothing can be read of what is left.
    let path = make(&dir, &format!("{encode} -c:v libx264 DIR/late.mp4"));
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(open(&path), Err(SourceError::Read { .. })));
}

/// ffmpeg cannot go back in a pipe, and leaves 2^30 in the head of an AVI as the number of pictures.
#[test]
fn an_avi_from_a_pipe_has_no_length_and_ends_where_it_ends() {
    let Some(folder) = folder() else { return };
    for codec in ["mjpeg", "mpeg4"] {
        let pipe = format!(
            "ffmpeg -v error -nostdin -f lavfi -i testsrc=size=64x48:rate=10:duration=2 -c:v {codec} -f avi - | cat > {codec}.avi"
        );
        let status = Command::new("sh").args(["-c", &pipe]).current_dir(folder.path()).status().unwrap();
        assert!(status.success());
        let mut source = open(&folder.path().join(format!("{codec}.avi"))).unwrap();
        let (told, duration) = (source.info().frames, source.info().duration);
        assert!(told.is_none_or(|frames| frames < 1000) && duration.is_none_or(|seconds| seconds < 100.0));
        let (frames, error) = all(&mut *source);
        assert!(error.is_none(), "{codec}: {error:?}");
        assert_eq!(frames.len(), 20, "{codec}");
    }
}

#[test]
fn what_is_no_video_is_a_clear_error() {
    let Some(dir) = folder() else { return };
    let put = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let words = "some words\n".repeat(500);
    let picture = make(&dir, "-f lavfi -i testsrc=s=32x32:d=1 -frames:v 1 DIR/cover.png");
    assert!(picture.exists());
    let cases = [
        (put("zero.mp4", b""), "empty"),
        (put("words.txt", words.as_bytes()), "text"),
        (put("words.mp4", words.as_bytes()), ""),
        (put("noise.mkv", &(0..5000_u32).map(|i| ((i * i) >> 3) as u8).collect::<Vec<_>>()), ""),
        (make(&dir, "-f lavfi -i sine=d=1 DIR/sound.m4a"), "only sound"),
        (make(&dir, "-f lavfi -i sine=d=1 DIR/sound.mp3"), "only sound"),
        (
            make(
                &dir,
                "-i DIR/sound.mp3 -i DIR/cover.png -map 0 -map 1 -c copy -disposition:v attached_pic DIR/cover.mp3",
            ),
            "cover",
        ),
        (dir.path().join("missing.mp4"), "no such file"),
    ];
    for (path, word) in cases {
        let error = open(&path).err().unwrap_or_else(|| panic!("{path:?} opened")).to_string();
        assert!(error.contains(word) && error.contains(path.to_str().unwrap()), "{error}");
    }
}

#[test]
fn odd_names_sound_and_settings() {
    let Some(dir) = folder() else { return };
    let plain = make(
        &dir,
        "-f lavfi -i testsrc2=s=64x48:r=10:d=0.5 -f lavfi -i sine=d=0.5 -c:v libx264 -c:a aac DIR/plain.mp4",
    );
    for name in ["-i.mp4", "a:b.mp4", "50%d.mp4", "with space é [1].mp4", "tcp:x.mp4"] {
        let path = dir.path().join(name);
        std::fs::copy(&plain, &path).unwrap();
        let mut source = open(&path).unwrap();
        assert_eq!(source.info().name, name);
        assert_eq!(source.info().sound.as_deref(), Some(path.as_path()));
        assert_eq!(all(&mut *source).0.len(), 5, "{name}");
    }
    let settings = SourceSettings {
        fps: Some(50.0),
        rotate: trailsight::source::Rotate::Quarter,
        mirror: true,
        ..SourceSettings::default()
    };
    let mut source = open_set(&plain, &settings).unwrap();
    assert_eq!(source.info().size, Some((48, 64)));
    assert_eq!(source.info().sound, None);
    let turned = all(&mut *source).0;
    assert!((turned[4].time - 0.08).abs() < 1e-9);
    // Mirrored, then turned clockwise: the bottom right pixel comes to the top left.
    let straight = frames(&plain);
    assert_eq!(turned[0].picture.rgb()[0], straight[0].picture.rgb()[64 * 48 - 1]);
}

#[test]
fn without_ffmpeg_motion_jpeg_plays_and_the_rest_says_what_to_do() {
    let Some(dir) = folder() else { return };
    let tools = Tools { ffmpeg: dir.path().join("none"), ffprobe: dir.path().join("none") };
    let open = |path: &Path| {
        let spec = SourceSpec::parse(path.to_str().unwrap());
        open_file_with(&tools, &spec, &SourceSettings::default())
    };
    let plain = make(&dir, "-f lavfi -i testsrc2=s=64x48:r=10:d=0.5 -c:v mjpeg DIR/plain.avi");
    assert_eq!(all(&mut *open(&plain).unwrap()).0.len(), 5);
    let other = make(&dir, "-i DIR/plain.avi -c:v mpeg4 DIR/other.avi");
    match open(&other).err().unwrap() {
        SourceError::Missing { program: "ffprobe", hint, .. } => {
            assert!(hint.contains("install ffmpeg"), "{hint}")
        }
        error => panic!("{error}"),
    }
}

#[test]
fn an_address_that_does_not_answer_keeps_its_password() {
    let Some(_dir) = folder() else { return };
    let spec = SourceSpec::parse("http://me:hunter2@127.0.0.1:9/live?token=hunter2");
    let error = open_file(&spec, &SourceSettings::default()).err().unwrap().to_string();
    assert!(!error.contains("hunter2") && error.contains("127.0.0.1:9/live"), "{error}");
}
