//! What is to be done: every recording with its results, checked before anything is opened or written.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::names::{NAME, expand, has_name, name_of, templates, unique};
use crate::cli::{OutputArgs, TrackArgs};
use crate::commands::input::files_of;
use crate::commands::{Failure, outputs};
use crate::pipeline::Outputs;
use crate::sink::{Inputs, RecordSettings, is_address, partial_name};
use crate::source::{Input, SourceSpec, redact};

/// One recording and what becomes of it.
#[derive(Debug)]
pub(super) struct Job {
    /// As it was typed.
    pub(super) source: OsString,
    /// As it is shown: without a password.
    pub(super) shown: String,
    /// What it means.
    pub(super) spec: SourceSpec,
    /// Its results.
    pub(super) outputs: Outputs,
    /// How much there is of it, in bytes, where that is known: for the time that is left.
    pub(super) size: Option<u64>,
    /// When the last of its files was changed.
    changed: Option<SystemTime>,
}

/// What is there already of a recording's results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// All of them, and they are newer than the recording.
    Complete,
    /// All of them, but the recording is newer.
    Outdated,
    /// Some, or none.
    No,
}

impl Job {
    /// Looks for the results.
    pub(super) fn done(&self) -> Done {
        let made = |path: &Path| fs::metadata(path).ok().filter(fs::Metadata::is_file)?.modified().ok();
        let Some(made) = self.outputs.paths().map(made).collect::<Option<Vec<_>>>() else {
            return Done::No;
        };
        match (made.iter().min(), self.changed) {
            (None, _) => Done::No,
            (Some(oldest), Some(changed)) if changed > *oldest => Done::Outdated,
            (Some(_), _) => Done::Complete,
        }
    }
}

/// The outputs of a single source. Where they are named after it, their folders are made.
///
/// # Errors
/// [`Failure`] where an output cannot have its name, or its folder cannot be made.
pub(in crate::commands) fn outputs_of_one(
    source: &OsStr,
    typed: &OutputArgs,
    settings: &RecordSettings,
) -> Result<Outputs, Failure> {
    let name = name_of(&SourceSpec::parse_os(source));
    let (named, record) = expand(typed, settings, &name);
    let outputs = outputs(&named, &record)?;
    if templates(typed, settings).any(has_name) {
        make_folders(&outputs)?;
    }
    Ok(outputs)
}

/// All recordings, each once, with their results.
///
/// # Errors
/// [`Failure`] where a source has no end, a result has the name of another or has none of its own, or would overwrite a
/// recording.
pub(super) fn jobs(args: &TrackArgs, settings: &RecordSettings) -> Result<Vec<Job>, Failure> {
    check_templates(&args.output, settings)?;
    let mut sources: Vec<(&OsStr, SourceSpec, Vec<PathBuf>)> = Vec::new();
    let mut seen = HashSet::new();
    for source in &args.sources {
        let spec = SourceSpec::parse_os(source);
        refuse_live(&spec)?;
        // Under another name, through a link, it is another recording: someone gave it that name.
        let place = fs::canonicalize(source).unwrap_or_else(|_| source.into());
        if seen.insert((place, name_of(&spec))) {
            let files = files_of(&spec);
            sources.push((source, spec, files));
        } else {
            log::warn!("{} is named twice, and tracked once", redact(&source.to_string_lossy()));
        }
    }
    let names = unique(sources.iter().map(|(_, spec, _)| name_of(spec)).collect());
    let inputs = Inputs::of(sources.iter().flat_map(|(_, _, files)| files.iter().map(PathBuf::as_path)));
    let mut taken: HashMap<PathBuf, String> = HashMap::new();
    let mut jobs = Vec::new();
    for ((source, spec, files), name) in sources.into_iter().zip(names) {
        let shown = redact(&source.to_string_lossy());
        if name != name_of(&spec) {
            log::warn!("{shown} is called {} in the names of its results", name.to_string_lossy());
        }
        let (output, record) = expand(&args.output, settings, &name);
        let outputs = outputs(&output, &record)?;
        outputs.paths().try_for_each(|path| inputs.refuse(path))?;
        for path in outputs.paths() {
            for path in [path.to_owned(), partial_name(path)] {
                if let Some(other) = taken.insert(path.clone(), shown.clone()) {
                    let path = path.display();
                    return Err(Failure::Usage(format!(
                        "{other} and {shown} would both write {path}; let the names of the outputs differ more"
                    )));
                }
            }
        }
        let known: Vec<_> = files.iter().filter_map(|file| fs::metadata(file).ok()).collect();
        jobs.push(Job {
            source: source.to_owned(),
            shown,
            spec,
            outputs,
            size: (!known.is_empty()).then(|| known.iter().map(fs::Metadata::len).sum()),
            changed: known.iter().filter_map(|known| changed(known, SystemTime::now())).max(),
        });
    }
    Ok(jobs)
}

/// When a file was changed. A date in the future is wrong, and would make every result look old: then the time counts at
/// which the system last noted a change of the file, where it does.
fn changed(known: &fs::Metadata, now: SystemTime) -> Option<SystemTime> {
    let modified = known.modified().ok()?;
    if modified <= now {
        return Some(modified);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let seconds = u64::try_from(known.ctime()).ok()?;
        let noted = SystemTime::UNIX_EPOCH
            + std::time::Duration::new(seconds, u32::try_from(known.ctime_nsec()).ok()?);
        (noted <= now).then_some(noted)
    }
    #[cfg(not(unix))]
    None
}

/// With several recordings each output needs the place for their names.
fn check_templates(typed: &OutputArgs, settings: &RecordSettings) -> Result<(), Failure> {
    let video = typed.video.as_ref().or(settings.path.as_ref());
    if typed.metrics.is_some() {
        let why = "--metrics serves the numbers of one run; track the recordings one by one, or leave it out";
        return Err(Failure::Usage(why.to_owned()));
    }
    // Messages say which source they are of.
    let events = typed.events.iter().filter(|target| !is_address(target));
    let data = typed.tracks.iter().chain(events).chain(&typed.counts).chain(&typed.heat);
    let nameless = data.chain(video).chain(&typed.gif).find(|path| !has_name(path));
    let Some(path) = nameless else { return Ok(()) };
    let set =
        if typed.video.is_none() && settings.path.as_ref() == Some(path) { " (record.path)" } else { "" };
    let example = match path.extension() {
        Some(ending) => {
            let stem = path.with_extension("").display().to_string();
            format!("'{stem}-{NAME}.{}'", ending.to_string_lossy())
        }
        None => format!("'{NAME}.txt'"),
    };
    Err(Failure::Usage(format!(
        "several recordings cannot all be written to {}{set}: put {NAME} where the name of each recording belongs, \
         such as {example}",
        path.display()
    )))
}

/// Cameras and streams have no end, and the others would wait for it.
fn refuse_live(spec: &SourceSpec) -> Result<(), Failure> {
    let what = match spec {
        SourceSpec::Camera(index) => format!("camera {index}"),
        SourceSpec::Simulation { recording, .. } => format!("the simulated camera of {}", redact(recording)),
        SourceSpec::Url(url) if Input::Url(url.clone()).is_live() => redact(url),
        _ => return Ok(()),
    };
    Err(Failure::Usage(format!("{what} is live and has no end: track it alone, without other recordings")))
}

/// Makes the folders of the outputs.
///
/// # Errors
/// [`Failure::Failed`] where one cannot be made.
pub(super) fn make_folders(outputs: &Outputs) -> Result<(), Failure> {
    for folder in outputs.paths().filter_map(Path::parent).filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|error| {
            Failure::Failed(format!("cannot make the folder {}: {error}", folder.display()))
        })?;
    }
    Ok(())
}
