//! The loops over pixels that `enhance` and `detect` share, each a function from rows of samples to rows of samples. They
//! keep nothing from call to call but memory (the temporal average aside, which is made of it), and know no settings and no
//! time.

pub mod area;
pub mod clahe;
pub mod curve;
pub mod deblock;
pub mod deinterlace;
pub mod gaussian;
pub mod guided;
pub(crate) mod isa;
pub mod luma;
pub mod median;
pub mod sharpen;
pub mod temporal;
#[cfg(test)]
mod testing;
mod view;
pub mod warp;

pub use view::{Plane, View, ViewMut};
