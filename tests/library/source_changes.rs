//! Videos that change on the way: the size and the shape of the pixels, the clock, the light that numbers mean; and which
//! video of several is taken. Each frame carries its number as sixteen black and white columns, so that what is read behind
//! a change is compared picture by picture.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use trailsight::frame::Frame;
use trailsight::source::{SourceSettings, SourceSpec, open_file};

use crate::common::has;

const COLUMNS: usize = 16;

/// Frame `number` in RGB: its number in columns in the upper half, one grey for each column in the lower half.
fn pattern(number: usize, width: usize, height: usize) -> Vec<u8> {
    let value = |x: usize, y: usize| {
        let column = x * COLUMNS / width;
        if 2 * y < height { if number >> column & 1 == 1 { 235 } else { 16 } } else { 16 + 14 * column }
    };
    (0..height).flat_map(|y| (0..width).flat_map(move |x| [value(x, y) as u8; 3])).collect()
}

/// Runs ffmpeg with `arguments`, split at spaces (`DIR` stands for the folder), and `input` on its standard input; the last
/// argument is the path of what it makes.
fn make_of(dir: &Path, arguments: &str, input: &[u8]) -> PathBuf {
    let words: Vec<String> = arguments.split(' ').map(|w| w.replace("DIR", dir.to_str().unwrap())).collect();
    let mut child = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(&words)
        .stdin(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    // It may end before it has read all.
    let _ = std::io::Write::write_all(&mut pipe, input);
    drop(pipe);
    assert!(child.wait().unwrap().success(), "{arguments}");
    PathBuf::from(words.last().unwrap())
}

/// Frames `from..to` of the pattern, encoded.
fn clip(dir: &Path, frames: std::ops::Range<usize>, (width, height): (usize, usize), rest: &str) -> PathBuf {
    let raw: Vec<u8> = frames.flat_map(|number| pattern(number, width, height)).collect();
    let input = format!("-f rawvideo -pix_fmt rgb24 -s {width}x{height} -r 25 -i pipe:0 {rest}");
    make_of(dir, &input, &raw)
}

fn joined(dir: &Path, name: &str, parts: &[PathBuf]) -> PathBuf {
    let path = dir.join(name);
    let bytes: Vec<u8> = parts.iter().flat_map(|part| std::fs::read(part).unwrap()).collect();
    std::fs::write(&path, bytes).unwrap();
    path
}

/// The number in the columns; the greys below have to be right.
fn number(frame: &Frame) -> usize {
    let (width, height) = frame.picture.size();
    let (width, height) = (width as usize, height as usize);
    let at = |column: usize, y: usize| {
        let x = (2 * column + 1) * width / (2 * COLUMNS);
        frame.picture.rgb()[y * width + x][1]
    };
    for column in 0..COLUMNS {
        let (got, wanted) = (at(column, height * 3 / 4), 16 + 14 * column);
        assert!(usize::from(got).abs_diff(wanted) <= 14, "column {column}: {got} for {wanted}");
    }
    (0..COLUMNS).filter(|column| at(*column, height / 4) > 127).map(|column| 1 << column).sum()
}

fn read_with(path: &Path, settings: &SourceSettings) -> Vec<Frame> {
    let mut source = open_file(&SourceSpec::parse(path.to_str().unwrap()), settings).unwrap();
    std::iter::from_fn(|| source.next_frame().unwrap()).collect()
}

fn read(path: &Path) -> Vec<Frame> {
    read_with(path, &SourceSettings::default())
}

const H264: &str = "-pix_fmt yuv420p -c:v libx264 -preset ultrafast -qp 10 -g 10";

#[test]
fn pictures_behind_a_change_of_size_are_whole_both_ways_in_every_container() {
    if !has("ffmpeg") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (small, large) = ((160, 96), (320, 192));
    for (name, sizes) in [("grow", [small, large]), ("shrink", [large, small])] {
        let first = clip(dir, 0..20, sizes[0], &format!("{H264} DIR/{name}-1.ts"));
        let second = clip(dir, 20..40, sizes[1], &format!("{H264} -output_ts_offset 0.8 DIR/{name}-2.ts"));
        let ts = joined(dir, &format!("{name}.ts"), &[first.clone(), second.clone()]);
        let list = dir.join(format!("{name}.m3u8"));
        let text = format!(
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.8,\n{name}-1.ts\n#EXT-X-DISCONTINUITY\n\
             #EXTINF:0.8,\n{name}-2.ts\n#EXT-X-ENDLIST\n"
        );
        std::fs::write(&list, text).unwrap();
        let mut paths = vec![ts, list];
        for ending in ["mkv", "mp4"] {
            paths.push(make_of(dir, &format!("-i DIR/{name}.ts -c copy DIR/{name}.{ending}"), b""));
        }
        let vp9 = "-pix_fmt yuv420p -c:v libvpx-vp9 -b:v 2M -deadline realtime -cpu-used 8";
        clip(dir, 0..20, sizes[0], &format!("{vp9} DIR/{name}-1.webm"));
        clip(dir, 20..40, sizes[1], &format!("{vp9} DIR/{name}-2.webm"));
        let parts = dir.join("parts.txt");
        std::fs::write(&parts, format!("file {name}-1.webm\nfile {name}-2.webm\n")).unwrap();
        paths.push(make_of(dir, &format!("-f concat -safe 0 -i DIR/parts.txt -c copy DIR/{name}.webm"), b""));
        for path in paths {
            let frames = read(&path);
            let told = path.display();
            assert_eq!(frames.iter().map(number).collect::<Vec<_>>(), (0..40).collect::<Vec<_>>(), "{told}");
            for (frame, wanted) in frames.iter().zip([sizes[0]; 20].iter().chain(&[sizes[1]; 20])) {
                assert_eq!(frame.picture.size(), (wanted.0 as u32, wanted.1 as u32), "{told}");
            }
            let first = frames[0].time;
            let off = |frame: &Frame| (frame.time - first - frame.sequence as f64 * 0.04).abs();
            assert!(frames.iter().all(|frame| off(frame) < 0.045), "{told}: even times");
        }
    }
}

#[test]
fn pixels_that_change_their_shape_in_the_middle_stay_square() {
    if !has("ffmpeg") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mpeg2 = "-pix_fmt yuv420p -c:v mpeg2video -q:v 2 -g 12";
    let parts = [("16/15", ""), ("64/45", "-output_ts_offset 0.4 ")].map(|(aspect, offset)| {
        let name = aspect.replace('/', "-");
        clip(dir.path(), 0..10, (160, 96), &format!("-vf setsar={aspect} {mpeg2} {offset}DIR/{name}.ts"))
    });
    let both = joined(dir.path(), "both.ts", &parts);
    let sizes: Vec<_> = read(&both).iter().map(|frame| frame.picture.size()).collect();
    // MPEG-2 stores a few shapes of the whole picture only; and the last picture of a part is lost where another follows.
    assert_eq!(sizes, [vec![(171, 96); 9], vec![(212, 96); 10]].concat());
}

#[test]
fn a_clock_that_begins_anew_leaves_no_gap_and_start_counts_from_the_first_frame() {
    if !has("ffmpeg") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let part = |frames: std::ops::Range<usize>, offset: u32| {
        let name = format!("{}-{offset}", frames.start);
        clip(dir, frames, (160, 96), &format!("{H264} -output_ts_offset {offset} DIR/{name}.ts"))
    };
    let (early, late) = ([part(0..25, 0), part(25..50, 0)], [part(0..25, 3600), part(25..50, 3600)]);
    let jumps = [
        joined(dir, "forward.ts", &[early[0].clone(), late[1].clone()]),
        joined(dir, "back.ts", &[late[0].clone(), early[1].clone()]),
        joined(dir, "back-a-little.ts", &[part(0..25, 30), part(25..50, 7)]),
    ];
    for path in &jumps {
        let frames = read(path);
        assert_eq!(frames.iter().map(number).collect::<Vec<_>>(), (0..50).collect::<Vec<_>>());
        let length = frames[49].time - frames[0].time;
        assert!((length - 1.96).abs() < 0.05, "{}: {length} s", path.display());
        let settings = SourceSettings { start: Some(0.4), end: Some(1.4), ..SourceSettings::default() };
        let numbers: Vec<_> = read_with(path, &settings).iter().map(number).collect();
        assert_eq!(numbers, (10..35).collect::<Vec<_>>(), "{}", path.display());
    }
    // Whatever the container's first time is, also where it can be sought.
    for name in ["part.mkv", "part.ts", "part.mp4"] {
        let path = clip(dir, 0..75, (160, 96), &format!("{H264} -bf 2 -output_ts_offset 40 DIR/{name}"));
        let first = read(&path)[0].time;
        for (start, end) in [(0.0, 1.0), (1.0, 2.0), (2.0, 9.0)] {
            let settings = SourceSettings { start: Some(start), end: Some(end), ..SourceSettings::default() };
            let frames = read_with(&path, &settings);
            let wanted = ((start * 25.0) as usize..75.min((end * 25.0) as usize)).collect::<Vec<_>>();
            assert_eq!(frames.iter().map(number).collect::<Vec<_>>(), wanted, "{name} {start} {end}");
            // Matroska counts milliseconds.
            assert!((frames[0].time - first - start).abs() < 0.002, "{name}: times stay the container's");
        }
    }
}

#[test]
fn high_dynamic_range_looks_like_standard_range() {
    if !has("ffmpeg") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for transfer in ["smpte2084", "arib-std-b67"] {
        let filter = format!(
            "zscale=pin=bt709:tin=bt709:min=gbr:rin=full:p=bt2020:t={transfer}:m=bt2020nc:r=limited:npl=203,\
             format=yuv420p10le"
        );
        let tags =
            format!("-colorspace bt2020nc -color_primaries bt2020 -color_trc {transfer} -color_range tv");
        let path =
            clip(dir.path(), 0..2, (160, 96), &format!("-vf {filter} -c:v ffv1 {tags} DIR/{transfer}.mkv"));
        for (wanted, frame) in read(&path).iter().enumerate() {
            // Compares the greys with those of the pattern, white included.
            assert_eq!(number(frame), wanted, "{transfer}");
            let white = frame.picture.rgb()[96 * 160 - 1];
            assert!(white.iter().all(|v| v.abs_diff(226) <= 6), "{transfer}: {white:?}");
        }
    }
}

#[test]
fn the_containers_word_on_colours_counts_where_the_decoder_only_guesses() {
    if !has("ffmpeg") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let colour = "-f lavfi -i color=c=0xC83214:s=160x96:r=5 -frames:v 2";
    let jpeg = "-c:v mjpeg -strict unofficial -q:v 1";
    let tags = "-color_range tv -colorspace bt709 -color_primaries bt709 -color_trc bt709";
    let filter = "-vf scale=out_color_matrix=bt709:out_range=tv,format=yuv420p";
    let told = make_of(dir.path(), &format!("{colour} {filter} {jpeg} {tags} DIR/told.mov"), b"");
    let silent = make_of(dir.path(), &format!("{colour} -vf format=yuvj420p {jpeg} DIR/silent.mov"), b"");
    for path in [told, silent] {
        let pixel = read(&path)[0].picture.rgb()[1000];
        assert!(
            pixel.iter().zip([0xC8_u8, 0x32, 0x14]).all(|(a, b)| a.abs_diff(b) <= 4),
            "{}: {pixel:?}",
            path.display()
        );
    }
}

#[test]
fn clear_pixels_of_a_film_show_the_grey_that_those_of_stills_show() {
    if !has("ffmpeg") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for (codec, name) in [("qtrle -pix_fmt argb", "a.mov"), ("ffv1 -pix_fmt yuva420p", "b.mkv")] {
        let half = "-f lavfi -i color=c=0xFF0000@0.5:s=32x32:r=5,format=rgba -frames:v 2";
        let path = make_of(dir.path(), &format!("{half} -c:v {codec} DIR/{name}"), b"");
        let pixel = read(&path)[1].picture.rgb()[500];
        // Half of 255 and half of 114; half of 0 and half of 114.
        assert!(pixel.iter().zip([185_u8, 57, 57]).all(|(a, b)| a.abs_diff(b) <= 4), "{name}: {pixel:?}");
    }
}

#[test]
fn of_several_videos_the_one_is_read_that_was_asked_for() {
    if !has("ffmpeg") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clip(dir, 0..5, (160, 96), &format!("{H264} DIR/small.ts"));
    clip(dir, 0..5, (320, 192), &format!("{H264} DIR/large.ts"));
    let both = "-i DIR/small.ts -i DIR/large.ts -map 0 -map 1 -c copy";
    let size = |path: &Path, stream| {
        let settings = SourceSettings { stream, ..SourceSettings::default() };
        read_with(path, &settings)[0].picture.size()
    };
    let ts = make_of(dir, &format!("{both} DIR/both.ts"), b"");
    assert_eq!(size(&ts, None), (320, 192), "the larger one, where none is marked");
    let mkv = make_of(dir, &format!("{both} -disposition:0 default -disposition:1 0 DIR/both.mkv"), b"");
    assert_eq!([None, Some(1), Some(2)].map(|n| size(&mkv, n)), [(160, 96), (160, 96), (320, 192)]);
    let settings = SourceSettings { stream: Some(3), ..SourceSettings::default() };
    let error = open_file(&SourceSpec::parse(mkv.to_str().unwrap()), &settings).err().unwrap().to_string();
    assert!(error.contains("source.stream is 3") && error.contains("2 videos"), "{error}");
}

#[test]
fn motion_jpeg_avis_of_any_rate_and_shape_are_as_other_programs_read_them() {
    if !has("ffmpeg") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mjpeg = "-c:v mjpeg -q:v 3 -pix_fmt yuvj420p";
    let usual = std::fs::read(clip(dir.path(), 0..6, (160, 96), &format!("{mjpeg} DIR/usual.avi"))).unwrap();
    // Behind the kind of the stream: its scale and its rate. ffmpeg itself writes no more than 600 a second.
    let head = usual.windows(4).position(|four| four == b"vids").unwrap();
    for (name, scale, rate) in
        [("lapse", 300_u32, 1_u32), ("slow", 86_400, 1), ("fast", 1, 2000), ("10000", 1, 10_000)]
    {
        let mut bytes = usual.clone();
        bytes[head + 20..head + 24].copy_from_slice(&scale.to_le_bytes());
        bytes[head + 24..head + 28].copy_from_slice(&rate.to_le_bytes());
        let (path, step) = (dir.path().join(format!("{name}.avi")), f64::from(scale) / f64::from(rate));
        std::fs::write(&path, bytes).unwrap();
        let frames = read(&path);
        assert_eq!(frames.iter().map(number).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5], "{name}");
        let steps: Vec<f64> = frames.windows(2).map(|w| w[1].time - w[0].time).collect();
        assert!(steps.iter().all(|s| (s / step - 1.0).abs() < 1e-3), "{name}: {steps:?}");
    }
    let wide = clip(dir.path(), 0..3, (160, 96), &format!("-vf setsar=16/11 {mjpeg} DIR/wide.avi"));
    assert!(read(&wide).iter().all(|frame| frame.picture.size() == (233, 96)));
}
