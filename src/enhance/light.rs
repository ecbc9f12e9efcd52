//! Brightness and the colour of the light: one table a channel, which follows what is measured smoothly.
//!
//! A picture whose levels take up a small part of the range is stretched; then the power of its levels (gamma) brings a
//! dark one up and a bright one down. By itself this happens the more, the flatter, darker or brighter a picture is, and
//! not at all to a well exposed one: there is no bound at which it would begin to flicker. The bounds and aims are those
//! that gave the most boxes back on flattened, darkened and brightened photographs and took none from others
//! (`docs/enhance.md`).

use std::borrow::Cow;

use super::measure::Measure;
use super::settings::{EnhanceSettings, WhiteBalance};
use crate::kernels::curve::{IDENTITY, Table};

/// The levels that a stretched picture's darkest and brightest half of a percent get.
const STRETCHED: (f64, f64) = (5.0, 250.0);
/// Levels over a smaller range than the first are stretched fully, over a larger one than the second not at all.
const FLAT: (f64, f64) = (110.0, 135.0);
/// Levels over a range below the first show nothing that could be brought out, as before a covered lens: they are left as
/// they are, and brought out fully from the second on.
const BLANK: (f64, f64) = (8.0, 16.0);
/// No more than this: what there is between two levels cannot be had.
const MOST_GAIN: f64 = 6.0;
/// A mean below the first is dark, above the second well exposed.
const DARK: (f64, f64) = (50.0, 100.0);
/// A mean above the first is bright, below the second well exposed.
const BRIGHT: (f64, f64) = (195.0, 165.0);
/// The means that dark and bright pictures are brought to, as shares of white.
const AIMS: (f64, f64) = (0.45, 0.5);
/// The least and the largest power.
const POWERS: (f64, f64) = (0.3, 3.0);
/// Noise is not to be brought above this standard deviation, in grey levels, by a steeper curve: brighter noise costs more
/// than darkness.
const MOST_NOISE: f64 = 15.0;
/// A channel of the light is changed at most by this factor, up or down.
const MOST_BALANCE: f64 = 2.0;

/// What the tables are made of.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Curve {
    /// The level that the stretch draws the others away from.
    middle: f64,
    /// How far it does so, as a logarithm: 0 not at all.
    stretch: f64,
    /// How many levels it moves that one.
    shift: f64,
    /// The power of the levels, as a logarithm: 0 is 1, below it brighter.
    power: f64,
    /// Factors of red, green and blue, as logarithms.
    balance: [f64; 3],
}

impl Curve {
    const NONE: Self = Self { middle: 0.0, stretch: 0.0, shift: 0.0, power: 0.0, balance: [0.0; 3] };

    /// A share of the way to another one.
    fn towards(self, other: Self, share: f64) -> Self {
        let way = |from: f64, to: f64| from + (to - from) * share;
        Self {
            // Without a stretch there is no middle that would have to be left slowly.
            middle: if self.stretch == 0.0 { other.middle } else { way(self.middle, other.middle) },
            stretch: way(self.stretch, other.stretch),
            shift: way(self.shift, other.shift),
            power: way(self.power, other.power),
            balance: [0, 1, 2].map(|channel| way(self.balance[channel], other.balance[channel])),
        }
    }

    /// Whether it leaves every level about where it is.
    fn is_none(&self) -> bool {
        let strongest =
            self.balance.iter().fold(self.stretch.abs().max(self.power.abs()), |most, b| most.max(b.abs()));
        strongest < 0.02
    }

    fn level(&self, level: f64) -> f64 {
        let stretched = level + (level - self.middle) * (self.stretch.exp() - 1.0) + self.shift;
        255.0 * (stretched / 255.0).clamp(0.0, 1.0).powf(self.power.exp())
    }

    /// How many times steeper than before levels around this one rise.
    fn slope(&self, level: f64) -> f64 {
        (self.level(level + 2.0) - self.level(level - 2.0)) / 4.0
    }

    fn tables(&self) -> [Table; 3] {
        self.balance.map(|factor| {
            let mut table = IDENTITY;
            for (level, entry) in (0..=255).zip(&mut table) {
                *entry = self.level(f64::from(level) * factor.exp()).round().clamp(0.0, 255.0) as u8;
            }
            table
        })
    }
}

/// Follows the light.
#[derive(Debug, Clone)]
pub(super) struct Light {
    now: Curve,
    made: Curve,
    tables: [Table; 3],
}

impl Default for Light {
    fn default() -> Self {
        Self { now: Curve::NONE, made: Curve::NONE, tables: [IDENTITY; 3] }
    }
}

impl Light {
    /// Whether these settings go by a measurement, even where nothing is decided automatically.
    pub(super) fn needs_measure(&self, settings: &EnhanceSettings) -> bool {
        settings.exposure || settings.white_balance != WhiteBalance::Off
    }

    /// The tables for a picture that comes so many seconds after the one before (`None`: it is the first), and why;
    /// `None` where levels stay as they are. `measure` is the newest there is.
    pub(super) fn update(
        &mut self,
        settings: &EnhanceSettings,
        measure: Option<&Measure>,
        passed: Option<f64>,
    ) -> Option<(&[Table; 3], Cow<'static, str>)> {
        let (aim, why) = measure.map_or((Curve::NONE, String::new()), |measure| aim(settings, measure));
        let share = match passed {
            Some(passed) if settings.light_seconds > 0.0 => 1.0 - (-passed / settings.light_seconds).exp(),
            _ => 1.0,
        };
        self.now = self.now.towards(aim, share);
        if self.now.is_none() {
            return None;
        }
        if self.made != self.now {
            (self.made, self.tables) = (self.now, self.now.tables());
        }
        let why = if why.is_empty() { "easing off".into() } else { why.into() };
        Some((&self.tables, why))
    }
}

/// Where the curve should be for a picture like this, and why.
fn aim(settings: &EnhanceSettings, measure: &Measure) -> (Curve, String) {
    let mut curve = Curve::NONE;
    let mut why = Vec::new();
    curve.balance = balance(settings.white_balance, measure);
    if settings.white_balance != WhiteBalance::Off {
        why.push("white balance".to_owned());
    }
    if !(settings.auto || settings.exposure) || measure.luma.total() == 0 {
        return (curve, why.join(", "));
    }
    // How much of a correction is made, from a well exposed picture to a bad one; what is asked for is made fully.
    let weight = |value: f64, (none, full): (f64, f64)| match settings.exposure {
        true => 1.0,
        false => ((value - none) / (full - none)).clamp(0.0, 1.0),
    };
    let (low, high) = (measure.luma.quantile(0.005), measure.luma.quantile(0.995));
    let range = (high - low).max(1.0);
    let shows = weight(range, BLANK);
    let gain = ((STRETCHED.1 - STRETCHED.0) / range).clamp(1.0, MOST_GAIN);
    let much = weight(range, (FLAT.1, FLAT.0)) * shows;
    curve.stretch = gain.ln() * much;
    curve.middle = (low + high) / 2.0;
    curve.shift = ((STRETCHED.0 + STRETCHED.1) / 2.0 - curve.middle) * much * (gain - 1.0).min(1.0);
    let levels = (0..=255).map(f64::from).zip(measure.luma.counts());
    let sum: f64 = levels.map(|(level, count)| curve.level(level) * f64::from(*count)).sum();
    let mean = sum / f64::from(measure.luma.total());
    let power = |aim: f64| (aim.ln() / (mean / 255.0).clamp(1e-3, 0.97).ln()).clamp(POWERS.0, POWERS.1);
    if mean < AIMS.0 * 255.0 {
        curve.power = power(AIMS.0).min(1.0).ln() * weight(mean, (DARK.1, DARK.0)) * shows;
    } else if mean > AIMS.1 * 255.0 {
        curve.power = power(AIMS.1).max(1.0).ln() * weight(mean, (BRIGHT.1, BRIGHT.0)) * shows;
    }
    if !settings.exposure {
        // In the darker parts, where the curve is steepest.
        let slope = curve.slope(measure.luma.quantile(0.25).max(4.0)).max(1.0);
        let most = (MOST_NOISE / measure.noise_seen.max(0.1)).max(1.0);
        let much = if slope > most { most.ln() / slope.ln() } else { 1.0 };
        (curve.stretch, curve.shift, curve.power) =
            (curve.stretch * much, curve.shift * much, curve.power * much);
    }
    if curve.stretch > 0.02 {
        why.push(format!("flat, range {range:.0}"));
    }
    if curve.power.abs() > 0.02 {
        why.push(format!("{}, mean {:.0}", if curve.power < 0.0 { "dark" } else { "bright" }, measure.mean));
    }
    (curve, why.join("; "))
}

/// Factors, as logarithms, that make the mean colour (grey world: Buchsbaum 1980) or the brightest one (white patch: Land
/// and McCann 1971) grey, and leave its luma as it is.
fn balance(kind: WhiteBalance, measure: &Measure) -> [f64; 3] {
    let colour = match kind {
        WhiteBalance::Off => None,
        WhiteBalance::GreyWorld => measure.grey,
        WhiteBalance::WhitePatch => measure.white,
    };
    let Some([red, green, blue]) = colour else { return [0.0; 3] };
    let luma = 0.299 * red + 0.587 * green + 0.114 * blue;
    [red, green, blue].map(|channel| (luma / channel.max(1.0)).clamp(1.0 / MOST_BALANCE, MOST_BALANCE).ln())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Picture;
    use crate::kernels::View;

    /// A picture of all levels from `low` to `high`, tinted.
    fn ramp(low: f64, high: f64, tint: [f64; 3]) -> Measure {
        let pixels = (0..200 * 100).flat_map(|i| {
            let level = low + (high - low) * f64::from(i % 200) / 199.0;
            tint.map(|tint| (level * tint).round() as u8)
        });
        Measure::of(&View::from(&Picture::new(200, 100, pixels.collect()).unwrap()))
    }

    fn auto() -> EnhanceSettings {
        EnhanceSettings::default()
    }

    fn mean(table: &Table, low: u8, high: u8) -> f64 {
        let levels = &table[usize::from(low)..=usize::from(high)];
        levels.iter().map(|&level| f64::from(level)).sum::<f64>() / levels.len() as f64
    }

    #[test]
    fn a_well_exposed_picture_stays_and_others_come_near_to_one() {
        let mut light = Light::default();
        assert!(light.update(&auto(), Some(&ramp(0.0, 255.0, [1.0; 3])), None).is_none());
        let (tables, why) = light.update(&auto(), Some(&ramp(0.0, 60.0, [1.0; 3])), None).unwrap();
        assert!(why.contains("flat") && !why.contains("bright"), "{why}");
        assert!((90.0..135.0).contains(&mean(&tables[0], 0, 60)));
        // Dark, but with lights in it: there is nothing to stretch.
        let night = Measure { ..ramp(0.0, 255.0, [0.12, 0.12, 0.12]) };
        let (tables, _) = light.update(&auto(), Some(&night), None).unwrap();
        assert!(tables[0][15] > 60, "{}", tables[0][15]);
        // A covered lens shows nothing, however dark it is; what barely shows is not brought out all at once.
        assert!(light.update(&auto(), Some(&ramp(20.0, 24.0, [1.0; 3])), None).is_none());
        let much = |high: f64| {
            let mut light = Light::default();
            let _ = light.update(&auto(), Some(&ramp(20.0, high, [1.0; 3])), None);
            light.now.stretch
        };
        assert!(much(29.0) < 0.5 * much(38.0) && much(32.0) < much(38.0), "{} {}", much(29.0), much(38.0));
        // Light all over is brought down by itself; a little too much of it only where that is asked for.
        let (tables, why) = light.update(&auto(), Some(&ramp(115.0, 255.0, [1.0; 3])), None).unwrap();
        assert!(why.starts_with("bright") && tables[0][200] < 185, "{why} {}", tables[0][200]);
        let bright = ramp(130.0, 255.0, [1.0; 3]);
        assert!(light.update(&EnhanceSettings { auto: false, ..auto() }, Some(&bright), None).is_none());
        let asked = EnhanceSettings { exposure: true, ..auto() };
        let (tables, why) = light.update(&asked, Some(&bright), None).unwrap();
        assert!(tables[0][200] < 180, "{why} {}", tables[0][200]);
        assert!(light.update(&auto(), None, None).is_none());
    }

    #[test]
    fn tables_rise_and_begin_and_end_where_they_should() {
        let mut light = Light::default();
        for (low, high) in
            [(0.0, 255.0), (0.0, 20.0), (100.0, 140.0), (235.0, 255.0), (77.0, 77.0), (0.0, 0.0)]
        {
            for exposure in [false, true] {
                let settings = EnhanceSettings { exposure, ..auto() };
                let measure = ramp(low, high, [1.0; 3]);
                let Some((tables, _)) = light.update(&settings, Some(&measure), None) else { continue };
                for table in tables {
                    assert!(table.is_sorted(), "{low} {high}");
                    // What there is becomes no flatter.
                    let [dark, bright] = [low, high].map(|level: f64| f64::from(table[level as usize]));
                    assert!(bright - dark >= 0.9 * (high - low), "{low} {high} {table:?}");
                }
            }
        }
    }

    #[test]
    fn the_curve_follows_in_its_time_without_a_jump() {
        let (bright, dark) = (ramp(0.0, 255.0, [1.0; 3]), ramp(0.0, 50.0, [1.0; 3]));
        let mut light = Light::default();
        light.update(&auto(), Some(&bright), None);
        let mut before = IDENTITY;
        let mut after_a_second = 0.0;
        for frame in 1..=150 {
            let now = light
                .update(&auto(), Some(&dark), Some(1.0 / 30.0))
                .map_or(IDENTITY, |(tables, _)| tables[0]);
            let step = now.iter().zip(&before).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(step <= 22, "{step} levels from one frame to the next, frame {frame}");
            before = now;
            if frame == 30 {
                after_a_second = light.now.stretch;
            }
        }
        // 63 % of the way in the time constant, whatever the rate of frames.
        let whole = light.now.stretch;
        assert!((after_a_second / whole - 0.636).abs() < 0.02, "{after_a_second} {whole}");
        let mut slow = Light::default();
        slow.update(&auto(), Some(&bright), None);
        (0..5).for_each(|_| drop(slow.update(&auto(), Some(&dark), Some(0.2))));
        assert!((slow.now.stretch - after_a_second).abs() < 0.01);
    }

    #[test]
    fn tinted_light_becomes_grey_and_keeps_its_luma() {
        for kind in [WhiteBalance::GreyWorld, WhiteBalance::WhitePatch] {
            let settings = EnhanceSettings { auto: false, white_balance: kind, ..auto() };
            let measure = ramp(30.0, 200.0, [1.0, 0.8, 0.6]);
            let mut light = Light::default();
            let (tables, _) = light.update(&settings, Some(&measure), None).unwrap();
            let [red, green, blue] = [(0, 150.0), (1, 120.0), (2, 90.0)]
                .map(|(channel, level): (usize, f64)| tables[channel][level as usize]);
            assert!(red.abs_diff(green) <= 2 && green.abs_diff(blue) <= 2, "{red} {green} {blue}");
        }
    }
}
