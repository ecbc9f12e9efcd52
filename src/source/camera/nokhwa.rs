//! Cameras through nokhwa, on every system that it knows: listing them, opening one, and what its failures mean. Its pixel
//! decoders are not used. Its devices stay on the thread that opened them.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use nokhwa::utils::{CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType, frame_formats};
use nokhwa::{Camera, NokhwaError};

use super::backend::{Captured, Device, Listing, guarded};
use super::device_error::DeviceError;
use super::layout::Layout;
use super::{CameraFormat, PixelFormat, Rate};

/// How long a person may take to answer the system's question whether this program may use the camera.
const PERMISSION_WAIT: Duration = Duration::from_secs(60);

impl From<NokhwaError> for DeviceError {
    fn from(error: NokhwaError) -> Self {
        let text = error.to_string();
        // nokhwa keeps of an operating system's error only its text, which ends with the number.
        let number = text
            .rsplit_once("(os error ")
            .and_then(|(_, rest)| rest.split(')').next())
            .and_then(|number| number.parse::<i32>().ok());
        number.and_then(Self::of_number).unwrap_or(Self::Other(text))
    }
}

/// The number and name of every camera.
#[cfg(not(target_os = "linux"))]
pub(super) fn cameras() -> Result<Vec<super::select::Named>, DeviceError> {
    may_use()?;
    let cameras = guarded(|| Ok(nokhwa::query(nokhwa::utils::ApiBackend::Auto)?))?;
    Ok(cameras
        .into_iter()
        .filter_map(|camera| Some((camera.index().as_index().ok()?, camera.human_name())))
        .collect())
}

/// What the camera lists, which may be nonsense.
pub(super) fn listing(index: u32) -> Result<Listing, DeviceError> {
    let formats = guarded(|| {
        // nokhwa wants a format for opening; any will do.
        let any = RequestedFormat::with_formats(RequestedFormatType::None, frame_formats());
        Ok(Camera::new(CameraIndex::Index(index), any)?.compatible_camera_formats()?)
    })?;
    Ok(Listing { formats: formats.into_iter().filter_map(from_nokhwa).collect(), others: Vec::new() })
}

/// A camera that gives frames.
pub(super) struct NokhwaDevice {
    /// Only absent while it is dropped.
    camera: Option<Camera>,
    layout: Layout,
}

impl NokhwaDevice {
    /// Opens the camera with exactly this format.
    pub(super) fn open(index: u32, format: CameraFormat) -> Result<Self, DeviceError> {
        may_use()?;
        let wanted = to_nokhwa(format)
            .ok_or_else(|| DeviceError::Other("nokhwa does not know this format".to_owned()))?;
        let exact = RequestedFormat::with_formats(RequestedFormatType::Exact(wanted), frame_formats());
        let mut camera = guarded(|| {
            let index = CameraIndex::Index(index);
            // A new size can change the rate after nokhwa found that it needs no change: the second time it does.
            Ok(match Camera::new(index.clone(), exact) {
                Err(NokhwaError::SetPropertyError { .. }) => Camera::new(index, exact)?,
                other => other?,
            })
        })?;
        guarded(|| Ok(camera.open_stream()?))?;
        let got = from_nokhwa(camera.camera_format())
            .ok_or_else(|| DeviceError::Other("it reports a rate of zero".to_owned()))?;
        Ok(Self { camera: Some(camera), layout: Layout::of(got) })
    }
}

impl Device for NokhwaDevice {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Blocks as long as the driver does: nokhwa has no other wait.
    fn wait(&mut self, _at_most: Duration) -> Result<Option<Captured>, DeviceError> {
        let camera = self.camera.as_mut().ok_or(DeviceError::Gone)?;
        let buffer = guarded(|| Ok(camera.frame()?))?;
        Ok(Some(Captured { bytes: Box::new(buffer.buffer_bytes()), broken: false, at: Instant::now() }))
    }
}

impl Drop for NokhwaDevice {
    fn drop(&mut self) {
        let camera = self.camera.take();
        // nokhwa panics when the driver refuses to stop; the device is closed all the same.
        if let Err(fault) = guarded(|| {
            drop(camera);
            Ok(())
        }) {
            log::debug!("closing a camera: {fault:?}");
        }
    }
}

/// Asks the system's permission where it wants to be asked (macOS); elsewhere the answer is yes at once.
fn may_use() -> Result<(), DeviceError> {
    if nokhwa::nokhwa_check() {
        return Ok(());
    }
    let (tell, told) = mpsc::sync_channel(1);
    nokhwa::nokhwa_initialize(move |granted| {
        // Nobody waits any longer: nothing to tell.
        let _ = tell.try_send(granted);
    });
    match told.recv_timeout(PERMISSION_WAIT) {
        Ok(true) => Ok(()),
        _ => Err(DeviceError::Denied),
    }
}

fn from_nokhwa(format: nokhwa::utils::CameraFormat) -> Option<CameraFormat> {
    let pixels = match format.format() {
        FrameFormat::MJPEG => PixelFormat::Mjpeg,
        FrameFormat::YUYV => PixelFormat::Yuyv,
        FrameFormat::NV12 => PixelFormat::Nv12,
        FrameFormat::GRAY => PixelFormat::Gray,
        FrameFormat::RAWRGB => PixelFormat::Rgb,
        FrameFormat::RAWBGR => PixelFormat::Bgr,
    };
    let rate = Rate::new(format.frame_rate(), 1)?;
    Some(CameraFormat { pixels, width: format.width(), height: format.height(), rate })
}

fn to_nokhwa(format: CameraFormat) -> Option<nokhwa::utils::CameraFormat> {
    let pixels = match format.pixels {
        PixelFormat::Mjpeg => FrameFormat::MJPEG,
        PixelFormat::Yuyv => FrameFormat::YUYV,
        PixelFormat::Nv12 => FrameFormat::NV12,
        PixelFormat::Gray => FrameFormat::GRAY,
        PixelFormat::Rgb => FrameFormat::RAWRGB,
        PixelFormat::Bgr => FrameFormat::RAWBGR,
        _ => return None,
    };
    let rate = format.rate.as_f64().round() as u32;
    Some(nokhwa::utils::CameraFormat::new_from(format.width, format.height, pixels, rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn errors_of_the_system_are_recognised_in_any_wrapping() {
        let open = |why: &str| NokhwaError::OpenDeviceError("0".to_owned(), format!("V4L2 Error: {why}"));
        let cases = [
            (open("Permission denied (os error 13)"), DeviceError::Denied),
            (open("No such file or directory (os error 2)"), DeviceError::Gone),
            (
                NokhwaError::OpenStreamError("Device or resource busy (os error 16)".to_owned()),
                DeviceError::Busy,
            ),
            (NokhwaError::ReadFrameError("No such device (os error 19)".to_owned()), DeviceError::Gone),
        ];
        for (error, expected) in cases {
            assert_eq!(DeviceError::from(error), expected);
        }
        let other = NokhwaError::ReadFrameError("Input/output error (os error 5)".to_owned());
        assert!(
            matches!(DeviceError::from(other), DeviceError::Other(why) if why.contains("Input/output error"))
        );
    }

    #[test]
    fn pixel_formats_keep_their_meaning_both_ways() {
        for &pixels in frame_formats() {
            let format = nokhwa::utils::CameraFormat::new_from(640, 480, pixels, 30);
            assert_eq!(from_nokhwa(format).and_then(to_nokhwa), Some(format));
        }
        assert_eq!(from_nokhwa(nokhwa::utils::CameraFormat::new_from(640, 480, FrameFormat::YUYV, 0)), None);
    }
}
