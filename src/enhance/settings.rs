//! What can be set about the pictures before the network sees them.

use std::fmt;
use std::str::FromStr;

use crate::geometry::Polygon;
use crate::geometry::Rect;

/// How the colour of the light is found, to be taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhiteBalance {
    /// It is left as it is.
    #[default]
    Off,
    /// The mean of all is taken for grey.
    GreyWorld,
    /// The brightest is taken for white.
    WhitePatch,
}

/// Which picture a window shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShownPicture {
    /// As it came.
    #[default]
    Original,
    /// As the network sees it.
    Enhanced,
    /// The left half as it came, the right one as the network sees it.
    Split,
}

impl ShownPicture {
    /// As the config file has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Enhanced => "enhanced",
            Self::Split => "split",
        }
    }

    /// For people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Original => "the picture as it came",
            Self::Enhanced => "the picture as the network sees it",
            Self::Split => "left as it came, right as the network sees it",
        }
    }

    /// The next one, in a circle.
    pub fn next(self) -> Self {
        match self {
            Self::Original => Self::Enhanced,
            Self::Enhanced => Self::Split,
            Self::Split => Self::Original,
        }
    }
}

/// How many samples a median is taken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Median {
    /// None.
    #[default]
    Off,
    /// 3 × 3.
    Three,
    /// 5 × 5.
    Five,
}

/// Into how many pieces the picture is cut for the network, across and down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tiles {
    /// Across, 1 to 8.
    pub columns: usize,
    /// Down, 1 to 8.
    pub rows: usize,
}

impl Default for Tiles {
    fn default() -> Self {
        Self { columns: 1, rows: 1 }
    }
}

impl Tiles {
    /// The most on a side.
    pub const MOST: usize = 8;
}

impl fmt::Display for Tiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.columns, self.rows)
    }
}

impl FromStr for Tiles {
    type Err = String;

    /// Reads `COLUMNSxROWS`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let side = |part: &str| part.trim().parse().ok().filter(|side| (1..=Self::MOST).contains(side));
        let sides = text.split_once(['x', 'X', '×']);
        sides
            .and_then(|(columns, rows)| side(columns).zip(side(rows)))
            .map(|(columns, rows)| Self { columns, rows })
            .ok_or_else(|| format!("COLUMNSxROWS, each from 1 to {}, such as \"2x2\"", Self::MOST))
    }
}

/// An area of the picture with a name, a `[[mask]]` or a `[[region]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedArea {
    /// What it is called; may be empty.
    pub name: String,
    /// `false`: as if it were not there.
    pub enabled: bool,
    /// Its corners, in shares of the picture's sides.
    pub points: Polygon,
}

impl Default for NamedArea {
    /// The whole picture.
    fn default() -> Self {
        Self { name: String::new(), enabled: true, points: Polygon::whole() }
    }
}

/// The `[enhance]` section.
#[derive(Debug, Clone, PartialEq)]
pub struct EnhanceSettings {
    /// Switch steps on where they help.
    pub auto: bool,
    /// What a window shows.
    pub show: ShownPicture,
    /// Automatic exposure.
    pub exposure: bool,
    /// How slowly exposure and white balance follow the light, in seconds.
    pub light_seconds: f64,
    /// White balance.
    pub white_balance: WhiteBalance,
    /// The clip limit of the local contrast (CLAHE), as multiples of an even histogram; 0: none.
    pub contrast: f32,
    /// How many tiles on each side the local contrast has.
    pub contrast_tiles: usize,
    /// The median.
    pub median: Median,
    /// The standard deviation of a Gaussian in pixels; 0: none.
    pub gaussian: f32,
    /// Differences of so many grey levels count as noise for the smoothing that keeps edges; 0: none.
    pub smooth: f32,
    /// The standard deviation in grey levels of the noise that is averaged away over time; 0: none.
    pub temporal: f32,
    /// How much an unsharp mask adds; 0: none.
    pub sharpen: f32,
    /// Steps of at most so many grey levels at the edges of a JPEG's blocks are smoothed; 0: none.
    pub deblock: f32,
    /// Replaces every second line.
    pub deinterlace: bool,
    /// Takes out the shaking of a hand-held camera, over so many seconds; 0: not.
    pub stabilise: f64,
    /// The camera's motion is found in the pixels, for the tracker.
    pub camera_motion: bool,
    /// The part of the picture that the network looks at, in shares of its sides; `None`: all.
    pub crop: Option<Rect>,
    /// Objects count only here, in shares of the picture's sides; none: everywhere.
    pub regions: Vec<Polygon>,
    /// Objects here never count.
    pub masks: Vec<Polygon>,
    /// More areas where objects count, each with a name and a switch of its own.
    pub named_regions: Vec<NamedArea>,
    /// More areas where objects never count.
    pub named_masks: Vec<NamedArea>,
    /// Masked areas lose their detail in all that is shown and written.
    pub privacy: bool,
    /// The network looks at pieces of the picture, too.
    pub tiles: Tiles,
    /// By which share of their size neighbouring pieces overlap.
    pub tile_overlap: f32,
}

impl Default for EnhanceSettings {
    fn default() -> Self {
        Self {
            auto: true,
            show: ShownPicture::Original,
            exposure: false,
            light_seconds: 1.0,
            white_balance: WhiteBalance::Off,
            contrast: 0.0,
            contrast_tiles: 8,
            median: Median::Off,
            gaussian: 0.0,
            smooth: 0.0,
            temporal: 0.0,
            sharpen: 0.0,
            deblock: 0.0,
            deinterlace: false,
            stabilise: 0.0,
            camera_motion: true,
            crop: None,
            regions: Vec::new(),
            masks: Vec::new(),
            named_regions: Vec::new(),
            named_masks: Vec::new(),
            privacy: false,
            tiles: Tiles::default(),
            tile_overlap: 0.2,
        }
    }
}

impl EnhanceSettings {
    /// Whether there is something to be shown and written without its detail.
    pub fn pixelates(&self) -> bool {
        self.privacy && (!self.masks.is_empty() || self.named_masks.iter().any(|mask| mask.enabled))
    }

    /// All areas where objects count, those with a name among them where they are switched on.
    pub fn all_regions(&self) -> Vec<Polygon> {
        together(&self.regions, &self.named_regions)
    }

    /// All areas where objects never count, those with a name among them where they are switched on.
    pub fn all_masks(&self) -> Vec<Polygon> {
        together(&self.masks, &self.named_masks)
    }

    /// Whether both lead to the same pictures before the network, and to the same detections in them.
    pub fn sees_like(&self, other: &Self) -> bool {
        Self { show: other.show, ..self.clone() } == *other
    }
}

fn together(unnamed: &[Polygon], named: &[NamedArea]) -> Vec<Polygon> {
    let named = named.iter().filter(|area| area.enabled).map(|area| &area.points);
    unnamed.iter().chain(named).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_with_a_name_count_while_they_are_switched_on() {
        let mut area = NamedArea { name: "door".into(), ..NamedArea::default() };
        let mut settings =
            EnhanceSettings { privacy: true, named_masks: vec![area.clone()], ..Default::default() };
        assert_eq!((settings.all_masks().len(), settings.all_regions().len()), (1, 0));
        assert!(settings.pixelates());
        area.enabled = false;
        settings.named_masks = vec![area];
        assert!(settings.all_masks().is_empty() && !settings.pixelates());
    }

    #[test]
    fn tiles_are_read_and_refused() {
        assert_eq!("3x2".parse(), Ok(Tiles { columns: 3, rows: 2 }));
        assert_eq!("3x2".parse::<Tiles>().unwrap().to_string(), "3x2");
        for odd in ["", "x", "0x1", "9x1", "2", "2x2x2", "-1x2", "1.5x2"] {
            assert!(odd.parse::<Tiles>().is_err(), "{odd}");
        }
    }
}
