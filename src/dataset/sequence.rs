//! A sequence of a data set: truth, detections and results in one place.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::benchmark::Benchmark;
use super::detections::DetectionFile;
use super::dialect::{Dialect, labels_beside};
#[cfg(feature = "cli")]
use super::formats::Format;
use super::info::{MAX_FRAMES, SequenceInfo};
use super::lines::MotError;
#[cfg(feature = "cli")]
use super::rows::read_other;
use super::rows::{ResultFile, Row, read_regions, read_rows, refuse_parts_of, refused};
use super::{DatasetError, ReadOptions};
use crate::detection::ClassId;
use crate::labels::Labels;
use crate::metrics::{Region, Role, Truth, TruthBox};

/// A sequence with its truth, as it is on disk or thinned.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    /// The name of its folder.
    pub name: String,
    /// Whose rules count.
    pub benchmark: Benchmark,
    /// How many frames are scored.
    pub frames: usize,
    /// How many of them there were in a second, where that is known.
    pub fps: Option<f64>,
    /// Width and height of the picture in pixels, where that is known.
    pub size: Option<(u32, u32)>,
    folder: PathBuf,
    every: usize,
    truth_path: String,
    /// Only the frames that are scored, numbered anew.
    rows: Vec<Row>,
    regions: Vec<(usize, Region)>,
    options: ReadOptions,
    /// The names of the truth's classes, where they are known.
    labels: Option<Labels>,
}

impl Sequence {
    /// Reads the sequence in `folder/name`: `gt/gt.txt`, and `seqinfo.ini` and `gt/dontcare.txt` where they are there.
    /// Without the number of frames in `seqinfo.ini` the truth's last frame is the last.
    ///
    /// # Errors
    /// [`DatasetError`]: the file and line that cannot be used.
    pub fn read(folder: &Path, name: &str, options: &ReadOptions) -> Result<Self, DatasetError> {
        let folder = folder.join(name);
        let info = SequenceInfo::read(&folder.join("seqinfo.ini"))?;
        let last = info.frames.unwrap_or(MAX_FRAMES);
        let regions = folder.join("gt/dontcare.txt");
        let regions = match regions.exists() {
            true => Some(read_regions(&regions, last, &options.truth)?),
            false => None,
        };
        let benchmark = options.benchmark.unwrap_or_else(|| Benchmark::of(name, regions.is_some()));
        let truth = folder.join("gt/gt.txt");
        let mut rows = read_rows(&truth, last, benchmark.needs_class(), &options.truth)?;
        let mut regions = regions.unwrap_or_default();
        let frames = info.frames.unwrap_or_else(|| rows.iter().map(|row| row.frame + 1).max().unwrap_or(0));
        let every = options.every.max(1);
        rows.retain(|row| row.frame % every == 0);
        rows.iter_mut().for_each(|row| row.frame /= every);
        regions.retain(|(frame, _)| frame % every == 0);
        regions.iter_mut().for_each(|(frame, _)| *frame /= every);
        Ok(Self {
            name: name.to_owned(),
            benchmark,
            frames: frames.div_ceil(every),
            fps: info.fps.map(|fps| fps / every as f64),
            size: info.width.zip(info.height),
            folder,
            every,
            truth_path: truth.display().to_string(),
            rows,
            regions,
            options: options.clone(),
            labels: names(&options.truth, &truth)?,
        })
    }

    /// The truth by the rules of the benchmark, or of one class: all its boxes, and no results in regions that nobody
    /// annotated. Prepared once, it is compared with many results.
    ///
    /// # Errors
    /// With the line where an id is in a frame for the second time, or a class is none.
    pub fn truth(&self, class: Option<i32>) -> Result<Truth, DatasetError> {
        let mut boxes = Vec::new();
        let mut used = Vec::new();
        for row in &self.rows {
            let role = match class {
                Some(class) => Ok((row.class == class).then_some(Role::Counts)),
                None => self.benchmark.role(row),
            };
            let role =
                role.map_err(|why| MotError::Row { path: self.truth_path.clone(), line: row.line, why })?;
            if let Some(role) = role {
                boxes.push(TruthBox { frame: row.frame, id: row.id, region: row.region, role });
                used.push(*row);
            }
        }
        if !self.rows.is_empty() && class.is_none() && !boxes.iter().any(|one| one.role == Role::Counts) {
            let path = &self.truth_path;
            log::warn!(
                "no box of {path} counts: a box counts if column 7 (conf) is 1 and its class is scored"
            );
        }
        let regions = if class.is_some() { self.regions.as_slice() } else { &[] };
        Truth::new(self.frames, boxes, regions.iter().copied())
            .map_err(|error| refused(&self.truth_path, &used, error))
    }

    /// The classes that the truth has, from 1.
    pub fn classes(&self) -> BTreeSet<i32> {
        self.rows.iter().map(|row| row.class).filter(|class| *class > 0).collect()
    }

    /// Reads a tracker's results of this sequence. Where it is thinned, their frames must be numbered so. Their boxes come
    /// out in the pixels of the truth.
    ///
    /// # Errors
    /// [`DatasetError`]: the line that cannot be used; a frame behind the last is one.
    pub fn results(&self, path: &Path) -> Result<ResultFile, DatasetError> {
        #[cfg(feature = "cli")]
        match Format::of(path)? {
            Format::Mot => {}
            format => return self.results_of(path, format),
        }
        let mut rows = read_rows(path, self.frames, false, &self.options.results)?;
        let shift = self.options.truth.mot_pixels() - self.options.results.mot_pixels();
        if shift != 0.0 {
            for row in &mut rows {
                row.region.left += shift;
                row.region.top += shift;
            }
        }
        refuse_parts_of(path, &rows, &self.rows)?;
        if let (Some(own), Some(theirs)) = (&self.labels, names(&self.options.results, path)?) {
            rows.iter_mut().for_each(|row| row.class = translated(row.class, &theirs, own));
        }
        Ok(ResultFile { path: path.display().to_string(), rows })
    }

    /// The results in a file of another format, whose classes have names.
    #[cfg(feature = "cli")]
    fn results_of(&self, path: &Path, format: Format) -> Result<ResultFile, DatasetError> {
        let dialect =
            Dialect { size: self.options.results.size.or(self.size), ..self.options.results.clone() };
        let (mut rows, theirs) = read_other(path, format, self.frames, &dialect)?;
        let own = self.labels.clone().unwrap_or_else(Labels::coco);
        let pixels = self.options.truth.mot_pixels();
        for row in &mut rows {
            row.region.left += pixels;
            row.region.top += pixels;
            row.class = translated(row.class, &theirs, &own);
        }
        Ok(ResultFile { path: path.display().to_string(), rows })
    }

    /// The results of a tracker that said nothing: everything is missed.
    pub fn no_results(&self) -> ResultFile {
        ResultFile { path: String::new(), rows: Vec::new() }
    }

    /// Reads a detector's boxes from a file of the sequence's folder (`det/det.txt`), thinned as the sequence is.
    ///
    /// # Errors
    /// [`DatasetError`]: the line that cannot be used.
    pub fn detections(&self, file: &Path) -> Result<DetectionFile, DatasetError> {
        let file = DetectionFile::read_as(&self.folder.join(file), &self.options.detections)?;
        Ok(file.every(self.every as u64))
    }

    /// The number that the truth has for a class of a file of detections, both from 1: by name, where both files name their
    /// classes; else the same.
    ///
    /// # Errors
    /// [`DatasetError`]: the file of names that cannot be read.
    pub fn class_of_detections(&self, file: &Path) -> Result<impl Fn(i32) -> i32 + use<>, DatasetError> {
        let theirs = names(&self.options.detections, &self.folder.join(file))?;
        let both = self.labels.clone().zip(theirs);
        Ok(move |class| both.as_ref().map_or(class, |(own, theirs)| translated(class, theirs, own)))
    }
}

/// The names of a file's classes: those that were given, or those in `labels.txt` beside it, which is said.
fn names(dialect: &Dialect, file: &Path) -> Result<Option<Labels>, DatasetError> {
    if dialect.labels.is_some() {
        return Ok(dialect.labels.clone());
    }
    let found = labels_beside(file).map_err(DatasetError::Labels)?;
    Ok(found.map(|(path, labels)| {
        log::info!("{}: the names of the classes are in {}", file.display(), path.display());
        labels
    }))
}

/// The number of a class among `own` names, by its name among `theirs`; behind all of them where they do not have it. From 1;
/// below 1 is none.
fn translated(class: i32, theirs: &Labels, own: &Labels) -> i32 {
    let Some(index) = class.checked_sub(1).and_then(|index| ClassId::try_from(index).ok()) else {
        return class;
    };
    let known = own.find(&theirs.name(index));
    known.map_or(own.len() as i32 + class, |known| i32::from(known) + 1)
}
