//! What can be set about a source.

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
    /// Which video of a file or an address that holds several, counted from 1; `None`: the one that players show.
    pub stream: Option<u32>,
    /// How the pictures of an RTSP server are sent.
    pub rtsp_transport: RtspTransport,
    /// What is asked of a camera.
    pub camera: CameraSettings,
}
