//! Files that are replaced in one step: a reader sees either the old contents or the new ones, always whole.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

/// What is certain when a file has its new name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Its contents are on disk: after a power cut the name never holds half a file.
    OnDisk,
    /// Other programs see it; the system writes it to disk when it likes. For what is replaced many times a second.
    Visible,
}

/// Gives a file that was written under `temporary` its final name; whatever had that name is replaced. Both names must be in
/// one folder, or at least on one file system.
pub(crate) fn rename(file: &File, temporary: &Path, last: &Path, durability: Durability) -> io::Result<()> {
    if durability == Durability::OnDisk {
        file.sync_all()?;
    }
    fs::rename(temporary, last)
}

/// Replaces `last` by what `write` writes, under the name `temporary` until it is complete (which is written over where it is
/// there). On an error `last` stays as it was, and nothing else is left behind.
pub(crate) fn replace(
    last: &Path,
    temporary: &Path,
    durability: Durability,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let file = File::create(temporary)?;
    fill(file, last, temporary, durability, write)
}

/// As [`replace`], on disk, under a temporary name that no other file has.
pub(crate) fn replace_beside(last: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let name = last.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy().into_owned();
    let mut tries = 0;
    loop {
        let beside = last.with_file_name(format!(".{name}.{}-{tries}", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&beside) {
            Ok(file) => return fill(file, last, &beside, Durability::OnDisk, write),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < 16 => tries += 1,
            Err(error) => return Err(error),
        }
    }
}

fn fill(
    mut file: File,
    last: &Path,
    temporary: &Path,
    durability: Durability,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let outcome = write(&mut file).and_then(|()| rename(&file, temporary, last, durability));
    if outcome.is_err() {
        // Half a file helps nobody; that it cannot be removed either changes nothing.
        let _ = fs::remove_file(temporary);
    }
    outcome
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let (last, temporary) = (folder.path().join("a.txt"), folder.path().join("a.txt.new"));
        fs::write(&last, "old").unwrap();
        let halfway = |file: &mut File| {
            file.write_all(b"ha")?;
            Err(io::ErrorKind::StorageFull.into())
        };
        assert!(replace(&last, &temporary, Durability::Visible, halfway).is_err());
        assert!(replace_beside(&last, halfway).is_err());
        assert_eq!(fs::read_to_string(&last).unwrap(), "old");
        fs::write(&temporary, "left from an earlier run, and longer").unwrap();
        replace(&last, &temporary, Durability::OnDisk, |file| file.write_all(b"new")).unwrap();
        assert_eq!(fs::read_to_string(&last).unwrap(), "new");
        replace_beside(&last, |file| file.write_all(b"newer")).unwrap();
        assert_eq!(fs::read_to_string(&last).unwrap(), "newer");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
