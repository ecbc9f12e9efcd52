//! Text of MOTChallenge files, line by line and column by column: what every reader of such a file needs.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// From our pixel coordinates to those of MOTChallenge files, which count pixels from 1.
pub const ORIGIN: f64 = 1.0;
/// A larger frame number is a mistake: this many frames are 38 days of video at 30 frames a second.
const MAX_FRAME: f64 = 1e8;
/// A line longer than that is no line of such a file.
const MAX_LINE: u64 = 4096;
/// The columns, as messages call them.
const COLUMNS: [&str; 9] = ["frame", "id", "left", "top", "width", "height", "score", "class", "class"];

/// Why a file of boxes cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MotError {
    /// The file cannot be opened or read.
    #[error("cannot read {path}: {error}")]
    Read {
        /// The file.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// A line that is not as it should be.
    #[error("{path}, line {line}: {why}; a line is {form}")]
    Line {
        /// The file.
        path: String,
        /// Counted from 1.
        line: u64,
        /// The column, what was expected there and what was found.
        why: String,
        /// The columns of such a file.
        form: &'static str,
    },
    /// A line that is well formed, but cannot be.
    #[error("{path}, line {line}: {why}")]
    Row {
        /// The file.
        path: String,
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A file of another format that is not as it should be.
    #[error("{path}, {place}: {why}")]
    Format {
        /// The file.
        path: String,
        /// Line and column, or which object of a list.
        place: String,
        /// What was expected there and what was found.
        why: String,
    },
    /// What is in it has no identities.
    #[error(
        "{path} holds detections, not tracks: all its ids are below 0; trailsight track --detections makes tracks of them"
    )]
    OnlyDetections {
        /// The file.
        path: String,
    },
}

/// Opens a file for [`each_line`].
pub(super) fn open(path: &Path) -> Result<BufReader<File>, MotError> {
    let file = File::open(path);
    file.map(BufReader::new).map_err(|error| MotError::Read { path: path.display().to_string(), error })
}

/// Gives each line that counts to `take`, trimmed, with its number from 1: blank lines and lines that start with `#` do
/// not count. What `take` finds wrong is told with `name`, the line and `form`, the columns of such a file.
pub(super) fn each_line(
    text: impl BufRead,
    name: &str,
    form: &'static str,
    take: impl FnMut(u64, &str) -> Result<(), String>,
) -> Result<(), MotError> {
    each_line_of(text, name, form, MAX_LINE, take)
}

/// As [`each_line`], for lines of up to `longest` bytes.
pub(super) fn each_line_of(
    mut text: impl BufRead,
    name: &str,
    form: &'static str,
    longest: u64,
    mut take: impl FnMut(u64, &str) -> Result<(), String>,
) -> Result<(), MotError> {
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let read = text.by_ref().take(longest).read_until(b'\n', &mut bytes);
        let read = read.map_err(|error| MotError::Read { path: name.to_owned(), error })?;
        if read == 0 {
            break;
        }
        let fail = |why: String| MotError::Line { path: name.to_owned(), line, why, form };
        if read as u64 == longest && bytes.last() != Some(&b'\n') {
            return Err(fail(format!("longer than {longest} characters")));
        }
        let content = String::from_utf8_lossy(&bytes);
        let content = content.trim_start_matches('\u{feff}').trim();
        if !content.is_empty() && !content.starts_with('#') {
            take(line, content).map_err(fail)?;
        }
    }
    Ok(())
}

/// The columns of a line, trimmed and without quotes: between commas, or else semicolons, tabs or blanks.
pub(super) fn fields(line: &str) -> impl Iterator<Item = &str> {
    let separator = [',', ';', '\t'].into_iter().find(|separator| line.contains(*separator));
    let between = move |c: char| separator.map_or(c.is_whitespace(), |separator| c == separator);
    let named =
        line.split(between).map(str::trim).filter(move |field| separator.is_some() || !field.is_empty());
    named.map(|field| {
        let quoted = |quote| field.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        quoted('"').or_else(|| quoted('\'')).map_or(field, str::trim)
    })
}

/// The numbers of the first columns, of which there must be so many.
pub(super) fn numbers<'a, const N: usize>(
    fields: &mut impl Iterator<Item = &'a str>,
) -> Result<[f64; N], String> {
    let mut values = [0f64; N];
    for (index, value) in values.iter_mut().enumerate() {
        *value = number(fields.next().ok_or_else(|| too_few(index, N))?, index)?;
    }
    Ok(values)
}

/// What is said of a line that ends too soon.
pub(super) fn too_few(found: usize, needed: usize) -> String {
    format!("{found} columns, at least {needed} are needed")
}

/// The number in a column, counted from 0.
pub(super) fn number(field: &str, index: usize) -> Result<f64, String> {
    match field.parse::<f64>() {
        Ok(value) if value.is_finite() && value.abs() <= f64::from(f32::MAX) => Ok(value),
        _ => {
            let found: String = field.chars().take(40).collect();
            Err(format!("{}: expected a number, found `{}`", column(index), found.escape_debug()))
        }
    }
}

/// A column as messages call it: `column 1 (frame)`.
pub(super) fn column(index: usize) -> String {
    format!("column {} ({})", index + 1, COLUMNS.get(index).unwrap_or(&"?"))
}

/// The frame of a number in the first column, from 0, where the file's first frame has the number `from`. What is behind the
/// point is cut off, as scorers do.
pub(super) fn frame(value: f64, from: u64) -> Result<u64, String> {
    let whole = value.trunc();
    if (from as f64..=MAX_FRAME).contains(&whole) {
        return Ok(whole as u64 - from);
    }
    let hint = if whole == 0.0 && value >= 0.0 { " (--frames-from 0: the first frame is 0)" } else { "" };
    Err(format!("{}: expected a whole number from {from} to {MAX_FRAME}, found {value}{hint}", column(0)))
}
