//! The clean plate: the place without what moves, at full size.
//!
//! For each pixel one candidate is kept: the mean of the samples that agree with it, and a count, which grows with each that
//! agrees and falls with each that does not; at zero the next sample is the candidate (the majority vote of Boyer and Moore,
//! 1991, with colours that agree within the noise). So the colour that is seen most of the time is left, as a median would
//! leave it, from eight bytes a pixel. What moves does not vote.

use super::MotionDetector;
use crate::frame::{Picture, PictureError};
use crate::geometry::{Affine, Rect};
use crate::kernels::View;

/// Colours agree where no channel differs by more than so many grey levels, beside four times the noise.
const AGREES: f32 = 10.0;
/// A mean follows with this share at the least, and no count is higher than its inverse.
const LONGEST: u16 = 250;
/// What moves is taken to be larger by this share, for soft edges and shadows.
const WIDER: f32 = 0.15;
/// The usual light goes by so much a picture at the most.
const LIGHT_STEP: f32 = 0.005;
/// Levels are kept in so many parts of one.
const PARTS: f32 = 256.0;

/// One pixel's candidate.
#[derive(Debug, Clone, Copy, Default)]
struct Candidate {
    /// Its mean, in 1/256 levels.
    mean: [u16; 3],
    votes: u16,
}

/// Gathers the place without what moves, from the pictures of one source.
#[derive(Debug, Default)]
pub struct CleanPlate {
    size: (usize, usize),
    /// When the detector learnt its background, and from pixels of that picture to those of the plate.
    begun: f64,
    place: Affine,
    candidates: Vec<Candidate>,
    /// For each row, how many times as bright it usually is as its background: a median, by steps up and down.
    light: Vec<f32>,
    /// Where something moves, of a row.
    moves: Vec<bool>,
}

impl CleanPlate {
    /// Has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a picture, RGB, which `detector` has just been given. Pictures of another size begin anew, as does the detector.
    pub fn add(&mut self, picture: &View<'_>, detector: &MotionDetector) {
        let size = (picture.width(), picture.height());
        if picture.channels() != 3 {
            return;
        }
        if self.size != size {
            self.size = size;
            self.candidates.clear();
            self.candidates.resize(size.0 * size.1, Candidate::default());
            self.light.clear();
            self.light.resize(size.1, 1.0);
            (self.begun, self.place) = (detector.begun(), detector.camera());
        }
        if self.begun != detector.begun() {
            (self.begun, self.place) = (detector.begun(), Affine::IDENTITY);
        }
        let camera = detector.camera();
        let mut map = self.place.inverse().unwrap_or(Affine::IDENTITY).then(&camera);
        let (x, y) = map.point(size.0 as f32 / 2.0, size.1 as f32 / 2.0);
        if !((0.0..size.0 as f32).contains(&x) && (0.0..size.1 as f32).contains(&y)) {
            // The camera has gone on: the middle of the plate is not to be seen any more.
            self.candidates.fill(Candidate::default());
            (self.place, map) = (camera, Affine::IDENTITY);
        }
        let boxes = detector.moving();
        let boxes: Vec<Rect> = boxes.iter().map(|rect| self.place.rect(rect).widened(WIDER)).collect();
        let reach = AGREES + 4.0 * detector.noise();
        let moved = detector.has_moved() && map != Affine::IDENTITY;
        for y in 0..size.1 {
            self.moves.clear();
            self.moves.resize(size.0, false);
            let middle = y as f32 + 0.5;
            for rect in boxes.iter().filter(|rect| (rect.top..rect.bottom()).contains(&middle)) {
                let from = (rect.left.max(0.0) as usize).min(size.0);
                let to = (rect.right().max(0.0).ceil() as usize).clamp(from, size.0);
                self.moves[from..to].fill(true);
            }
            let light = detector.light_at(y);
            let undo = 1.0 / light;
            if let Some(usual) = self.light.get_mut(y) {
                *usual += (light - *usual).clamp(-LIGHT_STEP, LIGHT_STEP);
            }
            let row = picture.row(y.min(size.1 - 1)).as_chunks::<3>().0;
            let candidates = &mut self.candidates[y * size.0..(y + 1) * size.0];
            for (x, (candidate, moves)) in candidates.iter_mut().zip(&self.moves).enumerate() {
                // What was never seen without something in front of it is shown as it is.
                if *moves && candidate.votes > 0 {
                    continue;
                }
                let sample = if moved {
                    sample(picture, &map, (x, y))
                } else {
                    row.get(x).copied().map(|s| s.map(f32::from))
                };
                let Some(sample) = sample else { continue };
                candidate.vote(sample.map(|level| level * undo), reach, *moves);
            }
        }
    }

    /// The plate, in the usual light and at the place of the first picture; of a camera that travels, at that where the middle of
    /// the plate came into the picture.
    ///
    /// # Errors
    /// [`PictureError`] where no picture was taken.
    pub fn picture(&self) -> Result<Picture, PictureError> {
        let rows = self.candidates.chunks_exact(self.size.0.max(1)).zip(&self.light);
        let pixels = rows.flat_map(|(row, light)| {
            let level = move |part: u16| (f32::from(part) / PARTS * light + 0.5).min(255.0) as u8;
            row.iter().flat_map(move |candidate| candidate.mean.map(level))
        });
        let pixels = pixels.collect();
        Picture::new(self.size.0 as u32, self.size.1 as u32, pixels)
    }
}

impl Candidate {
    fn vote(&mut self, sample: [f32; 3], reach: f32, weak: bool) {
        let mean = self.mean.map(|part| f32::from(part) / PARTS);
        let agrees = mean.iter().zip(&sample).all(|(mean, sample)| (mean - sample).abs() <= reach);
        if self.votes == 0 {
            self.mean = sample.map(|level| (level.clamp(0.0, 255.0) * PARTS) as u16);
            // What moves is replaced by the first that does not.
            self.votes = u16::from(!weak);
        } else if agrees {
            self.votes = (self.votes + 1).min(LONGEST);
            let rate = 1.0 / f32::from(self.votes);
            for (part, (mean, sample)) in self.mean.iter_mut().zip(mean.iter().zip(&sample)) {
                *part = ((mean + rate * (sample - mean)).clamp(0.0, 255.0) * PARTS + 0.5) as u16;
            }
        } else {
            self.votes -= 1;
        }
    }
}

/// What the picture shows at a place of the plate, between its pixels; `None` where it does not show it.
fn sample(picture: &View<'_>, map: &Affine, (x, y): (usize, usize)) -> Option<[f32; 3]> {
    let (fx, fy) = map.point(x as f32 + 0.5, y as f32 + 0.5);
    let (fx, fy) = (fx - 0.5, fy - 0.5);
    let (width, height) = (picture.width(), picture.height());
    if !(fx >= 0.0 && fy >= 0.0 && fx <= (width - 1) as f32 && fy <= (height - 1) as f32) {
        return None;
    }
    let (left, top) = (fx as usize, fy as usize);
    let (h, v) = (fx - left as f32, fy - top as f32);
    let right = (left + 1).min(width - 1);
    let (above, below) = (picture.row(top), picture.row((top + 1).min(height - 1)));
    Some([0, 1, 2].map(|channel| {
        let between = |row: &[u8]| {
            let (a, b) = (f32::from(row[left * 3 + channel]), f32::from(row[right * 3 + channel]));
            a + h * (b - a)
        };
        between(above) + v * (between(below) - between(above))
    }))
}
