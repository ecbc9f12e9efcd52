//! Changes of the detector during a run: changed settings go to the detect threads, and if a change needs another
//! network, it is loaded beside the running one and replaces it when it is ready.
//!
//! Tracks continue: they belong to the track thread, and the old network works on the frames that come meanwhile.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};

use super::budget_control::{Detected, SharedBudget};
use super::model_choice::{Demand, settled};
use super::network_input::NetworkInput;
use super::thread_count::thread_count;
use crate::attention::{Attention, AttentionSettings};
use crate::config::Settings;
use crate::detect::{
    AttentionChoice, DetectError, DetectSettings, DetectTimes, Detector, InputChoice, InputRule, InputSize,
    PixelBudget, Slicer,
};
use crate::engine::{DetectionSource, DetectorOutput};
use crate::labels::Labels;
use crate::sync::lock;

/// The result of a change that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Another network is at work; its description.
    Swapped(String),
    /// The network could not be loaded, and the one before continues; the reason.
    Failed(String),
}

/// The settings that need another network when they change.
#[derive(Debug, Clone, PartialEq)]
struct Network {
    /// The size of its input; `None`: it follows the picture, and how many pixels it has is changed as it runs.
    input: Option<InputSize>,
    threads: usize,
    /// The settings, those that are changed as it runs at their defaults.
    others: DetectSettings,
}

impl Network {
    fn of(settings: &DetectSettings, every_frame: bool) -> Self {
        let DetectSettings { input, threads, .. } = *settings;
        // In step, how many threads there are was settled when the run began; each works with one of its own.
        let threads = if every_frame { 1 } else { thread_count(threads) };
        let input = match input {
            InputChoice::Size(size) => Some(size),
            InputChoice::Auto | InputChoice::Budget(_) => None,
        };
        let live = DetectSettings::default();
        let others = DetectSettings {
            input: live.input,
            confidence: live.confidence,
            nms_iou: live.nms_iou,
            box_voting: live.box_voting,
            classes: live.classes,
            threads: live.threads,
            min_interval: live.min_interval,
            attention: live.attention,
            idle_interval: live.idle_interval,
            motion: live.motion,
            ..settings.clone()
        };
        Self { input, threads, others }
    }
}

/// The networks of all detect threads, and what is asked of them.
struct State {
    /// What is asked for, whether it is there yet or not.
    asked: DetectSettings,
    /// Which slices of a picture are looked at.
    slicer: Slicer,
    min_interval: Duration,
    /// The network that runs, or that the detect threads will take next.
    running: Network,
    /// What could not be loaded: it is tried again only after something else was asked for.
    failed: Option<Network>,
    labels: Arc<Labels>,
    /// How the size of its input comes about, and that size for the picture that was detected in last; `None`: it is no
    /// network.
    input: Option<(InputRule, (usize, usize))>,
    /// Where `auto` is asked for: how many pixels the input has now.
    budget: PixelBudget,
    /// A network for each detect thread that has not taken its own yet.
    fresh: Vec<Option<DetectionSource>>,
}

impl State {
    /// How the size of the input is to come about.
    fn asked_rule(&self) -> InputRule {
        match self.asked.input {
            InputChoice::Auto => InputRule::Follows(self.budget),
            choice => InputRule::of(choice),
        }
    }

    /// How it comes about with the network that runs; `None` where there is no network.
    fn rule(&self) -> Option<InputRule> {
        let (running, _) = self.input?;
        Some(match (running, self.asked_rule()) {
            (InputRule::Follows(_), asked @ InputRule::Follows(_)) => asked,
            (running, _) => running,
        })
    }
}

/// The network that was loaded last for several pipelines: those that ask for the same one share it, and it is in memory
/// once. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct SharedNetwork(Arc<Mutex<Option<(Network, Detector)>>>);

impl SharedNetwork {
    /// The network with a state of its own, loaded where it is not the one that was loaded last. Meanwhile the others wait.
    fn load(&self, settings: &DetectSettings, network: &Network) -> Result<Detector, DetectError> {
        let mut last = lock(&self.0);
        match last.as_ref().filter(|(loaded, _)| loaded == network) {
            Some((_, detector)) => detector.fork(),
            None => {
                let detector = Detector::load(settings)?;
                let fork = detector.fork()?;
                *last = Some((network.clone(), detector));
                Ok(fork)
            }
        }
    }
}

/// What the window and the detect threads share.
pub(super) struct DetectorControl {
    state: Mutex<State>,
    /// Grows with every change, so that a detect thread need not lock for each frame.
    changes: AtomicU64,
    every_frame: bool,
    /// Where networks come from that several pipelines share; a single pipeline loads its own.
    shared: Option<SharedNetwork>,
    /// In time with `auto`: the control that chooses how many pixels the input has, and the number of this source there.
    auto: SharedBudget,
    source: u64,
    /// In time: what a model that is left to the program must keep up with.
    demand: Option<Demand>,
    /// Whether the network rests where nothing moves, and since when nothing has.
    attention: Arc<Mutex<Attention>>,
    /// Whether the source is live; `None`: its pictures do not follow one another, or there is no network.
    follows: Option<bool>,
    /// Is told how the size of the input comes about that the enhance thread makes pictures for.
    network_input: NetworkInput,
}

impl DetectorControl {
    /// `running` is what the `threads` detect threads begin with.
    pub(super) fn new(
        settings: &Settings,
        every_frame: bool,
        threads: usize,
        running: &DetectionSource,
    ) -> Self {
        let asked = settings.detect_for_tracking();
        let state = State {
            min_interval: min_interval(&asked, every_frame),
            running: Network::of(&asked, every_frame),
            asked,
            slicer: settings.slicer(),
            failed: None,
            labels: labels_of(running),
            input: input_of(running),
            budget: PixelBudget::default(),
            fresh: (0..threads).map(|_| None).collect(),
        };
        let network_input = NetworkInput::default();
        network_input.set(state.rule(), state.slicer);
        Self {
            state: Mutex::new(state),
            changes: AtomicU64::new(0),
            every_frame,
            shared: None,
            auto: SharedBudget::default(),
            source: 0,
            demand: None,
            attention: Arc::new(Mutex::new(Attention::new(AttentionSettings::default(), every_frame))),
            follows: None,
            network_input,
        }
    }

    /// Lets the network rest where nothing moves, as the settings have it for a source that is `live` or is not. Its pictures
    /// follow one another.
    pub(super) fn resting(self, live: bool) -> Self {
        let follows = self.lock().input.is_some().then_some(live);
        let control = Self { follows, ..self };
        control.attend(&control.lock().asked);
        control
    }

    /// What tells whether the network rests.
    pub(super) fn attention(&self) -> &Arc<Mutex<Attention>> {
        &self.attention
    }

    fn attend(&self, asked: &DetectSettings) {
        let motion = match (asked.attention, self.follows) {
            // Its background is made of all pictures.
            _ if asked.wants_all() => false,
            (_, None) | (AttentionChoice::All, _) => false,
            (AttentionChoice::Motion, _) => true,
            (AttentionChoice::Auto, Some(live)) => live && !self.every_frame,
        };
        lock(&self.attention).set(AttentionSettings { motion, idle_interval: asked.idle_interval });
    }

    /// A detect thread takes the frame of this number.
    pub(super) fn looks_at(&self, order: u64) {
        lock(&self.attention).taken(order);
    }

    /// And this is what it has found. In step that is not told: frames are compared before those ahead are detected in.
    pub(super) fn found(&self, found: &DetectorOutput) {
        if !self.every_frame {
            lock(&self.attention).found(found.detections.iter().map(|detection| detection.rect));
        }
    }

    /// Lets `detector.model = "auto"` be the best model that keeps up with this.
    pub(super) fn keeping_up(self, demand: Demand) -> Self {
        Self { demand: Some(demand), ..self }
    }

    /// Takes networks, and the pixel budget of `auto`, from those that several pipelines share.
    pub(super) fn sharing(self, network: SharedNetwork, budget: SharedBudget) -> Self {
        Self { shared: Some(network), source: budget.add_source(), auto: budget, ..self }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Asks for other settings; thresholds and classes hold from the next frame on. True: there is work for the loader.
    pub(super) fn ask(&self, settings: &Settings) -> bool {
        let (asked, slicer) = (settings.detect_for_tracking(), settings.slicer());
        let mut state = self.lock();
        if (&state.asked, state.slicer) == (&asked, slicer) {
            return false;
        }
        state.slicer = slicer;
        state.min_interval = min_interval(&asked, self.every_frame);
        let network = Network::of(&asked, self.every_frame);
        if state.failed.as_ref().is_some_and(|failed| *failed != network) {
            state.failed = None;
        }
        state.asked = asked;
        self.tell(&state);
        let asked = state.asked.clone();
        let load = network != state.running && state.failed.is_none();
        drop(state);
        self.changes.fetch_add(1, Ordering::Release);
        // Behind that, so that the look it asks for is one with the new settings.
        self.attend(&asked);
        load
    }

    /// From one detection to the next at the least.
    pub(super) fn min_interval(&self) -> Duration {
        self.lock().min_interval
    }

    /// The size of the network's input for the picture that was detected in last, across and down; `None` where there is no
    /// network.
    pub(super) fn input(&self) -> Option<(usize, usize)> {
        self.lock().input.map(|(_, size)| size)
    }

    /// How many pixels the network's input may have; `None` where there is no network, or one with an input of one size.
    pub(super) fn budget(&self) -> Option<PixelBudget> {
        match self.lock().rule()? {
            InputRule::Follows(budget) => Some(budget),
            InputRule::Fixed(_) => None,
        }
    }

    /// Where the enhance thread is told the size of the input for a picture.
    pub(super) fn network_input(&self) -> &NetworkInput {
        &self.network_input
    }

    /// Tells the enhance thread the size of the network that runs; the one asked for may never be loaded.
    fn tell(&self, state: &State) {
        self.network_input.set(state.rule(), state.slicer);
    }

    /// A detect thread has detected in a picture of this width and height; `rate`: frames a second that come.
    pub(super) fn detected(
        &self,
        detector: &DetectionSource,
        times: DetectTimes,
        (picture, rate): ((u32, u32), f64),
    ) {
        let mut state = self.lock();
        state.input = input_of(detector);
        self.tell(&state);
        let follows = matches!(state.input, Some((InputRule::Follows(_), _)));
        if self.every_frame || state.asked.input != InputChoice::Auto || !follows || rate <= 0.0 {
            return;
        }
        let picture = state.slicer.looked_at(picture);
        let (width, height) = detector.input().unwrap_or_default();
        let budget = self.auto.detected(Detected {
            source: self.source,
            seconds: (times.letterbox + times.inference + times.decode).as_secs_f64(),
            pixels: width * height,
            rate: rate.min(1.0 / state.min_interval.as_secs_f64()),
            picture,
        });
        if budget != state.budget {
            state.budget = budget;
            self.tell(&state);
            drop(state);
            self.changes.fetch_add(1, Ordering::Release);
        }
    }

    /// The names of the classes of the network that runs.
    pub(super) fn labels(&self) -> Arc<Labels> {
        Arc::clone(&self.lock().labels)
    }

    /// Gives detect thread `number` what has changed since `seen`.
    pub(super) fn update(&self, number: usize, seen: &mut u64, detector: &mut DetectionSource) {
        let changes = self.changes.load(Ordering::Acquire);
        if changes == *seen {
            return;
        }
        *seen = changes;
        let mut state = self.lock();
        let fresh = state.fresh.get_mut(number).and_then(Option::take);
        let (mut asked, slicer) = (state.asked.clone(), state.slicer);
        if asked.input == InputChoice::Auto {
            asked.input = InputChoice::Budget(state.budget);
        }
        drop(state);
        if let Some(fresh) = fresh {
            *detector = fresh;
        }
        detector.set_settings(&asked, slicer);
    }

    /// The loader thread: loads the newest network asked for, until the pipeline has ended.
    pub(super) fn load(&self, woken: &Receiver<()>, ended: impl Fn() -> bool, notes: &Sender<Note>) {
        while woken.recv().is_ok() && !ended() {
            while let Some((settings, network)) = self.wanted() {
                // A model from outside may make a runtime panic; the network that runs must continue.
                let loaded = catch_unwind(AssertUnwindSafe(|| self.prepare(&settings, &network)));
                let note = match loaded {
                    Ok(Ok(detectors)) => Note::Swapped(self.swap(network, detectors)),
                    Ok(Err(error)) => self.give_up(network, error.to_string()),
                    Err(_) => {
                        self.give_up(network, "the model cannot be loaded: its runtime panicked".into())
                    }
                };
                // Full: nobody reads them.
                let _ = notes.try_send(note);
                if ended() {
                    return;
                }
            }
        }
    }

    fn wanted(&self) -> Option<(DetectSettings, Network)> {
        let state = self.lock();
        let network = Network::of(&state.asked, self.every_frame);
        let wanted = network != state.running && state.failed.as_ref() != Some(&network);
        wanted.then(|| (state.asked.clone(), network))
    }

    fn prepare(
        &self,
        settings: &DetectSettings,
        network: &Network,
    ) -> Result<Vec<DetectionSource>, DetectError> {
        if settings.wants_all() && self.lock().fresh.len() > 1 {
            let why = "several frames are worked on at a time: what moves is told from the next start on";
            return Err(DetectError::Named { why: why.to_owned() });
        }
        if settings.is_motion() {
            return Ok(vec![DetectionSource::load(settings)?.numbered_after(&self.labels())]);
        }
        let settings = match self.demand {
            Some(demand) => settled(settings, demand.times(self.auto.sources()))?,
            None => Cow::Borrowed(settings),
        };
        let mut loaded = match &self.shared {
            Some(shared) => shared.load(&settings, network)?,
            None => Detector::load(&settings)?,
        };
        let (slicer, rule) = {
            let state = self.lock();
            (state.slicer, state.asked_rule())
        };
        loaded.set_slicer(slicer);
        if let InputRule::Follows(budget) = rule {
            loaded.set_budget(budget);
        }
        if let Some(picture) = self.network_input.picture() {
            loaded.prepare_for(picture);
        }
        // What was tracked so far has its classes by these names.
        let detector = DetectionSource::from(loaded).also_motion(&settings).numbered_after(&self.labels());
        let detector = if network.threads > 1 { detector.with_threads(network.threads)? } else { detector };
        let others = self.lock().fresh.len().saturating_sub(1);
        let mut detectors = (0..others).map(|_| detector.fork()).collect::<Result<Vec<_>, _>>()?;
        detectors.push(detector);
        Ok(detectors)
    }

    fn swap(&self, network: Network, detectors: Vec<DetectionSource>) -> String {
        let mut state = self.lock();
        let mut told = String::new();
        if let Some(detector) = detectors.first() {
            told = detector.describe();
            state.labels = labels_of(detector);
            state.input = input_of(detector);
            self.tell(&state);
        }
        state.fresh = detectors.into_iter().map(Some).collect();
        (state.running, state.failed) = (network, None);
        drop(state);
        self.changes.fetch_add(1, Ordering::Release);
        lock(&self.attention).insist();
        log::info!("{told}");
        told
    }

    fn give_up(&self, network: Network, why: String) -> Note {
        self.lock().failed = Some(network);
        Note::Failed(why)
    }
}

/// How the size of its input comes about, and the size.
fn input_of(source: &DetectionSource) -> Option<(InputRule, (usize, usize))> {
    source.input_rule().zip(source.input())
}

/// The names of the classes; numbers alone where the caller brings the detections.
fn labels_of(source: &DetectionSource) -> Arc<Labels> {
    Arc::new(source.labels().cloned().unwrap_or_default())
}

/// In step, every frame is waited for: there is no rest between them.
fn min_interval(settings: &DetectSettings, every_frame: bool) -> Duration {
    let seconds = if every_frame { 0.0 } else { settings.min_interval };
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::bounded;

    use super::*;

    fn control(threads: usize) -> (DetectorControl, Vec<DetectionSource>) {
        let settings = small("32x32");
        let detector = DetectionSource::from(Detector::load(&settings.detect_for_tracking()).unwrap());
        let control = DetectorControl::new(&settings, true, threads, &detector);
        let mut detectors: Vec<_> = (1..threads).map(|_| detector.fork().unwrap()).collect();
        detectors.push(detector);
        (control, detectors)
    }

    fn input(detector: &DetectionSource) -> String {
        detector.input().map_or("recorded".to_owned(), |(width, height)| format!("{width}x{height}"))
    }

    fn small(input: &str) -> Settings {
        let mut settings = Settings::default();
        settings.detector.input = input.parse().unwrap();
        settings
    }

    /// Asks, and does what the loader thread then does.
    fn ask(control: &DetectorControl, settings: &Settings) -> Vec<Note> {
        let (notes_out, notes) = bounded(8);
        let (wake, woken) = bounded(1);
        if control.ask(settings) {
            wake.send(()).unwrap();
        }
        drop(wake);
        control.load(&woken, || false, &notes_out);
        notes.try_iter().collect()
    }

    #[test]
    fn another_input_takes_the_place_of_the_old_one_in_every_thread() {
        let (control, mut detectors) = control(2);
        let mut seen = [0; 2];
        let now = |detectors: &[DetectionSource]| detectors.iter().map(input).collect::<Vec<_>>();
        assert!(control.ask(&small("64x32")));
        control.update(0, &mut seen[0], &mut detectors[0]);
        assert_eq!(now(&detectors), ["32x32", "32x32"], "nothing is ready yet");
        // What is asked for in the end counts, however often.
        control.ask(&small("32x32"));
        let notes = ask(&control, &small("64x32"));
        assert!(matches!(&notes[..], [Note::Swapped(told)] if told.contains("64x32")), "{notes:?}");
        for number in 0..2 {
            control.update(number, &mut seen[number], &mut detectors[number]);
        }
        assert_eq!(now(&detectors), ["64x32", "64x32"]);
        assert_eq!(control.input(), Some((64, 32)));
        // Thresholds and classes need no other network.
        let mut settings = small("64x32");
        (settings.detector.nms_iou, settings.detector.classes) = (0.3, vec!["car".into()]);
        assert!(!control.ask(&settings));
    }

    #[test]
    fn what_cannot_be_loaded_is_told_once_and_leaves_the_running_one() {
        let (control, mut detectors) = control(1);
        let mut settings = small("32x32");
        settings.detector.model = Some("no-such-model.onnx".into());
        let notes = ask(&control, &settings);
        assert!(matches!(&notes[..], [Note::Failed(why)] if why.contains("no-such-model.onnx")), "{notes:?}");
        settings.detector.nms_iou = 0.2;
        assert!(ask(&control, &settings).is_empty(), "it is not tried again");
        let mut seen = 0;
        control.update(0, &mut seen, &mut detectors[0]);
        assert_eq!((input(&detectors[0]), control.input()), ("32x32".into(), Some((32, 32))));
        // Asked for what runs, and then for what failed: that is a new try.
        assert!(ask(&control, &small("32x32")).is_empty());
        assert_eq!(ask(&control, &settings).len(), 1);
    }
}
