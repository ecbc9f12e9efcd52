//! Loading a model with tract: read, check, fit to the input size, optimise.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tract_onnx::prelude::*;
use tract_onnx::tract_hir::infer::Factoid;

use super::error::DetectError;
use super::native::NativeNetwork;
#[cfg(feature = "onnxruntime")]
use super::onnxruntime;
use super::plain::PlainNetwork;
use super::runtime::{Network, Runtime};
use super::settings::{DetectSettings, InputSize};
use super::yolox;
use crate::bounded;
use crate::labels::Labels;

/// YOLOX-Nano as released by its makers; see `models/ORIGIN.md`.
static BUNDLED: &[u8] = include_bytes!("../../models/yolox_nano.onnx");

/// No model of this kind is larger (YOLOX-X has 400 MB); bytes.
const LARGEST_MODEL: u64 = 1 << 29;
/// No list of class names is larger; bytes.
const LARGEST_LABELS: u64 = 1 << 20;
/// What a class number can count.
const MOST_CLASSES: usize = u16::MAX as usize;

/// A model that is ready to run, shared by all threads that run it.
pub(super) struct Model {
    pub(super) network: Arc<dyn Network>,
    pub(super) labels: Labels,
    pub(super) input: InputSize,
    /// What messages call the model.
    pub(super) name: String,
}

impl Model {
    pub(super) fn load(settings: &DetectSettings) -> Result<Self, DetectError> {
        let (name, labels, label_source) = (name(settings), labels(settings)?, label_source(settings));
        let file;
        let bytes: &[u8] = match &settings.model {
            None => BUNDLED,
            Some(path) => {
                file = bounded::read(path, LARGEST_MODEL)
                    .map_err(|why| DetectError::File { path: path.clone(), why })?;
                &file
            }
        };
        // What tract does with a damaged file is not ours to know: should it panic, that is an error like any other.
        let built = catch_unwind(AssertUnwindSafe(|| {
            let model = read(bytes, settings.input, &name, &labels, &label_source)?;
            network(bytes, model, settings, &name)
        }));
        let network = built.unwrap_or_else(|_| {
            Err(DetectError::NotOnnx {
                model: name.clone(),
                why: "it is damaged; reading it failed midway".into(),
            })
        })?;
        Ok(Self { network, labels, input: settings.input, name })
    }
}

fn name(settings: &DetectSettings) -> String {
    settings.model.as_ref().map_or_else(|| "the bundled model".to_owned(), |path| path.display().to_string())
}

fn label_source(settings: &DetectSettings) -> String {
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

/// Reads a model and checks that it is of the family; its shapes are known for this input.
fn read(
    bytes: &[u8],
    input: InputSize,
    name: &str,
    labels: &Labels,
    label_source: &str,
) -> Result<TypedModel, DetectError> {
    let not_onnx =
        |error: TractError| DetectError::NotOnnx { model: name.to_owned(), why: first_line(&error) };
    let shape =
        |found: String, expected: String| DetectError::Shape { model: name.to_owned(), found, expected };
    let (width, height) = input.size();

    // The file declares shapes for one input size; they are left aside so that any other size can be asked for.
    let onnx = onnx().with_ignore_value_info(true).with_ignore_output_shapes(true);
    let mut model = onnx.model_for_read(&mut &bytes[..]).map_err(not_onnx)?;

    let wanted_input = "one input of 1×3×height×width 32-bit floats";
    let (inputs, outputs) = (model.inputs.len(), model.outputs.len());
    if inputs != 1 || outputs == 0 {
        return Err(shape(
            format!("{inputs} inputs and {outputs} outputs"),
            format!("{wanted_input} and one output"),
        ));
    }
    let declared = model.input_fact(0).map_err(not_onnx)?.clone();
    let dims: Vec<_> = declared.shape.dims().map(|dim| dim.concretize()).collect();
    let floats = declared.datum_type.concretize().is_none_or(|kind| kind == f32::datum_type());
    let channels_first = declared.shape.is_open()
        || dims.len() == 4 && dims[1].as_ref().is_none_or(|channels| *channels == 3.into());
    if !floats || !channels_first {
        return Err(shape(format!("an input of {declared:?}"), wanted_input.to_owned()));
    }

    model.set_input_fact(0, f32::fact([1, 3, height, width]).into()).map_err(not_onnx)?;
    let run = |error: TractError| DetectError::Run {
        model: name.to_owned(),
        input: input.to_string(),
        why: first_line(&error),
    };
    let model = model.into_typed().map_err(run)?;

    let rows = yolox::rows(input);
    let wanted_output = format!("one output of 1×{rows}×{} 32-bit floats", yolox::row_length(labels.len()));
    let fact = model.output_fact(0).map_err(run)?;
    let found = fact.shape.as_concrete().map(<[usize]>::to_vec);
    match found.as_deref() {
        Some(&[1, found_rows, length]) if found_rows == rows && fact.datum_type == f32::datum_type() => {
            if length != yolox::row_length(labels.len()) {
                return Err(match length.checked_sub(yolox::row_length(0)) {
                    Some(classes) if classes > 0 => DetectError::Classes {
                        model: name.to_owned(),
                        found: classes,
                        expected: labels.len(),
                        names: label_source.to_owned(),
                    },
                    _ => shape(format!("an output of {fact:?}"), wanted_output),
                });
            }
        }
        _ => return Err(shape(format!("an output of {fact:?}"), wanted_output)),
    }

    Ok(model)
}

/// Makes the network ready for the runtime that is asked for; `bytes` are the model's.
#[cfg_attr(
    not(feature = "onnxruntime"),
    expect(unused_variables, reason = "only that runtime reads a model itself")
)]
fn network(
    bytes: &[u8],
    model: TypedModel,
    settings: &DetectSettings,
    name: &str,
) -> Result<Arc<dyn Network>, DetectError> {
    let fail =
        |why: String| DetectError::Run { model: name.to_owned(), input: settings.input.to_string(), why };
    let unknown = match settings.runtime {
        #[cfg(feature = "onnxruntime")]
        Runtime::OnnxRuntime => {
            return onnxruntime::network(bytes, settings.input, settings.onnxruntime.as_deref(), name);
        }
        #[cfg(not(feature = "onnxruntime"))]
        Runtime::OnnxRuntime => return Err(DetectError::NoOnnxRuntime),
        Runtime::Tract => None,
        Runtime::Auto | Runtime::Native => match NativeNetwork::new(model.clone()) {
            Ok(network) => return Ok(Arc::new(network)),
            Err(unknown) => Some(unknown),
        },
    };
    match unknown {
        Some(unknown) if settings.runtime == Runtime::Native => {
            return Err(fail(format!(
                "the native plan does not know {unknown}; with detector.runtime = \"auto\" tract runs it"
            )));
        }
        Some(unknown) => {
            log::warn!("{name} is run by tract, more slowly: the native plan does not know {unknown}");
        }
        None => {}
    }
    let plain = PlainNetwork::new(model, settings.input).map_err(|error| fail(first_line(&error)))?;
    Ok(Arc::new(plain))
}

/// The outermost and the innermost sentence of an error; tract's chains between are for its developers.
pub(super) fn first_line(error: &TractError) -> String {
    let outer = error.to_string();
    let root = error.root_cause().to_string();
    let line = |text: &str| text.lines().next().unwrap_or_default().chars().take(300).collect::<String>();
    if outer == root { line(&outer) } else { format!("{} ({})", line(&outer), line(&root)) }
}
