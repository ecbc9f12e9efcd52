//! The network: a picture in, boxes out. Knows no frame order and no time: what comes out depends on the picture alone.
//!
//! ```text
//! picture ──slicing──▶ slices ──preprocess──▶ input ──runtime──▶ outputs ──head──▶ detections ──nms, slicing──▶ detections
//! ```
//!
//! What a model wants and what its outputs mean is a [`ModelSpec`] ([`model`]), made by the [`Head`] of its family
//! ([`heads`], which says how to add one). What runs it stands behind one face (`runtime`).
//!
//! **Input size.** Where it is not fixed by the setting or the model, the input has the aspect ratio of what the network
//! looks at, picture by picture ([`PixelBudget::for_picture`]). [`Detector::detect`] alone decides it. The network for a size
//! is made when it is first needed, on the same weights, and kept for a few sizes (`load`, `sessions`).

mod about;
mod error;
mod error_line;
mod file;
pub mod heads;
mod input_size;
mod load;
mod masks;
pub mod model;
mod named;
mod nms;
mod preprocess;
mod recognise;
mod runtime;
mod sessions;
mod settings;
mod slicing;
mod typed;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::background;
use crate::detection::Detections;
use crate::frame::Picture;
use crate::geometry::Rect;
use crate::kind::Kinds;
use crate::labels::Labels;
use crate::suggest;

pub use about::About;
pub use error::DetectError;
pub use heads::{Candidates, Head, ScoreColumns};
pub use input_size::{InputChoice, InputRule, InputSize, PixelBudget};
pub use masks::MaskMap;
pub use model::{Family, ModelSpec};
pub use nms::suppress;
pub use runtime::{LayerTime, Output, Outputs};
pub use settings::{AttentionChoice, DetectSettings, MOTION, Runtime};
pub use slicing::Slicer;

use load::Model;
use preprocess::Placement;
use sessions::{Sessions, Sized};
use slicing::Slice;

/// Boxes from this score on vote on where a better one lies, though they are too weak to be told of themselves.
const VOTER_SCORE: f32 = 0.05;

/// How long the parts of one detection took.
#[derive(Debug, Clone, Copy, Default)]
pub struct DetectTimes {
    /// Scaling the picture and changing its layout.
    pub letterbox: Duration,
    /// Running the network.
    pub inference: Duration,
    /// From the network's output to boxes.
    pub decode: Duration,
}

/// A model with the buffers of one thread; [`Detector::fork`] gives another thread its own for the same weights.
///
/// ```
/// use trailsight::detect::{DetectSettings, Detector};
/// use trailsight::frame::Picture;
///
/// let mut detector = Detector::load(&DetectSettings::default())?;
/// let picture = Picture::filled(640, 480, [90, 120, 150])?;
/// assert!(detector.detect(&picture)?.is_empty(), "nothing is to be seen in a grey picture");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Detector {
    model: Arc<Model>,
    sessions: Sessions,
    rule: InputRule,
    /// The size at which the network saw the last picture, or the part of it that is looked at, as a whole.
    input: InputSize,
    /// For each class of the model, whether it is looked for.
    wanted: Vec<bool>,
    /// What moves is told beside it, so that the name of that is known.
    also_motion: bool,
    confidence: f32,
    nms_iou: f32,
    box_voting: bool,
    slicer: Slicer,
    times: DetectTimes,
    suppressed: Detections,
    /// Pixels of the input for one of the picture, at the last detection.
    scale: f32,
}

impl Detector {
    /// Loads and checks the model of `settings`, for one thread; see [`Detector::with_threads`].
    ///
    /// # Errors
    /// [`DetectError`] when a file cannot be read, no head knows the model, it does not go with its class names, or a class
    /// is not known.
    pub fn load(settings: &DetectSettings) -> Result<Self, DetectError> {
        Self::load_head(settings, None)
    }

    /// The same with a head of one's own, which must go with the model's inputs and outputs.
    ///
    /// # Errors
    /// As [`Detector::load`]; [`DetectError::Run`] when head and model do not go together.
    pub fn load_with(settings: &DetectSettings, head: Arc<dyn Head>) -> Result<Self, DetectError> {
        Self::load_head(settings, Some(head))
    }

    fn load_head(settings: &DetectSettings, head: Option<Arc<dyn Head>>) -> Result<Self, DetectError> {
        let (model, ready) = Model::load(settings, head)?;
        let wanted = wanted(&settings.classes, &model.labels, settings.also_motion)?;
        let model = Arc::new(model);
        let sessions = Sessions::new(&model, ready, 1)?;
        Ok(Self {
            rule: model.rule,
            input: sessions.input(),
            sessions,
            wanted,
            also_motion: settings.also_motion,
            confidence: settings.confidence,
            nms_iou: settings.nms_iou,
            box_voting: settings.box_voting,
            slicer: Slicer::default(),
            times: DetectTimes::default(),
            suppressed: Detections::default(),
            scale: 1.0,
            model,
        })
    }

    /// The same detector with each picture's work split over `threads` threads.
    ///
    /// # Errors
    /// [`DetectError::Run`] when the runtime cannot make a state.
    pub fn with_threads(mut self, threads: usize) -> Result<Self, DetectError> {
        self.sessions = self.sessions.fork(threads.max(1))?;
        Ok(self)
    }

    /// A second detector on the same weights, for another thread.
    ///
    /// # Errors
    /// [`DetectError::Run`] when the runtime cannot make a state.
    pub fn fork(&self) -> Result<Self, DetectError> {
        Ok(Self {
            model: Arc::clone(&self.model),
            sessions: self.sessions.fork(self.sessions.threads())?,
            rule: self.rule,
            input: self.input,
            wanted: self.wanted.clone(),
            also_motion: self.also_motion,
            confidence: self.confidence,
            nms_iou: self.nms_iou,
            box_voting: self.box_voting,
            slicer: self.slicer,
            times: DetectTimes::default(),
            suppressed: Detections::default(),
            scale: 1.0,
        })
    }

    /// Changes from which score on boxes leave the detector, and from which overlap on the weaker one is dropped.
    pub fn set_thresholds(&mut self, confidence: f32, nms_iou: f32) {
        (self.confidence, self.nms_iou) = (confidence, nms_iou);
    }

    /// Changes whether dropped boxes vote, see [`DetectSettings::box_voting`].
    pub fn set_box_voting(&mut self, on: bool) {
        self.box_voting = on;
    }

    /// Changes which slices of a picture are looked at.
    pub fn set_slicer(&mut self, slicer: Slicer) {
        self.slicer = slicer;
    }

    /// Changes which classes are looked for; none: all.
    ///
    /// # Errors
    /// [`DetectError::UnknownClass`] when the model does not know one; nothing has changed then.
    pub fn set_classes(&mut self, classes: &[String]) -> Result<(), DetectError> {
        self.wanted = wanted(classes, &self.model.labels, self.also_motion)?;
        Ok(())
    }

    /// From which score on boxes leave the detector.
    pub fn confidence(&self) -> f32 {
        self.confidence
    }

    /// The names of the model's classes.
    pub fn labels(&self) -> &Labels {
        &self.model.labels
    }

    /// What kinds of things the model's classes are.
    pub fn kinds(&self) -> &Kinds {
        &self.model.kinds
    }

    /// Pixels of the network's input for one of the picture, at the last detection; 1 before.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// The size of the network's input for the last picture, or for the part of it that is looked at; before the first
    /// picture that of [`Detector::prepare_for`], or one for pictures of 16:9.
    pub fn input(&self) -> InputSize {
        self.input
    }

    /// How the size of the input comes about. A model that runs at one size alone keeps that, whatever was asked for.
    pub fn input_rule(&self) -> InputRule {
        self.rule
    }

    /// Changes how many pixels the input may have, from the next picture on. Where it has a fixed size nothing changes.
    pub fn set_budget(&mut self, budget: PixelBudget) {
        if let InputRule::Follows(now) = &mut self.rule {
            *now = budget;
        }
    }

    /// The size of the input for a picture of this width and height; of its tiles, where it is looked at in tiles.
    pub fn input_for(&self, picture: (u32, u32)) -> InputSize {
        self.rule.for_picture(self.slicer.looked_at(picture))
    }

    /// Makes the network ready for pictures of this width and height, so that the first one need not wait.
    pub fn prepare_for(&mut self, picture: (u32, u32)) {
        if let Some(whole) = self.slicer.of(picture).first() {
            self.turn_to(whole.size());
            self.input = self.sessions.input();
        }
    }

    /// What goes into the model, what comes out, and what it means; shapes are those for the last picture.
    pub fn spec(&self) -> &ModelSpec {
        self.sessions.now.ready.head.spec()
    }

    /// How the model's file was read, and why so.
    pub fn about(&self) -> About {
        self.model.about()
    }

    /// What runs the network, for people: `native (AVX-512)`.
    pub fn runtime(&self) -> String {
        self.sessions.now.ready.network.describe()
    }

    /// Goes over to the input for a part of a picture with this width and height.
    fn turn_to(&mut self, part: (u32, u32)) {
        if let Err(error) = self.sessions.turn_to(self.rule.for_picture(part)) {
            // Some models run at some sizes only. At any size the picture is seen as it is, with more grey around it.
            log::warn!("{error}; the network stays at {}", self.sessions.input());
            self.rule = InputRule::Fixed(self.sessions.input());
        }
    }

    /// Runs the network once on the last picture and tells how long each of its layers took, in the order in which they
    /// run; `None` where the runtime does not know.
    pub fn profile(&mut self) -> Option<Vec<LayerTime>> {
        self.sessions.now.session.profile()
    }

    /// How long the parts of the last detection took.
    pub fn times(&self) -> DetectTimes {
        self.times
    }

    /// What non-maximum suppression removed in the last detection because it overlaps a better box, by falling score: for
    /// the tracker, which may know better. Scores from 0.3 on; no mere copies of another box.
    pub fn suppressed(&self) -> &Detections {
        &self.suppressed
    }

    /// Finds the objects in a picture: boxes in its pixels, cut at its edges, by falling score.
    ///
    /// # Errors
    /// [`DetectError::Run`] when the network fails, which a model that loaded does not do on any picture known.
    pub fn detect(&mut self, picture: &Picture) -> Result<Detections, DetectError> {
        let (slices, least) = (self.slicer.of(picture.size()), self.least_score());
        let mut times = DetectTimes::default();
        let (mut all, mut slice_of) = (Detections::default(), Vec::new());
        let mut found = Detections::default();
        for (number, &slice) in slices.iter().enumerate() {
            // All tiles have the input of the first: their sides differ by a pixel.
            if number < 2 {
                self.turn_to(slice.size());
            }
            if number == 0 {
                self.input = self.sessions.input();
            }
            let started = Instant::now();
            let placement = self.put(picture, slice)?;
            self.scale = placement.scale.0;
            let prepared = Instant::now();
            let Sized { ready, session, .. } = &mut self.sessions.now;
            let fail = |why| failed(&self.model, ready.input(), why);
            let outputs = session.run(least).map_err(fail)?;
            let inferred = Instant::now();
            let (wanted, confidence) = (self.wanted.as_slice(), least);
            let each_class = !self.box_voting;
            let mut candidates = Candidates { found: &mut found, wanted, confidence, each_class, placement };
            ready.head.decode(&outputs, &mut candidates).map_err(fail)?;
            found.shift((slice.left as f32, slice.top as f32));
            let has_masks = found.extra(0).is_some_and(|extra| !extra.mask_code.is_empty());
            if slices.len() == 1 || has_masks {
                let nms = slices.len() > 1 || ready.head.spec().nms;
                let kinds = self.box_voting.then_some(&self.model.kinds);
                nms::settle(&mut found, nms, (self.nms_iou, self.confidence), kinds, &mut self.suppressed);
            }
            if has_masks {
                let map_of = |code: &[f32], within: &Rect| ready.head.mask(&outputs, code, within);
                masks::add(&mut found, (slice, ready.input(), placement), map_of).map_err(fail)?;
            }
            if slices.len() > 1 {
                slice_of.resize(slice_of.len() + found.len(), number);
                all.append(&mut found);
            }
            times.letterbox += prepared - started;
            times.inference += inferred - prepared;
            times.decode += inferred.elapsed();
        }
        let started = Instant::now();
        if slices.len() > 1 {
            slicing::drop_cut(&mut all, &slice_of, &slices);
            found = all;
            let kinds = self.box_voting.then_some(&self.model.kinds);
            nms::settle(&mut found, true, (self.nms_iou, self.confidence), kinds, &mut self.suppressed);
        }
        self.suppressed.extras_mut().iter_mut().for_each(|extra| extra.mask_code = Vec::new());
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        for list in [&mut found, &mut self.suppressed] {
            list.retain_mut(|detection| match detection.rect.clipped(width, height) {
                Some(rect) => {
                    detection.rect = rect;
                    true
                }
                None => false,
            });
        }
        times.decode += started.elapsed();
        self.times = times;
        Ok(found)
    }

    /// Boxes from this score on leave the network.
    fn least_score(&self) -> f32 {
        if self.box_voting { self.confidence.min(VOTER_SCORE) } else { self.confidence }
    }

    /// Scales a slice of the picture and hands it to the network; gives the way back to the slice.
    fn put(&mut self, picture: &Picture, slice: Slice) -> Result<Placement, DetectError> {
        let Sized { ready, session, preprocess } = &mut self.sessions.now;
        let fitted = preprocess.fit(picture, slice).map_err(|why| failed(&self.model, ready.input(), why))?;
        session.put(&fitted);
        Ok(fitted.placement)
    }

    /// The first part of [`Detector::detect`] alone, for measuring: scales the picture and hands it to the network.
    ///
    /// # Errors
    /// [`DetectError::Run`] as there.
    pub fn prepare(&mut self, picture: &Picture) -> Result<(), DetectError> {
        self.turn_to(picture.size());
        self.input = self.sessions.input();
        self.put(picture, Slice::whole(picture.size())).map(drop)
    }

    /// The second part of [`Detector::detect`] alone, for measuring: runs the network on the last picture, as often as
    /// one likes.
    ///
    /// # Errors
    /// [`DetectError::Run`] as there.
    pub fn run_network(&mut self) -> Result<(), DetectError> {
        let input = self.sessions.input();
        let run = self.sessions.now.session.run(self.confidence);
        run.map(drop).map_err(|why| failed(&self.model, input, why))
    }
}

/// The network, or its runtime, says why it does not go on.
fn failed(model: &Model, input: InputSize, why: String) -> DetectError {
    DetectError::Run { model: model.name.clone(), input: input.to_string(), why }
}

/// Checks the names of `classes`; for each class of the model, whether it is looked for. That of what moves beside it is none of its
/// own: with that name alone, the network finds nothing.
fn wanted(classes: &[String], labels: &Labels, also_motion: bool) -> Result<Vec<bool>, DetectError> {
    let known = with_moving(labels.clone(), also_motion);
    let mut wanted = vec![classes.is_empty(); labels.len()];
    for name in classes {
        let class = known.find(name).ok_or_else(|| DetectError::UnknownClass {
            name: name.clone(),
            hint: suggest::hint(name, known.iter()),
            known: known.iter().collect::<Vec<_>>().join(", "),
        })?;
        if let Some(slot) = wanted.get_mut(usize::from(class)) {
            *slot = true;
        }
    }
    Ok(wanted)
}

/// The names of a network's classes, and behind them that of what moves, where that is asked for.
pub(crate) fn with_moving(labels: Labels, also_motion: bool) -> Labels {
    if !also_motion || labels.find(background::MOVING).is_some() {
        return labels;
    }
    labels.iter().map(str::to_owned).chain([background::MOVING.to_owned()]).collect()
}

/// Checks that the classes asked for are known, without loading the model.
///
/// # Errors
/// [`DetectError`] when a name is not known or the labels cannot be read.
pub fn check_classes(settings: &DetectSettings) -> Result<Labels, DetectError> {
    if settings.is_motion() {
        let labels = Labels::from_iter([background::MOVING.to_owned()]);
        wanted(&settings.classes, &labels, false)?;
        return Ok(labels);
    }
    let labels = load::known_labels(settings)?;
    wanted(&settings.classes, &labels, settings.also_motion)?;
    Ok(with_moving(labels, settings.also_motion))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(settings: DetectSettings) -> String {
        Detector::load(&settings).err().expect("refused").to_string()
    }

    #[test]
    fn unknown_classes_are_refused_with_the_nearest_name() {
        let error = refused(DetectSettings { classes: vec!["persn".into()], ..DetectSettings::default() });
        assert!(error.contains("\"persn\"; did you mean \"person\"?"), "{error}");
    }

    #[test]
    fn the_name_of_what_moves_is_known_where_it_is_told() {
        let classes = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let settings = DetectSettings { classes: classes(&["moving"]), ..DetectSettings::default() };
        assert!(refused(settings.clone()).contains("moving"));
        let settings = DetectSettings { also_motion: true, ..settings };
        check_classes(&settings).unwrap();
        let mut detector = Detector::load(&settings).unwrap();
        assert!(detector.wanted.iter().all(|wanted| !wanted), "the network finds nothing");
        detector.set_classes(&classes(&["person", "moving"])).unwrap();
        assert_eq!(detector.wanted.iter().filter(|wanted| **wanted).count(), 1);
        assert!(detector.set_classes(&classes(&["goat", "moving"])).is_err());
    }

    #[test]
    fn files_that_are_no_model_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let cut = &std::fs::read("models/yolox_nano.onnx").unwrap()[..100_000];
        for (name, bytes) in
            [("empty", &b""[..]), ("text", b"hello, world"), ("zeros", &[0; 1000]), ("cut", cut)]
        {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let error = refused(DetectSettings { model: Some(path.clone()), ..DetectSettings::default() });
            assert!(error.starts_with(&path.display().to_string()), "{error}");
        }
        let missing = folder.path().join("missing.onnx");
        let error = refused(DetectSettings { model: Some(missing), ..DetectSettings::default() });
        assert!(error.starts_with("cannot read "), "{error}");
    }

    #[test]
    fn class_names_must_go_with_the_model() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("three.names");
        std::fs::write(&path, "a\nb\nc\n").unwrap();
        let error = refused(DetectSettings { labels: Some(path), ..DetectSettings::default() });
        assert!(error.contains("tells 80 classes apart, and there are 3 names"), "{error}");
    }

    #[test]
    fn any_input_size_runs_and_forks_agree() {
        let mut picture = Picture::filled(300, 200, [40, 90, 160]).unwrap();
        picture
            .rgb_mut()
            .iter_mut()
            .enumerate()
            .for_each(|(i, p)| *p = [(i % 256) as u8, (i / 300) as u8, 77]);
        for input in ["32x32", "320x320", "640x384", "96x416"] {
            let settings =
                DetectSettings { input: input.parse().unwrap(), confidence: 0.001, ..Default::default() };
            let mut detector = Detector::load(&settings).unwrap();
            let mut fork = detector.fork().unwrap().with_threads(2).unwrap();
            let (one, other) = (detector.detect(&picture).unwrap(), fork.detect(&picture).unwrap());
            assert_eq!(one.len(), other.len(), "{input}");
            for (a, b) in one.iter().zip(&other) {
                assert!(
                    (a.score - b.score).abs() < 1e-4 && a.rect.iou(&b.rect) > 0.99,
                    "{input}: {a:?} {b:?}"
                );
            }
        }
    }
}
