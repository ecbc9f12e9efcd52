//! The steps that a picture takes before it is shown and before the network sees it: shaking, privacy, light, colour,
//! contrast, noise, and the areas where objects count. Also the camera's motion, from pixels.
//!
//! ```text
//! picture ──▶ ShownChain ──┬─────────────────▶ shown, written
//!                          └─▶ NetworkChain ─▶ detected in
//! ```
//!
//! There are two chains of steps. Each step is off unless the settings switch it on or `auto.rs` finds that it helps; a
//! picture that needs no step stays unchanged. The [`ShownChain`] makes the picture that is shown; it is short and quick.
//! The [`NetworkChain`] may take longer: in the program it runs on a thread of its own. [`Enhancer`] is both, one after
//! the other.
//!
//! Steps that remember (exposure, the average over time, the stabiliser) count in seconds of source time, and begin anew
//! where pictures do not follow one another. The loops over pixels are in [`kernels`](crate::kernels).
//!
//! | file | what it holds |
//! |---|---|
//! | `shown_chain.rs`, `network_chain.rs`, `enhancer.rs`, `enhanced.rs` | the two chains; both together; what they give |
//! | `work.rs`, `succession.rs`, `report.rs`, `pool.rs` | a picture on its way through a chain; which pictures follow one another; what was done and why; memory used again |
//! | `measure.rs`, `auto.rs` | light, contrast and noise of a picture; what is done about them |
//! | `filters.rs` | what is taken away, and what is made to stand out |
//! | `light.rs` | tables that follow the light |
//! | `region_mask.rs` | where objects count |
//! | `motion/`, `camera_motion.rs`, `stabilise.rs` | how the camera moved; for the tracker; and how to take it out |

mod auto;
mod camera_motion;
mod enhanced;
mod enhancer;
mod filters;
mod light;
pub mod measure;
pub mod motion;
mod network_chain;
mod pool;
mod region_mask;
mod report;
mod settings;
mod shown_chain;
pub mod stabilise;
mod succession;
mod work;

pub use crate::geometry::Polygon;
pub use camera_motion::CameraMotionEstimator;
pub use enhanced::Enhanced;
pub use enhancer::Enhancer;
pub use network_chain::NetworkChain;
pub use region_mask::RegionMask;
pub use report::{Report, Step, Taken};
pub use settings::{EnhanceSettings, Median, NamedArea, ShownPicture, Tiles, WhiteBalance};
pub use shown_chain::ShownChain;
