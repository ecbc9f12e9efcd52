//! The colour of each track: the same from its beginning to its end, and distinguishable with colour blindness.
//!
//! The seven hues are those of Okabe and Ito ("Color Universal Design", 2008) without black; when they are used up they
//! come again lighter, then darker.

use super::theme::{DARK, LIGHT};

/// `0x00RRGGBB`, in an order that keeps neighbouring ids apart for every kind of colour vision.
const HUES: [u32; 7] = [
    0x009E73, // bluish green
    0xF0E442, // yellow
    0x56B4E9, // sky blue
    0xE69F00, // orange
    0xCC79A7, // reddish purple
    0xD55E00, // vermillion
    0x0072B2, // blue
];

/// How far each round of the hues is mixed with white (above 0) or black (below 0).
const SHADES: [f32; 3] = [0.0, 0.4, -0.3];

/// The colour of a track, `0x00RRGGBB`; 21 of them before one comes again.
pub fn colour(id: u64) -> u32 {
    let index = (id.wrapping_sub(1) % (HUES.len() * SHADES.len()) as u64) as usize;
    let (hue, shade) = (HUES[index % HUES.len()], SHADES[index / HUES.len()]);
    let target = if shade > 0.0 { 255.0 } else { 0.0 };
    let mixed = channels(hue).map(|channel| (channel + (target - channel) * shade.abs()).round() as u8);
    u32::from_be_bytes([0, mixed[0], mixed[1], mixed[2]])
}

/// Black or white, whichever has more contrast with this background.
pub fn text_on(background: u32) -> u32 {
    if contrast(background, DARK) >= contrast(background, LIGHT) { DARK } else { LIGHT }
}

/// The contrast of two colours by WCAG 2.1, `1.0..=21.0`.
pub fn contrast(a: u32, b: u32) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Red, green and blue, `0.0..=255.0`.
fn channels(rgb: u32) -> [f32; 3] {
    let [_, r, g, b] = rgb.to_be_bytes();
    [r, g, b].map(f32::from)
}

/// Red, green and blue as amounts of light, `0.0..=1.0` (the sRGB curve undone).
fn light(rgb: u32) -> [f32; 3] {
    channels(rgb).map(|channel| {
        let value = channel / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    })
}

/// Relative luminance, `0.0..=1.0`.
fn luminance(rgb: u32) -> f32 {
    let [r, g, b] = light(rgb);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Severe protanopia and deuteranopia (Machado, Oliveira and Fernandes, 2009, table 1), on amounts of light.
    const VISIONS: [[[f32; 3]; 3]; 3] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    ];

    /// CIELAB (D65) of a colour as one kind of vision sees it.
    fn seen(rgb: u32, vision: &[[f32; 3]; 3]) -> [f32; 3] {
        let light = light(rgb);
        let [r, g, b] =
            vision.map(|row| row.iter().zip(light).map(|(a, b)| a * b).sum::<f32>().clamp(0.0, 1.0));
        let curve = |t: f32| if t > 0.008856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
        let x = curve((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
        let y = curve(0.2126 * r + 0.7152 * g + 0.0722 * b);
        let z = curve((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    fn difference(a: u32, b: u32, vision: &[[f32; 3]; 3]) -> f32 {
        let (a, b) = (seen(a, vision), seen(b, vision));
        a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
    }

    #[test]
    fn the_seven_hues_differ_for_every_kind_of_vision() {
        for vision in &VISIONS {
            for a in 1..=7 {
                for b in a + 1..=7 {
                    let difference = difference(colour(a), colour(b), vision);
                    assert!(difference > 15.0, "ids {a} and {b}: ΔE {difference:.1}");
                }
            }
        }
    }

    #[test]
    fn neighbouring_ids_are_far_apart() {
        for vision in &VISIONS {
            for id in 1..=21 {
                let difference = difference(colour(id), colour(id + 1), vision);
                assert!(difference > 40.0, "ids {id} and {}: ΔE {difference:.1}", id + 1);
            }
        }
    }

    #[test]
    fn colours_are_stable_and_text_on_them_is_readable() {
        assert_eq!(colour(1), 0x009E73);
        assert_eq!(colour(1), colour(22));
        for id in (0..100).chain([u64::MAX]) {
            assert!(contrast(colour(id), text_on(colour(id))) >= 4.5, "id {id}");
        }
        assert_eq!((text_on(0xFFFF00), text_on(0x000080)), (DARK, LIGHT));
    }
}
