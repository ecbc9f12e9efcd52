//! Track files that are written line by line.

use std::path::{Path, PathBuf};

use super::super::{End, FrameFacts, PartialFile, RunInfo, Sink, SinkError};
use crate::scene::Scene;

/// How a kind of track file looks.
pub(in crate::sink) trait LineFormat: Send {
    /// What stands before the first frame.
    fn header(&self) -> String {
        String::new()
    }

    /// Whether what the end of the run brings is written, too: events.
    const LAST: bool = false;

    /// Appends the lines of a frame to `text`, each with its line feed.
    fn push_scene(&self, text: &mut String, scene: &Scene, frame: &FrameFacts, run: &RunInfo);
}

/// Writes the lines of each frame to a file, at once.
pub(in crate::sink) struct LineSink<F> {
    format: F,
    path: PathBuf,
    name: String,
    /// From the begin on.
    open: Option<(PartialFile, RunInfo)>,
    /// The text of one frame, kept for its buffer.
    text: String,
}

impl<F: LineFormat> LineSink<F> {
    pub(in crate::sink) fn new(path: &Path, format: F) -> Self {
        let (path, name) = (path.to_owned(), path.display().to_string());
        Self { format, path, name, open: None, text: String::new() }
    }
}

impl<F: LineFormat> Sink for LineSink<F> {
    fn name(&self) -> &str {
        &self.name
    }

    fn begin(&mut self, run: &RunInfo) -> Result<(), SinkError> {
        let file = PartialFile::create(&self.path)?;
        let (file, _) = self.open.insert((file, run.clone()));
        let header = self.format.header();
        if header.is_empty() { Ok(()) } else { file.append(header.as_bytes()) }
    }

    fn scene(&mut self, scene: &Scene, frame: &FrameFacts) -> Result<(), SinkError> {
        let Some((file, run)) = &mut self.open else { return Ok(()) };
        self.text.clear();
        self.format.push_scene(&mut self.text, scene, frame, run);
        if self.text.is_empty() { Ok(()) } else { file.append(self.text.as_bytes()) }
    }

    fn last(&mut self, scene: &Scene, frame: &FrameFacts) -> Result<(), SinkError> {
        if F::LAST { self.scene(scene, frame) } else { Ok(()) }
    }

    fn finish(self: Box<Self>, end: End) -> Result<(), SinkError> {
        self.open.map_or(Ok(()), |(file, _)| file.end(end))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::format::tests::{facts, run, scene};
    use super::*;
    use crate::sink::{Purpose, Registry, Sinks};

    fn open(path: &Path) -> Result<Sinks, SinkError> {
        Sinks::begin(vec![Registry::default().make(Purpose::Tracks, path, 80)?], &run())
    }

    #[test]
    fn every_ending_is_written_at_once_and_named_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        for (name, lines) in [("a.txt", 1), ("b.JSONL", 1), ("c.csv", 3)] {
            let path = folder.path().join(name);
            let mut sinks = open(&path).unwrap();
            sinks.scene(&scene(), &facts()).unwrap();
            let (stem, extension) = name.split_once('.').unwrap();
            let partial = folder.path().join(format!("{stem}.partial.{extension}"));
            let so_far = fs::read_to_string(&partial).unwrap();
            assert!(so_far.ends_with('\n') && so_far.lines().count() == lines, "{name}: {so_far}");
            sinks.finish(End::Complete).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), so_far);
            assert!(!partial.exists());
        }
    }

    #[test]
    fn how_a_run_ends_is_how_the_file_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let (path, partial) = (folder.path().join("a.csv"), folder.path().join("a.partial.csv"));
        open(&path).unwrap().finish(End::Stopped).unwrap();
        assert!(partial.exists() && !path.exists());
        open(&path).unwrap().finish(End::Discarded).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn other_endings_are_refused_before_anything_is_made() {
        let folder = tempfile::tempdir().unwrap();
        for (name, ending) in [("a.xml", ".xml"), ("tracks", "(none)")] {
            let said = open(&folder.path().join(name)).unwrap_err().to_string();
            assert!(
                said.contains(&format!("the ending {ending} is not known")) && said.contains(".jsonl"),
                "{said}"
            );
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error() {
        let mut sinks = open(Path::new("/dev/full")).unwrap();
        let error = sinks.scene(&scene(), &facts()).unwrap_err();
        assert!(error.to_string().contains("disk is full") && !error.is_closed(), "{error}");
    }
}
