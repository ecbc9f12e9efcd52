//! A camera as a [`Source`]: its device thread, and the frames that come out of it.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use nokhwa::Buffer;

use super::decode::{Damage, decode};
use super::device::{self, Device, Fault};
use super::select::{self, Named};
use super::{CameraFormat, device::list};
use crate::frame::Frame;
use crate::source::mailbox::Mailbox;
use crate::source::{CameraSettings, Source, SourceError, SourceInfo, SourceKind, Stopper};

/// How long a camera may take to open.
const OPEN_WAIT: Duration = Duration::from_secs(20);
/// How long closing waits for the driver to let go of the device.
const CLOSE_WAIT: Duration = Duration::from_secs(1);
/// Damaged frames are logged at most this often.
const DAMAGE_LOG_EVERY: Duration = Duration::from_secs(1);

/// A buffer as it came from the driver.
struct Captured {
    buffer: Buffer,
    sequence: u64,
    at: Instant,
}

type Newest = Mailbox<Captured, Fault>;

/// Opens the camera with this index, or with this (part of a) name; upper and lower case are the same. Of several with
/// the name, the one that offers formats is taken, where only one does.
///
/// The wished size and rate are wishes: [`Source::info`] tells what was got. Opening takes up to some seconds.
///
/// # Errors
/// [`SourceError::Open`]: there is no such camera (it lists those that there are), several are meant, permission is
/// denied, another program uses it, it is gone, it refuses every format, or it does not answer.
pub fn open(which: &str, settings: &CameraSettings) -> Result<Box<dyn Source>, SourceError> {
    let failed = |what: String, why: String| SourceError::Open { what, why };
    let cameras =
        device::cameras().map_err(|fault| failed(format!("the camera “{which}”"), fault.sentence(0)))?;
    let (index, name) =
        select(which, &cameras).map_err(|why| failed(format!("the camera “{which}”"), why))?;
    let what = format!("camera {index} “{name}”");

    let newest = Arc::new(Newest::new());
    let (tell, told) = mpsc::sync_channel(1);
    let device_thread = {
        let (newest, name, settings) = (Arc::clone(&newest), name.clone(), settings.clone());
        move || capture(index, &name, &settings, &newest, &tell)
    };
    thread::Builder::new()
        .name(format!("camera {index}"))
        .spawn(device_thread)
        .map_err(|error| failed(what.clone(), format!("no thread for it: {error}")))?;

    let format = match told.recv_timeout(OPEN_WAIT) {
        Ok(Ok(format)) => format,
        Ok(Err(fault)) => return Err(failed(what, fault.sentence(index))),
        Err(_) => {
            newest.stop();
            let why = format!(
                "its driver does not answer within {} s: unplug the camera, plug it in again, and start anew",
                OPEN_WAIT.as_secs()
            );
            return Err(failed(what, why));
        }
    };
    let info = SourceInfo {
        name: name.clone(),
        kind: SourceKind::Camera,
        size: Some((format.width, format.height)),
        rate: Some(f64::from(format.fps)),
        frames: None,
        duration: None,
        sound: None,
    };
    Ok(Box::new(CameraFeed { info, index, what, format, newest, first: None, damaged: Damaged::default() }))
}

/// The one camera that is meant.
fn select(which: &str, cameras: &[Named]) -> Result<Named, String> {
    let mut meant = select::matching(which, cameras);
    if meant.len() > 1 {
        // One camera often shows several devices of the same name, of which one gives pictures.
        let usable: Vec<u32> = list()
            .map(|all| {
                all.into_iter()
                    .filter(|camera| !camera.formats.is_empty())
                    .map(|camera| camera.index)
                    .collect()
            })
            .unwrap_or_default();
        let with_pictures: Vec<&Named> =
            meant.iter().copied().filter(|(index, _)| usable.contains(index)).collect();
        if !with_pictures.is_empty() {
            meant = with_pictures;
        }
    }
    match meant.as_slice() {
        [] => Err(select::none_matches(cameras)),
        [camera] => Ok((*camera).clone()),
        several => Err(select::several_match(several)),
    }
}

/// The device thread: opens the camera, tells how that went, and takes every frame until nobody wants more.
fn capture(
    index: u32,
    name: &str,
    settings: &CameraSettings,
    newest: &Newest,
    opened: &mpsc::SyncSender<Result<CameraFormat, Fault>>,
) {
    let fault = match Device::open(index, name, settings) {
        Ok(mut device) => {
            // Where nobody listens any more, the mailbox was stopped too.
            let _ = opened.send(Ok(device.format));
            take_all(&mut device, newest)
        }
        Err(fault) => {
            let _ = opened.send(Err(fault));
            None
        }
    };
    newest.end(fault);
}

/// Puts every frame that the device gives into the mailbox, until it fails or nobody wants more.
fn take_all(device: &mut Device, newest: &Newest) -> Option<Fault> {
    let mut sequence = 0;
    loop {
        let buffer = match device.frame() {
            Ok(buffer) => buffer,
            Err(fault) => return Some(fault),
        };
        if !newest.put(Captured { buffer, sequence, at: Instant::now() }) {
            return None;
        }
        sequence += 1;
    }
}

/// The caller's side of an open camera.
struct CameraFeed {
    info: SourceInfo,
    index: u32,
    what: String,
    format: CameraFormat,
    newest: Arc<Newest>,
    /// When the first frame was taken from the driver.
    first: Option<Instant>,
    damaged: Damaged,
}

impl Source for CameraFeed {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
        loop {
            let taken = self.newest.take().map_err(|fault| SourceError::Read {
                what: self.what.clone(),
                why: fault.sentence(self.index),
            })?;
            let Some(Captured { buffer, sequence, at }) = taken else { return Ok(None) };
            let first = *self.first.get_or_insert(at);
            match decode(&self.format, buffer.buffer()) {
                Ok(picture) => {
                    let time = at.saturating_duration_since(first).as_secs_f64();
                    return Ok(Some(Frame {
                        picture: Arc::new(picture),
                        sequence,
                        time,
                        captured: at,
                        file: None,
                    }));
                }
                Err(damage) => self.damaged.note(&self.what, &damage),
            }
        }
    }

    fn stopper(&self) -> Option<Stopper> {
        let newest = Arc::clone(&self.newest);
        Some(Box::new(move || newest.stop()))
    }
}

impl Drop for CameraFeed {
    /// Closes the device, so that it can be opened again. A driver that holds its thread for longer keeps it.
    fn drop(&mut self) {
        self.newest.stop();
        if !self.newest.wait_for_end(CLOSE_WAIT) {
            log::warn!("{}: its driver does not let go; it is left behind", self.what);
        }
        if self.damaged.total > 0 {
            log::info!("{}: {} damaged frames were skipped in all", self.what, self.damaged.total);
        }
    }
}

/// Counts frames that cannot be decoded, and tells of them now and then.
#[derive(Default)]
struct Damaged {
    total: u64,
    told: Option<Instant>,
}

impl Damaged {
    fn note(&mut self, what: &str, damage: &Damage) {
        self.total += 1;
        if self.told.is_none_or(|told| told.elapsed() >= DAMAGE_LOG_EVERY) {
            self.told = Some(Instant::now());
            log::warn!("{what}: a damaged frame is skipped, {} so far: {damage}", self.total);
        }
    }
}
