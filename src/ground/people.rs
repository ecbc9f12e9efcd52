//! The ground from the heights of people: people are about equally tall, so that the height of a box tells how far away its lower
//! edge is (Hoiem, Efros and Hebert 2008, "Putting objects in perspective"), for a level camera with a known angle of view.

use super::level::golden;
use super::{Ground, GroundError, View, middle_and_half};

/// So many people at least.
const LEAST_PEOPLE: usize = 6;
/// So many boxes of them.
const LEAST_BOXES: usize = 60;
/// So many boxes at most; of more, evenly chosen ones.
const MOST_BOXES: usize = 600;
/// How often the fit is repeated with other people, to tell how sure it is.
const REPEATS: usize = 20;
/// Fits to other people are looked for within so many degrees.
const NEAR: f64 = 10.0;
/// The tilts that are tried, in degrees below the level.
const TILTS: (f64, f64) = (0.0, 75.0);

/// One box of a person: foot and head in the picture, relative to its middle, in halves of its diagonal.
#[derive(Debug, Clone, Copy)]
struct Person {
    track: u64,
    foot: f64,
    head: f64,
}

/// Boxes of people that were seen, and the ground that they stand on.
#[derive(Debug, Clone)]
pub struct PeopleSurvey {
    size: (u32, u32),
    view: View,
    people: Vec<Person>,
    /// Of so many boxes one is kept.
    every: usize,
    seen: usize,
}

/// A ground that was found, and how sure it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Surveyed {
    /// The ground; the camera's foot is its origin, X points right and Y away from it.
    pub ground: Ground,
    /// How high the camera is, in metres, and the standard deviation of that.
    pub height: (f64, f64),
    /// By how many degrees the camera is tilted down, and the standard deviation.
    pub tilt: (f64, f64),
    /// The standard deviation of lengths, as a share, from the fit alone: how tall people are and the angle of view are taken
    /// as given.
    pub spread: f64,
    /// Of how many people.
    pub people: usize,
}

impl PeopleSurvey {
    /// Of a picture of `size` pixels.
    pub fn new(size: (u32, u32), view: View) -> Self {
        Self { size, view, people: Vec::new(), every: 1, seen: 0 }
    }

    /// How many boxes were given.
    pub fn seen(&self) -> usize {
        self.seen
    }

    /// Takes in the box of a person of whom all is seen: its track, and its upper and lower edge at `x`, in pixels.
    pub fn add(&mut self, track: u64, x: f64, top: f64, bottom: f64) {
        self.seen += 1;
        if !self.seen.is_multiple_of(self.every) {
            return;
        }
        let middle = middle_and_half(self.size);
        let lens = super::Lens { distortion: self.view.distortion };
        let straight = |y| lens.straighten(middle.relative((x, y))).map(|((_, y), _)| y);
        if let (Some(head), Some(foot)) = (straight(top), straight(bottom)) {
            self.people.push(Person { track, foot, head });
        }
        if self.people.len() >= 2 * MOST_BOXES {
            let mut index = 0;
            self.people.retain(|_| {
                index += 1;
                index % 2 == 0
            });
            self.every *= 2;
        }
    }

    /// The ground, if people are `metres` tall.
    ///
    /// # Errors
    /// [`GroundError::PeopleDoNotTell`]: too few were seen, all stand equally far away, or the fit is not sure.
    pub fn fit(&self, metres: f64) -> Result<Surveyed, GroundError> {
        let mut tracks: Vec<u64> = self.people.iter().map(|person| person.track).collect();
        tracks.sort_unstable();
        tracks.dedup();
        let people = tracks.len();
        let unsure = |why| GroundError::PeopleDoNotTell { people, why };
        if people < LEAST_PEOPLE || self.people.len() < LEAST_BOXES {
            return Err(unsure("too few were seen"));
        }
        let mut feet: Vec<f64> = self.people.iter().map(|person| person.foot).collect();
        feet.sort_by(f64::total_cmp);
        let at = |share: usize| feet.get(feet.len() * share / 100).copied().unwrap_or_default();
        // A tenth of the picture's height.
        let tenth = 0.1 * f64::from(self.size.1) / middle_and_half(self.size).half;
        if at(95) - at(5) < tenth {
            return Err(unsure("all are equally far away"));
        }
        let focal = self.view.focal(self.size);
        let best = fitted(&self.people, focal).ok_or_else(|| unsure("no level camera sees them so"))?;
        if best.residual > 0.2 {
            return Err(unsure("their heights differ too much"));
        }
        // Boxes of one person err alike: whole people are chosen again.
        let mut random = 0x2545_f491_4f6c_dd1d_u64;
        let mut repeats = Vec::with_capacity(REPEATS);
        for _ in 0..REPEATS {
            let mut chosen = Vec::with_capacity(self.people.len());
            for _ in 0..people {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let track = tracks[(random % people as u64) as usize];
                chosen.extend(self.people.iter().filter(|person| person.track == track));
            }
            // Near the best, and less finely: it is only for the spread.
            let near = (best.tilt - NEAR, best.tilt + NEAR);
            repeats.extend(narrowed(&chosen, focal, near, 16));
        }
        let deviation = |of: fn(&Fit) -> f64, middle: f64| {
            let squares = repeats.iter().map(|fit| (of(fit) - middle).powi(2)).sum::<f64>();
            (squares / repeats.len().max(1) as f64).sqrt()
        };
        let (height, tilt) = (deviation(|fit| fit.height, best.height), deviation(|fit| fit.tilt, best.tilt));
        let spread = height / best.height;
        if repeats.len() < REPEATS * 9 / 10 || spread > 0.15 {
            return Err(unsure("other people would tell another ground"));
        }
        let ground = self.view.ground(self.size, best.tilt, best.height * metres);
        Ok(Surveyed {
            ground: ground.ok_or_else(|| unsure("no level camera sees them so"))?,
            height: (best.height * metres, height * metres),
            tilt: (best.tilt, tilt),
            spread,
            people,
        })
    }
}

/// A camera that people were fitted to.
#[derive(Debug, Clone, Copy)]
struct Fit {
    tilt: f64,
    /// In heights of people.
    height: f64,
    /// By how much boxes differ from what they should be, as a share: the mean of the smaller four fifths.
    residual: f64,
}

fn fitted(people: &[Person], focal: f64) -> Option<Fit> {
    let residual = |tilt| at_tilt(people, focal, tilt).map_or(f64::INFINITY, |fit| fit.residual);
    let step = 2.5;
    let tilts = (0..).map(|index| TILTS.0 + step * f64::from(index)).take_while(|tilt| *tilt <= TILTS.1);
    let best = tilts.min_by(|&a, &b| residual(a).total_cmp(&residual(b)))?;
    narrowed(people, focal, (best - step, best + step), 40)
}

/// The best between two tilts, after so many steps.
fn narrowed(people: &[Person], focal: f64, (from, to): (f64, f64), steps: u32) -> Option<Fit> {
    let residual = |tilt| at_tilt(people, focal, tilt).map_or(f64::INFINITY, |fit| fit.residual);
    at_tilt(people, focal, golden(from.max(TILTS.0), to.min(TILTS.1), steps, residual))
}

/// The height of the camera if it is tilted so. With the angles a of the foot and b of the head below the level, the foot is
/// h / tan a away, and the head h − 1 = that · tan b high below the camera.
fn at_tilt(people: &[Person], focal: f64, tilt: f64) -> Option<Fit> {
    let (sin, cos) = (libm::sin(tilt.to_radians()), libm::cos(tilt.to_radians()));
    // The tangent of the angle below the level at which a row is seen.
    let below = |row: f64| (row / focal * cos + sin) / (cos - row / focal * sin);
    let mut heights: Vec<f64> = people
        .iter()
        .filter_map(|person| {
            let (foot, head) = (below(person.foot), below(person.head));
            let height = 1.0 / (1.0 - head / foot);
            (foot > 0.005 && head < foot && height > 0.0).then_some(height)
        })
        .collect();
    if heights.len() * 10 < people.len() * 9 {
        return None;
    }
    let height = median(&mut heights)?;
    // What a box should be high for this camera, against what it is.
    let mut differ: Vec<f64> = people
        .iter()
        .map(|person| {
            let head = below(person.foot) * (1.0 - 1.0 / height);
            let row = focal * (head * cos - sin) / (cos + head * sin);
            libm::log((person.foot - row).max(1e-9) / (person.foot - person.head).max(1e-9)).abs()
        })
        .collect();
    Some(Fit { tilt, height, residual: trimmed_mean(&mut differ)? })
}

/// The mean of the smaller four fifths.
fn trimmed_mean(values: &mut [f64]) -> Option<f64> {
    let kept = (values.len() * 4).div_ceil(5);
    let last = kept.checked_sub(1)?;
    values.select_nth_unstable_by(last, f64::total_cmp);
    Some(values.get(..kept)?.iter().sum::<f64>() / kept as f64)
}

fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(middle, f64::total_cmp).1)
}
