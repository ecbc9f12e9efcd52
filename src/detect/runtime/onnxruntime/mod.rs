//! The library onnxruntime as a runtime. Which file it is loaded from: `library`; what it gets to run: `fitted`.

mod fitted;
mod library;

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ort::ep::{CUDA, ExecutionProvider};
use ort::logging::LogLevel;
use ort::value::TensorRef;
use tract_onnx::pb::ModelProto;

use super::{Network, Outputs, Session};
use crate::detect::error::DetectError;
use crate::detect::model::ModelSpec;
use crate::detect::preprocess::{Fitted, fill_input};

/// A model for the library. Each thread's session reads it anew: the library promises nothing about sharing one.
struct OrtNetwork {
    model: Vec<u8>,
    spec: Arc<ModelSpec>,
    /// Whether the library can use a graphics card, as far as is known.
    cuda: AtomicBool,
}

/// Loads the library and makes ready a model that tract has read and found right.
///
/// `library` is the setting `detector.onnxruntime`; `model` is what messages call the model.
pub(in crate::detect) fn network(
    file: &ModelProto,
    spec: &ModelSpec,
    library: Option<&Path>,
    model: &str,
) -> Result<Arc<dyn Network>, DetectError> {
    library::load(library)?;
    let fitted = fitted::fitted(file, spec).map_err(|why| DetectError::Run {
        model: model.to_owned(),
        input: spec.input.size.to_string(),
        why,
    })?;
    let cuda = CUDA::default().is_available().unwrap_or(false);
    Ok(Arc::new(OrtNetwork { model: fitted, spec: Arc::new(spec.clone()), cuda: AtomicBool::new(cuda) }))
}

impl OrtNetwork {
    fn build(&self, threads: usize, cuda: bool) -> Result<ort::session::Session, String> {
        let mut builder = ort::session::Session::builder()
            .map_err(line)?
            // Warnings about what it finds on the machine; errors come as values.
            .with_log_level(LogLevel::Warning)
            .map_err(line)?
            .with_intra_threads(threads.max(1))
            .map_err(line)?
            .with_inter_threads(1)
            .map_err(line)?
            // Threads that wait for work sleep: between two pictures of a camera the processor is left to others.
            .with_intra_op_spinning(false)
            .map_err(line)?;
        if cuda {
            let card = CUDA::default().build().error_on_failure();
            builder = builder.with_execution_providers([card]).map_err(line)?;
        }
        builder.commit_from_memory(&self.model).map_err(line)
    }
}

impl Network for OrtNetwork {
    fn session(&self, threads: usize) -> Result<Box<dyn Session>, String> {
        let session = match self.cuda.load(Ordering::Relaxed) {
            false => self.build(threads, false)?,
            true => match self.build(threads, true) {
                Ok(session) => session,
                Err(why) => {
                    log::warn!("onnxruntime cannot use CUDA ({why}); the processor does the work");
                    self.cuda.store(false, Ordering::Relaxed);
                    self.build(threads, false)?
                }
            },
        };
        let input = vec![0.0; self.spec.input.shape().iter().product()];
        let values = vec![Vec::new(); self.spec.outputs.len()];
        Ok(Box::new(OrtSession { session, spec: Arc::clone(&self.spec), input, values }))
    }

    fn describe(&self) -> String {
        let device = if self.cuda.load(Ordering::Relaxed) { " (CUDA)" } else { "" };
        format!("onnxruntime{device}")
    }
}

struct OrtSession {
    session: ort::session::Session,
    spec: Arc<ModelSpec>,
    input: Vec<f32>,
    /// What the last run gave, by output.
    values: Vec<Vec<f32>>,
}

impl Session for OrtSession {
    fn put(&mut self, picture: &Fitted<'_>) {
        fill_input(&mut self.input, &self.spec.input, picture);
    }

    fn run(&mut self, _threshold: f32) -> Result<Outputs<'_>, String> {
        let input =
            TensorRef::from_array_view((self.spec.input.shape(), self.input.as_slice())).map_err(line)?;
        let outputs = self.session.run(ort::inputs![input]).map_err(line)?;
        let mut given = outputs.values();
        for kept in &mut self.values {
            let output = given.next().ok_or("it gave fewer outputs than it has")?;
            let (_, values) = output.try_extract_tensor::<f32>().map_err(line)?;
            kept.clear();
            kept.extend_from_slice(values);
        }
        Outputs::of(&self.spec.outputs, self.values.iter().map(Vec::as_slice))
    }
}

/// An error in one line, as errors of this program are: the library's own begin with where in its source they arose.
fn line(error: impl Display) -> String {
    let text = error.to_string();
    let inner = text.split_once("[ONNXRuntimeError] : ").and_then(|(_, inner)| inner.splitn(3, " : ").nth(2));
    inner.unwrap_or(&text).lines().next().unwrap_or_default().chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_what_is_wrong_in_one_line() {
        let own =
            "/src/bridge.cc:20 Get() [ONNXRuntimeError] : 1 : FAIL : Failed to load: a.so : no file\nat 3";
        assert_eq!(line(own), "Failed to load: a.so : no file");
        assert_eq!(line("one\ntwo"), "one");
        assert_eq!(line(""), "");
    }
}
