//! A camera that can be told to fail: a recording that comes as a camera's pictures do, with faults at set times. For
//! trying out what the program does about them, and for tests.

mod script;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::jpeg::{JpegLimits, decode_jpeg};
use super::{LiveSource, LiveTimeouts, Source, SourceError, SourceInfo, SourceKind, Stopper};
use crate::frame::{Frame, Picture};
use crate::sync::lock;
use script::{Script, Trouble};

/// How long it sleeps at most until it looks whether it should end.
const NAP: Duration = Duration::from_millis(10);
/// The rate of a recording that tells none, in frames a second.
const RATE: f64 = 25.0;
/// After a fault, at most so many of the recording's pictures are passed over.
const MOST_PASSED: u32 = 300;
/// The quality of the JPEGs that are damaged.
const QUALITY: u8 = 85;

/// Begins the recording.
pub type Recording = Box<dyn Fn() -> Result<Box<dyn Source>, SourceError> + Send + Sync>;

/// A simulated camera, before it is opened.
pub struct Simulation {
    recording: Recording,
    script: Script,
}

impl Simulation {
    /// A camera that shows this recording over and over, with these faults (see `trailsight --help`).
    ///
    /// # Errors
    /// What is wrong with the script, and what is allowed.
    pub fn new(recording: Recording, faults: &str) -> Result<Self, String> {
        Ok(Self { recording, script: Script::parse(faults)? })
    }

    /// Whether faults can be read from this text.
    pub(super) fn knows(faults: &str) -> bool {
        Script::parse(faults).is_ok()
    }

    /// Plugs it in: the script begins now.
    ///
    /// # Errors
    /// What the recording says, and [`SourceError::Open`] where the system gives no thread.
    pub fn open(self, timeouts: LiveTimeouts) -> Result<Box<dyn Source>, SourceError> {
        let plug = Arc::new(Plug {
            recording: self.recording,
            world: Mutex::new(None),
            script: self.script,
            begun: Instant::now(),
            random: Mutex::new(fastrand::Rng::with_seed(1)),
        });
        let first = Camera::open(&plug)?;
        let again = move || Ok(Box::new(Camera::open(&plug)?) as Box<dyn Source>);
        Ok(Box::new(LiveSource::new(Box::new(first), Box::new(again), timeouts)?))
    }
}

/// What stays while the camera comes and goes.
struct Plug {
    recording: Recording,
    /// The recording at its current place, with the moment of its next picture; `None` while a source holds it.
    world: Mutex<Option<(Box<dyn Source>, Instant)>>,
    script: Script,
    begun: Instant,
    random: Mutex<fastrand::Rng>,
}

/// The camera while it is there.
struct Camera {
    info: SourceInfo,
    plug: Arc<Plug>,
    /// Only absent while it is dropped.
    recording: Option<Box<dyn Source>>,
    /// From one frame to the next.
    step: Duration,
    opened: Instant,
    /// When the next frame is due.
    due: Instant,
    /// The moment that the recording's next picture belongs to.
    shown: Instant,
    given: u64,
    damaged: Arc<AtomicU64>,
    stopped: Arc<AtomicBool>,
}

impl Camera {
    fn open(plug: &Arc<Plug>) -> Result<Self, SourceError> {
        if plug.script.at(plug.begun.elapsed()).trouble == Trouble::Unplug {
            return Err(SourceError::Open {
                what: "the simulated camera".to_owned(),
                why: "it is unplugged".to_owned(),
            });
        }
        let world = lock(&plug.world).take();
        let (recording, shown) = match world {
            Some(world) => world,
            None => ((plug.recording)()?, Instant::now()),
        };
        let told = recording.info();
        let rate = told.rate.filter(|rate| (0.1..=1000.0).contains(rate)).unwrap_or(RATE);
        let info = SourceInfo {
            name: format!("simulated camera, {}", told.name),
            kind: SourceKind::Camera,
            rate: Some(rate),
            frames: None,
            duration: None,
            sound: None,
            size: told.size,
        };
        Ok(Self {
            info,
            plug: Arc::clone(plug),
            recording: Some(recording),
            step: Duration::from_secs_f64(1.0 / rate),
            opened: Instant::now(),
            due: Instant::now(),
            shown,
            given: 0,
            damaged: Arc::default(),
            stopped: Arc::default(),
        })
    }

    /// The recording's picture of this moment: nobody waits in front of a camera until it is back.
    fn picture(&mut self, now: Instant) -> Result<Arc<Picture>, SourceError> {
        for _ in 0..MOST_PASSED {
            if self.shown + self.step > now || self.stopped.load(Ordering::SeqCst) {
                break;
            }
            self.shown += self.step;
            self.next_picture()?;
        }
        self.shown = now + self.step;
        self.next_picture()
    }

    /// The recording's next picture; from its beginning again behind the last.
    fn next_picture(&mut self) -> Result<Arc<Picture>, SourceError> {
        let recording = self.recording.as_mut();
        if let Some(frame) = recording.map_or(Ok(None), |recording| recording.next_frame())? {
            return Ok(frame.picture);
        }
        let again = self.recording.insert((self.plug.recording)()?);
        let empty = || SourceError::Read {
            what: self.info.name.clone(),
            why: "the recording has no picture".to_owned(),
        };
        Ok(again.next_frame()?.ok_or_else(empty)?.picture)
    }

    /// The picture as it comes through a bad cable; `None` where nothing can be made of it.
    fn through_bad_cable(&self, picture: &Picture) -> Option<Picture> {
        let mut random = lock(&self.plug.random);
        let jpeg = damage(encode(picture)?, &mut random);
        let limits = JpegLimits { width: picture.width() * 2, height: picture.height() * 2 };
        decode_jpeg(&jpeg, limits).ok()
    }

    fn is_struck(&self, share: f64) -> bool {
        lock(&self.plug.random).f64() < share
    }
}

impl Source for Camera {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
        while !self.stopped.load(Ordering::SeqCst) {
            let state = self.plug.script.at(self.plug.begun.elapsed());
            let now = Instant::now();
            match state.trouble {
                Trouble::Unplug => {
                    let why = "it was pulled out".to_owned();
                    return Err(SourceError::Read { what: self.info.name.clone(), why });
                }
                Trouble::Stall => {
                    thread::sleep(NAP);
                    self.due = now;
                    continue;
                }
                Trouble::None | Trouble::Corrupt(_) if now < self.due => {
                    thread::sleep(NAP.min(self.due - now));
                    continue;
                }
                Trouble::None | Trouble::Corrupt(_) => {}
            }
            let mut picture = self.picture(now)?;
            // Late frames are not made up for: a camera has none in store.
            let captured = if now > self.due + self.step { now } else { self.due };
            self.due = captured + self.step;
            let sequence = self.given;
            self.given += 1;
            if let Some(size) = state.size.filter(|size| *size != picture.size()) {
                picture = Arc::new(resized(&picture, size).unwrap_or_else(|| Picture::clone(&picture)));
            }
            if let Trouble::Corrupt(share) = state.trouble
                && self.is_struck(share)
            {
                let Some(damaged) = self.through_bad_cable(&picture) else {
                    self.damaged.fetch_add(1, Ordering::Relaxed);
                    continue;
                };
                picture = Arc::new(damaged);
            }
            let time = captured.saturating_duration_since(self.opened).as_secs_f64();
            return Ok(Some(Frame { picture, sequence, time, captured, file: None }));
        }
        Ok(None)
    }

    fn damage(&self) -> Option<Arc<AtomicU64>> {
        Some(Arc::clone(&self.damaged))
    }

    fn stopper(&self) -> Option<Stopper> {
        let stopped = Arc::clone(&self.stopped);
        Some(Box::new(move || stopped.store(true, Ordering::SeqCst)))
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        let mut world = lock(&self.plug.world);
        *world = self.recording.take().map(|recording| (recording, self.shown));
    }
}

fn encode(picture: &Picture) -> Option<Vec<u8>> {
    let (width, height) = (u16::try_from(picture.width()).ok()?, u16::try_from(picture.height()).ok()?);
    let mut jpeg = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut jpeg, QUALITY);
    encoder.encode(picture.pixels(), width, height, jpeg_encoder::ColorType::Rgb).ok()?;
    Some(jpeg)
}

/// Does one of the things to a JPEG that cameras' frames suffer: cut off, bits flipped, a part of zeros, noise in its
/// header, nothing but noise, another size declared.
fn damage(mut jpeg: Vec<u8>, random: &mut fastrand::Rng) -> Vec<u8> {
    let length = jpeg.len();
    let from = random.usize(0..length.max(1));
    match random.u8(0..6) {
        0 => jpeg.truncate(from),
        1 => {
            for _ in 0..16 {
                if let Some(byte) = jpeg.get_mut(random.usize(0..length.max(1))) {
                    *byte ^= 1 << random.u8(0..8);
                }
            }
        }
        2 => jpeg.iter_mut().skip(from).take(length / 4).for_each(|byte| *byte = 0),
        3 => jpeg.iter_mut().take(200).for_each(|byte| *byte = random.u8(..)),
        4 => jpeg.iter_mut().for_each(|byte| *byte = random.u8(..)),
        _ => {
            if let Some(size) = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]) {
                jpeg.iter_mut().skip(size + 5).take(4).for_each(|byte| *byte = 0xFF);
            }
        }
    }
    jpeg
}

fn resized(picture: &Picture, (width, height): (u32, u32)) -> Option<Picture> {
    let whole = image::RgbImage::from_raw(picture.width(), picture.height(), picture.pixels().to_vec())?;
    Picture::new(width, height, image::imageops::thumbnail(&whole, width, height).into_raw()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A recording of grey pictures of 64×48, `fps` a second, as many as wanted.
    struct Grey(SourceInfo, u64);

    impl Source for Grey {
        fn info(&self) -> &SourceInfo {
            &self.0
        }

        fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
            self.1 += 1;
            let grey = [(self.1 % 200) as u8; 3];
            let picture = Arc::new(Picture::filled(64, 48, grey).unwrap());
            let frame =
                Frame { picture, sequence: self.1 - 1, time: 0.0, captured: Instant::now(), file: None };
            Ok((self.1 <= 20).then_some(frame))
        }
    }

    fn camera(faults: &str) -> Box<dyn Source> {
        let recording: Recording = Box::new(|| {
            let info = SourceInfo {
                name: "grey".to_owned(),
                kind: SourceKind::Recording,
                size: Some((64, 48)),
                rate: Some(100.0),
                frames: Some(20),
                duration: Some(0.2),
                sound: None,
            };
            Ok(Box::new(Grey(info, 0)) as Box<dyn Source>)
        });
        let timeouts = LiveTimeouts { stall: Duration::from_millis(100), give_up: None };
        Simulation::new(recording, faults).unwrap().open(timeouts).unwrap()
    }

    #[test]
    fn frames_come_at_the_recordings_rate_over_and_over_through_every_fault() {
        let mut camera =
            camera("run 0.4, stall 0.3, run 0.2, unplug 0.3, run 0.2, corrupt 100% 0.2, resize 32x24");
        let health = camera.health().unwrap();
        let (mut last, mut sizes, mut gaps) = (None::<(u64, f64)>, Vec::new(), Vec::new());
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(5500) {
            let frame = camera.next_frame().unwrap().unwrap();
            if sizes.last() != Some(&frame.picture.size()) {
                sizes.push(frame.picture.size());
            }
            if let Some((sequence, time)) = last {
                assert!(frame.sequence > sequence && frame.time >= time);
                if frame.time - time > 0.25 {
                    gaps.push(frame.time - time);
                }
            }
            last = Some((frame.sequence, frame.time));
        }
        let (frames, time) = last.unwrap();
        assert!(frames > 30, "{frames} frames");
        assert!(
            (time - begun.elapsed().as_secs_f64()).abs() < 0.5,
            "time goes on as the wall's does: {time}"
        );
        assert!(gaps.len() >= 2 && gaps.iter().all(|gap| *gap < 4.0), "a stall and an absence: {gaps:?}");
        assert_eq!(sizes.first(), Some(&(64, 48)));
        assert_eq!(sizes.last(), Some(&(32, 24)));
        assert!(health.reopened() >= 1);
        assert!(health.damaged() > 0);
    }

    #[test]
    fn no_damage_panics() {
        let picture = Picture::filled(64, 48, [90, 20, 200]).unwrap();
        let whole = encode(&picture).unwrap();
        let mut random = fastrand::Rng::with_seed(3);
        let mut survived = 0;
        for _ in 0..500 {
            let bytes = damage(whole.clone(), &mut random);
            survived += u32::from(decode_jpeg(&bytes, JpegLimits { width: 128, height: 96 }).is_ok());
        }
        assert!((1..499).contains(&survived), "some can be read and some cannot: {survived}");
        damage(Vec::new(), &mut random);
    }
}
