//! Files of boxes with identities: truth and results, as precise as they are written.

use std::collections::BTreeSet;
use std::path::Path;

use super::DatasetError;
use super::dialect::Dialect;
#[cfg(feature = "cli")]
use super::formats::Format;
#[cfg(feature = "cli")]
use super::info::MAX_FRAMES;
use super::info::SequenceInfo;
use super::lines::{MotError, column, each_line, fields, frame, numbers, open};
use super::mot::{MotRow, Wanted, read_mot, tell_without_id};
use crate::labels::Labels;
use crate::metrics::{MetricsError, Region, Results};

/// The columns of truth and results, for messages.
const FORM: &str = "frame,id,left,top,width,height,score,class";
/// The columns of regions, for messages.
const REGION_FORM: &str = "frame,-1,left,top,width,height";

/// A line of truth or results.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Row {
    /// In the file, from 1.
    pub(super) line: u64,
    /// From 0.
    pub(super) frame: usize,
    pub(super) id: u64,
    /// In the pixels of the file.
    pub(super) region: Region,
    /// What files of truth call `conf`: 0 where a box does not count.
    pub(super) score: f64,
    /// 0 where the file has none. Files of other things than classes there (world coordinates) give nonsense.
    pub(super) class: i32,
    /// Does not have to be found, by the rules of the file's own benchmark.
    pub(super) hard: bool,
}

/// The boxes of one file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RowFile {
    pub(super) path: String,
    pub(super) rows: Vec<Row>,
    /// What the rows are counted in, for messages: lines of text, or entries of a list.
    pub(super) unit: &'static str,
    /// The names of the classes, where the file itself has them.
    pub(super) labels: Option<Labels>,
    /// Regions that nobody annotated.
    pub(super) regions: Vec<(usize, Region)>,
    /// How many frames there are, and their size and rate, where the file says so.
    pub(super) info: SequenceInfo,
}

impl RowFile {
    /// What is wrong with a row.
    pub(super) fn fault(&self, row: u64, why: String) -> MotError {
        let path = self.path.clone();
        match self.unit {
            "line" => MotError::Row { path, line: row, why },
            unit => MotError::Format { path, place: format!("{unit} {row}"), why },
        }
    }

    /// What is wrong with rows of this file that cannot be scored.
    pub(super) fn refused(&self, rows: &[Row], error: MetricsError) -> DatasetError {
        if let MetricsError::Duplicate { frame, id } = error {
            let second = rows.iter().filter(|row| (row.frame, row.id) == (frame, id)).nth(1);
            if let Some(row) = second {
                let why = format!("the id {id} is in frame {} already", frame + 1);
                return self.fault(row.line, why).into();
            }
        }
        DatasetError::Score { path: self.path.clone(), error }
    }
}

/// Reads truth or results. Lines must have so many columns, and frames may not lie behind `frames`. Rows without an identity
/// are left out, and told.
pub(super) fn read_rows(
    path: &Path,
    frames: usize,
    with_class: bool,
    dialect: &Dialect,
) -> Result<RowFile, MotError> {
    let name = path.display().to_string();
    let wanted = Wanted { form: FORM, columns: if with_class { 8 } else { 7 }, frames: frames as u64 };
    let found = read_mot(open(path)?, &name, dialect, wanted)?;
    let all = found.len();
    let row = |row: MotRow| {
        let (frame, class) = (row.frame as usize, row.class.map_or(0, |class| class as i32));
        // Whatever is no number counts, as it is not 0.
        let score = row.score.unwrap_or(1.0);
        Some(Row { line: row.line, frame, id: row.id?, region: row.region, score, class, hard: false })
    };
    let rows: Vec<Row> = found.into_iter().filter_map(row).collect();
    tell_without_id(&name, all - rows.len());
    let (regions, info) = (Vec::new(), SequenceInfo::default());
    Ok(RowFile { path: name, rows, unit: "line", labels: None, regions, info })
}

/// Reads truth or results of any other format: the class is a place among the labels, from 1, the pixels count from 0.
#[cfg(feature = "cli")]
pub(super) fn read_other(
    path: &Path,
    format: Format,
    frames: usize,
    dialect: &Dialect,
) -> Result<RowFile, MotError> {
    let name = path.display().to_string();
    let read = format.read(path, dialect)?;
    let mut file = RowFile {
        path: name.clone(),
        rows: Vec::new(),
        unit: format.unit(),
        labels: Some(read.labels),
        regions: Vec::new(),
        info: SequenceInfo { fps: read.fps, ..SequenceInfo::default() },
    };
    (file.info.width, file.info.height) = read.size.unzip();
    if let Some(length) = read.frames {
        let length = usize::try_from(length).ok().filter(|length| *length <= MAX_FRAMES);
        let why = || MotError::Format {
            path: name.clone(),
            place: "the length".to_owned(),
            why: format!("more than {MAX_FRAMES} frames"),
        };
        file.info.frames = Some(length.ok_or_else(why)?);
    }
    let behind = |frame: usize| frame >= frames;
    let mut without_id = 0;
    // What is only predicted was not seen by the tracker.
    for one in read.boxes.iter().filter(|one| !one.predicted) {
        let Some(id) = one.id else {
            without_id += 1;
            continue;
        };
        let frame = usize::try_from(one.frame).unwrap_or(usize::MAX);
        if behind(frame) {
            let why = format!(
                "the sequence ends with frame {frames}, counted from 1; this is frame {}",
                frame.saturating_add(1)
            );
            return Err(file.fault(one.row, why));
        }
        let class = one.class.map_or(0, |class| i32::from(class) + 1);
        let score = one.score.unwrap_or(1.0);
        file.rows.push(Row { line: one.row, frame, id, region: one.region, score, class, hard: one.hard });
    }
    let regions = read.ignored.iter().map(|(frame, region)| (*frame as usize, *region));
    file.regions = regions.filter(|(frame, _)| !behind(*frame)).collect();
    tell_without_id(&name, without_id);
    Ok(file)
}

/// Refuses results in parts of the picture (all boxes below a pixel) where the truth is in pixels.
pub(super) fn refuse_parts_of(path: &Path, results: &[Row], truth: &[Row]) -> Result<(), MotError> {
    let parts = |rows: &[Row]| {
        let sides = |row: &Row| [row.region.width, row.region.height];
        !rows.is_empty() && rows.iter().all(|row| sides(row).iter().all(|side| *side > 0.0 && *side < 1.0))
    };
    match results.first() {
        Some(row) if parts(results) && !parts(truth) => Err(MotError::Row {
            path: path.display().to_string(),
            line: row.line,
            why: format!("{}: all boxes are smaller than a pixel; those of the truth are not", column(4)),
        }),
        _ => Ok(()),
    }
}

/// Reads regions in which nothing is judged: frame from 0, and where.
pub(super) fn read_regions(
    path: &Path,
    frames: usize,
    dialect: &Dialect,
) -> Result<Vec<(usize, Region)>, MotError> {
    let mut regions = Vec::new();
    each_line(open(path)?, &path.display().to_string(), REGION_FORM, |_, text| {
        let [number_of_frame, _, left, top, width, height] = numbers(&mut fields(text))?;
        let frame = frame(number_of_frame, dialect.mot_frames())? as usize;
        if frame >= frames {
            return Err(format!(
                "{}: the sequence ends with frame {frames}, found {number_of_frame}",
                column(0)
            ));
        }
        regions.push((frame, Region::new(left, top, width, height)));
        Ok(())
    })?;
    Ok(regions)
}

/// A file of results.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultFile(pub(super) RowFile);

impl ResultFile {
    /// The results to be scored: those of one class, or all, whatever their class.
    ///
    /// # Errors
    /// With the line where an id is in a frame for the second time.
    pub fn select(&self, class: Option<i32>) -> Result<Results, DatasetError> {
        let rows = self.0.rows.iter().filter(|row| class.is_none_or(|class| row.class == class));
        let rows: Vec<Row> = rows.copied().collect();
        Results::new(rows.iter().map(|row| (row.frame, row.id, row.region)))
            .map_err(|error| self.0.refused(&rows, error))
    }

    /// The classes there are, from 1.
    pub fn classes(&self) -> BTreeSet<i32> {
        self.0.rows.iter().map(|row| row.class).filter(|class| *class > 0).collect()
    }
}
