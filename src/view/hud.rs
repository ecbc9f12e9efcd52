//! The numbers in the corner of the window, and messages at its lower edge.

use super::canvas::{Canvas, Paint};
use super::text::Text;
use super::text_box::{Layout, Row};
use super::theme::{ACCENT, ALERT_BOX, LIGHT, MESSAGE_BOX, RED, TEXT_SIZE};
use crate::geometry::Rect;

/// What the HUD shows. A number that is not known (yet) is `None` and shown as a dash.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HudData {
    /// What the frames come from.
    pub source: String,
    /// Width and height of the frames, in pixels.
    pub size: Option<(u32, u32)>,
    /// Frames a second that the source gives.
    pub capture_fps: Option<f64>,
    /// Frames a second that the detector has looked at.
    pub detection_fps: Option<f64>,
    /// Nothing moves, and the detector rests.
    pub resting: bool,
    /// Pictures a second that the window has shown.
    pub display_fps: Option<f64>,
    /// The size of the network's input, and how it comes about.
    pub input: Option<String>,
    /// Milliseconds for one pass through the network.
    pub inference_ms: Option<f64>,
    /// Milliseconds from the capture of the picture shown to now.
    pub age_ms: Option<f64>,
    /// How many tracks are shown.
    pub tracks: usize,
    /// Source time of the picture, in seconds.
    pub time: f64,
    /// The picture's number, from 1, and how many there are.
    pub frame: Option<(u64, Option<u64>)>,
    /// The recent share of the frames that the detector processed, `0.0..=1.0`.
    pub detected: Option<f64>,
    /// The speed of the recording, if it is not its own.
    pub speed: Option<f64>,
    /// The length of the current video recording, in seconds.
    pub recording: Option<f64>,
    /// The confidence below which detections do not count, `0.0..=1.0`.
    pub confidence: Option<f32>,
    /// Length of the trails, in seconds.
    pub trail_seconds: Option<f64>,
    /// Milliseconds for all enhancing steps before the network; `None` if there are none.
    pub enhance_ms: Option<f64>,
    /// The enhancing steps, and their reasons.
    pub enhanced: Vec<(&'static str, String)>,
    /// Frames left out, by the stage that left them out.
    pub skipped: Vec<(&'static str, u64)>,
    /// The picture stands still.
    pub paused: bool,
    /// A short note, in one line.
    pub note: Option<String>,
}

/// The figure space: as wide as a digit, so that numbers keep their place when they have fewer digits.
const FIGURE_SPACE: char = '\u{2007}';

/// A number in a column of `width` digits, a dash where there is none.
pub(super) fn number(value: Option<f64>, width: usize, decimals: usize) -> String {
    let text = match value.filter(|value| value.is_finite()) {
        Some(value) => format!("{value:.decimals$}"),
        None => "–".to_owned(),
    };
    let missing = width.saturating_sub(text.chars().count());
    std::iter::repeat_n(FIGURE_SPACE, missing).chain(text.chars()).collect()
}

/// Source time as `12.3 s`, `4:05.1`, `1:02:03.4`.
pub(super) fn clock(seconds: f64) -> String {
    // Tenths first, or 59.96 s would become 60.0 s instead of a minute.
    let tenths = (seconds.clamp(0.0, 1e9) * 10.0).round() as u64;
    let (hours, minutes, rest) = (tenths / 36_000, tenths / 600 % 60, tenths % 600);
    let (seconds, tenth) = (rest / 10, rest % 10);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}.{tenth} s"),
        (0, _) => format!("{minutes}:{seconds:02}.{tenth}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}.{tenth}"),
    }
}

/// A speed as `¼×`, `1×`, `2×`.
pub fn times(speed: f64) -> String {
    match speed {
        0.25 => "¼×".to_owned(),
        0.5 => "½×".to_owned(),
        _ => format!("{speed}×"),
    }
}

/// The rows of the HUD.
fn rows(data: &HudData) -> Vec<Row> {
    let fps = |value| format!("{} fps", number(value, 5, 1));
    let mut rows = vec![Row::title(data.source.clone(), LIGHT)];
    if let Some((width, height)) = data.size {
        rows.push(Row::new("size", format!("{width} × {height}")));
    }
    rows.extend([
        Row::new("capture", fps(data.capture_fps)),
        Row::new(
            "detection",
            format!("{}{}", fps(data.detection_fps), if data.resting { ", rests" } else { "" }),
        ),
        Row::new("display", fps(data.display_fps)),
        Row::new("inference", format!("{} ms", number(data.inference_ms, 5, 1))),
        Row::new("frame age", format!("{} ms", number(data.age_ms, 5, 0))),
        Row::new("tracks", number(Some(data.tracks as f64), 5, 0)),
    ]);
    rows.extend(data.input.as_ref().map(|input| Row::new("input", format!("{FIGURE_SPACE}{input}"))));
    if data.enhance_ms.is_some() {
        rows.push(Row::new("enhance", format!("{} ms", number(data.enhance_ms, 5, 1))));
    }
    rows.extend(data.enhanced.iter().map(|(step, why)| Row::new(*step, format!("{FIGURE_SPACE}{why}"))));
    if data.skipped.is_empty() {
        rows.push(Row::new("skipped", number(Some(0.0), 5, 0)));
    }
    for (index, (stage, count)) in data.skipped.iter().enumerate() {
        let name = if index == 0 { "skipped" } else { "" };
        rows.push(Row::new(name, format!("{} {stage}", number(Some(*count as f64), 5, 0))));
    }
    if let Some(confidence) = data.confidence {
        rows.push(Row::new("confidence", number(Some(confidence.into()), 5, 2)));
    }
    if let Some(seconds) = data.trail_seconds {
        rows.push(Row::new("trails", format!("{} s", number(Some(seconds), 5, 1))));
    }
    rows.push(Row::new("time", clock(data.time)));
    if let Some((frame, frames)) = data.frame {
        let of = frames.map(|frames| format!(" / {frames}")).unwrap_or_default();
        rows.push(Row::new("frame", format!("{frame}{of}")));
    }
    if let Some(share) = data.detected {
        rows.push(Row::new("detected", format!("{} %", number(Some(share * 100.0), 5, 0))));
    }
    if let Some(speed) = data.speed {
        rows.push(Row::title(format!("speed {}", times(speed)), ACCENT));
    }
    if let Some(seconds) = data.recording {
        rows.push(Row::title(format!("● recording {}", clock(seconds)), RED));
    }
    if data.paused {
        rows.push(Row::title("paused", ACCENT));
    }
    if let Some(note) = &data.note {
        rows.push(Row::title(note.clone(), ACCENT));
    }
    rows
}

/// Draws the HUD in the top-left corner. `scale` 1 means letters of 12 pixels; where the canvas is too low for them they
/// are smaller.
pub fn draw_hud(canvas: &mut Canvas, text: &mut Text, data: &HudData, scale: f32) {
    let rows = rows(data);
    let margin = (8.0 * scale).round();
    let room = canvas.height() as f32 - 2.0 * margin;
    let size = (TEXT_SIZE * scale * 0.92).min(room / (rows.len() as f32 * 1.45 + 1.0));
    let width = (canvas.width() as f32 * 0.45).max(size * 16.0).min(canvas.width() as f32 - 2.0 * margin);
    let layout = Layout::new(text, &rows, size, size * 6.5, width);
    layout.draw(canvas, text, margin, margin, &rows, LIGHT);
}

/// Draws a message in the middle, with its foot a little above `floor` (pixels from the top); `alpha` lets the caller fade it.
pub fn draw_banner(
    canvas: &mut Canvas,
    text: &mut Text,
    message: &str,
    (scale, floor): (f32, f32),
    alpha: f32,
) {
    if alpha.is_nan() || alpha <= 0.0 || message.is_empty() {
        return;
    }
    let alpha = alpha.min(1.0);
    let size = TEXT_SIZE * 1.15 * scale;
    let padding = (size * 0.7).round();
    let width = canvas.width() as f32;
    let message = text.fit(message, size, width - 4.0 * padding);
    let box_width = text.measure(&message, size).ceil() + 2.0 * padding;
    let box_height = Text::line_height(size) + padding;
    let left = ((width - box_width) / 2.0).round();
    let top = (floor - box_height - 2.0 * padding).round().max(0.0);
    let area = Rect::new(left, top, box_width, box_height);
    canvas.fill_rounded(area, size * 0.35, MESSAGE_BOX.faded(alpha));
    text.draw(
        canvas,
        left + padding,
        top + (padding / 2.0).round(),
        &message,
        size,
        Paint::new(LIGHT, alpha),
    );
}

/// The most lines of an alert.
const ALERT_LINES: usize = 5;

/// Draws an alert above `floor` (pixels from the top), in as many lines as it needs; returns its upper edge.
pub fn draw_alert(canvas: &mut Canvas, text: &mut Text, alert: &str, (scale, floor): (f32, f32)) -> f32 {
    let size = TEXT_SIZE * 1.05 * scale;
    let padding = (size * 0.7).round();
    let room = canvas.width() as f32 - 6.0 * padding;
    let mut lines: Vec<String> = Vec::new();
    for word in alert.lines().flat_map(|line| ["\n"].into_iter().chain(line.split_whitespace())) {
        let full = lines.len() >= ALERT_LINES;
        match lines.last_mut() {
            Some(line) if word != "\n" && text.measure(&format!("{line} {word}"), size) <= room => {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            _ if full => break,
            _ => lines.push(if word == "\n" { String::new() } else { word.to_owned() }),
        }
    }
    let lines: Vec<_> = lines.iter().map(|line| text.fit(line, size, room.max(size)).into_owned()).collect();
    let widest = lines.iter().map(|line| text.measure(line, size)).fold(0.0, f32::max).ceil();
    let line_height = Text::line_height(size);
    let area = Rect::new(
        ((canvas.width() as f32 - widest) / 2.0 - padding).round(),
        (floor - line_height * lines.len() as f32 - 2.0 * padding).round().max(0.0),
        widest + 2.0 * padding,
        line_height * lines.len() as f32 + padding,
    );
    canvas.fill_rounded(area, size * 0.35, ALERT_BOX);
    let mut top = area.top + (padding / 2.0).round();
    for line in &lines {
        text.draw(canvas, area.left + padding, top, line, size, Paint::solid(RED));
        top += line_height;
    }
    area.top
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_carry_over() {
        for (seconds, text) in [
            (0.0, "0.0 s"),
            (12.34, "12.3 s"),
            (59.96, "1:00.0"),
            (245.1, "4:05.1"),
            (3723.4, "1:02:03.4"),
            (-5.0, "0.0 s"),
            (f64::NAN, "0.0 s"),
        ] {
            assert_eq!(clock(seconds), text);
        }
        assert_eq!(clock(f64::INFINITY), "277777:46:40.0");
    }

    #[test]
    fn numbers_keep_their_column() {
        let mut text = Text::new();
        let width = text.measure(&number(Some(100.0), 5, 1), 13.0);
        for value in [0.0, 9.94, 9.96, 59.9, 123.4] {
            assert!((text.measure(&number(Some(value), 5, 1), 13.0) - width).abs() < 0.01, "{value}");
        }
        for odd in [None, Some(f64::NAN), Some(f64::INFINITY)] {
            assert_eq!(number(odd, 3, 1), "\u{2007}\u{2007}–");
        }
    }

    #[test]
    fn the_box_stands_still_while_numbers_change() {
        let mut text = Text::new();
        let mut edge = |data: &HudData| {
            let mut canvas = Canvas::new(1280, 720);
            draw_hud(&mut canvas, &mut text, data, 1.0);
            let row = &canvas.pixels()[40 * 1280..41 * 1280];
            row.iter().rposition(|&pixel| pixel != 0).unwrap()
        };
        let slow = HudData { source: "clip".into(), display_fps: Some(7.0), ..HudData::default() };
        let fast =
            HudData { display_fps: Some(143.2), inference_ms: Some(12.0), tracks: 120, ..slow.clone() };
        assert_eq!(edge(&slow), edge(&fast));
    }

    #[test]
    fn it_stays_on_small_canvases_and_takes_odd_texts() {
        let mut text = Text::new();
        let data = HudData {
            source: "x".repeat(5000),
            skipped: vec![("detect", u64::MAX), ("display", 3)],
            note: Some("\u{0}行\u{202e}".into()),
            paused: true,
            ..HudData::default()
        };
        for (width, height) in [(0, 0), (1, 1), (90, 60), (320, 240)] {
            let mut canvas = Canvas::new(width, height);
            draw_hud(&mut canvas, &mut text, &data, 1.0);
            draw_banner(&mut canvas, &mut text, &data.source, (1.0, height as f32), 0.5);
            draw_alert(&mut canvas, &mut text, &data.source, (1.0, height as f32));
            let top = draw_alert(&mut canvas, &mut text, "a b c\nd", (1.0, height as f32));
            assert!((0.0..=height as f32).contains(&top));
        }
        let mut canvas = Canvas::new(300, 100);
        for alpha in [0.0, -1.0, f32::NAN] {
            draw_banner(&mut canvas, &mut text, "gone", (1.0, 100.0), alpha);
        }
        assert!(canvas.pixels().iter().all(|&pixel| pixel == 0));
        draw_banner(&mut canvas, &mut text, "saved", (1.0, 100.0), 1.0);
        assert_ne!(canvas.pixels()[75 * 300 + 150], 0);
    }
}
