//! The model's file: reading it, saying what it is where it is no ONNX file, and bringing it into the one form that the rest of
//! the detector knows: one picture of 32-bit floats goes in, 32-bit floats come out.
//!
//! ```text
//! bytes ──foreign──▶ ONNX ──external──▶ whole ──halves──▶ 32 bits ──input, outputs──▶ one form ──suppression──▶ cut
//! ```
//!
//! Each step is one file, changes the graph as little as it can, and is a no-op on a file that does not need it. The graph is
//! that of the protobuf, before a runtime reads it, so that tract and onnxruntime are given the same.

mod external;
mod foreign;
mod graph;
mod halves;
mod input;
mod metadata;
mod outputs;
mod suppression;

use std::collections::BTreeSet;
use std::path::Path;

use prost::Message;
use tract_onnx::pb::ModelProto;

pub(super) use input::Picture;
pub(super) use metadata::Metadata;
pub(super) use suppression::{Cut, Cuts};

/// A model as its file has it, in the form that the detector knows.
#[derive(Debug, Clone)]
pub(super) struct ModelFile {
    /// The file with all rewrites.
    pub(super) proto: ModelProto,
    /// What its exporter says of it.
    pub(super) metadata: Metadata,
    /// What it declares of its picture.
    pub(super) picture: Picture,
    /// The other inputs, which are given a constant.
    pub(super) bound: Vec<&'static str>,
    /// The outputs that hold whole numbers in the file.
    pub(super) whole: BTreeSet<String>,
    /// The operators in it.
    pub(super) ops: BTreeSet<String>,
    /// What was rewritten, for people.
    pub(super) rewritten: Vec<String>,
}

/// Why a file cannot be used.
#[derive(Debug, PartialEq)]
pub(super) enum FileError {
    /// It is no ONNX file, or a damaged one.
    NotOnnx(String),
    /// Its inputs are not one picture: what was found, and what is expected.
    Input(String, String),
}

impl ModelFile {
    /// Reads a file; data that lies beside it is looked for in `folder`.
    pub(super) fn parse(bytes: &[u8], folder: Option<&Path>) -> Result<Self, FileError> {
        let not_onnx = |why: String| match foreign::named(bytes) {
            Some(kind) => FileError::NotOnnx(kind),
            None => FileError::NotOnnx(why),
        };
        if let Some(kind) = foreign::named_surely(bytes) {
            return Err(FileError::NotOnnx(kind));
        }
        let mut proto = ModelProto::decode(bytes).map_err(|error| not_onnx(error.to_string()))?;
        if proto.graph.as_ref().is_none_or(|graph| graph.node.is_empty()) {
            return Err(not_onnx("there is no graph in it".to_owned()));
        }
        let mut rewritten = Vec::new();
        external::inline(&mut proto, folder).map_err(FileError::NotOnnx)?;
        let metadata = Metadata::of(&proto);
        let Some(graph) = proto.graph.as_mut() else {
            return Err(not_onnx("there is no graph in it".to_owned()));
        };
        graph::check(graph).map_err(FileError::NotOnnx)?;
        if halves::widen(graph) {
            rewritten.push("16-bit floats became 32-bit floats".to_owned());
        }
        graph::check_weights(graph).map_err(FileError::NotOnnx)?;
        let ops = graph::ops(graph);
        let bound = input::bind(graph, &mut rewritten);
        let picture = input::one_picture(graph, &mut rewritten)?;
        let whole = outputs::floats(graph, &mut rewritten);
        Ok(Self { proto, metadata, picture, bound, whole, ops, rewritten })
    }

    /// Where the graph could be cut ahead of its own suppression; nowhere where it has none.
    pub(super) fn cuts(&self) -> Cuts {
        self.proto.graph.as_ref().map(suppression::cuts).unwrap_or_default()
    }

    /// The same model cut there.
    pub(super) fn cut(&self, cut: &Cut) -> Self {
        let mut file = self.clone();
        if let Some(graph) = file.proto.graph.as_mut() {
            suppression::apply(graph, cut);
            file.ops = graph::ops(graph);
            file.whole.clear();
        }
        file.rewritten.push(format!("cut ahead of its own suppression, at {}", cut.outputs.join(" and ")));
        file
    }
}
