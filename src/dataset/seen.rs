//! Files of what is there in some frames of a clip, for [`Seen`](crate::metrics::Seen).
//!
//! ```text
//! # frames 1 6 11        the frames that were looked at, from 1; without this line those that have boxes
//! # size 1280 720        pixels across and down
//! # fps 25               frames a second; 25 without this line
//! 1,-1,100.5,80,40,90,0.93,1,0
//! ```
//!
//! A line is `frame,-1,left,top,width,height,score,class,ignore`: frames, pixels and classes (COCO's 80) count from 1; with
//! `ignore` 1 the box is doubtful, and finding it or not never counts.

use std::path::Path;

use super::lines::{MotError, ORIGIN, column, each_line_of, fields, frame, number, numbers};
use crate::bounded;
use crate::geometry::Rect;
use crate::kind::Kinds;
use crate::labels::Labels;
use crate::metrics::{SeenBox, SeenTruth};

/// The columns, for messages.
const FORM: &str = "frame,-1,left,top,width,height,score,class,ignore";
/// No such file is longer, in bytes.
const LONGEST: u64 = 1 << 25;

/// Reads such a file.
///
/// # Errors
/// [`MotError`] with the line and column where something is not as it should be.
pub fn read_seen(path: &Path) -> Result<SeenTruth, MotError> {
    let name = path.display().to_string();
    let bytes = bounded::read(path, LONGEST).map_err(|error| MotError::Read { path: name.clone(), error })?;
    parse(&bytes, &name)
}

fn parse(bytes: &[u8], name: &str) -> Result<SeenTruth, MotError> {
    let mut truth = SeenTruth { rate: 25.0, ..SeenTruth::default() };
    for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let text = String::from_utf8_lossy(text);
        let Some(head) = text.trim().strip_prefix('#') else { continue };
        let fail = |why: String| MotError::Line { path: name.to_owned(), line, why, form: FORM };
        let mut words = head.split_whitespace();
        let word = words.next();
        let mut value = || {
            let text = words.next().unwrap_or_default();
            let value = text.parse::<f64>().ok().filter(|value| value.is_finite() && *value > 0.0);
            value.ok_or_else(|| {
                format!("expected a number above 0 behind \"{}\", found `{text}`", head.trim())
            })
        };
        match word {
            Some("size") => {
                truth.size = (value().map_err(fail)? as f32, value().map_err(fail)? as f32);
            }
            Some("fps") => truth.rate = value().map_err(fail)?,
            Some("frames") => {
                let frames = words.map(|text| text.parse::<f64>().map_err(|_| format!("frame `{text}`")));
                let frames = frames.map(|number| frame(number?, 1).map(|from_0| from_0 + 1));
                truth.frames = frames.collect::<Result<_, _>>().map_err(fail)?;
            }
            _ => {}
        }
    }
    let kinds = Kinds::of(&Labels::coco());
    each_line_of(bytes, name, FORM, LONGEST, |_, line| {
        let mut fields = fields(line);
        let [number_of_frame, _, left, top, width, height, _] = numbers(&mut fields)?;
        let class = number(fields.next().unwrap_or_default(), 7)?;
        if !(1.0..=f64::from(u16::MAX)).contains(&class) || class.fract() != 0.0 {
            return Err(format!("{}: expected a whole number from 1, found {class}", column(7)));
        }
        let doubtful = match fields.next() {
            None | Some("" | "0") => false,
            Some("1") => true,
            Some(other) => {
                let found: String = other.chars().take(40).collect();
                return Err(format!("column 9 (ignore): expected 0 or 1, found `{}`", found.escape_debug()));
            }
        };
        let (left, top) = ((left - ORIGIN) as f32, (top - ORIGIN) as f32);
        let rect = Rect::new(left, top, width as f32, height as f32);
        if !rect.is_sound() {
            return Err(format!("a box of {width} × {height} pixels has no area"));
        }
        let (frame, kind) = (frame(number_of_frame, 1)? + 1, kinds.kind(class as u16 - 1));
        truth.boxes.push(SeenBox { frame, rect, kind, doubtful });
        Ok(())
    })?;
    // In a track file that column is the visibility.
    if !truth.boxes.is_empty() && truth.boxes.iter().all(|one| one.doubtful) {
        let why =
            "column 9 (ignore) is 1 in each line, so that nothing is left to be seen; is it a track file?";
        return Err(MotError::Line { path: name.to_owned(), line: 1, why: why.to_owned(), form: FORM });
    }
    if truth.frames.is_empty() {
        truth.frames = truth.boxes.iter().map(|one| one.frame).collect();
    }
    truth.frames.sort_unstable();
    truth.frames.dedup();
    Ok(truth)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;

    #[test]
    fn the_head_and_the_boxes_are_read() {
        let text = "# of a clip\n# frames 6 1 11\n# size 640 352\n# fps 24\n\n1,-1,11,21,30,40,0.9,8,0\n6,-1,1,1,9,9,0.4,1,1\n";
        let truth = parse(text.as_bytes(), "x").unwrap();
        assert_eq!((truth.frames, truth.size, truth.rate), (vec![1, 6, 11], (640.0, 352.0), 24.0));
        let rect = Rect::new(10.0, 20.0, 30.0, 40.0);
        assert_eq!(truth.boxes[0], SeenBox { frame: 1, rect, kind: Kind::Vehicle, doubtful: false });
        assert!(truth.boxes[1].doubtful && truth.boxes[1].kind == Kind::Person);
        let bare = parse(b"7,-1,1,1,9,9,0.4,1\n3,-1,1,1,9,9,0.4,1", "x").unwrap();
        assert_eq!(bare.frames, [3, 7]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, part) in [
            ("# fps none", "x, line 1: expected a number above 0"),
            ("# fps 0", "line 1: expected a number above 0"),
            ("# size 640", "line 1: expected a number above 0"),
            ("\n# frames 1 0", "line 2"),
            ("1,-1,1,1,2", "line 1: 5 columns"),
            ("1,-1,1,1,2,2,0.5,car,0", "line 1: column 8 (class)"),
            ("0.5,-1,1,1,2,2,0.5,1,0", "line 1: column 1 (frame)"),
            ("1,-1,1,1,2,2,0.5,0,0", "line 1: column 8 (class): expected a whole number from 1, found 0"),
            ("1,-1,1,1,2,2,0.5,1.5,0", "line 1: column 8 (class)"),
            ("1,-1,1,1,-2,2,0.5,1,0", "line 1: a box of -2 × 2 pixels has no area"),
            ("1,-1,1,1,2,2,0.5,1,x", "line 1: column 9"),
            ("1,7,1,1,2,2,0.5,1,1", "is it a track file?"),
        ] {
            let error = parse(text.as_bytes(), "x").unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
