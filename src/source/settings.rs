//! What can be set about a source.

use std::fmt;
use std::str::FromStr;

use super::camera::FormatPin;

/// A turn of the picture, clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rotate {
    /// As it comes.
    #[default]
    None,
    /// 90° clockwise.
    Quarter,
    /// 180°.
    Half,
    /// 270° clockwise.
    ThreeQuarters,
}

/// By which way a camera is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CameraBackend {
    /// The best there is: on Linux V4L2, and nokhwa where that refuses; elsewhere nokhwa.
    #[default]
    Auto,
    /// Linux's V4L2.
    V4l,
    /// nokhwa.
    Nokhwa,
}

/// How the pictures of an RTSP server are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RtspTransport {
    /// Over TCP, so that no packet is lost; over UDP where the server refuses that.
    #[default]
    Auto,
    /// Over TCP only.
    Tcp,
    /// Over UDP only.
    Udp,
}

/// The `[source.camera]` section.
#[derive(Debug, Clone, PartialEq)]
pub struct CameraSettings {
    /// The wished width in pixels.
    pub width: u32,
    /// The wished height in pixels.
    pub height: u32,
    /// The wished rate in frames a second.
    pub fps: f64,
    /// What the camera's format has to be.
    pub format: FormatPin,
    /// By which way the camera is reached.
    pub backend: CameraBackend,
    /// Seconds without a picture from which on a camera or a stream counts as stalled.
    pub stall_seconds: f64,
    /// Seconds for which a camera or a stream that is gone is waited for; `None`: for ever.
    pub give_up_seconds: Option<f64>,
}

impl Default for CameraSettings {
    fn default() -> Self {
        Self {
            width: 1280,
            height: 720,
            fps: 30.0,
            format: FormatPin::default(),
            backend: CameraBackend::Auto,
            stall_seconds: 2.0,
            give_up_seconds: None,
        }
    }
}

/// A time of day, or that it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DayTime {
    /// Seconds past midnight.
    pub seconds: Option<u32>,
}

impl FromStr for DayTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::default());
        }
        let parts: Vec<&str> = text.split(':').collect();
        let number = |(part, most): (&&str, u32)| {
            let digits = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u32>().ok().filter(|number| digits && *number <= most)
        };
        let numbers: Option<Vec<u32>> = parts.iter().zip([23, 59, 59]).map(number).collect();
        let numbers = numbers.filter(|_| (2..=3).contains(&parts.len()));
        let seconds =
            numbers.map(|numbers| numbers.iter().zip([3600, 60, 1]).map(|(n, unit)| n * unit).sum());
        match seconds {
            Some(seconds) => Ok(Self { seconds: Some(seconds) }),
            None => {
                Err("a time of day from \"00:00\" to \"23:59\", with seconds or without; or \"\"".to_owned())
            }
        }
    }
}

impl fmt::Display for DayTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(seconds) = self.seconds else { return Ok(()) };
        write!(f, "{:02}:{:02}", seconds / 3600, seconds / 60 % 60)?;
        if seconds % 60 > 0 { write!(f, ":{:02}", seconds % 60) } else { Ok(()) }
    }
}

/// The `[source]` section.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SourceSettings {
    /// In a window: show every frame with its own detections, however slow, instead of keeping time.
    pub every_frame: bool,
    /// Frames a second of a recording with wrong time stamps; `None`: use its time stamps.
    pub fps: Option<f64>,
    /// Swap left and right (before the turn).
    pub mirror: bool,
    /// Turn the picture.
    pub rotate: Rotate,
    /// Leave out what lies before this time, in seconds after the first frame.
    pub start: Option<f64>,
    /// Leave out what lies at or after this time, in seconds after the first frame.
    pub end: Option<f64>,
    /// The time of day at which a recording began.
    pub began: DayTime,
    /// Which video of a file or an address that holds several, counted from 1; `None`: the one that players show.
    pub stream: Option<u32>,
    /// How the pictures of an RTSP server are sent.
    pub rtsp_transport: RtspTransport,
    /// What is asked of a camera.
    pub camera: CameraSettings,
}
