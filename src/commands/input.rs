//! From the word for a source to the source: cameras, files, addresses, the demo clip.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::Failure;
use crate::config::Settings;
use crate::pipeline::Reopen;
use crate::source::{
    AviSource, LiveSource, Patience, Recording, Simulation, Source, SourceError, SourceSettings, SourceSpec,
    adapt, camera, open_file,
};

/// The demo clip: people on a campus, see `assets/ORIGIN.md`.
static DEMO: &[u8] = include_bytes!("../../assets/demo.avi");
/// The word for it.
pub(super) const DEMO_NAME: &str = "demo";

/// A source that is open, and what is needed to begin it again or to keep from overwriting it.
pub(super) struct Input {
    pub(super) source: Box<dyn Source>,
    /// `None` for what cannot be begun again.
    pub(super) reopen: Option<Reopen>,
    /// The file that is read, where it is one.
    pub(super) file: Option<PathBuf>,
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
        SourceSpec::Simulation { recording, faults } => simulate(recording, faults, settings),
        _ => {
            let source = open_file(&spec, &settings.source)?;
            let file = match &spec {
                SourceSpec::Video(path) | SourceSpec::Image(path) => Some(path.clone()),
                _ => None,
            };
            let again = settings.source.clone();
            let reopen: Reopen = Box::new(move || open_file(&spec, &again));
            // What came through a pipe is gone.
            let again = !source.info().kind.is_live() && file.as_ref().is_none_or(|file| file.is_file());
            Ok(Input { reopen: again.then_some(reopen), source, file, note: None })
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
    open_demo(settings, Some(format!("{reason}: this is the demo clip (trailsight --help tells of more)")))
}

fn open_camera(which: &str, settings: &Settings) -> Result<Input, SourceError> {
    let wish = settings.source.camera.clone();
    let (index, name) = camera::find(which)?;
    let (first, patience) = (camera::open(&index.to_string(), &wish)?, Patience::of(&wish));
    // By its name: where it is plugged in again it may get another number.
    let again = Box::new(move || camera::open_again(index, &name, &wish));
    let source = LiveSource::new(first, again, patience)?;
    Ok(live(Box::new(source), settings))
}

/// A simulated camera that shows a recording, with faults.
fn simulate(recording: &str, faults: &str, settings: &Settings) -> Result<Input, SourceError> {
    let what = format!("the simulated camera of {recording}");
    let spec = match recording {
        "" | DEMO_NAME => None,
        other => Some(SourceSpec::parse(other)),
    };
    let begin: Recording = Box::new(move || match &spec {
        None => Ok(Box::new(AviSource::from_bytes(DEMO, "the demo clip")?)),
        Some(spec) => open_file(spec, &SourceSettings::default()),
    });
    let simulation = Simulation::new(begin, faults).map_err(|why| SourceError::Open { what, why })?;
    Ok(live(simulation.open(Patience::of(&settings.source.camera))?, settings))
}

/// A camera has no beginning and no end, and its clock is its own.
fn live(source: Box<dyn Source>, settings: &Settings) -> Input {
    let settings = SourceSettings { fps: None, start: None, end: None, ..settings.source.clone() };
    Input { source: adapt(source, &settings), reopen: None, file: None, note: None }
}

fn open_demo(settings: &Settings, note: Option<String>) -> Result<Input, SourceError> {
    let again = settings.source.clone();
    let begin = move || {
        let source = AviSource::from_bytes(DEMO, "the demo clip")?;
        Ok(adapt(Box::new(source), &again))
    };
    Ok(Input { source: begin()?, reopen: Some(Box::new(begin)), file: None, note })
}

/// A name that is neither a file nor a camera: says both.
fn no_such_name(name: &str, error: &SourceError) -> SourceError {
    let why = format!("there is no such file, and as a camera: {error}");
    SourceError::Open { what: name.to_owned(), why }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self::failed(error)
    }
}
