//! The rows of the table, in the order of `config.toml`.

use std::marker::PhantomData;
use std::sync::LazyLock;

use super::kinds::*;
use super::lists::{AREAS, GROUNDS, LINES, List, RULES, ZONES};
use super::shapes::{Part, Polygons, Triple};
use super::{Access, Effect, Parameter};
use crate::detect::InputChoice;
use crate::enhance::Tiles;
use crate::source::DayTime;
use crate::source::camera::FormatPin;
use crate::track::TRACK_PARAMETERS;
use crate::zoo::Mirror;

macro_rules! path {
    ($first:ident $(. $rest:ident)*) => { concat!(stringify!($first) $(, ".", stringify!($rest))*) };
}

macro_rules! setting {
    ($($part:ident).+, $kind:expr, $comment:expr) => {
        Parameter {
            path: path!($($part).+),
            comment: $comment,
            unit: "",
            aliases: &[],
            effect: Effect::Live,
            list: None,
            access: Access::Kind {
                read: |settings, value| {
                    settings.$($part).+ = $kind.read(value)?;
                    Ok(())
                },
                write: |settings| $kind.write(&settings.$($part).+),
                allowed: || $kind.allowed(),
                schema: || $kind.schema(),
            },
        }
    };
}

/// A setting that is kept elsewhere than its path says.
macro_rules! setting_at {
    ($path:literal, $($part:ident).+, $kind:expr, $comment:expr) => {
        Parameter { path: $path, ..setting!($($part).+, $kind, $comment) }
    };
}

/// A list of tables.
macro_rules! tables {
    ($path:literal, $($part:ident).+, $tables:ident, $comment:literal) => {
        Parameter {
            path: $path,
            comment: $comment,
            unit: "",
            aliases: &[],
            effect: Effect::Live,
            list: Some(List {
                fields: || $tables.fields(),
                problems: |table| $tables.problems(table),
                alone: false,
            }),
            access: Access::Kind {
                read: |settings, value| {
                    settings.$($part).+ = $tables.read(value)?;
                    Ok(())
                },
                write: |settings| $tables.write(&settings.$($part).+),
                allowed: || $tables.allowed(),
                schema: || $tables.schema(),
            },
        }
    };
}

impl Parameter {
    const fn unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    /// A change takes effect once another network is loaded.
    const fn network(self) -> Self {
        Self { effect: Effect::Network, ..self }
    }

    /// One table of the list may also stand alone, as `[path]`.
    fn alone(self) -> Self {
        Self { list: self.list.map(|list| List { alone: true, ..list }), ..self }
    }

    /// A change takes effect at the next start.
    const fn next_start(self) -> Self {
        Self { effect: Effect::NextStart, ..self }
    }
}

/// All settings, in the order of the default `config.toml`.
pub fn parameters() -> &'static [Parameter] {
    static ALL: LazyLock<Vec<Parameter>> = LazyLock::new(all);
    &ALL
}

/// All sections, in order, each with what it is about.
pub(in crate::config) static SECTIONS: &[(&str, &str)] = &[
    ("source", "Where frames come from."),
    ("source.camera", "A camera of this machine."),
    ("enhance", "What is done to the picture before the network sees it, and where objects count."),
    ("detector", "The network, and what of its results is used."),
    (
        "motion",
        "What moves, told without a network, for detector.model = \"motion\" and detector.also_motion.",
    ),
    ("models", "Models known by name."),
    ("tracker", "How detections become tracks."),
    ("trails", "The motion trails."),
    ("overlay", "What is drawn over the picture."),
    ("heat", "The heat map: for how long objects were where."),
    ("record", "The annotated video."),
];

/// Removed settings, with the reason. A file that has one still works.
pub(in crate::config) static REMOVED: &[(&str, &str)] = &[
    ("tracker.last_seen_similarity", LOST),
    ("tracker.pairing", LOST),
    ("tracker.direction_weight", LOST),
    ("tracker.reupdate", LOST),
    (
        "tracker.keep_margin",
        "what is weak for long is hidden by tracker.show_margin and tracker.hide_margin now",
    ),
    (
        "tracker.edge_share",
        "an unseen track is always forgotten once less than a fifth of it lies in the picture",
    ),
    ("tracker.occlusion_noise", "it made no difference on any benchmark"),
];

const LOST: &str = "what it switched on made tracking worse on every benchmark";

fn all() -> Vec<Parameter> {
    let before = vec![
        setting!(source.every_frame, Switch, "in a window: show every frame of a recording with its own detections, however slow").next_start(),
        setting!(source.fps, RealOrNone(0.01..=1000.0), "frames a second of a recording with wrong time stamps, 0.01 to 1000; 0: use its time stamps").unit("1/s").next_start(),
        setting!(source.mirror, Switch, "swap left and right, before the turn").next_start(),
        setting!(source.rotate, Turn, "turn the picture clockwise by 0, 90, 180 or 270 degrees").next_start(),
        setting!(source.stream, WholeOrNone(1..=1000), "which video of a file or an address that holds several, counted from 1; 0: the one that players show").next_start(),
        setting!(source.rtsp_transport, RTSP_TRANSPORTS, "how an RTSP server sends: \"tcp\", \"udp\", or \"auto\": TCP, and UDP where TCP is refused").next_start(),
        setting!(source.start, RealOrNone(0.0..=1e7), "begin this long after a recording's first frame; 0: at its beginning").unit("s").next_start(),
        setting!(source.end, RealOrNone(0.0..=1e7), "end this long after a recording's first frame; 0: at its end").unit("s").next_start(),
        setting!(source.began, Text::<DayTime>::like(r"^\s*([0-9]{1,2}:[0-9]{2}(:[0-9]{2})?)?\s*$"), "the time of day when a recording began, such as \"21:30\", for rules that ask for it; \"\": not known").next_start(),
        setting!(source.camera.width, Whole(16..=16384), "the requested width of a camera's picture; the nearest one it has is used").unit("px").next_start(),
        setting!(source.camera.height, Whole(16..=16384), "the requested height").unit("px").next_start(),
        setting!(source.camera.fps, Real(1.0..=1000.0), "the requested frames a second").unit("1/s").next_start(),
        setting!(source.camera.format, Text::<FormatPin>::any(), "pins the format, as \"MJPG 1280x720@30\", \"MJPG\", \"640x480\" or \"YUYV @15\"; \"\": chosen by rate, then size, then uncompressed first").next_start(),
        setting!(source.camera.backend, BACKENDS, "the way to a camera: \"auto\", \"v4l\" (Linux alone, first there: it has the driver's time stamps) or \"nokhwa\"").next_start(),
        setting!(source.camera.stall_seconds, Real(0.1..=3600.0), "a camera or stream without a picture for this long counts as stalled; after three times that (at least 5 s) it is reopened").unit("s").next_start(),
        setting!(source.camera.give_up_seconds, RealOrNone(0.1..=1e7), "how long a run waits for a camera or stream that is gone; 0: without limit").unit("s").next_start(),
        setting!(enhance.auto, Switch, "measure light, contrast and noise, and take the steps that help; steps that are switched on below are always taken"),
        setting!(enhance.show, SHOWN_PICTURES, "the picture in a window: \"original\", \"enhanced\" (as the network sees it) or \"split\", half and half (key e)"),
        setting!(enhance.exposure, Switch, "brighten or darken to a good exposure"),
        setting!(enhance.white_balance, BALANCES, "take out the colour of the light: \"grey-world\" (the mean is grey), \"white-patch\" (the brightest is white), or \"off\""),
        setting!(enhance.light_seconds, Real(0.0..=60.0), "how slowly exposure and white balance follow the light").unit("s"),
        setting!(enhance.contrast, Real32(0.0..=40.0), "local contrast (CLAHE): its clip limit, 2 is usual; 0: off"),
        setting!(enhance.contrast_tiles, Count(1..=32), "the number of tiles across and down for the local contrast"),
        setting!(enhance.median, MEDIANS, "remove single wrong pixels: \"3x3\", \"5x5\" or \"off\""),
        setting!(enhance.temporal, Real32(0.0..=100.0), "average over time where nothing moves: the standard deviation of the noise in grey levels; 0: off"),
        setting!(enhance.gaussian, Real32(0.0..=5.0), "smooth by a Gaussian: its standard deviation in pixels (of a picture over twice the network's input: in pixels of that); 0: off"),
        setting!(enhance.smooth, Real32(0.0..=100.0), "smooth between edges (guided filter): differences up to this many grey levels count as noise; 0: off"),
        setting!(enhance.sharpen, Real32(0.0..=5.0), "unsharp mask: how much it adds, 1 is much; 0: off"),
        setting!(enhance.deblock, Real32(0.0..=50.0), "smooth steps of up to this many grey levels at the edges of JPEG blocks; 0: off"),
        setting!(enhance.deinterlace, Switch, "replace every second line of an interlaced picture"),
        setting!(enhance.stabilise, Real(0.0..=10.0), "remove the shaking of a hand-held camera; motion slower than this stays; boxes and masks then refer to the steady picture; 0: off").unit("s"),
        setting!(enhance.camera_motion, Switch, "find the camera's motion in the pixels, for the tracker"),
        setting!(enhance.crop, Part, "the network looks at this part alone: [left, top, width, height] in shares of the picture"),
        setting!(enhance.regions, Polygons, "objects count only within these polygons, corners in shares of the picture: [[[0, 0], [1, 0], [1, 0.5]]]; []: everywhere"),
        setting!(enhance.masks, Polygons, "objects never count within these polygons"),
        setting!(enhance.privacy, Switch, "show and write masked areas in coarse squares (twelve across the shorter side of the picture)"),
        setting!(enhance.tiles, Text::<Tiles>::like(r"^\s*[1-8]\s*[xX×]\s*[1-8]\s*$"), "the network looks at so many overlapping tiles too, for small, far objects; \"2x2\" takes five times as long"),
        setting!(enhance.tile_overlap, Real32(0.0..=0.5), "how far neighbouring tiles overlap, as a share of their size"),
        setting!(detector.model, File, "a detector: an ONNX file (YOLO of any version, DETR and its heirs and more, see docs/detector.md), a name of `trailsight models list`, \"auto\": the best that is here (live: that keeps up), or \"motion\": whatever moves, without a network; \"\": the YOLOX-Nano that is built in").network(),
        setting!(detector.labels, File, "a text file with one class name a line for that model; \"\": the names in its file, or the 80 classes of COCO").network(),
        setting!(detector.family, FAMILIES, "the model's family, where its file does not tell it (trailsight models show FILE prints what is recognised)").network(),
        setting!(detector.boxes, BOX_FORMS, "the form of its boxes, where that is recognised wrongly").network(),
        setting!(detector.order, ORDERS, "the order of the colours that it was trained with").network(),
        setting!(detector.scale, SCALES, "what levels from 0 to 255 are multiplied by for it").network(),
        setting!(detector.mean, Triple, "what is subtracted then, [red, green, blue]; []: as recognised").network(),
        setting!(detector.std, Triple, "what is divided by then, [red, green, blue]; []: as recognised").network(),
        setting!(detector.fit, FITS, "how a picture of another shape fits into its input").network(),
        setting!(detector.input, Text::<InputChoice>::like(r"^\s*(auto|fast|normal|fine|finest|[0-9]+\s*([xX×]\s*[0-9]+)?)\s*$"), "the network's input: as many pixels as \"fast\", \"normal\" (416x416), \"fine\" (2.3 times) or \"finest\" (3 times) say, in the shape of the picture; \"auto\": normal for files, live the finest that keeps up; or WIDTHxHEIGHT: more pixels see smaller things, and are slower").network(),
        setting!(detector.confidence, Real32(0.0..=1.0), "an object is shown from this score on: of its box, or over time the mean of its track's, less penalties"),
        setting!(detector.nms_iou, Real32(0.0..=1.0), "of two boxes of one class that overlap by more than this, the weaker is dropped"),
        setting!(detector.box_voting, Switch, "car, bus and truck count as one class there, as do bicycle and motorcycle, and dropped boxes vote on where the best one lies; false: boxes as the network has them"),
        setting!(detector.masks, Switch, "make the masks of a model that tells the pixels of objects; false: its boxes alone, without what masks cost").network(),
        setting!(detector.classes, Names, "look only for these, such as [\"person\", \"car\"]; []: everything the model knows"),
        setting!(detector.also_motion, Switch, "also tell what moves and has no box of the network, as the class \"moving\"").network(),
        setting!(detector.runtime, RUNTIMES, "what runs the network: \"auto\" (native, or tract for models that need it), \"native\", \"tract\", \"onnxruntime\"").network(),
        setting!(detector.onnxruntime, File, "for that: the library's file; \"\": $ORT_DYLIB_PATH, or where the system looks for libraries").network(),
        setting!(detector.threads, Count(0..=256), "threads for the network; 0: one per processor").network(),
        setting!(detector.min_interval, Real(0.0..=60.0), "live: the least time from one detection to the next, to spare the processor").unit("s"),
        setting!(detector.attention, ATTENTIONS, "the pictures that the network looks at: \"all\"; \"motion\": those in which something moves, while in others all is where it was; \"auto\": motion live, all for recordings"),
        setting!(detector.idle_interval, Real(0.0..=60.0), "there: where nothing moves, it looks after this long all the same").unit("s"),
        setting_at!("motion.sensitivity", detector.motion.sensitivity, Real32(0.0..=1.0), "how small a difference from the background counts: 0 (only the clearest) to 1 (almost all)"),
        setting_at!("motion.smallest_size", detector.motion.smallest_size, Real32(0.0..=1.0), "the longer side of the smallest thing, as a share of the picture's height"),
        setting_at!("motion.forget_after_seconds", detector.motion.forget_after_seconds, Real(0.5..=86400.0), "what stays as it is for this long becomes background").unit("s"),
        setting!(models.mirror, Quoted::<Mirror>(PhantomData), "where `trailsight models pull` fetches from: an http(s):// address or a folder with NAME.onnx for each model; \"\": the makers' addresses"),
        setting!(tracker.preset, PRESETS, "\"default\": what stands below; \"bytetrack\", \"sort\": as published, with their own confidence"),
    ];
    let of_tracker = TRACK_PARAMETERS.iter();
    let after = vec![
        setting!(trails.seconds, Real(0.0..=60.0), "how long a motion trail is; 0: none").unit("s"),
        setting!(
            trails.anchor,
            ANCHORS,
            "which point of the box draws it: \"bottom\" (feet, wheels) or \"center\""
        ),
        setting!(
            overlay.scale,
            Size,
            "size of letters and lines: \"auto\" (with the window), or a factor from 0.25 to 8"
        ),
        setting!(overlay.boxes, Switch, "draw the boxes (key b)"),
        setting!(overlay.labels, Switch, "draw names and scores (key l)"),
        setting!(overlay.trails, Switch, "draw the motion trails (key t)"),
        setting!(overlay.masks, Switch, "tint the pixels of an object, where the network tells them"),
        setting!(overlay.keypoints, Switch, "draw the points of a body, where the network tells them"),
        setting!(
            overlay.counts,
            Switch,
            "draw lines and zones with what was counted, the last events, and the rules that hold; where there is a [[line]], a [[zone]] or a [[rule]]"
        ),
        setting!(
            overlay.speed_unit,
            SPEED_UNITS,
            "speeds on the labels, where there is a [ground]: in \"km/h\", \"m/s\" or \"mph\", or \"off\""
        ),
        setting!(overlay.heat, Switch, "draw the heat map over the picture (key m)"),
        setting!(
            overlay.map,
            Switch,
            "draw the ground from above with the trails to scale, where there is a [ground] (key g)"
        ),
        setting!(overlay.hud, Switch, "draw the numbers in the corner (key i)"),
        setting!(
            overlay.timeline,
            Switch,
            "draw the time line of a recording at the lower edge of the window"
        ),
        setting!(heat.gather, Switch, "gather it also where nothing shows it; --heat does so"),
        setting!(
            heat.half_life_seconds,
            RealOrNone(0.1..=1e7),
            "after so long presence counts for half; 0: it counts always"
        )
        .unit("s"),
        setting!(
            heat.window_seconds,
            RealOrNone(1.0..=1e7),
            "only so long ago counts, in steps of a twelfth; 0: all"
        )
        .unit("s"),
        setting!(heat.classes, Names, "only these count, such as [\"person\"]; []: everything"),
        setting!(
            record.path,
            File,
            "the annotated video of every run that does not say --video, such as \"last.mp4\"; \"\": none"
        )
        .next_start(),
        setting!(
            record.raw,
            Switch,
            "also write the picture without drawings, as NAME.raw.EXT beside an annotated video NAME.EXT"
        )
        .next_start(),
        setting!(
            record.quality,
            Whole(1..=100),
            "the quality of videos: from 1 (small) to 100 (nearly lossless)"
        )
        .next_start(),
    ];
    let mask = tables!(
        "mask",
        enhance.named_masks,
        AREAS,
        "Objects in a mask never count, like those within enhance.masks; one table for each mask"
    );
    let region = tables!(
        "region",
        enhance.named_regions,
        AREAS,
        "Objects count only in a region, or within enhance.regions; one table for each region"
    );
    let line = tables!(
        "line",
        counting.lines,
        LINES,
        "Counts who crosses it, both ways and by class; one table for each line"
    );
    let zone = tables!(
        "zone",
        counting.zones,
        ZONES,
        "Counts who is in it, who comes and goes, and for how long each stays; one table for each zone"
    );
    let ground = tables!(
        "ground",
        ground.planes,
        GROUNDS,
        "Where the ground is, for places and speeds in metres; [[ground]] for each of several sources"
    )
    .alone();
    let rule = tables!(
        "rule",
        rules,
        RULES,
        "Tells where a condition begins to hold and where it has ceased to; one table for each rule"
    );
    let mut all = before;
    all.extend(of_tracker.map(Parameter::of_tracker));
    all.extend(after);
    all.push(mask);
    all.extend([region, line, zone, ground, rule]);
    all
}
