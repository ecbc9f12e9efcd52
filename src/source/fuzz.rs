//! Entry points for tests with damaged input, for readers that are not public otherwise. Each returns in words the result
//! of it.

#[cfg(feature = "camera")]
use super::camera;
use super::ffmpeg::showinfo::{OutOfStep, Parser};
use super::ffmpeg::{packets, probe, raw_frame};
use super::{animation, jpeg, pages};

/// The largest raw frame that is made, in bytes.
const LARGEST: usize = 1 << 20;

/// A camera's buffer; its first four bytes say the format, the width, the height and the bytes of a row.
#[cfg(feature = "camera")]
pub fn camera_buffer(bytes: &[u8]) -> String {
    camera::decode_any(bytes)
}

/// What `ffprobe` says of a file.
pub fn ffprobe_reply(bytes: &[u8]) -> String {
    probe::read_reply(bytes).map_or_else(|why| why, |probe| format!("{probe:?}"))
}

/// What `ffprobe` says of the packets of a file.
pub fn packet_list(bytes: &[u8]) -> String {
    let Some(index) = packets::Index::read(bytes, true) else { return "no index".to_owned() };
    let times = [f64::NEG_INFINITY, -1.0, 0.0, 0.5, 1e9, f64::INFINITY, f64::NAN];
    let found = times.map(|time| {
        let key = index.key_before(time).is_some();
        (
            index.place(time, 0.02).is_some(),
            key,
            index.place_behind(time) > 0,
            index.just_before(time).is_some(),
        )
    });
    format!("{found:?}")
}

/// A file of several pictures: how many a TIFF, a stream of PNM pictures and animations of each format have.
pub fn pictures_in_a_file(bytes: &[u8]) -> String {
    use image::ImageFormat::{Gif, Png, WebP};
    let animations = [Gif, Png, WebP].map(|format| {
        let delays = animation::delays_in(format, std::io::Cursor::new(bytes), 1000).unwrap_or_default();
        assert!(delays.iter().all(|delay| delay.is_finite() && *delay > 0.0), "{delays:?}");
        delays.len().min(3)
    });
    format!("{} {animations:?} {:?}", pages::count(bytes).min(5), jpeg::length(bytes).is_some())
}

/// What `ffmpeg` says while it decodes, and the frames that follow from it.
pub fn decoder_log(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let (mut parser, mut last) = (Parser::default(), String::new());
    let mut picture = |frame: super::ffmpeg::showinfo::Announced| match raw_frame::raw_length(&frame) {
        Ok(length) if length <= LARGEST => {
            let made = raw_frame::to_picture(&frame, &vec![127; length]);
            last = made.map_or_else(|why| format!("{why:?}"), |_| format!("a frame in {}", frame.format));
        }
        Ok(_) => last = "a large frame".to_owned(),
        Err(why) => last = format!("{why:?}"),
    };
    for line in text.lines().filter(|line| Parser::is_own(line)) {
        match parser.line(line) {
            Ok(frame) => frame.into_iter().for_each(&mut picture),
            Err(OutOfStep(why)) => return why,
        }
    }
    parser.end().into_iter().for_each(&mut picture);
    last
}
