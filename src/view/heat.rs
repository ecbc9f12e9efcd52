//! The heat map over the picture: where objects were for long.

use std::sync::LazyLock;

use super::blend::{mix, weight};
use super::canvas::{Canvas, Paint};
use super::mapping::Mapping;
use super::text::Text;
use super::theme::{LIGHT, TEXT_BOX, TEXT_SIZE};
use crate::geometry::Rect;
use crate::heat::HeatMap;

/// Colours from little to much: as in matplotlib's inferno, without its black end. Their lightness rises evenly, so that they
/// are told apart with any colour vision.
const COLOURS: [(f32, [f32; 3]); 5] = [
    (0.0, [40.0, 11.0, 84.0]),
    (0.3, [120.0, 28.0, 109.0]),
    (0.55, [200.0, 65.0, 66.0]),
    (0.8, [246.0, 140.0, 25.0]),
    (1.0, [252.0, 255.0, 164.0]),
];

/// How much of them lies over the picture, where there is little and where there is much.
const OPACITY: (f32, f32) = (0.35, 0.8);
/// Up to this level the colours come in.
const FIRST: f32 = 0.12;

/// A colour with its weight for each of 256 levels.
static LEVELS: LazyLock<Vec<(u32, u32)>> =
    LazyLock::new(|| (0..=255).map(|level| shade(level as f32 / 255.0)).collect());

fn shade(level: f32) -> (u32, u32) {
    let above = COLOURS.iter().position(|(at, _)| level <= *at).unwrap_or(COLOURS.len() - 1).max(1);
    let ((from, a), (to, b)) = (COLOURS[above - 1], COLOURS[above]);
    let share = ((level - from) / (to - from)).clamp(0.0, 1.0);
    let [r, g, b] = [0, 1, 2].map(|channel| (a[channel] + share * (b[channel] - a[channel])).round() as u8);
    let opacity = (OPACITY.0 + (OPACITY.1 - OPACITY.0) * level) * (level / FIRST).min(1.0);
    (u32::from_be_bytes([0, r, g, b]), weight(opacity))
}

/// The levels of the cells, from 0 to 1: evened out, so that ways are seen rather than cells, and the square root of the share of
/// the most, so that where one passes is seen beside where many stand. Also the seconds that are level 1.
fn levels(heat: &HeatMap) -> (Vec<Vec<f32>>, f32) {
    let mut rows: Vec<Vec<f32>> = heat.rows().map(Iterator::collect).collect();
    for _ in 0..2 {
        for row in &mut rows {
            smooth(row);
        }
        let columns = rows.first().map_or(0, Vec::len);
        let mut down = vec![0.0; rows.len()];
        for column in 0..columns {
            down.iter_mut().zip(&rows).for_each(|(value, row)| *value = row[column]);
            smooth(&mut down);
            down.iter().zip(&mut rows).for_each(|(value, row)| row[column] = *value);
        }
    }
    let highest = rows.iter().flatten().copied().fold(0.0, f32::max);
    if highest > 0.0 {
        rows.iter_mut().flatten().for_each(|value| *value = (*value / highest).max(0.0).sqrt());
    }
    (rows, highest)
}

/// Each value becomes half of itself and a quarter of each neighbour.
fn smooth(values: &mut [f32]) {
    let mut before = values.first().copied().unwrap_or_default();
    for index in 0..values.len() {
        let own = values[index];
        let next = values.get(index + 1).copied().unwrap_or(own);
        values[index] = 0.25 * before + 0.5 * own + 0.25 * next;
        before = own;
    }
}

/// Draws the heat map over the picture, and how much its brightest colour is.
pub(crate) fn draw_heat(canvas: &mut Canvas, text: &mut Text, mapping: &Mapping, heat: &HeatMap, scale: f32) {
    let (rows, most) = levels(heat);
    if most <= 0.0 {
        return;
    }
    let (columns, cell) = (rows.first().map_or(0, Vec::len), heat.cell() as f32);
    let (width, height) = heat.size();
    let (left, top) = mapping.to_canvas(0.0, 0.0);
    let (right, bottom) = mapping.to_canvas(width as f32, height as f32);
    let clip = |at: f32, most: usize| at.round().clamp(0.0, most as f32) as usize;
    let (from, to) = (clip(left, canvas.width()), clip(right, canvas.width()));
    let step = 1.0 / (mapping.scale as f32 * cell);
    let mut line = vec![0.0; columns];
    for y in clip(top, canvas.height())..clip(bottom, canvas.height()) {
        let (above, share) = between((y as f32 + 0.5 - top) * step - 0.5, rows.len());
        let below = (above + 1).min(rows.len() - 1);
        let pairs = rows[above].iter().zip(&rows[below]);
        line.iter_mut().zip(pairs).for_each(|(value, (a, b))| *value = 255.0 * (a + share * (b - a)));
        // Most of a picture is where nobody ever was.
        if line.iter().all(|value| *value <= 0.0) {
            continue;
        }
        for (pixel, x) in canvas.row_mut(y, from, to).iter_mut().zip(from..) {
            let (before, share) = between((x as f32 + 0.5 - left) * step - 0.5, columns);
            let (a, b) = (line[before], line[(before + 1).min(columns - 1)]);
            let (colour, weight) = LEVELS[(a + share * (b - a)).clamp(0.0, 255.0) as usize];
            if weight > 0 {
                *pixel = mix(*pixel, colour, weight);
            }
        }
    }
    draw_legend(canvas, text, &format!("up to {} in {cell:.0} × {cell:.0} px", seconds(most)), scale);
}

/// The cell before a place, and how far it is to the next one.
fn between(at: f32, count: usize) -> (usize, f32) {
    let at = at.clamp(0.0, count.saturating_sub(1) as f32);
    (at as usize, at.fract())
}

/// `0.4 s`, `12 s`, `3.5 min`, `2.1 h`.
fn seconds(seconds: f32) -> String {
    match seconds {
        ..10.0 => format!("{seconds:.1} s"),
        ..120.0 => format!("{seconds:.0} s"),
        ..7200.0 => format!("{:.1} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

/// The colours from little to much in the lower left corner, with what the last one means.
fn draw_legend(canvas: &mut Canvas, text: &mut Text, words: &str, scale: f32) {
    let size = TEXT_SIZE * scale;
    let (gap, bar) = ((8.0 * scale).round(), (90.0 * scale).round());
    let (width, height) = (bar + text.measure(words, size).ceil() + 3.0 * gap, Text::line_height(size) + gap);
    // Above the time line of a window.
    let top = (canvas.height() as f32 - height - 44.0 * scale).round().max(0.0);
    canvas.fill_rounded(Rect::new(gap, top, width, height), 4.0 * scale, TEXT_BOX);
    for step in 0..bar as usize {
        let (colour, _) = LEVELS[step * 255 / bar as usize];
        let column = Rect::new(2.0 * gap + step as f32, top + gap, 1.0, height - 2.0 * gap);
        canvas.fill(column, Paint::solid(colour));
    }
    text.draw(canvas, 3.0 * gap + bar, top + gap / 2.0, words, size, Paint::solid(LIGHT));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(heat: &HeatMap, mapping: &Mapping) -> Canvas {
        let mut canvas = Canvas::new(640, 360);
        canvas.clear(0x0040_4040);
        draw_heat(&mut canvas, &mut Text::new(), mapping, heat, 1.0);
        canvas
    }

    #[test]
    fn it_is_bright_where_somebody_stood_and_clear_where_nobody_was() {
        let mut heat = HeatMap::new((640, 360));
        heat.add(heat.cell_at((400.0, 100.0)), 30.0);
        heat.add(heat.cell_at((200.0, 100.0)), 3.0);
        let canvas = drawn(&heat, &Mapping::identity());
        let at = |x: usize, y: usize| canvas.pixels()[y * 640 + x];
        let red = |x, y| at(x, y) >> 16 & 0xFF;
        assert!(red(402, 102) > 180, "{:x}", at(402, 102));
        assert!((0x45..red(402, 102)).contains(&red(202, 102)), "{:x}", at(202, 102));
        assert_eq!(at(300, 200), 0x0040_4040);
        // Three times as large and moved, as in a zoomed window: the middle of the same pixel.
        let zoomed = drawn(&heat, &Mapping { scale: 3.0, left: -1000.0, top: -200.0 });
        assert_eq!(zoomed.pixels()[107 * 640 + 207], at(402, 102));
    }

    #[test]
    fn nothing_is_drawn_where_nobody_was_and_odd_sizes_do_no_harm() {
        let canvas = drawn(&HeatMap::new((640, 360)), &Mapping::identity());
        assert!(canvas.pixels().iter().all(|pixel| *pixel == 0x0040_4040));
        for size in [(1, 1), (2, 900), (5000, 3)] {
            let mut heat = HeatMap::new(size);
            heat.add((0, 0), 1.0);
            drawn(&heat, &Mapping { scale: 0.01, left: 1e9, top: f64::NAN });
            drawn(&heat, &Mapping::identity());
        }
    }
}
