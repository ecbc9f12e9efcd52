//! Which recordings the keys for the next and the one before lead to: those that were named, else the recordings beside the
//! only one, in its folder.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::source::SourceSpec;

/// Endings of files that are recordings, in lower case.
const ENDINGS: [&str; 18] = [
    "mp4", "m4v", "mkv", "mov", "avi", "webm", "mpg", "mpeg", "ts", "mts", "m2ts", "wmv", "flv", "3gp",
    "ogv", "vob", "asf", "gif",
];

/// Sources, one after the other.
#[derive(Debug)]
pub(super) struct Playlist {
    sources: Vec<OsString>,
    begin: usize,
}

impl Playlist {
    /// The list that these sources make.
    pub(super) fn new(sources: &[OsString]) -> Self {
        match sources {
            [only] => Self::beside(only).unwrap_or_else(|| Self { sources: vec![only.clone()], begin: 0 }),
            several => Self { sources: several.to_vec(), begin: 0 },
        }
    }

    /// A recording with those beside it, in natural order.
    fn beside(only: &OsStr) -> Option<Self> {
        let SourceSpec::Video(path) = SourceSpec::parse_os(only) else { return None };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?;
        let is_recording = |name: &Path| {
            let ending = name.extension().map(|ending| ending.to_string_lossy().to_lowercase());
            ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
        };
        // Named as the user named the first, so that messages look alike.
        let named = |name: OsString| folder.map_or_else(|| name.clone().into(), |folder| folder.join(&name));
        let mut paths: Vec<_> = entries.filter_map(|entry| Some(named(entry.ok()?.file_name()))).collect();
        paths.retain(|other| *other == path || is_recording(other) && other.is_file());
        if !paths.contains(&path) {
            paths.push(path.clone());
        }
        paths.sort_by(|a, b| crate::natural_order::compare(a, b));
        let begin = paths.iter().position(|other| *other == path)?;
        Some(Self { sources: paths.into_iter().map(Into::into).collect(), begin })
    }

    /// The place of the one to begin with.
    pub(super) fn begin(&self) -> usize {
        self.begin
    }

    /// How many there are; one where none was named.
    pub(super) fn len(&self) -> usize {
        self.sources.len().max(1)
    }

    /// The one at a place.
    pub(super) fn get(&self, place: usize) -> Option<&OsStr> {
        self.sources.get(place).map(OsString::as_os_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_beside_one_follow_it_in_natural_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b2.mp4", "b10.MKV", "a.avi", "notes.txt", "c.png"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        std::fs::create_dir(folder.path().join("folder.mp4")).unwrap();
        let list = Playlist::new(&[folder.path().join("b2.mp4").into()]);
        let names: Vec<_> = (0..list.len())
            .map(|i| Path::new(list.get(i).unwrap()).file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!((names, list.begin()), (["a.avi", "b2.mp4", "b10.MKV"].map(String::from).to_vec(), 1));
    }

    #[test]
    fn what_was_named_is_the_list() {
        for (named, len) in [(vec![], 1), (vec!["0"], 1), (vec!["demo", "x.mp4", "rtsp://a/b"], 3)] {
            let named: Vec<OsString> = named.into_iter().map(OsString::from).collect();
            let list = Playlist::new(&named);
            assert_eq!((list.len(), list.begin()), (len, 0));
            assert_eq!(list.get(0), named.first().map(OsString::as_os_str));
        }
    }
}
