//! The engine: boxes in, identities out. Knows no picture, no network, no screen; needs nothing but this crate's nouns.
//!
//! Two-stage association by score, as in ByteTrack (Zhang et al. 2022, arXiv:2110.06864), on a Kalman filter in real
//! seconds: strong detections are matched with every track, weak ones only keep alive what was just seen. A track is
//! *tentative* until enough detections confirm it, *lost* while it is not seen, and forgotten after a while.
//!
//! ```text
//! update(time, detections)
//!   predict ─▶ strong × (confirmed + lost) ─▶ weak × just seen ─▶ strong × tentative ─▶ births ─▶ deaths
//! ```

mod assignment;
mod associate;
mod kalman;
mod settings;
mod tracklet;
mod trails;
mod vote;

use crate::detection::Detection;
use crate::scene::{Track, TrackState};

use associate::{Candidate, Matcher, Rule};
use tracklet::Tracklet;

pub use settings::TrackSettings;
pub use trails::{TrailAnchor, TrailSettings, Trails};

/// The most detections of one frame that are looked at, the best by score: matching is quadratic.
pub const MOST_DETECTIONS: usize = 2_000;
/// The most tracks that live at once; beyond, those lost the longest go first.
pub const MOST_TRACKS: usize = 4_000;

/// From this overlap on, a new track would only be a second one on the same object.
const DUPLICATE_IOU: f32 = 0.8;

/// Follows objects from frame to frame.
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
    matcher: Matcher,
    strong: Vec<Detection>,
    weak: Vec<Detection>,
    candidates: Vec<Candidate>,
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
            matcher: Matcher::default(),
            strong: Vec::new(),
            weak: Vec::new(),
            candidates: Vec::new(),
        }
    }

    /// Changes the settings; the tracks go on, but for those that never had the score to be begun with the new ones.
    pub fn set_settings(&mut self, settings: TrackSettings) {
        self.settings = settings;
        self.tracklets.retain(|tracklet| tracklet.is_worth(&settings));
    }

    /// Takes in the detections of the frame at source time `time` (seconds) and gives all tracks at that time, by
    /// rising id: tentative, confirmed and lost.
    ///
    /// Detections in any order; those whose box is not sound or whose score is no number are ignored. A time that is
    /// not a number, or lies before the last one, counts as the last one again.
    pub fn update(&mut self, time: f64, detections: &[Detection]) -> &[Track] {
        let first = self.time.is_none();
        let before = self.time.unwrap_or(if time.is_finite() { time } else { 0.0 });
        let time = if time.is_finite() { time.max(before) } else { before };
        self.time = Some(time);

        self.sort_out(detections);
        let dt = (time - before) as f32;
        for tracklet in &mut self.tracklets {
            tracklet.predict(dt, &self.settings);
        }
        self.associate(time, before);
        self.begin_tracks(time, first);
        self.end_tracks(time);

        self.tracks.clear();
        self.tracks.extend(self.tracklets.iter().map(Tracklet::as_track));
        &self.tracks
    }

    /// What the last [`Tracker::update`] gave.
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// Parts the sound detections into strong and weak ones.
    fn sort_out(&mut self, detections: &[Detection]) {
        self.strong.clear();
        self.weak.clear();
        for detection in detections.iter().filter(|d| d.rect.is_sound()) {
            if detection.score >= self.settings.high_score {
                self.strong.push(*detection);
            } else if detection.score >= self.settings.low_score {
                self.weak.push(*detection);
            }
        }
        for list in [&mut self.strong, &mut self.weak] {
            if list.len() > MOST_DETECTIONS {
                list.sort_by(|a, b| b.score.total_cmp(&a.score));
                list.truncate(MOST_DETECTIONS);
            }
        }
    }

    /// The passes, from the surest to the least sure. Leaves in `strong` what nobody claimed.
    fn associate(&mut self, time: f64, before: f64) {
        let Self { settings, tracklets, matcher, strong, weak, candidates, .. } = self;
        let same_class = !settings.class_agnostic;
        let see = |tracklets: &mut Vec<Tracklet>, index: usize, detection: &Detection| {
            if let Some(tracklet) = tracklets.get_mut(index) {
                tracklet.see(time, detection, settings);
            }
        };
        let candidate =
            |(index, t): (usize, &Tracklet)| Candidate { index, rect: t.rect(), class: t.vote.winner() };

        candidates.clear();
        let known = tracklets.iter().enumerate().filter(|(_, t)| t.state != TrackState::Tentative);
        candidates.extend(known.map(candidate));
        let rule = Rule { least: settings.match_iou, weigh_score: true, same_class };
        matcher.pass(candidates, strong, rule, |index, d| see(tracklets, index, d));
        if same_class {
            // The detector may have called the same thing by another name.
            let rule = Rule { least: settings.class_switch_iou, weigh_score: false, same_class: false };
            matcher.pass(candidates, strong, rule, |index, d| see(tracklets, index, d));
        }

        // Weak detections are good enough only for what was there a moment ago.
        candidates.retain(|c| tracklets.get(c.index).is_some_and(|t| t.seen >= before));
        let rule = Rule { least: settings.low_match_iou, weigh_score: false, same_class };
        matcher.pass(candidates, weak, rule, |index, d| see(tracklets, index, d));

        candidates.clear();
        let tentative = tracklets.iter().enumerate().filter(|(_, t)| t.state == TrackState::Tentative);
        candidates.extend(tentative.map(candidate));
        let rule = Rule { least: settings.tentative_iou, weigh_score: true, same_class };
        matcher.pass(candidates, strong, rule, |index, d| see(tracklets, index, d));
    }

    /// Begins tracks on the strong detections that nobody claimed, unless they lie on an object that is being seen.
    fn begin_tracks(&mut self, time: f64, first: bool) {
        for detection in self.strong.iter().filter(|d| d.score >= self.settings.start_score) {
            let doubled = self
                .tracklets
                .iter()
                .any(|t| t.seen == time && t.rect().iou(&detection.rect) > DUPLICATE_IOU);
            if !doubled {
                self.last_id += 1;
                let id = self.last_id;
                self.tracklets.push(Tracklet::begin(id, time, detection, first, &self.settings));
            }
        }
    }

    /// Marks what was not seen, forgets what was not seen for too long, and of two tracks on one object the newer.
    fn end_tracks(&mut self, time: f64) {
        let memory = self.settings.memory_seconds;
        self.tracklets.retain_mut(|tracklet| {
            if tracklet.seen == time {
                return true;
            }
            let believed = tracklet.state != TrackState::Tentative;
            tracklet.state = TrackState::Lost;
            believed && time - tracklet.seen <= memory && tracklet.rect().is_sound()
        });

        // A lost track under one that is seen is the same object found again; the one known for longer goes on.
        let doubled: Vec<u64> = self
            .tracklets
            .iter()
            .filter(|t| t.state == TrackState::Lost)
            .flat_map(|lost| {
                let seen = self.tracklets.iter().filter(|t| t.state == TrackState::Confirmed);
                let same = seen.filter(|s| s.rect().iou(&lost.rect()) > DUPLICATE_IOU);
                same.map(|s| if s.age() > lost.age() { lost.id } else { s.id })
            })
            .collect();
        if !doubled.is_empty() {
            self.tracklets.retain(|t| !doubled.contains(&t.id));
        }

        if self.tracklets.len() > MOST_TRACKS {
            self.tracklets.sort_by(|a, b| b.seen.total_cmp(&a.seen).then(a.id.cmp(&b.id)));
            self.tracklets.truncate(MOST_TRACKS);
            self.tracklets.sort_by_key(|t| t.id);
        }
    }
}

#[cfg(test)]
mod tests;
