//! Where objects stand on the ground, and how fast they move there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::counting::is_of_source;
use super::{FixedTo, SceneStage, StageFrame};
use crate::attribute::{GROUND_X, GROUND_Y, HEADING, SPEED, SPEED_ERROR};
use crate::geometry::{Affine, Rect};
use crate::ground::{
    Ground, GroundError, KnownLength, KnownPoint, Origin, PeopleSurvey, Readings, Velocity, View,
};
use crate::labels::Labels;
use crate::scene::{Scene, Track, TrackState};

/// A speed is fitted anew after this many seconds.
const FIT_SECONDS: f64 = 0.15;
/// Up to this error in metres a second a speed is told, however small it is.
const UNSURE: f64 = 1.0;
/// An object that is not seen for so long is forgotten, in seconds.
const FORGOTTEN: f64 = 2.0;
/// A box that ends this near to the picture's edge, in pixels, is cut by it.
const EDGE: f32 = 2.0;
/// A ground is looked for in the boxes of people when so many were seen, and again when there are half as many more, up to the
/// second number: then it stays.
const SURVEY: (usize, usize) = (60, 6_000);
/// Of one person one box in so many seconds is taken: who stands there for long tells no more than who walks by.
const SURVEY_SECONDS: f64 = 1.0;
/// The boxes of people are higher than wide by this, where all of a person is seen.
const SLENDER: f32 = 1.6;

/// A `[ground]`.
#[derive(Debug, Clone, PartialEq)]
pub struct GroundPlane {
    /// The source that it belongs to: its name, a pattern (`*`, `?`), or its number from 1; empty: every source.
    pub source: String,
    /// Four or more points with known metres.
    pub points: Vec<KnownPoint>,
    /// Or two or more known lengths. Where there is neither, the ground is found from the heights of people.
    pub lengths: Vec<KnownLength>,
    /// How tall people are, in metres.
    pub person_metres: f64,
    /// For lengths and people: the angle from the left edge of the picture to the right, in degrees.
    pub view_degrees: f64,
    /// The distortion of the lens, as in [`Ground::from_points`].
    pub distortion: f64,
    /// Latitude and longitude of the point with X and Y 0.
    pub origin: Option<(f64, f64)>,
    /// Where Y points, in degrees clockwise from north.
    pub bearing: f64,
    /// What it stays with when the camera moves.
    pub fixed_to: FixedTo,
}

impl Default for GroundPlane {
    fn default() -> Self {
        Self {
            source: String::new(),
            points: Vec::new(),
            lengths: Vec::new(),
            person_metres: 1.7,
            view_degrees: 65.0,
            distortion: 0.0,
            origin: None,
            bearing: 0.0,
            fixed_to: FixedTo::default(),
        }
    }
}

impl GroundPlane {
    fn view(&self) -> View {
        View { degrees: self.view_degrees, distortion: self.distortion }
    }

    /// The ground in pictures of this size; `None` where people have to be seen first.
    ///
    /// # Errors
    /// [`GroundError`]: points or lengths do not tell it.
    pub fn ground(&self, size: (u32, u32)) -> Result<Option<Ground>, GroundError> {
        let ground = if !self.points.is_empty() {
            Ground::from_points(size, &self.points, self.distortion)?
        } else if !self.lengths.is_empty() {
            Ground::from_lengths(size, &self.lengths, &self.view())?
        } else {
            return Ok(None);
        };
        if self.origin.is_some() && ground.is_mirrored() {
            return Err(GroundError::Mirrored);
        }
        Ok(Some(self.placed(ground)))
    }

    fn placed(&self, ground: Ground) -> Ground {
        let origin =
            self.origin.map(|(latitude, longitude)| Origin { latitude, longitude, bearing: self.bearing });
        ground.with_origin(origin)
    }
}

/// Every `[ground]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GroundSettings {
    /// The first that is of a source counts there.
    pub planes: Vec<GroundPlane>,
}

impl GroundSettings {
    /// The ground of one source, by its name and its number among the sources of the run, from 1.
    pub fn of_source(&self, name: &str, number: usize) -> Option<GroundPlane> {
        self.planes.iter().find(|plane| is_of_source(&plane.source, name, number)).cloned()
    }
}

/// Adds attributes to seen tracks whose lower edge is on the ground, where that is known, and not cut by the picture's edge:
///
/// | attribute | what |
/// |---|---|
/// | `x_m`, `y_m` | where the middle of the lower edge of the box is, in metres |
/// | `speed_m_per_s` | how fast it moves, once it was seen for 0.4 seconds and six frames |
/// | `speed_error_m_per_s` | half the interval that holds the true speed in nine of ten cases, as far as boxes err at random |
/// | `heading_deg` | where to, in degrees clockwise from Y as seen from above; not of what may as well stand still |
///
/// [`Scene::ground`] has the ground itself.
#[derive(Debug, Clone)]
pub struct OnGround {
    plane: GroundPlane,
    labels: Labels,
    size: (u32, u32),
    ground: Option<Arc<Ground>>,
    /// Y lies to the right of X, as in a picture.
    mirrored: bool,
    survey: Option<Survey>,
    /// From pixels of the newest picture to those of the first, as the still world moved; and the other way.
    back: Affine,
    moved: Affine,
    objects: BTreeMap<u64, Object>,
    names: Names,
}

/// The search for a ground.
#[derive(Debug, Clone)]
struct Survey {
    people: PeopleSurvey,
    next: usize,
    /// When a box of each track was taken last, in seconds.
    taken: BTreeMap<u64, f64>,
}

#[derive(Debug, Clone, Default)]
struct Object {
    readings: Readings,
    seen: f64,
    fitted: Option<f64>,
    velocity: Option<Velocity>,
}

#[derive(Debug, Clone)]
struct Names {
    heading: Arc<str>,
    error: Arc<str>,
    speed: Arc<str>,
    x: Arc<str>,
    y: Arc<str>,
}

impl OnGround {
    /// Has seen nothing.
    pub fn new(plane: GroundPlane, labels: &Labels) -> Self {
        Self {
            plane,
            labels: labels.clone(),
            size: (0, 0),
            ground: None,
            mirrored: false,
            survey: None,
            back: Affine::IDENTITY,
            moved: Affine::IDENTITY,
            objects: BTreeMap::new(),
            names: Names {
                heading: HEADING.into(),
                error: SPEED_ERROR.into(),
                speed: SPEED.into(),
                x: GROUND_X.into(),
                y: GROUND_Y.into(),
            },
        }
    }

    /// Knows people by another name's number from now on.
    pub fn set_labels(&mut self, labels: &Labels) {
        self.labels = labels.clone();
    }

    /// What is set.
    pub fn plane(&self) -> &GroundPlane {
        &self.plane
    }

    /// The ground, once it is known.
    pub fn ground(&self) -> Option<&Arc<Ground>> {
        self.ground.as_ref()
    }

    /// Lays the ground out for pictures of another size.
    fn lay_out(&mut self, size: (u32, u32)) {
        self.size = size;
        self.objects.clear();
        (self.ground, self.mirrored, self.survey) = (None, false, None);
        match self.plane.ground(size) {
            Ok(Some(ground)) => {
                if ground.residual() > 0.0 {
                    log::info!("ground: known places are missed by {:.2} m", ground.residual());
                }
                self.mirrored = ground.is_mirrored();
                self.ground = Some(Arc::new(ground));
            }
            Ok(None) => {
                let people = PeopleSurvey::new(size, self.plane.view());
                self.survey = Some(Survey { people, next: SURVEY.0, taken: BTreeMap::new() });
            }
            Err(error) => log::warn!("ground: {error}; there are no speeds and places"),
        }
    }

    /// Takes the boxes of people in, and looks for the ground from time to time.
    fn survey(&mut self, frame: &StageFrame<'_>, scene: &Scene) {
        let (Some(survey), Some(person)) = (&mut self.survey, self.labels.find("person")) else { return };
        let (size, now) = (frame.size, scene.time);
        survey.taken.retain(|_, last| (0.0..SURVEY_SECONDS).contains(&(now - *last)));
        for track in scene.seen().filter(|track| track.class == person) {
            if survey.taken.contains_key(&track.id) {
                continue;
            }
            let rect = found(track, frame);
            if rect.height < SLENDER * rect.width || is_cut(&rect, size) || rect.top < EDGE {
                continue;
            }
            let (x, y) = (rect.center().0, rect.bottom());
            // Where another box stands before it, its feet may be hidden.
            if scene.seen().any(|other| other.id != track.id && other.rect.contains(x, y - 1.0)) {
                continue;
            }
            survey.people.add(track.id, x.into(), rect.top.into(), y.into());
            survey.taken.insert(track.id, now);
        }
        if survey.people.seen() < survey.next {
            return;
        }
        match survey.people.fit(self.plane.person_metres) {
            Ok(found) => {
                // What comes later is a little better; the first is news.
                let level = if self.ground.is_none() { log::Level::Warn } else { log::Level::Info };
                log::log!(
                    level,
                    "ground: found from {} people, taken to be {} m tall: the camera is {:.1} ± {:.1} m high and tilted down by {:.0} ± {:.0}°, if its view is {}° wide; lengths are within ± {:.0} %",
                    found.people,
                    self.plane.person_metres,
                    found.height.0,
                    found.height.1,
                    found.tilt.0,
                    found.tilt.1,
                    self.plane.view_degrees,
                    100.0 * found.spread
                );
                self.ground = Some(Arc::new(self.plane.placed(found.ground)));
                self.objects.clear();
            }
            Err(error) => log::info!("ground: {error}"),
        }
        survey.next = survey.next.saturating_mul(3) / 2;
        if survey.next > SURVEY.1 {
            if self.ground.is_none() {
                log::warn!("ground: people do not tell it; give points or lengths in [ground]");
            }
            self.survey = None;
        }
    }

    /// Takes in how the camera moved.
    fn follow(&mut self, camera: Option<&Affine>) {
        if let Some(camera) = camera {
            self.moved = self.moved.then(camera);
        }
        match self.moved.inverse().filter(|_| self.moved.is_sound()) {
            Some(back) => self.back = back,
            None => (self.moved, self.back) = (Affine::IDENTITY, Affine::IDENTITY),
        }
    }

    fn measure(&mut self, frame: &StageFrame<'_>, scene: &mut Scene, ground: &Ground) {
        let now = scene.time;
        for swap in &scene.swaps {
            self.objects.remove(&swap.from);
            self.objects.remove(&swap.to);
        }
        let Scene { tracks, attributes, .. } = scene;
        for track in tracks.iter().filter(|track| track.state == TrackState::Confirmed) {
            let rect = found(track, frame);
            let foot = (rect.center().0, rect.bottom());
            let place =
                (!is_cut(&rect, frame.size)).then(|| ground.place(foot.0.into(), foot.1.into())).flatten();
            let Some(place) = place else {
                self.objects.remove(&track.id);
                continue;
            };
            let object = self.objects.entry(track.id).or_default();
            object.readings.push(now, &place);
            object.seen = now;
            if object.fitted.is_none_or(|fitted| !(0.0..FIT_SECONDS).contains(&(now - fitted))) {
                object.velocity = object.readings.velocity().filter(is_sure);
                // Nothing yet: looked at in the next frame again.
                object.fitted = object.velocity.map(|_| now);
            }
            // By name, so that each is added at the end.
            if let Some(velocity) = object.velocity {
                if let Some(heading) = velocity.heading() {
                    // Clockwise as seen from above, also where the axes are as in a mirror.
                    let heading = if self.mirrored { 360.0 - heading } else { heading };
                    let heading = rounded(heading, 10.0).rem_euclid(360.0);
                    attributes.set(track.id, Arc::clone(&self.names.heading), heading);
                }
                attributes.set(track.id, Arc::clone(&self.names.error), rounded(velocity.error, 1000.0));
                attributes.set(track.id, Arc::clone(&self.names.speed), rounded(velocity.speed(), 1000.0));
            }
            attributes.set(track.id, Arc::clone(&self.names.x), rounded(place.x, 1000.0));
            attributes.set(track.id, Arc::clone(&self.names.y), rounded(place.y, 1000.0));
        }
        self.objects.retain(|_, object| (0.0..=FORGOTTEN).contains(&(now - object.seen)));
    }
}

/// An error of more than a metre a second and half the speed tells nothing.
fn is_sure(velocity: &Velocity) -> bool {
    velocity.error <= f64::max(UNSURE, 0.5 * velocity.speed())
}

fn rounded(number: f64, parts: f64) -> f64 {
    // Zero has no sign.
    libm::round(number * parts) / parts + 0.0
}

/// The box as it was detected in this frame: what the tracker makes of it is smoothed, and errs in one direction for long.
fn found(track: &Track, frame: &StageFrame<'_>) -> Rect {
    let number = track.detection.map(|number| number as usize);
    let detected = number.and_then(|number| match number.checked_sub(frame.detections.len()) {
        None => frame.detections.boxes().get(number),
        Some(number) => frame.suppressed?.boxes().get(number),
    });
    detected.map_or(track.rect, |detection| detection.rect)
}

/// The picture's left, right or lower edge may cut the box: the middle of its lower edge is not where the object stands.
fn is_cut(rect: &Rect, (width, height): (u32, u32)) -> bool {
    rect.left < EDGE || rect.right() > width as f32 - EDGE || rect.bottom() > height as f32 - EDGE
}

impl SceneStage for OnGround {
    fn name(&self) -> &str {
        "ground"
    }

    fn update(&mut self, frame: &StageFrame<'_>, scene: &mut Scene) -> Result<(), String> {
        if frame.size != self.size {
            self.lay_out(frame.size);
        }
        if self.plane.fixed_to == FixedTo::Scene {
            self.follow(frame.camera.as_ref());
        }
        if self.survey.is_some() && !frame.again {
            self.survey(frame, scene);
        }
        if let Some(ground) = self.ground.clone() {
            let ground = if self.moved == Affine::IDENTITY {
                ground
            } else {
                Arc::new(ground.seen_after(self.moved, self.back))
            };
            self.measure(frame, scene, &ground);
            scene.ground = Some(ground);
        }
        Ok(())
    }

    fn restart(&mut self) {
        self.objects.clear();
        self.moved = Affine::IDENTITY;
        self.follow(None);
    }
}

#[cfg(test)]
mod tests;
