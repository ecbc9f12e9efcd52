//! Drawing: pictures, tracks, numbers and text on a [`Canvas`] in memory. Used by the window and by recorded video.
//!
//! The room knows scenes and pictures; it knows no camera, no network, no thread, no window and no keys.
//!
//! | file | what it holds |
//! |---|---|
//! | `canvas.rs`, `stroke.rs`, `blend.rs` | the pixels; shapes and thick fading lines; how colours are laid over pixels |
//! | `text.rs`, `text_box.rs` | letters; boxes with rows of names and values |
//! | `theme.rs`, `palette.rs` | colours and opacities; the colour of each track |
//! | `mapping.rs`, `scaler.rs` | fit, zoom and pan; the picture painted through them |
//! | `overlay.rs`, `extras.rs` | tracks, labels and trails; turned boxes and points of a body |
//! | `heat.rs`, `ground_map.rs` | the heat map over the picture; the ground from above |
//! | `hud.rs`, `histogram.rs` | numbers, messages and alerts; the scores of the detections |
//! | `timeline.rs` | the position in a recording |
//! | `tile.rs` | one of several pictures in a window |
//! | `settings.rs` | the `[overlay]` section |

mod blend;
mod canvas;
mod counts;
mod extras;
mod ground_map;
mod heat;
pub(crate) mod histogram;
mod hud;
mod mapping;
mod overlay;
pub mod palette;
mod scaler;
mod settings;
mod stroke;
mod text;
pub(crate) mod text_box;
pub(crate) mod theme;
mod tile;
mod timeline;

pub use canvas::{Canvas, Paint};
pub(crate) use heat::draw_heat;
pub use hud::{HudData, draw_alert, draw_banner, draw_hud, times};
pub use mapping::{Fit, MAX_ZOOM, Mapping, Sizes, Viewport};
pub use overlay::{SceneView, boxes, draw_scene};
pub use scaler::Scaler;
pub use settings::{MAX_SCALE, MIN_SCALE, OverlaySettings, Scale, SpeedUnit};
pub use stroke::StrokePoint;
pub use text::Text;
pub use theme::BACKGROUND;
pub use tile::{TileLine, TilePainter, TileShown};
pub use timeline::{Timeline, TimelineArea};
