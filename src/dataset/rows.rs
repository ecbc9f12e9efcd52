//! Files of boxes with identities: truth and results, as precise as they are written.

use std::collections::BTreeSet;
use std::path::Path;

use super::DatasetError;
use super::lines::{MotError, column, each_line, fields, frame, number, numbers, open};
use crate::metrics::{MetricsError, Region, Results};

/// The columns of truth and results, for messages.
const FORM: &str = "frame,id,left,top,width,height,score,class";
/// The columns of regions, for messages.
const REGION_FORM: &str = "frame,-1,left,top,width,height";
/// Ids beyond it are not exact in the file's own tools either.
const MAX_ID: f64 = 9_007_199_254_740_992.0;

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

/// Reads truth or results. Lines must have so many columns, and frames may not lie behind `frames`.
pub(super) fn read_rows(path: &Path, frames: usize, with_class: bool) -> Result<Vec<Row>, MotError> {
    let mut rows = Vec::new();
    each_line(open(path)?, &path.display().to_string(), FORM, |line, text| {
        let mut fields = fields(text);
        let [number_of_frame, id, left, top, width, height, score] = numbers(&mut fields)?;
        let frame = frame_within(number_of_frame, frames)?;
        if !(0.0..=MAX_ID).contains(&id) || id.fract() != 0.0 {
            return Err(format!("{}: expected a whole number from 0, found {id}", column(1)));
        }
        let class = match fields.next() {
            None | Some("") if with_class => return Err("7 columns, at least 8 are needed".to_owned()),
            None | Some("") => 0,
            Some(field) => number(field, 7)? as i32,
        };
        let region = Region::new(left, top, width, height);
        rows.push(Row { line, frame, id: id as u64, region, score, class });
        Ok(())
    })?;
    Ok(rows)
}

/// Reads regions in which nothing is judged: frame from 0, and where.
pub(super) fn read_regions(path: &Path, frames: usize) -> Result<Vec<(usize, Region)>, MotError> {
    let mut regions = Vec::new();
    each_line(open(path)?, &path.display().to_string(), REGION_FORM, |_, text| {
        let [number_of_frame, _, left, top, width, height] = numbers(&mut fields(text))?;
        regions.push((frame_within(number_of_frame, frames)?, Region::new(left, top, width, height)));
        Ok(())
    })?;
    Ok(regions)
}

fn frame_within(value: f64, frames: usize) -> Result<usize, String> {
    let frame = frame(value)? as usize;
    if frame < frames {
        Ok(frame)
    } else {
        Err(format!("{}: the sequence ends with frame {frames}, found {value}", column(0)))
    }
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
