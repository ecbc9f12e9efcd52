//! The time line at the lower edge of the window: where in the recording the picture is, which parts were tracked already,
//! and where tracks were born.

use super::canvas::{Canvas, Paint};
use super::hud::{clock, times};
use super::palette;
use super::text::Text;
use super::theme::{ACCENT, LIGHT, OUTDATED, TEXT_SIZE, TIMELINE, TRACKED, UNTRACKED};
use crate::geometry::Rect;

/// What the time line shows. Times are source times in seconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timeline {
    /// The first frame's time.
    pub begin: f64,
    /// The end's time, not before `begin`.
    pub end: f64,
    /// The time of the picture shown.
    pub time: f64,
    /// How fast it plays.
    pub speed: f64,
    /// It repeats at the end.
    pub repeat: bool,
    /// Which parts were tracked, from when to when, and whether with the settings in force.
    pub parts: Vec<(f64, f64, bool)>,
    /// When tracks were born, with their ids.
    pub births: Vec<(f64, u64)>,
}

/// Where on the canvas the line is, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimelineArea {
    strip: Rect,
    left: f32,
    width: f32,
}

impl TimelineArea {
    /// The upper edge of the strip.
    pub fn top(&self) -> f32 {
        self.strip.top
    }

    /// Whether a click at this point is on the line.
    pub fn is_hit(&self, x: f32, y: f32) -> bool {
        self.strip.contains(x, y)
    }

    /// The place in the recording at this point: 0 its beginning, 1 its end.
    pub fn share(&self, x: f32) -> f64 {
        let share = f64::from(x - self.left) / f64::from(self.width.max(1.0));
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
    }
}

impl Timeline {
    fn share(&self, time: f64) -> f32 {
        let share = (time - self.begin) / (self.end - self.begin).max(1e-6);
        if share.is_finite() { share.clamp(0.0, 1.0) as f32 } else { 0.0 }
    }

    /// Draws the line along the lower edge and tells where it is.
    pub fn draw(&self, canvas: &mut Canvas, text: &mut Text, scale: f32) -> TimelineArea {
        let (width, height) = (canvas.width() as f32, canvas.height() as f32);
        let size = (TEXT_SIZE * 0.92 * scale).min(height / 4.0);
        let margin = (8.0 * scale).round();
        let strip_height = (size * 2.0).round().min(height);
        let strip = Rect::new(0.0, height - strip_height, width, strip_height);
        canvas.fill(strip, TIMELINE);

        let length = clock(self.end - self.begin);
        let place = format!("{} / {length}", clock(self.time - self.begin));
        // As wide as it may become, so that the line stands still.
        let place_width = text.measure(&format!("{length} / {length}"), size).ceil();
        let mode = format!("{}{}", times(self.speed), if self.repeat { "  loop" } else { "" });
        let mode_width = text.measure("¼×  loop", size).ceil();
        let letters = strip.top + ((strip_height - Text::line_height(size)) / 2.0).floor();
        let room = width - 4.0 * margin - place_width - mode_width;
        // In a window too narrow for both, the line stays.
        let worded = room > 60.0 * scale;
        let (left, line_width) = if worded {
            text.draw(canvas, margin, letters, &place, size, Paint::solid(LIGHT));
            let ink = if self.speed == 1.0 { Paint::solid(LIGHT) } else { Paint::solid(ACCENT) };
            text.draw(canvas, width - margin - mode_width, letters, &mode, size, ink);
            (2.0 * margin + place_width, room)
        } else {
            (margin, (width - 2.0 * margin).max(1.0))
        };

        let thickness = (3.0 * scale).round().max(2.0);
        let middle = strip.top + (strip_height / 2.0).round();
        let top = middle - (thickness / 2.0).floor();
        let bar = |from: f32, to: f32| {
            Rect::new(left + from * line_width, top, (to - from) * line_width, thickness)
        };
        canvas.fill(bar(0.0, 1.0), UNTRACKED);
        for &(from, to, current) in &self.parts {
            let (from, to) = (self.share(from), self.share(to));
            canvas.fill(bar(from, to.max(from + 1.0 / line_width)), if current { TRACKED } else { OUTDATED });
        }
        let tick = (6.0 * scale).round().max(4.0);
        for &(time, id) in &self.births {
            let x = (left + self.share(time) * line_width).floor();
            let mark = Rect::new(x, top - tick, (2.0 * scale).round().max(2.0), tick);
            canvas.fill(mark, Paint::solid(palette::colour(id)));
        }
        let knob = (6.0 * scale).round().max(4.0);
        let x = left + self.share(self.time) * line_width;
        let rect = Rect::new((x - knob / 2.0).round(), (middle - knob).round(), knob, 2.0 * knob);
        canvas.fill_rounded(rect, knob / 2.0, Paint::solid(ACCENT));
        TimelineArea { strip, left, width: line_width }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline() -> Timeline {
        Timeline { begin: 10.0, end: 110.0, time: 60.0, speed: 1.0, ..Timeline::default() }
    }

    #[test]
    fn a_click_on_the_knob_is_where_the_picture_is() {
        let mut canvas = Canvas::new(800, 450);
        for time in [10.0, 35.0, 60.0, 110.0] {
            let line = Timeline { time, ..timeline() };
            canvas.clear(0);
            let rail = line.draw(&mut canvas, &mut Text::new(), 1.0);
            let y = 449 - 12;
            let knob: Vec<usize> = (0..800).filter(|x| canvas.pixels()[y * 800 + x] == ACCENT).collect();
            let middle = (knob[0] + knob[knob.len() - 1] + 1) as f32 / 2.0;
            assert!(rail.is_hit(middle, y as f32) && !rail.is_hit(middle, rail.top() - 2.0));
            assert!((rail.share(middle) * 100.0 + 10.0 - time).abs() < 0.5, "{time}");
        }
    }

    #[test]
    fn parts_and_births_are_seen_where_they_are() {
        let mut canvas = Canvas::new(800, 450);
        let line = Timeline { parts: vec![(10.0, 30.0, true)], births: vec![(80.0, 4)], ..timeline() };
        let rail = line.draw(&mut canvas, &mut Text::new(), 1.0);
        let middle = rail.top() as usize + 12;
        let at = |share: f32, y: usize| {
            canvas.pixels()[y * 800 + (rail.left + share * rail.width) as usize] & 0xFF
        };
        assert!(at(0.1, middle) > 2 * at(0.3, middle));
        let x = (rail.left + 0.7 * rail.width).floor() as usize;
        let column: Vec<u32> = (0..450).map(|y| canvas.pixels()[y * 800 + x]).collect();
        let near =
            |a: u32, b: u32| a.to_be_bytes().iter().zip(b.to_be_bytes()).all(|(a, b)| a.abs_diff(b) < 30);
        assert!(column.iter().any(|&pixel| near(pixel, palette::colour(4))));
    }

    #[test]
    fn odd_times_and_sizes_do_no_harm() {
        for (width, height) in [(0, 0), (1, 1), (90, 20), (320, 240)] {
            let mut canvas = Canvas::new(width, height);
            for odd in [f64::NAN, f64::INFINITY, -1e300, 0.0] {
                let line = Timeline {
                    begin: odd,
                    time: odd,
                    speed: odd,
                    parts: vec![(odd, 5.0, true), (5.0, odd, false)],
                    births: vec![(odd, 0)],
                    ..timeline()
                };
                let rail = line.draw(&mut canvas, &mut Text::new(), 1.0);
                assert!(
                    (0.0..=1.0).contains(&rail.share(f32::NAN)) && (0.0..=1.0).contains(&rail.share(1e30))
                );
            }
        }
    }
}
