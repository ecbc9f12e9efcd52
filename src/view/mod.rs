//! What is drawn, and the window it is drawn in. Knows scenes and pictures; knows no camera, no network, no thread.
//!
//! | file | what for |
//! |---|---|
//! | `canvas.rs`, `stroke.rs` | the pixels and the shapes |
//! | `text.rs`, `palette.rs`, `plate.rs` | letters, colours, plates with rows of values |
//! | `mapping.rs`, `scaler.rs` | fit, zoom and pan; the picture painted through them |
//! | `overlay.rs`, `hud.rs`, `keys.rs` | tracks; numbers and messages; the table of keys and its help |
//! | `timeline.rs` | where in a recording the picture is |
//! | `panel.rs`, `histogram.rs` | the panel of settings; how sure the detector is right now |
//! | `viewer.rs` | what the window shows and how it answers to keys and mouse, without a window |
//! | `tiles.rs`, `tile.rs` | several pictures in one window: the grid, and one of them |
//! | `window.rs` | the window itself (feature `window`) |

mod canvas;
mod histogram;
mod hud;
pub mod keys;
mod mapping;
mod overlay;
pub mod palette;
mod panel;
mod plate;
mod scaler;
mod settings;
mod stroke;
mod text;
mod tile;
mod tiles;
mod timeline;
mod viewer;
#[cfg(feature = "window")]
mod window;

pub use canvas::{Canvas, Paint};
pub use hud::{HudData, draw_alert, draw_banner, draw_hud, times};
pub use mapping::{Fit, MAX_ZOOM, Mapping, Sizes, Viewport};
pub use overlay::{SceneView, boxes, draw_scene};
pub use panel::{Control, Panel, PanelAnswer, PanelCommand, PanelData, PanelInput, PanelRow};
pub use scaler::{BACKGROUND, Scaler};
pub use settings::{MAX_SCALE, MIN_SCALE, OverlaySettings, Scale};
pub use stroke::StrokePoint;
pub use text::Text;
pub use tile::{TileLine, TilePainter, TileShown};
pub use tiles::{Cell, MAX_TILES, Tiles, layout};
pub use timeline::{Rail, Timeline};
pub use viewer::{Command, Event, Layer, Shown, Viewer};
#[cfg(feature = "window")]
pub use window::{REFRESH, Window, WindowError, display_available};
