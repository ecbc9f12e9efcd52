//! One of several pictures in a window: letterboxed in its tile, with its tracks, a line of numbers, and its faults.

use super::canvas::{Canvas, Paint};
use super::hud::{draw_alert, draw_banner, number};
use super::mapping::{Sizes, Viewport};
use super::overlay::{SceneView, draw_scene};
use super::scaler::Scaler;
use super::settings::OverlaySettings;
use super::text::Text;
use super::theme::{ACCENT, EMPTY_TILE, LIGHT, QUIET, RED, STALE_PICTURE, TEXT_SIZE, TILE_LINE};
use crate::frame::Picture;
use crate::geometry::Rect;
use crate::labels::Labels;
use crate::scene::Scene;

/// What the line over a tile tells. A number that is not known (yet) is `None` and shown as a dash.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TileLine {
    /// The tile's number, from 1: the key that enlarges it.
    pub number: usize,
    /// What the frames come from.
    pub source: String,
    /// Frames a second that the source gives.
    pub capture_fps: Option<f64>,
    /// Frames a second that the detector has looked at.
    pub detection_fps: Option<f64>,
    /// Pictures a second that the window has shown.
    pub display_fps: Option<f64>,
    /// Milliseconds from the capture of the picture shown to now.
    pub age_ms: Option<f64>,
    /// How many tracks are shown.
    pub tracks: usize,
    /// Its condition, if it is not good, in a word or two: the seconds without a picture, or that it has ended.
    pub condition: Option<String>,
    /// Whether that condition is a fault.
    pub is_trouble: bool,
}

/// What a tile shows.
#[derive(Debug, Clone, Copy)]
pub struct TileShown<'a> {
    /// The picture, once there is one.
    pub picture: Option<&'a Picture>,
    /// Its source time, in seconds.
    pub time: f64,
    /// The tracks, once there are any.
    pub scene: Option<&'a Scene>,
    /// The names of the classes.
    pub labels: &'a Labels,
    /// What is drawn, and how.
    pub settings: &'a OverlaySettings,
    /// The numbers.
    pub line: &'a TileLine,
    /// The text in place of a picture.
    pub note: Option<&'a str>,
    /// The fault, while it lasts.
    pub alert: Option<&'a str>,
    /// Whether the picture is not current; it is then darkened.
    pub dimmed: bool,
}

/// Paints tiles; keeps letters and buffers from one to the next.
#[derive(Debug, Default)]
pub struct TilePainter {
    text: Text,
    scaler: Scaler,
}

impl TilePainter {
    /// The letters, for other text in the window.
    pub fn text(&mut self) -> &mut Text {
        &mut self.text
    }

    /// Paints a tile; the canvas has its size.
    pub fn paint(&mut self, canvas: &mut Canvas, shown: &TileShown) {
        let (width, height) = (canvas.width(), canvas.height());
        let scale = shown.settings.scale.factor(width, height);
        match shown.picture {
            None => canvas.clear(EMPTY_TILE),
            Some(picture) => {
                let sizes = Sizes { source: picture.size(), canvas: (width, height) };
                let mapping = Viewport::default().mapping(sizes);
                self.scaler.paint(canvas, picture, &mapping);
                if shown.dimmed {
                    canvas.fill(Rect::new(0.0, 0.0, width as f32, height as f32), STALE_PICTURE);
                }
                if let Some(scene) = shown.scene {
                    let TileShown { time, labels, settings, .. } = *shown;
                    let view = SceneView { scene, time, labels, settings, selected: None };
                    draw_scene(canvas, &mut self.text, &mapping, &view);
                }
            }
        }
        // Without a picture, the tile names its source.
        if shown.settings.hud || shown.picture.is_none() {
            self.draw_line(canvas, shown.line, scale, shown.picture.is_some());
        }
        // Text in place of a picture stands in the middle of the tile, other text at its foot.
        let middle = (height as f32 * 0.5 + TEXT_SIZE * 2.5 * scale).min(height as f32);
        let mut floor = if shown.picture.is_none() { middle } else { height as f32 };
        if let Some(alert) = shown.alert {
            floor = draw_alert(canvas, &mut self.text, alert, (scale, floor));
        }
        if let Some(note) = shown.note {
            draw_banner(canvas, &mut self.text, note, (scale, floor), 1.0);
        }
    }

    /// The line along the upper edge: the name to the left, the numbers to the right, as many as there is room for.
    fn draw_line(&mut self, canvas: &mut Canvas, line: &TileLine, scale: f32, has_numbers: bool) {
        let (width, size) = (canvas.width() as f32, TEXT_SIZE * scale * 0.92);
        let (padding, height) = ((size * 0.6).round(), (size * 1.7).round());
        canvas.fill(Rect::new(0.0, 0.0, width, height), TILE_LINE);
        let top = ((height - Text::line_height(size)) / 2.0).round();
        let badge = format!("{}", line.number);
        let mut left = padding;
        let text = &mut self.text;
        left = text.draw(canvas, left, top, &badge, size, Paint::solid(ACCENT)) + padding;

        let mut right = width - padding;
        if let Some(condition) = &line.condition {
            let condition = text.fit(condition, size, (right - left) * 0.7);
            right -= text.measure(&condition, size);
            let colour = if line.is_trouble { RED } else { ACCENT };
            text.draw(canvas, right, top, &condition, size, Paint::solid(colour));
            right -= 2.0 * padding;
        }
        let room = right - left;
        // The name comes before the numbers, but a long name leaves room for them.
        let name = text.measure(&line.source, size).min(room * 0.4) + 2.0 * padding;
        let numbers = numbers(line).into_iter().find(|numbers| text.measure(numbers, size) <= room - name);
        let numbers = numbers.filter(|_| has_numbers);
        if let Some(numbers) = numbers {
            right -= text.measure(&numbers, size);
            text.draw(canvas, right, top, &numbers, size, Paint::solid(QUIET));
            right -= 2.0 * padding;
        }
        let name = text.fit(&line.source, size, (right - left).max(0.0));
        text.draw(canvas, left, top, &name, size, Paint::solid(LIGHT));
    }
}

/// The numbers, in the longest wording first.
fn numbers(line: &TileLine) -> [String; 4] {
    let fps = |value, decimals| number(value, if decimals == 0 { 2 } else { 4 }, decimals);
    let [capture, detection, display] =
        [line.capture_fps, line.detection_fps, line.display_fps].map(|value| fps(value, 1));
    let [c, d, s] = [line.capture_fps, line.detection_fps, line.display_fps].map(|value| fps(value, 0));
    let age = number(line.age_ms, 4, 0);
    let tracks = number(Some(line.tracks as f64), 2, 0);
    [
        format!(
            "capture {capture}  detection {detection}  display {display} fps   age {age} ms   tracks {tracks}"
        ),
        format!("{capture} / {detection} / {display} fps   {age} ms   tracks {tracks}"),
        format!("{c} / {d} / {s} fps  {age} ms  {tracks}"),
        format!("{c} / {d} / {s}  {tracks}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::theme::BACKGROUND;
    use super::*;

    #[test]
    fn any_size_and_any_text_is_safe() {
        let (mut painter, labels, settings) =
            (TilePainter::default(), Labels::coco(), OverlaySettings::default());
        let picture = Picture::filled(64, 48, [20, 200, 90]).unwrap();
        let long = "x".repeat(4000);
        let line = TileLine {
            source: long.clone(),
            capture_fps: Some(f64::INFINITY),
            age_ms: Some(f64::NAN),
            condition: Some(long.clone()),
            ..TileLine::default()
        };
        for (width, height) in [(0, 0), (1, 1), (40, 20), (319, 180), (1280, 720)] {
            for picture in [None, Some(&picture)] {
                let mut canvas = Canvas::new(width, height);
                let shown = TileShown {
                    picture,
                    time: 0.0,
                    scene: None,
                    labels: &labels,
                    settings: &settings,
                    line: &line,
                    note: Some(&long),
                    alert: Some(&long),
                    dimmed: true,
                };
                painter.paint(&mut canvas, &shown);
            }
        }
    }

    #[test]
    fn the_picture_lies_in_the_middle_and_is_dimmed_where_it_is_old() {
        let (mut painter, labels) = (TilePainter::default(), Labels::coco());
        let settings = OverlaySettings { hud: false, ..OverlaySettings::default() };
        let picture = Picture::filled(64, 48, [20, 200, 90]).unwrap();
        let mut at = |dimmed, x: usize| {
            let mut canvas = Canvas::new(300, 100);
            let shown = TileShown {
                picture: Some(&picture),
                time: 0.0,
                scene: None,
                labels: &labels,
                settings: &settings,
                line: &TileLine::default(),
                note: None,
                alert: None,
                dimmed,
            };
            painter.paint(&mut canvas, &shown);
            canvas.pixels()[50 * 300 + x]
        };
        assert_eq!((at(false, 150), at(false, 10)), (0x14C85A, BACKGROUND));
        assert!(at(true, 150) & 0xFF00 < 0x8000);
    }
}
