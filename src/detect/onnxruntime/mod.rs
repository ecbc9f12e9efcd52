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

use super::error::DetectError;
use super::runtime::{Network, Session, fill_planes};
use super::settings::InputSize;

/// A model for the library. Each thread's session reads it anew: the library promises nothing about sharing one.
struct OrtNetwork {
    model: Vec<u8>,
    input: InputSize,
    /// Whether the library can use a graphics card, as far as is known.
    cuda: AtomicBool,
}

/// Loads the library and makes ready a model that tract has read and found right.
///
/// `library` is the setting `detector.onnxruntime`; `model` is what messages call the model.
pub(super) fn network(
    bytes: &[u8],
    input: InputSize,
    library: Option<&Path>,
    model: &str,
) -> Result<Arc<dyn Network>, DetectError> {
    library::load(library)?;
    let fitted = fitted::fitted(bytes, input).map_err(|why| DetectError::Run {
        model: model.to_owned(),
        input: input.to_string(),
        why,
    })?;
    let cuda = CUDA::default().is_available().unwrap_or(false);
    Ok(Arc::new(OrtNetwork { model: fitted, input, cuda: AtomicBool::new(cuda) }))
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
        let planes = vec![0.0; 3 * self.input.width() * self.input.height()];
        Ok(Box::new(OrtSession { session, input: self.input, planes, rows: Vec::new() }))
    }

    fn describe(&self) -> String {
        let device = if self.cuda.load(Ordering::Relaxed) { " (CUDA)" } else { "" };
        format!("onnxruntime{device}")
    }
}

struct OrtSession {
    session: ort::session::Session,
    input: InputSize,
    planes: Vec<f32>,
    rows: Vec<f32>,
}

impl Session for OrtSession {
    fn put(&mut self, rgb: &[u8], width: usize, _height: usize) {
        fill_planes(&mut self.planes, self.input.size(), rgb, width);
    }

    fn run(&mut self, _threshold: f32) -> Result<&[f32], String> {
        let shape = [1, 3, self.input.height(), self.input.width()];
        let planes = TensorRef::from_array_view((shape, self.planes.as_slice())).map_err(line)?;
        let outputs = self.session.run(ort::inputs![planes]).map_err(line)?;
        let output = outputs.values().next().ok_or("it gave no output")?;
        let (_, values) = output.try_extract_tensor::<f32>().map_err(line)?;
        self.rows.clear();
        self.rows.extend_from_slice(values);
        Ok(&self.rows)
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
