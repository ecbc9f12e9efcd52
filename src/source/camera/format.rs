//! In which ways a camera can give pictures: pixel format, size and rate; and the setting that pins them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// How a camera writes a pixel. Packed and planar Y'CbCr, in the order of preference at equal size and rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PixelFormat {
    /// Y'CbCr 4:2:2, packed as Y0 Cb Y1 Cr: 16 bits a pixel.
    Yuyv,
    /// The same in the order Cb Y0 Cr Y1.
    Uyvy,
    /// The same in the order Y0 Cr Y1 Cb.
    Yvyu,
    /// The same in the order Cr Y0 Cb Y1.
    Vyuy,
    /// Y'CbCr 4:2:2, a plane of Y and a plane of Cb and Cr in turn: 16 bits a pixel.
    Nv16,
    /// The same with Cr before Cb.
    Nv61,
    /// Y'CbCr 4:2:2, a plane each of Y, Cb and Cr: 16 bits a pixel.
    Yuv422,
    /// Y'CbCr 4:2:0, a plane of Y and a plane of Cb and Cr in turn: 12 bits a pixel.
    Nv12,
    /// The same with Cr before Cb.
    Nv21,
    /// Y'CbCr 4:2:0, a plane each of Y, Cb and Cr (I420): 12 bits a pixel.
    Yu12,
    /// The same with the plane of Cr before that of Cb.
    Yv12,
    /// Red, green, blue: 24 bits a pixel.
    Rgb,
    /// Blue, green, red: 24 bits a pixel.
    Bgr,
    /// One JPEG a frame.
    Mjpeg,
    /// One JPEG a frame, by its other name.
    Jpeg,
    /// Brightness alone: 8 bits a pixel.
    Gray,
}

/// Every pixel format with the four letters by which drivers know it.
const LETTERS: [(PixelFormat, &str); 16] = [
    (PixelFormat::Yuyv, "YUYV"),
    (PixelFormat::Uyvy, "UYVY"),
    (PixelFormat::Yvyu, "YVYU"),
    (PixelFormat::Vyuy, "VYUY"),
    (PixelFormat::Nv16, "NV16"),
    (PixelFormat::Nv61, "NV61"),
    (PixelFormat::Yuv422, "422P"),
    (PixelFormat::Nv12, "NV12"),
    (PixelFormat::Nv21, "NV21"),
    (PixelFormat::Yu12, "YU12"),
    (PixelFormat::Yv12, "YV12"),
    (PixelFormat::Rgb, "RGB3"),
    (PixelFormat::Bgr, "BGR3"),
    (PixelFormat::Mjpeg, "MJPG"),
    (PixelFormat::Jpeg, "JPEG"),
    (PixelFormat::Gray, "GREY"),
];

impl PixelFormat {
    /// All there are.
    #[cfg(any(test, feature = "camera"))]
    pub(super) fn all() -> impl Iterator<Item = Self> {
        LETTERS.iter().map(|&(pixels, _)| pixels)
    }

    /// The four letters by which drivers know it.
    pub fn letters(self) -> &'static str {
        LETTERS.iter().find(|(pixels, _)| *pixels == self).map_or("", |&(_, letters)| letters)
    }

    /// Whether each frame is a JPEG, whose length differs from frame to frame.
    pub fn is_compressed(self) -> bool {
        matches!(self, Self::Mjpeg | Self::Jpeg)
    }

    /// Bits a pixel of an uncompressed format; 0 for a compressed one.
    #[cfg(any(test, feature = "camera"))]
    pub(super) fn bits(self) -> u32 {
        match self {
            Self::Yuyv | Self::Uyvy | Self::Yvyu | Self::Vyuy | Self::Nv16 | Self::Nv61 | Self::Yuv422 => 16,
            Self::Nv12 | Self::Nv21 | Self::Yu12 | Self::Yv12 => 12,
            Self::Rgb | Self::Bgr => 24,
            Self::Gray => 8,
            Self::Mjpeg | Self::Jpeg => 0,
        }
    }
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.letters())
    }
}

impl FromStr for PixelFormat {
    type Err = ();

    /// By its four letters; upper and lower case are the same.
    fn from_str(text: &str) -> Result<Self, ()> {
        LETTERS
            .iter()
            .find(|(_, letters)| letters.eq_ignore_ascii_case(text))
            .map(|&(pixels, _)| pixels)
            .ok_or(())
    }
}

/// Frames a second, as the fraction that drivers count in: 30000/1001 is 29.97.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    frames: u32,
    seconds: u32,
}

impl Rate {
    /// So many frames in so many seconds; `None` where either is zero.
    pub fn new(frames: u32, seconds: u32) -> Option<Self> {
        let (mut a, mut b) = (frames, seconds);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        (frames > 0 && seconds > 0).then(|| Self { frames: frames / a, seconds: seconds / a })
    }

    /// The nearest fraction to this many frames a second; `None` where that is nothing a camera does.
    pub fn nearest(fps: f64) -> Option<Self> {
        if !(0.001..=1_000_000.0).contains(&fps) {
            return None;
        }
        // The rates of television are thousands over 1001.
        let television = fps * 1.001;
        if (television - television.round()).abs() < 5e-3 && (fps - fps.round()).abs() > 5e-3 {
            return Self::new((television.round() * 1000.0) as u32, 1001);
        }
        let fine = if fps > 1000.0 { 1 } else { 1000 };
        Self::new((fps * f64::from(fine)).round() as u32, fine)
    }

    /// Frames, and the seconds that they take.
    pub fn fraction(self) -> (u32, u32) {
        (self.frames, self.seconds)
    }

    /// As a number of frames a second.
    pub fn as_f64(self) -> f64 {
        f64::from(self.frames) / f64::from(self.seconds)
    }

    /// Whether a person who writes `fps` can mean this: it is the same but for rounding.
    pub(super) fn is_about(self, fps: f64) -> bool {
        (self.as_f64() - fps).abs() <= fps * 5e-4
    }
}

impl PartialOrd for Rate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rate {
    fn cmp(&self, other: &Self) -> Ordering {
        let cross = |a: &Self, b: &Self| u64::from(a.frames) * u64::from(b.seconds);
        cross(self, other).cmp(&cross(other, self))
    }
}

impl fmt::Display for Rate {
    /// As a number with at most two decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.2}", self.as_f64());
        f.pad(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// One way in which a camera can give pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CameraFormat {
    /// How a pixel is written.
    pub pixels: PixelFormat,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Frames a second.
    pub rate: Rate,
}

impl fmt::Display for CameraFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}×{} at {} fps", self.pixels, self.width, self.height, self.rate)
    }
}

/// What a camera's format has to be: the setting `source.camera.format`. Every part may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FormatPin {
    /// How a pixel is written.
    pub pixels: Option<PixelFormat>,
    /// `(width, height)` in pixels.
    pub size: Option<(u32, u32)>,
    /// Frames a second.
    pub fps: Option<f64>,
}

impl FormatPin {
    /// Whether it leaves everything open.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it allows this format.
    pub fn allows(&self, format: &CameraFormat) -> bool {
        self.pixels.is_none_or(|pixels| pixels == format.pixels)
            && self.size.is_none_or(|size| size == (format.width, format.height))
            && self.fps.is_none_or(|fps| format.rate.is_about(fps))
    }
}

impl fmt::Display for FormatPin {
    /// As it is written in the settings: `MJPG 1280x720@30`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.pixels.map(|pixels| pixels.to_string()).unwrap_or_default();
        if let Some((width, height)) = self.size {
            text.push_str(&format!("{}{width}x{height}", if text.is_empty() { "" } else { " " }));
        }
        if let Some(fps) = self.fps {
            text.push_str(&format!("@{fps}"));
        }
        f.pad(&text)
    }
}

impl FromStr for FormatPin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = || {
            let letters: Vec<&str> = LETTERS.iter().map(|&(_, letters)| letters).collect();
            format!(
                "\"\" or a format such as \"MJPG 1280x720@30\", of which parts may be left out (\"MJPG\", \"640x480\", \
                 \"YUYV @15\"); the pixel formats are {}",
                letters.join(", ")
            )
        };
        let mut pin = Self::default();
        let (rest, fps) = match text.split_once('@') {
            Some((rest, fps)) => (rest, Some(fps.trim())),
            None => (text, None),
        };
        if let Some(fps) = fps {
            let fps = fps.parse::<f64>().ok().filter(|fps| (0.01..=1000.0).contains(fps));
            pin.fps = Some(fps.ok_or_else(allowed)?);
        }
        for word in rest.split_whitespace() {
            let sides =
                word.split_once(['x', '×']).and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
            match (word.parse::<PixelFormat>(), sides) {
                (Ok(pixels), _) if pin.pixels.is_none() && pin.size.is_none() => pin.pixels = Some(pixels),
                (_, Some((width, height))) if pin.size.is_none() => {
                    let sane = (1..=16384).contains(&width) && (1..=16384).contains(&height);
                    pin.size = Some(sane.then_some((width, height)).ok_or_else(allowed)?);
                }
                _ => return Err(allowed()),
            }
        }
        Ok(pin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_fractions_in_order() {
        assert_eq!(Rate::new(60, 2), Rate::new(30, 1));
        assert_eq!((Rate::new(0, 1), Rate::new(1, 0)), (None, None));
        let rate = |frames, seconds| Rate::new(frames, seconds).unwrap();
        assert!(rate(30_000, 1001) < rate(30, 1) && rate(30_000, 1001) > rate(25, 1));
        assert!(rate(u32::MAX, 1) > rate(1, u32::MAX));
        let shown: Vec<String> = [rate(30, 1), rate(30_000, 1001), rate(15, 2), rate(1, 3), rate(100, 1)]
            .map(|r| r.to_string())
            .into();
        assert_eq!(shown, ["30", "29.97", "7.5", "0.33", "100"]);
        assert!(rate(30_000, 1001).is_about(29.97) && !rate(30_000, 1001).is_about(30.0));
    }

    #[test]
    fn numbers_become_the_fractions_that_drivers_mean() {
        for (fps, fraction) in [
            (30.0, (30, 1)),
            (29.97, (30_000, 1001)),
            (23.976, (24_000, 1001)),
            (59.94, (60_000, 1001)),
            (12.5, (25, 2)),
            (7.5, (15, 2)),
            (1000.0, (1000, 1)),
        ] {
            assert_eq!(Rate::nearest(fps).unwrap().fraction(), fraction, "{fps}");
        }
        for fps in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(Rate::nearest(fps), None, "{fps}");
        }
    }

    #[test]
    fn letters_find_their_formats_in_any_case() {
        for pixels in PixelFormat::all() {
            assert_eq!(pixels.letters().len(), 4);
            assert_eq!(pixels.to_string().to_lowercase().parse(), Ok(pixels));
        }
        let mut sorted: Vec<_> = PixelFormat::all().collect();
        sorted.sort();
        assert!(PixelFormat::all().eq(sorted), "the table is in the order of preference");
    }

    #[test]
    fn a_pin_is_read_and_written() {
        for (text, written) in [
            ("", ""),
            ("MJPG 1280x720@30", "MJPG 1280x720@30"),
            ("mjpg  1280×720 @ 29.97", "MJPG 1280x720@29.97"),
            ("YUYV", "YUYV"),
            ("640x480", "640x480"),
            ("@15", "@15"),
            ("NV12 @7.5", "NV12@7.5"),
            ("uyvy 64x48", "UYVY 64x48"),
        ] {
            let pin: FormatPin = text.parse().unwrap();
            assert_eq!(pin.to_string(), written);
            assert_eq!(written.parse(), Ok(pin));
        }
        for wrong in [
            "H264",
            "MJPG 1280",
            "1280x720 MJPG",
            "MJPG YUYV",
            "640x480 640x480",
            "0x480",
            "99999x1",
            "@0",
            "@x",
            "@",
            "MJPG 1280x720@30@30",
            "1280x720x3",
        ] {
            let why = wrong.parse::<FormatPin>().unwrap_err();
            assert!(why.contains("MJPG 1280x720@30") && why.contains("UYVY"), "{wrong:?}: {why}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_pin_or_an_error(text in "[A-Za-z0-9x@. ×]{0,20}") {
            if let Ok(pin) = text.parse::<FormatPin>() {
                assert_eq!(pin.to_string().parse(), Ok(pin));
            }
        }
    }
}
