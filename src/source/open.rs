//! From what a user typed to a source: what it means, which reader it needs, and what is set about it put around it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::animation::{AnimationSource, is_animation};
use super::jpeg;
use super::picture_file::format_of;
use super::secrets::learn;
use super::{
    AviSource, FfmpegSource, ImageSource, Input, LiveSource, LiveTimeouts, Options, Simulation, Source,
    SourceError, SourceSettings, Tools, adapt, is_motion_jpeg, redact,
};

/// What a simulated camera's name begins with.
const SIMULATE: &str = "simulate:";

/// What a source's name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceSpec {
    /// The camera with this index.
    Camera(u32),
    /// A stream or a remote file, `scheme://…`.
    Url(String),
    /// One image file.
    Image(PathBuf),
    /// A folder, of images as is hoped.
    Folder(PathBuf),
    /// Images by a pattern with `*`, `?` or `[…]`.
    Pattern(String),
    /// A video file; also a path that does not exist, so that opening it says so.
    Video(PathBuf),
    /// A recording that comes as a camera's pictures, with faults.
    Simulation {
        /// The recording, as a source's name.
        recording: String,
        /// What happens, see [`Simulation`](super::Simulation).
        faults: String,
    },
    /// None of these: perhaps (part of) a camera's name.
    Name(String),
}

impl SourceSpec {
    /// As [`SourceSpec::parse`], for what a system calls text: a name that is not Unicode can only be a path.
    pub fn parse_os(text: &std::ffi::OsStr) -> Self {
        match text.to_str() {
            Some(text) => Self::parse(text),
            None => Self::of_path(Path::new(text)).unwrap_or_else(|| Self::Video(text.into())),
        }
    }

    /// What a path that exists is, by its content.
    fn of_path(path: &Path) -> Option<Self> {
        if path.is_dir() {
            return Some(Self::Folder(path.to_owned()));
        }
        path.exists().then(|| {
            let image = is_regular(path) && format_of(path).is_some() && !is_film(path);
            if image { Self::Image(path.to_owned()) } else { Self::Video(path.to_owned()) }
        })
    }

    /// Finds out what `text` means. In this order: only digits are a camera's index; `simulate:RECORDING?FAULTS` is a
    /// simulated camera; `scheme://` begins an address;
    /// what exists is a folder, an image or a video by its content; `*`, `?` and `[` make a pattern; what looks like a
    /// path is a missing video; the rest is a name.
    pub fn parse(text: &str) -> Self {
        if let Ok(index) = text.parse::<u32>()
            && text.bytes().all(|b| b.is_ascii_digit())
        {
            return Self::Camera(index);
        }
        if let Some(simulation) = text.strip_prefix(SIMULATE) {
            // An address has a `?` of its own, and behind it perhaps a password that no message should repeat.
            let is_split = |(_, faults): &(&str, &str)| !is_url(simulation) || Simulation::knows(faults);
            let (recording, faults) =
                simulation.rsplit_once('?').filter(is_split).unwrap_or((simulation, ""));
            if is_url(recording) {
                learn(recording);
            }
            return Self::Simulation { recording: recording.to_owned(), faults: faults.to_owned() };
        }
        if is_url(text) {
            learn(text);
            return Self::Url(text.to_owned());
        }
        let path = Path::new(text);
        if let Some(known) = Self::of_path(path) {
            return known;
        }
        if text.contains(['*', '?', '[']) {
            return Self::Pattern(text.to_owned());
        }
        if looks_like_path(text) { Self::Video(path.to_owned()) } else { Self::Name(text.to_owned()) }
    }
}

/// Opens a file, folder, pattern or address and puts around it what `settings` ask for. Image sequences run at
/// `settings.fps`, or [`IMAGE_RATE`](super::IMAGE_RATE). Cameras and names are the caller's.
///
/// # Errors
/// [`SourceError::Open`] where it is missing (with names like it in the same folder, if there are), holds no image, or
/// is a camera; [`SourceError::Missing`] without ffmpeg where it is needed; [`SourceError::Read`] where the contents
/// are neither video nor image.
pub fn open_file(spec: &SourceSpec, settings: &SourceSettings) -> Result<Box<dyn Source>, SourceError> {
    open_file_with(&Tools::default(), spec, settings)
}

/// As [`open_file`], with the programs of ffmpeg named.
///
/// # Errors
/// As [`open_file`].
pub fn open_file_with(
    tools: &Tools,
    spec: &SourceSpec,
    settings: &SourceSettings,
) -> Result<Box<dyn Source>, SourceError> {
    let source: Box<dyn Source> = match spec {
        SourceSpec::Image(path) => Box::new(ImageSource::file(path, settings.fps)?),
        SourceSpec::Folder(path) => Box::new(ImageSource::folder(path, settings.fps)?),
        SourceSpec::Pattern(pattern) => Box::new(ImageSource::pattern(pattern, settings.fps)?),
        SourceSpec::Url(url) => open_address(tools, url, settings)?,
        SourceSpec::Video(path) => open_video_file(tools, path, settings)?,
        SourceSpec::Camera(index) => {
            return Err(SourceError::Open {
                what: format!("camera {index}"),
                why: "it is not a file".to_owned(),
            });
        }
        SourceSpec::Name(name) | SourceSpec::Simulation { recording: name, .. } => {
            return Err(missing(Path::new(name)));
        }
    };
    // The images' own times are at the wished rate already, and gaps in them are meant.
    let images = matches!(spec, SourceSpec::Image(_) | SourceSpec::Folder(_) | SourceSpec::Pattern(_));
    let settings = if images { &SourceSettings { fps: None, ..settings.clone() } } else { settings };
    Ok(adapt(source, settings))
}

fn open_video_file(
    tools: &Tools,
    path: &Path,
    settings: &SourceSettings,
) -> Result<Box<dyn Source>, SourceError> {
    if !path.exists() {
        return Err(missing(path));
    }
    let input = Input::File(path.to_owned());
    if is_regular(path) && is_animation(path) {
        // ffmpeg may know what to do with an odd one.
        return match AnimationSource::open(path) {
            Ok(source) => Ok(Box::new(source)),
            Err(trouble) => open_video(tools, &input, settings).map_err(|_| trouble),
        };
    }
    if !is_regular(path) || !is_motion_jpeg(path) {
        return open_video(tools, &input, settings);
    }
    match AviSource::open(path) {
        Ok(source) => Ok(Box::new(source)),
        // ffmpeg may know what to do with an odd one; where it is missing, the first trouble is the one to tell.
        Err(trouble) => open_video(tools, &input, settings).map_err(|second| match second {
            SourceError::Missing { .. } => trouble,
            other => other,
        }),
    }
}

/// A stream is kept alive; what has a length is a recording, wherever it lies.
fn open_address(tools: &Tools, url: &str, settings: &SourceSettings) -> Result<Box<dyn Source>, SourceError> {
    let input = Input::Url(url.to_owned());
    let source = open_video(tools, &input, settings)?;
    if !source.info().kind.is_live() {
        return Ok(source);
    }
    let tools = tools.clone();
    let options = Options { start: None, ..options(settings) };
    let again = move || Ok(Box::new(FfmpegSource::open_with(&tools, &input, &options)?) as Box<dyn Source>);
    Ok(Box::new(LiveSource::new(source, Box::new(again), LiveTimeouts::of(&settings.camera))?))
}

fn open_video(
    tools: &Tools,
    input: &Input,
    settings: &SourceSettings,
) -> Result<Box<dyn Source>, SourceError> {
    Ok(Box::new(FfmpegSource::open_with(tools, input, &options(settings))?))
}

fn options(settings: &SourceSettings) -> Options {
    // With a rate of its own, the time that `start` means is not the file's.
    let start = settings.start.filter(|_| settings.fps.is_none());
    Options { start, stream: settings.stream, rtsp_transport: settings.rtsp_transport }
}

fn missing(path: &Path) -> SourceError {
    let near = near_names(path);
    let why = if near.is_empty() {
        "there is no such file or folder".to_owned()
    } else {
        format!("there is no such file or folder; did you mean {}?", near.join(" or "))
    };
    SourceError::Open { what: redact(&path.display().to_string()), why }
}

/// The names in `path`'s folder that are much like its own, the likest first, at most three; with the folder in front
/// as it was typed.
pub fn near_names(path: &Path) -> Vec<String> {
    let Some(wanted) = path.file_name().map(|name| name.to_string_lossy().to_lowercase()) else {
        return Vec::new();
    };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let Ok(entries) = std::fs::read_dir(folder.unwrap_or(Path::new("."))) else { return Vec::new() };
    let mut near: Vec<(f64, String)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let likeness = likeness(&wanted, &name.to_lowercase());
            let shown = folder.map_or_else(|| name.clone(), |f| f.join(&name).display().to_string());
            (likeness >= 0.7).then_some((likeness, shown))
        })
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// 0 to 1; a name that differs only in its ending (`clip.mov` for `clip.mp4`) is near too.
fn likeness(a: &str, b: &str) -> f64 {
    let stem = |name: &str| Path::new(name).file_stem().map(|s| s.to_string_lossy().into_owned());
    let whole = strsim::normalized_damerau_levenshtein(a, b);
    if stem(a) == stem(b) { whole.max(0.75) } else { whole }
}

/// `scheme://`, as RFC 3986 spells a scheme. A single letter is a Windows drive.
fn is_url(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| {
        scheme.len() > 1
            && !rest.is_empty()
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}

/// A separator, or an ending of up to five letters and digits with a letter among them.
fn looks_like_path(text: &str) -> bool {
    if text.contains('/') || text.contains(std::path::MAIN_SEPARATOR) {
        return true;
    }
    Path::new(text).extension().and_then(|e| e.to_str()).is_some_and(|ending| {
        ending.len() <= 5
            && ending.chars().all(|c| c.is_ascii_alphanumeric())
            && ending.chars().any(|c| c.is_ascii_alphabetic())
    })
}

/// Not a pipe or a device: to look into one would take from it what the reader needs.
fn is_regular(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|about| about.is_file())
}

/// Whether an image file moves: an animation, or JPEG pictures one behind the other, as camera programs record them.
fn is_film(path: &Path) -> bool {
    is_animation(path) || format_of(path) == Some(image::ImageFormat::Jpeg) && is_jpeg_film(path)
}

/// The most that is read of a file to find the end of its first picture, in bytes.
const FIRST_PICTURE: u64 = 32 << 20;

/// Whether a JPEG file is a film: behind the first picture stands another one of the same size. A second picture that belongs to
/// the first (another brightness, the other eye, a preview) is announced in the first.
fn is_jpeg_film(path: &Path) -> bool {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(FIRST_PICTURE).read_to_end(&mut bytes));
    if read.is_err() {
        return false;
    }
    let Some((first, behind)) = jpeg::length(&bytes).and_then(|length| bytes.split_at_checked(length)) else {
        return false;
    };
    let announced = [&b"MPF\0"[..], b"hdrgm:", b"GContainer"]
        .iter()
        .any(|mark| first.windows(mark.len()).any(|window| window == *mark));
    // Some writers fill up to a round length.
    let padding =
        behind.iter().take(4096).take_while(|byte| matches!(byte, 0 | 0xFF | b'\r' | b'\n')).count();
    let second = behind.get(padding.saturating_sub(1)..).unwrap_or_default();
    let second = second.strip_prefix(&[0]).or(second.strip_prefix(b"\n")).unwrap_or(second);
    let size = |bytes: &[u8]| jpeg_size(bytes);
    !announced
        && second.starts_with(&[0xFF, 0xD8, 0xFF])
        && size(first).is_some()
        && size(first) == size(second)
}

/// The size that a JPEG's head tells.
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let format = image::ImageFormat::Jpeg;
    image::ImageReader::with_format(std::io::Cursor::new(bytes), format).into_dimensions().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_what_they_look_like() {
        for (text, spec) in [
            ("0", SourceSpec::Camera(0)),
            ("12", SourceSpec::Camera(12)),
            ("rtsp://a/b", SourceSpec::Url("rtsp://a/b".to_owned())),
            (
                "simulate:http://cam/v?user=a&password=b",
                SourceSpec::Simulation {
                    recording: "http://cam/v?user=a&password=b".into(),
                    faults: String::new(),
                },
            ),
            (
                "simulate:http://cam/v?user=a?stall 5",
                SourceSpec::Simulation { recording: "http://cam/v?user=a".into(), faults: "stall 5".into() },
            ),
            ("simulate:a.avi", SourceSpec::Simulation { recording: "a.avi".into(), faults: String::new() }),
            (
                "simulate:what?.avi?stall 5, unplug 3",
                SourceSpec::Simulation { recording: "what?.avi".into(), faults: "stall 5, unplug 3".into() },
            ),
            ("udp://@239.0.0.1:1234", SourceSpec::Url("udp://@239.0.0.1:1234".to_owned())),
            ("none/*.png", SourceSpec::Pattern("none/*.png".to_owned())),
            ("missing.mp4", SourceSpec::Video("missing.mp4".into())),
            ("some/where", SourceSpec::Video("some/where".into())),
            ("HD Webcam", SourceSpec::Name("HD Webcam".to_owned())),
            ("Webcam 2.0", SourceSpec::Name("Webcam 2.0".to_owned())),
            ("+5", SourceSpec::Name("+5".to_owned())),
            ("99999999999", SourceSpec::Name("99999999999".to_owned())),
        ] {
            assert_eq!(SourceSpec::parse(text), spec);
        }
    }

    #[test]
    fn contents_decide_not_endings() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let png = folder.path().join("dot.png");
        image::GrayImage::new(1, 1).save(&png).unwrap();
        let disguised = put("dot[1].mp4", &std::fs::read(&png).unwrap());
        assert_eq!(SourceSpec::parse(&text(&disguised)), SourceSpec::Image(disguised));
        let video = put("video.png", b"\x1A\x45\xDF\xA3 matroska");
        assert_eq!(SourceSpec::parse(&text(&video)), SourceSpec::Video(video));
        let dir = folder.path().to_owned();
        assert_eq!(SourceSpec::parse(&text(&dir)), SourceSpec::Folder(dir));
    }

    #[test]
    fn what_moves_is_a_video_and_a_still_one_an_image() {
        let folder = tempfile::tempdir().unwrap();
        for (name, count, moving) in [("one.gif", 1, false), ("two.gif", 2, true)] {
            let path = folder.path().join(name);
            let mut encoder = image::codecs::gif::GifEncoder::new(File::create(&path).unwrap());
            for _ in 0..count {
                encoder.encode_frame(image::Frame::new(image::RgbaImage::new(2, 2))).unwrap();
            }
            drop(encoder);
            assert_eq!(is_film(&path), moving);
        }
    }

    #[test]
    fn jpegs_one_behind_the_other_are_a_film_whatever_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.avi");
        let jpeg = |width: u16, mark: &[u8]| {
            let mut bytes = Vec::new();
            let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 80);
            encoder.add_app_segment(2, mark.to_vec()).unwrap();
            let pixels = vec![90; usize::from(width) * 8];
            encoder.encode(&pixels, width, 8, jpeg_encoder::ColorType::Luma).unwrap();
            bytes
        };
        let (one, two, small) = (jpeg(16, b"x"), jpeg(16, b"y"), jpeg(8, b"x"));
        for (parts, film) in [
            (vec![&one[..], &two], true),
            (vec![&one, &[0; 100], &two, &one], true),
            (vec![&one, b"\n", &two], true),
            (vec![&one], false),
            (vec![&one, &small], false),
            (vec![&one, b"\0\0\0\x18ftypmp42", &two], false),
            (vec![&jpeg(16, b"MPF\0"), &two], false),
            (vec![&one[..one.len() - 2], &two], false),
        ] {
            std::fs::write(&path, parts.concat()).unwrap();
            let spec = SourceSpec::parse(path.to_str().unwrap());
            assert_eq!(spec == SourceSpec::Video(path.clone()), film, "{} parts", parts.len());
        }
    }

    #[test]
    fn a_missing_file_brings_near_names() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["holiday.mp4", "birthday.mov", "zebra.txt"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let open = |name: &str| {
            let spec = SourceSpec::parse(folder.path().join(name).to_str().unwrap());
            open_file(&spec, &SourceSettings::default()).err().unwrap().to_string()
        };
        let error = open("holyday.mp4");
        assert!(error.contains("no such file") && error.contains("holiday.mp4"), "{error}");
        assert!(open("BIRTHDAY.mp4").contains("birthday.mov"));
        assert!(!open("nothing-like-it.mkv").contains("mean"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_means_something(text in "\\PC{0,40}") {
            SourceSpec::parse(&text);
        }
    }
}
