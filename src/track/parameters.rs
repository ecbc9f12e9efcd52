//! The table of the tracker's parameters: for each its name, what it does, the values it may have, and those that a search
//! tries.
//!
//! The default of each stands in [`TrackSettings`] alone, and is read from there. The config file, its checks, the
//! reference in `docs/` and the search space of `tune` are made from this table.

use super::TrackSettings;

/// One parameter of the tracker.
#[derive(Debug, Clone, Copy)]
pub struct TrackParameter {
    /// Its name in the config file, with the section: `tracker.high_score`.
    pub path: &'static str,
    /// What it does, in one line.
    pub comment: &'static str,
    /// The unit of its value, such as `s`; empty for shares, scores and counts.
    pub unit: &'static str,
    /// The least and the greatest value allowed.
    pub range: (f64, f64),
    /// The least and the greatest value that a search tries; `None`: a search leaves it as it is.
    pub search: Option<(f64, f64)>,
    /// Names that it had in earlier versions.
    pub aliases: &'static [&'static str],
    field: fn(&mut TrackSettings) -> Field<'_>,
}

/// A field of [`TrackSettings`].
#[derive(Debug)]
pub enum Field<'a> {
    /// A number, kept with single precision.
    Single(&'a mut f32),
    /// A number, kept with double precision.
    Double(&'a mut f64),
    /// A whole number.
    Whole(&'a mut u32),
    /// On or off.
    Switch(&'a mut bool),
}

macro_rules! fields {
    ($($variant:ident $kind:ty;)+) => {
        $(impl<'a> From<&'a mut $kind> for Field<'a> {
            fn from(field: &'a mut $kind) -> Self {
                Self::$variant(field)
            }
        })+
    };
}

fields! {
    Single f32;
    Double f64;
    Whole u32;
    Switch bool;
}

impl TrackParameter {
    /// Its field in these settings.
    pub fn field<'a>(&self, settings: &'a mut TrackSettings) -> Field<'a> {
        (self.field)(settings)
    }

    /// Its value; a switch is 0 or 1.
    pub fn get(&self, settings: &TrackSettings) -> f64 {
        match self.field(&mut settings.clone()) {
            Field::Single(value) => f64::from(*value),
            Field::Double(value) => *value,
            Field::Whole(value) => f64::from(*value),
            Field::Switch(value) => f64::from(u8::from(*value)),
        }
    }

    /// Changes it to a value within its range; a whole number is rounded, and a switch is on from 0.5.
    pub fn set(&self, settings: &mut TrackSettings, value: f64) {
        let (least, most) = self.range;
        let value = value.clamp(least, most);
        match self.field(settings) {
            Field::Single(field) => *field = value as f32,
            Field::Double(field) => *field = value,
            Field::Whole(field) => *field = value.round() as u32,
            Field::Switch(field) => *field = value >= 0.5,
        }
    }

    const fn range(self, least: f64, most: f64) -> Self {
        Self { range: (least, most), ..self }
    }

    const fn search(self, least: f64, most: f64) -> Self {
        Self { search: Some((least, most)), ..self }
    }

    const fn was(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    const fn unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }
}

macro_rules! parameter {
    ($section:literal, $field:ident, $comment:literal) => {
        TrackParameter {
            path: concat!($section, ".", stringify!($field)),
            comment: $comment,
            unit: "",
            range: (0.0, 1.0),
            search: None,
            aliases: &[],
            field: |settings| (&mut settings.$field).into(),
        }
    };
}

/// All of them, in the order of the config file.
pub static TRACK_PARAMETERS: &[TrackParameter] = &[
    parameter!(
        "tracker",
        start_score,
        "recorded detections begin a track from this score on; those of the network do from 4/5 of detector.confidence on"
    )
    .search(0.2, 0.9),
    parameter!(
        "tracker",
        show_margin,
        "a track is shown once its mean score, less what speaks against it, is this much above detector.confidence"
    ),
    parameter!("tracker", hide_margin, "and hidden again this much below that"),
    parameter!("tracker", evidence_seconds, "the time over which that is averaged")
        .range(0.0, 60.0)
        .unit("s"),
    parameter!("tracker", new_penalty, "how much being new speaks against a track"),
    parameter!("tracker", new_seconds, "for how long a track is new")
        .range(0.0, 60.0)
        .unit("s"),
    parameter!("tracker", part_penalty, "how much lying inside a better track of its kind speaks against one")
        .range(0.0, 10.0),
    parameter!("tracker", loose_penalty, "how much holding better tracks of its kind speaks against one")
        .range(0.0, 10.0),
    parameter!("tracker", whole_penalty, "how much filling the picture speaks against a track"),
    parameter!("tracker", still_penalty, "how much never moving speaks against a small person"),
    parameter!(
        "tracker",
        high_score,
        "detections from this score on (or from what begins a track, if lower) are matched first"
    )
    .search(0.2, 0.8),
    parameter!(
        "tracker",
        low_score,
        "detections from this score on are matched second, with what was seen a moment ago"
    )
    .search(0.05, 0.5),
    parameter!(
        "tracker",
        match_similarity,
        "first match: least similarity (overlap of boxes and heights, scores, sizes) of a pair"
    )
    .search(0.02, 0.6),
    parameter!(
        "tracker",
        low_match_similarity,
        "second match, of weak detections: least similarity (overlap and size alone)"
    )
    .search(0.1, 1.0),
    parameter!(
        "tracker",
        suppressed_similarity,
        "match with boxes that detector.nms_iou dropped: least similarity; 1: leave it out"
    ),
    parameter!(
        "tracker",
        tentative_similarity,
        "match of a track that is not yet confirmed: least similarity"
    )
    .search(0.02, 0.6),
    parameter!(
        "tracker",
        class_switch_iou,
        "from this overlap on, a detection of another class may go on with a track"
    ),
    parameter!("tracker", class_agnostic, "true: never look at the class when matching"),
    parameter!(
        "tracker",
        height_weight,
        "how much top and bottom edges must agree: 0 not at all, 1 as a factor of its own"
    )
    .search(0.0, 1.0),
    parameter!(
        "tracker",
        score_weight,
        "how much the score counts in similarity: 0 not at all, 1 as a factor of its own"
    )
    .search(0.0, 1.0),
    parameter!(
        "tracker",
        confidence_weight,
        "how much similarity falls as the score differs from the track's usual one"
    )
    .search(0.0, 0.6),
    parameter!(
        "tracker",
        size_weight,
        "how much the height must be what it has long been: 0 not at all, 1 as a factor of its own"
    )
    .search(0.0, 0.8),
    parameter!(
        "tracker",
        buffer,
        "boxes are widened by this many standard deviations of the track's predicted place"
    )
    .range(0.0, 5.0)
    .search(0.0, 2.0)
    .unit("σ")
    .was(&["tracker.reach"]),
    parameter!("tracker", max_buffer, "but by no more than this share of their sides on each side")
        .range(0.0, 2.0)
        .search(0.1, 1.0)
        .was(&["tracker.reach_most"]),
    parameter!("tracker", lost_penalty, "how much less similar a lost track is than one that was just seen")
        .search(0.0, 0.3),
    parameter!(
        "tracker",
        occlusion_penalty,
        "how much less similar a track is that lies wholly behind another"
    )
    .search(0.0, 0.3),
    parameter!("tracker", confirm_score, "a track is confirmed once its detections' scores add up to this; a recorded one with room around it from 0.6 of it on")
        .range(0.0, 10.0)
        .search(0.0, 2.5),
    parameter!("tracker", confirm_hits, "and it has this many detections").range(1.0, 100.0),
    parameter!(
        "tracker",
        duplicate_iou,
        "no track begins on a box that overlaps a tracked one of its class by more than this"
    )
    .search(0.3, 1.0),
    parameter!(
        "tracker",
        lost_track_seconds,
        "how long an unseen track is remembered, at least over one missed frame"
    )
    .range(0.0, 60.0)
    .search(0.3, 4.0)
    .unit("s")
    .was(&["tracker.memory_seconds"]),
    parameter!(
        "tracker",
        class_half_life,
        "in the vote on a track's class, a detection's weight halves in this time"
    )
    .range(0.01, 60.0)
    .unit("s"),
    parameter!(
        "tracker",
        camera_strength,
        "how much of the shift that all boxes share is taken for the camera's: 0 none, 1 all"
    )
    .search(0.0, 1.0),
    parameter!("tracker", camera_evidence, "from how many standard errors on a shared shift counts for half")
        .range(0.0, 20.0)
        .search(0.0, 8.0),
    parameter!(
        "tracker",
        measurement_noise,
        "how far a detected box with score 0 is off, as a share of the object's size"
    )
    .range(0.001, 1.0)
    .search(0.02, 0.6),
    parameter!("tracker", score_trust, "how much of that noise's variance a score of 1 takes away")
        .search(0.0, 0.95),
    parameter!(
        "tracker",
        position_noise,
        "how far an object strays from its course in a second, as a share of its size"
    )
    .range(0.0, 10.0)
    .search(0.0, 2.0),
    parameter!("tracker", velocity_noise, "how much its speed changes in a second, as a share of its size")
        .range(0.0, 10.0)
        .search(0.05, 5.0),
    parameter!("tracker", start_speed, "how fast a new object may be, in its own sizes a second")
        .range(0.0, 20.0)
        .search(0.3, 6.0),
    parameter!(
        "tracker",
        adaption,
        "how much of the noise follows each track's own surprises: 0 none, 1 all"
    )
    .search(0.0, 1.0),
    parameter!(
        "tracker",
        smoothing,
        "how much of the filtered box is shown, 0 to 1; the rest is the detected one"
    )
    .search(0.0, 1.0),
    parameter!(
        "tracker",
        decide_seconds,
        "how long after a crossing it is decided which track is which; files are written so much later; 0: never"
    )
    .range(0.0, 0.6)
    .unit("s"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_lie_within_one_another_and_hold_the_default() {
        let default = TrackSettings::default();
        for parameter in TRACK_PARAMETERS {
            let (least, most) = parameter.range;
            let (from, to) = parameter.search.unwrap_or(parameter.range);
            // Written with single precision, 0.6 is a little more.
            let value = parameter.get(&default);
            assert!(least <= from && from < to && to <= most, "{}", parameter.path);
            assert!(from <= value && value <= to + 1e-6, "{}: {value}", parameter.path);
            assert!(!parameter.comment.is_empty() && !parameter.comment.ends_with('.'), "{}", parameter.path);
        }
    }

    #[test]
    fn every_parameter_changes_its_own_field_and_no_other() {
        for (index, parameter) in TRACK_PARAMETERS.iter().enumerate() {
            let mut settings = TrackSettings::default();
            let before = parameter.get(&settings);
            let (least, most) = parameter.range;
            let other = if before < (least + most) / 2.0 { most } else { least };
            parameter.set(&mut settings, other);
            assert!((parameter.get(&settings) - other).abs() < 1e-6, "{}", parameter.path);
            for unchanged in TRACK_PARAMETERS.iter().enumerate().filter(|(i, _)| *i != index).map(|(_, p)| p)
            {
                let (is, was) = (unchanged.get(&settings), unchanged.get(&TrackSettings::default()));
                assert_eq!(is, was, "{} changes {}", parameter.path, unchanged.path);
            }
        }
    }
}
