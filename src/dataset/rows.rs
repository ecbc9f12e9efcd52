//! Files of boxes with identities: truth and results, as precise as they are written.

use std::collections::BTreeSet;
use std::path::Path;

use super::DatasetError;
use super::dialect::Dialect;
#[cfg(feature = "cli")]
use super::formats::Format;
use super::lines::{MotError, column, each_line, fields, frame, numbers, open};
use super::mot::{MotRow, Wanted, read_mot, tell_without_id};
#[cfg(feature = "cli")]
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
}

/// Reads truth or results. Lines must have so many columns, and frames may not lie behind `frames`. Rows without an identity
/// are left out, and told.
pub(super) fn read_rows(
    path: &Path,
    frames: usize,
    with_class: bool,
    dialect: &Dialect,
) -> Result<Vec<Row>, MotError> {
    let name = path.display().to_string();
    let wanted = Wanted { form: FORM, columns: if with_class { 8 } else { 7 }, frames: frames as u64 };
    let found = read_mot(open(path)?, &name, dialect, wanted)?;
    let all = found.len();
    let row = |row: MotRow| {
        let (frame, class) = (row.frame as usize, row.class.map_or(0, |class| class as i32));
        // Whatever is no number counts, as it is not 0.
        let score = row.score.unwrap_or(1.0);
        Some(Row { line: row.line, frame, id: row.id?, region: row.region, score, class })
    };
    let rows: Vec<Row> = found.into_iter().filter_map(row).collect();
    tell_without_id(&name, all - rows.len());
    Ok(rows)
}

/// Reads results of any other format: the class is a place among the labels, from 1, the pixels count from 0.
#[cfg(feature = "cli")]
pub(super) fn read_other(
    path: &Path,
    format: Format,
    frames: usize,
    dialect: &Dialect,
) -> Result<(Vec<Row>, Labels), MotError> {
    let name = path.display().to_string();
    let read = format.read(path, dialect)?;
    let (mut rows, mut without_id) = (Vec::new(), 0);
    // What is only predicted was not seen by the tracker.
    for (line, one) in (1..).zip(&read.boxes).filter(|(_, one)| !one.predicted) {
        let Some(id) = one.id else {
            without_id += 1;
            continue;
        };
        let frame = usize::try_from(one.frame).unwrap_or(usize::MAX);
        if frame >= frames {
            let why = format!("the sequence ends with frame {frames}");
            return Err(MotError::Format { path: name, place: format!("frame {}", one.frame + 1), why });
        }
        let class = one.class.map_or(0, |class| i32::from(class) + 1);
        rows.push(Row { line, frame, id, region: one.region, score: one.score.unwrap_or(1.0), class });
    }
    tell_without_id(&name, without_id);
    Ok((rows, read.labels))
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

/// What is wrong with rows that cannot be scored, with the line.
pub(super) fn refused(path: &str, rows: &[Row], error: MetricsError) -> DatasetError {
    if let MetricsError::Duplicate { frame, id } = error {
        let second = rows.iter().filter(|row| (row.frame, row.id) == (frame, id)).nth(1);
        if let Some(row) = second {
            let why = format!("the id {id} is in frame {} already", frame + 1);
            return MotError::Row { path: path.to_owned(), line: row.line, why }.into();
        }
    }
    DatasetError::Score { path: path.to_owned(), error }
}

/// A file of results.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultFile {
    pub(super) path: String,
    pub(super) rows: Vec<Row>,
}

impl ResultFile {
    /// The results to be scored: those of one class, or all, whatever their class.
    ///
    /// # Errors
    /// With the line where an id is in a frame for the second time.
    pub fn select(&self, class: Option<i32>) -> Result<Results, DatasetError> {
        let rows = self.rows.iter().filter(|row| class.is_none_or(|class| row.class == class));
        let rows: Vec<Row> = rows.copied().collect();
        Results::new(rows.iter().map(|row| (row.frame, row.id, row.region)))
            .map_err(|error| refused(&self.path, &rows, error))
    }

    /// The classes there are, from 1.
    pub fn classes(&self) -> BTreeSet<i32> {
        self.rows.iter().map(|row| row.class).filter(|class| *class > 0).collect()
    }
}
