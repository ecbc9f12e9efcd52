//! The folder of fetched models: `$XDG_CACHE_HOME/trailsight/models`, or where the system keeps caches. It may be copied,
//! and a copy serves as a mirror: a model is the file `NAME.onnx` in both.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::ZooError;
use super::table::Entry;
use crate::bounded;

/// What is there of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// It is a part of the program.
    BuiltIn,
    /// A file of the right length; whether its bytes are right is looked at when it is loaded or verified.
    There,
    /// A file of another length.
    Changed(u64),
    /// The beginning of a download.
    Partial(u64),
    /// Nothing.
    Missing,
}

/// The folder of fetched models, which need not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// The user's.
    ///
    /// # Errors
    /// [`ZooError::NoFolder`] where the system tells no folder for caches.
    pub fn of_user() -> Result<Self, ZooError> {
        let folders = directories::ProjectDirs::from("", "", "trailsight").ok_or(ZooError::NoFolder)?;
        Ok(Self::at(folders.cache_dir().join("models")))
    }

    /// One at this place.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the file of a model is or will be.
    pub fn path(&self, entry: &Entry) -> PathBuf {
        self.folder.join(entry.file_name())
    }

    /// Where the beginning of a download is kept. No reader takes it for the model.
    pub fn partial(&self, entry: &Entry) -> PathBuf {
        self.folder.join(format!("{}.partial", entry.file_name()))
    }

    /// What is there of a model.
    pub fn state(&self, entry: &Entry) -> FileState {
        let length = |path: &Path| fs::metadata(path).ok().map(|about| about.len());
        match length(&self.path(entry)) {
            _ if entry.built_in => FileState::BuiltIn,
            Some(bytes) if bytes == entry.bytes => FileState::There,
            Some(bytes) => FileState::Changed(bytes),
            None => length(&self.partial(entry)).map_or(FileState::Missing, FileState::Partial),
        }
    }

    /// The file of a model, which has the right length; its bytes are not looked at.
    ///
    /// # Errors
    /// [`ZooError::BuiltIn`], [`ZooError::Missing`] or [`ZooError::Changed`].
    pub fn file(&self, entry: &Entry) -> Result<PathBuf, ZooError> {
        let name = entry.name.clone();
        match self.state(entry) {
            FileState::BuiltIn => Err(ZooError::BuiltIn { name, what: "name" }),
            FileState::There => Ok(self.path(entry)),
            FileState::Changed(bytes) => Err(changed(self, entry, length(bytes, entry.bytes))),
            FileState::Missing | FileState::Partial(_) => Err(ZooError::Missing { name }),
        }
    }

    /// The bytes of a model, which are those that the table describes.
    ///
    /// # Errors
    /// As [`Cache::file`]; [`ZooError::File`] where it cannot be read.
    pub fn read(&self, entry: &Entry) -> Result<Vec<u8>, ZooError> {
        let path = self.file(entry)?;
        let bytes = bounded::read(&path, entry.bytes);
        let bytes = bytes.map_err(|why| ZooError::File { path, tried: "read", why })?;
        let found = sha256(&bytes);
        if found != entry.sha256 {
            return Err(changed(self, entry, hash(&found, &entry.sha256)));
        }
        Ok(bytes)
    }

    /// Hashes the file of a model anew.
    ///
    /// # Errors
    /// As [`Cache::read`].
    pub fn verify(&self, entry: &Entry) -> Result<(), ZooError> {
        self.read(entry).map(drop)
    }

    /// Removes what is there of a model: its file, or the beginning of it. The file that a link leads to stays.
    ///
    /// # Errors
    /// [`ZooError::Missing`] where there is nothing, [`ZooError::BuiltIn`], or [`ZooError::File`].
    pub fn remove(&self, entry: &Entry) -> Result<u64, ZooError> {
        if entry.built_in {
            return Err(ZooError::BuiltIn { name: entry.name.clone(), what: "remove" });
        }
        let mut freed = None;
        for path in [self.path(entry), self.partial(entry)] {
            let bytes = fs::symlink_metadata(&path).map(|about| about.len()).unwrap_or_default();
            match fs::remove_file(&path) {
                Ok(()) => *freed.get_or_insert(0) += bytes,
                Err(why) if why.kind() == io::ErrorKind::NotFound => {}
                Err(why) => return Err(ZooError::File { path, tried: "remove", why }),
            }
        }
        freed.ok_or_else(|| ZooError::Missing { name: entry.name.clone() })
    }

    /// How many files it holds, and their bytes; downloads that were cut count too.
    pub fn size(&self) -> (usize, u64) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let files = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
        let lengths = files.filter_map(|entry| fs::metadata(entry.path()).ok()).filter(fs::Metadata::is_file);
        lengths.fold((0, 0), |(count, bytes), about| (count + 1, bytes + about.len()))
    }
}

fn changed(cache: &Cache, entry: &Entry, why: String) -> ZooError {
    ZooError::Changed { name: entry.name.clone(), path: cache.path(entry), why }
}

/// Says how two lengths differ.
fn length(found: u64, expected: u64) -> String {
    format!("it has {found} bytes instead of {expected}")
}

/// Says how two hashes differ.
pub(super) fn hash(found: &str, expected: &str) -> String {
    let short = |hash: &str| hash.get(..12).unwrap_or(hash).to_owned();
    format!("its SHA-256 is {}… instead of {}…", short(found), short(expected))
}

/// The SHA-256 of these bytes, as 64 hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
