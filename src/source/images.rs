//! Still images as a source: one file, a folder, or a pattern such as `shots/*.png`, in natural order (`img2` before
//! `img10`); of a file with several pictures, all of them. What is in one file is read by
//! [`picture_file`](super::picture_file), and how many pictures, by [`pages`](super::pages).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::pages::{Page, pages, read_page};
use super::picture_file::{format_of, named_as_picture, picture_size};
use super::{Source, SourceError, SourceInfo, SourceKind};
use crate::frame::Frame;
use crate::natural_order;

/// Images a second where nothing else is set.
pub const IMAGE_RATE: f64 = 25.0;

/// How many skipped images are named one by one before only their number is told.
const NAMED: u64 = 5;

/// Gives images one after the other, spaced evenly in time.
///
/// An image's time is its place in the list divided by the rate: one that cannot be read leaves a gap in time, not in
/// the sequence numbers.
pub struct ImageSource {
    info: SourceInfo,
    files: Vec<(PathBuf, Page)>,
    /// A file named by itself has to be readable; one of many may be skipped.
    alone: bool,
    rate: f64,
    /// The place in the list of the image that is read next.
    next: usize,
    /// The sequence number of the next frame: how many images before it can be read.
    given: u64,
    /// What is known of each file: whether it can be read.
    readable: Vec<Option<bool>>,
    skipped: u64,
    first_problem: Option<SourceError>,
}

impl ImageSource {
    /// One image file. `rate` is in images a second, [`IMAGE_RATE`] where `None`.
    ///
    /// # Errors
    /// None at once: a file that cannot be read is an error of the first frame.
    pub fn file(path: &Path, rate: Option<f64>) -> Result<Self, SourceError> {
        Ok(Self::new(super::file_name(path), vec![path.to_owned()], true, rate))
    }

    /// Every image in a folder (not in the folders within), in natural order. Other files are left out, and told where they are
    /// pictures or films.
    ///
    /// # Errors
    /// [`SourceError::Open`] where the folder cannot be read or holds no image.
    pub fn folder(path: &Path, rate: Option<f64>) -> Result<Self, SourceError> {
        let open = |why: String| SourceError::Open { what: path.display().to_string(), why };
        let entries = std::fs::read_dir(path).map_err(|e| open(e.to_string()))?;
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry.map_err(|e| open(e.to_string()))?.path());
        }
        let (files, left_out) = images_among(names);
        if files.is_empty() {
            return Err(open(match left_out {
                Some(others) => format!("there is no image in this folder that can be read, but {others}"),
                None => "there is no image in this folder; name a folder of images or a file".to_owned(),
            }));
        }
        if let Some(others) = left_out {
            log::warn!("{}: left out: {others}", path.display());
        }
        Ok(Self::new(super::file_name(path), files, false, rate))
    }

    /// Every image whose path matches a pattern (`*`, `?`, `[…]`, `**`), in natural order. Other files are left out.
    ///
    /// # Errors
    /// [`SourceError::Open`] where the pattern is malformed or matches no image.
    pub fn pattern(pattern: &str, rate: Option<f64>) -> Result<Self, SourceError> {
        let open = |why: String| SourceError::Open { what: pattern.to_owned(), why };
        let paths = glob::glob(pattern).map_err(|e| open(format!("the pattern is malformed: {e}")))?;
        let (files, left_out) = images_among(paths.filter_map(Result::ok).collect());
        if files.is_empty() {
            return Err(open(match left_out {
                Some(others) => format!("no image that can be read matches this pattern, but {others}"),
                None => "no image matches this pattern".to_owned(),
            }));
        }
        if let Some(others) = left_out {
            log::warn!("{pattern}: left out: {others}");
        }
        Ok(Self::new(pattern.to_owned(), files, false, rate))
    }

    fn new(name: String, paths: Vec<PathBuf>, alone: bool, rate: Option<f64>) -> Self {
        let of = |path: PathBuf| pages(&path).into_iter().map(move |page| (path.clone(), page));
        let files: Vec<(PathBuf, Page)> = paths.into_iter().flat_map(of).collect();
        let rate = rate.filter(|r| r.is_finite() && *r > 0.0).unwrap_or(IMAGE_RATE);
        let info = SourceInfo {
            name,
            kind: SourceKind::Images,
            size: files.first().and_then(|(path, _)| picture_size(path)),
            rate: Some(rate),
            frames: Some(files.len() as u64),
            duration: Some(files.len() as f64 / rate),
            sound: None,
        };
        let readable = vec![None; files.len()];
        Self { info, files, alone, rate, next: 0, given: 0, readable, skipped: 0, first_problem: None }
    }

    /// The last place in the list whose time is at or before `time`; the first where none is.
    fn place_at(&self, time: f64) -> usize {
        let last = self.files.len().saturating_sub(1);
        // A number below zero, or none, becomes 0; one out of range the largest.
        let guess = (time * self.rate) as usize;
        let around = guess.saturating_sub(1).min(last)..=guess.saturating_add(1).min(last);
        around.rev().find(|place| *place as f64 / self.rate <= time).unwrap_or(0)
    }

    /// Whether the file at `place` can be read. One that was never read is judged by its head.
    fn is_readable(&mut self, place: usize) -> bool {
        let (Some(known), Some((file, _))) = (self.readable.get_mut(place), self.files.get(place)) else {
            return false;
        };
        *known.get_or_insert_with(|| picture_size(file).is_some())
    }

    /// Remembers whether the file at `place` could be read; tells whether that is news.
    fn note(&mut self, place: usize, readable: bool) -> bool {
        self.readable.get_mut(place).is_some_and(|known| known.replace(readable) != Some(readable))
    }

    fn end(&mut self) -> Result<Option<Frame>, SourceError> {
        if self.given == 0
            && let Some(problem) = self.first_problem.take()
        {
            return Err(SourceError::Read {
                what: self.info.name.clone(),
                why: format!("none of its {} images can be read; the first: {problem}", self.files.len()),
            });
        }
        if self.skipped > NAMED {
            log::warn!("{}: {} of {} images skipped", self.info.name, self.skipped, self.files.len());
            self.skipped = 0;
        }
        Ok(None)
    }
}

impl Source for ImageSource {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
        while let Some((path, page)) = self.files.get(self.next) {
            let place = self.next;
            self.next += 1;
            // One name for many pictures names none of them.
            let file = (*page == Page::Whole).then(|| path.as_path().into());
            match read_page(path, *page) {
                Ok(picture) => {
                    self.note(place, true);
                    let sequence = self.given;
                    self.given += 1;
                    return Ok(Some(Frame {
                        picture: Arc::new(picture),
                        sequence,
                        time: place as f64 / self.rate,
                        captured: Instant::now(),
                        file,
                    }));
                }
                Err(problem) if self.alone => return Err(problem),
                Err(problem) => {
                    // Named once, however often it is come by.
                    if !self.note(place, false) {
                        continue;
                    }
                    self.skipped += 1;
                    if self.skipped <= NAMED {
                        log::warn!("skipped: {problem}");
                    }
                    self.first_problem.get_or_insert(problem);
                }
            }
        }
        self.end()
    }

    fn seek(&mut self, time: f64) -> Result<bool, SourceError> {
        let wanted = self.place_at(time);
        // Nothing comes of a place that cannot be read, and what comes first has to lie at or before `time`.
        let before = (0..=wanted).rev().find(|&place| self.is_readable(place));
        self.next = before.unwrap_or(0);
        self.given = (0..self.next).filter(|&place| self.is_readable(place)).count() as u64;
        Ok(true)
    }
}

/// Endings of pictures and films that are not read as one of many images, and what they are.
const OTHERS: [(&str, &[&str]); 5] = [
    ("HEIC", &["heic", "heif", "hif"]),
    ("AVIF", &["avif"]),
    ("JPEG XL or JPEG 2000", &["jxl", "jp2", "j2k", "jpx"]),
    ("raw", &["dng", "cr2", "cr3", "nef", "arw", "orf", "raf", "rw2", "pef", "srw"]),
    (
        "video",
        &[
            "mp4", "mov", "m4v", "avi", "mkv", "webm", "ts", "mts", "m2ts", "mpg", "mpeg", "wmv", "3gp",
            "mjpeg", "mjpg",
        ],
    ),
];

/// The images among `paths`, in natural order: files with an image's content, and files with an image's name whatever
/// is in them, so that a damaged one is noticed. And how many other pictures and films there are, in words.
fn images_among(paths: Vec<PathBuf>) -> (Vec<PathBuf>, Option<String>) {
    let mut counts = [0_usize; OTHERS.len()];
    let mut files = Vec::new();
    for path in paths.into_iter().filter(|path| path.is_file()) {
        let ending =
            path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
        let other = OTHERS.iter().position(|(_, endings)| endings.contains(&ending.as_str()));
        match other {
            // A raw file of many cameras is a TIFF, whose first picture is a small one.
            Some(other) if OTHERS[other].0 == "raw" || format_of(&path).is_none() => counts[other] += 1,
            _ if named_as_picture(&path) || format_of(&path).is_some() => files.push(path),
            _ => {}
        }
    }
    let told = OTHERS.iter().zip(counts).filter(|(_, count)| *count > 0);
    let told =
        told.map(|((name, _), count)| format!("{count} {name} file{}", if count == 1 { "" } else { "s" }));
    let told = told.collect::<Vec<_>>().join(", ");
    let left_out = (!told.is_empty()).then(|| {
        let hint = if counts[4] == counts.iter().sum::<usize>() {
            "name a film by itself"
        } else {
            "convert pictures to JPEG or PNG"
        };
        format!("{told}, not read in a folder of images ({hint})")
    });
    files.sort_by(|a, b| natural_order::compare(a, b));
    (files, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_grey(path: &Path, value: u8) {
        image::GrayImage::from_pixel(4, 3, image::Luma([value])).save(path).unwrap();
    }

    fn values(source: &mut ImageSource) -> Vec<(u64, f64, u8)> {
        let mut all = Vec::new();
        while let Some(frame) = source.next_frame().unwrap() {
            all.push((frame.sequence, frame.time, frame.picture.rgb()[0][0]));
        }
        all
    }

    #[test]
    fn a_folder_is_read_in_natural_order_and_other_files_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for (name, value) in [("img10.png", 10), ("img2.png", 2), ("IMG1.bmp", 1)] {
            write_grey(&folder.path().join(name), value);
        }
        std::fs::write(folder.path().join("notes.txt"), "words").unwrap();
        std::fs::create_dir(folder.path().join("sub.png")).unwrap();
        // An image by content under a name that tells nothing.
        std::fs::copy(folder.path().join("img2.png"), folder.path().join("img3")).unwrap();
        let mut source = ImageSource::folder(folder.path(), Some(10.0)).unwrap();
        assert_eq!(source.info().frames, Some(4));
        assert_eq!(source.info().size, Some((4, 3)));
        assert_eq!(values(&mut source), [(0, 0.0, 1), (1, 0.1, 2), (2, 0.2, 2), (3, 0.3, 10)]);
        assert!(source.next_frame().unwrap().is_none());
    }

    #[test]
    fn what_is_left_out_is_counted_and_a_picture_under_any_name_is_not() {
        let folder = tempfile::tempdir().unwrap();
        write_grey(&folder.path().join("1.png"), 1);
        std::fs::copy(folder.path().join("1.png"), folder.path().join("2.heic")).unwrap();
        std::fs::write(folder.path().join("3.HEIF"), "\0\0\0\x18ftypheic").unwrap();
        std::fs::write(folder.path().join("4.dng"), b"II\x2A\0\x08\0\0\0").unwrap();
        let paths = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        let (files, left_out) = images_among(paths);
        assert_eq!(files, ["1.png", "2.heic"].map(|name| folder.path().join(name)));
        let left_out = left_out.unwrap();
        assert!(left_out.starts_with("1 HEIC file, 1 raw file, not read"), "{left_out}");
    }

    #[test]
    fn a_stack_is_all_its_pictures_and_can_be_sought_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pgm");
        let stream: Vec<u8> = (1..=4_u8).flat_map(|grey| [&b"P5 1 1 255\n"[..], &[grey]].concat()).collect();
        std::fs::write(&path, stream).unwrap();
        write_grey(&folder.path().join("b.png"), 9);
        let mut source = ImageSource::file(&path, Some(10.0)).unwrap();
        assert_eq!(source.info().frames, Some(4));
        assert_eq!(values(&mut source), [(0, 0.0, 1), (1, 0.1, 2), (2, 0.2, 3), (3, 0.3, 4)]);
        assert!(source.seek(0.2).unwrap());
        assert_eq!(source.next_frame().unwrap().unwrap().picture.rgb()[0][0], 3);
        let mut source = ImageSource::folder(folder.path(), Some(10.0)).unwrap();
        assert_eq!(values(&mut source).len(), 5);
    }

    #[test]
    fn a_broken_image_among_many_leaves_a_gap_in_time_only() {
        let folder = tempfile::tempdir().unwrap();
        write_grey(&folder.path().join("1.png"), 1);
        std::fs::write(folder.path().join("2.png"), "broken").unwrap();
        write_grey(&folder.path().join("3.png"), 3);
        let mut source = ImageSource::pattern(&format!("{}/*.png", folder.path().display()), None).unwrap();
        assert_eq!(values(&mut source), [(0, 0.0, 1), (1, 0.08, 3)]);
        assert_eq!(source.skipped, 1);
    }

    #[test]
    fn nothing_to_show_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("notes.txt"), "words").unwrap();
        let error = ImageSource::folder(folder.path(), None).err().unwrap().to_string();
        assert!(error.contains("no image in this folder"), "{error}");
        for name in ["a.HEIC", "b.heic", "c.mp4"] {
            std::fs::write(folder.path().join(name), "\0\0\0\x18ftypheic").unwrap();
        }
        let error = ImageSource::folder(folder.path(), None).err().unwrap().to_string();
        assert!(error.contains("but 2 HEIC files, 1 video file, not read"), "{error}");
        for name in ["a.HEIC", "b.heic", "c.mp4"] {
            std::fs::remove_file(folder.path().join(name)).unwrap();
        }
        let pattern = format!("{}/*.jpg", folder.path().display());
        assert!(ImageSource::pattern(&pattern, None).err().unwrap().to_string().contains("no image matches"));
        assert!(ImageSource::pattern("a[", None).err().unwrap().to_string().contains("malformed"));
        std::fs::write(folder.path().join("broken.png"), "words").unwrap();
        let mut source = ImageSource::folder(folder.path(), None).unwrap();
        assert!(source.next_frame().unwrap_err().to_string().contains("none of its 1 images"));
        let mut single = ImageSource::file(&folder.path().join("broken.png"), None).unwrap();
        assert!(single.next_frame().is_err());
    }
}
