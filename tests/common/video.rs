//! What the tests of the recorder share: pictures that tell who they are, and `ffmpeg` as a second opinion.

use std::path::Path;
use std::process::{Command, Stdio};

use trailsight::frame::Picture;
use trailsight::view::Canvas;

/// Whether `ffmpeg` and `ffprobe` are there; says so where a test has to be left out.
pub(crate) fn have_ffmpeg() -> bool {
    ["ffmpeg", "ffprobe"].into_iter().all(super::has)
}

/// Runs a program to its good end: its output and what it said.
pub(crate) fn run(command: &mut Command) -> (Vec<u8>, String) {
    let told = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.status.success(), "{command:?}: {said}");
    (told.stdout, said)
}

/// Runs `ffmpeg -v error -y` with these arguments.
pub(crate) fn ffmpeg(arguments: &[&str]) {
    run(Command::new("ffmpeg").args(["-v", "error", "-y"]).args(arguments));
}

/// What `ffprobe` tells of the first video stream: one line an entry.
pub(crate) fn probe(path: &Path, entries: &str) -> Vec<String> {
    let mut command = Command::new("ffprobe");
    command
        .args(["-v", "error", "-select_streams", "v:0", "-show_entries", entries, "-of", "csv=p=0"])
        .arg(path);
    let (told, _) = run(&mut command);
    String::from_utf8(told).unwrap().lines().map(|line| line.trim_end_matches(',').to_owned()).collect()
}

/// The time stamps of the packets in seconds, in order.
pub(crate) fn packet_times(path: &Path) -> Vec<f64> {
    let mut times: Vec<f64> =
        probe(path, "packet=pts_time").iter().map(|line| line.parse().unwrap()).collect();
    times.sort_by(f64::total_cmp);
    times
}

/// A canvas that shows a number (up to 255) as eight black or white columns.
pub(crate) fn numbered(width: usize, height: usize, number: u32) -> Canvas {
    let mut canvas = Canvas::new(width, height);
    for (index, pixel) in canvas.pixels_mut().iter_mut().enumerate() {
        let bit = index % width * 8 / width;
        *pixel = if number >> bit & 1 == 1 { 0x00ff_ffff } else { 0 };
    }
    canvas
}

/// The number that a picture shows.
pub(crate) fn number_of(picture: &Picture) -> u32 {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    (0..8)
        .map(|bit| {
            let x = (2 * bit + 1) * width / 16;
            u32::from(picture.rgb()[height / 2 * width + x][1] > 127) << bit
        })
        .sum()
}

/// A card of 64×32 pixels with eight fields of colour, 16×16 each, and their colours in rows.
pub(crate) fn card() -> (Canvas, Vec<[u8; 3]>) {
    let colours = vec![
        [255, 0, 0],
        [0, 255, 0],
        [0, 0, 255],
        [255, 255, 255],
        [200, 120, 40],
        [30, 160, 220],
        [128, 128, 128],
        [90, 20, 110],
    ];
    let mut canvas = Canvas::new(64, 32);
    for (index, pixel) in canvas.pixels_mut().iter_mut().enumerate() {
        let [r, g, b] = colours[index / 64 / 16 * 4 + index % 64 / 16];
        *pixel = u32::from_be_bytes([0, r, g, b]);
    }
    (canvas, colours)
}

/// Whether two colours differ by at most `by` in each channel.
pub(crate) fn near(a: [u8; 3], b: [u8; 3], by: u8) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= by)
}

/// The fields of [`card`] have their colours in the middle.
pub(crate) fn assert_card(rgb: &[u8], colours: &[[u8; 3]]) {
    for (index, colour) in colours.iter().enumerate() {
        let (x, y) = (index % 4 * 16 + 8, index / 4 * 16 + 8);
        let at = (y * 64 + x) * 3;
        let found = [rgb[at], rgb[at + 1], rgb[at + 2]];
        assert!(near(found, *colour, 8), "field {index}: {found:?} instead of {colour:?}");
    }
}
