//! Drawing 30 tracks at 1280×720: boxes with their dark seam, label plates, trails of 60 points. Ours against
//! tiny-skia, which has no text: `ours_without_text` is the like-for-like number, `ours` the whole.

use std::sync::Arc;

use divan::Bencher;
use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint as SkiaPaint, Path, PathBuilder, Pixmap, Stroke, Transform,
};
use trailsight::geometry::Rect;
use trailsight::labels::Labels;
use trailsight::scene::{Scene, Track, TrackState, Trail, TrailPoint};
use trailsight::view::{
    Canvas, Mapping, OverlaySettings, Paint, SceneView, StrokePoint, Text, draw_scene, palette,
};

const SIZE: (usize, usize) = (1280, 720);
const TRACKS: u64 = 30;
const POINTS: usize = 60;
const PLATE: (f32, f32) = (112.0, 19.0);

fn main() {
    divan::main();
}

/// Thirty boxes spread over the picture, each at the end of a winding trail.
fn scene() -> Scene {
    let mut tracks = Vec::new();
    let mut trails = Vec::new();
    for id in 1..=TRACKS {
        let (column, row) = ((id - 1) % 6, (id - 1) / 6);
        let rect = Rect::new(40.3 + 205.0 * column as f32, 40.7 + 135.0 * row as f32, 60.0, 95.0);
        tracks.push(Track {
            id,
            class: (id % 80) as u16,
            score: 0.83,
            rect,
            velocity: [30.0, 5.0, 0.0, 0.0],
            state: TrackState::Confirmed,
            born: 0.0,
            seen: 2.0,
            detection: None,
        });
        let points = (0..POINTS).map(|index| {
            let back = (POINTS - 1 - index) as f32;
            let (x, y) = (rect.center().0 - 4.0 * back, rect.bottom() + 20.0 * (back * 0.15).sin());
            TrailPoint { x, y, time: 2.0 - f64::from(back) / 30.0 }
        });
        trails.push(Trail { id, points: points.collect() });
    }
    Scene { sequence: 60, time: 2.0, tracks, trails: Arc::new(trails), ..Scene::default() }
}

/// Everything that the program draws over a picture.
#[divan::bench]
fn ours(bencher: Bencher) {
    let (scene, labels, settings) = (scene(), Labels::coco(), OverlaySettings::default());
    let (mut canvas, mut text) = (Canvas::new(SIZE.0, SIZE.1), Text::new());
    let view = SceneView { scene: &scene, time: 2.0, labels: &labels, settings: &settings, selected: None };
    bencher.bench_local(|| draw_scene(&mut canvas, &mut text, &Mapping::identity(), &view));
}

/// The same shapes as below, with our own primitives.
#[divan::bench]
fn ours_without_text(bencher: Bencher) {
    let scene = scene();
    let mut canvas = Canvas::new(SIZE.0, SIZE.1);
    bencher.bench_local(|| {
        for (track, trail) in scene.tracks.iter().zip(scene.trails.iter()) {
            let colour = palette::colour(track.id);
            let points = trail.points.iter().enumerate().map(|(index, point)| {
                let (alpha, width) = fading(index);
                StrokePoint { x: point.x, y: point.y, alpha, width }
            });
            canvas.stroke(&points.collect::<Vec<_>>(), colour);
            canvas.outline(track.rect, 4.0, Paint::new(0, 0.35));
            canvas.outline(track.rect, 2.0, Paint::solid(colour));
            canvas.fill_rounded(plate(&track.rect), 3.0, Paint::new(colour, 0.92));
        }
    });
}

/// Opacity and width of a trail at one of its points.
fn fading(index: usize) -> (f32, f32) {
    let youth = index as f32 / POINTS as f32;
    (youth * 0.95, 3.6 * (0.5 + 0.5 * youth))
}

fn plate(rect: &Rect) -> Rect {
    Rect::new(rect.left.round(), (rect.top - PLATE.1).round(), PLATE.0, PLATE.1)
}

fn paint(rgb: u32, alpha: f32) -> SkiaPaint<'static> {
    let [_, r, g, b] = rgb.to_be_bytes();
    let mut paint = SkiaPaint::default();
    paint.set_color(Color::from_rgba8(r, g, b, (alpha * 255.0) as u8));
    paint.anti_alias = true;
    paint
}

fn outline(rect: &Rect) -> Option<Path> {
    Some(PathBuilder::from_rect(tiny_skia::Rect::from_xywh(rect.left, rect.top, rect.width, rect.height)?))
}

/// The shape of a plate with round corners of three pixels.
fn rounded(rect: &Rect) -> Option<Path> {
    let (l, t, r, b, q) = (rect.left, rect.top, rect.right(), rect.bottom(), 3.0);
    let mut path = PathBuilder::new();
    path.move_to(l + q, t);
    path.line_to(r - q, t);
    path.quad_to(r, t, r, t + q);
    path.line_to(r, b - q);
    path.quad_to(r, b, r - q, b);
    path.line_to(l + q, b);
    path.quad_to(l, b, l, b - q);
    path.line_to(l, t + q);
    path.quad_to(l, t, l + q, t);
    path.close();
    path.finish()
}

/// The same boxes, plates and trails. A stroke of tiny-skia has one opacity and one width, so a fading trail is one
/// stroke for each of its pieces.
#[divan::bench]
fn tiny_skia(bencher: Bencher) {
    let scene = scene();
    let Some(mut pixmap) = Pixmap::new(SIZE.0 as u32, SIZE.1 as u32) else { return };
    pixmap.fill(Color::BLACK);
    let line =
        |width| Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
    let box_line = |width| Stroke { width, ..Stroke::default() };
    bencher.bench_local(|| {
        for (track, trail) in scene.tracks.iter().zip(scene.trails.iter()) {
            let colour = palette::colour(track.id);
            for (index, pair) in trail.points.windows(2).enumerate() {
                let mut path = PathBuilder::new();
                path.move_to(pair[0].x, pair[0].y);
                path.line_to(pair[1].x, pair[1].y);
                if let Some(path) = path.finish() {
                    let youth = index as f32 / POINTS as f32;
                    let stroke = line(3.0 * (0.4 + 0.6 * youth));
                    pixmap.stroke_path(
                        &path,
                        &paint(colour, youth * 0.9),
                        &stroke,
                        Transform::identity(),
                        None,
                    );
                }
            }
            if let Some(path) = outline(&track.rect) {
                pixmap.stroke_path(&path, &paint(0, 0.35), &box_line(4.0), Transform::identity(), None);
                pixmap.stroke_path(&path, &paint(colour, 1.0), &box_line(2.0), Transform::identity(), None);
            }
            if let Some(path) = rounded(&plate(&track.rect)) {
                let fill = paint(colour, 0.92);
                pixmap.fill_path(&path, &fill, FillRule::Winding, Transform::identity(), None);
            }
        }
    });
}
