//! A camera as one thing, whatever stands behind it: Linux's own interface through the crate `v4l`, or nokhwa on every
//! system. Which cameras there are, what each offers, and opening one with the best format that it does not refuse.
//!
//! On Linux `v4l` comes first: it has the driver's time stamps, rates that are fractions, every pixel format, the padding
//! of rows, and a wait that ends, so that a camera that stalls can be closed. nokhwa is what stays where it refuses.

use std::collections::HashSet;
use std::time::Duration;

use super::backend::{Device, Listing};
use super::device_error::DeviceError;
use super::format_selection;
use super::limit::within;
use super::nokhwa::{self, NokhwaDevice};
use super::select::Named;
#[cfg(target_os = "linux")]
use super::v4l2::{self, V4l2};
use super::{CameraDescription, CameraFormat, bus};
use crate::source::{CameraBackend, CameraSettings, NOTICE, SourceError};

/// How long a camera may take to say what it offers.
const LIST_WAIT: Duration = Duration::from_secs(10);

/// What stands between this program and a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Backend {
    #[cfg(target_os = "linux")]
    V4l,
    Nokhwa,
}

impl Backend {
    /// Those to be tried, in order.
    fn wished(settings: &CameraSettings) -> Result<Vec<Self>, DeviceError> {
        match settings.backend {
            #[cfg(target_os = "linux")]
            CameraBackend::Auto => Ok(vec![Self::V4l, Self::Nokhwa]),
            #[cfg(target_os = "linux")]
            CameraBackend::V4l => Ok(vec![Self::V4l]),
            #[cfg(not(target_os = "linux"))]
            CameraBackend::Auto => Ok(vec![Self::Nokhwa]),
            #[cfg(not(target_os = "linux"))]
            CameraBackend::V4l => Err(DeviceError::Other(
                "source.camera.backend = \"v4l\" is for Linux: set it to \"auto\"".to_owned(),
            )),
            CameraBackend::Nokhwa => Ok(vec![Self::Nokhwa]),
        }
    }

    #[cfg_attr(not(target_os = "linux"), allow(unused_variables, reason = "nokhwa lists all there is"))]
    fn listing(self, index: u32, wish: &CameraSettings) -> Result<Listing, DeviceError> {
        match self {
            #[cfg(target_os = "linux")]
            Self::V4l => v4l2::listing(index, wish),
            Self::Nokhwa => nokhwa::listing(index),
        }
    }

    #[cfg_attr(not(target_os = "linux"), allow(unused_variables, reason = "nokhwa is always exact"))]
    fn open(self, index: u32, format: CameraFormat, exactly: bool) -> Result<Box<dyn Device>, DeviceError> {
        match self {
            #[cfg(target_os = "linux")]
            Self::V4l => Ok(Box::new(V4l2::open(index, format, exactly)?)),
            Self::Nokhwa => Ok(Box::new(NokhwaDevice::open(index, format)?)),
        }
    }
}

/// The cameras of this machine, by index. Each is opened for a moment to learn its formats; one that cannot be opened
/// is listed with a note instead of formats, and so is one whose driver does not answer, and a device that is no camera
/// for pictures, such as a camera's device for metadata.
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
    let (formats, note) =
        listed(index).map_or_else(|fault| (Vec::new(), Some(fault.sentence(index))), readable);
    CameraDescription { index, name, formats, note }
}

/// What the camera with this index offers and can be read; empty for a device that gives no pictures.
pub(super) fn formats(index: u32) -> Result<Vec<CameraFormat>, DeviceError> {
    Ok(readable(listed(index)?).0)
}

/// What the camera lists, by the first way that it does not refuse; the first refusal, where it refuses all.
fn listed(index: u32) -> Result<Listing, DeviceError> {
    within(index, LIST_WAIT, move |tell| {
        let wish = CameraSettings::default();
        let mut refused = None;
        let mut listing = None;
        for backend in Backend::wished(&wish).unwrap_or_default() {
            match backend.listing(index, &wish) {
                Ok(told) => {
                    listing = Some(told);
                    break;
                }
                Err(fault) => refused = refused.or(Some(fault)),
            }
        }
        // Where nobody waits any longer there is nobody to tell.
        let _ = tell.send(listing.ok_or(refused.unwrap_or(DeviceError::Gone)));
    })
}

/// What of a listing can be used, in order, and what there is to say of the rest.
fn readable(listing: Listing) -> (Vec<CameraFormat>, Option<String>) {
    let mut formats = listing.formats;
    formats.retain(format_selection::is_plausible);
    formats
        .sort_by_key(|format| (format.pixels, std::cmp::Reverse((format.width, format.height, format.rate))));
    formats.dedup();
    let note = formats.is_empty().then(|| nothing_readable(&listing.others));
    (formats, note)
}

fn nothing_readable(others: &[String]) -> String {
    if others.is_empty() {
        return "it lists no format that this program can read".to_owned();
    }
    format!("it offers only {}, which this program cannot read", others.join(", "))
}

/// The number and name of every camera, by number.
pub(super) fn cameras() -> Result<Vec<Named>, DeviceError> {
    let mut cameras = found()?;
    cameras.sort();
    Ok(cameras)
}

/// The devices at `/dev/videoN`, with the names that their drivers give them.
#[cfg(target_os = "linux")]
fn found() -> Result<Vec<Named>, DeviceError> {
    let Ok(entries) = std::fs::read_dir("/dev") else { return Ok(Vec::new()) };
    let numbers = entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().to_str()?.strip_prefix("video")?.parse::<u32>().ok());
    let named = numbers.map(|index| {
        let name = std::fs::read_to_string(format!("/sys/class/video4linux/video{index}/name"));
        let name = name.map(|name| name.trim().to_owned()).ok().filter(|name| !name.is_empty());
        (index, name.unwrap_or_else(|| format!("/dev/video{index}")))
    });
    Ok(named.collect())
}

#[cfg(not(target_os = "linux"))]
use nokhwa::cameras as found;

/// Opens the camera with the best format that it does not refuse; logs what was wished and what was got, and each
/// refusal, the same words once.
pub(super) fn open(index: u32, name: &str, wish: &CameraSettings) -> Result<Box<dyn Device>, DeviceError> {
    let mut attempt = Attempt { index, name, wish, told: HashSet::new(), refused: None };
    let mut fault = None;
    for backend in Backend::wished(wish)? {
        match attempt.open_with(backend) {
            Ok(device) => {
                let CameraSettings { width, height, fps, format, .. } = wish;
                let pinned = if format.is_open() { String::new() } else { format!(" as “{format}”") };
                log::info!(
                    target: NOTICE,
                    "camera {index} “{name}”: asked for {width}×{height} at {fps} fps{pinned}, got {}",
                    device.layout().format
                );
                return Ok(device);
            }
            Err(other) if other.is_final() => return Err(other),
            // What the first has to say is what counts: it knows more formats.
            Err(other) => fault = fault.or(Some(other)),
        }
    }
    Err(fault.unwrap_or(DeviceError::Gone))
}

/// The opening of one camera.
struct Attempt<'a> {
    index: u32,
    name: &'a str,
    wish: &'a CameraSettings,
    /// What was said already.
    told: HashSet<String>,
    /// Why the last format was refused.
    refused: Option<String>,
}

impl Attempt<'_> {
    fn open_with(&mut self, backend: Backend) -> Result<Box<dyn Device>, DeviceError> {
        let listing = match backend.listing(self.index, self.wish) {
            Ok(listing) => listing,
            Err(fault) if fault.is_final() => return Err(fault),
            Err(fault) => {
                self.tell("does not list its formats", fault);
                Listing::default()
            }
        };
        let pinned = !self.wish.format.is_open();
        let bus = bus::bytes_a_second(self.index);
        for format in format_selection::candidates(&listing.formats, self.wish, bus) {
            match backend.open(self.index, format, true) {
                Err(fault) if fault.is_final() => return Err(fault),
                Err(fault) => self.tell(&format!("refuses {format}"), fault),
                opened => return opened,
            }
        }
        // A list that can be read and has nothing of what is pinned is believed.
        if !pinned || listing.formats.is_empty() {
            for format in format_selection::unlisted(self.wish) {
                match backend.open(self.index, format, false) {
                    Err(fault) if fault.is_final() => return Err(fault),
                    Err(fault) => self.tell(&format!("refuses {format}"), fault),
                    Ok(device) if self.wish.format.allows(&device.layout().format) => return Ok(device),
                    Ok(device) => {
                        let got = device.layout().format;
                        self.tell(
                            &format!("refuses {format}"),
                            DeviceError::Other(format!("it gives {got} instead")),
                        );
                    }
                }
            }
        }
        Err(DeviceError::Other(self.nothing_fits(listing)))
    }

    /// Tells of a refusal, where the same was not told.
    fn tell(&mut self, what: &str, fault: DeviceError) {
        let why = fault.sentence(self.index);
        let (index, name) = (self.index, self.name);
        if self.told.insert(why.clone()) {
            log::info!("camera {index} “{name}” {what}: {why}");
        } else {
            log::debug!("camera {index} “{name}” {what} as well");
        }
        self.refused = Some(why);
    }

    /// Why the camera cannot be used, and what it has.
    fn nothing_fits(&mut self, listing: Listing) -> String {
        let others = listing.others.clone();
        let (formats, note) = readable(listing);
        let because = self
            .refused
            .take()
            .map(|why| format!("; the reason for the last one: {why}"))
            .unwrap_or_default();
        let pin = &self.wish.format;
        if let Some(note) = note {
            return format!("{note}, and it refuses every format that was tried{because}");
        }
        let mut has = summary(&formats);
        if !others.is_empty() {
            has.push_str(&format!("; and {}, which this program cannot read", others.join(", ")));
        }
        if !formats.iter().any(|format| pin.allows(format)) {
            return format!(
                "it has no format like source.camera.format = \"{pin}\": set that to one of what it has, {has}"
            );
        }
        format!("it refuses every format that was tried{because}. It has {has}")
    }
}

/// A list of formats for a sentence: each pixel format and size with its rates.
fn summary(formats: &[CameraFormat]) -> String {
    /// More are not read by anybody.
    const MOST: usize = 24;
    let sizes = formats.chunk_by(|a, b| (a.pixels, a.width, a.height) == (b.pixels, b.width, b.height));
    let count = sizes.clone().count();
    let mut parts: Vec<String> = sizes
        .take(MOST)
        .filter_map(|rates| {
            let first = rates.first()?;
            let rates: Vec<String> = rates.iter().map(|format| format.rate.to_string()).collect();
            Some(format!("{} {}x{}@{}", first.pixels, first.width, first.height, rates.join("/")))
        })
        .collect();
    if count > MOST {
        parts.push(format!("and {} more (`trailsight cameras` lists them)", count - MOST));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::{PixelFormat, Rate};
    use super::*;

    fn listing() -> Listing {
        let format = |pixels, width, height, fps| CameraFormat {
            pixels,
            width,
            height,
            rate: Rate::new(fps, 1).unwrap(),
        };
        Listing {
            formats: vec![
                format(PixelFormat::Mjpeg, 1280, 720, 30),
                format(PixelFormat::Yuyv, 640, 480, 15),
                format(PixelFormat::Yuyv, 640, 480, 30),
                format(PixelFormat::Yuyv, 0, 480, 30),
            ],
            others: vec!["H264 (H.264)".to_owned()],
        }
    }

    fn unfit(pin: &str, listing: Listing, refused: Option<&str>) -> String {
        let wish = CameraSettings { format: pin.parse().unwrap(), ..CameraSettings::default() };
        let refused = refused.map(str::to_owned);
        Attempt { index: 0, name: "test", wish: &wish, told: HashSet::new(), refused }.nothing_fits(listing)
    }

    #[test]
    fn what_does_not_fit_is_answered_with_what_there_is() {
        let all = "YUYV 640x480@30/15, MJPG 1280x720@30; and H264 (H.264), which this program cannot read";
        let why = unfit("NV12", listing(), None);
        assert!(why.contains("source.camera.format = \"NV12\"") && why.ends_with(all), "{why}");
        let why = unfit("", listing(), Some("a reason"));
        assert!(why.contains("the reason for the last one: a reason") && why.ends_with(all), "{why}");
        let only = Listing { formats: Vec::new(), ..listing() };
        assert!(
            unfit("", only, None).contains("it offers only H264 (H.264), which this program cannot read")
        );
        assert!(unfit("", Listing::default(), None).contains("lists no format"));
    }

    #[test]
    fn long_lists_are_cut() {
        let one = listing().formats[0];
        let many: Vec<_> = (1..=100).map(|width| CameraFormat { width, ..one }).collect();
        assert!(summary(&many).ends_with("and 76 more (`trailsight cameras` lists them)"));
    }

    #[test]
    fn the_same_refusal_is_told_once() {
        let wish = CameraSettings::default();
        let mut attempt =
            Attempt { index: 0, name: "test", wish: &wish, told: HashSet::new(), refused: None };
        attempt.tell("refuses one", DeviceError::Other("no".to_owned()));
        attempt.tell("refuses another", DeviceError::Other("no".to_owned()));
        attempt.tell("refuses a third", DeviceError::Other("not this".to_owned()));
        assert_eq!(attempt.told.len(), 2);
        assert_eq!(attempt.refused.as_deref(), Some("not this"));
    }
}
