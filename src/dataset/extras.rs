//! What a network tells of an object beside its box, as JSON Lines have it: one layout for who writes and who reads.

use serde::{Deserialize, Serialize};

use crate::detection::{Extra, Keypoint, Mask, Rle};
use crate::frame::MAX_SIDE;
use crate::geometry::TurnedRect;

/// No object has more points than this.
const MOST_POINTS: usize = 1000;

/// What is known of an object in one frame beside its box; what is not known is left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExtraRecord {
    /// The corners of the turned box: `[x, y]` in pixels of the source picture, clockwise on the screen, from the one that is
    /// at the top left where the box is not turned. The object's `box` is the upright one around it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turned: Option<[[f64; 2]; 4]>,
    /// Its pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<MaskRecord>,
    /// The points of its body: to the right, down, in pixels of the source picture, and how sure the network is of each, 0
    /// to 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keypoints: Vec<[f64; 3]>,
}

/// The pixels of an object in a whole picture, in COCO's compressed form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskRecord {
    /// Height and width of the picture in pixels.
    pub size: [u32; 2],
    /// Run lengths, column by column, as pycocotools writes and reads them.
    pub counts: String,
}

impl MaskRecord {
    /// The record of a mask in a picture of this width and height, and how many pixels it has there.
    pub fn of(mask: &Mask, size: (u32, u32)) -> (Self, u64) {
        let rle = mask.to_rle(size);
        (Self { size: [size.1, size.0], counts: rle.text() }, rle.area())
    }

    fn mask(&self) -> Result<Option<Mask>, String> {
        let [height, width] = self.size;
        let rle = if width <= MAX_SIDE && height <= MAX_SIDE {
            Rle::parse((width, height), &self.counts)
        } else {
            None
        };
        let rle =
            rle.ok_or_else(|| format!("a mask whose counts do not go with its size of {width}×{height}"))?;
        Ok(Mask::of_rle(&rle))
    }
}

impl ExtraRecord {
    /// The record of an object in a picture of this width and height; `None`: without its mask.
    pub fn of(extra: &Extra, size: Option<(u32, u32)>) -> Self {
        let corner = |(x, y): (f32, f32)| [rounded(x, 2), rounded(y, 2)];
        let point = |point: &Keypoint| [rounded(point.x, 2), rounded(point.y, 2), rounded(point.score, 3)];
        let mask = extra.mask.as_ref().zip(size);
        Self {
            turned: extra.turned.as_ref().map(|turned| turned.corners().map(corner)),
            mask: mask.map(|(mask, size)| MaskRecord::of(mask, size).0),
            keypoints: extra.keypoints.iter().map(point).collect(),
        }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.turned.is_none() && self.mask.is_none() && self.keypoints.is_empty()
    }

    /// What it says; a mask of no pixels and a turned box without area are nothing.
    ///
    /// # Errors
    /// In a line, where the mask is none, or there are too many points.
    pub fn extra(&self) -> Result<Extra, String> {
        if self.keypoints.len() > MOST_POINTS {
            return Err(format!("an object with more than {MOST_POINTS} keypoints"));
        }
        let turned = self.turned.map(|corners| corners.map(|[x, y]| (x as f32, y as f32)));
        let point = |&[x, y, score]: &[f64; 3]| Keypoint {
            x: x as f32,
            y: y as f32,
            score: score.clamp(0.0, 1.0) as f32,
        };
        Ok(Extra {
            turned: turned.and_then(TurnedRect::of_corners),
            mask: self.mask.as_ref().map_or(Ok(None), MaskRecord::mask)?,
            keypoints: self.keypoints.iter().map(point).collect(),
            ..Extra::default()
        })
    }
}

/// A number for people, not "-0".
fn rounded(value: f32, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    (f64::from(value) * scale).round() / scale + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Rect;

    #[test]
    fn what_is_written_is_read_again() {
        let rect = Rect::new(3.0, 2.0, 5.0, 4.0);
        let extra = Extra {
            turned: Some(TurnedRect { x: 30.0, y: 20.0, width: 8.0, height: 4.0, angle: 0.5 }),
            mask: Mask::new(rect, (5, 4), |x, y| x + y > 1 && x + y < 7),
            keypoints: vec![Keypoint { x: 1.25, y: 2.5, score: 0.5 }],
            ..Extra::default()
        };
        let record = ExtraRecord::of(&extra, Some((40, 30)));
        let text = serde_json::to_string(&record).unwrap();
        let read: ExtraRecord = serde_json::from_str(&text).unwrap();
        assert_eq!(read, record);
        let again = read.extra().unwrap();
        assert_eq!((&again.mask, &again.keypoints), (&extra.mask, &extra.keypoints));
        let (a, b) = (again.turned.unwrap(), extra.turned.unwrap());
        assert!(
            (a.angle - b.angle).abs() < 0.01 && (a.width - b.width).abs() < 0.02 && (a.x - b.x).abs() < 0.01
        );
        assert_eq!(ExtraRecord::of(&extra, None).mask, None);
        assert_eq!(serde_json::to_string(&ExtraRecord::default()).unwrap(), "{}");
    }

    #[test]
    fn odd_records_are_refused_or_say_nothing() {
        let read = |text: &str| serde_json::from_str::<ExtraRecord>(text).unwrap().extra();
        for text in [
            r#"{"mask":{"size":[30,40],"counts":"0"}}"#,
            r#"{"mask":{"size":[4294967295,4294967295],"counts":"0S1"}}"#,
            r#"{"mask":{"size":[7,5],"counts":"ü"}}"#,
        ] {
            assert!(read(text).unwrap_err().contains("do not go with its size"), "{text}");
        }
        assert!(read(&format!(r#"{{"keypoints":[{}[0,0,0]]}}"#, "[1,1,1],".repeat(1000))).is_err());
        assert_eq!(read(r#"{"mask":{"size":[7,5],"counts":"S1"}}"#), Ok(Extra::default()));
        assert_eq!(read(r#"{"turned":[[1,1],[1,1],[1,1],[1,1]]}"#), Ok(Extra::default()));
        assert_eq!(read(r#"{"turned":[[1e300,1],[1,1],[1,1],[1,1]]}"#), Ok(Extra::default()));
    }
}
