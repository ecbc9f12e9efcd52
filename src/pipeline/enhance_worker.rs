//! The enhance thread: makes the picture for the network while the frame is already on the screen.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use crossbeam_channel::Receiver;

use super::link::Outlet;
use super::message::{EnhanceJob, FrameJob, PendingEnhance};
use super::network_input::NetworkInput;
use super::stats::Stats;
use super::stop::Stop;
use crate::attention::{Attention, Notice};
use crate::enhance::{Enhanced, NetworkChain, Report};
use crate::sync::lock;

/// What the enhance thread works with.
pub(super) struct EnhanceWorker {
    /// The steps that are for the network alone.
    pub(super) chain: NetworkChain,
    /// Changes from the window.
    pub(super) pending: PendingEnhance,
    /// Tells the size at which the network looks at a picture.
    pub(super) input: NetworkInput,
    /// Tells which frames the network need not look at: of those, no picture is made for it.
    pub(super) attention: Arc<Mutex<Attention>>,
    /// What is told.
    pub(super) stats: Arc<Stats>,
    /// Where frames come from.
    pub(super) inlet: Receiver<EnhanceJob>,
    /// Where frames go to be detected in.
    pub(super) detect: Outlet<FrameJob>,
    /// In step: frames whose tracks are in the history go there too, so that the order stays.
    pub(super) in_step: bool,
    /// When to end.
    pub(super) stop: Stop,
}

impl EnhanceWorker {
    /// Works until no frame comes any more or no receiver is left.
    pub(super) fn run(mut self) {
        let mut epoch = 0;
        let mut last = Arc::<Report>::default();
        while let Ok(EnhanceJob { mut job, promise }) = self.inlet.recv() {
            if self.stop.is_asked() {
                return;
            }
            let settings = lock(&self.pending).take();
            if let Some(settings) = settings {
                self.chain.set(settings);
                lock(&self.attention).insist();
            }
            if std::mem::replace(&mut epoch, job.epoch) != job.epoch {
                self.chain.begin_anew();
                lock(&self.attention).begin_anew();
            }
            job.notice = self.watch(&job);
            self.stats.resting.store(!job.notice.looks(), Ordering::Relaxed);
            let picture = &job.frame.picture;
            self.chain.set_input(self.input.for_picture(picture.size()));
            let mut enhanced = job.enhancement.now().clone();
            if job.notice.looks() || self.chain.is_shown() {
                self.chain.enhance(picture, job.frame.time, &mut enhanced);
                last = Arc::clone(&enhanced.report);
            } else {
                // What would be done to it is what was done to the last one.
                enhanced = Enhanced { report: Arc::clone(&last), ..enhanced };
            }
            promise.keep(enhanced);
            if (job.fresh || self.in_step) && self.detect.send(job).is_err() {
                return;
            }
        }
    }

    /// Whether the network has to look at a frame.
    fn watch(&self, job: &FrameJob) -> Notice {
        let mut attention = lock(&self.attention);
        if !job.fresh {
            // It passes the network by, and what comes behind it does not follow on a look.
            attention.begin_anew();
            return Notice::Unwatched;
        }
        let region_mask = job.enhanced().region_mask.as_ref();
        attention.watch(&(&*job.frame.picture).into(), region_mask, job.frame.time, job.order)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

    use super::*;
    use crate::analyse::Stages;
    use crate::attention::AttentionSettings;
    use crate::config::Settings;
    use crate::detect::{InputChoice, InputRule, Slicer};
    use crate::engine::RecordedDetections;
    use crate::enhance::EnhanceSettings;
    use crate::frame::{Frame, Picture};
    use crate::labels::Labels;
    use crate::pipeline::enhancement::Enhancement;
    use crate::pipeline::{Mode, Pipeline, Plan, Stats, link};
    use crate::source::{Source, SourceError, SourceInfo, SourceKind};

    const FRAMES: u64 = 150;
    const RATE: f64 = 500.0;
    const LONG: Duration = Duration::from_secs(60);

    /// A recording that begins once its gate is gone.
    struct Gated {
        info: SourceInfo,
        gate: Receiver<()>,
        next: u64,
    }

    impl Gated {
        fn new() -> (Self, Sender<()>) {
            let (open, gate) = bounded(0);
            let info = SourceInfo {
                name: "gated".to_owned(),
                kind: SourceKind::Recording,
                size: Some((32, 24)),
                rate: Some(RATE),
                frames: Some(FRAMES),
                duration: Some(FRAMES as f64 / RATE),
                sound: None,
            };
            (Self { info, gate, next: 0 }, open)
        }
    }

    impl Source for Gated {
        fn info(&self) -> &SourceInfo {
            &self.info
        }

        fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
            assert!(self.gate.recv().is_err());
            let sequence = self.next;
            self.next += 1;
            let frame = || frame(sequence, (32, 24), 90);
            Ok((sequence < FRAMES).then(frame))
        }
    }

    fn frame(sequence: u64, size: (u32, u32), level: u8) -> Frame {
        let picture = Arc::new(Picture::filled(size.0, size.1, [level; 3]).unwrap());
        Frame { picture, sequence, time: sequence as f64 / RATE, captured: Instant::now(), file: None }
    }

    #[test]
    fn what_is_shown_never_waits_for_the_picture_that_the_network_gets() {
        let ((source, gate), stats) = (Gated::new(), Arc::new(Stats::default()));
        let pipeline = Pipeline::start(Plan {
            source: Box::new(source),
            reopen: None,
            detector: RecordedDetections::new(vec![Vec::new()], Labels::coco()).into(),
            stages: Stages::default(),
            number: 1,
            settings: &Settings::default(),
            mode: Mode::Display,
            stats: Arc::clone(&stats),
            stop: Stop::default(),
        })
        .unwrap();
        // Before each frame the enhance thread asks for changes: it is held there, as in a step that does not end.
        let held = lock(&pipeline.pending_network);
        pipeline.keep_frames(true);
        drop(gate);
        for order in 0..FRAMES {
            let job =
                pipeline.frames.recv_timeout(LONG).expect("it is shown whatever the enhance thread does");
            assert_eq!((job.order, job.enhancement.outcome().is_none()), (order, true));
        }
        let end = pipeline.frames.recv_timeout(LONG).map(|job| job.order);
        assert_eq!(end, Err(RecvTimeoutError::Disconnected));
        assert!(pipeline.tracked.try_recv().is_err());
        // One is held, and the newest waits.
        assert!(stats.skipped_enhance.load(Ordering::Relaxed) >= FRAMES - 2);
        drop(held);
        let last = pipeline.tracked.iter().last().expect("it goes on");
        assert_eq!((last.job.order, last.job.enhancement.outcome().is_some()), (FRAMES - 1, true));
        pipeline.finish().unwrap();
    }

    /// A worker beside the caller: gives it a frame and takes what it made of it.
    fn beside(
        settings: EnhanceSettings,
        input: &NetworkInput,
        run: impl FnOnce(&dyn Fn(u64, Frame) -> Enhanced),
    ) {
        let (outlet, inlet) = link::kept(1);
        let (detect, detected) = link::kept(1);
        let worker = EnhanceWorker {
            chain: NetworkChain::new(settings),
            pending: PendingEnhance::default(),
            input: input.clone(),
            attention: Arc::new(Mutex::new(Attention::new(AttentionSettings::default(), true))),
            stats: Arc::default(),
            inlet,
            detect,
            in_step: true,
            stop: Stop::default(),
        };
        let thread = std::thread::spawn(move || worker.run());
        run(&|epoch, frame| {
            let (enhancement, promise) = Enhancement::promised(Enhanced::default());
            let job = FrameJob { epoch, ..FrameJob::alone(frame, enhancement) };
            outlet.send(EnhanceJob { job, promise }).unwrap();
            detected.recv_timeout(LONG).unwrap().enhanced().clone()
        });
        drop(outlet);
        thread.join().unwrap();
    }

    #[test]
    fn the_picture_has_the_size_at_which_the_running_network_looks_at_it() {
        let settings = EnhanceSettings { auto: false, gaussian: 1.0, ..EnhanceSettings::default() };
        let input = NetworkInput::default();
        beside(settings, &input, |enhance| {
            let size = |sequence| enhance(0, frame(sequence, (640, 480), 90)).seen.unwrap().size();
            assert_eq!(size(0), (640, 480), "no network, nothing to shrink for");
            let fixed = |width_height: &str| match width_height.parse() {
                Ok(InputChoice::Size(size)) => Some(InputRule::Fixed(size)),
                other => panic!("{other:?}"),
            };
            input.set(fixed("64x64"), Slicer::default());
            assert_eq!(size(1), (64, 48));
            input.set(fixed("128x64"), Slicer::default());
            assert_eq!(size(2), (85, 64));
        });
    }

    #[test]
    fn nothing_of_before_a_jump_is_left_behind_it() {
        let settings = EnhanceSettings { auto: false, temporal: 20.0, ..EnhanceSettings::default() };
        beside(settings, &NetworkInput::default(), |enhance| {
            let level = |epoch, sequence, level| {
                enhance(epoch, frame(sequence, (64, 48), level)).seen.unwrap().rgb()[100][0]
            };
            assert_eq!(level(0, 0, 90), 90);
            assert!((91..100).contains(&level(0, 1, 100)), "it follows on the one before");
            assert_eq!(level(1, 2, 110), 110);
        });
    }
}
