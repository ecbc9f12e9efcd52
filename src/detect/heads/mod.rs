//! Heads: what the numbers that a network gives mean.
//!
//! A family of networks is one file here, with one type that implements [`Head`]. It says what the network wants to see and
//! what its outputs are ([`ModelSpec`]), and turns the outputs of one picture into detections. Everything else is the same
//! for all of them and stands elsewhere: scaling the picture (`preprocess`), running the network
//! (`runtime`), thresholds, unwanted classes and the way back to the picture ([`Candidates`]),
//! suppression, slices.
//!
//! # Adding a family
//!
//! 1. **Does a head read it already?** Most families differ in what they want to see and in the form of their boxes, not in
//!    how their outputs are laid out. Then a branch in `recognise` that fills a
//!    `Reading` is all.
//! 2. **A new layout** is a file `heads/NAME.rs` with a struct that holds its [`ModelSpec`] and implements [`Head`], and a
//!    variant of `Form`, from which `Reading` makes the head for each size of input.
//! 3. **`decode`** reads the outputs of one run and calls [`Candidates::push`] with each box in *pixels of the network's
//!    input*: origin top left, x right, y down, as the letterbox laid the picture. It need not care about anything else. Outputs
//!    have the shapes of the spec; that is checked before. Numbers may be anything, also not finite.
//! 4. **`early_threshold`**, where there is one channel of which a low value means that no other channel of that row is looked
//!    at (YOLOX's objectness): the native plan then computes the others only where they are needed. `decode` must check that
//!    channel first, because the others hold leftovers of earlier pictures otherwise. `score_columns` is the same for networks
//!    without such a channel: where all scores are too low, boxes, points and masks need not be computed.
//! 5. **Tests**: a small ONNX file with the form of the real exporter's, and the expected boxes computed elsewhere
//!    (`tests/reference`); and unit tests beside `decode` for odd numbers.
//!
//! # What layouts there are
//!
//! | head | outputs | families |
//! |---|---|---|
//! | `grid` | `[1, cells, 5 + C]`, offsets | YOLOX |
//! | `scored` | boxes and a score a class, `[1, 4 + C, N]`, `[1, N, 5 + C]`, or two outputs | YOLOv5 to YOLO26, YOLO-NAS, PP-YOLOE, DETR and its heirs |
//! | `finished` | boxes, scores and class numbers, in rows of six or in lists | what comes with its last step |
//! | `distances` | scores and distributions of distances | NanoDet, PicoDet |
//!
//! Beside the box some tell how the object lies, points of its body, or its pixels (`behind`, `masks`). Masks are made only for
//! what is left behind suppression: `decode` hands over a code for each candidate, from which [`Head::mask`] makes the map.
//!
//! A library user's own head goes to [`Detector::load_with`](super::Detector::load_with), without a line in the table.

pub(super) mod behind;
pub(super) mod classes;
pub(super) mod distances;
pub(super) mod finished;
pub(super) mod grid;
pub(super) mod masks;
pub(super) mod scored;
pub(super) mod table;

#[cfg(test)]
use super::input_size::InputSize;
use super::masks::MaskMap;
use super::model::ModelSpec;
use super::preprocess::Placement;
use super::runtime::Outputs;
use crate::detection::{ClassId, Detection, Detections, Extra};
use crate::geometry::Rect;

pub(super) use behind::{Behind, Points};
pub(super) use classes::ClassColumns;
pub(super) use masks::Masks;
pub(super) use table::Table;

/// What the outputs of a family of networks mean.
pub trait Head: Send + Sync {
    /// What goes in, what comes out, and what it means.
    fn spec(&self) -> &ModelSpec;

    /// The channel of a row that must reach the threshold before any later channel of it counts; `None`: there is none, and
    /// every value of every run is computed.
    fn early_threshold(&self) -> Option<usize> {
        None
    }

    /// Where all scores of an object stand: what else the outputs say of an object whose scores are all below the threshold is
    /// never looked at, and the native plan need not compute it. `None`: everything is looked at.
    fn score_columns(&self) -> Option<ScoreColumns> {
        None
    }

    /// Hands the boxes in the outputs of one picture to `found`, in pixels of the network's input.
    ///
    /// # Errors
    /// What is wrong with the outputs, in a line. Numbers out of range are no error: [`Candidates::push`] leaves them out.
    fn decode(&self, outputs: &Outputs<'_>, found: &mut Candidates<'_>) -> Result<(), String>;

    /// The map from which the mask of an object is made; asked for, with the outputs of the same run, only of objects that are
    /// kept and for which `decode` gave a code ([`Extra::mask_code`]). `within` is the object's box in pixels of the network's
    /// input; the map is needed there. `None`: it has no mask.
    ///
    /// # Errors
    /// As [`Head::decode`].
    fn mask(&self, outputs: &Outputs<'_>, code: &[f32], within: &Rect) -> Result<Option<MaskMap>, String> {
        let _ = (outputs, code, within);
        Ok(None)
    }
}

/// The columns of a table of objects that hold their scores, as probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScoreColumns {
    /// The place of the output in the spec.
    pub output: usize,
    /// An object is a column of the file (`[1, columns, objects]`), not a row.
    pub across: bool,
    /// The first of the columns, counted from 0.
    pub first: usize,
    /// How many there are.
    pub count: usize,
}

/// Takes boxes from a head: leaves out what is too weak, not looked for or no box, and brings the rest to the picture.
pub struct Candidates<'a> {
    pub(super) found: &'a mut Detections,
    /// For each class, whether it is looked for.
    pub(super) wanted: &'a [bool],
    pub(super) confidence: f32,
    /// An object counts once for each class that it may be of, not for the likeliest alone.
    pub(super) each_class: bool,
    pub(super) placement: Placement,
}

impl Candidates<'_> {
    /// Boxes with a lower score are not taken.
    pub fn confidence(&self) -> f32 {
        self.confidence
    }

    /// Of the classes that are looked for, the one with the highest score, the first of equals; what is not a number is passed
    /// over. `None` where there is none.
    pub fn best(&self, scores: impl IntoIterator<Item = f32>) -> Option<(ClassId, f32)> {
        let mut best: Option<(ClassId, f32)> = None;
        for (class, (score, &wanted)) in scores.into_iter().zip(self.wanted).enumerate() {
            if wanted && !score.is_nan() && best.is_none_or(|(_, highest)| score > highest) {
                best = Some((class as ClassId, score));
            }
        }
        best
    }

    /// Takes a box, `[centre x, centre y, width, height]` in pixels of the network's input, unless its score is below the
    /// threshold or not a number, its class is not looked for, or it is not finite or has no area. Scores above 1 count as 1.
    /// Tells whether it was taken.
    pub fn push(&mut self, centre_size: [f32; 4], score: f32, class: ClassId) -> bool {
        match self.placed(centre_size, score, class) {
            Some(detection) => self.found.push(detection),
            None => return false,
        }
        true
    }

    /// The same with what else is known of the object; `extra` is asked for only where the box is taken, and its masks and
    /// points are in pixels of the network's input, too.
    pub fn push_with(
        &mut self,
        centre_size: [f32; 4],
        (score, class): (f32, ClassId),
        extra: impl FnOnce() -> Extra,
    ) -> bool {
        let Some(detection) = self.placed(centre_size, score, class) else { return false };
        let mut one = Detections::default();
        one.push_with(Detection { rect: Rect::default(), ..detection }, extra());
        self.placement.to_picture(&mut one);
        one.retain_mut(|placed| {
            *placed = detection;
            true
        });
        self.found.append(&mut one);
        true
    }

    /// Takes the box of the object with this number, and what else there is of it, in columns that `at` reads; of a turned box
    /// `centre_size` is that before it is turned.
    pub(super) fn push_object(
        &mut self,
        (object, centre_size): (usize, [f32; 4]),
        of: (f32, ClassId),
        behind: &Behind,
        at: impl Fn(usize) -> f32,
    ) -> bool {
        if behind.is_empty() {
            return self.push(centre_size, of.0, of.1);
        }
        let turned = behind.turned(centre_size, &at);
        if turned.is_some_and(|turned| !turned.is_sound()) {
            return false;
        }
        let hull = turned.as_ref().map_or(centre_size, |turned| {
            let Rect { width, height, .. } = turned.hull();
            [turned.x, turned.y, width, height]
        });
        self.push_with(hull, of, || behind.extra(object, turned, &at))
    }

    fn placed(&self, centre_size: [f32; 4], score: f32, class: ClassId) -> Option<Detection> {
        let score = score.min(1.0);
        let wanted = self.wanted.get(usize::from(class)).copied().unwrap_or(false);
        if !wanted || score.is_nan() || score < self.confidence {
            return None;
        }
        let rect = self.placement.rect(centre_size);
        rect.is_sound().then_some(Detection { rect, score, class })
    }
}

/// The cells of the three grids of strides 8, 16 and 32 that an anchor-free network has for an input of this size.
#[cfg(test)]
pub(super) fn cells(input: InputSize) -> usize {
    STRIDES.iter().map(|stride| (input.width() / stride) * (input.height() / stride)).sum()
}

/// Input pixels a cell of each grid, in the order of the rows.
pub(super) const STRIDES: [usize; 3] = [8, 16, 32];

#[cfg(test)]
pub(super) mod tests {
    use super::super::model::{BoxForm, ColourOrder, Fit, InputSpec, Layout, OutputSpec, ScoreForm, Sizes};
    use super::super::runtime::Output;
    use super::*;

    /// What a head makes of outputs, for a picture of `scale` input pixels a picture pixel.
    pub(in crate::detect) fn decoded(
        head: &dyn Head,
        values: &[&[f32]],
        wanted: &[bool],
        (confidence, scale): (f32, f32),
    ) -> Detections {
        let mut found = Detections::default();
        let placement = Placement { scale: (scale, scale), offset: (0.0, 0.0) };
        let outputs = head.spec().outputs.iter().zip(values);
        let outputs = outputs.map(|(spec, values)| Output { name: &spec.name, shape: &spec.shape, values });
        let mut candidates =
            Candidates { found: &mut found, wanted, confidence, each_class: false, placement };
        head.decode(&Outputs::new(outputs.collect()), &mut candidates).unwrap();
        found
    }

    /// The spec of a network with these outputs at an input of 64×32: centres and sizes, probabilities.
    pub(in crate::detect) fn spec(outputs: Vec<OutputSpec>, classes: usize) -> ModelSpec {
        ModelSpec {
            input: InputSpec {
                size: InputSize::new(64, 32).unwrap(),
                sizes: Sizes::MultipleOf(32),
                layout: Layout::Nchw,
                colour: ColourOrder::Bgr,
                scale: 1.0,
                mean: [0.0; 3],
                std: [1.0; 3],
                fit: Fit::LetterboxTopLeft(114),
            },
            outputs,
            boxes: BoxForm::CentreSize,
            scores: ScoreForm::Probabilities,
            objectness: false,
            classes,
            nms: true,
        }
    }

    #[test]
    fn what_else_is_known_goes_to_the_picture_with_its_box() {
        use crate::detection::{Keypoint, Mask};
        let mut found = Detections::default();
        let placement = Placement { scale: (0.5, 0.5), offset: (0.0, 8.0) };
        let mut candidates =
            Candidates { found: &mut found, wanted: &[true], confidence: 0.5, each_class: false, placement };
        let extra = || Extra {
            mask: Mask::new(Rect::new(8.0, 8.0, 16.0, 16.0), (1, 1), |_, _| true),
            keypoints: vec![Keypoint { x: 12.0, y: 20.0, score: 1.0 }],
            ..Extra::default()
        };
        assert!(candidates.push_with([16.0, 16.0, 16.0, 16.0], (0.9, 0), extra));
        assert!(!candidates.push_with([16.0, 16.0, 16.0, 16.0], (0.4, 0), extra));
        assert!(!candidates.push_with([16.0, 16.0, 16.0, 16.0], (0.9, 1), extra), "no such class");
        let whole = Rect::new(16.0, 0.0, 32.0, 32.0);
        assert_eq!((found.len(), found[0].rect), (1, whole));
        let told = found.extra(0).unwrap();
        assert_eq!(told.mask.as_ref().map(Mask::rect), Some(whole));
        assert_eq!((told.keypoints[0].x, told.keypoints[0].y), (24.0, 24.0));
    }
}
