//! Text from the two bundled fonts, drawn letter by letter from a cache of glyphs.
//!
//! Left to right, without shaping: letters that change with their neighbours (Arabic, Indic) are shown in their plain
//! form. A letter that neither font has is shown as an empty box, so that any label draws something.

use std::borrow::Cow;
use std::collections::HashMap;

use ab_glyph::{Font, FontRef, Glyph as PlacedGlyph, GlyphId, PxScale, point};

use super::canvas::{Canvas, Paint};

/// DejaVu Sans: Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew, Arabic, symbols.
const DEJAVU: &[u8] = include_bytes!("../../assets/fonts/DejaVuSans.ttf");
/// WenQuanYi Micro Hei: Chinese, Japanese, Korean; only the letters that DejaVu Sans lacks.
const MICRO_HEI: &[u8] = include_bytes!("../../assets/fonts/wqy-microhei-cjk.ttf");

/// The smallest size drawn, in pixels an em.
const MIN_SIZE: f32 = 4.0;
/// The largest size drawn, in pixels an em.
const MAX_SIZE: f32 = 256.0;
/// Glyphs kept at most; beyond it the cache starts anew.
const MAX_GLYPHS: usize = 4096;
/// Bytes of coverage kept at most.
const MAX_COVERAGE: usize = 4 << 20;
/// A letter starts on a quarter of a pixel: nearer than the eye sees, and few enough to cache.
const STEPS: f32 = 4.0;

/// Where a letter comes from.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// Takes no room: control and formatting characters.
    Nothing,
    /// A glyph of one of the fonts.
    Glyph { font: usize, id: GlyphId },
    /// Neither font has it.
    Box,
}

/// A letter of the text in unscaled form.
#[derive(Debug, Clone, Copy)]
struct Letter {
    shape: Shape,
    /// To the next letter, in ems.
    advance: f32,
}

/// The coverage of a letter at one size and one fraction of a pixel.
#[derive(Debug)]
struct Glyph {
    /// From the pen to the left column.
    left: i32,
    /// From the baseline to the top row (negative: above).
    top: i32,
    width: usize,
    coverage: Vec<u8>,
}

/// Measures and draws text. Costs a few kilobytes until it has drawn something.
#[derive(Debug)]
pub struct Text {
    fonts: Vec<FontRef<'static>>,
    letters: HashMap<char, Letter>,
    glyphs: HashMap<(char, u32, u8), Glyph>,
    coverage: usize,
}

impl Default for Text {
    fn default() -> Self {
        Self::new()
    }
}

impl Text {
    /// Reads the bundled fonts.
    pub fn new() -> Self {
        // A font that cannot be read costs its letters (boxes are drawn) and not the program; a test reads both.
        let read = |data| FontRef::try_from_slice_and_index(data, 0).ok();
        let fonts = [DEJAVU, MICRO_HEI].into_iter().filter_map(read).collect();
        Self { fonts, letters: HashMap::new(), glyphs: HashMap::new(), coverage: 0 }
    }

    /// How wide the text is at this size, in pixels.
    pub fn measure(&mut self, text: &str, size: f32) -> f32 {
        let size = usable(size);
        text.chars().map(|letter| self.letter(letter).advance * size).sum()
    }

    /// From the top of the tallest letters to the bottom of the lowest at this size, in pixels, rounded up.
    pub fn line_height(size: f32) -> f32 {
        (usable(size) * 1.2).ceil()
    }

    /// The text, or as much of its beginning as fits into `room` pixels, with an ellipsis.
    pub fn fit<'t>(&mut self, text: &'t str, size: f32, room: f32) -> Cow<'t, str> {
        let size = usable(size);
        let ellipsis = self.measure("…", size);
        let (mut width, mut cut) = (0.0, 0);
        for (index, letter) in text.char_indices() {
            width += self.letter(letter).advance * size;
            if width > room {
                return format!("{}…", text[..cut].trim_end()).into();
            }
            if width + ellipsis <= room {
                cut = index + letter.len_utf8();
            }
        }
        text.into()
    }

    /// Draws one line of text; `x` is its left end and `y` the top of its line (see [`Text::line_height`]), in pixels of
    /// the canvas. `size` is in pixels an em. Returns where the next letter would begin.
    pub fn draw(&mut self, canvas: &mut Canvas, x: f32, y: f32, text: &str, size: f32, paint: Paint) -> f32 {
        let size = usable(size);
        let end = canvas.width() as f32;
        if !x.is_finite() || !y.is_finite() {
            return x;
        }
        // The baseline lies on a whole pixel: letters keep their sharp feet.
        let baseline = (y + size * 0.93).round() as i64;
        let mut pen = x;
        for letter in text.chars() {
            if pen > end {
                break;
            }
            let advance = self.letter(letter).advance * size;
            // Far to the left: nothing to see, and no reason to fill the cache.
            if pen + advance + size >= 0.0 {
                let step = (pen * STEPS).round() / STEPS;
                let fraction = ((step - step.floor()) * STEPS) as u8;
                if let Some(glyph) = self.glyph(letter, size, fraction) {
                    let (left, top) = (step.floor() as i64 + i64::from(glyph.left), i64::from(glyph.top));
                    canvas.stamp(left, baseline.saturating_add(top), glyph.width, &glyph.coverage, paint);
                }
            }
            pen += advance;
        }
        pen
    }

    /// Which font has the letter, and how wide it is.
    fn letter(&mut self, letter: char) -> Letter {
        if let Some(&known) = self.letters.get(&letter) {
            return known;
        }
        if self.letters.len() >= MAX_GLYPHS {
            self.letters.clear();
        }
        let found = self.look_up(letter);
        self.letters.insert(letter, found);
        found
    }

    fn look_up(&self, letter: char) -> Letter {
        if matches!(letter, '\t' | '\n' | '\r' | '\u{A0}') {
            return self.look_up(' ');
        }
        if letter.is_control() || is_format(letter) {
            return Letter { shape: Shape::Nothing, advance: 0.0 };
        }
        for (font, face) in self.fonts.iter().enumerate() {
            let id = face.glyph_id(letter);
            if id.0 != 0 {
                let em = face.units_per_em().unwrap_or(1000.0);
                let advance = (face.h_advance_unscaled(id) / em).clamp(0.0, 4.0);
                return Letter { shape: Shape::Glyph { font, id }, advance };
            }
        }
        Letter { shape: Shape::Box, advance: 0.7 }
    }

    /// The coverage of a letter, from the cache; `None` where there is nothing to see.
    fn glyph(&mut self, letter: char, size: f32, fraction: u8) -> Option<&Glyph> {
        let key = (letter, (size * 4.0) as u32, fraction);
        if !self.glyphs.contains_key(&key) {
            let glyph = self.rasterise(letter, size, f32::from(fraction) / STEPS);
            if self.glyphs.len() >= MAX_GLYPHS || self.coverage + glyph.coverage.len() > MAX_COVERAGE {
                self.glyphs.clear();
                self.coverage = 0;
            }
            self.coverage += glyph.coverage.len();
            self.glyphs.insert(key, glyph);
        }
        self.glyphs.get(&key).filter(|glyph| glyph.width > 0)
    }

    fn rasterise(&mut self, letter: char, size: f32, fraction: f32) -> Glyph {
        match self.letter(letter).shape {
            Shape::Nothing => Glyph { left: 0, top: 0, width: 0, coverage: Vec::new() },
            Shape::Box => empty_box(size),
            Shape::Glyph { font, id } => self.outline(font, id, size, fraction).unwrap_or(Glyph {
                left: 0,
                top: 0,
                width: 0,
                coverage: Vec::new(),
            }),
        }
    }

    fn outline(&self, font: usize, id: GlyphId, size: f32, fraction: f32) -> Option<Glyph> {
        let face = self.fonts.get(font)?;
        // ab_glyph scales by the font's whole height, not by its em.
        let scale = size * face.height_unscaled() / face.units_per_em()?;
        let placed = PlacedGlyph { id, scale: PxScale::from(scale), position: point(fraction, 0.0) };
        let outlined = face.outline_glyph(placed)?;
        let bounds = outlined.px_bounds();
        let (width, height) = (bounds.width() as usize, bounds.height() as usize);
        let mut coverage = vec![0; width * height];
        outlined.draw(|x, y, covered| {
            if let Some(pixel) = coverage.get_mut(y as usize * width + x as usize) {
                *pixel = (covered.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
            }
        });
        Some(Glyph { left: bounds.min.x as i32, top: bounds.min.y as i32, width, coverage })
    }
}

/// A size that can be drawn, in steps of a quarter of a pixel; what is not a number is the smallest.
fn usable(size: f32) -> f32 {
    if size.is_nan() { MIN_SIZE } else { (size.clamp(MIN_SIZE, MAX_SIZE) * 4.0).round() / 4.0 }
}

/// Invisible characters that control text: joiners, direction marks, variation selectors, tags.
fn is_format(letter: char) -> bool {
    matches!(letter,
        '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E0FFF}')
}

/// The hollow box for a letter that no font has.
fn empty_box(size: f32) -> Glyph {
    let (width, height) = ((size * 0.55).round().max(3.0) as usize, (size * 0.73).round().max(3.0) as usize);
    let thick = ((size / 16.0).round() as usize).max(1);
    let edge = |at: usize, length: usize| at < thick || at + thick >= length;
    let coverage = (0..width * height)
        .map(|index| if edge(index % width, width) || edge(index / width, height) { 255 } else { 0 })
        .collect();
    Glyph { left: (size * 0.075).round() as i32, top: -(height as i32), width, coverage }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many pixels a text touches, and the leftmost and rightmost of them.
    fn inked(text: &mut Text, line: &str, size: f32) -> (usize, usize, usize) {
        let mut canvas = Canvas::new(600, 60);
        text.draw(&mut canvas, 10.0, 5.0, line, size, Paint::solid(0xFFFFFF));
        let columns: Vec<usize> =
            (0..canvas.pixels().len()).filter(|&i| canvas.pixels()[i] > 0).map(|i| i % 600).collect();
        let (first, last) = (columns.iter().min().copied(), columns.iter().max().copied());
        (columns.len(), first.unwrap_or(0), last.unwrap_or(0))
    }

    #[test]
    fn both_fonts_are_read() {
        assert_eq!(Text::new().fonts.len(), 2);
    }

    #[test]
    fn every_script_draws_something_and_most_have_their_letters() {
        let mut text = Text::new();
        for line in [
            "person",
            "Fußgänger",
            "piéton",
            "пешеход",
            "πεζός",
            "հետիոտն",
            "הולך רגל",
            "مشاة",
            "ფეხით",
            "行人",
            "歩行者",
            "ひと",
            "カタカナ",
            "보행자",
        ] {
            for letter in line.chars() {
                let shape = text.letter(letter).shape;
                assert!(matches!(shape, Shape::Glyph { .. }), "{line}: {letter} is {shape:?}");
            }
            assert!(inked(&mut text, line, 16.0).0 > 30, "{line}");
        }
        for line in ["पैदल", "คนเดินเท้า", "🚶‍♀️", "\u{10FFFF}", "\u{E000}"]
        {
            assert!(inked(&mut text, line, 16.0).0 > 20, "{line}");
        }
    }

    #[test]
    fn control_characters_take_no_room() {
        let mut text = Text::new();
        let plain = text.measure("ab", 20.0);
        assert_eq!(text.measure("a\u{0}\u{7}\u{1b}\u{202e}\u{200d}\u{fe0f}b\u{7f}\u{9b}", 20.0), plain);
        assert_eq!(text.measure("a\tb", 20.0), text.measure("a b", 20.0));
        assert_eq!(inked(&mut text, "\u{0}\u{1b}\n \u{feff}", 20.0).0, 0);
    }

    #[test]
    fn what_is_measured_is_what_is_drawn() {
        let mut text = Text::new();
        for line in ["person 7 · 0.83", "行人 12", "▒▒▒▒"] {
            let width = text.measure(line, 20.0);
            let (_, first, last) = inked(&mut text, line, 20.0);
            assert!((9..14).contains(&first), "{line} begins at {first}");
            assert!((last as f32 - (10.0 + width)).abs() < 5.0, "{line} ends at {last}, measured {width}");
        }
        // All digits are equally wide: numbers in columns stand still.
        assert_eq!(text.measure("111.1", 13.0), text.measure("848.0", 13.0));
        assert_eq!(text.measure("\u{2007}", 13.0), text.measure("0", 13.0));
    }

    #[test]
    fn a_text_is_cut_to_its_room() {
        let mut text = Text::new();
        let long = "a very long label of some class";
        for room in [0.0, 1.0, 40.0, 100.0, 1e9, f32::INFINITY] {
            let fitted = text.fit(long, 13.0, room).into_owned();
            assert!(fitted == "…" || text.measure(&fitted, 13.0) <= room, "{fitted} in {room}");
        }
        assert_eq!(text.fit(long, 13.0, 1e9), long);
        assert!(text.fit(long, 13.0, 100.0).ends_with('…'));
    }

    #[test]
    fn odd_sizes_and_places_do_no_harm() {
        let mut text = Text::new();
        let mut canvas = Canvas::new(1, 1);
        for number in [f32::NAN, f32::INFINITY, -1e30, 1e30, 0.0, -1.0] {
            text.draw(&mut canvas, number, 0.0, "a行\u{10FFFF}", 13.0, Paint::solid(1));
            text.draw(&mut canvas, 0.0, number, "a行\u{10FFFF}", 13.0, Paint::solid(1));
            text.draw(&mut canvas, 0.0, 0.0, "a行\u{10FFFF}", number, Paint::new(1, number));
            assert!(text.measure("abc", number).is_finite());
        }
    }

    #[test]
    fn the_cache_is_bounded() {
        let mut text = Text::new();
        let mut canvas = Canvas::new(100, 100);
        for letter in ('\u{4E00}'..='\u{9FFF}').take(9000) {
            text.draw(&mut canvas, 0.0, 0.0, &letter.to_string(), 14.0, Paint::solid(1));
        }
        for letter in ('\u{4E00}'..='\u{9FFF}').take(100) {
            text.draw(&mut canvas, 0.0, 0.0, &letter.to_string(), 256.0, Paint::solid(1));
        }
        assert!(text.glyphs.len() <= MAX_GLYPHS && text.letters.len() <= MAX_GLYPHS);
        assert_eq!(text.coverage, text.glyphs.values().map(|glyph| glyph.coverage.len()).sum::<usize>());
        assert!(text.coverage <= MAX_COVERAGE);
    }
}
