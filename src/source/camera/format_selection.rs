//! Which of a camera's formats to ask for, and in which order to try the others when it refuses. Knows no device.

use std::cmp::Reverse;

use super::{CameraFormat, PixelFormat, Rate};
use crate::frame::Picture;
use crate::source::CameraSettings;

/// How many of the offered formats are tried: a camera that refuses this many will refuse the rest.
const MOST_TRIED: usize = 12;
/// A rate beyond this is not a rate: a fraction such as 30000/1001 may be listed by its numerator.
const HIGHEST_RATE: u32 = 1000;
/// A rate that falls short of the wished one by less than this share is enough: 29.97 is 30.
const ENOUGH: f64 = 0.998;

/// The formats to ask for out of those that are offered and allowed by `source.camera.format`, the best first.
///
/// The order: colour before grey; a rate of at least the wished one before a lower one (and of the lower ones the
/// highest); a size of at least the wished one before a smaller one; the nearest size by area; the lowest rate that is
/// enough; uncompressed before Motion-JPEG; then the order of [`PixelFormat`]. Rates that hardly differ, such as 29.97 and
/// 30, count as the same. An uncompressed format counts with the rate
/// that the bus can carry of it, `bus` bytes a second, where its listed rate is higher: what does not fit fails or stutters.
pub(super) fn candidates(
    offered: &[CameraFormat],
    wish: &CameraSettings,
    bus: Option<u64>,
) -> Vec<CameraFormat> {
    let allowed = |format: &&CameraFormat| is_plausible(format) && wish.format.allows(format);
    let mut formats: Vec<CameraFormat> = offered.iter().filter(allowed).copied().collect();
    let listed = Levels::of(formats.iter().map(|format| format.rate.as_f64()));
    let arriving = Levels::of(formats.iter().map(|format| carried(format, bus)));
    formats.sort_by_key(|format| rank(format, wish, bus, &listed, &arriving));
    formats.dedup();
    formats.truncate(MOST_TRIED);
    formats
}

/// What to ask for unlisted: for a camera that lists nothing, or refuses what it lists. The wished size and 640×480 in the
/// common pixel formats, as far as `source.camera.format` allows.
pub(super) fn unlisted(wish: &CameraSettings) -> Vec<CameraFormat> {
    let pin = &wish.format;
    let common = [
        PixelFormat::Yuyv,
        PixelFormat::Uyvy,
        PixelFormat::Nv12,
        PixelFormat::Yu12,
        PixelFormat::Rgb,
        PixelFormat::Bgr,
        PixelFormat::Mjpeg,
    ];
    let pixels: Vec<PixelFormat> = pin.pixels.map_or(common.to_vec(), |pixels| vec![pixels]);
    let mut formats = Vec::new();
    for (width, height, fps) in [(wish.width, wish.height, wish.fps), (640, 480, 30.0)] {
        let (width, height) = pin.size.unwrap_or((width, height));
        let Some(rate) = Rate::nearest(pin.fps.unwrap_or(fps)) else { continue };
        for &pixels in &pixels {
            let format = CameraFormat { pixels, width, height, rate };
            if is_plausible(&format) && !formats.contains(&format) {
                formats.push(format);
            }
        }
    }
    formats
}

/// Whether a listed format can be what it says.
pub(super) fn is_plausible(format: &CameraFormat) -> bool {
    format.rate.as_f64() <= f64::from(HIGHEST_RATE) && Picture::bytes(format.width, format.height).is_ok()
}

/// Sorts the best first; see [`candidates`].
fn rank(
    format: &CameraFormat,
    wish: &CameraSettings,
    bus: Option<u64>,
    listed: &Levels,
    arriving: &Levels,
) -> impl Ord + use<> {
    let rate = carried(format, bus);
    let too_slow = rate < wish.fps * ENOUGH;
    let too_small = format.width < wish.width || format.height < wish.height;
    let area = |width: u32, height: u32| u64::from(width) * u64::from(height);
    let away = area(format.width, format.height).abs_diff(area(wish.width, wish.height));
    let lack = too_slow.then(|| Reverse(arriving.level(rate)));
    // Thousandths.
    let off = ((format.rate.as_f64() - wish.fps).abs() * 1000.0) as u64;
    (
        format.pixels == PixelFormat::Gray,
        too_slow,
        lack,
        too_small,
        away,
        listed.level(format.rate.as_f64()),
        format.pixels,
        off,
        // Only so that equal keys are equal formats.
        (format.rate, format.width, format.height),
    )
}

/// Rates in steps: those of one step differ by less than [`ENOUGH`] leaves out.
struct Levels {
    /// The lowest of each step, rising.
    lowest: Vec<f64>,
}

impl Levels {
    fn of(rates: impl Iterator<Item = f64>) -> Self {
        let mut rates: Vec<f64> = rates.collect();
        rates.sort_by(f64::total_cmp);
        let mut lowest: Vec<f64> = Vec::new();
        for rate in rates {
            if lowest.last().is_none_or(|&lowest| lowest < rate * ENOUGH) {
                lowest.push(rate);
            }
        }
        Self { lowest }
    }

    /// The number of the step that a rate is in.
    fn level(&self, rate: f64) -> usize {
        self.lowest.partition_point(|&lowest| lowest <= rate)
    }
}

/// The frames a second that arrive over a bus of so many bytes a second.
fn carried(format: &CameraFormat, bus: Option<u64>) -> f64 {
    let listed = format.rate.as_f64();
    let frame = u64::from(format.width) * u64::from(format.height) * u64::from(format.pixels.bits()) / 8;
    match bus {
        Some(bytes) if frame > 0 => listed.min(bytes as f64 / frame as f64),
        _ => listed,
    }
}

#[cfg(test)]
mod tests {
    use super::PixelFormat::{Bgr, Gray, Mjpeg, Nv12, Rgb, Yuyv};
    use super::*;

    fn format(pixels: PixelFormat, width: u32, height: u32, fps: u32) -> CameraFormat {
        CameraFormat { pixels, width, height, rate: Rate::new(fps, 1).unwrap() }
    }

    fn wish(width: u32, height: u32, fps: f64) -> CameraSettings {
        CameraSettings { width, height, fps, ..CameraSettings::default() }
    }

    /// What a common USB 2 camera lists: the larger, the slower, unless compressed.
    fn usb_camera() -> Vec<CameraFormat> {
        vec![
            format(Mjpeg, 1920, 1080, 30),
            format(Mjpeg, 1280, 720, 30),
            format(Mjpeg, 640, 480, 30),
            format(Yuyv, 1920, 1080, 5),
            format(Yuyv, 1280, 720, 10),
            format(Yuyv, 640, 480, 30),
            format(Yuyv, 640, 480, 15),
            format(Yuyv, 320, 240, 30),
        ]
    }

    #[test]
    fn the_first_choice_follows_the_stated_order() {
        let best = |offered: &[CameraFormat], wish: CameraSettings| {
            candidates(offered, &wish, None).first().copied()
        };
        let cases = [
            // The rate decides before the size and the compression.
            (usb_camera(), wish(1280, 720, 30.0), format(Mjpeg, 1280, 720, 30)),
            (usb_camera(), wish(1280, 720, 10.0), format(Yuyv, 1280, 720, 10)),
            (usb_camera(), wish(1920, 1080, 5.0), format(Yuyv, 1920, 1080, 5)),
            // At equal rate and size, uncompressed.
            (usb_camera(), wish(640, 480, 30.0), format(Yuyv, 640, 480, 30)),
            (usb_camera(), wish(640, 480, 15.0), format(Yuyv, 640, 480, 15)),
            // The nearest size that is not smaller.
            (usb_camera(), wish(800, 600, 30.0), format(Mjpeg, 1280, 720, 30)),
            // Larger than all: the largest.
            (usb_camera(), wish(3840, 2160, 30.0), format(Mjpeg, 1920, 1080, 30)),
            // Faster than all: the fastest, at the wished size.
            (usb_camera(), wish(1280, 720, 60.0), format(Mjpeg, 1280, 720, 30)),
            // Enough, and not more than that.
            (
                vec![format(Yuyv, 640, 480, 60), format(Yuyv, 640, 480, 30)],
                wish(640, 480, 29.97),
                format(Yuyv, 640, 480, 30),
            ),
            // Wide enough but not tall enough is smaller.
            (
                vec![format(Yuyv, 1280, 600, 30), format(Yuyv, 1600, 1200, 30)],
                wish(1280, 720, 30.0),
                format(Yuyv, 1600, 1200, 30),
            ),
            // Colour before grey, whatever else.
            (
                vec![format(Gray, 1280, 720, 30), format(Mjpeg, 320, 240, 5)],
                wish(1280, 720, 30.0),
                format(Mjpeg, 320, 240, 5),
            ),
            (
                vec![
                    format(Bgr, 64, 64, 30),
                    format(Mjpeg, 64, 64, 30),
                    format(Nv12, 64, 64, 30),
                    format(Rgb, 64, 64, 30),
                ],
                wish(64, 64, 30.0),
                format(Nv12, 64, 64, 30),
            ),
        ];
        for (offered, wish, expected) in cases {
            assert_eq!(best(&offered, wish.clone()), Some(expected), "wished {wish:?} of {offered:?}");
        }
    }

    #[test]
    fn after_a_refusal_comes_the_next_best() {
        let order = candidates(&usb_camera(), &wish(1280, 720, 30.0), None);
        let listed = [
            format(Mjpeg, 1280, 720, 30),
            format(Mjpeg, 1920, 1080, 30),
            format(Yuyv, 640, 480, 30),
            format(Mjpeg, 640, 480, 30),
            format(Yuyv, 320, 240, 30),
            format(Yuyv, 640, 480, 15),
            format(Yuyv, 1280, 720, 10),
            format(Yuyv, 1920, 1080, 5),
        ];
        assert_eq!(order, listed);
    }

    #[test]
    fn uncompressed_counts_with_what_the_bus_carries_of_it() {
        let usb2 = Some(3 * 1024 * 8000);
        let offered = [
            format(Yuyv, 1280, 720, 30),
            format(Mjpeg, 1280, 720, 30),
            format(Yuyv, 640, 480, 30),
            format(Yuyv, 800, 600, 30),
        ];
        let best = |bus, wish| candidates(&offered, &wish, bus)[0];
        assert_eq!(best(None, wish(1280, 720, 30.0)), format(Yuyv, 1280, 720, 30));
        assert_eq!(best(usb2, wish(1280, 720, 30.0)), format(Mjpeg, 1280, 720, 30));
        assert_eq!(best(usb2, wish(1280, 720, 10.0)), format(Yuyv, 1280, 720, 30), "13 a second fit");
        assert_eq!(best(usb2, wish(640, 480, 30.0)), format(Yuyv, 640, 480, 30));
        let raw = [format(Yuyv, 1280, 720, 30), format(Yuyv, 1920, 1080, 30)];
        assert_eq!(
            candidates(&raw, &wish(1920, 1080, 30.0), usb2)[0],
            raw[0],
            "too slow both, the faster first"
        );
    }

    #[test]
    fn a_fraction_just_below_the_wish_is_enough() {
        let television =
            CameraFormat { rate: Rate::new(30_000, 1001).unwrap(), ..format(Mjpeg, 1280, 720, 1) };
        let offered = [format(Yuyv, 320, 240, 30), television];
        assert_eq!(candidates(&offered, &wish(1280, 720, 30.0), None)[0], television);
    }

    #[test]
    fn rates_that_hardly_differ_are_the_same() {
        let television = |pixels, frames| CameraFormat {
            rate: Rate::new(frames, 1001).unwrap(),
            ..format(pixels, 640, 480, 1)
        };
        let (slow, even) = (television(Mjpeg, 30_000), format(Yuyv, 640, 480, 30));
        assert_eq!(candidates(&[slow, even], &wish(640, 480, 30.0), None), [even, slow]);
        let (slow, even) = (television(Yuyv, 30_000), format(Mjpeg, 640, 480, 30));
        assert_eq!(candidates(&[even, slow], &wish(640, 480, 60.0), None), [slow, even], "too slow both");
        let other = format(Mjpeg, 640, 480, 29);
        assert_eq!(candidates(&[format(Yuyv, 640, 480, 30), other], &wish(640, 480, 29.0), None)[0], other);
    }

    #[test]
    fn a_pin_leaves_only_what_it_allows() {
        let pinned = |pin: &str| {
            let wish = CameraSettings { format: pin.parse().unwrap(), ..wish(1280, 720, 30.0) };
            (candidates(&usb_camera(), &wish, None), unlisted(&wish))
        };
        let (best, _) = pinned("YUYV");
        assert_eq!(best[0], format(Yuyv, 640, 480, 30));
        assert!(best.len() == 5 && best.iter().all(|format| format.pixels == Yuyv));
        assert_eq!(pinned("MJPG 1920x1080@30").0, [format(Mjpeg, 1920, 1080, 30)]);
        assert_eq!(pinned("640x480@15").0, [format(Yuyv, 640, 480, 15)]);
        assert_eq!(pinned("NV12").0, []);
        let (_, unlisted) = pinned("NV12 320x200@25");
        assert_eq!(unlisted, [format(Nv12, 320, 200, 25)]);
    }

    #[test]
    fn nonsense_in_a_list_is_not_asked_for() {
        let nonsense =
            [format(Yuyv, 640, 480, 30_000), format(Yuyv, 0, 480, 30), format(Mjpeg, u32::MAX, u32::MAX, 30)];
        assert_eq!(candidates(&nonsense, &wish(640, 480, 30.0), Some(0)), []);
    }

    #[test]
    fn the_number_of_attempts_is_bounded_whatever_is_listed_and_wished() {
        let many: Vec<_> = (1..500).map(|fps| format(Yuyv, 640, 480, fps)).collect();
        assert_eq!(candidates(&many, &wish(1280, 720, 30.0), None).len(), MOST_TRIED);
        assert_eq!(unlisted(&wish(1280, 720, 30.0)).len(), 14);
        for fps in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
            candidates(&many, &wish(0, u32::MAX, fps), Some(0));
            assert_eq!(unlisted(&wish(0, u32::MAX, fps)).len(), 7, "only the common size is left to try");
        }
    }
}
