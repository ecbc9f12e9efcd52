//! The only place that speaks with nokhwa: listing cameras, opening one, and what its failures mean to a person.
//! Its pixel decoders are not used. Its devices stay on the thread that opened them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;

use nokhwa::utils::{
    ApiBackend, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType, frame_formats,
};
use nokhwa::{Buffer, Camera, NokhwaError};

use super::select::Named;
use super::{CameraDescription, CameraFormat, PixelFormat, choice};
use crate::source::{CameraSettings, SourceError};

/// How long a person may take to answer the system's question whether this program may use the camera.
const PERMISSION_WAIT: Duration = Duration::from_secs(60);

/// Why a camera does not do what it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// This user or program may not use it.
    Denied,
    /// Another program uses it.
    Busy,
    /// It is not there (any more).
    Gone,
    /// Anything else, in the words of the driver or of nokhwa.
    Other(String),
}

impl Fault {
    /// What happened and what to do about it, for the camera with this index.
    pub(super) fn sentence(&self, index: u32) -> String {
        match self {
            Self::Denied if cfg!(target_os = "linux") => format!(
                "permission denied for /dev/video{index}: put yourself into the group that owns it (usually `sudo \
                 usermod -aG video $USER`), then log out and in again"
            ),
            Self::Denied => {
                "permission denied: allow this program (or its terminal) to use the camera in the system's privacy \
                 settings, then start it again"
                    .to_owned()
            }
            Self::Busy if cfg!(target_os = "linux") => format!(
                "another program is using it: close that one (`fuser -v /dev/video{index}` names it), or choose \
                 another camera from `trailsight cameras`"
            ),
            Self::Busy => {
                "another program is using it: close that one, or choose another camera from `trailsight cameras`"
                    .to_owned()
            }
            Self::Gone => {
                "the camera is gone: plug it in again and start anew; `trailsight cameras` lists what is there"
                    .to_owned()
            }
            Self::Other(why) => why.clone(),
        }
    }

    /// Whether trying another format is pointless.
    fn is_final(&self) -> bool {
        !matches!(self, Self::Other(_))
    }
}

impl From<NokhwaError> for Fault {
    fn from(error: NokhwaError) -> Self {
        let text = error.to_string();
        // nokhwa keeps of an operating system's error only its text, which ends with the number.
        let number = text
            .rsplit_once("(os error ")
            .and_then(|(_, rest)| rest.split(')').next())
            .and_then(|number| number.parse::<i32>().ok());
        match number {
            // EPERM, EACCES
            Some(1 | 13) if cfg!(unix) => Self::Denied,
            // EBUSY
            Some(16) if cfg!(unix) => Self::Busy,
            // ENOENT, ENXIO, ENODEV
            Some(2 | 6 | 19) if cfg!(unix) => Self::Gone,
            _ => Self::Other(text),
        }
    }
}

/// The cameras of this machine, by index. Each is opened for a moment to learn its formats; one that cannot be opened
/// is listed with a note instead of formats, and so is a device that is no camera for pictures, such as a camera's
/// device for metadata.
///
/// # Errors
/// [`SourceError::Open`] when the system cannot be asked for its cameras. That there are none is no error.
pub fn list() -> Result<Vec<CameraDescription>, SourceError> {
    let cameras = cameras().map_err(|fault| SourceError::Open {
        what: "the list of cameras".to_owned(),
        why: fault.sentence(0),
    })?;
    Ok(cameras.into_iter().map(|(index, name)| describe(index, name)).collect())
}

fn describe(index: u32, name: String) -> CameraDescription {
    let (mut formats, mut note) = match offered(index) {
        Ok(formats) => (formats, None),
        Err(fault) => (Vec::new(), Some(fault.sentence(index))),
    };
    formats.retain(choice::is_plausible);
    formats
        .sort_by_key(|format| (format.pixels, std::cmp::Reverse((format.width, format.height, format.fps))));
    formats.dedup();
    if formats.is_empty() && note.is_none() {
        note = Some("it lists no format that this program can read".to_owned());
    }
    CameraDescription { index, name, formats, note }
}

/// The number and name of every camera, by number.
pub(super) fn cameras() -> Result<Vec<Named>, Fault> {
    may_use()?;
    let mut cameras: Vec<Named> = guarded(|| nokhwa::query(ApiBackend::Auto))?
        .into_iter()
        .filter_map(|camera| Some((camera.index().as_index().ok()?, camera.human_name())))
        .collect();
    cameras.sort();
    Ok(cameras)
}

/// What the camera lists, which may be nonsense.
pub(super) fn offered(index: u32) -> Result<Vec<CameraFormat>, Fault> {
    guarded(|| {
        // nokhwa wants a format for opening; any will do.
        let any = RequestedFormat::with_formats(RequestedFormatType::None, frame_formats());
        Camera::new(CameraIndex::Index(index), any)?.compatible_camera_formats()
    })
    .map(|formats| formats.into_iter().map(from_nokhwa).collect())
}

/// A camera that gives frames.
pub(super) struct Device {
    /// Only absent while it is dropped.
    camera: Option<Camera>,
    /// What was agreed on.
    pub(super) format: CameraFormat,
}

impl Device {
    /// Opens the camera with the best format that it does not refuse; logs what was wished and what was got, and each
    /// refusal.
    pub(super) fn open(index: u32, name: &str, wish: &CameraSettings) -> Result<Self, Fault> {
        may_use()?;
        let offered = match offered(index) {
            Ok(formats) => formats,
            Err(fault) if fault.is_final() => return Err(fault),
            Err(fault) => {
                log::info!("camera {index} “{name}” does not list its formats: {}", fault.sentence(index));
                Vec::new()
            }
        };
        let mut refusals = Vec::new();
        for format in choice::candidates(&offered, wish) {
            match Self::open_as(index, format) {
                Ok(device) => {
                    let CameraSettings { width, height, fps, .. } = wish;
                    log::info!(
                        "camera {index} “{name}”: wished {width}×{height} at {fps} fps, got {}",
                        device.format
                    );
                    return Ok(device);
                }
                Err(fault) if fault.is_final() => return Err(fault),
                Err(fault) => {
                    let why = fault.sentence(index);
                    log::info!("camera {index} “{name}” refuses {format}: {why}");
                    refusals.push(why);
                }
            }
        }
        let lists = if offered.is_empty() {
            "it lists no format that this program can read".to_owned()
        } else {
            format!("it lists {} formats", offered.len())
        };
        let last = refusals.pop().unwrap_or_default();
        Err(Fault::Other(format!("{lists}, and refuses all that were tried; the last one because: {last}")))
    }

    fn open_as(index: u32, format: CameraFormat) -> Result<Self, Fault> {
        let wanted = nokhwa::utils::CameraFormat::new_from(
            format.width,
            format.height,
            to_nokhwa(format.pixels),
            format.fps,
        );
        let exact = RequestedFormat::with_formats(RequestedFormatType::Exact(wanted), frame_formats());
        let mut camera = guarded(|| {
            let index = CameraIndex::Index(index);
            // A new size can change the rate after nokhwa found that it needs no change: the second time it does.
            match Camera::new(index.clone(), exact) {
                Err(NokhwaError::SetPropertyError { .. }) => Camera::new(index, exact),
                other => other,
            }
        })?;
        guarded(|| camera.open_stream())?;
        let format = from_nokhwa(camera.camera_format());
        Ok(Self { camera: Some(camera), format })
    }

    /// The next buffer of the camera, whenever it comes. Blocks as long as the driver does.
    pub(super) fn frame(&mut self) -> Result<Buffer, Fault> {
        let camera = self.camera.as_mut().ok_or(Fault::Gone)?;
        guarded(|| camera.frame())
    }
}

impl Drop for Device {
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

/// Runs nokhwa code, which panics on some of what devices tell it (a step of zero, a node without a number).
fn guarded<T>(call: impl FnOnce() -> Result<T, NokhwaError>) -> Result<T, Fault> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(Fault::from),
        Err(_) => Err(Fault::Other("the camera's driver told something impossible".to_owned())),
    }
}

/// Asks the system's permission where it wants to be asked (macOS); elsewhere the answer is yes at once.
fn may_use() -> Result<(), Fault> {
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
        _ => Err(Fault::Denied),
    }
}

fn from_nokhwa(format: nokhwa::utils::CameraFormat) -> CameraFormat {
    let pixels = match format.format() {
        FrameFormat::MJPEG => PixelFormat::Mjpeg,
        FrameFormat::YUYV => PixelFormat::Yuyv,
        FrameFormat::NV12 => PixelFormat::Nv12,
        FrameFormat::GRAY => PixelFormat::Gray,
        FrameFormat::RAWRGB => PixelFormat::Rgb,
        FrameFormat::RAWBGR => PixelFormat::Bgr,
    };
    CameraFormat { pixels, width: format.width(), height: format.height(), fps: format.frame_rate() }
}

fn to_nokhwa(pixels: PixelFormat) -> FrameFormat {
    match pixels {
        PixelFormat::Mjpeg => FrameFormat::MJPEG,
        PixelFormat::Yuyv => FrameFormat::YUYV,
        PixelFormat::Nv12 => FrameFormat::NV12,
        PixelFormat::Gray => FrameFormat::GRAY,
        PixelFormat::Rgb => FrameFormat::RAWRGB,
        PixelFormat::Bgr => FrameFormat::RAWBGR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn errors_of_the_system_are_recognised_in_any_wrapping() {
        let open = |why: &str| NokhwaError::OpenDeviceError("0".to_owned(), format!("V4L2 Error: {why}"));
        let cases = [
            (open("Permission denied (os error 13)"), Fault::Denied),
            (open("No such file or directory (os error 2)"), Fault::Gone),
            (NokhwaError::OpenStreamError("Device or resource busy (os error 16)".to_owned()), Fault::Busy),
            (NokhwaError::ReadFrameError("No such device (os error 19)".to_owned()), Fault::Gone),
        ];
        for (error, expected) in cases {
            assert_eq!(Fault::from(error), expected);
        }
        let other = NokhwaError::ReadFrameError("Input/output error (os error 5)".to_owned());
        assert!(matches!(Fault::from(other), Fault::Other(why) if why.contains("Input/output error")));
    }

    #[test]
    fn each_fault_says_what_to_do() {
        for fault in [Fault::Denied, Fault::Busy, Fault::Gone] {
            assert!(fault.is_final());
            let sentence = fault.sentence(3);
            assert!(sentence.contains(':'), "what happened, then what to do: {sentence}");
        }
        assert!(!Fault::Other(String::new()).is_final());
    }

    #[test]
    fn a_panic_inside_the_library_becomes_a_fault() {
        let result: Result<(), Fault> = guarded(|| panic!("a step of zero"));
        assert!(matches!(result, Err(Fault::Other(_))));
    }

    #[test]
    fn pixel_formats_keep_their_meaning_both_ways() {
        for &format in frame_formats() {
            let there = from_nokhwa(nokhwa::utils::CameraFormat::new_from(640, 480, format, 30));
            assert_eq!(to_nokhwa(there.pixels), format);
            assert_eq!((there.width, there.height, there.fps), (640, 480, 30));
        }
    }
}
