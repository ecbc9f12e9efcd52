//! Every reader of bytes from outside, as one function: bytes in, in words what came of them. The fixed-seed runs in
//! `fuzz_files.rs` and `fuzz_pictures.rs` and the coverage-guided targets in `fuzz/` both call these. A panic is a
//! finding; what a reader promises of its results is asserted here.

use std::path::{Path, PathBuf};

use trailsight::analyse::{Known, When};
use trailsight::config::{Live, Loaded};
use trailsight::dataset::{DetectionFile, Dialect, Format, ReadOptions, Sequence, SequenceInfo, TrackFile};
use trailsight::detect::{DetectSettings, Detector};
use trailsight::frame::Picture;
use trailsight::labels::Labels;
use trailsight::metrics::Scorer;
use trailsight::source::jpeg::{JpegLimits, decode_jpeg};
use trailsight::source::{AviSource, Source, SourceSpec, fuzz, read_picture, redact};
use trailsight::zoo::Table;

/// A reader: bytes in, words out.
pub type Reader = fn(&[u8]) -> String;

/// All of them by name; a target in `fuzz/fuzz_targets/` has the same name.
pub const ALL: &[(&str, Reader)] = &[
    ("avi", avi),
    #[cfg(feature = "camera")]
    ("camera", camera),
    ("config", config),
    ("detections", detections),
    ("ffprobe", ffprobe),
    ("formats", formats),
    ("jpeg", jpeg),
    ("labels", labels),
    ("model", model),
    ("model_table", model_table),
    ("packets", packets),
    ("pages", pages),
    ("picture", picture),
    ("rule", rule),
    ("seqinfo", seqinfo),
    ("showinfo", showinfo),
    ("source", source),
    ("tracks", tracks),
    ("truth", truth),
];

/// A recording, played for a while and sought in.
pub fn avi(bytes: &[u8]) -> String {
    let mut source = match AviSource::from_bytes(bytes.to_vec(), "it") {
        Ok(source) => source,
        Err(error) => return error.to_string(),
    };
    let mut words = format!("{:?}", source.info().size.is_some());
    for place in [None, Some(0.25), Some(1e12), Some(-1.0), Some(f64::NAN)] {
        if let Some(time) = place {
            words += &told(source.seek(time), |went| went.to_string());
        }
        let (mut last, mut count) = (None, 0);
        for _ in 0..40 {
            match source.next_frame() {
                Ok(Some(frame)) => {
                    let now = (frame.sequence, frame.time);
                    assert!(now.1.is_finite(), "{now:?}");
                    assert!(last.is_none_or(|(n, t)| now.0 > n && now.1 >= t), "{now:?} after {last:?}");
                    (last, count) = (Some(now), count + 1);
                }
                Ok(None) => break,
                Err(error) => {
                    words += &error.to_string();
                    break;
                }
            }
        }
        words += &"f".repeat(count);
    }
    words
}

/// A camera's buffer: the first four bytes give the format, the width, the height and the bytes of a row.
#[cfg(feature = "camera")]
pub fn camera(bytes: &[u8]) -> String {
    fuzz::camera_buffer(bytes)
}

/// A config file. One that is right stays right when a setting is written into it.
pub fn config(bytes: &[u8]) -> String {
    with_scratch(|scratch| {
        let path = scratch.write("config.toml", bytes);
        let loaded = match Loaded::load(Some(&path), &[]) {
            Ok(loaded) => loaded,
            Err(error) => return error.to_string(),
        };
        assert!(!loaded.to_toml_with_origins().is_empty());
        let mut live = Live::new(loaded);
        let set = live.set("tracker.lost_track_seconds", &1.5.into()).is_ok();
        let written = told(live.write_back(), |saved| saved.keys.len().to_string());
        let again = Loaded::load(Some(&path), &[]);
        assert!(again.is_ok(), "{again:?}");
        format!("{set} {written}")
    })
}

/// A MOTChallenge file of detections.
pub fn detections(bytes: &[u8]) -> String {
    told(DetectionFile::parse(bytes, "it"), |file| {
        assert!(file.rows().iter().all(|(_, d)| d.rect.is_sound() && (0.0..=1.0).contains(&d.score)));
        format!("{} {}", file.at(0).count() > 0, file.frames() > 3)
    }) + &told(DetectionFile::parse_as(bytes, "it", &counts_from_0()), |file| (file.frames() > 3).to_string())
}

/// A file that counts everything from 0.
fn counts_from_0() -> Dialect {
    let zero = Some(0);
    Dialect { pixels_from: zero, frames_from: zero, classes_from: zero, ..Dialect::default() }
}

/// What ffprobe says of a file.
pub fn ffprobe(bytes: &[u8]) -> String {
    fuzz::ffprobe_reply(bytes)
}

/// Boxes in the formats of other programs; what one reads, all write.
pub fn formats(bytes: &[u8]) -> String {
    let video = Some("a".to_owned());
    let dialect = Dialect { size: Some((640, 480)), fps: Some(25.0), video, ..Dialect::default() };
    let mut words = String::new();
    for (name, format) in Format::ALL {
        words += &told(format.parse(&mut &bytes[..], "it", &dialect), |read| {
            assert!(read.boxes.iter().all(|one| one.region.left.is_finite() && one.region.width.is_finite()));
            if read.length() > 10_000 {
                return format!("{name} long");
            }
            for (_, other) in Format::ALL.iter().filter(|(_, other)| *other != Format::Ultralytics) {
                other.write(&read, &dialect, &mut std::io::sink()).unwrap();
            }
            format!("{name} {} {}", read.boxes.len() > 1, read.labels.is_empty())
        });
    }
    words
}

/// A JPEG of a camera or a recording.
pub fn jpeg(bytes: &[u8]) -> String {
    told(decode_jpeg(bytes, JpegLimits::default()), size)
}

/// A file of class names.
pub fn labels(bytes: &[u8]) -> String {
    let labels = Labels::parse(&String::from_utf8_lossy(bytes));
    format!("{:?} {} {:?}", labels.find("car"), labels.is_empty(), labels.name(3))
}

/// The condition of a rule. What is right is the same when it is printed and read again; what is wrong has its place.
pub fn rule(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let labels = Labels::coco();
    let known = Known {
        zones: &["square", "north gate"],
        lines: &["door"],
        classes: Some(&labels),
        ..Known::default()
    };
    match text.parse::<When>() {
        Ok(when) => {
            let printed = when.to_string();
            // Printing adds spaces: what becomes too long by them cannot be read again.
            if printed.chars().count() <= 2000 {
                let again: When = printed.parse().unwrap_or_else(|error| panic!("{printed}: {error}"));
                assert_eq!(again.to_string(), printed);
            }
            told(when.check(&known), |()| "right".to_owned())
        }
        Err(error) => {
            let line = text.split('\n').nth(error.line - 1).map(|line| line.chars().count());
            assert!(line.is_some_and(|length| error.column <= length + 1), "{error}");
            error.to_string()
        }
    }
}

/// A table of models known by name. Whatever stands in it, a name leads to no other folder.
pub fn model_table(bytes: &[u8]) -> String {
    told(Table::parse("it", &String::from_utf8_lossy(bytes)), |table| {
        for entry in &table.entries {
            let file = entry.file_name();
            assert_eq!(Path::new(&file).components().count(), 1, "{file}");
            assert!(entry.bytes > 0 && entry.sha256.len() == 64 && !entry.addresses.is_empty());
        }
        format!("{} {}", table.entries.len(), table.bring.len())
    })
}

/// An ONNX model of three classes; one that loads detects in a picture.
pub fn model(bytes: &[u8]) -> String {
    with_scratch(|scratch| {
        let labels = scratch.write("three.names", b"bolt\nnut\nwasher\n");
        detect(scratch.write("model.onnx", bytes), Some(labels))
    })
}

/// An ONNX model of COCO's classes, such as the bundled one.
pub fn coco_model(bytes: &[u8]) -> String {
    with_scratch(|scratch| detect(scratch.write("model.onnx", bytes), None))
}

fn detect(model: PathBuf, labels: Option<PathBuf>) -> String {
    let settings = DetectSettings {
        model: Some(model),
        labels,
        input: "32x32".parse().unwrap(),
        ..DetectSettings::default()
    };
    told(Detector::load(&settings), |mut detector| {
        let picture = Picture::filled(40, 30, [200, 90, 10]).unwrap();
        told(detector.detect(&picture), |found| {
            assert!(found.iter().all(|d| d.rect.is_sound() && d.score.is_finite()), "{found:?}");
            "it detects".to_owned()
        })
    })
}

/// What ffprobe says of the packets of a file.
pub fn packets(bytes: &[u8]) -> String {
    fuzz::packet_list(bytes)
}

/// A file of several pictures.
pub fn pages(bytes: &[u8]) -> String {
    fuzz::pictures_in_a_file(bytes)
}

/// A picture file of any format.
pub fn picture(bytes: &[u8]) -> String {
    with_scratch(|scratch| told(read_picture(&scratch.write("picture", bytes)), size))
}

/// A `seqinfo.ini` of a data set.
pub fn seqinfo(bytes: &[u8]) -> String {
    told(SequenceInfo::parse(&String::from_utf8_lossy(bytes), "it"), |info| format!("{info:?}"))
}

/// What ffmpeg says while it decodes.
pub fn showinfo(bytes: &[u8]) -> String {
    fuzz::decoder_log(bytes)
}

/// The word for a source on the command line.
pub fn source(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let redacted = redact(&text);
    format!("{:?} {}", std::mem::discriminant(&SourceSpec::parse(&text)), redacted == text)
}

/// A track file of any of the formats.
pub fn tracks(bytes: &[u8]) -> String {
    told(TrackFile::parse(bytes, "it", &Labels::coco()), |file| {
        assert!(file.rows().iter().all(|row| row.rect.is_sound() && row.score.is_finite()));
        let last = file.rows().last().map_or(0, |row| row.frame);
        for (_, extra) in file.extras(0).chain(file.extras(last)) {
            assert!(extra.turned.is_none_or(|turned| turned.is_sound()));
            if let Some(mask) = &extra.mask {
                let (right, bottom) = (mask.rect().right() as u32, mask.rect().bottom() as u32);
                assert!(mask.to_rle((right, bottom)).area() > 0);
            }
        }
        format!("{} {}", file.at(0).len() + file.at(last).len() > 1, file.labels().is_empty())
    })
}

/// The truth of a data set in any format, read as results and as detections too, and scored by its rules.
pub fn truth(bytes: &[u8]) -> String {
    with_scratch(|scratch| {
        scratch.write("seq/gt/dontcare.txt", b"1,-1,5,5,60,60\n");
        let path = scratch.write("seq/gt/gt.txt", bytes);
        let mut words = String::new();
        for every in [1, 3] {
            let options = ReadOptions { every, ..ReadOptions::default() };
            words += &told(Sequence::read(scratch.folder(), "seq", &options), |sequence| {
                let truth = told(sequence.truth(None), |_| "truth".to_owned());
                let results =
                    told(sequence.results(&path), |file| told(file.select(None), |_| "results".to_owned()));
                let detections = told(sequence.detections(&path), |file| (file.frames() > 2).to_string());
                let scores = if sequence.frames < 1000 { scores(&sequence, &path) } else { String::new() };
                format!("{truth} {results} {detections} {} {scores}", sequence.classes().len())
            });
        }
        words
    })
}

/// The scores of a file as results of a sequence, of all classes and of some by themselves.
fn scores(sequence: &Sequence, path: &Path) -> String {
    let Ok(file) = sequence.results(path) else { return String::new() };
    let one = |class: Option<i32>| {
        let (truth, results) = (sequence.truth(class).ok()?, file.select(class).ok()?);
        let hota = Scorer::default().evaluate(&truth, &results).ok()?.hota.hota.mean();
        assert!((0.0..=1.0 + 1e-9).contains(&hota), "{hota}");
        Some(hota > 0.5)
    };
    format!("{:?}", [None, Some(1), Some(4), Some(11)].map(one))
}

fn size(picture: Picture) -> String {
    assert_eq!(picture.pixels().len(), picture.rgb().len() * 3);
    "a picture".to_owned()
}

/// What came of it, in words.
fn told<T, E: std::fmt::Display>(result: Result<T, E>, good: impl FnOnce(T) -> String) -> String {
    result.map_or_else(|error| error.to_string(), good)
}

/// A folder for readers that want a file, in memory where the system has such a place.
pub struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    pub fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self { folder: folder.or_else(|_| tempfile::tempdir()).unwrap() }
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// Calls `read` with this thread's scratch folder: one for all inputs, since making one takes longer than most reads.
fn with_scratch<T>(read: impl FnOnce(&Scratch) -> T) -> T {
    thread_local! {
        static SCRATCH: Scratch = Scratch::new();
    }
    SCRATCH.with(read)
}
