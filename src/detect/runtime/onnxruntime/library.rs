//! Finding and loading the library, with one sentence for whatever is wrong with it.

use std::env::{self, consts};
use std::error::Error;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ort::LoadDynamicError;
use ort::environment::Environment;

use super::line;
use crate::detect::error::DetectError;
use crate::sync::lock;

/// Names the file where the setting does not; the crate `ort` knows it too.
const VARIABLE: &str = "ORT_DYLIB_PATH";

/// What was loaded, and what came of it. Once for the whole process: after a library that would not load, `ort` takes
/// its slot for filled, so it must not be asked a second time.
static OUTCOME: Mutex<Option<(PathBuf, Result<(), String>)>> = Mutex::new(None);

/// Loads the library: the file `setting`, else the one `ORT_DYLIB_PATH` names, else where the system looks.
///
/// # Errors
/// [`DetectError::OnnxRuntime`] with what was tried. After a file that is not there, the same process may try another;
/// after one that would not load, it may not.
pub(super) fn load(setting: Option<&Path>) -> Result<(), DetectError> {
    let variable = env::var_os(VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    let fail = |tried: String, why: String| DetectError::OnnxRuntime { tried, why, name: file_name() };
    let (path, tried) = match (setting, variable) {
        (Some(path), _) => (path.to_owned(), format!("{} (detector.onnxruntime)", path.display())),
        (None, Some(path)) => (path.clone(), format!("{} (${VARIABLE})", path.display())),
        (None, None) => {
            let name = file_name();
            let tried = format!("{name}, where the system looks for libraries");
            return remembered(&PathBuf::from(name)).map_err(|why| fail(tried, why));
        }
    };
    let known = std::path::absolute(&path).and_then(|path| Ok((path.metadata()?, path)));
    let outcome = match known {
        Ok((about, _)) if about.is_dir() => Err("it is a folder".to_owned()),
        Ok((_, path)) => remembered(&path),
        Err(error) => Err(line(error)),
    };
    outcome.map_err(|why| fail(tried, why))
}

/// The name of the library's file without a version.
fn file_name() -> String {
    format!("{}onnxruntime{}", consts::DLL_PREFIX, consts::DLL_SUFFIX)
}

/// Loads it, or tells what came of it before.
fn remembered(path: &Path) -> Result<(), String> {
    let mut outcome = lock(&OUTCOME);
    match &*outcome {
        Some((before, result)) if before == path => result.clone(),
        Some((before, Ok(()))) => Err(format!("this process runs {} already", before.display())),
        Some((before, Err(_))) => {
            Err(format!("{} failed to load earlier, and a process can try only once", before.display()))
        }
        None => {
            // What it does inside is not ours to know: should it panic, that is an error like any other.
            let result = catch_unwind(|| first(path)).unwrap_or_else(|_| Err("loading it panicked".into()));
            *outcome = Some((path.to_owned(), result.clone()));
            result
        }
    }
}

fn first(path: &Path) -> Result<(), String> {
    let environment = ort::init_from(path).map_err(|error| match error {
        LoadDynamicError::Dlopen { error, .. } => error.source().map_or_else(|| line(&error), line),
        LoadDynamicError::MissingApi { .. } => "it is another library".to_owned(),
        LoadDynamicError::BadVersion { version_str, .. } => {
            format!("it is version {version_str}, and 1.{} or newer is needed", ort::MINOR_VERSION)
        }
    })?;
    let log = |_: ort::logging::LogLevel, _: &str, _: &str, _: &str, message: &str| {
        log::debug!("onnxruntime: {message}");
    };
    environment.with_name("trailsight").with_telemetry(false).with_logger(Arc::new(log)).commit();
    // Should it have nothing to offer after all, this panics here, where no lock of the crate is held.
    let _ = ort::api();
    let environment = Environment::current().map_err(line)?;
    environment.set_log_level(ort::logging::LogLevel::Warning);
    log::info!("onnxruntime from {}", path.display());
    Ok(())
}
