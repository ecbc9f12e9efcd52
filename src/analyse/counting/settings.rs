//! What can be set about lines and zones.

use crate::geometry::{Polygon, Polyline, Rect};

/// After so many seconds a change in a zone counts that did not come past the band, beside the stay that is asked for.
pub(super) const PATIENCE: f64 = 1.0;

/// Which point of a box says where its object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BoxAnchor {
    /// The middle of its lower edge: feet, wheels.
    #[default]
    Bottom,
    /// Its centre.
    Center,
    /// The middle of its upper edge.
    Top,
}

impl BoxAnchor {
    /// The point in a picture of this size. Of a box that the picture's edge cuts, the part that is seen counts.
    pub(super) fn of(self, rect: &Rect, (width, height): (u32, u32)) -> (f32, f32) {
        let rect = rect.clipped(width as f32, height as f32).unwrap_or(*rect);
        let (x, y) = rect.center();
        match self {
            Self::Bottom => (x, rect.bottom()),
            Self::Center => (x, y),
            Self::Top => (x, rect.top),
        }
    }
}

/// What a line or a zone stays with when the camera moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FixedTo {
    /// The picture: it lies at the same pixels always.
    #[default]
    Screen,
    /// What is seen: it moves with the still world from frame to frame, as far as the camera's motion is known.
    Scene,
}

/// A `[[line]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct LineSettings {
    /// What it is called; no other line has this name.
    pub name: String,
    /// Where it lies, in shares of the picture's sides. `in` is towards the right-hand side of the way from the first point
    /// to the last, as it is seen on the screen.
    pub points: Polyline,
    /// Only objects of these classes count; empty: all.
    pub classes: Vec<String>,
    /// Which point of the box has to cross it.
    pub anchor: BoxAnchor,
    /// How far past the line that point has to come at most, as a share of the box's height: a box that trembles less is past
    /// it sooner.
    pub band: f32,
    /// For how long it has to stay on the other side, in seconds.
    pub stay_seconds: f64,
    /// The source that it belongs to: its name, a pattern (`*`, `?`), or its number from 1; empty: every source.
    pub source: String,
    /// What it stays with.
    pub fixed_to: FixedTo,
}

impl Default for LineSettings {
    fn default() -> Self {
        Self {
            name: "door".to_owned(),
            points: Polyline::across(),
            classes: Vec::new(),
            anchor: BoxAnchor::default(),
            band: 0.1,
            stay_seconds: 0.0,
            source: String::new(),
            fixed_to: FixedTo::default(),
        }
    }
}

/// A `[[zone]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct ZoneSettings {
    /// What it is called; no other zone has this name.
    pub name: String,
    /// Its corners, in shares of the picture's sides.
    pub corners: Polygon,
    /// Only objects of these classes count; empty: all.
    pub classes: Vec<String>,
    /// Which point of the box has to be in it.
    pub anchor: BoxAnchor,
    /// How far past its edge that point has to come, as a share of the box's height; nearer, it counts after a second.
    pub band: f32,
    /// For how long it has to stay inside, or outside, in seconds.
    pub stay_seconds: f64,
    /// The source that it belongs to, as [`LineSettings::source`].
    pub source: String,
    /// What it stays with.
    pub fixed_to: FixedTo,
}

impl Default for ZoneSettings {
    /// The lower half of the picture.
    fn default() -> Self {
        let half = Polygon::new(vec![(0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)]);
        Self {
            name: "square".to_owned(),
            corners: half.unwrap_or_else(Polygon::whole),
            classes: Vec::new(),
            anchor: BoxAnchor::default(),
            band: 0.05,
            stay_seconds: 0.2,
            source: String::new(),
            fixed_to: FixedTo::default(),
        }
    }
}

/// All lines and zones.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CountingSettings {
    /// The lines.
    pub lines: Vec<LineSettings>,
    /// The zones.
    pub zones: Vec<ZoneSettings>,
}

impl CountingSettings {
    /// Whether there is nothing to count at.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.zones.is_empty()
    }

    /// Whether one of them counts some classes only.
    pub fn names_classes(&self) -> bool {
        self.lines.iter().any(|line| !line.classes.is_empty())
            || self.zones.iter().any(|zone| !zone.classes.is_empty())
    }

    /// The lines and zones of one source, by its name and its number among the sources of the run, from 1.
    pub fn of_source(&self, name: &str, number: usize) -> Self {
        let is_of = |wanted: &str| is_of_source(wanted, name, number);
        Self {
            lines: self.lines.iter().filter(|line| is_of(&line.source)).cloned().collect(),
            zones: self.zones.iter().filter(|zone| is_of(&zone.source)).cloned().collect(),
        }
    }
}

/// Whether a source is the one that is wanted: by its name, a pattern, or its number from 1; "" stands for every source.
pub(in crate::analyse) fn is_of_source(wanted: &str, name: &str, number: usize) -> bool {
    wanted.is_empty() || wanted.parse() == Ok(number) || matches(&wanted.to_lowercase(), &name.to_lowercase())
}

/// Whether a text is as a pattern says: `*` stands for any letters, `?` for one.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut of, mut star) = (0, 0, None);
    while of < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, of));
                at += 1;
            }
            Some(&letter) if letter == '?' || Some(&letter) == text.get(of) => {
                at += 1;
                of += 1;
            }
            // The last star takes one letter more.
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    (at, of) = (place + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_named_by_name_number_or_pattern() {
        let line = |source: &str| LineSettings { source: source.to_owned(), ..LineSettings::default() };
        let settings = |source: &str| CountingSettings { lines: vec![line(source)], zones: Vec::new() };
        for source in ["", "2", "Gate.mp4", "gate*", "*.mp4", "ga?e.mp4", "*", "**e*4"] {
            assert!(!settings(source).of_source("gate.mp4", 2).is_empty(), "{source}");
        }
        for source in ["1", "gate", "gate?", "*.avi", "?", "gate.mp4 "] {
            assert!(settings(source).of_source("gate.mp4", 2).is_empty(), "{source}");
        }
    }

    #[test]
    fn the_seen_part_of_a_box_has_the_anchor() {
        let size = (100, 80);
        let whole = Rect::new(10.0, 20.0, 20.0, 40.0);
        assert_eq!(BoxAnchor::Bottom.of(&whole, size), (20.0, 60.0));
        assert_eq!(BoxAnchor::Top.of(&whole, size), (20.0, 20.0));
        let cut = Rect::new(-20.0, 40.0, 40.0, 100.0);
        assert_eq!(BoxAnchor::Bottom.of(&cut, size), (10.0, 80.0));
        assert_eq!(BoxAnchor::Center.of(&cut, size), (10.0, 60.0));
        let outside = Rect::new(200.0, 0.0, 10.0, 10.0);
        assert_eq!(BoxAnchor::Center.of(&outside, size), (205.0, 5.0));
    }
}
