//! Which of a camera's formats to ask for, and in which order to try the others when it refuses. Knows no device.

use super::{CameraFormat, PixelFormat};
use crate::frame::Picture;
use crate::source::CameraSettings;

/// How many of the offered formats are tried: a camera that refuses this many will refuse the rest.
const MOST_TRIED: usize = 12;
/// A rate beyond this is not a rate: a fraction such as 30000/1001 may be listed by its numerator.
const HIGHEST_RATE: u32 = 1000;

/// The formats to ask for, the best first.
///
/// The order of the offered formats: colour before grey; a rate of at least the wished one before a lower one (and of
/// the lower ones the highest); a size of at least the wished one before a smaller one; the nearest size by area; the
/// lowest rate that is enough; uncompressed before Motion-JPEG. After those, for a camera that lists nothing or lists
/// what it then refuses, come the wished size and 640×480 in every pixel format, unlisted as they are.
pub(super) fn candidates(offered: &[CameraFormat], wish: &CameraSettings) -> Vec<CameraFormat> {
    let mut formats: Vec<CameraFormat> =
        offered.iter().filter(|format| is_plausible(format)).copied().collect();
    formats.sort_by_key(|format| rank(format, wish));
    formats.dedup();
    formats.truncate(MOST_TRIED);

    // `as` saturates, and the filter below takes what then makes no sense.
    let fps = wish.fps.ceil() as u32;
    let unlisted = [(wish.width, wish.height, fps), (640, 480, 30)];
    for (width, height, fps) in unlisted {
        for pixels in
            [PixelFormat::Yuyv, PixelFormat::Nv12, PixelFormat::Rgb, PixelFormat::Bgr, PixelFormat::Mjpeg]
        {
            let format = CameraFormat { pixels, width, height, fps };
            if is_plausible(&format) && !offered.contains(&format) && !formats.contains(&format) {
                formats.push(format);
            }
        }
    }
    formats
}

/// Whether a listed format can be what it says.
pub(super) fn is_plausible(format: &CameraFormat) -> bool {
    (1..=HIGHEST_RATE).contains(&format.fps) && Picture::bytes(format.width, format.height).is_ok()
}

/// Sorts the best first; see [`candidates`].
fn rank(format: &CameraFormat, wish: &CameraSettings) -> impl Ord + use<> {
    let too_slow = f64::from(format.fps) < wish.fps;
    let too_small = format.width < wish.width || format.height < wish.height;
    let area = |width: u32, height: u32| u64::from(width) * u64::from(height);
    let away = area(format.width, format.height).abs_diff(area(wish.width, wish.height));
    (
        format.pixels == PixelFormat::Gray,
        too_slow,
        if too_slow { HIGHEST_RATE.saturating_sub(format.fps) } else { 0 },
        too_small,
        away,
        format.fps,
        format.pixels,
        // Only so that equal keys are equal formats.
        (format.width, format.height),
    )
}

#[cfg(test)]
mod tests {
    use super::PixelFormat::{Bgr, Gray, Mjpeg, Nv12, Rgb, Yuyv};
    use super::*;

    fn format(pixels: PixelFormat, width: u32, height: u32, fps: u32) -> CameraFormat {
        CameraFormat { pixels, width, height, fps }
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
        let best =
            |offered: &[CameraFormat], wish: CameraSettings| candidates(offered, &wish).first().copied();
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
        let order = candidates(&usb_camera(), &wish(1280, 720, 30.0));
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
        assert_eq!(order.get(..listed.len()), Some(&listed[..]));
        // Then what was not listed, each once.
        let rest = &order[listed.len()..];
        assert_eq!(rest.first(), Some(&format(Yuyv, 1280, 720, 30)));
        assert!(rest.iter().all(|format| !listed.contains(format)));
    }

    #[test]
    fn nonsense_in_a_list_is_not_asked_for() {
        let nonsense = [
            format(Yuyv, 640, 480, 30_000),
            format(Yuyv, 640, 480, 0),
            format(Yuyv, 0, 480, 30),
            format(Mjpeg, u32::MAX, u32::MAX, 30),
        ];
        let order = candidates(&nonsense, &wish(640, 480, 30.0));
        assert!(order.iter().all(|format| !nonsense.contains(format)), "{order:?}");
        assert_eq!(order.first(), Some(&format(Yuyv, 640, 480, 30)), "the wish itself, unlisted");
    }

    #[test]
    fn the_number_of_attempts_is_bounded_whatever_is_listed_and_wished() {
        let many: Vec<_> = (1..500).map(|fps| format(Yuyv, 640, 480, fps)).collect();
        assert!(candidates(&many, &wish(1280, 720, 30.0)).len() <= MOST_TRIED + 10);
        for fps in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
            let order = candidates(&[], &wish(0, u32::MAX, fps));
            assert_eq!(order.len(), 5, "only the common size is left to try: {order:?}");
        }
    }
}
