//! Why the detector cannot be used.

use std::path::PathBuf;

/// What is wrong with the model, its labels or the classes asked for. `model` is the file, or `the bundled model`.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    /// A file cannot be read.
    #[error("cannot read {}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// A model that was given by its name cannot be had.
    #[error("{why}")]
    Named {
        /// Why, and what to do.
        why: String,
    },
    /// The file is no ONNX model.
    #[error("{model} is not an ONNX model that can be read: {why}")]
    NotOnnx {
        /// The model.
        model: String,
        /// What the reader says.
        why: String,
    },
    /// The model is of no family that a head knows, or not exported the usual way.
    #[error("{model} is not a detector of a known kind: found {found}; expected {expected}")]
    Shape {
        /// The model.
        model: String,
        /// What the file has.
        found: String,
        /// What is needed.
        expected: String,
    },
    /// It does something else than detect, or cannot be read as it was exported.
    #[error("{model} cannot be used as a detector: {why}")]
    Refused {
        /// The model.
        model: String,
        /// Why, and what to do.
        why: String,
    },
    /// The model tells another number of classes apart than there are names.
    #[error(
        "{model} tells {found} classes apart, and there are {expected} names ({names}); \
         give a file with one name a line as detector.labels"
    )]
    Classes {
        /// The model.
        model: String,
        /// Classes in the model.
        found: usize,
        /// Names in the list.
        expected: usize,
        /// Where the names are from.
        names: String,
    },
    /// A class was asked for that the model does not know.
    #[error("there is no class \"{name}\"{hint} (known: {known})")]
    UnknownClass {
        /// What was asked for.
        name: String,
        /// A suggestion, led by `; `, or nothing.
        hint: String,
        /// All known names.
        known: String,
    },
    /// The model was read but cannot be run.
    #[error("{model} cannot be run at {input}: {why}")]
    Run {
        /// The model.
        model: String,
        /// The input size.
        input: String,
        /// What the runtime says.
        why: String,
    },
    /// The runtime asked for was left out when the program was built.
    #[error(
        "detector.runtime is \"onnxruntime\", which this program was built without; \
         build it with `cargo build --release --features onnxruntime`, or set detector.runtime to \"auto\""
    )]
    NoOnnxRuntime,
    /// The library onnxruntime cannot be loaded.
    #[error(
        "cannot load the library onnxruntime from {tried}: {why}; get it (`pip install onnxruntime`) and give the file \
         {name} of its folder capi, which may have a version in its name, as detector.onnxruntime, \
         or set detector.runtime to \"auto\""
    )]
    OnnxRuntime {
        /// The file, and where its name is from.
        tried: String,
        /// What the system says.
        why: String,
        /// What the file is called on this system, without a version.
        name: String,
    },
}
