//! Files that are replaced in one step: a reader sees either the old contents or the new ones, always whole. Where the system
//! lets no file take the name (a single file that is mounted into a container, a folder that is closed to us), the contents
//! are written into the file that is there, which is not one step.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek};
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
/// one folder, or at least on one file system. Where the name is taken by a file that no other can replace, that file gets the
/// contents, and `temporary` is removed.
pub(crate) fn rename(file: &File, temporary: &Path, last: &Path, durability: Durability) -> io::Result<()> {
    if durability == Durability::OnDisk {
        file.sync_all()?;
    }
    match fs::rename(temporary, last) {
        Err(error) if keeps_its_place(&error) && last.is_file() => {
            let copy = |into: &mut File| io::copy(&mut File::open(temporary)?, into).map(drop);
            // The first error says what is wrong with the place, where not even that works.
            write_into(last, durability, copy).map_err(|second| {
                if second.kind() == io::ErrorKind::PermissionDenied { error } else { second }
            })?;
            // That it cannot be removed changes nothing: the contents are where they belong.
            let _ = fs::remove_file(temporary);
            Ok(())
        }
        outcome => outcome,
    }
}

/// Replaces `last` by what `write` writes, under the name `temporary` until it is complete (which is written over where it is
/// there). On an error `last` stays as it was, and nothing else is left behind.
pub(crate) fn replace(
    last: &Path,
    temporary: &Path,
    durability: Durability,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    match File::create(temporary) {
        Ok(file) => fill(file, last, temporary, durability, write),
        Err(error) if is_closed(&error) && last.is_file() => write_into(last, durability, write),
        Err(error) => Err(error),
    }
}

/// As [`replace`], under a temporary name that no other file has.
pub(crate) fn replace_beside(
    last: &Path,
    durability: Durability,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let name = last.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy().into_owned();
    let mut tries = 0;
    loop {
        let beside = last.with_file_name(format!(".{name}.{}-{tries}", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&beside) {
            Ok(file) => return fill(file, last, &beside, durability, write),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < 16 => tries += 1,
            Err(error) if is_closed(&error) && last.is_file() => {
                return write_into(last, durability, write);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Whether nothing can be made in a folder.
pub(crate) fn is_closed(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// Whether a file cannot be replaced by another: it is mounted by itself, or its folder is closed.
fn keeps_its_place(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices) || is_closed(error)
}

/// Writes over the file that is there. Its old end goes last, so that a reader never finds it empty.
fn write_into(
    last: &Path,
    durability: Durability,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(last)?;
    write(&mut file)?;
    let length = file.stream_position()?;
    file.set_len(length)?;
    if durability == Durability::OnDisk { file.sync_all() } else { Ok(()) }
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
        assert!(replace_beside(&last, Durability::OnDisk, halfway).is_err());
        assert_eq!(fs::read_to_string(&last).unwrap(), "old");
        fs::write(&temporary, "left from an earlier run, and longer").unwrap();
        replace(&last, &temporary, Durability::OnDisk, |file| file.write_all(b"new")).unwrap();
        assert_eq!(fs::read_to_string(&last).unwrap(), "new");
        replace_beside(&last, Durability::OnDisk, |file| file.write_all(b"newer")).unwrap();
        assert_eq!(fs::read_to_string(&last).unwrap(), "newer");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_keeps_its_place_gets_the_contents() {
        let folder = tempfile::tempdir().unwrap();
        let last = folder.path().join("a.txt");
        fs::write(&last, "old, and longer than the new").unwrap();
        write_into(&last, Durability::OnDisk, |file| file.write_all(b"new")).unwrap();
        assert_eq!(fs::read_to_string(&last).unwrap(), "new");
        assert!(write_into(&folder.path().join("none"), Durability::Visible, |_| Ok(())).is_err());
        for kind in
            [io::ErrorKind::ResourceBusy, io::ErrorKind::CrossesDevices, io::ErrorKind::ReadOnlyFilesystem]
        {
            assert!(keeps_its_place(&kind.into()), "{kind:?}");
        }
        assert!(!keeps_its_place(&io::ErrorKind::StorageFull.into()));
    }

    /// The superuser may write anywhere, and everyone else not here.
    #[cfg(unix)]
    #[test]
    fn in_a_closed_folder_the_file_itself_is_written() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let last = folder.path().join("a.txt");
        fs::write(&last, "old").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
        replace(&last, &folder.path().join("b"), Durability::Visible, |file| file.write_all(b"n")).unwrap();
        assert_eq!(fs::read_to_string(&last).unwrap(), "n");
        replace_beside(&last, Durability::OnDisk, |file| file.write_all(b"newer")).unwrap();
        assert_eq!(fs::read_to_string(&last).unwrap(), "newer");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    }
}
