//! How a colour is mixed over a pixel, and the mask that collects the coverage of a line. `canvas.rs` and `stroke.rs`
//! build their shapes from both.

/// An opacity as a weight `0..=256` for [`mix`]; NaN is 0.
pub(super) fn weight(alpha: f32) -> u32 {
    (alpha.clamp(0.0, 1.0) * 256.0 + 0.5) as u32
}

/// `weight / 256` of `rgb` over `below`: red and blue in one multiplication, they are 16 bits apart.
#[inline(always)]
pub(super) fn mix(below: u32, rgb: u32, weight: u32) -> u32 {
    let rest = 256 - weight;
    let red_blue = (below & 0xFF_00FF) * rest + (rgb & 0xFF_00FF) * weight + 0x80_0080;
    let green = (below & 0xFF00) * rest + (rgb & 0xFF00) * weight + 0x8000;
    ((red_blue >> 8) & 0xFF_00FF) | ((green >> 8) & 0xFF00)
}

/// [`mix`] along a row.
pub(super) fn mix_row(row: &mut [u32], rgb: u32, weight: u32) {
    if weight >= 256 {
        return row.fill(rgb & 0x00FF_FFFF);
    }
    if weight > 0 {
        for pixel in row {
            *pixel = mix(*pixel, rgb, weight);
        }
    }
}

/// The coverage mask of a line while it is drawn; a canvas keeps it between two lines, so that drawing allocates nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch {
    /// One byte a pixel, all zero between two calls.
    pub(super) mask: Vec<u8>,
    /// Row, first and past-the-last column of what has been touched.
    pub(super) spans: Vec<(usize, usize, usize)>,
}
