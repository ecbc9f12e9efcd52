//! Loading a model: its file is brought into our form, tract reads it and knows its shapes, its meaning is recognised, a runtime
//! takes it over. All but the first and the third is done for each size of input at which it is to run, on demand.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;

use super::about::About;
use super::error::DetectError;
use super::error_line::first_line;
use super::file::{FileError, Metadata, ModelFile};
use super::heads::Head;
use super::input_size::{InputChoice, InputRule, InputSize};
use super::model::{Layout, ModelSpec, OutputSpec, Sizes};
use super::named::{self, Found};
use super::recognise::{self, Names, Reading, Signature, Unknown};
use super::runtime::Network;
use super::runtime::native::{NativeNetwork, SharedWeights};
#[cfg(feature = "onnxruntime")]
use super::runtime::onnxruntime;
use super::runtime::tract::{TractNetwork, run_once};
use super::settings::{DetectSettings, Runtime};
use super::typed::{Untyped, typed};
use crate::bounded;
use crate::kind::Kinds;
use crate::labels::Labels;
use crate::sync::lock;

/// YOLOX-Nano as released by its makers; see `models/ORIGIN.md`.
static BUNDLED: &[u8] = include_bytes!("../../models/yolox_nano.onnx");

/// Those of COCO.
const BUNDLED_CLASSES: usize = 80;

/// No model of this kind is larger (YOLOX-X has 400 MB); bytes.
const LARGEST_MODEL: u64 = 1 << 29;
/// No list of class names is larger; bytes.
const LARGEST_LABELS: u64 = 1 << 20;
/// What a class number can count.
const MOST_CLASSES: usize = u16::MAX as usize;

/// No more sizes than this are kept ready, the one that was used longest ago goes: where they share their weights, and where
/// each has its own.
const MOST_SIZES: (usize, usize) = (32, 4);
/// The shape that a network which follows its pictures is first made ready for.
const USUAL_SHAPE: (u32, u32) = (16, 9);

/// A model that is ready to run, shared by all threads that run it.
pub(super) struct Model {
    pub(super) labels: Labels,
    /// Which of its classes are mistaken for one another.
    pub(super) kinds: Kinds,
    /// What messages call the model.
    pub(super) name: String,
    /// How the size of its input comes about, as far as the model allows.
    pub(super) rule: InputRule,
    recipe: Recipe,
    /// By size of input, the one that was used last at the end.
    ready: Mutex<Vec<Arc<SizedNetwork>>>,
}

/// The network for one size of input.
pub(super) struct SizedNetwork {
    pub(super) network: Arc<dyn Network>,
    /// What its outputs mean.
    pub(super) head: Arc<dyn Head>,
}

impl SizedNetwork {
    /// The size of the network's input.
    pub(super) fn input(&self) -> InputSize {
        self.head.spec().input.size
    }
}

/// What the network for a size of input is made from.
struct Recipe {
    /// What messages call the model.
    name: String,
    labels: Labels,
    /// Where the labels are from.
    labels_from: String,
    /// How many names there are for its classes, and whether anybody gave them.
    names: Names,
    settings: DetectSettings,
    file: ModelFile,
    /// The file's own outputs, where it was cut ahead of its suppression, and whether the two that went into that are left.
    cut: Option<(Vec<String>, bool)>,
    /// A head to be used instead of what is recognised.
    own: Option<Arc<dyn Head>>,
    /// How it is read: recognised at the first size.
    reading: OnceLock<Reading>,
    weights: SharedWeights,
}

impl Model {
    /// Loads a model and makes it ready for one size of input; `own` is a head to be used instead of the one that
    /// recognises it.
    pub(super) fn load(
        settings: &DetectSettings,
        own: Option<Arc<dyn Head>>,
    ) -> Result<(Self, Arc<SizedNetwork>), DetectError> {
        let Found { settings, bytes, name } = named::read(settings)?;
        let (name, settings) = (name.unwrap_or_else(|| name_of(&settings)), &*settings);
        let bytes = match (bytes, &settings.model) {
            (Some(bytes), _) => Cow::Owned(bytes),
            (None, None) => Cow::Borrowed(BUNDLED),
            (None, Some(path)) => {
                let read = bounded::read(path, LARGEST_MODEL);
                Cow::Owned(read.map_err(|why| DetectError::File { path: path.clone(), why })?)
            }
        };
        let folder = settings.model.as_deref().map(|path| path.parent().unwrap_or(Path::new("")));
        let file = parsed(&bytes, folder, &name)?;
        drop(bytes);
        let (labels, labels_from, names) = labels(settings, &file.metadata)?;
        let wished = match (InputRule::of(settings.input), &own) {
            // It reads the outputs of one size.
            (InputRule::Follows(_), Some(head)) => InputRule::Fixed(head.spec().input.size),
            (rule, _) => rule,
        };
        let mut recipe = Recipe {
            name: name.clone(),
            labels: labels.clone(),
            labels_from,
            names,
            settings: settings.clone(),
            file,
            cut: None,
            own,
            reading: OnceLock::new(),
            weights: SharedWeights::default(),
        };
        if settings.model.is_none() {
            // Known, and not to be asked for each time.
            let _ = recipe.reading.set(Reading::yolox(BUNDLED_CLASSES));
        }
        if recipe.own.is_none() {
            recipe.cut_ahead_of_suppression();
        }
        let (rule, ready) = recipe.first(wished)?;
        if settings.model.is_none() || matches!(rule, InputRule::Fixed(_)) {
            // No other size will be asked for, or what it is made from is in the program.
            recipe.file.proto = ModelProto::default();
        }
        if settings.model.is_some() {
            let about = recipe.about();
            log::info!("{name} is read as {about}");
            for assumed in &about.assumed {
                log::info!(
                    "{name}: its file does not tell how pictures must look for it; assumed: {assumed}"
                );
            }
        }
        let model = Self {
            kinds: Kinds::of(&labels),
            labels,
            name,
            rule,
            recipe,
            ready: Mutex::new(vec![Arc::clone(&ready)]),
        };
        Ok((model, ready))
    }

    /// How its file was read.
    pub(super) fn about(&self) -> About {
        self.recipe.about()
    }

    /// The network for an input of this size, made if it does not exist yet; other threads that ask meanwhile wait.
    pub(super) fn at(&self, input: InputSize) -> Result<Arc<SizedNetwork>, DetectError> {
        let mut ready = lock(&self.ready);
        let network = match ready.iter().position(|known| known.input() == input) {
            Some(place) => ready.remove(place),
            None => {
                let started = Instant::now();
                let made = Arc::new(self.recipe.make(input)?);
                log::debug!("{}: made ready for an input of {input} in {:.0?}", self.name, started.elapsed());
                made
            }
        };
        ready.push(Arc::clone(&network));
        let most = if network.network.shares_weights() { MOST_SIZES.0 } else { MOST_SIZES.1 };
        if ready.len() > most {
            ready.remove(0);
        }
        Ok(network)
    }
}

impl Recipe {
    fn about(&self) -> About {
        let (family, why, assumed) = match self.reading.get() {
            Some(reading) => (reading.family.to_owned(), reading.why.clone(), reading.assumed.clone()),
            None => ("own head".to_owned(), Vec::new(), Vec::new()),
        };
        let rewritten = self.file.rewritten.clone();
        let (producer, labels_from) = (self.file.metadata.producer.clone(), self.labels_from.clone());
        About { family, why, assumed, rewritten, producer, labels_from }
    }

    /// The graph; that of the bundled model is read anew each time, so that it is in memory once.
    fn proto(&self) -> Result<Cow<'_, ModelProto>, DetectError> {
        if self.settings.model.is_some() || self.file.proto.graph.is_some() {
            return Ok(Cow::Borrowed(&self.file.proto));
        }
        parsed(BUNDLED, None, &self.name).map(|file| Cow::Owned(file.proto))
    }

    /// The size that the file declares, where it declares one.
    fn declared(&self) -> Option<InputSize> {
        let picture = &self.file.picture;
        InputSize::of_model(picture.width?, picture.height?)
    }

    /// Whether the file is surely one that runs at the size it declares alone: more than convolutions goes by it.
    fn is_bound_to_its_size(&self) -> bool {
        let ops = ["TopK", "GridSample", "NonMaxSuppression"];
        self.file.metadata.is_ultralytics()
            || self.cut.is_some()
            || self.file.picture.single
            || !self.file.bound.is_empty()
            || ops.into_iter().any(|op| self.file.ops.contains(op))
    }

    /// Where the model suppresses by itself, takes what goes into that instead, if it can be had.
    fn cut_ahead_of_suppression(&mut self) {
        let cuts = self.file.cuts();
        if cuts.tables.is_empty() && cuts.boxes.is_empty() {
            return;
        }
        let input =
            self.declared().unwrap_or_else(|| InputRule::of(self.settings.input).for_picture(USUAL_SHAPE));
        let cut = catch_unwind(AssertUnwindSafe(|| {
            recognise::choose_cut(&self.file, &cuts, (input, self.names.count()), |file| {
                typed(&file.proto, file.picture.layout, input).map(|(_, outputs)| outputs)
            })
        }));
        if let Ok(Some(cut)) = cut {
            let outputs = self.file.proto.graph.iter().flat_map(|graph| &graph.output);
            let outputs = outputs.map(|output| output.name.clone()).collect();
            self.file = self.file.cut(&cut);
            self.cut = Some((outputs, cut.pair));
        }
    }

    /// The network for the first size. A model that takes pictures of the size in its file alone is run at that, whatever was
    /// asked for.
    fn first(&mut self, wished: InputRule) -> Result<(InputRule, Arc<SizedNetwork>), DetectError> {
        let asked = wished.for_picture(USUAL_SHAPE);
        let Some(declared) = self.declared().filter(|declared| self.own.is_none() && *declared != asked)
        else {
            return Ok((wished, Arc::new(self.make(asked)?)));
        };
        if !self.is_bound_to_its_size() {
            let any_size = |recipe: &Self| recipe.reading.get().is_some_and(|reading| reading.any_size);
            match self.make(asked) {
                // What is read cell by cell is right at any size, whatever the file declares.
                Ok(made) if any_size(self) => return Ok((wished, Arc::new(made))),
                // That does not depend on the size.
                Err(error @ DetectError::Classes { .. }) => return Err(error),
                _ => {}
            }
            // At a size that is not its own, it may have looked like something else.
            self.reading = OnceLock::new();
        }
        let ready = self.make(declared)?;
        let (name, choice) = (&self.name, self.settings.input);
        let level = if choice == InputChoice::Auto { log::Level::Info } else { log::Level::Warn };
        log::log!(
            level,
            "{name} takes pictures of {declared} alone: detector.input = \"{choice}\" has no effect"
        );
        Ok((InputRule::Fixed(declared), Arc::new(ready)))
    }

    fn make(&self, input: InputSize) -> Result<SizedNetwork, DetectError> {
        // What tract does with a damaged file is not ours to know: should it panic, that is an error like any other.
        let made = catch_unwind(AssertUnwindSafe(|| {
            let read = self.read(input)?;
            Ok(SizedNetwork { network: self.network(&read, input)?, head: read.head })
        }));
        made.unwrap_or_else(|_| {
            Err(DetectError::NotOnnx {
                model: self.name.clone(),
                why: "it is damaged; reading it failed midway".into(),
            })
        })
    }

    /// Reads the model and finds the head for it, unless `own` is one.
    fn read(&self, input: InputSize) -> Result<Read, DetectError> {
        let fail = |why: String| self.failure(input, why);
        let layout = self.file.picture.layout;
        let proto = self.proto()?;
        let (mut model, outputs) = typed(&proto, layout, input).map_err(|error| match error {
            Untyped::Parse(why) => DetectError::NotOnnx { model: self.name.clone(), why },
            Untyped::Run(why) => fail(self.with_operators(why)),
        })?;
        let head = match &self.own {
            Some(head) => Arc::clone(head),
            None => {
                let probe = || {
                    let most = if self.file.picture.levels { 255.0 } else { 1.0 };
                    run_once(&model, layout.shape(input), &recognise::probe_picture(input, layout, most))
                };
                let signature = Signature {
                    input,
                    outputs: outputs.clone(),
                    names: self.names,
                    settings: &self.settings,
                    file: &self.file,
                    cut: self.cut.as_ref().map(|(names, pair)| (names.as_slice(), *pair)),
                    probe: &probe,
                    probed: OnceCell::new(),
                };
                let reading = match self.reading.get() {
                    Some(reading) => reading,
                    None => {
                        let reading =
                            recognise::recognise(&signature).map_err(|why| self.unknown(why, &signature))?;
                        self.reading.get_or_init(|| reading)
                    }
                };
                let found = reading.classes.count();
                if found != self.labels.len() {
                    return Err(self.unknown(Unknown::Classes(found), &signature));
                }
                let sizes = match self.declared() {
                    Some(_) if !reading.any_size => Sizes::Fixed,
                    _ => Sizes::MultipleOf(InputSize::STEP),
                };
                reading.head((input, layout, sizes), &outputs).map_err(fail)?
            }
        };
        check(head.spec(), (input, layout), &outputs).map_err(fail)?;
        let used = |outlet: usize| head.spec().outputs.contains(&outputs[outlet]);
        model.outputs = (0..model.outputs.len()).filter(|&at| used(at)).map(|at| model.outputs[at]).collect();
        Ok(Read { model, head })
    }

    /// Says of a model that tract cannot run which of its operators may be the reason.
    fn with_operators(&self, why: String) -> String {
        let changing = ["If", "Loop", "Scan", "NonZero", "NonMaxSuppression", "RoiAlign"];
        let there: Vec<&str> = changing.into_iter().filter(|op| self.file.ops.contains(*op)).collect();
        match there.as_slice() {
            [] => why,
            there => format!(
                "{why}; with {} lengths change from picture to picture, which tract cannot run: export the model without \
                 its last steps, or run it elsewhere and give its boxes to track --detections",
                there.join(", ")
            ),
        }
    }

    fn failure(&self, input: InputSize, why: String) -> DetectError {
        DetectError::Run { model: self.name.clone(), input: input.to_string(), why }
    }

    /// The error for a model that was not recognised.
    fn unknown(&self, why: Unknown, signature: &Signature<'_>) -> DetectError {
        let model = self.name.clone();
        match why {
            Unknown::Classes(found) => {
                let (expected, names) = (self.labels.len(), self.labels_from.clone());
                DetectError::Classes { model, found, expected, names }
            }
            Unknown::Refused(why) => DetectError::Refused { model, why },
            Unknown::Other => {
                let outputs = signature.outputs.iter().map(|OutputSpec { name, shape }| {
                    let sides: Vec<String> = shape.iter().map(usize::to_string).collect();
                    let shape =
                        if sides.is_empty() { "a shape that changes".to_owned() } else { sides.join(",") };
                    format!("an output {name} of {shape}")
                });
                let found = outputs.collect::<Vec<_>>().join(" and ");
                DetectError::Shape { model, found, expected: recognise::expected(signature) }
            }
        }
    }

    /// Makes the network ready for the runtime that is asked for.
    fn network(
        &self,
        Read { model, head }: &Read,
        input: InputSize,
    ) -> Result<Arc<dyn Network>, DetectError> {
        let Self { settings, name, .. } = self;
        let fail = |why: String| self.failure(input, why);
        let refused = match settings.runtime {
            #[cfg(feature = "onnxruntime")]
            Runtime::OnnxRuntime => {
                return onnxruntime::network(
                    &*self.proto()?,
                    head.spec(),
                    settings.onnxruntime.as_deref(),
                    name,
                );
            }
            #[cfg(not(feature = "onnxruntime"))]
            Runtime::OnnxRuntime => return Err(DetectError::NoOnnxRuntime),
            Runtime::Tract => None,
            Runtime::Auto | Runtime::Native => {
                match NativeNetwork::new(model.clone(), &**head, &self.weights) {
                    Ok(network) => return Ok(Arc::new(network)),
                    Err(why) => Some(why),
                }
            }
        };
        match refused {
            Some(why) if settings.runtime == Runtime::Native => {
                return Err(fail(format!(
                    "the native plan does not know {why}; with detector.runtime = \"auto\" tract runs it"
                )));
            }
            Some(why) => {
                log::warn!("{name} is run by tract, more slowly: the native plan does not know {why}");
            }
            None => {}
        }
        let network =
            TractNetwork::new(model.clone(), head.spec()).map_err(|error| fail(first_line(&error)))?;
        Ok(Arc::new(network))
    }
}

/// A model's file in our form; `name` is what messages call it.
fn parsed(bytes: &[u8], folder: Option<&Path>, name: &str) -> Result<ModelFile, DetectError> {
    let model = name.to_owned();
    ModelFile::parse(bytes, folder).map_err(|error| match error {
        FileError::NotOnnx(why) => DetectError::NotOnnx { model, why },
        FileError::Input(found, expected) => DetectError::Shape { model, found, expected },
    })
}

fn name_of(settings: &DetectSettings) -> String {
    settings.model.as_ref().map_or_else(|| "the bundled model".to_owned(), |path| path.display().to_string())
}

/// The names that go with the model of these settings, without loading it.
pub(super) fn known_labels(settings: &DetectSettings) -> Result<Labels, DetectError> {
    let settings = &*named::locate(settings)?;
    let metadata = match (&settings.labels, &settings.model) {
        (None, Some(path)) => {
            let bytes = bounded::read(path, LARGEST_MODEL);
            let bytes = bytes.map_err(|why| DetectError::File { path: path.clone(), why })?;
            Metadata::parse(&bytes)
        }
        _ => Metadata::default(),
    };
    labels(settings, &metadata).map(|(labels, _, _)| labels)
}

/// The names that go with a model, where they are from, and how many of them count.
fn labels(settings: &DetectSettings, metadata: &Metadata) -> Result<(Labels, String, Names), DetectError> {
    if let Some(path) = &settings.labels {
        let text = bounded::read_text(path, LARGEST_LABELS)
            .map_err(|why| DetectError::File { path: path.clone(), why })?;
        let labels = Labels::parse(&text);
        if labels.is_empty() || labels.len() > MOST_CLASSES {
            let why = format!(
                "it holds {} class names; 1 to {MOST_CLASSES} are expected, one a line",
                labels.len()
            );
            let why = std::io::Error::new(std::io::ErrorKind::InvalidData, why);
            return Err(DetectError::File { path: path.clone(), why });
        }
        let names = Names::Given(labels.len());
        return Ok((labels, path.display().to_string(), names));
    }
    if let Some(names) = metadata.names() {
        let given = Names::Given(names.len());
        return Ok((names.into_iter().collect(), "its own metadata".to_owned(), given));
    }
    Ok((Labels::coco(), "the classes of COCO".to_owned(), Names::Assumed))
}

/// A model that tract has read, for one size of input, with the head that knows what it means.
struct Read {
    model: TypedModel,
    head: Arc<dyn Head>,
}

/// Whether a head's spec and the model go together.
fn check(
    spec: &ModelSpec,
    (size, layout): (InputSize, Layout),
    outputs: &[OutputSpec],
) -> Result<(), String> {
    let input = &spec.input;
    let fits = match input.sizes {
        Sizes::Fixed => true,
        Sizes::MultipleOf(side) => {
            size.width().is_multiple_of(side.max(1)) && size.height().is_multiple_of(side.max(1))
        }
    };
    if input.size != size || !fits {
        return Err(match input.sizes {
            Sizes::Fixed => {
                format!("it takes pictures of {} only; set detector.input to this size", input.size)
            }
            Sizes::MultipleOf(side) => format!("both sides of its input must be multiples of {side}"),
        });
    }
    if input.layout != layout || input.std.contains(&0.0) {
        return Err("its head expects another input than the model has".to_owned());
    }
    match spec.outputs.iter().find(|output| !outputs.contains(output) || output.shape.is_empty()) {
        Some(output) => Err(format!("it has no output {} of {:?} 32-bit floats", output.name, output.shape)),
        None if spec.outputs.is_empty() => Err("its head reads no output".to_owned()),
        None => Ok(()),
    }
}
