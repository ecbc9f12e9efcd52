//! Colours, opacities and sizes of everything that is drawn beside the picture, in one place. Colours are `0x00RRGGBB`;
//! the colours of tracks are in `palette.rs`.

use super::canvas::Paint;

/// Letters at scale 1, in pixels an em.
pub(crate) const TEXT_SIZE: f32 = 13.0;

/// Lines at scale 1, in pixels.
pub(crate) const LINE: f32 = 2.0;

/// Letters on bright colours.
pub(crate) const DARK: u32 = 0x000000;
/// Letters on dark colours.
pub(crate) const LIGHT: u32 = 0xFFFFFF;
/// Names of values: readable, but in the background.
pub(crate) const QUIET: u32 = 0xA9B4C0;
/// Values that were changed, and keys.
pub(crate) const ACCENT: u32 = 0xF0E442;
/// Recording, and errors.
pub(crate) const RED: u32 = 0xFF5A4D;
/// The filled part of sliders, and detections above the threshold.
pub(crate) const BLUE: u32 = 0x56B4E9;
/// Detections below the threshold.
pub(crate) const GREY: u32 = 0x6B7683;

/// The window where no picture covers it.
pub const BACKGROUND: u32 = 0x0E1013;
/// A tile without a picture.
pub(crate) const EMPTY_TILE: u32 = 0x171B21;
/// Laid over a picture that is not current.
pub(crate) const STALE_PICTURE: Paint = Paint::new(0, 0.55);
/// The opacity of the other tracks while one is selected.
pub(crate) const OTHER_TRACKS: f32 = 0.3;
/// A dark seam around lines, so that they show on any picture.
pub(crate) const SEAM: Paint = Paint::new(0, 0.35);

/// The dark colour of boxes behind text.
const BOX: u32 = 0x0A0D11;
/// Behind rows of values: HUD, track details, help.
pub(crate) const TEXT_BOX: Paint = Paint::new(BOX, 0.78);
/// Behind the panel of settings; there is much to read, so less of the picture shows through.
pub(crate) const PANEL_BOX: Paint = Paint::new(BOX, 0.84);
/// Behind the line of numbers of a tile.
pub(crate) const TILE_LINE: Paint = Paint::new(BOX, 0.72);
/// Behind messages.
pub(crate) const MESSAGE_BOX: Paint = Paint::new(BOX, 0.8);
/// Behind the description of a fault.
pub(crate) const ALERT_BOX: Paint = Paint::new(0x3A0D0A, 0.9);

/// Behind the timeline.
pub(crate) const TIMELINE: Paint = Paint::new(BOX, 0.62);
/// Parts of the timeline that were not tracked yet.
pub(crate) const UNTRACKED: Paint = Paint::new(QUIET, 0.35);
/// Parts of the timeline that were tracked with the settings in force.
pub(crate) const TRACKED: Paint = Paint::new(QUIET, 0.85);
/// Parts of the timeline that were tracked with other settings.
pub(crate) const OUTDATED: Paint = Paint::new(QUIET, 0.55);
