//! From the word for a source to the source: cameras, files, addresses, the demo clip.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::config::Settings;
use crate::pipeline::{Outputs, Reopen};
use crate::sink::{Inputs, partial_name};
use crate::source::{
    self, LiveSource, LiveTimeouts, Recording, Simulation, Source, SourceError, SourceSettings, SourceSpec,
    adapt, camera, open_file, redact,
};

/// The word for the demo clip.
pub(super) const DEMO_NAME: &str = "demo";

/// A source that is open, and what is needed to begin it again or to keep from overwriting it.
pub(super) struct Input {
    pub(super) source: Box<dyn Source>,
    /// `None` for what cannot be begun again.
    pub(super) reopen: Option<Reopen>,
    /// The files that are read.
    pub(super) files: Inputs,
    /// Something the user should know about the choice.
    pub(super) note: Option<String>,
}

/// Opens what `text` names.
pub(super) fn open(text: &OsStr, settings: &Settings) -> Result<Input, SourceError> {
    let spec = SourceSpec::parse_os(text);
    match &spec {
        SourceSpec::Name(name) if name == DEMO_NAME => open_demo(settings, None),
        SourceSpec::Name(name) => open_camera(name, settings).map_err(|error| no_such_name(name, &error)),
        SourceSpec::Camera(index) => open_camera(&index.to_string(), settings),
        SourceSpec::Simulation { recording, faults } => {
            Ok(Input { files: inputs_of([&spec]), ..simulate(recording, faults, settings)? })
        }
        _ => {
            let source = open_file(&spec, &settings.source)?;
            let file = match &spec {
                SourceSpec::Video(path) | SourceSpec::Image(path) => Some(path.clone()),
                _ => None,
            };
            let (again, files) = (settings.source.clone(), inputs_of([&spec]));
            let reopen: Reopen = Box::new(move || open_file(&spec, &again));
            // What came through a pipe is gone.
            let again = !source.info().kind.is_live() && file.as_ref().is_none_or(|file| file.is_file());
            Ok(Input { reopen: again.then_some(reopen), source, files, note: None })
        }
    }
}

/// The first camera; where there is none, or it cannot be had, the demo clip and the reason.
pub(super) fn open_first(settings: &Settings) -> Result<Input, SourceError> {
    let reason = match camera::list() {
        // A device may offer nothing, such as the second node of many webcams.
        Ok(cameras) => match cameras.iter().find(|camera| !camera.formats.is_empty()).or(cameras.first()) {
            None => "no camera was found".to_owned(),
            Some(first) => match open_camera(&first.index.to_string(), settings) {
                Ok(input) => return Ok(input),
                Err(error) => error.to_string(),
            },
        },
        Err(error) => error.to_string(),
    };
    open_demo(
        settings,
        Some(format!("{reason}: this is the demo clip (trailsight --help lists other sources)")),
    )
}

fn open_camera(which: &str, settings: &Settings) -> Result<Input, SourceError> {
    let wish = settings.source.camera.clone();
    let (index, name) = camera::find(which)?;
    let (first, timeouts) = (camera::open(&index.to_string(), &wish)?, LiveTimeouts::of(&wish));
    // By its name: where it is plugged in again it may get another number.
    let again = Box::new(move || camera::open_again(index, &name, &wish));
    let source = LiveSource::new(first, again, timeouts)?;
    Ok(live(Box::new(source), settings))
}

/// A simulated camera that shows a recording, with faults.
fn simulate(recording: &str, faults: &str, settings: &Settings) -> Result<Input, SourceError> {
    let what = format!("the simulated camera of {}", redact(recording));
    let spec = match recording {
        "" | DEMO_NAME => None,
        other => Some(SourceSpec::parse(other)),
    };
    let begin: Recording = Box::new(move || match &spec {
        None => Ok(Box::new(source::open_demo()?)),
        Some(spec) => open_file(spec, &SourceSettings::default()),
    });
    let simulation = Simulation::new(begin, faults).map_err(|why| SourceError::Open { what, why })?;
    Ok(live(simulation.open(LiveTimeouts::of(&settings.source.camera))?, settings))
}

/// A camera has no beginning and no end, and its clock is its own.
fn live(source: Box<dyn Source>, settings: &Settings) -> Input {
    let settings = SourceSettings { fps: None, start: None, end: None, ..settings.source.clone() };
    Input { source: adapt(source, &settings), reopen: None, files: Inputs::default(), note: None }
}

fn open_demo(settings: &Settings, note: Option<String>) -> Result<Input, SourceError> {
    let again = settings.source.clone();
    let begin = move || {
        let source = source::open_demo()?;
        Ok(adapt(Box::new(source), &again))
    };
    Ok(Input { source: begin()?, reopen: Some(Box::new(begin)), files: Inputs::default(), note })
}

/// A name that is neither a file nor a camera: says both.
fn no_such_name(name: &str, error: &SourceError) -> SourceError {
    let why = format!("there is no such file, and no camera could be opened: {error}");
    SourceError::Open { what: name.to_owned(), why }
}

/// The files that a source is read from, as far as they are known without opening it.
pub(super) fn files_of(spec: &SourceSpec) -> Vec<PathBuf> {
    match spec {
        SourceSpec::Video(path) | SourceSpec::Image(path) => vec![path.clone()],
        SourceSpec::Folder(folder) => {
            let entries = fs::read_dir(folder).into_iter().flatten();
            entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()).collect()
        }
        SourceSpec::Pattern(pattern) => {
            glob::glob(pattern).map_or_else(|_| Vec::new(), |paths| paths.filter_map(Result::ok).collect())
        }
        SourceSpec::Simulation { recording, .. } if recording != DEMO_NAME => {
            files_of(&SourceSpec::parse(recording))
        }
        SourceSpec::Url(url) => files_of_address(url),
        SourceSpec::Camera(_) | SourceSpec::Simulation { .. } | SourceSpec::Name(_) => Vec::new(),
    }
}

/// What `file://…` may lead to: ffmpeg takes the name as it stands, others write it with `%20` for a space.
fn files_of_address(url: &str) -> Vec<PathBuf> {
    let scheme = url.get(..7).is_some_and(|begin| begin.eq_ignore_ascii_case("file://"));
    match url.get(5..).filter(|_| scheme) {
        Some(name) => vec![name.into(), unescaped(name).into()],
        None => Vec::new(),
    }
}

/// With `%41` as `A`; what is no such pair, or gives no text, stays as it is.
fn unescaped(text: &str) -> String {
    String::from_utf8(crate::source::unescaped(text)).unwrap_or_else(|_| text.to_owned())
}

fn inputs_of<'a>(specs: impl IntoIterator<Item = &'a SourceSpec>) -> Inputs {
    let files: Vec<PathBuf> = specs.into_iter().flat_map(files_of).collect();
    Inputs::of(files.iter().map(PathBuf::as_path))
}

/// Before anything is opened: whether the status file has a folder, and is none of the sources and none of the outputs.
/// It is written as `NAME.new` and renamed, so that both names count.
///
/// # Errors
/// [`Failure`].
pub(super) fn check_status(
    status: Option<&Path>,
    sources: &[std::ffi::OsString],
    outputs: &Outputs,
) -> Result<(), Failure> {
    let Some(status) = status else { return Ok(()) };
    let refused =
        |why: String| Failure::Failed(format!("cannot write the status file {}: {why}", status.display()));
    let Some(place) = place_of(status) else {
        return Err(refused("there is no such folder; create it, or name another".to_owned()));
    };
    let mut new = status.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let specs: Vec<SourceSpec> = sources.iter().map(|source| SourceSpec::parse_os(source)).collect();
    let inputs = inputs_of(&specs);
    for path in [status, &new] {
        inputs.refuse(path)?;
    }
    let places = [Some(place), place_of(&new)];
    let written = outputs.paths().flat_map(|path| [path.to_owned(), partial_name(path)]);
    for output in written.filter(|output| output.as_os_str() != "-") {
        let output = place_of(&output);
        if output.is_some() && places.contains(&output) {
            return Err(refused("it is also an output; choose another name".to_owned()));
        }
    }
    Ok(())
}

/// The name in its folder, whichever way the folder is written; `None` where there is no such folder.
fn place_of(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(fs::canonicalize(folder).ok().filter(|folder| folder.is_dir())?.join(path.file_name()?))
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self::failed(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::Purpose;

    #[test]
    fn files_are_known_by_whatever_name_a_source_has() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a b.gif");
        fs::write(&file, "GIF89a").unwrap();
        let (root, plain) = (folder.path().display(), file.display());
        for text in [
            format!("{plain}"),
            format!("{root}"),
            format!("{root}/*.gif"),
            format!("file://{plain}"),
            format!("FILE://{}", format!("{plain}").replace(' ', "%20")),
            format!("simulate:{plain}"),
            format!("simulate:{plain}?stall 3"),
            format!("simulate:file://{plain}?stall 3"),
            format!("simulate:{root}/*.gif"),
        ] {
            let inputs = inputs_of([&SourceSpec::parse(&text)]);
            assert!(inputs.refuse(&file).is_err(), "{text}");
            assert!(inputs.refuse(&folder.path().join("b.gif")).is_ok(), "{text}");
        }
        assert!(files_of(&SourceSpec::parse("http://host/a.mp4")).is_empty());
        assert!(files_of(&SourceSpec::parse("simulate:demo?stall 3")).is_empty());
        assert_eq!(unescaped("%4a%zz%4%ff"), "%4a%zz%4%ff");
        assert_eq!(unescaped("%4a%zz%4"), "J%zz%4");
    }

    #[test]
    fn a_status_file_is_no_source_and_no_output() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("in.mp4"), "").unwrap();
        fs::write(at("s.json.new"), "").unwrap();
        let outputs = Outputs::default().with(Purpose::Tracks, at("t.txt")).with(Purpose::Tracks, "-");
        let check = |status: &str, source: &str| {
            check_status(Some(&at(status)), &[at(source).into_os_string()], &outputs)
        };
        assert!(check("in.mp4", "in.mp4").is_err());
        assert!(check("s.json", "s.json.new").is_err());
        assert!(check("t.txt", "in.mp4").is_err());
        assert!(check("./t.partial.txt", "in.mp4").is_err());
        assert!(check("none/s.json", "in.mp4").is_err());
        assert!(check("s.json", "in.mp4").is_ok());
        assert!(check_status(None, &[], &outputs).is_ok());
    }

    #[test]
    fn a_simulated_camera_does_not_tell_its_password() {
        let settings = Settings::default();
        let text = "rtsp://me:secret@cam/v?pwd=secret";
        let error = simulate(text, "nonsense", &settings).err().unwrap().to_string();
        assert!(!error.contains("secret") && error.contains("cam/v"), "{error}");
    }
}
