//! A scene on the canvas: trails, boxes, labels, and the details of the track that was chosen. The same function
//! draws for the window and for a recorded video.

use super::canvas::{Canvas, Paint};
use super::counts;
use super::extras::{self, Look};
use super::ground_map::draw_map;
use super::heat::draw_heat;
use super::mapping::Mapping;
use super::palette;
use super::settings::{OverlaySettings, SpeedUnit};
use super::stroke::StrokePoint;
use super::text::Text;
use super::text_box::{self, Row};
use super::theme::{LIGHT, LINE, OTHER_TRACKS, SEAM, TEXT_SIZE};
use crate::attribute::{SPEED, SPEED_ERROR};
use crate::detection::Extra;
use crate::geometry::Rect;
use crate::labels::Labels;
use crate::scene::{Scene, Track, TrackState, Trail};

/// What is to be drawn of a scene.
#[derive(Debug, Clone, Copy)]
pub struct SceneView<'a> {
    /// Tracks and trails.
    pub scene: &'a Scene,
    /// Source time of the picture below, in seconds: boxes are predicted from the scene's time to it.
    pub time: f64,
    /// The names of the classes.
    pub labels: &'a Labels,
    /// What is shown, and how large.
    pub settings: &'a OverlaySettings,
    /// The id of the selected track: its details are shown, and the others are dimmed.
    pub selected: Option<u64>,
}

/// One track, ready to be drawn.
struct Shown<'a> {
    track: &'a Track,
    trail: Option<&'a Trail>,
    /// What the network told of it in the scene's frame, beside its box.
    extra: Option<&'a Extra>,
    /// On the canvas, at the time shown.
    rect: Rect,
    colour: u32,
    /// 1, or less where another track is chosen.
    strength: f32,
}

impl Shown<'_> {
    /// How what belongs to its box is drawn: it moves with the box up to the time shown.
    fn look(&self, mapping: &Mapping, view: &SceneView, scale: f32) -> Look {
        let (then, now) =
            (self.track.rect.center(), self.track.rect_after(view.time - view.scene.time).center());
        let moved = (now.0 - then.0, now.1 - then.1);
        Look { mapping: *mapping, moved, colour: self.colour, strength: self.strength, scale }
    }
}

/// The box of each track that is shown at `time`, with its id, in canvas pixels, the farthest first: tracks whose box
/// ends lower in the picture are nearer, and drawn over the others.
pub fn boxes(mapping: &Mapping, scene: &Scene, time: f64) -> Vec<(u64, Rect)> {
    let mut boxes: Vec<_> = visible(mapping, scene, time).map(|(_, track, rect)| (track.id, rect)).collect();
    boxes.sort_by(|(a, x), (b, y)| x.bottom().total_cmp(&y.bottom()).then(a.cmp(b)));
    boxes
}

/// Confirmed and lost tracks with a box that can be drawn, and their place in the scene.
fn visible<'a>(
    mapping: &Mapping,
    scene: &'a Scene,
    time: f64,
) -> impl Iterator<Item = (usize, &'a Track, Rect)> {
    let ahead = time - scene.time;
    let mapping = *mapping;
    let shown = scene.tracks.iter().enumerate().filter(|(_, track)| track.state != TrackState::Tentative);
    shown
        .map(move |(index, track)| (index, track, mapping.rect_to_canvas(&track.rect_after(ahead))))
        .filter(|(_, _, rect)| rect.is_sound())
}

/// Draws a scene. `mapping` says where the source's pixels lie on the canvas; [`Mapping::identity`] for a canvas of the
/// source's own size. Lines and letters keep their size when the picture is zoomed.
pub fn draw_scene(canvas: &mut Canvas, text: &mut Text, mapping: &Mapping, view: &SceneView) {
    let SceneView { scene, time, settings, .. } = *view;
    let selected = view.selected.filter(|&id| scene.tracks.iter().any(|track| track.id == id));
    let mut shown: Vec<Shown> = visible(mapping, scene, time)
        .map(|(index, track, rect)| Shown {
            track,
            trail: trail_of(scene, index, track.id),
            extra: scene.extra(track.id),
            rect,
            colour: palette::colour(track.id),
            strength: if selected.is_none_or(|id| id == track.id) { 1.0 } else { OTHER_TRACKS },
        })
        .collect();
    // The chosen one last, else the nearest: whose box ends lowest.
    shown.sort_by(|a, b| {
        let chosen = |shown: &Shown| selected == Some(shown.track.id);
        let depth = a.rect.bottom().total_cmp(&b.rect.bottom());
        chosen(a).cmp(&chosen(b)).then(depth).then(a.track.id.cmp(&b.track.id))
    });

    let scale = settings.scale.factor(canvas.width(), canvas.height());
    if let Some(heat) = scene.heat.as_deref().filter(|_| settings.heat) {
        draw_heat(canvas, text, mapping, heat, scale);
    }
    let counted = scene.counts.as_deref().filter(|_| settings.counts);
    if let Some(counted) = counted {
        counts::draw_places(canvas, text, mapping, counted, scale);
    }
    if settings.trails {
        let mut points = Vec::new();
        for shown in &shown {
            draw_trail(canvas, mapping, shown, view, scale, &mut points);
        }
    }
    if settings.masks {
        for shown in &shown {
            if let Some(mask) = shown.extra.and_then(|extra| extra.mask.as_ref()) {
                extras::draw_mask(canvas, mask, &shown.look(mapping, view, scale));
            }
        }
    }
    if settings.boxes {
        for shown in &shown {
            match shown.extra.and_then(|extra| extra.turned.as_ref()) {
                Some(turned) => extras::draw_turned(canvas, turned, &shown.look(mapping, view, scale)),
                None => draw_box(canvas, shown, scale),
            }
        }
    }
    if settings.keypoints {
        for shown in &shown {
            if let Some(extra) = shown.extra {
                extras::draw_keypoints(canvas, &extra.keypoints, &shown.look(mapping, view, scale));
            }
        }
    }
    for shown in &shown {
        let dwell = counted.and_then(|_| scene.attributes.get(shown.track.id, "dwell_s")?.as_number());
        let dwell = dwell.map(|seconds| counts::dwell(seconds + (time - scene.time)));
        let name = settings.labels.then(|| {
            let Track { class, id, score, .. } = *shown.track;
            format!("{} {id} · {score:.2}", view.labels.name(class))
        });
        let speed = settings.labels.then(|| speed_of(shown.track, view)).flatten();
        let speed = speed.map(|(speed, _, unit)| format!("{speed} {unit}"));
        let label: Vec<String> = name.into_iter().chain(speed).chain(dwell).collect();
        if !label.is_empty() {
            draw_label(canvas, text, shown, &label.join(" · "), scale);
        }
    }
    if let Some(shown) = shown.last().filter(|shown| selected == Some(shown.track.id)) {
        draw_details(canvas, text, shown, view, scale);
    }
    let top = counted.map_or(0.0, |counted| counts::draw_events(canvas, text, counted, scale));
    if settings.counts {
        counts::draw_rules(canvas, text, (&scene.rules, time), top, scale);
    }
    if let Some(ground) = scene.ground.as_deref().filter(|_| settings.map) {
        draw_map(canvas, text, scene, ground, time, scale);
    }
}

/// The speed of a track on the ground, its error and their unit; `None` where it is not known.
fn speed_of(track: &Track, view: &SceneView) -> Option<(String, String, &'static str)> {
    let unit = view.settings.speed_unit?;
    let number = |name: &str| view.scene.attributes.get(track.id, name)?.as_number();
    let (speed, sign) = unit.of(number(SPEED)?);
    let (error, _) = unit.of(number(SPEED_ERROR)?);
    // Metres a second are few.
    let digits = usize::from(unit == SpeedUnit::MetresASecond);
    Some((format!("{speed:.digits$}"), format!("{error:.1}"), sign))
}

/// The trail of a track: at the same index as the track, or else the one with its id.
fn trail_of(scene: &Scene, index: usize, id: u64) -> Option<&Trail> {
    let beside = scene.trails.get(index).filter(|trail| trail.id == id);
    beside.or_else(|| scene.trails.iter().find(|trail| trail.id == id))
}

/// The line from the oldest point to where the box is now, thin and transparent at its old end.
fn draw_trail(
    canvas: &mut Canvas,
    mapping: &Mapping,
    shown: &Shown,
    view: &SceneView,
    scale: f32,
    points: &mut Vec<StrokePoint>,
) {
    let Some(trail) = shown.trail else { return };
    let (Some(oldest), Some(newest)) = (trail.points.first(), trail.points.last()) else { return };
    let span = (view.time - oldest.time).max(1e-3);
    let width = LINE * 1.8 * scale;
    points.clear();
    let mut add = |x: f32, y: f32, time: f64| {
        let youth = ((time - oldest.time) / span).clamp(0.0, 1.0) as f32;
        let (x, y) = mapping.to_canvas(x, y);
        let alpha = youth.powf(0.8) * 0.95 * shown.strength;
        points.push(StrokePoint { x, y, alpha, width: width * (0.5 + 0.5 * youth) });
    };
    for point in &trail.points {
        // Points that the picture has not reached yet (a paused or delayed picture) would run ahead of the box.
        if point.time <= view.time {
            add(point.x, point.y, point.time);
        }
    }
    // The trail follows the middle or the foot of the box: whichever its newest point was nearer to.
    let then = shown.track.rect_after(newest.time - view.scene.time);
    let now = shown.track.rect_after(view.time - view.scene.time);
    let (middle, foot) = (then.center().1, then.bottom());
    let at_foot = (newest.y - foot).abs() <= (newest.y - middle).abs();
    add(now.center().0, if at_foot { now.bottom() } else { now.center().1 }, view.time);
    canvas.stroke(points, shown.colour);
}

/// The box: a full line while the object is detected, dashed while the box is a prediction.
fn draw_box(canvas: &mut Canvas, shown: &Shown, scale: f32) {
    let width = LINE * scale;
    let paint = Paint::new(shown.colour, shown.strength);
    if shown.track.state == TrackState::Lost {
        canvas.outline_dashed(
            shown.rect,
            width + 2.0,
            7.0 * scale + 2.0,
            5.0 * scale - 2.0,
            SEAM.faded(shown.strength),
        );
        canvas.outline_dashed(shown.rect, width, 7.0 * scale, 5.0 * scale, paint);
    } else {
        canvas.outline(shown.rect, width + 2.0, SEAM.faded(shown.strength));
        canvas.outline(shown.rect, width, paint);
    }
}

/// The label, `person 7 · 0.83` and for how long it has been in a zone, on the upper edge of the box, moved inside where it would leave the canvas.
fn draw_label(canvas: &mut Canvas, text: &mut Text, shown: &Shown, label: &str, scale: f32) {
    let (canvas_width, canvas_height) = (canvas.width() as f32, canvas.height() as f32);
    if shown.rect.clipped(canvas_width, canvas_height).is_none() {
        return;
    }
    let track = shown.track;
    let size = TEXT_SIZE * scale;
    let padding = (4.0 * scale).round();
    let label = text.fit(label, size, canvas_width - 2.0 * padding);
    let width = text.measure(&label, size).ceil() + 2.0 * padding;
    let height = Text::line_height(size) + (3.0 * scale).round();

    let edge = LINE * scale / 2.0;
    let left = (shown.rect.left - edge).round().min(canvas_width - width).max(0.0);
    let above = (shown.rect.top - edge - height).round();
    // No room above: inside the box, below its upper edge.
    let top = if above >= 0.0 { above } else { (shown.rect.top + edge).round().max(0.0) };
    let top = top.min(canvas_height - height).max(0.0);

    let strength = if track.state == TrackState::Lost { 0.6 } else { 0.92 } * shown.strength;
    canvas.fill_rounded(Rect::new(left, top, width, height), 3.0 * scale, Paint::new(shown.colour, strength));
    let ink = Paint::new(palette::text_on(shown.colour), shown.strength.max(0.5));
    let inset = ((height - Text::line_height(size)) / 2.0).floor();
    text.draw(canvas, left + padding, top + inset, &label, size, ink);
}

/// The details of the selected track, beside its box.
fn draw_details(canvas: &mut Canvas, text: &mut Text, shown: &Shown, view: &SceneView, scale: f32) {
    let track = shown.track;
    let now = track.rect_after(view.time - view.scene.time);
    let [left, top, width, height] = track.velocity;
    let speed = (left + width / 2.0).hypot(top + height / 2.0);
    let on_ground = speed_of(track, view).map(|(speed, error, unit)| format!("{speed} ± {error} {unit}"));
    let state = match track.state {
        TrackState::Lost => format!("unseen for {:.1} s", (view.time - track.seen).max(0.0)),
        _ => "seen".to_owned(),
    };
    let rows = [
        Row::title(format!("{} {}", view.labels.name(track.class), track.id), shown.colour),
        Row::new("score", format!("{:.2}", track.score)),
        Row::new("age", format!("{:.1} s", (view.time - track.born).max(0.0))),
        Row::new("size", format!("{:.0} × {:.0} px", now.width, now.height)),
        Row::new("speed", on_ground.unwrap_or_else(|| format!("{speed:.0} px/s"))),
        Row::new("state", state),
    ];
    let size = TEXT_SIZE * scale;
    let layout = text_box::Layout::new(text, &rows, size, size * 11.0, canvas.width() as f32);
    let gap = 8.0 * scale;
    let right = shown.rect.right() + gap;
    // To the right of the box, else to its left, and always whole where the canvas is large enough.
    let x = if right + layout.width <= canvas.width() as f32 {
        right
    } else {
        shown.rect.left - gap - layout.width
    };
    let x = x.min(canvas.width() as f32 - layout.width).max(0.0);
    let y = shown.rect.top.min(canvas.height() as f32 - layout.height).max(0.0);
    layout.draw(canvas, text, x.round(), y.round(), &rows, LIGHT);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::scene::TrailPoint;

    fn track(id: u64, rect: Rect, state: TrackState) -> Track {
        Track {
            id,
            class: 0,
            score: 0.83,
            rect,
            velocity: [0.0; 4],
            state,
            born: 0.0,
            seen: 1.0,
            detection: None,
        }
    }

    fn scene(tracks: Vec<Track>) -> Scene {
        Scene { sequence: 3, time: 1.0, tracks, ..Scene::default() }
    }

    /// Boxes and nothing else, lines of two pixels.
    fn bare() -> OverlaySettings {
        OverlaySettings {
            scale: super::super::Scale::Fixed(1.0),
            labels: false,
            trails: false,
            ..Default::default()
        }
    }

    fn draw(
        canvas: &mut Canvas,
        scene: &Scene,
        time: f64,
        settings: &OverlaySettings,
        selected: Option<u64>,
    ) {
        let labels = Labels::coco();
        let view = SceneView { scene, time, labels: &labels, settings, selected };
        draw_scene(canvas, &mut Text::new(), &Mapping::identity(), &view);
    }

    fn at(canvas: &Canvas, x: usize, y: usize) -> u32 {
        canvas.pixels()[y * canvas.width() + x]
    }

    #[test]
    fn a_box_is_where_its_object_will_be() {
        let mut moving = track(1, Rect::new(20.0, 30.0, 40.0, 50.0), TrackState::Confirmed);
        moving.velocity = [100.0, 0.0, 0.0, 0.0];
        let mut canvas = Canvas::new(200, 120);
        draw(&mut canvas, &scene(vec![moving]), 1.5, &bare(), None);
        let colour = palette::colour(1);
        for (x, y) in [(70, 50), (110, 50), (90, 30), (90, 79)] {
            assert_eq!(at(&canvas, x, y), colour, "{x},{y}");
        }
        assert_eq!((at(&canvas, 20, 50), at(&canvas, 90, 50)), (0, 0));
    }

    #[test]
    fn lost_is_dashed_and_tentative_is_not_shown() {
        let rect = Rect::new(20.0, 30.0, 100.0, 60.0);
        let side = |state| {
            let mut canvas = Canvas::new(200, 120);
            draw(&mut canvas, &scene(vec![track(1, rect, state)]), 1.0, &bare(), None);
            (20..120).filter(|&x| at(&canvas, x, 30) == palette::colour(1)).count()
        };
        assert_eq!(side(TrackState::Confirmed), 100);
        assert!((40..80).contains(&side(TrackState::Lost)), "{}", side(TrackState::Lost));
        assert_eq!(side(TrackState::Tentative), 0);
    }

    #[test]
    fn a_trail_fades_and_reaches_the_box() {
        let rect = Rect::new(140.0, 40.0, 20.0, 40.0);
        let points =
            (0..=10).map(|i| TrailPoint { x: 50.0 + i as f32 * 10.0, y: 80.0, time: i as f64 / 10.0 });
        let mut moving = track(1, rect, TrackState::Confirmed);
        moving.velocity = [100.0, 0.0, 0.0, 0.0];
        let mut scene = scene(vec![moving]);
        scene.trails = Arc::new(vec![Trail { id: 1, points: points.collect() }]);
        let mut canvas = Canvas::new(240, 120);
        let settings = OverlaySettings { boxes: false, trails: true, ..bare() };
        draw(&mut canvas, &scene, 1.2, &settings, None);
        // Green is the strongest part of this colour: 158.
        let strength = |canvas: &Canvas, x| (at(canvas, x, 80) >> 8) & 0xFF;
        let there = |x| strength(&canvas, x);
        assert!(there(52) < 30 && there(52) < there(90) && there(90) < there(140));
        // On to the foot of the box at the time shown, 20 pixels farther, and no more.
        assert!(there(168) > 120 && there(175) == 0);
        // A picture from before the newest points: the trail ends at its box, too.
        canvas.clear(0);
        draw(&mut canvas, &scene, 0.5, &settings, None);
        assert!(strength(&canvas, 98) > 120 && strength(&canvas, 106) == 0);
    }

    #[test]
    fn labels_stay_inside() {
        let settings = OverlaySettings { boxes: false, labels: true, ..bare() };
        for (rect, place) in [
            (Rect::new(50.0, 60.0, 40.0, 40.0), (52, 52)),
            (Rect::new(-30.0, -30.0, 60.0, 60.0), (10, 10)),
            (Rect::new(190.0, 110.0, 60.0, 60.0), (195, 103)),
            (Rect::new(-500.0, -500.0, 2000.0, 2000.0), (10, 10)),
        ] {
            let mut canvas = Canvas::new(200, 120);
            draw(&mut canvas, &scene(vec![track(1, rect, TrackState::Confirmed)]), 1.0, &settings, None);
            assert_ne!(at(&canvas, place.0, place.1), 0, "{rect:?}");
            assert!(canvas.pixels().iter().filter(|&&pixel| pixel != 0).count() > 1200, "{rect:?} is cut");
        }
        let mut canvas = Canvas::new(200, 120);
        let outside = track(1, Rect::new(500.0, 10.0, 50.0, 50.0), TrackState::Confirmed);
        draw(&mut canvas, &scene(vec![outside]), 1.0, &settings, None);
        assert!(canvas.pixels().iter().all(|&pixel| pixel == 0));
    }

    #[test]
    fn choosing_one_dims_the_others_and_tells_its_details() {
        let tracks = vec![
            track(1, Rect::new(20.0, 30.0, 60.0, 60.0), TrackState::Confirmed),
            track(2, Rect::new(120.0, 30.0, 60.0, 60.0), TrackState::Confirmed),
        ];
        let mut canvas = Canvas::new(600, 300);
        draw(&mut canvas, &scene(tracks.clone()), 1.0, &bare(), Some(2));
        assert_eq!(at(&canvas, 120, 60), palette::colour(2));
        let dimmed = (at(&canvas, 20, 60) >> 8) & 0xFF;
        assert!((20..80).contains(&dimmed), "{dimmed}");
        assert_ne!(at(&canvas, 250, 60), 0, "no details");
        // A chosen track that is gone dims nothing.
        let mut canvas = Canvas::new(600, 300);
        draw(&mut canvas, &scene(tracks), 1.0, &bare(), Some(9));
        assert_eq!(at(&canvas, 20, 60), palette::colour(1));
        assert_eq!(at(&canvas, 250, 60), 0);
    }

    #[test]
    fn impossible_boxes_and_times_do_no_harm() {
        let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e9, -1e9, f32::MAX, 0.0, -5.0];
        let mut tracks = Vec::new();
        for (id, &a) in (1..).zip(&odd) {
            for &b in &odd {
                let mut track = track(id, Rect::new(a, b, b, a), TrackState::Lost);
                (track.velocity, track.score) = ([b, a, a, b], a);
                tracks.push(track);
            }
        }
        let points = odd.iter().map(|&x| TrailPoint { x, y: -x, time: x.into() }).collect();
        let mut scene = scene(tracks);
        scene.trails = Arc::new(vec![Trail { id: 1, points }, Trail { id: 4, points: Vec::new() }]);
        for (width, height) in [(0, 0), (1, 1), (5, 300), (200, 100)] {
            let mut canvas = Canvas::new(width, height);
            for time in [1.0, -1e300, 1e300, f64::NAN] {
                draw(&mut canvas, &scene, time, &OverlaySettings::default(), Some(4));
            }
        }
    }

    #[test]
    fn the_nearest_box_comes_last() {
        let tracks = vec![
            track(1, Rect::new(0.0, 0.0, 10.0, 90.0), TrackState::Confirmed),
            track(2, Rect::new(0.0, 0.0, 10.0, 20.0), TrackState::Lost),
            track(3, Rect::new(0.0, 0.0, 10.0, 50.0), TrackState::Tentative),
        ];
        let order: Vec<u64> =
            boxes(&Mapping::identity(), &scene(tracks), 1.0).iter().map(|(id, _)| *id).collect();
        assert_eq!(order, [2, 1]);
    }

    #[test]
    fn what_is_told_beside_the_box_is_drawn_where_it_is_asked_for() {
        use crate::detection::Keypoint;
        use crate::geometry::TurnedRect;
        let scene = scene(vec![track(1, Rect::new(100.0, 40.0, 60.0, 120.0), TrackState::Confirmed)]);
        let keypoints =
            (0..17).map(|n| Keypoint { x: 120.0 + n as f32, y: 60.0 + 5.0 * n as f32, score: 0.9 });
        let keypoints: Vec<Keypoint> = keypoints.collect();
        let turned = TurnedRect { x: 130.0, y: 100.0, width: 40.0, height: 120.0, angle: 0.2 };
        let drawn = |extra: Extra, boxes: bool, keypoints: bool| {
            let scene = Scene { extras: vec![(1, extra)], ..scene.clone() };
            let mut canvas = Canvas::new(320, 200);
            draw(&mut canvas, &scene, 1.0, &OverlaySettings { boxes, keypoints, ..bare() }, None);
            canvas
        };
        let none = drawn(Extra::default(), false, true);
        let points = drawn(Extra { keypoints, ..Extra::default() }, false, true);
        assert_ne!(points, none);
        let told = Extra { turned: Some(turned), ..Extra::default() };
        assert_eq!(drawn(told.clone(), false, true), none);
        let canvas = drawn(told, true, false);
        let corner = turned.corners()[0];
        assert_eq!(at(&canvas, corner.0 as usize, corner.1 as usize), palette::colour(1));
        assert_eq!(at(&canvas, 100, 41), 0, "instead of the upright box");
    }
}
