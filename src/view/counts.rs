//! Lines and zones on the canvas, with what was counted, the last events, and the rules that hold.

use super::canvas::{Canvas, Paint};
use super::hud::clock;
use super::mapping::Mapping;
use super::palette;
use super::stroke::StrokePoint;
use super::text::Text;
use super::text_box::{self, Row};
use super::theme::{ACCENT, BLUE, DARK, LIGHT, LINE, RED, TEXT_SIZE};
use crate::attribute::Value;
use crate::counts::{Counts, LineCounts, Point, RuleState, ZoneCounts};
use crate::event::Event;
use crate::geometry::Rect;

/// How much of a zone's colour lies over the picture, while nobody is in it and while somebody is.
const TINT: (f32, f32) = (0.08, 0.16);

/// Draws zones and lines. They lie below boxes and trails.
pub(super) fn draw_places(
    canvas: &mut Canvas,
    text: &mut Text,
    mapping: &Mapping,
    counts: &Counts,
    scale: f32,
) {
    for zone in &counts.zones {
        draw_zone(canvas, text, mapping, zone, scale);
    }
    for line in &counts.lines {
        draw_line(canvas, text, mapping, line, scale);
    }
}

fn on_canvas(mapping: &Mapping, points: &[Point]) -> Vec<(f32, f32)> {
    points.iter().map(|&[x, y]| mapping.to_canvas(x, y)).collect()
}

/// The tinted area, its edge, and its name with how many are in it above its first corner.
fn draw_zone(canvas: &mut Canvas, text: &mut Text, mapping: &Mapping, zone: &ZoneCounts, scale: f32) {
    let corners = on_canvas(mapping, &zone.corners);
    let Some(&first) = corners.first() else { return };
    fill(canvas, &corners, Paint::new(BLUE, if zone.occupancy > 0 { TINT.1 } else { TINT.0 }));
    let closed: Vec<_> = corners.iter().copied().chain([first]).collect();
    stroke(canvas, &closed, LINE * 0.75 * scale, BLUE);
    let passed = zone.passed.total();
    let words = format!("{} {}  in {} out {}", zone.name, zone.occupancy, passed.inwards, passed.outwards);
    let top = corners.iter().map(|corner| corner.1).fold(f32::INFINITY, f32::min);
    let left = corners.iter().map(|corner| corner.0).fold(f32::INFINITY, f32::min);
    let gap = 4.0 * scale;
    draw_words(canvas, text, (left.max(0.0) + gap, top.max(0.0) + gap), &words, BLUE, scale);
}

/// The line, an arrow in its middle towards the side that is in, and its name with its numbers beside the arrow.
fn draw_line(canvas: &mut Canvas, text: &mut Text, mapping: &Mapping, line: &LineCounts, scale: f32) {
    let points = on_canvas(mapping, &line.points);
    stroke(canvas, &points, LINE * 1.5 * scale, ACCENT);
    let Some((middle, along)) = middle(&points) else { return };
    // To the right of its way, as seen on the screen.
    let (right, length) = ((-along.1, along.0), 22.0 * scale);
    let at = |forth: f32, aside: f32| {
        (
            middle.0 + right.0 * forth * length + along.0 * aside * length,
            middle.1 + right.1 * forth * length + along.1 * aside * length,
        )
    };
    stroke(canvas, &[middle, at(1.0, 0.0)], LINE * 1.5 * scale, ACCENT);
    stroke(canvas, &[at(0.65, -0.3), at(1.0, 0.0), at(0.65, 0.3)], LINE * 1.5 * scale, ACCENT);
    let crossed = line.crossed.total();
    let words = format!("{}  in {} out {}", line.name, crossed.inwards, crossed.outwards);
    // Behind the arrow's foot, so that neither covers the other.
    let size = TEXT_SIZE * scale;
    let (width, height) = (text.measure(&words, size), Text::line_height(size));
    let back = at(-0.35, 0.0);
    let place =
        (back.0 - width / 2.0 - right.0 * width / 2.0, back.1 - height / 2.0 - right.1 * height / 2.0);
    draw_words(canvas, text, place, &words, ACCENT, scale);
}

/// Half way along a line, with its direction there.
fn middle(points: &[(f32, f32)]) -> Option<((f32, f32), (f32, f32))> {
    let length = |a: (f32, f32), b: (f32, f32)| (b.0 - a.0).hypot(b.1 - a.1);
    let pairs = || points.iter().copied().zip(points.iter().copied().skip(1));
    let mut left = pairs().map(|(a, b)| length(a, b)).sum::<f32>() / 2.0;
    for (a, b) in pairs() {
        let own = length(a, b);
        if own > 0.0 && left <= own {
            let along = ((b.0 - a.0) / own, (b.1 - a.1) / own);
            return Some(((a.0 + along.0 * left, a.1 + along.1 * left), along));
        }
        left -= own;
    }
    None
}

/// A name with numbers on a plate, kept within the canvas.
fn draw_words(
    canvas: &mut Canvas,
    text: &mut Text,
    (x, y): (f32, f32),
    words: &str,
    colour: u32,
    scale: f32,
) {
    let size = TEXT_SIZE * scale;
    let padding = (4.0 * scale).round();
    let (room, floor) = (canvas.width() as f32, canvas.height() as f32);
    let words = text.fit(words, size, room - 2.0 * padding);
    let (width, height) = (text.measure(&words, size).ceil() + 2.0 * padding, Text::line_height(size));
    let (x, y) = (x.round().min(room - width).max(0.0), y.round().min(floor - height).max(0.0));
    canvas.fill_rounded(Rect::new(x, y, width, height), 3.0 * scale, Paint::new(colour, 0.85));
    text.draw(canvas, x + padding, y, &words, size, Paint::solid(palette::text_on(colour)));
}

fn stroke(canvas: &mut Canvas, points: &[(f32, f32)], width: f32, colour: u32) {
    let points = |wider: f32, alpha: f32| -> Vec<StrokePoint> {
        points.iter().map(|&(x, y)| StrokePoint { x, y, alpha, width: width + wider }).collect()
    };
    canvas.stroke(&points(2.0, 0.4), DARK);
    canvas.stroke(&points(0.0, 1.0), colour);
}

/// Fills a polygon, row by row.
fn fill(canvas: &mut Canvas, corners: &[(f32, f32)], paint: Paint) {
    let (width, height) = (canvas.width() as f32, canvas.height() as f32);
    let ys = || corners.iter().map(|corner| corner.1);
    let first = ys().fold(f32::INFINITY, f32::min).clamp(0.0, height).floor() as usize;
    let last = ys().fold(f32::NEG_INFINITY, f32::max).clamp(0.0, height).ceil() as usize;
    let mut places = Vec::new();
    for row in first..last {
        let y = row as f32 + 0.5;
        places.clear();
        let ends = corners.iter().cycle().skip(1);
        places.extend(
            corners.iter().zip(ends).filter(|((_, y0), (_, y1))| (*y0 <= y) != (*y1 <= y)).map(
                |((x0, y0), (x1, y1))| (x0 + (y - y0) / (y1 - y0) * (x1 - x0)).clamp(0.0, width).round(),
            ),
        );
        places.sort_by(f32::total_cmp);
        for pair in places.chunks_exact(2) {
            if let [from, to] = *pair
                && to > from
            {
                canvas.fill(Rect::new(from, row as f32, to - from, 1.0), paint);
            }
        }
    }
}

/// The last events, the newest at the bottom, in the upper right corner. Gives where room is below them.
pub(super) fn draw_events(canvas: &mut Canvas, text: &mut Text, counts: &Counts, scale: f32) -> f32 {
    if counts.recent.is_empty() {
        return 0.0;
    }
    let rows: Vec<Row> = counts.recent.iter().map(row).collect();
    let size = TEXT_SIZE * scale;
    let layout = text_box::Layout::new(text, &rows, size, size * 13.0, canvas.width() as f32);
    let gap = (8.0 * scale).round();
    let x = (canvas.width() as f32 - layout.width - gap).max(0.0);
    layout.draw(canvas, text, x.round(), gap, &rows, LIGHT);
    gap + layout.height
}

/// The rules that hold now, a line each, at the right-hand edge below `top`.
pub(super) fn draw_rules(
    canvas: &mut Canvas,
    text: &mut Text,
    (rules, time): (&[RuleState], f64),
    top: f32,
    scale: f32,
) {
    let line = Text::line_height(TEXT_SIZE * scale);
    let gap = (8.0 * scale).round();
    for (index, words) in rules.iter().filter_map(|rule| rule_words(rule, time)).enumerate() {
        let y = top + gap + index as f32 * (line + gap / 2.0);
        if y + line > canvas.height() as f32 {
            break;
        }
        let padding = (4.0 * scale).round();
        let width = text.measure(&words, TEXT_SIZE * scale).ceil() + 2.0 * padding;
        // Of a long name the beginning is seen.
        let x = (canvas.width() as f32 - width - gap).max(0.0);
        draw_words(canvas, text, (x, y), &words, RED, scale);
    }
}

/// `somebody waits 7 s`, and how many where there are several; `None` where the rule does not hold.
fn rule_words(rule: &RuleState, time: f64) -> Option<String> {
    let since = rule.since.filter(|_| rule.active > 0)?;
    let several = if rule.active > 1 { format!("  {}×", rule.active) } else { String::new() };
    // It may be younger than a remembered frame.
    let lasted = if time >= since { format!("  {}", dwell(time - since)) } else { String::new() };
    Some(format!("{}{several}{lasted}", rule.name))
}

/// `1:23  person 5 in over door`.
fn row(event: &Event) -> Row {
    let detail = |name: &str| event.detail(name).and_then(Value::as_text).unwrap_or_default();
    let who = match event.track {
        Some(id) => format!("{} {id}", detail("class")),
        None => String::new(),
    };
    let dwell = event.detail("dwell").and_then(Value::as_number).map(dwell).unwrap_or_default();
    let words = match &*event.kind {
        "cross" => format!("{who} {} over {}", detail("direction"), detail("line")),
        "enter" => format!("{who} into {}", detail("zone")),
        "leave" => format!("{who} out of {} {dwell}", detail("zone")),
        other => format!("{other} {who}"),
    };
    Row::new(clock(event.time), words)
}

/// How long somebody stayed, in few letters: `7 s`, `1:05`.
pub(super) fn dwell(seconds: f64) -> String {
    let whole = seconds.max(0.0).floor();
    if whole < 60.0 {
        format!("{whole:.0} s")
    } else {
        format!("{:.0}:{:02.0}", (whole / 60.0).floor(), whole % 60.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: Vec<Point>) -> Counts {
        let line = LineCounts {
            name: "door".into(),
            points,
            crossed: Default::default(),
            speeds: Default::default(),
        };
        Counts { lines: vec![line], ..Counts::default() }
    }

    fn drawn(counts: &Counts) -> Canvas {
        let mut canvas = Canvas::new(200, 160);
        draw_places(&mut canvas, &mut Text::new(), &Mapping::identity(), counts, 1.0);
        canvas
    }

    #[test]
    fn the_arrow_points_to_the_side_that_is_in() {
        let accent = |canvas: &Canvas, x: usize, y: usize| canvas.pixels()[y * canvas.width() + x] == ACCENT;
        // From the left to the right: down is in.
        let down = drawn(&line(vec![[20.0, 80.0], [180.0, 80.0]]));
        assert!(accent(&down, 100, 95) && !accent(&down, 100, 65));
        let up = drawn(&line(vec![[180.0, 80.0], [20.0, 80.0]]));
        assert!(accent(&up, 100, 65) && !accent(&up, 100, 95));
    }

    #[test]
    fn a_zone_is_tinted_within_its_corners() {
        let zone = |occupancy| ZoneCounts {
            name: "square".into(),
            corners: vec![[20.0, 40.0], [180.0, 40.0], [180.0, 150.0]],
            occupancy,
            most: 0,
            presence: 0.0,
            seconds: 0.0,
            passed: Default::default(),
            dwell: Default::default(),
            longest_now: 0.0,
        };
        let blue = |occupancy: usize, x: usize, y: usize| {
            let canvas = drawn(&Counts { zones: vec![zone(occupancy)], ..Counts::default() });
            canvas.pixels()[y * canvas.width() + x] & 0xFF
        };
        assert!(blue(0, 160, 90) > 0 && blue(0, 40, 120) == 0);
        assert!(blue(2, 160, 90) > blue(0, 160, 90));
    }

    #[test]
    fn rules_that_hold_are_named_at_the_right_hand_edge() {
        let rule = |active: usize| RuleState {
            name: "waits".into(),
            active,
            since: (active > 0).then_some(4.0),
            started: 3,
        };
        assert_eq!(rule_words(&rule(0), 9.0), None);
        assert_eq!(rule_words(&rule(1), 11.5).as_deref(), Some("waits  7 s"));
        assert_eq!(rule_words(&rule(2), 69.0).as_deref(), Some("waits  2×  1:05"));
        let red = |active: usize| {
            let mut canvas = Canvas::new(200, 160);
            draw_rules(&mut canvas, &mut Text::new(), (&[rule(active)], 9.0), 40.0, 1.0);
            let is_red = |pixel: &u32| pixel >> 16 > 0x90 && pixel & 0xFF < 0x60;
            canvas
                .pixels()
                .iter()
                .enumerate()
                .filter(|(_, pixel)| is_red(pixel))
                .map(|(at, _)| at)
                .collect::<Vec<_>>()
        };
        assert!(red(0).is_empty());
        let (first, last) = (red(1)[0], *red(1).last().unwrap());
        assert!(
            first / 200 >= 40 && last / 200 < 80 && red(1).iter().all(|at| at % 200 > 90),
            "{first} {last}"
        );
    }

    #[test]
    fn events_are_told_in_words() {
        let event = Event::new(3, 83.4, "leave").of_track(5).with("zone", "square").with("class", "person");
        let told = row(&event.with("dwell", 65.2));
        assert_eq!(told, Row::new("1:23.4", "person 5 out of square 1:05"));
        assert_eq!((dwell(0.4), dwell(59.9), dwell(3599.0)), ("0 s".into(), "59 s".into(), "59:59".into()));
    }

    #[test]
    fn nothing_is_drawn_where_nothing_is_counted() {
        let mut canvas = drawn(&Counts::default());
        draw_events(&mut canvas, &mut Text::new(), &Counts::default(), 1.0);
        assert!(canvas.pixels().iter().all(|&pixel| pixel == 0));
        // Odd places do no harm.
        for points in
            [vec![], vec![[5.0, 5.0]], vec![[f32::NAN, 1.0], [2.0, f32::INFINITY]], vec![[3.0, 3.0]; 2]]
        {
            drawn(&line(points));
        }
    }
}
