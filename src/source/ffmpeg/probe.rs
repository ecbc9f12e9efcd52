//! What `ffprobe` says of a file or an address, understood: which video is taken, its size, its times, what the container
//! can do. Asking is the business of [`ask`](super::ask).

use std::ffi::OsString;

use serde::Deserialize;

use super::hdr::Transfer;
use super::showinfo::Colours;
use crate::source::avi::UNKNOWN;
use crate::source::input::Input;
use crate::source::{NOTICE, RtspTransport};

/// What is known of the video before its first frame.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::source) struct Probe {
    /// The size of the pictures that ffmpeg will give: turned and with square pixels.
    pub(in crate::source) size: Option<(u32, u32)>,
    /// Nominal frames a second.
    pub(in crate::source) rate: Option<f64>,
    /// The number of frames that the container promises.
    pub(in crate::source) frames: Option<u64>,
    /// Where the video's time begins, in seconds.
    pub(in crate::source) start: f64,
    /// The video's length in seconds.
    pub(in crate::source) duration: Option<f64>,
    /// Whether `duration` is the video's own, not that of the whole file with its sound.
    pub(in crate::source) own_duration: bool,
    /// The demuxer's start time, which a seek is relative to.
    pub(in crate::source) container_start: f64,
    pub(in crate::source) has_sound: bool,
    /// ffmpeg's name of the container, such as `mov,mp4,m4a,3gp,3g2,mj2`.
    pub(in crate::source) container: String,
    /// The version of libavcodec, `(major, minor)`.
    pub(in crate::source) codec_version: (u32, u32),
    /// Which stream is decoded, as ffmpeg's options name it: its number, or `V:2`. `None`: the one that ffmpeg takes.
    pub(in crate::source) stream: Option<String>,
    /// The format that the demuxers cannot find out by themselves.
    pub(in crate::source) forced: Option<&'static str>,
    pub(in crate::source) rtsp_transport: RtspTransport,
    /// Whether frames are not all equally far apart.
    pub(in crate::source) is_uneven: bool,
    /// What the container says of the colours, where the decoder only guesses.
    pub(in crate::source) colours: Colours,
    /// ffmpeg's name of the codec.
    pub(in crate::source) codec: String,
    /// What the decoded numbers mean as light.
    pub(in crate::source) transfer: Transfer,
}

impl Probe {
    /// Whether the container's index lets ffmpeg seek to a time surely.
    pub(in crate::source) fn is_seekable(&self) -> bool {
        ["mov", "matroska"].iter().any(|name| self.container.contains(name))
    }

    /// Whether a seek of ffmpeg leads near the time, so that it is of use where the times are checked afterwards: an
    /// MPEG stream is searched, an AVI and an FLV have an index that may be coarse or missing.
    pub(in crate::source) fn is_nearly_seekable(&self) -> bool {
        self.is_seekable() || ["avi", "mpegts", "mpeg", "flv"].contains(&self.container.as_str())
    }

    /// Whether the container's clock may begin anew in the middle, as where broadcasts or parts are put together.
    pub(in crate::source) fn is_spliced(&self) -> bool {
        ["mpegts", "mpeg", "hls", "ogg", "nut"].contains(&self.container.as_str())
    }

    /// Whether the container has no times of its own.
    pub(in crate::source) fn is_timeless(&self) -> bool {
        is_timeless(&self.container)
    }

    /// Whether this is one picture, which an address gives anew each time it is asked.
    pub(in crate::source) fn is_snapshot(&self) -> bool {
        self.container.ends_with("_pipe") || self.container == "image2"
    }

    /// The options that belong in front of `-i`, and `-i` itself.
    pub(in crate::source) fn arguments(&self, input: &Input) -> Vec<OsString> {
        let format = self.forced.iter().flat_map(|format| ["-f".into(), OsString::from(format)]);
        format.chain(input.arguments(self.is_modern(), self.rtsp_transport)).collect()
    }

    /// Whether the program knows the option `-noautoscale` (4.4 and later). The other spelling, `-autoscale 0`, is taken
    /// for the name of an output by 8.0 and later.
    pub(in crate::source) fn can_change_size(&self) -> bool {
        self.codec_version >= (58, 134)
    }

    /// Whether the container may tell of colours of which the decoder knows nothing: a JPEG has no word on them.
    pub(in crate::source) fn tells_more_of_colours(&self) -> bool {
        self.codec == "mjpeg" && ["mov", "matroska", "mxf"].iter().any(|name| self.container.contains(name))
    }

    pub(in crate::source) fn is_avi(&self) -> bool {
        self.container == "avi"
    }

    /// Whether the programs know the options of ffmpeg 5.
    pub(in crate::source) fn is_modern(&self) -> bool {
        self.codec_version.0 >= 59
    }

    /// The option that makes ffmpeg hand every frame through, as this version calls it.
    pub(in crate::source) fn frame_mode_option(&self) -> &'static str {
        if self.codec_version >= (59, 37) { "-fps_mode" } else { "-vsync" }
    }
}

/// Whether pictures of this container stand one behind the other without a time; ffmpeg counts them, 25 a second.
pub(super) fn is_timeless(container: &str) -> bool {
    let raw = ["mpjpeg", "mjpeg", "h264", "hevc", "vvc", "m4v", "mpegvideo", "obu", "h263", "image2"];
    raw.contains(&container) || container.ends_with("_pipe")
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Reply {
    #[serde(default)]
    streams: Vec<Stream>,
    format: Option<Format>,
    #[serde(default)]
    library_versions: Vec<Library>,
}

impl Reply {
    /// What it says of the first stream's colours.
    pub(super) fn colours(&self) -> Colours {
        let told =
            |stream: &Stream| Colours::of(stream.color_range.as_deref(), stream.color_space.as_deref());
        self.streams.first().map(told).unwrap_or_default()
    }

    /// Whether ffprobe knows the format at all.
    pub(super) fn is_known(&self) -> bool {
        self.format.is_some()
    }

    /// Whether it is pictures in parts, as cameras send them.
    pub(super) fn is_multipart(&self) -> bool {
        self.format.as_ref().is_some_and(|format| format.format_name == "mpjpeg")
    }

    pub(super) fn has_sized_video(&self) -> bool {
        self.streams.iter().any(|s| s.codec_type == "video" && s.width > 0 && s.height > 0)
    }
}

#[derive(Debug, Deserialize)]
struct Library {
    #[serde(default)]
    name: String,
    #[serde(default)]
    major: u32,
    #[serde(default)]
    minor: u32,
}

#[derive(Debug, Deserialize)]
struct Format {
    #[serde(default)]
    format_name: String,
    start_time: Option<String>,
    duration: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Stream {
    index: Option<u32>,
    #[serde(default)]
    codec_type: String,
    codec_name: Option<String>,
    color_range: Option<String>,
    color_space: Option<String>,
    color_transfer: Option<String>,
    #[serde(default)]
    width: i64,
    #[serde(default)]
    height: i64,
    sample_aspect_ratio: Option<String>,
    r_frame_rate: Option<String>,
    avg_frame_rate: Option<String>,
    start_time: Option<String>,
    duration: Option<String>,
    nb_frames: Option<String>,
    #[serde(default)]
    disposition: Disposition,
    #[serde(default)]
    side_data_list: Vec<SideData>,
    #[serde(default)]
    tags: Tags,
}

#[derive(Debug, Default, Deserialize)]
struct Disposition {
    #[serde(default)]
    attached_pic: i64,
    /// What players take unless they are told otherwise.
    #[serde(default)]
    default: i64,
    /// A tile of a larger picture.
    #[serde(default)]
    dependent: i64,
}

#[derive(Debug, Default, Deserialize)]
struct SideData {
    rotation: Option<f64>,
    /// Pixels that the container leaves out at the edges of what is stored.
    #[serde(default)]
    crop_left: i64,
    #[serde(default)]
    crop_right: i64,
    #[serde(default)]
    crop_top: i64,
    #[serde(default)]
    crop_bottom: i64,
}

#[derive(Debug, Default, Deserialize)]
struct Tags {
    rotate: Option<String>,
}

/// Demuxers that make a video of any text.
const TEXT: [&str; 5] = ["tty", "bin", "xbin", "adf", "idf"];

/// Reads what `ffprobe` says, as far as it is more than nothing.
pub(in crate::source) fn read_reply(bytes: &[u8]) -> Result<Probe, String> {
    understand(serde_json::from_slice(bytes).unwrap_or_default(), None, "")
}

/// The first version of libavcodec with which ffmpeg puts the tiles of a picture together: that of ffmpeg 9.
const STITCHES: u32 = 63;

/// Of several videos the one that players show: marked as default, a film rather than a still, with the most pixels, the
/// first. Or number `wanted`.
fn choose<'a>(videos: &[&'a Stream], wanted: Option<u32>) -> Result<&'a Stream, String> {
    if let Some(number) = wanted {
        let count = videos.len();
        let video = (number as usize).checked_sub(1).and_then(|place| videos.get(place));
        return video
            .copied()
            .ok_or_else(|| format!("source.stream is {number}, but it holds {count} videos"));
    }
    let rank = |stream: &Stream| {
        let still = stream.nb_frames.as_deref() == Some("1");
        let pixels = stream.width.max(0).saturating_mul(stream.height.max(0));
        (stream.disposition.dependent == 0, !still, stream.disposition.default, pixels)
    };
    // Of equals `max_by_key` takes the last.
    let best = videos.iter().rev().max_by_key(|stream| rank(stream));
    best.copied().ok_or_else(|| "it holds no video".to_owned())
}

/// What a reply means; `wanted` is the number of the video to take where there are several, from 1.
///
/// # Errors
/// Why there is no video.
pub(super) fn understand(reply: Reply, wanted: Option<u32>, what: &str) -> Result<Probe, String> {
    let codec_version = codec_version(&reply);
    let format = reply.format.ok_or("ffprobe says nothing about it")?;
    if TEXT.contains(&format.format_name.as_str()) {
        return Err("it is text, not a video".to_owned());
    }
    let has_sound = reply.streams.iter().any(|s| s.codec_type == "audio");
    let is_video = |s: &&Stream| s.codec_type == "video" && s.disposition.attached_pic == 0;
    let videos: Vec<&Stream> = reply.streams.iter().filter(is_video).collect();
    if videos.is_empty() {
        return Err(match (has_sound, reply.streams.iter().any(|s| s.codec_type == "video")) {
            (true, false) => "it holds only sound, no video".to_owned(),
            (_, true) => "it holds only sound and a cover picture, no video".to_owned(),
            (false, false) => "it holds no video".to_owned(),
        });
    }
    let stream = choose(&videos, wanted)?;
    let tiles = stream.disposition.dependent != 0;
    if tiles && codec_version.0 < STITCHES {
        return Err(
            "its picture is stored in tiles, which this ffmpeg does not put together (9 and later do); \
                    save it as JPEG or PNG"
                .to_owned(),
        );
    }
    if videos.len() > 1 && !tiles {
        let place = videos.iter().position(|video| std::ptr::eq(*video, stream)).unwrap_or_default();
        log::info!(
            target: NOTICE,
            "{what} holds {} videos: number {} is taken, {}×{} (source.stream chooses another)",
            videos.len(),
            place + 1,
            stream.width,
            stream.height
        );
    }
    if stream.codec_name.as_deref() == Some("ansi") {
        return Err("it is text, not a video".to_owned());
    }
    let rate = stream.avg_frame_rate.as_deref().and_then(ratio);
    let base_rate = stream.r_frame_rate.as_deref().and_then(ratio);
    let frames: Option<u64> = stream.nb_frames.as_deref().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
    // The length follows from that number where nobody knows it.
    let length = |text: Option<&str>| text.and_then(seconds).filter(|d| *d > 0.0 && frames != Some(UNKNOWN));
    let own = length(stream.duration.as_deref());
    let container_start = format.start_time.as_deref().and_then(seconds).unwrap_or(0.0);
    Ok(Probe {
        size: shown_size(stream).filter(|_| !tiles),
        rate: rate.or(base_rate),
        frames: frames.filter(|frames| *frames != UNKNOWN),
        start: stream.start_time.as_deref().and_then(seconds).unwrap_or(container_start),
        duration: own.or_else(|| length(format.duration.as_deref())),
        own_duration: own.is_some(),
        container_start,
        has_sound,
        container: format.format_name,
        codec_version,
        stream: stream.index.filter(|_| !tiles).map(|index| index.to_string()),
        forced: None,
        rtsp_transport: RtspTransport::Auto,
        is_uneven: rate.zip(base_rate).is_some_and(|(rate, base)| (rate / base - 1.0).abs() > 0.002),
        colours: Colours::default(),
        codec: stream.codec_name.clone().unwrap_or_default(),
        transfer: Transfer::of(stream.color_transfer.as_deref().unwrap_or_default()),
    })
}

/// The version of libavcodec; without a word on it one that knows the options of today.
pub(super) fn codec_version(reply: &Reply) -> (u32, u32) {
    let codec = reply.library_versions.iter().find(|l| l.name == "libavcodec");
    codec.map_or((u32::MAX, 0), |l| (l.major, l.minor))
}

/// The stored size turned upright and stretched to square pixels, as the decoder's filters will do it.
fn shown_size(stream: &Stream) -> Option<(u32, u32)> {
    let crop = stream.side_data_list.iter().fold((0_i64, 0_i64), |(across, down), s| {
        let both = |a: i64, b: i64| a.max(0).saturating_add(b.max(0));
        (
            across.saturating_add(both(s.crop_left, s.crop_right)),
            down.saturating_add(both(s.crop_top, s.crop_bottom)),
        )
    });
    let (width, height) = (stream.width.saturating_sub(crop.0), stream.height.saturating_sub(crop.1));
    if width <= 0 || height <= 0 {
        return None;
    }
    let (width, height) = (width as f64, height as f64);
    let by_matrix = stream.side_data_list.iter().find_map(|s| s.rotation);
    let rotation = by_matrix.or_else(|| stream.tags.rotate.as_deref()?.parse().ok()).unwrap_or(0.0);
    let sideways = (rotation.rem_euclid(180.0) - 90.0).abs() < 1.0;
    let aspect =
        stream.sample_aspect_ratio.as_deref().and_then(|a| ratio(&a.replace(':', "/"))).unwrap_or(1.0);
    let (width, height, aspect) =
        if sideways { (height, width, aspect.recip()) } else { (width, height, aspect) };
    let (width, height) = if aspect > 1.0 {
        ((width * aspect + 0.5).trunc(), height)
    } else {
        (width, (height / aspect + 0.5).trunc())
    };
    let whole = |side: f64| (side >= 1.0 && side < f64::from(u32::MAX)).then_some(side as u32);
    Some((whole(width)?, whole(height)?))
}

/// `30000/1001` as a number above zero.
fn ratio(text: &str) -> Option<f64> {
    let (numerator, denominator) = text.split_once('/')?;
    let value = numerator.parse::<f64>().ok()? / denominator.parse::<f64>().ok()?;
    (value.is_finite() && value > 0.0).then_some(value)
}

fn seconds(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|v| v.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(json: &str) -> Result<Probe, String> {
        understand(serde_json::from_str(json).unwrap(), None, "")
    }

    #[test]
    fn a_turned_video_with_wide_pixels_is_told_as_shown() {
        let probe = understood(
            r#"{"library_versions": [{"name": "libavcodec", "major": 58, "minor": 134}],
                "streams": [{"codec_type": "audio"}, {"codec_type": "video", "codec_name": "h264", "width": 720,
                "height": 576, "sample_aspect_ratio": "16:11", "avg_frame_rate": "30000/1001", "nb_frames": "60",
                "start_time": "0.5", "duration": "2.002", "side_data_list": [{"rotation": -90}]}],
                "format": {"format_name": "mov,mp4", "start_time": "0.1", "duration": "3.0"}}"#,
        )
        .unwrap();
        assert_eq!(probe.size, Some((576, 1047)));
        assert_eq!((probe.frames, probe.start, probe.duration), (Some(60), 0.5, Some(2.002)));
        assert!(probe.has_sound && probe.own_duration && !probe.is_modern());
        assert_eq!(probe.frame_mode_option(), "-vsync");
        assert!((probe.rate.unwrap() - 29.97).abs() < 0.001);
    }

    #[test]
    fn what_is_no_video_is_said_so() {
        for (json, word) in [
            (
                r#"{"streams": [{"codec_type": "audio"}], "format": {"format_name": "mp3"}}"#,
                "only sound, no video",
            ),
            (
                r#"{"streams": [{"codec_type": "audio"}, {"codec_type": "video", "disposition": {"attached_pic": 1}}],
                    "format": {"format_name": "mp3"}}"#,
                "cover picture",
            ),
            (r#"{"streams": [{"codec_type": "video"}], "format": {"format_name": "tty"}}"#, "text"),
            (r#"{"streams": [{"codec_type": "subtitle"}], "format": {"format_name": "srt"}}"#, "no video"),
        ] {
            assert!(understood(json).unwrap_err().contains(word), "{json}");
        }
    }

    #[test]
    fn of_several_videos_the_one_is_taken_that_players_show() {
        let file =
            |streams: &str| format!(r#"{{"streams": [{streams}], "format": {{"format_name": "hls"}}}}"#);
        let video = |index: u32, width: u32, more: &str| {
            format!(
                r#"{{"index": {index}, "codec_type": "video", "width": {width}, "height": 90,
                "disposition": {{"default": 0 {more}}}}}"#
            )
        };
        let taken = |json: &str, wanted| {
            understand(serde_json::from_str(json).unwrap(), wanted, "")
                .map(|probe| (probe.stream, probe.size))
        };
        let some = |index: &str, width| Ok((Some(index.to_owned()), Some((width, 90))));
        let largest = file(&[video(1, 160, ""), video(3, 320, ""), video(4, 320, "")].join(","));
        assert_eq!(taken(&largest, None), some("3", 320));
        assert_eq!(taken(&largest, Some(1)), some("1", 160));
        assert!(taken(&largest, Some(4)).unwrap_err().contains("3 videos"));
        let marked = video(2, 160, "").replace(r#""default": 0"#, r#""default": 1"#);
        assert_eq!(taken(&file(&[video(0, 320, ""), marked].join(",")), None), some("2", 160));
        let still = video(0, 320, "").replace(r#""width""#, r#""nb_frames": "1", "width""#);
        let film = video(1, 160, "").replace(r#""width""#, r#""nb_frames": "20", "width""#);
        assert_eq!(taken(&file(&[still, film].join(",")), None), some("1", 160));
        let tile = video(0, 320, r#", "dependent": 1"#);
        assert!(taken(&file(&tile), None).is_ok(), "a version that is not told puts tiles together");
        let older = file(&tile).replacen(
            '{',
            r#"{"library_versions": [{"name": "libavcodec", "major": 62, "minor": 11}],"#,
            1,
        );
        assert!(taken(&older, None).unwrap_err().contains("tiles"));
    }

    #[test]
    fn what_the_container_leaves_out_at_the_edges_is_no_part_of_the_size() {
        let probe = understood(
            r#"{"streams": [{"codec_type": "video", "width": 160, "height": 96, "side_data_list": [
                {"side_data_type": "Frame Cropping", "crop_top": 0, "crop_bottom": 16, "crop_left": 16,
                "crop_right": 16}]}], "format": {"format_name": "matroska,webm"}}"#,
        )
        .unwrap();
        assert_eq!(probe.size, Some((128, 80)));
    }

    #[test]
    fn nonsense_numbers_are_left_out() {
        let probe = understood(
            r#"{"streams": [{"codec_type": "video", "width": -5, "height": 9999999999, "avg_frame_rate": "0/0",
                "r_frame_rate": "x", "nb_frames": "N/A", "duration": "N/A", "start_time": "nan"}],
                "format": {"format_name": "x", "duration": "-1"}}"#,
        )
        .unwrap();
        assert_eq!((probe.size, probe.rate, probe.frames, probe.duration), (None, None, None, None));
        assert_eq!(probe.start, 0.0);
    }

    proptest::proptest! {
        #[test]
        fn no_reply_ends_the_program(a in "\\PC{0,20}", w in proptest::num::i64::ANY, r in proptest::num::f64::ANY) {
            let _ = ratio(&a);
            let _ = seconds(&a);
            let stream = Stream {
                width: w,
                height: w.wrapping_mul(7),
                sample_aspect_ratio: Some(format!("{w}:{a}")),
                side_data_list: vec![SideData { rotation: Some(r), crop_left: w, crop_top: w, ..SideData::default() }],
                ..Stream::default()
            };
            shown_size(&stream);
        }
    }
}
