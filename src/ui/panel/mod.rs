//! The panel of settings at the right of the window: rows that keys and mouse change while the effect is visible, and
//! above them a histogram of the detector's scores. The panel knows no settings: rows go in, commands come out.

use super::event::{Event, NamedKey};
use crate::geometry::Rect;
use crate::view::theme::{ACCENT, BLUE, LIGHT, PANEL_BOX, QUIET, TEXT_SIZE};
use crate::view::{Canvas, Paint, Text, histogram};

/// Letters are not made smaller than this to fit more rows (pixels an em); then the rows scroll.
const SMALLEST: f32 = 9.5;
/// A change with shift is so many steps.
const LEAP: i32 = 10;

/// How the value of a row can be changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Control {
    /// Anywhere within its range; how far along it is, `0.0..=1.0`.
    Slider(f32),
    /// From one word to the next.
    Choice,
    /// Only shown.
    Shown,
}

/// One setting, as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelRow {
    /// Its full name, by which commands name it.
    pub path: &'static str,
    /// Its short name.
    pub label: &'static str,
    /// Its value.
    pub value: String,
    /// The unit of its value, or nothing.
    pub unit: &'static str,
    /// How it can be changed.
    pub control: Control,
    /// Changed here, and not yet written.
    pub changed: bool,
    /// Where its value came from.
    pub origin: String,
    /// What it means.
    pub comment: &'static str,
}

/// What the panel shows at one moment.
#[derive(Debug, Clone, Copy)]
pub struct PanelData<'a> {
    /// The rows.
    pub rows: &'a [PanelRow],
    /// The scores of the detections in the newest frame.
    pub scores: &'a [f32],
    /// The score from which an object is reported.
    pub threshold: Option<f32>,
    /// The score from which a detection helps to continue known tracks.
    pub weak: Option<f32>,
}

/// What the program has to do. Keys are named by [`PanelRow::path`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PanelCommand {
    /// Change a value by so many of its steps.
    Steps(&'static str, i32),
    /// Put a value this far along its range, `0.0..=1.0`.
    Share(&'static str, f32),
    /// Take a change back.
    Reset(&'static str),
    /// Write all changes into the config file.
    Write,
}

/// The panel's response to an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PanelAnswer {
    /// The event is not for the panel; the window may use it.
    Ignored,
    /// The panel has handled the event.
    Taken,
    /// The program has to do this.
    Do(PanelCommand),
}

/// Where a row was last drawn.
#[derive(Debug, Clone, Copy)]
struct Place {
    row: usize,
    path: &'static str,
    control: Control,
    /// The whole row.
    rect: Rect,
    /// Its slider.
    slider: Rect,
}

/// The state of the panel.
#[derive(Debug, Default)]
pub struct Panel {
    selected: usize,
    /// The first row that is shown.
    first: usize,
    /// Of the rows that were last drawn.
    count: usize,
    places: Vec<Place>,
    /// The name of the row whose slider is being dragged.
    drag: Option<Place>,
    /// Where the panel was last drawn.
    area: Option<Rect>,
    /// The fraction of a notch of the wheel that is not used yet.
    wheel: f32,
}

impl Panel {
    /// The first row is chosen.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which row is chosen.
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// Whether a point lies on the panel as it was last drawn.
    pub fn covers(&self, x: f32, y: f32) -> bool {
        self.area.is_some_and(|area| area.contains(x, y))
    }

    /// Answers to an event.
    pub fn handle(&mut self, event: Event) -> PanelAnswer {
        use PanelAnswer::{Do, Ignored, Taken};
        let chosen = self.places.iter().find(|place| place.row == self.selected).copied();
        match event {
            Event::Key { key: NamedKey::Up, .. } => {
                self.choose(self.selected.checked_sub(1).unwrap_or(self.count.saturating_sub(1)))
            }
            Event::Key { key: NamedKey::Down, .. } => self.choose((self.selected + 1) % self.count.max(1)),
            Event::Key { key: NamedKey::Left, shift } => return by(chosen, if shift { -LEAP } else { -1 }),
            Event::Key { key: NamedKey::Right, shift } => return by(chosen, if shift { LEAP } else { 1 }),
            Event::Char(typed) => return letter(typed, chosen),
            Event::MouseDown { x, y } => {
                if !self.covers(x, y) {
                    return Ignored;
                }
                let Some(place) = self.places.iter().find(|place| place.rect.contains(x, y)).copied() else {
                    return Taken;
                };
                self.choose(place.row);
                if x < place.slider.left - place.rect.height * 0.5 {
                    return Taken;
                }
                match place.control {
                    Control::Slider(_) => {
                        self.drag = Some(place);
                        return Do(along(&place, x));
                    }
                    Control::Choice => {
                        let back = x < (place.slider.left + place.rect.right()) / 2.0;
                        return by(Some(place), if back { -1 } else { 1 });
                    }
                    Control::Shown => {}
                }
            }
            Event::MouseMove { x, y } => match self.drag {
                Some(place) => return Do(along(&place, x)),
                None if !self.covers(x, y) => return Ignored,
                None => {}
            },
            Event::MouseUp { .. } => return if self.drag.take().is_some() { Taken } else { Ignored },
            Event::Wheel { x, y, steps } => {
                if !self.covers(x, y) {
                    return Ignored;
                }
                if let Some(place) = self.places.iter().find(|place| place.rect.contains(x, y)).copied() {
                    self.choose(place.row);
                    self.wheel += steps.clamp(-20.0, 20.0);
                    let whole = self.wheel.trunc();
                    self.wheel -= whole;
                    if whole != 0.0 {
                        return by(Some(place), whole as i32);
                    }
                }
            }
            Event::Escape | Event::Key { .. } | Event::Resize(..) | Event::Close => return Ignored,
        }
        Taken
    }

    fn choose(&mut self, row: usize) {
        self.selected = row;
    }

    /// Draws the panel at the right edge. `scale` 1 means letters of 12 pixels; where the canvas is too low for all rows
    /// they are smaller, and where that is not enough the rows scroll.
    pub fn draw(&mut self, canvas: &mut Canvas, text: &mut Text, data: &PanelData, scale: f32) {
        let (width, height) = (canvas.width() as f32, canvas.height() as f32);
        let margin = (8.0 * scale).round();
        let room = (height - 2.0 * margin).max(1.0);
        self.count = data.rows.len();
        self.selected = self.selected.min(self.count.saturating_sub(1));

        let wished = TEXT_SIZE * scale * 0.92;
        let size = wished.min(room / Ems::all(self.count)).max(SMALLEST.min(wished));
        let ems = Ems::new(size);
        let shown = (((room - ems.rest()) / ems.row).floor().max(1.0) as usize).min(self.count);
        // As little as keeps the chosen row in sight.
        self.first = self.first.clamp((self.selected + 1).saturating_sub(shown.max(1)), self.selected);
        self.first = self.first.min(self.count - shown);

        let area_width = (size * 33.0).min(width - 2.0 * margin).max(1.0);
        let area_height = ems.rest() + shown as f32 * ems.row;
        let area = Rect::new((width - margin - area_width).round(), margin, area_width, area_height);
        self.area = Some(area);
        canvas.fill_rounded(area, size * 0.35, PANEL_BOX);

        let left = area.left + ems.padding;
        let inner = area.width - 2.0 * ems.padding;
        let mut y = area.top + ems.padding;
        self.title(canvas, text, data, (left, y, inner), &ems);
        y += ems.row;
        let bars = Rect::new(left, y, inner, ems.bars);
        histogram::draw(canvas, bars, data.scores, data.threshold, data.weak, scale);
        y += ems.bars + ems.gap;

        self.places.clear();
        for (row, data) in data.rows.iter().enumerate().skip(self.first).take(shown) {
            let rect = Rect::new(area.left, y, area.width, ems.row);
            let place = self.row(canvas, text, row, data, rect, &ems);
            self.places.push(place);
            y += ems.row;
        }
        let hidden = self.count - shown;
        if hidden > 0 {
            let track = Rect::new(
                area.right() - size * 0.35,
                y - shown as f32 * ems.row,
                size * 0.2,
                shown as f32 * ems.row,
            );
            let (count, part) = (self.count as f32, shown as f32 * ems.row);
            let thumb = Rect::new(
                track.left,
                track.top + part * self.first as f32 / count,
                track.width,
                part * shown as f32 / count,
            );
            canvas.fill_rounded(thumb, size, Paint::new(LIGHT, 0.4));
        }
        if let Some(chosen) = data.rows.get(self.selected) {
            foot(canvas, text, chosen, (left, y + ems.gap, inner), &ems);
        }
    }

    fn title(&self, canvas: &mut Canvas, text: &mut Text, data: &PanelData, at: (f32, f32, f32), ems: &Ems) {
        let (left, y, inner) = at;
        let changed = data.rows.iter().filter(|row| row.changed).count();
        let name = match changed {
            0 => "Settings".to_owned(),
            1 => "Settings, 1 changed".to_owned(),
            some => format!("Settings, {some} changed"),
        };
        let end = text.draw(canvas, left, y, &name, ems.size, Paint::solid(LIGHT));
        let counted = data.scores.iter().filter(|&&score| data.threshold.is_some_and(|t| score >= t)).count();
        let told = format!("{counted} of {} detections count", data.scores.len());
        let told = text.fit(&told, ems.size * 0.9, left + inner - end - ems.size);
        let x = left + inner - text.measure(&told, ems.size * 0.9);
        text.draw(canvas, x, y + ems.size * 0.08, &told, ems.size * 0.9, Paint::solid(QUIET));
    }

    fn row(
        &self,
        canvas: &mut Canvas,
        text: &mut Text,
        row: usize,
        data: &PanelRow,
        rect: Rect,
        ems: &Ems,
    ) -> Place {
        let size = ems.size;
        let chosen = row == self.selected;
        if chosen {
            let bar = Rect::new(rect.left + size * 0.3, rect.top, rect.width - size * 0.6, rect.height);
            canvas.fill_rounded(bar, size * 0.3, Paint::new(LIGHT, 0.14));
        }
        let top = rect.top + ((rect.height - Text::line_height(size)) / 2.0).round();
        let middle = rect.top + rect.height / 2.0;
        if data.changed {
            let dot = (size * 0.42).max(3.0);
            let dot = Rect::new(rect.left + ems.padding - dot * 1.1, middle - dot / 2.0, dot, dot);
            canvas.fill_rounded(dot, dot.width / 2.0, Paint::solid(ACCENT));
        }
        let ink = match (data.changed, chosen) {
            (true, _) => ACCENT,
            (false, true) => LIGHT,
            (false, false) => QUIET,
        };
        let left = rect.left + ems.padding + size * 0.3;
        let inner = rect.width - 2.0 * ems.padding;
        let (names, values) = (inner * 0.36, inner * 0.19);
        let label = text.fit(data.label, size, names - size * 0.5);
        text.draw(canvas, left, top, &label, size, Paint::solid(ink));

        let slider =
            Rect::new(left + names, middle - size * 0.2, inner - names - values - size * 0.6, size * 0.4);
        let value = match data.unit {
            "" => data.value.clone(),
            unit => format!("{} {unit}", data.value),
        };
        let right = rect.right() - ems.padding;
        let value_ink = Paint::solid(if data.changed { ACCENT } else { LIGHT });
        match data.control {
            Control::Slider(share) => {
                let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
                let filled = Rect { width: slider.width * share, ..slider };
                canvas.fill_rounded(slider, size * 0.2, Paint::new(LIGHT, 0.18));
                let colour = if data.changed { ACCENT } else { BLUE };
                canvas.fill_rounded(filled, size * 0.2, Paint::new(colour, 0.85));
                let knob =
                    Rect::new(filled.right() - size * 0.32, middle - size * 0.32, size * 0.64, size * 0.64);
                canvas.fill_rounded(knob, size * 0.32, Paint::solid(if chosen { LIGHT } else { QUIET }));
                let value = text.fit(&value, size, values);
                let x = right - text.measure(&value, size);
                text.draw(canvas, x, top, &value, size, value_ink);
            }
            Control::Choice | Control::Shown => {
                let is_choice = data.control == Control::Choice;
                let ends = if is_choice { size * 1.2 } else { 0.0 };
                let value = text.fit(&value, size, right - slider.left - 2.0 * ends);
                let x = right - ends - text.measure(&value, size);
                text.draw(canvas, x, top, &value, size, value_ink);
                if is_choice {
                    let arrows = Paint::new(LIGHT, if chosen { 1.0 } else { 0.5 });
                    text.draw(canvas, x - size, top, "‹", size, arrows);
                    text.draw(canvas, right - size * 0.5, top, "›", size, arrows);
                }
            }
        }
        Place { row, path: data.path, control: data.control, rect, slider }
    }
}

/// The description of the chosen row, and the keys.
fn foot(canvas: &mut Canvas, text: &mut Text, chosen: &PanelRow, at: (f32, f32, f32), ems: &Ems) {
    let (left, mut y, inner) = at;
    let small = ems.size * 0.92;
    canvas.fill(Rect::new(left, y - ems.gap / 2.0, inner, 1.0), Paint::new(LIGHT, 0.25));
    let mut rest = chosen.comment;
    for line in 0..COMMENT_LINES {
        let last = line + 1 == COMMENT_LINES;
        let (head, tail) = if last { (rest, "") } else { break_line(text, rest, small, inner) };
        let head = text.fit(head, small, inner);
        text.draw(canvas, left, y, &head, small, Paint::solid(LIGHT));
        (rest, y) = (tail, y + ems.line);
    }
    let origin = format!("{}: {}", chosen.path, chosen.origin);
    for (line, ink) in [(origin.as_str(), QUIET), (KEYS, QUIET)] {
        let line = text.fit(line, small, inner);
        text.draw(canvas, left, y, &line, small, Paint::solid(ink));
        y += ems.line;
    }
}

/// Lines for what the chosen row means.
const COMMENT_LINES: usize = 2;
/// The keys, in one line.
const KEYS: &str = "↑↓ choose  ←→ change (shift ×10)  z reset  w write  Tab close";

/// The text up to the last space at which it fits, and the rest.
fn break_line<'t>(text: &mut Text, line: &'t str, size: f32, room: f32) -> (&'t str, &'t str) {
    if text.measure(line, size) <= room {
        return (line, "");
    }
    let breaks = line.match_indices(' ').map(|(index, _)| index);
    let fitting = breaks.take_while(|&index| text.measure(&line[..index], size) <= room).last();
    fitting.map_or((line, ""), |index| (&line[..index], &line[index + 1..]))
}

/// The measures of the panel in pixels, from the size of its letters.
struct Ems {
    size: f32,
    padding: f32,
    row: f32,
    line: f32,
    bars: f32,
    gap: f32,
}

impl Ems {
    fn new(size: f32) -> Self {
        Self {
            size,
            padding: (size * 0.9).round(),
            row: (size * 1.5).round(),
            line: (size * 1.35).round(),
            bars: (size * 3.2).round(),
            gap: (size * 0.8).round(),
        }
    }

    /// Everything but the rows.
    fn rest(&self) -> f32 {
        2.0 * self.padding + self.row + self.bars + 2.0 * self.gap + (COMMENT_LINES + 2) as f32 * self.line
    }

    /// The height with this many rows, in ems; roundings included.
    fn all(rows: usize) -> f32 {
        let one = Self::new(100.0);
        (one.rest() + rows as f32 * one.row) / 100.0 * 1.04
    }
}

fn by(place: Option<Place>, steps: i32) -> PanelAnswer {
    match place {
        Some(place) if place.control != Control::Shown => {
            PanelAnswer::Do(PanelCommand::Steps(place.path, steps))
        }
        _ => PanelAnswer::Taken,
    }
}

fn along(place: &Place, x: f32) -> PanelCommand {
    let share = (x - place.slider.left) / place.slider.width.max(1.0);
    PanelCommand::Share(place.path, if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 })
}

fn letter(typed: char, chosen: Option<Place>) -> PanelAnswer {
    match (typed.to_ascii_lowercase(), chosen) {
        ('w', _) => PanelAnswer::Do(PanelCommand::Write),
        ('z', Some(place)) => PanelAnswer::Do(PanelCommand::Reset(place.path)),
        (digit @ '0'..='9', Some(place)) if matches!(place.control, Control::Slider(_)) => {
            let tenths = digit.to_digit(10).unwrap_or(0) as f32;
            PanelAnswer::Do(PanelCommand::Share(place.path, tenths / 10.0))
        }
        _ => PanelAnswer::Ignored,
    }
}

#[cfg(test)]
mod tests;
