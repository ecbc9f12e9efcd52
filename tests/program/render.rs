//! `trailsight render`: tracks from a file on a recording, and the times of what is written.

use std::fs;
use std::path::Path;

use crate::common::video::{have_ffmpeg, number_of, numbered, packet_times};
use crate::common::{self, demo, has, run_in};
use trailsight::sink::{VideoSettings, VideoWriter};
use trailsight::source::{AviSource, Source};

/// A box that moves to the right, in every frame up to `frames`, as MOTChallenge has it.
fn walk(frames: u32) -> String {
    (1..=frames).map(|frame| format!("{frame},3,{},21,40,90,1,1,1\n", 11 + 2 * frame)).collect()
}

/// The middle of the left edge of that box, in the pixels of a picture.
fn edge(frame: u32) -> (u32, u32) {
    (10 + 2 * frame, 65)
}

fn pictures(path: &Path) -> Vec<std::sync::Arc<trailsight::frame::Picture>> {
    let mut source = AviSource::open(path).unwrap();
    std::iter::from_fn(|| source.next_frame().unwrap()).map(|frame| frame.picture).collect()
}

/// A grey AVI of 160×120 pixels at 10 frames a second.
fn grey(folder: &Path, frames: u32) {
    let settings = VideoSettings { rate: Some(10.0), quality: 95, ..VideoSettings::default() };
    let mut writer = VideoWriter::create(&folder.join("in.avi"), &settings).unwrap();
    let mut canvas = trailsight::view::Canvas::new(160, 120);
    canvas.clear(0x0080_8080);
    for frame in 0..frames {
        writer.write(&canvas, f64::from(frame) / 10.0).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn boxes_are_drawn_where_the_file_says_in_the_frame_that_it_says() {
    let folder = tempfile::tempdir().unwrap();
    grey(folder.path(), 12);
    fs::write(folder.path().join("gt.txt"), walk(8) + "1,4,1,1,150,110,0,8,1\n").unwrap();
    // The same as JSON Lines, 100 frames later.
    let lines: String = (1..=8)
        .map(|f| {
            format!("{{\"frame\":{},\"tracks\":[{{\"id\":3,\"box\":[{},20,40,90]}}]}}\n", f + 100, 10 + 2 * f)
        })
        .collect();
    fs::write(folder.path().join("t.jsonl"), lines).unwrap();
    let bare =
        ["--set", "overlay.labels=false", "--set", "overlay.trails=false", "--set", "record.quality=95"];
    for (tracks, first) in [("gt.txt", "1"), ("t.jsonl", "101")] {
        let arguments = ["render", "in.avi", "--tracks", tracks, "--video", "out.avi", "--first", first];
        let done = run_in(folder.path(), &[&arguments[..], &bare].concat()).ok();
        assert!(
            done.stderr.contains("12 frames, 8 boxes") && done.stderr.contains("wrote out.avi"),
            "{done:#?}"
        );
        let drawn = pictures(&folder.path().join("out.avi"));
        assert_eq!(drawn.len(), 12);
        let coloured = |frame: u32, (x, y): (u32, u32)| {
            let [r, g, b] = drawn[frame as usize - 1].rgb()[(y * 160 + x) as usize];
            r.abs_diff(g).max(g.abs_diff(b)) > 40
        };
        for frame in 1..=12 {
            assert_eq!(coloured(frame, edge(frame)), frame <= 8, "{tracks}, frame {frame}");
            assert!(!coloured(frame, (edge(frame).0 + 20, 65)));
        }
    }
}

#[test]
fn trails_come_from_the_boxes_of_the_file_and_classes_choose() {
    let folder = tempfile::tempdir().unwrap();
    grey(folder.path(), 10);
    fs::write(folder.path().join("gt.txt"), walk(10)).unwrap();
    let bare = ["--set", "overlay.labels=false", "--set", "overlay.boxes=false"];
    let changed = |more: &[&str]| {
        let arguments = ["render", "in.avi", "--tracks", "gt.txt", "--video", "out.avi"];
        run_in(folder.path(), &[&arguments[..], &bare, more].concat()).ok();
        let last = pictures(&folder.path().join("out.avi")).pop().unwrap();
        last.rgb().iter().filter(|[r, g, b]| r.abs_diff(*g).max(g.abs_diff(*b)) > 25).count()
    };
    let with_trail = changed(&[]);
    assert!(with_trail > 12, "{with_trail}");
    assert_eq!(changed(&["--set", "trails.seconds=0"]), 0);
    assert_eq!(changed(&["--classes", "car"]), 0);
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path();
    grey(work, 5);
    fs::write(work.join("long.txt"), walk(9)).unwrap();
    fs::write(work.join("late.txt"), "900,1,1,1,9,9,1\n").unwrap();
    fs::write(work.join("det.txt"), "1,-1,1,1,9,9,0.7\n").unwrap();
    fs::write(work.join("prose.txt"), "Dear reader,\n").unwrap();
    let render =
        |tracks: &str, video: &str| run_in(work, &["render", "in.avi", "--tracks", tracks, "--video", video]);
    let long = render("long.txt", "a.avi").ok();
    assert!(long.stderr.contains("it has frames up to 9, but the recording ends with frame 5"), "{long:#?}");
    let late = render("late.txt", "a.avi").ok();
    assert!(late.stderr.contains("it has no track in the frames"), "{late:#?}");
    render("det.txt", "b.avi").fails(1, &["det.txt holds detections, not tracks"]);
    render("prose.txt", "b.avi").fails(1, &["prose.txt, line 1: column 1 (frame)"]);
    render("in.avi", "b.avi").fails(1, &["in.avi, line 1"]);
    render("none.txt", "b.avi").fails(1, &["cannot read none.txt"]);
    render("long.txt", "b.xyz").fails(2, &["the ending .xyz is not known"]);
    render("long.txt", "in.avi").fails(1, &["overwrite the input"]);
    run_in(work, &["render", "in.avi", "--tracks", "long.txt"]).fails(2, &["--video"]);
    run_in(work, &["render", "in.avi", "--tracks", "long.txt", "--gif", "a.mp4"]).fails(2, &[".gif"]);
    assert!(!work.join("b.avi").exists() && !work.join("b.partial.avi").exists());
}

/// The times of a recording with a variable rate, in seconds: about 25 a second, with jitter and two standstills.
fn variable(path: &Path) -> Vec<f64> {
    // The commas of an expression are not those between filters.
    let time = "(N+0.35*sin(N*1.7)+if(gt(N\\,40)\\,9\\,0)+if(gt(N\\,70)\\,31\\,0))/25/TB";
    let filter = format!("settb=1/60000,setpts='{time}'");
    common::ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc=size=128x96:rate=25:duration=4",
        "-vf",
        &filter,
        "-fps_mode",
        "passthrough",
        "-enc_time_base",
        "1:60000",
        "-c:v",
        "mpeg4",
        "-bf",
        "0",
        "-video_track_timescale",
        "60000",
        path.to_str().unwrap(),
    ]);
    packet_times(path)
}

#[test]
fn the_times_of_a_variable_rate_are_kept_within_a_millisecond() {
    if !have_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let times = variable(&folder.path().join("in.mp4"));
    let steps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let (least, most) = steps.iter().fold((f64::MAX, 0f64), |(a, b), step| (a.min(*step), b.max(*step)));
    assert!(times.len() == 100 && least < 0.03 && most > 1.0, "not a variable rate: {times:?}");
    fs::write(folder.path().join("gt.txt"), walk(100)).unwrap();
    for name in ["out.mp4", "out.mkv"] {
        run_in(folder.path(), &["render", "in.mp4", "--tracks", "gt.txt", "--video", name]).ok();
        let told = packet_times(&folder.path().join(name));
        assert_eq!(told.len(), times.len(), "{name}");
        for (told, given) in told.iter().zip(&times) {
            let off = (told - told_origin(&times, *given)).abs();
            assert!(off <= 0.001, "{name}: {told} instead of {given}");
        }
    }
}

/// A time as it is counted from the first frame.
fn told_origin(times: &[f64], time: f64) -> f64 {
    time - times[0]
}

#[test]
fn an_avi_shows_every_frame_within_half_a_frame_of_its_time() {
    if !have_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Numbered pictures at jittered times, one standstill, none closer together than a frame.
    let rate = 20.0;
    let times: Vec<f64> = (0..80u32)
        .map(|i| {
            let jitter = f64::from(i * 7919 % 13) / 13.0;
            (1.3 * f64::from(i) + 0.25 * jitter + if i > 30 { 17.0 } else { 0.0 }) / rate
        })
        .collect();
    let settings = VideoSettings { rate: Some(rate), quality: 95, ..VideoSettings::default() };
    let mut writer = VideoWriter::create(&folder.path().join("in.mkv"), &settings).unwrap();
    for (number, time) in times.iter().enumerate() {
        writer.write(&numbered(64, 48, number as u32), *time).unwrap();
    }
    writer.finish().unwrap();
    fs::write(folder.path().join("gt.txt"), "1,1,1,1,3,3,1\n").unwrap();
    let arguments = ["render", "in.mkv", "--tracks", "gt.txt", "--video", "out.avi"];
    run_in(folder.path(), &[&arguments[..], &["--set", "overlay.labels=false"]].concat()).ok();
    let out = folder.path().join("out.avi");
    let step = 1.0 / AviSource::open(&out).unwrap().info().rate.unwrap();
    let shown: Vec<u32> = pictures(&out).iter().map(|picture| number_of(picture)).collect();
    for (number, time) in times.iter().enumerate() {
        // Where a picture appears for the first time; between two, the one before is repeated.
        let slot = shown.iter().position(|shown| *shown == number as u32).expect("every frame is there");
        let off = (slot as f64 * step - time).abs();
        assert!(off <= step / 2.0 + 1e-3, "frame {number}: {off} s off, a frame is {step} s");
    }
    assert!(shown.is_sorted(), "{shown:?}");
}

#[test]
fn a_clip_of_the_demo_is_a_gif() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gt.txt"), walk(30)).unwrap();
    let arguments = ["render", &demo(), "--end", "2", "--tracks", "gt.txt", "--gif", "clip.gif"];
    run_in(folder.path(), &arguments).ok();
    assert_eq!(common::names(folder.path()), ["clip.gif", "gt.txt"]);
    let file = fs::File::open(folder.path().join("clip.gif")).unwrap();
    let decoder = image::codecs::gif::GifDecoder::new(std::io::BufReader::new(file)).unwrap();
    assert_eq!(image::ImageDecoder::dimensions(&decoder), (480, 360));
    let frames = image::AnimationDecoder::into_frames(decoder).filter(Result::is_ok).count();
    assert!((10..=20).contains(&frames), "{frames}");
    if has("ffprobe") {
        assert_eq!(common::probe(&folder.path().join("clip.gif"), "width"), "480");
    }
}
