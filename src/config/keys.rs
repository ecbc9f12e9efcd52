//! Every setting by its name: the one table that reading, writing and listing go by.

use std::marker::PhantomData;

use toml_edit::Value;

use super::Settings;
use super::kinds::*;
use crate::suggest;

/// One setting.
pub struct Key {
    /// Its name with its section: `detector.confidence`.
    pub path: &'static str,
    read: fn(&mut Settings, &Value) -> Result<(), String>,
    write: fn(&Settings) -> Value,
}

impl Key {
    /// Puts a value from a file or a command line into the settings.
    ///
    /// # Errors
    /// What is allowed, in words, where the value is of another kind or out of range.
    pub fn set(&self, settings: &mut Settings, value: &Value) -> Result<(), String> {
        (self.read)(settings, value)
    }

    /// The value in the settings, as a config file would have it.
    pub fn get(&self, settings: &Settings) -> Value {
        (self.write)(settings)
    }

    /// What it means: its comment in the default file.
    pub fn comment(&self) -> &'static str {
        let (section, name) = self.section_and_name();
        let heading = format!("[{section}]");
        let lines = super::DEFAULT_FILE.lines().skip_while(|line| *line != heading);
        lines
            .skip(1)
            .take_while(|line| !line.starts_with('['))
            .filter_map(|line| line.split_once(" # "))
            .find(|(assignment, _)| assignment.split_once(" = ").is_some_and(|(key, _)| key == name))
            .map_or("", |(_, comment)| comment.trim())
    }

    /// The section and the name within it.
    pub fn section_and_name(&self) -> (&'static str, &'static str) {
        self.path.rsplit_once('.').unwrap_or(("", self.path))
    }
}

macro_rules! keys {
    ($($($part:ident).+ = $kind:expr;)+) => {
        &[$(Key {
            path: path!($($part).+),
            read: |settings, value| {
                settings.$($part).+ = $kind.read(value)?;
                Ok(())
            },
            write: |settings| $kind.write(&settings.$($part).+),
        }),+]
    };
}

macro_rules! path {
    ($first:ident $(. $rest:ident)*) => { concat!(stringify!($first) $(, ".", stringify!($rest))*) };
}

/// All settings, in the order of the default `config.toml`.
pub static KEYS: &[Key] = keys! {
    source.every_frame = Switch;
    source.fps = RealOrNone(0.01..=1000.0);
    source.mirror = Switch;
    source.rotate = Turn;
    source.start = RealOrNone(0.0..=1e7);
    source.end = RealOrNone(0.0..=1e7);
    source.camera.width = Whole(16..=16384);
    source.camera.height = Whole(16..=16384);
    source.camera.fps = Real(1.0..=1000.0);
    source.camera.format = Text(PhantomData);
    source.camera.backend = BACKENDS;
    source.camera.stall_seconds = Real(0.1..=3600.0);
    source.camera.give_up_seconds = RealOrNone(0.1..=1e7);
    enhance.auto = Switch;
    enhance.show = SHOWN_PICTURES;
    enhance.exposure = Switch;
    enhance.white_balance = BALANCES;
    enhance.light_seconds = Real(0.0..=60.0);
    enhance.contrast = Real32(0.0..=40.0);
    enhance.contrast_tiles = Count(1..=32);
    enhance.median = MEDIANS;
    enhance.temporal = Real32(0.0..=100.0);
    enhance.gaussian = Real32(0.0..=5.0);
    enhance.smooth = Real32(0.0..=100.0);
    enhance.sharpen = Real32(0.0..=5.0);
    enhance.deblock = Real32(0.0..=50.0);
    enhance.deinterlace = Switch;
    enhance.stabilise = Real(0.0..=10.0);
    enhance.camera_motion = Switch;
    enhance.crop = Part;
    enhance.regions = Polygons;
    enhance.masks = Polygons;
    enhance.privacy = Switch;
    enhance.tiles = Text(PhantomData);
    enhance.tile_overlap = Real32(0.0..=0.5);
    detector.model = File;
    detector.labels = File;
    detector.input = Text(PhantomData);
    detector.confidence = Real32(0.0..=1.0);
    detector.nms_iou = Real32(0.0..=1.0);
    detector.classes = Names;
    detector.runtime = RUNTIMES;
    detector.onnxruntime = File;
    detector.threads = Count(0..=256);
    detector.min_interval = Real(0.0..=60.0);
    tracker.preset = PRESETS;
    tracker.high_score = Real32(0.0..=1.0);
    tracker.low_score = Real32(0.0..=1.0);
    tracker.match_similarity = Real32(0.0..=1.0);
    tracker.low_match_similarity = Real32(0.0..=1.0);
    tracker.suppressed_similarity = Real32(0.0..=1.0);
    tracker.tentative_similarity = Real32(0.0..=1.0);
    tracker.class_switch_iou = Real32(0.0..=1.0);
    tracker.class_agnostic = Switch;
    tracker.height_weight = Real32(0.0..=1.0);
    tracker.score_weight = Real32(0.0..=1.0);
    tracker.confidence_weight = Real32(0.0..=1.0);
    tracker.size_weight = Real32(0.0..=1.0);
    tracker.reach = Real32(0.0..=5.0);
    tracker.reach_most = Real32(0.0..=2.0);
    tracker.lost_penalty = Real32(0.0..=1.0);
    tracker.occlusion_penalty = Real32(0.0..=1.0);
    tracker.confirm_score = Real32(0.0..=10.0);
    tracker.confirm_hits = Whole(1..=100);
    tracker.keep_margin = Real32(0.0..=1.0);
    tracker.duplicate_iou = Real32(0.0..=1.0);
    tracker.memory_seconds = Real(0.0..=60.0);
    tracker.edge_share = Real32(0.0..=1.0);
    tracker.class_half_life = Real(0.01..=60.0);
    tracker.camera_strength = Real32(0.0..=1.0);
    tracker.camera_evidence = Real32(0.0..=20.0);
    tracker.measurement_noise = Real32(0.001..=1.0);
    tracker.score_trust = Real32(0.0..=1.0);
    tracker.occlusion_noise = Real32(0.0..=100.0);
    tracker.position_noise = Real32(0.0..=10.0);
    tracker.velocity_noise = Real32(0.0..=10.0);
    tracker.start_speed = Real32(0.0..=20.0);
    tracker.adaption = Real32(0.0..=1.0);
    tracker.smoothing = Real32(0.0..=1.0);
    trails.seconds = Real(0.0..=60.0);
    trails.anchor = ANCHORS;
    overlay.scale = Size;
    overlay.boxes = Switch;
    overlay.labels = Switch;
    overlay.trails = Switch;
    overlay.hud = Switch;
    overlay.timeline = Switch;
    record.path = File;
    record.raw = Switch;
    record.quality = Whole(1..=100);
};

/// The setting with this full name.
pub fn key(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// All sections, in order.
pub fn sections() -> Vec<&'static str> {
    let mut sections: Vec<_> = KEYS.iter().map(|key| key.section_and_name().0).collect();
    sections.dedup();
    sections
}

/// Says that there is no such setting, with what may have been meant.
pub(super) fn unknown_key(path: &str) -> String {
    let known = KEYS.iter().map(|key| key.path);
    // First among the names of the same section, where a slip is likeliest; then by the bare name anywhere.
    let (section, name) = path.rsplit_once('.').unwrap_or(("", path));
    let siblings = KEYS.iter().filter(|key| key.section_and_name().0 == section);
    let hint = suggest::nearest(name, siblings.clone().map(|key| key.section_and_name().1))
        .and_then(|meant| siblings.clone().find(|key| key.section_and_name().1 == meant))
        .or_else(|| KEYS.iter().find(|key| key.section_and_name().1 == name))
        .map(|key| key.path)
        .or_else(|| suggest::nearest(path, known))
        .map(|meant| format!("; did you mean \"{meant}\"?"))
        .unwrap_or_default();
    let names: Vec<_> = siblings.map(|key| key.section_and_name().1).collect();
    if names.is_empty() {
        let sections = sections().join(", ");
        return format!("there is no setting \"{path}\"{hint} (sections: {sections})");
    }
    format!("there is no setting \"{path}\"{hint} (in [{section}]: {})", names.join(", "))
}
