//! Linux's cameras through the crate `v4l`: every format that [`PixelFormat`] knows, rates as fractions, the driver's time
//! stamps, and waits that have an end.

use std::cmp::Ordering;
use std::io::ErrorKind;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use v4l::buffer::{Flags, Metadata, Type};
use v4l::capability::Flags as Capability;
use v4l::device::Handle;
use v4l::format::{Colorspace, Quantization};
use v4l::frameinterval::FrameIntervalEnum;
use v4l::framesize::FrameSizeEnum;
use v4l::io::mmap::Stream;
use v4l::io::traits::CaptureStream;
use v4l::video::Capture;
use v4l::video::capture::Parameters;
use v4l::{Format, FourCC, Fraction};

use super::backend::{Captured, Device, Listing, guarded};
use super::device_error::DeviceError;
use super::layout::{Colour, Layout};
use super::{CameraFormat, PixelFormat, Rate, stamp};
use crate::source::CameraSettings;

/// Buffers that are asked of the driver: one is read while the others are filled.
const BUFFERS: u32 = 5;
/// Sizes of a camera that takes any: those that are tried besides the wished one.
const COMMON_SIZES: [(u32, u32); 4] = [(640, 480), (800, 600), (1280, 720), (1920, 1080)];
/// More formats than this are nonsense.
const MOST_LISTED: usize = 4096;
/// A rest where the driver was ready and had nothing.
const PAUSE: Duration = Duration::from_millis(2);
/// What poll(2) is asked to wait for: POLLIN.
const READABLE: i16 = 1;

/// The formats that the camera lists, which may be invalid. If it takes any size or rate, the requested ones are among
/// them.
pub(super) fn listing(index: u32, wish: &CameraSettings) -> Result<Listing, DeviceError> {
    guarded(|| {
        let device = v4l::Device::new(index as usize)?;
        let abilities = device.query_caps()?.capabilities;
        if !abilities.contains(Capability::VIDEO_CAPTURE) {
            return Err(DeviceError::NoCamera(not_a_camera(abilities)));
        }
        let mut listing = Listing::default();
        for described in device.enum_formats()? {
            let letters = described.fourcc.to_string();
            let Ok(pixels) = letters.parse::<PixelFormat>() else {
                listing.others.push(format!("{} ({})", letters.trim(), described.description));
                continue;
            };
            for (width, height) in sizes(&device, described.fourcc, wish) {
                for rate in rates(&device, described.fourcc, (width, height), wish) {
                    listing.formats.push(CameraFormat { pixels, width, height, rate });
                }
            }
            if listing.formats.len() > MOST_LISTED {
                break;
            }
        }
        Ok(listing)
    })
}

/// Why a device gives no pictures.
fn not_a_camera(abilities: Capability) -> &'static str {
    if abilities.contains(Capability::VIDEO_CAPTURE_MPLANE) {
        "it gives its pictures in several planes, as camera chips do; this program cannot read those"
    } else if abilities.contains(Capability::VIDEO_OUTPUT) {
        "it is an output (a loopback device that no program writes to)"
    } else {
        "it gives no pictures (a camera's second device gives data about them)"
    }
}

fn sizes(device: &v4l::Device, fourcc: FourCC, wish: &CameraSettings) -> Vec<(u32, u32)> {
    let wished = wish.format.size.unwrap_or((wish.width, wish.height));
    let Ok(sizes) = device.enum_framesizes(fourcc) else {
        // It lists none: what it has now, and what is wished.
        let now = device.format().map(|now| (now.width, now.height));
        return now.into_iter().chain([wished]).collect();
    };
    let mut out = Vec::new();
    for size in sizes {
        match size.size {
            FrameSizeEnum::Discrete(size) => out.push((size.width, size.height)),
            FrameSizeEnum::Stepwise(range) => {
                let width = |x| stepped(x, range.min_width, range.max_width, range.step_width);
                let height = |y| stepped(y, range.min_height, range.max_height, range.step_height);
                out.extend([wished].into_iter().chain(COMMON_SIZES).map(|(x, y)| (width(x), height(y))));
                out.push((range.max_width, range.max_height));
            }
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// The value nearest to `wished` in a range of steps.
fn stepped(wished: u32, least: u32, most: u32, step: u32) -> u32 {
    let inside = wished.clamp(least.min(most), most);
    let above = inside.saturating_sub(least);
    least.saturating_add(above - above % step.max(1)).min(most)
}

fn rates(device: &v4l::Device, fourcc: FourCC, size: (u32, u32), wish: &CameraSettings) -> Vec<Rate> {
    let wished = Rate::nearest(wish.format.fps.unwrap_or(wish.fps));
    let intervals = device.enum_frameintervals(fourcc, size.0, size.1).unwrap_or_default();
    if intervals.is_empty() {
        // It lists none: what it then gives is told when it is opened.
        return wished.into_iter().collect();
    }
    let of = |interval: Fraction| Rate::new(interval.denominator, interval.numerator);
    let mut out = Vec::new();
    for interval in intervals {
        match interval.interval {
            FrameIntervalEnum::Discrete(interval) => out.extend(of(interval)),
            FrameIntervalEnum::Stepwise(range) => {
                // The shortest interval is the highest rate. Steps are left to the driver, which takes the nearest.
                let (fastest, slowest) = (of(range.min), of(range.max));
                let inside = wished.filter(|rate| {
                    fastest.is_none_or(|fastest| rate.cmp(&fastest) != Ordering::Greater)
                        && slowest.is_none_or(|slowest| rate.cmp(&slowest) != Ordering::Less)
                });
                out.extend([fastest, slowest, inside].into_iter().flatten());
            }
        }
    }
    out
}

/// A camera that gives frames.
pub(super) struct V4l2 {
    /// Only absent while it is dropped.
    stream: Option<Stream<'static>>,
    handle: Arc<Handle>,
    layout: Layout,
    /// A buffer has to be taken from the driver without being seen, see [`V4l2::take`].
    owes: bool,
    /// The first picture came.
    begun: bool,
}

impl V4l2 {
    /// Opens the camera with this format: exactly, or with whatever it makes of the wish.
    pub(super) fn open(index: u32, wanted: CameraFormat, exactly: bool) -> Result<Self, DeviceError> {
        let refused = |got: &dyn std::fmt::Display| DeviceError::Other(format!("it gives {got} instead"));
        guarded(|| {
            let device = v4l::Device::new(index as usize)?;
            let (frames, seconds) = wanted.rate.fraction();
            let letters: [u8; 4] = wanted.pixels.letters().as_bytes().try_into().unwrap_or_default();
            let got = device.set_format(&Format::new(wanted.width, wanted.height, FourCC::new(&letters)))?;
            let pixels: PixelFormat = got.fourcc.to_string().parse().map_err(|()| refused(&got.fourcc))?;
            // Not every driver lets the rate be chosen, or tells it.
            let rate = device
                .set_params(&Parameters::new(Fraction::new(seconds, frames)))
                .ok()
                .and_then(|set| Rate::new(set.interval.denominator, set.interval.numerator))
                .unwrap_or(wanted.rate);
            let format = CameraFormat { pixels, width: got.width, height: got.height, rate };
            let same_picture = CameraFormat { rate: wanted.rate, ..format } == wanted;
            if exactly && !(same_picture && rate.is_about(wanted.rate.as_f64())) {
                return Err(refused(&format));
            }
            let layout = Layout { stride: got.stride, colour: colour(&got), ..Layout::of(format) };
            let mut stream = Stream::with_buffers(&device, Type::VideoCapture, BUFFERS)?;
            // Waiting is done by `wait`.
            stream.set_timeout(Duration::ZERO);
            let mut camera =
                Self { handle: stream.handle(), stream: Some(stream), layout, owes: false, begun: false };
            camera.take()?;
            Ok(camera)
        })
    }

    /// Takes the next buffer from the driver, if there is one; the first call starts the stream.
    ///
    /// The crate's `next` gives the last buffer back and takes a new one. Where none was ready, the last one is given back
    /// already, and would be given back twice by another call: so the next buffer that comes is taken without being seen.
    fn take(&mut self) -> Result<Option<Captured>, DeviceError> {
        let Some(stream) = &mut self.stream else { return Err(DeviceError::Gone) };
        let taken = if self.owes {
            CaptureStream::dequeue(stream).map(|_| None)
        } else {
            CaptureStream::next(stream).map(|(bytes, about)| {
                let age = age(about);
                Some((age, captured(bytes, about, age.unwrap_or_default())))
            })
        };
        match taken {
            Ok(buffer) => {
                self.owes = false;
                Ok(buffer.map(|(age, captured)| {
                    if !std::mem::replace(&mut self.begun, true) {
                        tell_age(age);
                    }
                    captured
                }))
            }
            Err(error) => match error.kind() {
                ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted => {
                    self.owes = true;
                    Ok(None)
                }
                _ => Err(error.into()),
            },
        }
    }
}

fn tell_age(age: Option<Duration>) {
    match age {
        Some(age) => {
            log::debug!("the first picture was taken {:.1} ms before it arrived", age.as_secs_f64() * 1e3)
        }
        None => log::debug!("the driver gives no time stamps: a picture counts as taken when it arrives"),
    }
}

impl Device for V4l2 {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn wait(&mut self, at_most: Duration) -> Result<Option<Captured>, DeviceError> {
        guarded(|| {
            let milliseconds = i32::try_from(at_most.as_millis()).unwrap_or(i32::MAX);
            match self.handle.poll(READABLE, milliseconds) {
                Ok(0) => Ok(None),
                Ok(_) => {
                    let taken = self.take();
                    // A device in trouble can be ready for ever and have nothing.
                    if let Ok(None) = &taken {
                        thread::sleep(PAUSE);
                    }
                    taken
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => Ok(None),
                Err(error) => Err(error.into()),
            }
        })
    }
}

impl Drop for V4l2 {
    fn drop(&mut self) {
        let stream = self.stream.take();
        // The crate panics where the driver refuses to stop; the device is closed all the same.
        if let Err(fault) = guarded(|| {
            drop(stream);
            Ok(())
        }) {
            log::debug!("closing a camera: {fault:?}");
        }
    }
}

/// A copy of what the driver filled, so that it can have its buffer back.
fn captured(bytes: &[u8], about: &Metadata, age: Duration) -> Captured {
    let now = Instant::now();
    let used = bytes.get(..about.bytesused as usize).unwrap_or(bytes);
    Captured {
        at: now.checked_sub(age).unwrap_or(now),
        broken: about.flags.contains(Flags::ERROR),
        bytes: Box::new(used.to_vec()),
    }
}

/// How long ago the picture was taken, where the driver stamps by the clock that never jumps.
fn age(about: &Metadata) -> Option<Duration> {
    let clock = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let stamp = stamp::stamp(about.timestamp.sec, about.timestamp.usec)?;
    let monotonic = about.flags & Flags::TIMESTAMP_MASK == Flags::TIMESTAMP_MONOTONIC;
    if monotonic { stamp::age(stamp, stamp::time(clock.tv_sec, clock.tv_nsec)?) } else { None }
}

/// How the format's Y'CbCr is meant, as far as the driver tells.
fn colour(format: &Format) -> Colour {
    let full = match format.quantization {
        Quantization::FullRange => true,
        Quantization::LimitedRange => false,
        Quantization::Default => matches!(format.colorspace, Colorspace::JPEG),
    };
    Colour { full, hd: matches!(format.colorspace, Colorspace::Rec709) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_led_to_the_nearest_step() {
        assert_eq!(stepped(1280, 64, 1920, 16), 1280);
        assert_eq!(stepped(1283, 64, 1920, 16), 1280);
        assert_eq!(stepped(10, 64, 1920, 16), 64);
        assert_eq!(stepped(5000, 64, 1920, 16), 1920);
        for nonsense in [(0, 0, 0), (100, 10, 7), (u32::MAX, u32::MAX, u32::MAX), (5, u32::MAX, 0)] {
            stepped(640, nonsense.0, nonsense.1, nonsense.2);
        }
    }

    #[test]
    fn a_broken_buffer_is_marked_and_cut_to_what_was_filled() {
        let about = Metadata { bytesused: 3, flags: Flags::ERROR, ..Metadata::default() };
        let taken = captured(&[1, 2, 3, 4], &about, Duration::MAX);
        assert!(taken.broken);
        assert_eq!(taken.bytes.as_ref().as_ref(), [1, 2, 3]);
        let lies = Metadata { bytesused: u32::MAX, ..Metadata::default() };
        assert_eq!(captured(&[1, 2], &lies, Duration::ZERO).bytes.as_ref().as_ref(), [1, 2]);
    }

    #[test]
    fn only_stamps_of_the_steady_clock_count() {
        let ago = Duration::from_millis(700);
        let clock = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let then = stamp::time(clock.tv_sec, clock.tv_nsec).unwrap() - ago;
        for (flags, trusted) in
            [(Flags::TIMESTAMP_MONOTONIC, true), (Flags::TIMESTAMP_COPY, false), (Flags::from(0), false)]
        {
            let about = Metadata { flags, timestamp: then.into(), ..Metadata::default() };
            assert_eq!(
                age(&about).is_some_and(|age| age >= ago - Duration::from_millis(1)),
                trusted,
                "{flags:?}"
            );
        }
        assert_eq!(age(&Metadata { flags: Flags::TIMESTAMP_MONOTONIC, ..Metadata::default() }), None);
    }

    #[test]
    fn colours_are_told_by_the_driver() {
        let mut format = Format::new(64, 48, FourCC::new(b"UYVY"));
        assert_eq!(colour(&format), Colour { full: false, hd: false });
        format.colorspace = Colorspace::Rec709;
        assert_eq!(colour(&format), Colour { full: false, hd: true });
        format.colorspace = Colorspace::JPEG;
        assert_eq!(colour(&format), Colour { full: true, hd: false });
        format.quantization = Quantization::LimitedRange;
        assert_eq!(colour(&format), Colour { full: false, hd: false });
    }
}
