//! The runtime onnxruntime where it cannot be had: one sentence that says what to do, and nothing worse. What it finds
//! where it can be had: `detection_golden.rs`.

use crate::common::{Done, root, trailsight};

/// What `detect` says of a photograph with this runtime, and this library.
fn detect(library: &str) -> Done {
    let mut command = trailsight();
    command.current_dir(root()).args(["detect", "tests/photos/street.png"]).env_remove("ORT_DYLIB_PATH");
    command.args(["--set", "detector.runtime=onnxruntime", "--set"]);
    Done::of(&command.arg(format!("detector.onnxruntime={library}")).output().unwrap())
}

#[cfg(not(feature = "onnxruntime"))]
#[test]
fn a_program_without_onnxruntime_says_how_to_build_one_with_it() {
    for library in ["", "/nonexistent/libonnxruntime.so"] {
        let done =
            detect(library).fails(2, &["detector.runtime", "cargo build --release --features onnxruntime"]);
        assert_eq!(done.stderr.lines().count(), 1, "{done:#?}");
    }
}

#[cfg(feature = "onnxruntime")]
mod with_onnxruntime {
    use std::path::Path;

    use trailsight::detect::{DetectError, DetectSettings, Detector, Runtime};

    use super::*;

    fn refused(library: &Path) -> String {
        let settings = DetectSettings {
            runtime: Runtime::OnnxRuntime,
            onnxruntime: Some(library.to_owned()),
            ..DetectSettings::default()
        };
        let error = Detector::load(&settings).err().expect("refused");
        assert!(matches!(error, DetectError::OnnxRuntime { .. }), "{error:?}");
        let message = error.to_string();
        assert!(message.contains(&library.display().to_string()), "{message}");
        assert!(message.contains("pip install onnxruntime") && message.lines().count() == 1, "{message}");
        message
    }

    /// One test, for what a process tried before matters: `ort` must not be asked again after a file that fails to load.
    #[test]
    fn wrong_libraries_are_refused_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing.so");
        assert_eq!(refused(&missing), refused(&missing));
        assert!(refused(folder.path()).contains("it is a folder"));

        let text = folder.path().join("text.so");
        std::fs::write(&text, "no library").unwrap();
        assert_eq!(refused(&text), refused(&text));
        let other = folder.path().join("other.so");
        std::fs::write(&other, "no library").unwrap();
        assert!(refused(&other).contains("text.so failed to load earlier"));
        assert_eq!(refused(&missing), refused(&missing));
    }

    #[test]
    fn the_program_says_it_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("text.so");
        std::fs::write(&text, "no library").unwrap();
        for library in ["/nonexistent/libonnxruntime.so", text.to_str().unwrap()] {
            let done =
                detect(library).fails(1, &[library, "detector.onnxruntime", "pip install onnxruntime"]);
            assert_eq!(done.stderr.lines().count(), 1, "{done:#?}");
        }
    }

    #[test]
    fn the_variable_names_the_library_where_the_setting_does_not() {
        let mut command = trailsight();
        command.current_dir(root()).args(["detect", "tests/photos/street.png"]);
        command
            .args(["--set", "detector.runtime=onnxruntime"])
            .env("ORT_DYLIB_PATH", "/nonexistent/by-name.so");
        Done::of(&command.output().unwrap()).fails(1, &["/nonexistent/by-name.so ($ORT_DYLIB_PATH)"]);
    }

    /// What is wrong with a model is told before the library is looked for, in the same words.
    #[test]
    fn wrong_models_are_told_as_ever() {
        let model = root().join("tests/models/wrong-output.onnx");
        let said = |runtime| {
            let settings =
                DetectSettings { model: Some(model.clone()), runtime, ..DetectSettings::default() };
            Detector::load(&settings).err().expect("refused").to_string()
        };
        assert_eq!(said(Runtime::OnnxRuntime), said(Runtime::Tract));
    }
}
