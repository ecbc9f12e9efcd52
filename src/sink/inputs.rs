//! The files that are read, so that nothing is written over them, by whatever name.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::SinkError;
use super::partial::Place;

/// What a file is, rather than what it is called.
#[cfg(unix)]
type FileId = (u64, u64);
#[cfg(not(unix))]
type FileId = PathBuf;

/// What the file that `path` leads to is; `None` where there is none, or it is no regular file: a device may be read and
/// written (a terminal).
fn identity(path: &Path) -> Option<FileId> {
    let known = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Some((known.dev(), known.ino()))
    }
    #[cfg(not(unix))]
    {
        drop(known);
        fs::canonicalize(path).ok()
    }
}

/// Files that must not be written to, known also through links and by other spellings of their names.
#[derive(Debug, Default)]
pub struct Inputs(HashMap<FileId, PathBuf>);

impl Inputs {
    /// These files; what is no file, or not there, does not count.
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Self {
        Self(paths.into_iter().filter_map(|path| Some((identity(path)?, path.to_owned()))).collect())
    }

    /// Says so where writing `output` would destroy one of them: under its name, or the name that it has until it is
    /// complete.
    ///
    /// # Errors
    /// [`SinkError::Place`].
    pub fn refuse(&self, output: &Path) -> Result<(), SinkError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let written = match Place::of(output)? {
            Place::Partial { partial, last } => vec![partial, last],
            Place::Stdout | Place::Direct(_) => vec![],
        };
        match written.iter().find_map(|file| self.0.get(&identity(file)?)) {
            Some(input) => Err(SinkError::Place {
                path: output.display().to_string(),
                why: format!("that would overwrite the input {}; choose another name", input.display()),
            }),
            None => Ok(()),
        }
    }
}

/// As [`Inputs::refuse`], for a single input.
///
/// # Errors
/// [`SinkError::Place`].
pub fn refuse_input(output: &Path, input: &Path) -> Result<(), SinkError> {
    Inputs::of([input]).refuse(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_input_is_ever_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("in.txt"), "").unwrap();
        fs::write(at("out.partial.txt"), "").unwrap();
        fs::create_dir(at("sub")).unwrap();
        assert!(refuse_input(&at("sub/../in.txt"), &at("in.txt")).is_err());
        assert!(refuse_input(&at("out.txt"), &at("out.partial.txt")).is_err());
        assert!(refuse_input(&at("other.txt"), &at("in.txt")).is_ok());
        assert!(refuse_input(Path::new("-"), &at("in.txt")).is_ok());
        assert!(refuse_input(&at("in.txt"), &at("gone.txt")).is_ok());
        let both = [at("in.txt"), at("out.partial.txt")];
        let said = Inputs::of(both.iter().map(PathBuf::as_path)).refuse(&at("out.txt")).unwrap_err();
        assert!(said.to_string().contains("overwrite the input") && said.to_string().contains("out.partial"));
        #[cfg(unix)]
        {
            fs::hard_link(at("in.txt"), at("hard.txt")).unwrap();
            std::os::unix::fs::symlink(at("in.txt"), at("soft.txt")).unwrap();
            for link in ["hard.txt", "soft.txt"] {
                assert!(refuse_input(&at(link), &at("in.txt")).is_err(), "{link}");
                assert!(refuse_input(&at("in.txt"), &at(link)).is_err(), "{link}");
            }
        }
    }
}
