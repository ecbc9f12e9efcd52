//! The tracker: detections of one frame in, tracks with stable ids out. Needs only the crate's nouns: no picture, no
//! network, no thread.
//!
//! Online, without appearance. Coordinates are pixels of the source picture (origin at the top-left corner of the top-left
//! pixel, x right, y down), times are seconds of the source, velocities pixels a second.
//!
//! Detections are associated by score in stages, as in ByteTrack (Zhang et al. 2022, arXiv:2110.06864), with a
//! constant-velocity Kalman filter as in SORT (Bewley et al. 2016, arXiv:1602.00763), in real seconds. On top of that:
//!
//! - camera motion compensation, from pixels where the caller has it (as in BoT-SORT; Aharon et al. 2022,
//!   arXiv:2206.14651), otherwise from the boxes (`camera`);
//! - similarity from the overlap of widened boxes (buffered IoU as in C-BIoU; Yang et al. 2023, arXiv:2211.14317) and of
//!   their vertical extents (height-modulated IoU as in Hybrid-SORT; Yang et al. 2024, arXiv:2308.00783);
//! - measurement noise that falls with the score (NSA Kalman filter; Du et al. 2021, arXiv:2202.11983) and grows with
//!   occlusion, and process noise that follows each track's normalised innovation squared (NIS);
//! - a last pass with the boxes that non-maximum suppression removed.
//!
//! A track is *tentative* until its detections confirm it, or, with `show_score`, while it is not shown; *lost* while no
//! detection matches it, and removed when it has been lost for too long.
//!
//! ```text
//! observe(time, detections)
//!   predict ─▶ camera ─▶ strong × (confirmed + lost) ─▶ weak × just seen ─▶ suppressed × lately seen
//!           ─▶ strong × tentative ─▶ births ─▶ deaths ─▶ crossings that are over
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `settings` | all that can be set, and the presets |
//! | `motion` | the Kalman filter of one box |
//! | `camera` | camera motion estimated from the boxes |
//! | `similarity` | how well one detection fits one track |
//! | `observed` | a detection as the tracker sees it |
//! | `associate` | one matching pass of tracks with detections |
//! | `crossings` | which of two tracks is which, decided once they have parted |
//! | `course` | the recent course of a box, as sums; the cues of two boxes before and after a crossing, and what they weigh |
//! | `identities` | ids given, exchanged and taken over |
//! | `look_ahead` | results held back until that is decided |
//! | `occlusion` | which share of a box is hidden by another one |
//! | `sweep_and_prune` | an index of the boxes that can overlap a given one |
//! | `evidence` | whether a track is shown: what speaks for and against an object being there |
//! | `tracklet`, `vote` | the state of one track, and the vote on its class |
//! | `trails` | where objects went |

mod associate;
mod camera;
mod course;
mod crossings;
mod evidence;
mod identities;
mod look_ahead;
mod motion;
mod observed;
mod occlusion;
mod parameters;
mod settings;
mod similarity;
mod sweep_and_prune;
mod tracklet;
mod trails;
mod vote;

use crate::detection::{Detection, SUPPRESSED_SCORE};
use crate::geometry::{Affine, Rect};
use crate::kind::Kinds;
use crate::scene::{Swap, Track, TrackState};

use associate::{Matcher, Rule};
use camera::{BoxMotionEstimator, Seen};
use crossings::{CrossingBuffers, Crossings};
use evidence::{FrameContext, Overlaps, SeenTrack};
use observed::Observed;
use occlusion::Occluders;
use similarity::{Cues, MatchCandidate};
use tracklet::{Now, Tracklet};

#[cfg(feature = "cli")]
pub(crate) use course::{BIAS, CUES, WEIGHTS};
#[cfg(feature = "cli")]
pub(crate) use crossings::{CUE_NAMES, Decision};
pub use look_ahead::LookAhead;
pub use parameters::{Field, TRACK_PARAMETERS, TrackParameter};
pub use settings::{Preset, TrackSettings};
pub use trails::{TrailAnchor, TrailSettings, Trails};

/// The most detections of one frame that are used, those with the highest scores: matching is quadratic.
pub const MAX_DETECTIONS: usize = 2_000;
/// The most tracks that are kept at once; above that, those lost for the longest time are removed first.
pub const MAX_TRACKS: usize = 4_000;

/// The lowest score of a weak detection that is used to estimate the camera's motion.
const CAMERA_SCORE: f32 = 0.3;
/// A suppressed box can match a track for this long after the track's last ordinary match, in seconds.
const SUPPRESSED_SECONDS: f64 = 1.0;
/// [`Tracker::restore_ids`]: a new track is a known one when their boxes overlap by more than this (IoU).
const SAME_TRACK_IOU: f32 = 0.7;
/// A new track has room when no object of its kind overlaps it by more than this (IoU) ...
const ROOM_IOU: f32 = 0.1;
/// ... and is then confirmed by its first detection, if the score of that is this share of what confirms a track.
const ROOM_SHARE: f32 = 0.6;
/// An unseen track is forgotten once less than this share of its predicted box lies in the picture.
const EDGE_SHARE: f32 = 0.2;
/// Two times are the same when they differ by no more than this, in seconds.
const INSTANT: f64 = 1e-9;
/// A step back in time by more than this, in seconds, means that the source's clock was restarted.
const CLOCK_BACK: f64 = 1.0;
/// With [`TrackSettings::show_score`], a track has an id from here on until it is first shown.
const PROVISIONAL: u64 = 1 << 62;
/// The longest step of the tracker's clock, in seconds: no track is kept that long, and the clock stays precise.
const MAX_STEP: f64 = 1e5;

/// What is known of one frame. Only the detections are required.
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
    /// The detector's boxes after non-maximum suppression, in any order.
    pub detections: &'a [Detection],
    /// What non-maximum suppression removed because it overlaps a better detection: of people who hide one another, the
    /// one behind is often only here. Carries known tracks on, never begins one.
    pub suppressed: &'a [Detection],
    /// The camera's motion since the last observation, measured from the pixels: maps a point of the static background in
    /// the last picture to its place in this one. `None`: the tracker estimates it from the boxes.
    pub camera: Option<Affine>,
    /// Width and height of the picture in pixels. `None`: tracks are not removed at the picture's edges.
    pub picture: Option<(f32, f32)>,
    /// What kinds of things the classes are; `None`: every class is a thing of its own.
    pub kinds: Option<&'a Kinds>,
    /// Pixels of the network's input for one of the picture; `None`: as many.
    pub scale: Option<f32>,
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
    /// By ascending id.
    tracklets: Vec<Tracklet>,
    /// The result of the last update.
    tracks: Vec<Track>,
    last_id: u64,
    last_serial: u64,
    crossings: Crossings,
    /// The changes of identities of the last update.
    swaps: Vec<Swap>,
    /// Crossings are decided, but nothing follows from it.
    keeps_ids: bool,
    /// How many tracks began that got no id of their own yet.
    provisional: u64,
    /// Source time of the last update; `None` before the first.
    time: Option<f64>,
    now: Now,
    /// The shorter of the last two times between frames, in seconds: one long wait makes no slow camera.
    pace: f64,
    buffers: Buffers,
}

/// Working memory of one update, kept so that an update does not allocate.
#[derive(Debug, Default)]
struct Buffers {
    strong: Vec<Observed>,
    weak: Vec<Observed>,
    suppressed: Vec<Observed>,
    candidates: Vec<MatchCandidate>,
    waiting: Vec<MatchCandidate>,
    occluders: Occluders,
    camera: BoxMotionEstimator,
    camera_tracks: Vec<Seen>,
    camera_detections: Vec<Seen>,
    matcher: Matcher,
    seen: Vec<SeenTrack>,
    overlaps: Overlaps,
    crossings: CrossingBuffers,
}

/// Copies the state. The working memory holds nothing between two updates and is not copied.
impl Clone for Tracker {
    fn clone(&self) -> Self {
        Self {
            settings: self.settings,
            tracklets: self.tracklets.clone(),
            tracks: self.tracks.clone(),
            last_id: self.last_id,
            last_serial: self.last_serial,
            crossings: self.crossings.clone(),
            swaps: self.swaps.clone(),
            keeps_ids: self.keeps_ids,
            provisional: self.provisional,
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
            last_serial: 0,
            crossings: Crossings::default(),
            swaps: Vec::new(),
            keeps_ids: false,
            provisional: 0,
            time: None,
            now: Now::default(),
            pace: 0.0,
            buffers: Buffers::default(),
        }
    }

    /// The same, but that tracks keep their ids through all crossings: for learning what tells them apart.
    #[cfg(feature = "cli")]
    pub(crate) fn keeping_ids(self) -> Self {
        Self { keeps_ids: true, ..self }
    }

    /// Changes the settings; the tracks go on, but for those that never had the score to be begun with the new ones.
    pub fn set_settings(&mut self, settings: TrackSettings) {
        self.settings = settings;
        if settings.decide_seconds <= 0.0 {
            self.crossings.clear();
        }
        self.tracklets.retain(|tracklet| tracklet.could_begin(&settings));
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
        self.advance_clock(time);

        self.split_detections(observation);
        for tracklet in &mut self.tracklets {
            tracklet.predict((self.now.clock - before) as f32, &self.settings);
        }
        self.compensate_camera_motion(observation.camera);
        self.associate(before, observation.kinds);
        self.begin_tracks(first, observation.kinds);
        self.end_tracks(observation.picture);
        self.find_decisions(before, observation.kinds);
        self.swap_identities();
        self.gather_evidence(observation, (self.now.clock - before) as f32);
        self.name_tracks();

        self.publish_tracks();
        &self.tracks
    }

    /// Writes the public view of all tracks at the time of the last update.
    fn publish_tracks(&mut self) {
        let (now, time, settings) = (self.now, self.time.unwrap_or_default(), &self.settings);
        self.tracks.clear();
        self.tracks.extend(self.tracklets.iter().map(|tracklet| tracklet.as_track(now, time, settings)));
    }

    /// Moves the clock on to the frame at source time `time`; gives the source time that counts.
    fn advance_clock(&mut self, time: f64) -> f64 {
        let before = self.time.unwrap_or(if time.is_finite() { time } else { 0.0 });
        let time = if time.is_finite() { time } else { before };
        let step = time - before;
        let (time, dt) = if step >= 0.0 {
            (time, step.min(MAX_STEP))
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

    /// The size in bytes of the state that [`Clone`] copies.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.tracklets.len() * size_of::<Tracklet>()
            + self.tracks.len() * size_of::<Track>()
            + self.crossings.bytes()
    }

    /// The result of the last [`Tracker::update`] or [`Tracker::observe`]: tentative, confirmed and lost tracks by
    /// ascending id.
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// Splits the valid detections into strong and weak ones, and measures which share of each is occluded.
    fn split_detections(&mut self, observation: &Observation) {
        let Self { settings, buffers, .. } = self;
        let Buffers { strong, weak, suppressed, occluders, .. } = buffers;
        let sound = |(_, d): &(u32, &Detection)| d.rect.is_sound() && d.score.is_finite();
        let group = |class| observation.kinds.map_or(class, |kinds| kinds.group(class));
        let observed = |number: u32, detection: &Detection| {
            let detection = Detection { score: detection.score.min(1.0), ..*detection };
            Observed { detection, group: group(detection.class), number, hidden: 0.0, suppressed: false }
        };
        for list in [&mut *strong, weak, suppressed] {
            list.clear();
        }
        for (number, detection) in (0..).zip(observation.detections).filter(sound) {
            if detection.score >= settings.high_score {
                strong.push(observed(number, detection));
            } else if detection.score >= settings.low_score {
                weak.push(observed(number, detection));
            }
        }
        if settings.suppressed_similarity < 1.0 {
            // Their numbers go on from those of the others.
            let numbered = (observation.detections.len() as u32..).zip(observation.suppressed);
            let good = numbered.filter(sound).filter(|(_, d)| d.score >= SUPPRESSED_SCORE);
            suppressed.extend(good.map(|(number, d)| Observed { suppressed: true, ..observed(number, d) }));
        }
        for list in [&mut *strong, weak, suppressed] {
            if list.len() > MAX_DETECTIONS {
                list.sort_unstable_by(|a, b| by_falling_score(&a.detection, &b.detection));
                list.truncate(MAX_DETECTIONS);
            }
        }
        // Suppressed boxes were drawn around what is hidden: they are taken as they are.
        if settings.size_weight > 0.0 {
            occluders.fill(strong.iter().map(|o| o.detection.rect));
            for observed in strong.iter_mut().chain(weak) {
                observed.hidden = occluders.hidden_share(&observed.detection.rect);
            }
        }
    }

    /// Moves all tracks by the camera's motion: the caller's, or the one estimated from the boxes.
    fn compensate_camera_motion(&mut self, known: Option<Affine>) {
        let Self { settings, tracklets, crossings, buffers, .. } = self;
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
            crossings.apply_camera_motion(&motion);
            for tracklet in tracklets {
                tracklet.apply_camera_motion(&motion);
            }
        }
    }

    /// The matching passes, from the most to the least reliable. Leaves the unmatched detections in `strong`.
    fn associate(&mut self, before: f64, kinds: Option<&Kinds>) {
        let Self { settings, tracklets, now, buffers, .. } = self;
        let Buffers { strong, weak, suppressed, candidates, waiting, occluders, matcher, .. } = buffers;
        let hide = settings.occlusion_penalty > 0.0;
        let front = tracklets.iter().filter(|t| hide && t.state == TrackState::Confirmed);
        occluders.fill(front.map(|t| t.rect));
        let candidate = |(index, tracklet): (usize, &Tracklet)| {
            tracklet.candidate(index, occluders.hidden_share(&tracklet.rect), kinds, settings)
        };
        let tentative = |t: &Tracklet| t.state == TrackState::Tentative;
        candidates.clear();
        candidates.extend(tracklets.iter().enumerate().filter(|(_, t)| !tentative(t)).map(candidate));
        waiting.clear();
        waiting.extend(tracklets.iter().enumerate().filter(|(_, t)| tentative(t)).map(candidate));

        let mut pass = |candidates: &mut Vec<MatchCandidate>, detections: &mut Vec<Observed>, rule: Rule| {
            matcher.pass(candidates, detections, rule, settings, |index, observed| {
                if let Some(tracklet) = tracklets.get_mut(index) {
                    tracklet.update(*now, observed, settings);
                }
            });
        };
        const EVER: f64 = f64::NEG_INFINITY;
        let ever =
            |min_similarity: f32, cues: Cues| Rule { min_similarity, cues, since: EVER, found_since: EVER };
        pass(candidates, strong, ever(settings.match_similarity, Cues::All));
        if !settings.class_agnostic {
            // The detector may have called the same thing by another name.
            pass(candidates, strong, ever(settings.class_switch_iou, Cues::OtherClass));
        }
        // Weak boxes are good enough only for what was there a moment ago.
        let (low, min_similarity) = (settings.low_match_similarity, settings.suppressed_similarity);
        let recent = before - INSTANT;
        pass(
            candidates,
            weak,
            Rule { min_similarity: low, cues: Cues::Overlap, since: recent, found_since: EVER },
        );
        // And suppressed ones for a moment only, lest a track live on what is another's.
        let found_since = now.clock - SUPPRESSED_SECONDS;
        pass(candidates, suppressed, Rule { min_similarity, cues: Cues::Overlap, since: EVER, found_since });
        pass(waiting, strong, ever(settings.tentative_similarity, Cues::All));
    }

    /// Begins tracks on the unmatched strong detections, unless they overlap an object that was matched in this frame.
    fn begin_tracks(&mut self, first: bool, kinds: Option<&Kinds>) {
        let Self { settings, tracklets, last_id, last_serial, provisional, now, buffers, .. } = self;
        // The best first, so that of two boxes around one new object the better one makes the track.
        buffers.strong.sort_unstable_by(|a, b| by_falling_score(&a.detection, &b.detection));
        for observed in buffers.strong.iter().filter(|o| o.detection.score >= settings.start_score) {
            let rect = observed.detection.rect;
            let doubled = tracklets.iter().filter(|t| t.frame == now.number).any(|t| {
                // One thing by two names lies in one place; things of two kinds may well overlap.
                let same = settings.class_agnostic || t.group(kinds) == observed.group;
                let most = if same { settings.duplicate_iou } else { settings.class_switch_iou };
                t.last.iou(&rect) > most
            });
            if !doubled {
                // What begins beside another object is often a second box on it; what has room is hardly ever one.
                let near =
                    tracklets.iter().filter(|t| t.frame == now.number && t.group(kinds) == observed.group);
                let has_room = near.map(|t| t.last.iou(&rect)).fold(0.0, f32::max) <= ROOM_IOU;
                // By the network's own detections, evidence tells what is shown.
                let sure = observed.detection.score >= ROOM_SHARE * settings.confirm_score;
                let at_once =
                    first || has_room && sure && settings.show_score <= 0.0 && settings.confirm_hits <= 1;
                // Most that begin on a weak box are never shown: they do not use up ids that people see.
                let (count, base) = if settings.show_score > 0.0 {
                    (&mut *provisional, PROVISIONAL)
                } else {
                    (&mut *last_id, 0)
                };
                *count += 1;
                *last_serial += 1;
                let numbers = (*last_serial, base + *count);
                tracklets.push(Tracklet::begin(numbers, *now, observed, at_once, settings));
            }
        }
    }

    /// Has all tracks that were matched in this frame gather what speaks for and against them; `passed`: seconds since the
    /// frame before.
    fn gather_evidence(&mut self, observation: &Observation, passed: f32) {
        let Self { settings, tracklets, now, buffers, .. } = self;
        if settings.show_score <= 0.0 {
            return;
        }
        let mut known = tracklets.iter().filter(|t| t.frame == now.number);
        let frame = FrameContext {
            picture: observation.picture,
            scale: observation.scale.filter(|scale| scale.is_finite() && *scale > 0.0).unwrap_or(1.0),
            passed,
            begins: !known.any(|t| t.is_older_than(*now)),
        };
        let Buffers { seen, overlaps, .. } = buffers;
        seen.clear();
        let matched = tracklets.iter().filter(|t| t.frame == now.number);
        seen.extend(matched.map(|t| t.for_evidence(*now, observation.kinds, settings)));
        overlaps.fill(seen);
        let matched = tracklets.iter_mut().filter(|t| t.frame == now.number);
        for (index, (tracklet, track)) in matched.zip(seen.iter()).enumerate() {
            tracklet.evidence.update(track, overlaps.of(index, seen), &frame, settings);
        }
    }

    /// Marks unmatched tracks as lost, and removes those that were lost for too long or have left the picture.
    fn end_tracks(&mut self, picture: Option<(f32, f32)>) {
        let Self { settings, tracklets, now, pace, .. } = self;
        // One missed frame is nothing, however slow the camera.
        let memory = settings.lost_track_seconds.max(*pace + INSTANT);
        let picture = picture.map(|(width, height)| Rect::new(0.0, 0.0, width, height));
        let gone = |rect: &Rect| picture.is_some_and(|picture| rect.share_in(&picture) < EDGE_SHARE);
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
        if tracklets.len() > MAX_TRACKS {
            // No two are equal, so that these sorts, which take no memory, are as good as stable ones.
            tracklets.sort_unstable_by(|a, b| b.seen.total_cmp(&a.seen).then(a.id.cmp(&b.id)));
            tracklets.truncate(MAX_TRACKS);
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
