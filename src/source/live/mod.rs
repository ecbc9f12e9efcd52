//! Keeps a live source running. Whatever a camera or a stream does, the reader gets the newest picture, learns when none
//! comes, and is never blocked.
//!
//! The thread `keep` reads the source, which may block for any time, into a slot that holds only the newest picture. If
//! the source fails or ends, the thread reopens it, with growing pauses, until the source is back or the reader is gone.
//! The reader waits at the slot and watches the time since the last picture: if it is too long, the reader stops the
//! source, so that the thread can reopen it. [`Health`] has the condition for the window.
//!
//! Through an interruption, source time advances with the clock on the wall (`timeline`), so that the tracker knows how
//! long there were no pictures. Frame numbers continue without repetition.

mod health;
mod timeline;

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::{NOTICE, Source, SourceError, SourceInfo, Stopper};
use crate::frame::Frame;
use crate::latest::{Slot, Taken};
use crate::sync::lock;

use health::seconds;
pub use health::{Condition, Health};
use timeline::Timeline;

/// The first pause before a source is opened again, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));
/// How often a waiting reader checks the time since the last picture.
const LOOK: Duration = Duration::from_millis(100);
/// A source that gives no picture for this many times the stall limit is reopened, but not before [`SILENCE`].
const STALLS: u32 = 3;
const SILENCE: Duration = Duration::from_secs(5);
/// The first picture may take longer: the connection is set up, and a stream starts at its next key frame.
const FIRST: Duration = Duration::from_secs(20);
/// Once pictures have come for this long, the next pause is the shortest one again.
const STEADY: Duration = Duration::from_secs(3);
/// How long the end of a run waits for the thread.
const CLOSING: Duration = Duration::from_secs(1);
/// How long the first pictures are counted to measure the real rate.
const MEASURE: Duration = Duration::from_secs(2);

/// Reopens a source.
pub type Opener = Box<dyn FnMut() -> Result<Box<dyn Source>, SourceError> + Send>;

/// The time limits of a live source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LiveTimeouts {
    /// It counts as stalled after this long without a picture.
    pub stall: Duration,
    /// How long to wait for a source that is gone; `None`: without limit.
    pub give_up: Option<Duration>,
}

impl LiveTimeouts {
    /// As the settings have it.
    pub fn of(settings: &super::CameraSettings) -> Self {
        let time = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        Self { stall: time(settings.stall_seconds), give_up: settings.give_up_seconds.map(time) }
    }
}

/// Ends a blocked read of the source that is open now.
type Release = Arc<Mutex<Option<Stopper>>>;

/// A live source that is read by a thread of its own, which keeps the newest picture and reopens the source when it
/// fails.
pub struct LiveSource {
    info: SourceInfo,
    newest: Arc<Slot<Frame, SourceError>>,
    health: Health,
    release: Release,
    /// The source is reopened after this long without a picture.
    silence: Duration,
}

impl LiveSource {
    /// Takes an open source and the function that reopens it.
    ///
    /// # Errors
    /// [`SourceError::Open`] if the thread cannot be started.
    pub fn new(source: Box<dyn Source>, again: Opener, timeouts: LiveTimeouts) -> Result<Self, SourceError> {
        let info = source.info().clone();
        // A slow camera is not a stalled one.
        let slow = info
            .rate
            .filter(|rate| *rate > 0.0)
            .map_or(Duration::ZERO, |rate| Duration::try_from_secs_f64(3.0 / rate).unwrap_or(Duration::ZERO));
        let stall = timeouts.stall.max(slow);
        let (newest, health) = (Arc::new(Slot::new()), Health::new(stall));
        let release: Release = Arc::new(Mutex::new(source.stopper()));
        let keeper = Keeper {
            name: info.name.clone(),
            again,
            newest: Arc::clone(&newest),
            health: health.clone(),
            release: Arc::clone(&release),
            stall,
            give_up: timeouts.give_up,
            timeline: Timeline::default(),
            pause: PAUSES.0,
            measured: None,
        };
        thread::Builder::new().name("keep".to_owned()).spawn(move || keeper.run(source)).map_err(
            |error| SourceError::Open {
                what: info.name.clone(),
                why: format!("the system cannot start a thread for it: {error}"),
            },
        )?;
        let silence = stall.saturating_mul(STALLS).max(SILENCE);
        Ok(Self { info, newest, health, release, silence })
    }
}

impl Source for LiveSource {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
        loop {
            match self.newest.take_within(LOOK)? {
                Taken::Item(frame) => return Ok(Some(frame)),
                Taken::Over => return Ok(None),
                Taken::Nothing => {}
            }
            let Some(silent) = self.health.overdue(self.silence, self.silence.max(FIRST)) else { continue };
            let stopper = lock(&self.release).take();
            if let Some(stopper) = stopper {
                log::warn!("{} has given no picture for {}: it is reopened", self.info.name, seconds(silent));
                stopper();
            }
        }
    }

    fn health(&self) -> Option<Health> {
        Some(self.health.clone())
    }

    fn stopper(&self) -> Option<Stopper> {
        let (newest, release) = (Arc::clone(&self.newest), Arc::clone(&self.release));
        Some(Box::new(move || stop(&newest, &release)))
    }
}

impl Drop for LiveSource {
    /// The thread ends as soon as the source returns, usually at once, and closes what it had opened.
    fn drop(&mut self) {
        stop(&self.newest, &self.release);
        if !self.newest.wait_for_end(CLOSING) {
            log::debug!("the thread of {} does not end", self.info.name);
        }
    }
}

fn stop(newest: &Slot<Frame, SourceError>, release: &Release) {
    newest.stop();
    let stopper = lock(release).take();
    if let Some(stopper) = stopper {
        stopper();
    }
}

/// What the thread that reads works with.
struct Keeper {
    name: String,
    again: Opener,
    newest: Arc<Slot<Frame, SourceError>>,
    health: Health,
    release: Release,
    stall: Duration,
    give_up: Option<Duration>,
    timeline: Timeline,
    /// The pause before it is reopened; grows as long as no picture comes.
    pause: Duration,
    /// When the first picture of this connection came, and how many came since; `None` once the rate was logged.
    measured: Option<(Instant, u32)>,
}

impl Keeper {
    fn run(mut self, first: Box<dyn Source>) {
        let end = match self.keep(first) {
            Ok(()) => None,
            Err(_) if self.newest.is_stopped() => None,
            Err(fault) => Some(fault),
        };
        self.newest.end(end);
    }

    /// Reads and reopens the source until the reader is gone.
    ///
    /// # Errors
    /// The error of the source, if it failed before its very first picture, or has been gone for too long.
    fn keep(&mut self, first: Box<dyn Source>) -> Result<(), SourceError> {
        let mut source = first;
        loop {
            let Some(fault) = self.read(source) else { return Ok(()) };
            if self.timeline.is_new() || self.gives_up() {
                return Err(fault);
            }
            // Only the first error is reported: later attempts fail for the same reason.
            if self.health.gone(fault.to_string()) {
                log::warn!("{fault}; it is reopened as soon as it is back");
            }
            source = match self.reopen()? {
                Some(again) => again,
                None => return Ok(()),
            };
        }
    }

    /// Reads an open source until it ends; returns why, or `None` if the reader is gone.
    fn read(&mut self, mut source: Box<dyn Source>) -> Option<SourceError> {
        self.timeline.begin_again();
        self.measured = None;
        self.health.count_damage_of(source.damage());
        let (mut frames, mut begun) = (0_u64, None::<Instant>);
        let told = source.info().rate;
        loop {
            let mut frame = match source.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) if self.newest.is_stopped() => return None,
                Ok(None) => {
                    let silent = self.health.silent();
                    let why = match silent > self.stall {
                        true => format!("no picture came for {}", seconds(silent)),
                        false => "it gives no pictures any more".to_owned(),
                    };
                    return Some(SourceError::Read { what: self.name.clone(), why });
                }
                Err(error) => return Some(error),
            };
            self.timeline.place(&mut frame);
            frames += 1;
            if begun.get_or_insert_with(Instant::now).elapsed() >= STEADY {
                self.pause = PAUSES.0;
            }
            if let Some(silent) = self.health.picture() {
                log::info!(target: NOTICE, "{}: pictures come again after {}", self.name, seconds(silent));
            }
            if !self.newest.put(frame) {
                return None;
            }
            self.measure(frames, told);
        }
    }

    fn gives_up(&self) -> bool {
        self.give_up.is_some_and(|give_up| self.health.silent() >= give_up)
    }

    /// Logs once how many pictures a second really come.
    fn measure(&mut self, frames: u64, told: Option<f64>) {
        if frames == 1 {
            self.measured = Some((Instant::now(), 0));
        } else if let Some((begun, count)) = &mut self.measured {
            *count += 1;
            let passed = begun.elapsed();
            if passed >= MEASURE {
                let rate = f64::from(*count) / passed.as_secs_f64();
                let promised = told.map(|rate| format!(" of {rate:.3} promised")).unwrap_or_default();
                log::info!(target: NOTICE, "{}: measured {rate:.1} pictures a second{promised}", self.name);
                self.measured = None;
            }
        }
    }

    /// Tries until the source is open again; `None` if the reader is gone.
    ///
    /// # Errors
    /// Why it could not be opened, once the time limit has passed.
    fn reopen(&mut self) -> Result<Option<Box<dyn Source>>, SourceError> {
        while self.newest.rest(self.pause) {
            self.pause = (self.pause * 2).min(PAUSES.1);
            match (self.again)() {
                Ok(source) => {
                    // A stop that came meanwhile found nothing to stop.
                    *lock(&self.release) = source.stopper();
                    self.health.opened();
                    log::debug!("{} is opened again", self.name);
                    return Ok((!self.newest.is_stopped()).then_some(source));
                }
                Err(error) => {
                    log::debug!("{error}");
                    if self.gives_up() {
                        return Err(error);
                    }
                    self.health.gone(error.to_string());
                }
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
