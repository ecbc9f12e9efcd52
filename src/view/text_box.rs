//! A dark translucent box with rows of a name and a value: HUD, track details and help are made of it.

use std::borrow::Cow;

use super::canvas::{Canvas, Paint};
use super::text::Text;
use super::theme::{QUIET, TEXT_BOX};
use crate::geometry::Rect;

/// One row of a text box.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    name: Cow<'static, str>,
    value: Cow<'static, str>,
    /// The colour of the name.
    colour: u32,
    /// The name goes across both columns.
    wide: bool,
}

impl Row {
    /// A value with its name.
    pub(crate) fn new(name: impl Into<Cow<'static, str>>, value: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), value: value.into(), colour: QUIET, wide: false }
    }

    /// A line across both columns.
    pub(crate) fn title(text: impl Into<Cow<'static, str>>, colour: u32) -> Self {
        Self { name: text.into(), value: "".into(), colour, wide: true }
    }

    /// The name in another colour.
    pub(crate) fn tinted(self, colour: u32) -> Self {
        Self { colour, ..self }
    }
}

/// The measures of a text box. Its width depends on the names and on `values`, hardly on the current numbers, so that
/// the box does not move while they change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// Of the whole box, in pixels.
    pub(crate) width: f32,
    /// Of the whole box, in pixels.
    pub(crate) height: f32,
    size: f32,
    padding: f32,
    names: f32,
    line: f32,
}

impl Layout {
    /// Measures `rows` at letters of `size` pixels an em. The column of the values is at least `values` pixels wide
    /// (and as much wider as one needs), the box at most `room`.
    pub(crate) fn new(text: &mut Text, rows: &[Row], size: f32, values: f32, room: f32) -> Self {
        let padding = (size * 0.7).round();
        let (mut names, mut widest, mut titles) = (0f32, values, 0f32);
        for row in rows {
            let name = text.measure(&row.name, size);
            if row.wide {
                titles = titles.max(name);
            } else {
                names = names.max(name);
                widest = widest.max(text.measure(&row.value, size));
            }
        }
        let names = (names + size).ceil();
        let inner = titles.max(names + widest).ceil();
        let line = (size * 1.45).round();
        let width = (inner + 2.0 * padding).min(room.floor()).max(1.0);
        Self {
            width,
            height: line * rows.len() as f32 + 2.0 * padding - line + size.ceil(),
            size,
            padding,
            names,
            line,
        }
    }

    /// Draws the box with its top-left corner at (`x`, `y`).
    pub(crate) fn draw(&self, canvas: &mut Canvas, text: &mut Text, x: f32, y: f32, rows: &[Row], ink: u32) {
        canvas.fill_rounded(Rect::new(x, y, self.width, self.height), self.size * 0.35, TEXT_BOX);
        let (left, room) = (x + self.padding, self.width - 2.0 * self.padding);
        // The line box is a little taller than its letters: half of it above.
        let mut top = y + self.padding - (Text::line_height(self.size) - self.size) * 0.75;
        for row in rows {
            let name = text.fit(&row.name, self.size, if row.wide { room } else { self.names });
            text.draw(canvas, left, top, &name, self.size, Paint::solid(row.colour));
            if !row.wide {
                let value = text.fit(&row.value, self.size, room - self.names);
                text.draw(canvas, left + self.names, top, &value, self.size, Paint::solid(ink));
            }
            top += self.line;
        }
    }
}
