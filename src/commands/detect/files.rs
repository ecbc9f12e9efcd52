//! The files that boxes go into: COCO results, MOTChallenge detections.

use std::fmt::Write;
use std::path::Path;

use super::Failure;
use crate::detection::Detection;
use crate::geometry::Rect;
use crate::labels::coco_id;
use crate::sink::{PartialFile, SinkError};

/// The files that were asked for.
pub(super) struct BoxFiles {
    coco: Option<Coco>,
    mot: Option<PartialFile>,
}

impl BoxFiles {
    pub(super) fn create(coco: Option<&Path>, mot: Option<&Path>) -> Result<Self, Failure> {
        if let (Some(one), Some(other)) = (coco, mot)
            && one == other
        {
            return Err(Failure::Usage(format!("the output {} is given twice", one.display())));
        }
        Ok(Self { coco: coco.map(Coco::create).transpose()?, mot: mot.map(PartialFile::create).transpose()? })
    }

    /// Whether none was asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.coco.is_none() && self.mot.is_none()
    }

    /// Adds the boxes of the picture that the files know by the number `image`.
    pub(super) fn write(&mut self, image: u64, detections: &[Detection]) -> Result<(), SinkError> {
        if let Some(coco) = &mut self.coco {
            coco.write(image, detections)?;
        }
        if let Some(mot) = &mut self.mot {
            mot.append(mot_lines(image, detections).as_bytes())?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<(), SinkError> {
        if let Some(mot) = self.mot {
            mot.finish()?;
        }
        self.coco.map_or(Ok(()), Coco::finish)
    }
}

/// A line a box, as `track --detections` reads it: pixels and classes count from 1.
fn mot_lines(image: u64, detections: &[Detection]) -> String {
    let mut text = String::new();
    for Detection { rect: Rect { left, top, width, height }, score, class } in detections {
        let (left, top, class) = (left + 1.0, top + 1.0, u32::from(*class) + 1);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{image},-1,{left:.2},{top:.2},{width:.2},{height:.2},{score:.4},{class}");
    }
    text
}

/// A COCO results file: a list of boxes that is whole, and can be read, at any moment.
struct Coco {
    file: PartialFile,
    first: bool,
    /// Where the next box goes, over the end of the list.
    end: u64,
}

const LIST_BEGIN: &str = "[";
const LIST_END: &str = "\n]\n";

impl Coco {
    fn create(path: &Path) -> Result<Self, SinkError> {
        let mut results = Self { file: PartialFile::create(path)?, first: true, end: 0 };
        results.push(LIST_BEGIN)?;
        Ok(results)
    }

    /// Puts text where the list ends, and the end behind it. What cannot be written over gets the end at the end.
    fn push(&mut self, text: &str) -> Result<(), SinkError> {
        if !self.file.can_replace() {
            return self.file.append(text.as_bytes());
        }
        self.file.replace(self.end, format!("{text}{LIST_END}").as_bytes())?;
        self.end += text.len() as u64;
        Ok(())
    }

    fn write(&mut self, image: u64, detections: &[Detection]) -> Result<(), SinkError> {
        let mut text = String::new();
        for Detection { rect, score, class } in detections {
            // Classes beyond COCO's have no id there; they keep their own number, from 1.
            let category = coco_id(*class).unwrap_or(class.saturating_add(1));
            let comma = if std::mem::take(&mut self.first) { "" } else { "," };
            text.push_str(&format!(
                "{comma}\n{{\"image_id\":{image},\"category_id\":{category},\"bbox\":[{:.2},{:.2},{:.2},{:.2}],\"score\":{score:.5}}}",
                rect.left, rect.top, rect.width, rect.height
            ));
        }
        if text.is_empty() { Ok(()) } else { self.push(&text) }
    }

    fn finish(mut self) -> Result<(), SinkError> {
        if !self.file.can_replace() {
            self.file.append(LIST_END.as_bytes())?;
        }
        self.file.finish()
    }
}
