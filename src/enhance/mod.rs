//! What is done to a picture before the network sees it: light, colour, contrast, noise, and where in it objects count. And
//! how the camera moved, told from the pixels.
//!
//! A chain of steps, each off unless it is asked for or found to help (`auto.rs`); a picture that needs nothing goes through
//! as it is. Steps that remember (exposure, the average over time, the stabiliser) count in seconds of source time, and
//! begin anew where frames do not follow one another.
//!
//! The loops over pixels are in [`kernels`](crate::kernels).
//!
//! | file | what it holds |
//! |---|---|
//! | `chain.rs`, `work.rs`, `report.rs`, `pool.rs` | the chain; a picture on its way through it; what was done and why; memory used again |
//! | `measure.rs`, `auto.rs` | light, contrast and noise of a picture; what is done about them |
//! | `filters.rs` | what is taken away, and what is made to stand out |
//! | `light.rs` | tables that follow the light |
//! | `region_mask.rs` | where objects count |
//! | `motion/`, `camera_motion.rs`, `stabilise.rs` | how the camera moved; for the tracker; and how to take it out |

mod auto;
mod camera_motion;
mod chain;
mod filters;
mod light;
pub mod measure;
pub mod motion;
mod pool;
mod region_mask;
mod report;
mod settings;
pub mod stabilise;
mod work;

pub use crate::geometry::Polygon;
pub use camera_motion::CameraMotionEstimator;
pub use chain::{Enhanced, Enhancer};
pub use region_mask::RegionMask;
pub use report::{Report, Step, Taken};
pub use settings::{EnhanceSettings, Median, NamedArea, ShownPicture, Tiles, WhiteBalance};
