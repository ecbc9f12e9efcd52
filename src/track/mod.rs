//! The engine: boxes in, identities out. Knows no picture, no network, no screen; needs nothing but this crate's nouns.
//!
//! Association by score in stages, as in ByteTrack (Zhang et al. 2022, arXiv:2110.06864), on a Kalman filter in real
//! seconds, with what has proved itself since: camera motion told from the boxes, heights that must agree, noise that
//! follows score, occlusion and each track's own surprises, boxes widened as far as the track's place is unsure, and
//! boxes that non-maximum suppression removed as a last straw. A track is *tentative* until its detections confirm it,
//! *lost* while it is not seen, and forgotten after a while.
//!
//! ```text
//! observe(time, detections)
//!   predict ─▶ camera ─▶ strong × (confirmed + lost) ─▶ weak × just seen ─▶ suppressed × lately seen
//!           ─▶ strong × tentative ─▶ births ─▶ deaths
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `motion` | the filter: how boxes move, and how sure that is |
//! | `camera` | how the picture moved, from the boxes |
//! | `similarity` | how well a detection goes with a track |
//! | `occlusion`, `nearby` | who stands in front of whom, and who can be near at all |
//! | `associate`, `assignment` | a matching pass, and the choice of the best pairs |
//! | `tracklet`, `vote` | one track from the inside |
//! | `trails` | where objects went |

mod assignment;
mod associate;
mod camera;
mod motion;
mod nearby;
mod occlusion;
mod settings;
mod similarity;
mod tracklet;
mod trails;
mod vote;

use crate::detection::{Detection, SUPPRESSED_SCORE};
use crate::geometry::{Affine, Rect};
use crate::scene::{Track, TrackState};

use associate::{Matcher, Observed, Rule};
use camera::{CameraFinder, Seen};
use occlusion::Screens;
use similarity::{Cues, Subject};
use tracklet::{Now, Tracklet};

pub use settings::{Preset, TrackSettings};
pub use trails::{TrailAnchor, TrailSettings, Trails};

/// The most detections of one frame that are looked at, the best by score: matching is quadratic.
pub const MOST_DETECTIONS: usize = 2_000;
/// The most tracks that live at once; beyond, those lost the longest go first.
pub const MOST_TRACKS: usize = 4_000;

/// A weak detection helps to tell the camera's motion from this score on.
const CAMERA_SCORE: f32 = 0.3;
/// It may carry on a track that was last matched with a better one this long ago, in seconds.
const SUPPRESSED_SECONDS: f64 = 1.0;
/// A track that is led through known frames once more lies on its known box with at least this overlap.
const RECOGNISED: f32 = 0.7;
/// Two times are the same when they are no further apart, in seconds.
const INSTANT: f64 = 1e-9;
/// A time that lies further back than this, in seconds, is that of a clock that began again.
const CLOCK_BACK: f64 = 1.0;
/// No step is longer than this, in seconds: no track lives as long, and the clock stays precise.
const LONGEST_STEP: f64 = 1e5;

/// All that is known of one frame. Only the detections must be there.
///
/// ```
/// use trailsight::geometry::Affine;
/// use trailsight::track::{Observation, TrackSettings, Tracker};
///
/// let mut tracker = Tracker::new(TrackSettings::default());
/// let camera = Some(Affine::shift(-3.0, 0.5));
/// tracker.observe(0.04, &Observation { camera, picture: Some((1280.0, 720.0)), ..Observation::default() });
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Observation<'a> {
    /// What the detector found, in any order.
    pub detections: &'a [Detection],
    /// What non-maximum suppression removed because it overlaps a better detection: of people who hide one another, the
    /// one behind is often only here. Carries known tracks on, never begins one.
    pub suppressed: &'a [Detection],
    /// How the picture of the still world moved since the last observation, where that is known from the pixels. `None`:
    /// the tracker tells it from the boxes.
    pub camera: Option<Affine>,
    /// Width and height of the picture in pixels; without it nothing is known of its edges.
    pub picture: Option<(f32, f32)>,
}

impl<'a> From<&'a [Detection]> for Observation<'a> {
    fn from(detections: &'a [Detection]) -> Self {
        Self { detections, ..Self::default() }
    }
}

/// Follows objects from frame to frame.
///
/// The same observations give the same tracks, bit by bit, on every machine: only operations that IEEE 754 rounds in one
/// way are used. Nothing is allocated once the number of objects has been seen before, and nothing is kept of tracks
/// that ended.
///
/// ```
/// use trailsight::detection::Detection;
/// use trailsight::geometry::Rect;
/// use trailsight::track::{TrackSettings, Tracker};
///
/// let mut tracker = Tracker::new(TrackSettings::default());
/// for frame in 0..10 {
///     let walker = Rect::new(100.0 + 4.0 * frame as f32, 50.0, 40.0, 90.0);
///     let tracks = tracker.update(frame as f64 / 30.0, &[Detection { rect: walker, score: 0.9, class: 0 }]);
///     assert_eq!(tracks[0].id, 1);
/// }
/// ```
#[derive(Debug)]
pub struct Tracker {
    settings: TrackSettings,
    /// By rising id.
    tracklets: Vec<Tracklet>,
    /// What the last update gave.
    tracks: Vec<Track>,
    last_id: u64,
    /// Source time of the last update; `None` before the first.
    time: Option<f64>,
    now: Now,
    /// The shorter of the last two times between frames, in seconds: one long wait makes no slow camera.
    pace: f64,
    buffers: Buffers,
}

/// What is used within one update only, kept so that nothing is allocated.
#[derive(Debug, Default)]
struct Buffers {
    strong: Vec<Observed>,
    weak: Vec<Observed>,
    suppressed: Vec<Observed>,
    subjects: Vec<Subject>,
    waiting: Vec<Subject>,
    screens: Screens,
    camera: CameraFinder,
    camera_tracks: Vec<Seen>,
    camera_detections: Vec<Seen>,
    matcher: Matcher,
}

/// A tracker that goes on from the same state; buffers, which hold nothing between two updates, are not copied.
impl Clone for Tracker {
    fn clone(&self) -> Self {
        Self {
            settings: self.settings,
            tracklets: self.tracklets.clone(),
            tracks: self.tracks.clone(),
            last_id: self.last_id,
            time: self.time,
            now: self.now,
            pace: self.pace,
            buffers: Buffers::default(),
        }
    }
}

impl Tracker {
    /// A tracker that has seen nothing; ids begin at 1.
    pub fn new(settings: TrackSettings) -> Self {
        Self {
            settings,
            tracklets: Vec::new(),
            tracks: Vec::new(),
            last_id: 0,
            time: None,
            now: Now::default(),
            pace: 0.0,
            buffers: Buffers::default(),
        }
    }

    /// Changes the settings; the tracks go on, but for those that never had the score to be begun with the new ones.
    pub fn set_settings(&mut self, settings: TrackSettings) {
        self.settings = settings;
        self.tracklets.retain(|tracklet| tracklet.is_worth(&settings));
    }

    /// Takes in the detections of the frame at source time `time` (seconds) and gives all tracks at that time, by
    /// rising id: tentative, confirmed and lost. The short form of [`Tracker::observe`].
    pub fn update(&mut self, time: f64, detections: &[Detection]) -> &[Track] {
        self.observe(time, &detections.into())
    }

    /// Takes in what is known of the frame at source time `time` (seconds) and gives all tracks at that time, by rising
    /// id: tentative, confirmed and lost.
    ///
    /// Detections in any order; those whose box is not sound or whose score is not finite are ignored, and a score above
    /// 1 counts as 1. A time that is not a number, or lies before the last one, counts as the last one again; more than a
    /// second before it, it is that of a clock that began again, and one frame later. A camera motion that no camera
    /// makes counts as unknown.
    pub fn observe(&mut self, time: f64, observation: &Observation) -> &[Track] {
        let first = self.time.is_none();
        let before = self.now.clock;
        self.go_on(time);

        self.sort_out(observation);
        for tracklet in &mut self.tracklets {
            tracklet.predict((self.now.clock - before) as f32, &self.settings);
        }
        self.follow_camera(observation.camera);
        self.associate(before);
        self.begin_tracks(first);
        self.end_tracks(observation.picture);

        self.tell_tracks();
        &self.tracks
    }

    /// The tracks as they stand at the last time.
    fn tell_tracks(&mut self) {
        let (now, time, settings) = (self.now, self.time.unwrap_or_default(), &self.settings);
        self.tracks.clear();
        self.tracks.extend(self.tracklets.iter().map(|tracklet| tracklet.as_track(now, time, settings)));
    }

    /// Moves the clock on to the frame at source time `time`; gives the source time that counts.
    fn go_on(&mut self, time: f64) -> f64 {
        let before = self.time.unwrap_or(if time.is_finite() { time } else { 0.0 });
        let time = if time.is_finite() { time } else { before };
        let step = time - before;
        let (time, dt) = if step >= 0.0 {
            (time, step.min(LONGEST_STEP))
        } else if step < -CLOCK_BACK {
            (time, self.now.frame)
        } else {
            (before, 0.0)
        };
        self.time = Some(time);
        self.now.clock += dt;
        self.now.number += 1;
        if dt > 0.0 {
            self.pace = dt.min(self.now.frame);
            self.now.frame = dt;
        }
        time
    }

    /// The highest id given so far; 0 before the first.
    pub fn last_id(&self) -> u64 {
        self.last_id
    }

    /// New tracks get ids above this one from now on, and above those of all tracks that live: up to it they belong to
    /// others.
    pub fn number_above(&mut self, id: u64) {
        self.last_id = self.tracklets.iter().map(|t| t.id).fold(id, u64::max);
    }

    /// Gives tracks that have just begun the ids they are known by: those of `known`, tracks of this moment, that lie where
    /// they do. For a tracker that is led once more through frames that were tracked before.
    pub fn recognise(&mut self, known: &[Track]) {
        for track in known {
            if self.tracklets.iter().any(|t| t.id == track.id) {
                continue;
            }
            let is_free = |t: &Tracklet| t.frame == self.now.number && !known.iter().any(|k| k.id == t.id);
            let same = |t: &&mut Tracklet| is_free(t) && t.last.iou(&track.rect) > RECOGNISED;
            if let Some(tracklet) = self.tracklets.iter_mut().find(same) {
                let age = self.time.map_or(0.0, |time| time - track.born);
                tracklet.be(track, self.now.clock - age);
            }
        }
        self.tracklets.sort_unstable_by_key(|t| t.id);
        self.tell_tracks();
    }

    /// What its state takes, in bytes, as far as a [`Clone`] copies it.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.tracklets.len() * size_of::<Tracklet>()
            + self.tracks.len() * size_of::<Track>()
    }

    /// What the last [`Tracker::update`] gave.
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// Parts the sound detections into strong and weak ones, and finds out who hides whom.
    fn sort_out(&mut self, observation: &Observation) {
        let Self { settings, buffers, .. } = self;
        let Buffers { strong, weak, suppressed, screens, .. } = buffers;
        let sound = |d: &&Detection| d.rect.is_sound() && d.score.is_finite();
        let observed = |detection: &Detection| {
            let detection = Detection { score: detection.score.min(1.0), ..*detection };
            Observed { detection, hidden: 0.0, suppressed: false }
        };
        for list in [&mut *strong, weak, suppressed] {
            list.clear();
        }
        for detection in observation.detections.iter().filter(sound) {
            if detection.score >= settings.high_score {
                strong.push(observed(detection));
            } else if detection.score >= settings.low_score {
                weak.push(observed(detection));
            }
        }
        if settings.suppressed_similarity < 1.0 {
            let good = observation.suppressed.iter().filter(sound).filter(|d| d.score >= SUPPRESSED_SCORE);
            suppressed.extend(good.map(|d| Observed { suppressed: true, ..observed(d) }));
        }
        for list in [&mut *strong, weak, suppressed] {
            if list.len() > MOST_DETECTIONS {
                list.sort_unstable_by(|a, b| by_falling_score(&a.detection, &b.detection));
                list.truncate(MOST_DETECTIONS);
            }
        }
        // Suppressed boxes were drawn around what is hidden: they are taken as they are.
        if settings.occlusion_noise > 0.0 || settings.size_weight > 0.0 {
            screens.fill(strong.iter().map(|o| o.detection.rect));
            for observed in strong.iter_mut().chain(weak) {
                observed.hidden = screens.hide(&observed.detection.rect);
            }
        }
    }

    /// Takes all tracks along with the picture: by what the caller knows, or by what the boxes tell.
    fn follow_camera(&mut self, known: Option<Affine>) {
        let Self { settings, tracklets, buffers, .. } = self;
        let Buffers { strong, weak, camera, camera_tracks, camera_detections, .. } = buffers;
        let motion = known.filter(Affine::is_sound).or_else(|| {
            if settings.camera_strength <= 0.0 {
                return None;
            }
            let seen = tracklets.iter().filter(|t| t.state == TrackState::Confirmed);
            camera_tracks.clear();
            camera_tracks.extend(seen.map(|t| (t.rect, t.vote.winner())));
            let found = strong.iter().chain(weak.iter()).map(|o| o.detection);
            camera_detections.clear();
            camera_detections.extend(found.filter(|d| d.score >= CAMERA_SCORE).map(|d| (d.rect, d.class)));
            camera.find(camera_tracks, camera_detections, settings)
        });
        if let Some(motion) = motion {
            for tracklet in tracklets {
                tracklet.follow(&motion);
            }
        }
    }

    /// The passes, from the surest to the least sure. Leaves in `strong` what nobody claimed.
    fn associate(&mut self, before: f64) {
        let Self { settings, tracklets, now, buffers, .. } = self;
        let Buffers { strong, weak, suppressed, subjects, waiting, screens, matcher, .. } = buffers;
        let hide = settings.occlusion_penalty > 0.0;
        let front = tracklets.iter().filter(|t| hide && t.state == TrackState::Confirmed);
        screens.fill(front.map(|t| t.rect));
        let subject = |(index, tracklet): (usize, &Tracklet)| {
            tracklet.subject(index, screens.hide(&tracklet.rect), settings)
        };
        let tentative = |t: &Tracklet| t.state == TrackState::Tentative;
        subjects.clear();
        subjects.extend(tracklets.iter().enumerate().filter(|(_, t)| !tentative(t)).map(subject));
        waiting.clear();
        waiting.extend(tracklets.iter().enumerate().filter(|(_, t)| tentative(t)).map(subject));

        let mut pass = |subjects: &mut Vec<Subject>, detections: &mut Vec<Observed>, rule: Rule| {
            matcher.pass(subjects, detections, rule, settings, |index, observed| {
                if let Some(tracklet) = tracklets.get_mut(index) {
                    tracklet.see(*now, observed, settings);
                }
            });
        };
        const EVER: f64 = f64::NEG_INFINITY;
        let ever = |least: f32, cues: Cues| Rule { least, cues, since: EVER, found_since: EVER };
        pass(subjects, strong, ever(settings.match_similarity, Cues::All));
        if !settings.class_agnostic {
            // The detector may have called the same thing by another name.
            pass(subjects, strong, ever(settings.class_switch_iou, Cues::OtherClass));
        }
        // Weak boxes are good enough only for what was there a moment ago.
        let (low, least) = (settings.low_match_similarity, settings.suppressed_similarity);
        let recent = before - INSTANT;
        pass(subjects, weak, Rule { least: low, cues: Cues::Overlap, since: recent, found_since: EVER });
        // And suppressed ones for a moment only, lest a track live on what is another's.
        let found_since = now.clock - SUPPRESSED_SECONDS;
        pass(subjects, suppressed, Rule { least, cues: Cues::Overlap, since: EVER, found_since });
        pass(waiting, strong, ever(settings.tentative_similarity, Cues::All));
    }

    /// Begins tracks on the strong detections that nobody claimed, unless they lie on an object that is being seen.
    fn begin_tracks(&mut self, first: bool) {
        let Self { settings, tracklets, last_id, now, buffers, .. } = self;
        // The best first, so that of two boxes around one new object the better one makes the track.
        buffers.strong.sort_unstable_by(|a, b| by_falling_score(&a.detection, &b.detection));
        for observed in buffers.strong.iter().filter(|o| o.detection.score >= settings.start_score) {
            let Detection { rect, class, .. } = observed.detection;
            let doubled = tracklets.iter().filter(|t| t.frame == now.number).any(|t| {
                // One thing by two names lies in one place; things of two kinds may well overlap.
                let same = settings.class_agnostic || t.vote.winner() == class;
                let most = if same { settings.duplicate_iou } else { settings.class_switch_iou };
                t.last.iou(&rect) > most
            });
            if !doubled {
                *last_id += 1;
                tracklets.push(Tracklet::begin(*last_id, *now, observed, first, settings));
            }
        }
    }

    /// Marks what was not seen, and forgets what was not seen for too long or has left the picture.
    fn end_tracks(&mut self, picture: Option<(f32, f32)>) {
        let Self { settings, tracklets, now, pace, .. } = self;
        // One missed frame is nothing, however slow the camera.
        let memory = settings.memory_seconds.max(*pace + INSTANT);
        let picture = picture.map(|(width, height)| Rect::new(0.0, 0.0, width, height));
        let gone = |rect: &Rect| picture.is_some_and(|picture| rect.share_in(&picture) < settings.edge_share);
        tracklets.retain_mut(|tracklet| {
            if !tracklet.is_sound(settings) {
                return false;
            }
            if tracklet.frame == now.number {
                return true;
            }
            let believed = tracklet.state != TrackState::Tentative;
            tracklet.state = TrackState::Lost;
            believed && now.clock - tracklet.seen <= memory && !gone(&tracklet.rect)
        });
        if tracklets.len() > MOST_TRACKS {
            // No two are equal, so that these sorts, which take no memory, are as good as stable ones.
            tracklets.sort_unstable_by(|a, b| b.seen.total_cmp(&a.seen).then(a.id.cmp(&b.id)));
            tracklets.truncate(MOST_TRACKS);
            tracklets.sort_unstable_by_key(|t| t.id);
        }
    }
}

/// The higher score first; of equals the one further left, then further up, so that the order they came in is nothing.
fn by_falling_score(a: &Detection, b: &Detection) -> std::cmp::Ordering {
    let place = |d: &Detection| [d.rect.left, d.rect.top, d.rect.width, d.rect.height];
    let nearer = place(a).iter().zip(place(b)).map(|(a, b)| a.total_cmp(&b)).find(|order| order.is_ne());
    b.score.total_cmp(&a.score).then(nearer.unwrap_or(std::cmp::Ordering::Equal)).then(a.class.cmp(&b.class))
}

#[cfg(test)]
mod tests;
