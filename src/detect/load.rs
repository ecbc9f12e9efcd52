//! Loading a model: tract reads it and knows its shapes, a head recognises it, a runtime takes it over. That is done for each
//! size of input at which it is to run, on demand.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tract_onnx::prelude::*;
use tract_onnx::tract_hir::infer::Factoid;

use super::error::DetectError;
use super::error_line::first_line;
use super::heads::{self, Head, Recognised, Signature};
use super::input_size::{InputChoice, InputRule, InputSize};
use super::model::{Layout, ModelSpec, OutputSpec, Sizes};
use super::runtime::Network;
use super::runtime::native::{NativeNetwork, SharedWeights};
#[cfg(feature = "onnxruntime")]
use super::runtime::onnxruntime;
use super::runtime::tract::TractNetwork;
use super::settings::{DetectSettings, Runtime};
use crate::bounded;
use crate::kind::Kinds;
use crate::labels::Labels;
use crate::sync::lock;

/// YOLOX-Nano as released by its makers; see `models/ORIGIN.md`.
static BUNDLED: &[u8] = include_bytes!("../../models/yolox_nano.onnx");

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
    names: Names,
    settings: DetectSettings,
    /// The model's file; nothing once no other size will be asked for.
    bytes: Cow<'static, [u8]>,
    /// A head to be used instead of the one that recognises the model.
    own: Option<Arc<dyn Head>>,
    weights: SharedWeights,
}

/// What messages call things by.
struct Names {
    model: String,
    labels: Labels,
    /// Where the labels are from.
    labels_from: String,
}

impl Model {
    /// Loads a model and makes it ready for one size of input; `own` is a head to be used instead of the one that
    /// recognises it.
    pub(super) fn load(
        settings: &DetectSettings,
        own: Option<Arc<dyn Head>>,
    ) -> Result<(Self, Arc<SizedNetwork>), DetectError> {
        let labels = labels(settings)?;
        let names =
            Names { model: name(settings), labels: labels.clone(), labels_from: labels_from(settings) };
        let bytes = match &settings.model {
            None => Cow::Borrowed(BUNDLED),
            Some(path) => {
                let read = bounded::read(path, LARGEST_MODEL);
                Cow::Owned(read.map_err(|why| DetectError::File { path: path.clone(), why })?)
            }
        };
        let wished = match (InputRule::of(settings.input), &own) {
            // It reads the outputs of one size.
            (InputRule::Follows(_), Some(head)) => InputRule::Fixed(head.spec().input.size),
            (rule, _) => rule,
        };
        let mut recipe =
            Recipe { names, settings: settings.clone(), bytes, own, weights: SharedWeights::default() };
        let (rule, ready) = recipe.first(wished)?;
        if let InputRule::Fixed(_) = rule {
            recipe.bytes = Cow::Borrowed(&[]);
        }
        let name = recipe.names.model.clone();
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
    /// The network for the first size. A model that takes pictures of the size in its file alone is run at that where a
    /// budget was asked for.
    fn first(&self, wished: InputRule) -> Result<(InputRule, Arc<SizedNetwork>), DetectError> {
        let asked = wished.for_picture(USUAL_SHAPE);
        let failure = match self.make(asked) {
            Ok(ready) => return Ok((wished, Arc::new(ready))),
            Err(failure) => failure,
        };
        let InputRule::Follows(_) = wished else { return Err(failure) };
        let Some(declared) = declared_size(&self.bytes).filter(|size| *size != asked) else {
            return Err(failure);
        };
        let ready = self.make(declared)?;
        let (name, choice) = (&self.names.model, self.settings.input);
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
                model: self.names.model.clone(),
                why: "it is damaged; reading it failed midway".into(),
            })
        })
    }

    /// Reads the model and finds the head for it, unless `own` is one.
    fn read(&self, input: InputSize) -> Result<Read, DetectError> {
        let Self { names, bytes, own, .. } = self;
        let name = &names.model;
        let not_onnx =
            |error: TractError| DetectError::NotOnnx { model: name.clone(), why: first_line(&error) };
        let shape =
            |found: String, expected: String| DetectError::Shape { model: name.clone(), found, expected };
        let fail = |why: String| DetectError::Run { model: name.clone(), input: input.to_string(), why };
        let (width, height) = input.size();

        // The file declares shapes for one input size; they are left aside so that any other size can be asked for.
        let onnx = onnx().with_ignore_value_info(true).with_ignore_output_shapes(true);
        let mut model = onnx.model_for_read(&mut &bytes[..]).map_err(not_onnx)?;

        let wanted_input = "one input of 1×3×height×width or 1×height×width×3 32-bit floats";
        let (inputs, outputs) = (model.inputs.len(), model.outputs.len());
        if inputs != 1 || outputs == 0 {
            let found = format!("{inputs} inputs and {outputs} outputs");
            return Err(shape(found, format!("{wanted_input} and at least one output")));
        }
        let declared = model.input_fact(0).map_err(not_onnx)?.clone();
        let dims: Vec<_> = declared.shape.dims().map(|dim| dim.concretize()).collect();
        let floats = declared.datum_type.concretize().is_none_or(|kind| kind == f32::datum_type());
        let is_three =
            |at: usize| dims.get(at).is_some_and(|dim| dim.as_ref().is_none_or(|dim| *dim == 3.into()));
        let layout = if declared.shape.is_open() || dims.len() == 4 && is_three(1) {
            Some(Layout::Nchw)
        } else {
            (dims.len() == 4 && is_three(3)).then_some(Layout::Nhwc)
        };
        let Some(layout) = layout.filter(|_| floats) else {
            return Err(shape(format!("an input of {declared:?}"), wanted_input.to_owned()));
        };

        let shape_of_input = match layout {
            Layout::Nchw => [1, 3, height, width],
            Layout::Nhwc => [1, height, width, 3],
        };
        let output_names: Vec<String> = model
            .outputs
            .iter()
            .map(|&outlet| model.outlet_label(outlet).unwrap_or(&model.node(outlet.node).name).to_owned())
            .collect();
        model.set_input_fact(0, f32::fact(shape_of_input).into()).map_err(not_onnx)?;
        let mut model = model.into_typed().map_err(|error| fail(first_line(&error)))?;

        let outputs = output_specs(&model, output_names).map_err(fail)?;
        let signature = Signature { input, layout, outputs, classes: names.labels.len() };
        let own = own.clone().map(|head| Ok(Recognised::Head(head)));
        let head = match own.unwrap_or_else(|| heads::find(&signature)) {
            Ok(Recognised::Head(head)) => head,
            Ok(Recognised::Classes(found)) => {
                let (expected, names) = (names.labels.len(), names.labels_from.clone());
                return Err(DetectError::Classes { model: name.clone(), found, expected, names });
            }
            Err(expected) => {
                let facts: Vec<String> =
                    outputs_of(&model).map(|fact| format!("an output of {fact}")).collect();
                return Err(shape(facts.join(" and "), expected));
            }
        };
        check(head.spec(), &signature).map_err(fail)?;
        let used = |outlet: usize| head.spec().outputs.contains(&signature.outputs[outlet]);
        model.outputs = (0..model.outputs.len()).filter(|&at| used(at)).map(|at| model.outputs[at]).collect();
        Ok(Read { model, head })
    }

    /// Makes the network ready for the runtime that is asked for.
    fn network(
        &self,
        Read { model, head }: &Read,
        input: InputSize,
    ) -> Result<Arc<dyn Network>, DetectError> {
        let Self { settings, names: Names { model: name, .. }, .. } = self;
        let fail = |why: String| DetectError::Run { model: name.clone(), input: input.to_string(), why };
        let refused = match settings.runtime {
            #[cfg(feature = "onnxruntime")]
            Runtime::OnnxRuntime => {
                return onnxruntime::network(&self.bytes, head.spec(), settings.onnxruntime.as_deref(), name);
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

/// The size of input that a model's file declares, where it declares one that can be had.
fn declared_size(bytes: &[u8]) -> Option<InputSize> {
    let read = catch_unwind(|| onnx().model_for_read(&mut &bytes[..]).ok()).ok()??;
    let dims: Vec<_> = read.input_fact(0).ok()?.shape.dims().map(|dim| dim.concretize()).collect();
    let side = |at: usize| dims.get(at)?.as_ref()?.to_i64().ok()?.try_into().ok();
    let (height, width) = if side(1) == Some(3) { (2, 3) } else { (1, 2) };
    InputSize::new(side(width)?, side(height)?)
}

fn name(settings: &DetectSettings) -> String {
    settings.model.as_ref().map_or_else(|| "the bundled model".to_owned(), |path| path.display().to_string())
}

fn labels_from(settings: &DetectSettings) -> String {
    settings
        .labels
        .as_ref()
        .map_or_else(|| "the classes of COCO".to_owned(), |path| path.display().to_string())
}

/// The names that go with the model of these settings.
pub(super) fn labels(settings: &DetectSettings) -> Result<Labels, DetectError> {
    let Some(path) = &settings.labels else { return Ok(Labels::coco()) };
    let text = bounded::read_text(path, LARGEST_LABELS)
        .map_err(|why| DetectError::File { path: path.clone(), why })?;
    let labels = Labels::parse(&text);
    if labels.is_empty() || labels.len() > MOST_CLASSES {
        let why =
            format!("it holds {} class names; 1 to {MOST_CLASSES} are expected, one a line", labels.len());
        let why = std::io::Error::new(std::io::ErrorKind::InvalidData, why);
        return Err(DetectError::File { path: path.clone(), why });
    }
    Ok(labels)
}

/// A model that tract has read, for one size of input, with the head that knows what it means.
struct Read {
    model: TypedModel,
    head: Arc<dyn Head>,
}

/// The outputs as tract describes them: `1,3549,85,F32`.
fn outputs_of(model: &TypedModel) -> impl Iterator<Item = String> + '_ {
    (0..model.outputs.len())
        .map(|at| model.output_fact(at).map_or_else(|error| first_line(&error), |fact| format!("{fact:?}")))
}

/// The names and shapes of the outputs; no shape where it is not known, or not one of 32-bit floats.
fn output_specs(model: &TypedModel, names: Vec<String>) -> Result<Vec<OutputSpec>, String> {
    let outputs = names.into_iter().enumerate().map(|(at, name)| {
        let fact = model.output_fact(at).map_err(|error| first_line(&error))?;
        let floats = fact.datum_type == f32::datum_type();
        let shape = fact.shape.as_concrete().filter(|_| floats).map(<[usize]>::to_vec).unwrap_or_default();
        Ok(OutputSpec { name, shape })
    });
    outputs.collect()
}

/// Whether a head's spec and the model go together.
fn check(spec: &ModelSpec, signature: &Signature) -> Result<(), String> {
    let (input, size) = (&spec.input, signature.input);
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
    if input.layout != signature.layout || input.std.contains(&0.0) {
        return Err("its head expects another input than the model has".to_owned());
    }
    match spec.outputs.iter().find(|output| !signature.outputs.contains(output) || output.shape.is_empty()) {
        Some(output) => Err(format!("it has no output {} of {:?} 32-bit floats", output.name, output.shape)),
        None if spec.outputs.is_empty() => Err("its head reads no output".to_owned()),
        None => Ok(()),
    }
}
