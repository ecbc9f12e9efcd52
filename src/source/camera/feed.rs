//! A camera as a [`Source`]: its device thread, and the frames that come out of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::backend::{Captured, Device};
use super::decode::decode;
use super::device;
use super::device_error::DeviceError;
use super::layout::{Damage, Layout};
use super::limit::{Teller, within};
use super::select::{self, Named};
use crate::frame::Frame;
use crate::latest::Slot;
use crate::source::{CameraSettings, Source, SourceError, SourceInfo, SourceKind, Stopper};

/// How long a camera may take to open.
const OPEN_WAIT: Duration = Duration::from_secs(20);
/// How long closing waits for the driver to let go of the device.
const CLOSE_WAIT: Duration = Duration::from_secs(1);
/// How long a wait for the driver may be, until it is looked whether anybody still wants its frames.
const LOOK: Duration = Duration::from_millis(200);
/// Damaged frames are logged at most this often.
const DAMAGE_LOG_EVERY: Duration = Duration::from_secs(1);

/// A buffer with its number.
struct Numbered {
    captured: Captured,
    sequence: u64,
}

type Newest = Slot<Numbered, DeviceError>;

/// Opens the camera with this index, or with this (part of a) name, as [`find`] finds it.
///
/// The requested size and rate are not guaranteed: [`Source::info`] has the actual ones. Opening takes up to some
/// seconds.
///
/// # Errors
/// [`SourceError::Open`]: there is no such camera (it lists those that there are), several are meant, permission is
/// denied, another program uses it, it is gone, it refuses every format, or it does not answer.
pub fn open(which: &str, settings: &CameraSettings) -> Result<Box<dyn Source>, SourceError> {
    let (index, name) = find(which)?;
    open_this(index, &name, settings).map_err(|fault| failed(index, &name, &fault))
}

fn failed(index: u32, name: &str, fault: &DeviceError) -> SourceError {
    SourceError::Open { what: format!("camera {index} “{name}”"), why: fault.sentence(index) }
}

/// The camera with this index, or with this (part of a) name; upper and lower case are the same. Of several with the
/// name, the one that offers formats is taken, where only one does. Its index and its whole name.
///
/// # Errors
/// [`SourceError::Open`]: there is no such camera (it lists those that there are), or several are meant.
pub fn find(which: &str) -> Result<(u32, String), SourceError> {
    let failed = |why: String| SourceError::Open { what: format!("the camera “{which}”"), why };
    let cameras = device::cameras().map_err(|fault| failed(fault.sentence(0)))?;
    select(which, &cameras).map_err(failed)
}

/// Opens a camera that was open before: one with exactly this name, wherever it is plugged in now. Where several have it,
/// each is tried in turn, the one with the index that it had first: another may be in use, or a camera's device for data.
///
/// # Errors
/// As [`open`]; where several have the name, what the first of them says.
pub fn open_again(index: u32, name: &str, settings: &CameraSettings) -> Result<Box<dyn Source>, SourceError> {
    let cameras = device::cameras().map_err(|fault| failed(index, name, &fault))?;
    let nodes = again(index, name, &cameras);
    first_to_open(&nodes, &offers, &|node| open_this(node, name, settings))
        .map_err(|refused| refused.unwrap_or((index, DeviceError::Gone)))
        .map_err(|(node, fault)| failed(node, name, &fault))
}

/// Where the camera of this name can be now, where it was first.
fn again(index: u32, name: &str, cameras: &[Named]) -> Vec<u32> {
    let mut same: Vec<u32> =
        cameras.iter().filter(|(_, other)| other == name).map(|(index, _)| *index).collect();
    same.sort_by_key(|&node| (node != index, node));
    same
}

/// Opens the first of the nodes that can be; those that list nothing come last. Else what is wrong with the first that
/// can be a camera; `None` without nodes.
fn first_to_open<T>(
    nodes: &[u32],
    offers: &dyn Fn(u32) -> Result<bool, DeviceError>,
    open: &dyn Fn(u32) -> Result<T, DeviceError>,
) -> Result<T, Option<(u32, DeviceError)>> {
    if let [node] = *nodes {
        return open(node).map_err(|fault| Some((node, fault)));
    }
    let mut refused: Option<(u32, DeviceError)> = None;
    let mut note = |node: u32, fault: DeviceError| {
        // That one of the nodes is no camera says nothing about the camera.
        if refused.as_ref().is_none_or(|(_, earlier)| matches!(earlier, DeviceError::NoCamera(_))) {
            refused = Some((node, fault));
        }
    };
    let mut silent = Vec::new();
    for &node in nodes {
        match offers(node) {
            Ok(true) => match open(node) {
                Ok(opened) => return Ok(opened),
                Err(fault) if fault.is_of_this_one() => note(node, fault),
                Err(fault) => return Err(Some((node, fault))),
            },
            Ok(false) | Err(DeviceError::Other(_)) => silent.push(node),
            Err(fault) => note(node, fault),
        }
    }
    for node in silent {
        match open(node) {
            Ok(opened) => return Ok(opened),
            Err(fault) => note(node, fault),
        }
    }
    Err(refused)
}

/// Whether the camera lists any format that can be read.
fn offers(index: u32) -> Result<bool, DeviceError> {
    device::formats(index).map(|formats| !formats.is_empty())
}

fn open_this(index: u32, name: &str, settings: &CameraSettings) -> Result<Box<dyn Source>, DeviceError> {
    let what = format!("camera {index} “{name}”");
    let newest = Arc::new(Newest::new());
    let device_thread = {
        let (newest, name, settings) = (Arc::clone(&newest), name.to_owned(), settings.clone());
        move |tell: &Teller<Layout>| capture(index, &name, &settings, &newest, tell)
    };
    let layout = within(index, OPEN_WAIT, device_thread).inspect_err(|_| newest.stop())?;
    let info = SourceInfo {
        name: name.to_owned(),
        kind: SourceKind::Camera,
        size: Some((layout.format.width, layout.format.height)),
        rate: Some(layout.format.rate.as_f64()),
        frames: None,
        duration: None,
        sound: None,
    };
    Ok(Box::new(CameraFeed { info, index, what, layout, newest, first: None, damaged: Damaged::default() }))
}

/// The one camera that is meant.
fn select(which: &str, cameras: &[Named]) -> Result<Named, String> {
    let mut meant = select::matching(which, cameras);
    if meant.len() > 1 {
        // One camera often shows several devices of the same name, of which one gives pictures.
        let with_pictures: Vec<&Named> =
            meant.iter().copied().filter(|(index, _)| offers(*index).unwrap_or(false)).collect();
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

/// The device thread: opens the camera, reports the result, and reads every frame until no receiver is left.
fn capture(index: u32, name: &str, settings: &CameraSettings, newest: &Newest, opened: &Teller<Layout>) {
    let fault = match device::open(index, name, settings) {
        Ok(mut device) => {
            // Where nobody listens any more, the slot was stopped too.
            let _ = opened.send(Ok(*device.layout()));
            take_all(device.as_mut(), newest)
        }
        Err(fault) => {
            let _ = opened.send(Err(fault));
            None
        }
    };
    newest.end(fault);
}

/// Puts every frame that the device gives into the slot, until it fails or no receiver is left.
fn take_all(device: &mut dyn Device, newest: &Newest) -> Option<DeviceError> {
    let mut sequence = 0;
    let mut last = None;
    while !newest.is_stopped() {
        let mut captured = match device.wait(LOOK) {
            Ok(Some(captured)) => captured,
            Ok(None) => continue,
            Err(fault) => return Some(fault),
        };
        // A driver's clock that jumps does not turn the order of the pictures.
        captured.at = last.map_or(captured.at, |last| captured.at.max(last));
        last = Some(captured.at);
        if !newest.put(Numbered { captured, sequence }) {
            break;
        }
        sequence += 1;
    }
    None
}

/// The caller's side of an open camera.
struct CameraFeed {
    info: SourceInfo,
    index: u32,
    what: String,
    layout: Layout,
    newest: Arc<Newest>,
    /// When the first frame was taken.
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
            let Some(Numbered { captured: Captured { bytes, broken, at }, sequence }) = taken else {
                return Ok(None);
            };
            let first = *self.first.get_or_insert(at);
            let decoded = if broken { Err(Damage::Marked) } else { decode(&self.layout, (*bytes).as_ref()) };
            match decoded {
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

    fn damage(&self) -> Option<Arc<AtomicU64>> {
        Some(Arc::clone(&self.damaged.total))
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
            log::warn!("{}: its driver does not return; the program does not wait for it", self.what);
        }
        let total = self.damaged.total.load(Ordering::Relaxed);
        if total > 0 {
            log::info!("{}: {total} damaged frames were skipped in all", self.what);
        }
    }
}

/// Counts frames that cannot be decoded, and tells of them now and then.
#[derive(Default)]
struct Damaged {
    total: Arc<AtomicU64>,
    told: Option<Instant>,
}

impl Damaged {
    fn note(&mut self, what: &str, damage: &Damage) {
        let total = self.total.fetch_add(1, Ordering::Relaxed) + 1;
        if self.told.is_none_or(|told| told.elapsed() >= DAMAGE_LOG_EVERY) {
            self.told = Some(Instant::now());
            log::warn!("{what}: a damaged frame was skipped ({total} so far): {damage}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::super::{CameraFormat, PixelFormat, Rate};
    use super::*;

    /// A device that gives what it is told to.
    struct Scripted {
        layout: Layout,
        script: std::vec::IntoIter<Result<Option<Captured>, DeviceError>>,
    }

    impl Device for Scripted {
        fn layout(&self) -> &Layout {
            &self.layout
        }

        fn wait(&mut self, _: Duration) -> Result<Option<Captured>, DeviceError> {
            self.script.next().unwrap_or(Err(DeviceError::Gone))
        }
    }

    fn layout() -> Layout {
        let rate = Rate::new(30, 1).unwrap();
        Layout::of(CameraFormat { pixels: PixelFormat::Gray, width: 2, height: 2, rate })
    }

    fn buffer(bytes: &[u8], broken: bool, at: Instant) -> Result<Option<Captured>, DeviceError> {
        Ok(Some(Captured { bytes: Box::new(bytes.to_vec()), broken, at }))
    }

    fn feed(newest: &Arc<Newest>) -> CameraFeed {
        let info = SourceInfo {
            name: "test".to_owned(),
            kind: SourceKind::Camera,
            size: None,
            rate: None,
            frames: None,
            duration: None,
            sound: None,
        };
        let damaged = Damaged::default();
        let newest = Arc::clone(newest);
        CameraFeed {
            info,
            index: 0,
            what: "camera 0".to_owned(),
            layout: layout(),
            newest,
            first: None,
            damaged,
        }
    }

    #[test]
    fn damaged_buffers_are_counted_and_the_run_goes_on() {
        let newest = Arc::new(Newest::new());
        let mut feed = feed(&newest);
        let damage = feed.damage().unwrap();
        let put = |bytes: &[u8], broken, sequence| {
            let captured = buffer(bytes, broken, Instant::now()).unwrap().unwrap();
            assert!(newest.put(Numbered { captured, sequence }));
        };
        let reader = thread::spawn(move || (feed.next_frame().unwrap().unwrap().sequence, feed));
        for (sequence, (bytes, broken)) in
            [(&[1, 2, 3, 4][..], true), (&[1, 2], false), (&[], false)].into_iter().enumerate()
        {
            put(bytes, broken, sequence as u64);
            while damage.load(Ordering::Relaxed) < sequence as u64 + 1 {
                thread::sleep(Duration::from_millis(1));
            }
        }
        put(&[1, 2, 3, 4], false, 9);
        let (sequence, feed) = reader.join().unwrap();
        assert_eq!((sequence, damage.load(Ordering::Relaxed)), (9, 3));
        newest.end(None);
        drop(feed);
    }

    #[test]
    fn a_device_that_gives_nothing_is_waited_for_until_it_fails() {
        let newest = Newest::new();
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let script = vec![
            Ok(None),
            buffer(&[1], false, now + second),
            Ok(None),
            buffer(&[2], false, now),
            Err(DeviceError::Gone),
        ];
        let fault = take_all(&mut Scripted { layout: layout(), script: script.into_iter() }, &newest);
        assert_eq!(fault, Some(DeviceError::Gone));
        let Ok(Some(last)) = newest.take() else { panic!("the newest is kept") };
        assert_eq!((last.sequence, last.captured.at), (1, now + second), "times do not go back");
    }

    #[test]
    fn a_device_without_pictures_is_left_once_nobody_wants_any() {
        struct Mute(Layout);
        impl Device for Mute {
            fn layout(&self) -> &Layout {
                &self.0
            }
            fn wait(&mut self, _: Duration) -> Result<Option<Captured>, DeviceError> {
                thread::sleep(Duration::from_millis(1));
                Ok(None)
            }
        }
        let newest = Arc::new(Newest::new());
        let device = thread::spawn({
            let newest = Arc::clone(&newest);
            move || take_all(&mut Mute(layout()), &newest)
        });
        newest.stop();
        assert_eq!(device.join().unwrap(), None);
    }

    #[test]
    fn a_camera_is_found_again_by_its_name() {
        let cameras: Vec<Named> =
            [(0, "A"), (1, "B"), (3, "B"), (4, "B 2")].map(|(i, name)| (i, name.to_owned())).into();
        let find = |index, name| again(index, name, &cameras);
        assert_eq!(find(0, "A"), [0]);
        assert_eq!(find(3, "B"), [3, 1], "where it was, first");
        assert_eq!(find(2, "B"), [1, 3]);
        assert_eq!(find(0, "B 2"), [4], "not the other that has its number now");
        assert!(find(0, "b").is_empty(), "the exact name");
    }

    #[test]
    fn each_camera_of_the_name_is_tried_until_one_opens() {
        const DATA: DeviceError = DeviceError::NoCamera("it gives data");
        let offers = |node| match node {
            1 => Err(DATA),
            5 => Ok(false),
            6 => Err(DeviceError::StillSilent),
            _ => Ok(true),
        };
        let open = |node| match node {
            2 => Err(DeviceError::Busy),
            3 => Err(DeviceError::Other("it refuses".to_owned())),
            _ => Ok(node),
        };
        let first = |nodes: &[u32]| first_to_open(nodes, &offers, &open);
        assert_eq!(first(&[1, 0]), Ok(0), "its old number is the device for data now");
        assert_eq!(first(&[2, 4]), Ok(4), "the other is in use");
        assert_eq!(first(&[6, 4]), Ok(4), "the other hangs");
        assert_eq!(first(&[5, 4]), Ok(4));
        assert_eq!(first(&[1, 5]), Ok(5), "one that lists nothing may open all the same");
        assert_eq!(first(&[1, 2, 6]), Err(Some((2, DeviceError::Busy))));
        assert_eq!(first(&[1]), Ok(1), "the only one is asked itself");
        assert!(matches!(first(&[2, 3, 4]), Err(Some((3, DeviceError::Other(_))))));
        assert_eq!(first(&[]), Err(None));
    }
}
