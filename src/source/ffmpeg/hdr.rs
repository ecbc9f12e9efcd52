//! High dynamic range to standard range: pictures coded as PQ (HDR10 and its kin) or HLG (what phones record) become
//! such as a screen and a network of today expect.
//!
//! The code values become light in cd/m² (the curves of ITU-R BT.2100), the wide primaries of BT.2020 become those of
//! BT.709 (ITU-R BT.2087), and light becomes BT.709 code values for a screen by BT.1886. What is graphics white in high
//! range, 203 cd/m² (ITU-R BT.2408), is nearly white then; what shines more is pressed into the small rest by a soft knee
//! on the largest of the three components, so that its hue stays.

use std::sync::LazyLock;

use rayon::prelude::*;

use super::raw_frame::FORMATS;

/// What the numbers of a picture mean as light.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::source) enum Transfer {
    /// Standard range, or nothing is told.
    #[default]
    Standard,
    /// Perceptual quantizer, SMPTE ST 2084.
    Pq,
    /// Hybrid log-gamma, ARIB STD-B67.
    Hlg,
}

impl Transfer {
    /// By ffmpeg's name of it.
    pub(in crate::source) fn of(name: &str) -> Self {
        match name {
            "smpte2084" => Self::Pq,
            "arib-std-b67" => Self::Hlg,
            _ => Self::Standard,
        }
    }

    /// The pixel formats that are taken raw, as ffmpeg's filter `format` lists them.
    pub(in crate::source) fn formats(self) -> &'static str {
        match self {
            Self::Standard => FORMATS,
            // With eight bits, dark parts would show steps.
            Self::Pq | Self::Hlg => DEEP_FORMAT,
        }
    }
}

/// Four luma samples to one of chroma, ten bits in two bytes each, the lower first.
pub(in crate::source) const DEEP_FORMAT: &str = "yuv420p10le";

/// Code values of ten bits.
const CODES: usize = 1 << 10;
/// Graphics white in high range, in cd/m².
const WHITE: f32 = 203.0;
/// The brightest that is told apart, in cd/m²; what HLG's full code is on its reference display.
const PEAK: f32 = 1000.0;
/// From this share of white on, light is pressed together.
const KNEE: f32 = 0.9;
/// Steps of the table from light to code values, over the root of the light.
const STEPS: usize = 1 << 12;

/// BT.2020 to BT.709, linear light (ITU-R BT.2087, the inverse of its matrix).
const NARROW: [[f32; 3]; 3] =
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]];

/// Ten-bit code values to light on a display; 1 is [`WHITE`].
struct Curves {
    pq: Vec<f32>,
    hlg: Vec<f32>,
    /// Root of the light, in [`STEPS`], to eight-bit code values.
    screen: Vec<u8>,
}

static CURVES: LazyLock<Curves> = LazyLock::new(|| {
    let code = |i: usize| i as f32 / (CODES - 1) as f32;
    let screen = |i: usize| {
        let light = (i as f32 / STEPS as f32).powi(2);
        (255.0 * light.powf(1.0 / 2.4)).round() as u8
    };
    Curves {
        pq: (0..CODES).map(|i| pq_light(code(i)) / WHITE).collect(),
        // The system gamma of a display of 1000 cd/m², on each component by itself, as television of standard range and
        // ffmpeg's `zscale` have it: colours look as in standard range. BT.2100 has it on their luminance.
        hlg: (0..CODES).map(|i| hlg_scene(code(i)).powf(1.2) * (PEAK / WHITE)).collect(),
        screen: (0..=STEPS).map(screen).collect(),
    }
});

/// Light in cd/m² of a PQ code value from 0 to 1.
fn pq_light(code: f32) -> f32 {
    const M1: f32 = 2610.0 / 16384.0;
    const M2: f32 = 2523.0 / 4096.0 * 128.0;
    const C1: f32 = 3424.0 / 4096.0;
    const C2: f32 = 2413.0 / 4096.0 * 32.0;
    const C3: f32 = 2392.0 / 4096.0 * 32.0;
    let root = code.max(0.0).powf(1.0 / M2);
    10_000.0 * ((root - C1).max(0.0) / (C2 - C3 * root)).powf(1.0 / M1)
}

/// Light of the scene, 0 to 1, of an HLG code value from 0 to 1.
fn hlg_scene(code: f32) -> f32 {
    const A: f32 = 0.178_832_77;
    const B: f32 = 0.284_668_92;
    const C: f32 = 0.559_910_7;
    if code <= 0.5 { code * code / 3.0 } else { (((code - C) / A).exp() + B) / 12.0 }
}

/// `rgb` holds three ten-bit code values a pixel; the result three eight-bit ones. `wide`: the primaries are BT.2020's.
pub(in crate::source) fn to_standard(rgb: &[u16], transfer: Transfer, wide: bool) -> Vec<u8> {
    /// Pixels that one thread takes at a time.
    const PART: usize = 1 << 14;
    let mut out = vec![0; rgb.len()];
    let parts = out.par_chunks_mut(3 * PART).zip(rgb.par_chunks(3 * PART));
    parts.for_each(|(out, rgb)| {
        for (out, rgb) in out.as_chunks_mut::<3>().0.iter_mut().zip(rgb.as_chunks::<3>().0) {
            *out = pixel(*rgb, transfer, wide);
        }
    });
    out
}

#[inline]
fn pixel(codes: [u16; 3], transfer: Transfer, wide: bool) -> [u8; 3] {
    let curves = &*CURVES;
    let look = |table: &[f32], code: u16| table.get(usize::from(code).min(CODES - 1)).copied().unwrap_or(0.0);
    let mut light = match transfer {
        Transfer::Pq => codes.map(|code| look(&curves.pq, code)),
        Transfer::Hlg => codes.map(|code| look(&curves.hlg, code)),
        Transfer::Standard => return codes.map(|code| (code >> 2).min(255) as u8),
    };
    if wide {
        let [r, g, b] = light;
        light = NARROW.map(|[of_r, of_g, of_b]| of_r * r + of_g * g + of_b * b);
    }
    let largest = light.iter().fold(0.0_f32, |a, &b| a.max(b));
    let scale = if largest > KNEE { knee(largest) / largest } else { 1.0 };
    light.map(|component| {
        let root = (component * scale).clamp(0.0, 1.0).sqrt();
        curves.screen.get((root * STEPS as f32 + 0.5) as usize).copied().unwrap_or(255)
    })
}

/// Light above the knee, pressed together so that the peak becomes 1 (Reinhard et al., 2002, equation 4).
fn knee(light: f32) -> f32 {
    let room = 1.0 - KNEE;
    let (above, peak) = ((light - KNEE) / room, (PEAK / WHITE - KNEE) / room);
    (KNEE + room * above * (1.0 + above / (peak * peak)) / (1.0 + above)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ten-bit code value of the share 0 to 1.
    fn code(share: f64) -> u16 {
        (share * 1023.0).round() as u16
    }

    fn grey(share: f64, transfer: Transfer) -> u8 {
        let [r, g, b] = pixel([code(share); 3], transfer, true);
        assert!(r.abs_diff(g) <= 1 && g.abs_diff(b) <= 1, "grey stays grey: {r} {g} {b}");
        g
    }

    #[test]
    fn the_curves_are_those_of_the_standards() {
        // BT.2408, table 1: graphics white, 203 cd/m², is 58 % of PQ and 75 % of HLG; 100 cd/m² are 51 % of PQ.
        assert!((pq_light(0.58) - 203.0).abs() < 3.0 && (pq_light(0.508) - 100.0).abs() < 1.0);
        assert!((pq_light(1.0) - 10_000.0).abs() < 1.0 && pq_light(0.0) == 0.0);
        let hlg = hlg_scene(0.75);
        assert!((hlg.powf(1.2) * PEAK - 203.0).abs() < 2.0, "{hlg}");
        assert!((hlg_scene(1.0) - 1.0).abs() < 1e-3);
    }

    #[test]
    fn graphics_white_is_nearly_white_and_what_shines_more_is_told_apart() {
        for (transfer, white) in [(Transfer::Pq, 0.58), (Transfer::Hlg, 0.75)] {
            let codes = [0.0, 0.2, 0.4, white, white + 0.08, white + 0.15].map(|share| grey(share, transfer));
            assert!(codes.is_sorted() && codes[0] == 0, "{codes:?}");
            assert!((245..=252).contains(&codes[3]), "{codes:?}");
            assert!(codes[5] > codes[3] && grey(1.0, transfer) == 255, "{codes:?}");
        }
    }

    #[test]
    fn what_was_made_from_standard_range_comes_back() {
        // A picture of standard range whose white is put at 203 cd/m², as BT.2408 has it, and coded as PQ.
        let coded = |value: u8| {
            let light = 203.0 * (f64::from(value) / 255.0).powf(2.4);
            (0..1024_u16)
                .min_by_key(|c| ((f64::from(pq_light(f32::from(*c) / 1023.0)) - light).abs() * 1e6) as u64)
        };
        for value in [[200, 30, 30], [20, 180, 60], [0, 0, 200], [120, 120, 120], [240, 230, 10]] {
            let got = pixel(value.map(|v| coded(v).unwrap()), Transfer::Pq, false);
            assert!(got.iter().zip(value).all(|(g, v)| g.abs_diff(v) <= 6), "{got:?} for {value:?}");
        }
    }

    #[test]
    fn wide_primaries_become_narrow_ones() {
        // BT.709's pure red as BT.2020 has it (BT.2087): 0.6274, 0.0691, 0.0164 of the light.
        let coded = |light: f64| {
            (0..1024_u16).min_by_key(|c| {
                ((f64::from(pq_light(f32::from(*c) / 1023.0)) - light * 100.0).abs() * 1e6) as u64
            })
        };
        let [r, g, b] = pixel([0.6274, 0.0691, 0.0164].map(|l| coded(l).unwrap()), Transfer::Pq, true);
        assert!(r > 180 && g < 30 && b < 30, "{r} {g} {b}");
    }
}
