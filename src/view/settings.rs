//! What can be set about the overlay.

/// The size of letters and lines.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Scale {
    /// With the size of the canvas: 1 at 1280×720.
    #[default]
    Auto,
    /// Always this; 1 means letters of 13 pixels and lines of 2. [`MIN_SCALE`] to [`MAX_SCALE`].
    Fixed(f32),
}

/// The smallest fixed scale.
pub const MIN_SCALE: f32 = 0.25;
/// The largest fixed scale.
pub const MAX_SCALE: f32 = 8.0;

impl Scale {
    /// The factor for a canvas of this size in pixels.
    pub fn factor(self, width: usize, height: usize) -> f32 {
        match self {
            // Mostly the height; the width holds it back where a tall picture would get letters that fill it. Never so
            // small that letters cannot be read.
            Self::Auto => (height as f32 / 720.0).min(width as f32 / 800.0).clamp(0.75, MAX_SCALE),
            Self::Fixed(factor) if factor.is_finite() => factor.clamp(MIN_SCALE, MAX_SCALE),
            Self::Fixed(_) => 1.0,
        }
    }
}

/// The unit of a speed as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpeedUnit {
    /// Kilometres an hour.
    KilometresAnHour,
    /// Metres a second.
    MetresASecond,
    /// Miles an hour.
    MilesAnHour,
}

impl SpeedUnit {
    /// A speed in metres a second in this unit, and the unit's sign.
    pub fn of(self, metres_per_second: f64) -> (f64, &'static str) {
        match self {
            Self::KilometresAnHour => (metres_per_second * 3.6, "km/h"),
            Self::MetresASecond => (metres_per_second, "m/s"),
            Self::MilesAnHour => (metres_per_second * 3600.0 / 1609.344, "mph"),
        }
    }
}

/// The `[overlay]` section.
#[derive(Debug, Clone, PartialEq)]
pub struct OverlaySettings {
    /// The size of letters and lines.
    pub scale: Scale,
    /// Draw the boxes.
    pub boxes: bool,
    /// Draw the labels.
    pub labels: bool,
    /// Draw the motion trails.
    pub trails: bool,
    /// Tint the pixels of an object, where the network tells them.
    pub masks: bool,
    /// Draw the points of a body, where the network tells them.
    pub keypoints: bool,
    /// Draw lines and zones with what was counted, and the last events.
    pub counts: bool,
    /// The unit of speeds on the labels, where the ground is known; `None`: none are shown.
    pub speed_unit: Option<SpeedUnit>,
    /// Draw the heat map over the picture.
    pub heat: bool,
    /// Draw the ground from above, where it is known.
    pub map: bool,
    /// Draw the numbers in the corner of the window (never in a recorded video).
    pub hud: bool,
    /// Draw the time line of recordings at the lower edge of the window (never in a recorded video).
    pub timeline: bool,
}

impl Default for OverlaySettings {
    fn default() -> Self {
        Self {
            scale: Scale::Auto,
            boxes: true,
            labels: true,
            trails: true,
            masks: true,
            keypoints: true,
            counts: true,
            speed_unit: Some(SpeedUnit::KilometresAnHour),
            heat: false,
            map: false,
            hud: true,
            timeline: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_follows_the_canvas() {
        assert_eq!(Scale::Auto.factor(1280, 720), 1.0);
        assert_eq!(Scale::Auto.factor(1920, 1080), 1.5);
        assert_eq!(Scale::Auto.factor(720, 1280), 0.9);
        assert_eq!(Scale::Auto.factor(1, 1), 0.75);
        assert_eq!(Scale::Auto.factor(32_768, 32_768), MAX_SCALE);
        for (set, got) in [(2.0, 2.0), (0.0, MIN_SCALE), (99.0, MAX_SCALE), (f32::NAN, 1.0)] {
            assert_eq!(Scale::Fixed(set).factor(10, 10), got);
        }
    }
}
