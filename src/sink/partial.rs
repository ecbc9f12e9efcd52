//! Files that have their name only when they are complete.
//!
//! A result is written as `NAME.partial.EXT` beside its final name, readable at any moment, and takes its name in one
//! step when it is finished; whatever had that name before stays until then. A file in a folder that is closed to us, or one
//! that is mounted by itself, keeps its place and is written into: at the end, or where nothing can be made beside it all the
//! time. Standard output (`-`) and whatever is not
//! a regular file (a device, a FIFO) are written directly. Knows nothing of what is written.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::{End, SinkError};
use crate::atomic_file::{self, Durability};

/// Where an output goes, checked.
#[derive(Debug)]
pub(super) enum Place {
    /// Standard output.
    Stdout,
    /// A device or a FIFO: written directly.
    Direct(PathBuf),
    /// A file, written under the first name until it may have the second.
    Partial { partial: PathBuf, last: PathBuf },
}

impl Place {
    /// Finds out where `path` goes.
    ///
    /// # Errors
    /// [`SinkError::Place`] where it cannot be a file: a folder, no file name, write-protected.
    pub(super) fn of(path: &Path) -> Result<Self, SinkError> {
        let refuse =
            |why: &str| Err(SinkError::Place { path: path.display().to_string(), why: why.to_owned() });
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        let mut last = path.to_owned();
        match fs::metadata(path) {
            Ok(known) if known.is_dir() => return refuse("it is a folder; name a file in it"),
            Ok(known) if !known.is_file() => return Ok(Self::Direct(last)),
            Ok(known) if known.permissions().readonly() => {
                return refuse("the file is write-protected; choose another name, or change its permissions");
            }
            Ok(_) if is_fixed(path) => return refuse("it cannot be written; choose another name"),
            // Through a symbolic link the file it leads to is replaced, and the link stays.
            Ok(_) if path.is_symlink() => {
                last = fs::canonicalize(path)
                    .map_err(|error| SinkError::opening(path, folder_of(path), &error))?;
            }
            _ => {}
        }
        let ends_in_separator =
            path.as_os_str().as_encoded_bytes().last().is_some_and(|&b| std::path::is_separator(b.into()));
        match last.file_name() {
            Some(_) if !ends_in_separator => Ok(Self::Partial { partial: partial_name(&last), last }),
            _ => refuse("it names no file; add a file name"),
        }
    }
}

/// The name that a file has until it is complete: `NAME.partial.EXT` beside it.
pub fn partial_name(path: &Path) -> PathBuf {
    let mut partial = path.file_stem().unwrap_or_default().to_owned();
    partial.push(".partial");
    if let Some(extension) = path.extension() {
        partial.push(".");
        partial.push(extension);
    }
    path.with_file_name(partial)
}

/// The folder that a path lies in; `.` where it names none.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether a file that is there can neither be replaced nor written: it is mounted by itself, and closed to us.
fn is_fixed(path: &Path) -> bool {
    let closed =
        || OpenOptions::new().write(true).open(path).is_err_and(|error| atomic_file::is_closed(&error));
    is_mounted(path) && closed()
}

/// Whether a file is a mount point, as the system lists them; no where it has no such list.
fn is_mounted(path: &Path) -> bool {
    let (Ok(mounts), Ok(path)) = (fs::read_to_string("/proc/self/mountinfo"), fs::canonicalize(path)) else {
        return false;
    };
    is_listed(&mounts, &path.to_string_lossy())
}

/// Whether a list of mounts names this path: the fifth word of a line, blanks and backslashes in octal.
fn is_listed(mounts: &str, path: &str) -> bool {
    let escaped =
        path.replace('\\', "\\134").replace(' ', "\\040").replace('\t', "\\011").replace('\n', "\\012");
    mounts.lines().any(|line| line.split(' ').nth(4) == Some(escaped.as_str()))
}

/// Where the bytes go.
#[derive(Debug)]
enum Goal {
    Stdout(io::Stdout),
    Direct(File),
    Partial {
        file: File,
        partial: PathBuf,
        last: PathBuf,
    },
    /// A file that is there, under its own name. What was in it stays until there is something new.
    InPlace {
        file: File,
        path: PathBuf,
        begun: bool,
    },
}

/// An output that gets its final name only by [`PartialFile::finish`]. Unbuffered: what was written is in the file.
#[derive(Debug)]
pub struct PartialFile {
    /// As the user named it.
    name: String,
    goal: Goal,
}

impl PartialFile {
    /// Opens `path` for writing; `-` is standard output.
    ///
    /// # Errors
    /// [`SinkError::Place`] where it cannot be: folder missing or closed to us, a folder itself, no file name,
    /// write-protected, or just being written by another run.
    pub fn create(path: &Path) -> Result<Self, SinkError> {
        let name = path.display().to_string();
        let goal = match Place::of(path)? {
            Place::Stdout => {
                return Ok(Self { name: "standard output".to_owned(), goal: Goal::Stdout(io::stdout()) });
            }
            Place::Direct(device) => {
                let file = OpenOptions::new().write(true).open(&device);
                Goal::Direct(file.map_err(|error| SinkError::opening(path, folder_of(&device), &error))?)
            }
            Place::Partial { partial, last } => {
                let Opened { file, target } = open_alone(path, &partial, &last)?;
                if target == last {
                    Goal::InPlace { file, path: target, begun: false }
                } else {
                    Goal::Partial { file, partial, last }
                }
            }
        };
        Ok(Self { name, goal })
    }

    /// The output as the user named it, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file where the bytes are until it is finished, if it is one.
    pub fn path(&self) -> Option<&PathBuf> {
        match &self.goal {
            Goal::Partial { partial, .. } => Some(partial),
            Goal::InPlace { path, .. } => Some(path),
            Goal::Stdout(_) | Goal::Direct(_) => None,
        }
    }

    /// Appends all of `bytes`.
    ///
    /// # Errors
    /// [`SinkError::Write`], or [`SinkError::Closed`] where the reader of a pipe went away.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        let outcome = match &mut self.goal {
            Goal::Stdout(stdout) => stdout.write_all(bytes).and_then(|()| stdout.flush()),
            Goal::Direct(file) | Goal::Partial { file, .. } => file.write_all(bytes),
            Goal::InPlace { file, begun, .. } => begin(file, begun).and_then(|()| file.write_all(bytes)),
        };
        outcome.map_err(|error| self.failed(&error))
    }

    /// Whether [`PartialFile::replace`] works here: in a regular file, not in a device or pipe.
    pub fn can_replace(&self) -> bool {
        matches!(self.goal, Goal::Partial { .. } | Goal::InPlace { .. })
    }

    /// Writes `bytes` over what lies at `offset` from the start, and goes back to the end. Does nothing where
    /// [`PartialFile::can_replace`] is false.
    ///
    /// # Errors
    /// [`SinkError::Write`].
    pub fn replace(&mut self, offset: u64, bytes: &[u8]) -> Result<(), SinkError> {
        let outcome = match &mut self.goal {
            Goal::Partial { file, .. } | Goal::InPlace { file, .. } => file
                .seek(SeekFrom::Start(offset))
                .and_then(|_| file.write_all(bytes))
                .and_then(|()| file.seek(SeekFrom::End(0))),
            Goal::Stdout(_) | Goal::Direct(_) => Ok(0),
        };
        outcome.map(drop).map_err(|error| self.failed(&error))
    }

    /// Puts `bytes` in the place of all that was written. In a regular file that can have a new one beside it this is one
    /// step: a reader finds the old contents or the new ones whole. Standard output, a device or a pipe gets them behind what
    /// it has.
    ///
    /// # Errors
    /// As [`PartialFile::append`].
    pub fn exchange(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        let outcome = match &mut self.goal {
            Goal::Partial { file, partial, .. } => {
                let replaced =
                    atomic_file::replace_beside(partial, Durability::Visible, |new| new.write_all(bytes));
                replaced.and_then(|()| OpenOptions::new().write(true).open(&*partial)).map(|new| {
                    // It was ours a moment ago, and stays so.
                    let _ = new.try_lock();
                    *file = new;
                })
            }
            Goal::InPlace { file, begun, .. } => {
                *begun = true;
                file.set_len(0)
                    .and_then(|()| file.seek(SeekFrom::Start(0)))
                    .and_then(|_| file.write_all(bytes))
            }
            Goal::Stdout(_) | Goal::Direct(_) => return self.append(bytes),
        };
        outcome.map_err(|error| self.failed(&error))
    }

    /// Ends the output as a sink is asked to: under its final name, under its partial name, or removed.
    ///
    /// # Errors
    /// As [`PartialFile::finish`].
    pub fn end(self, end: End) -> Result<(), SinkError> {
        match end {
            End::Complete => self.finish(),
            End::Stopped => Ok(()),
            End::Discarded => {
                if let Goal::Partial { partial, .. } = &self.goal {
                    // That it cannot be removed changes nothing: the run has failed for another reason.
                    let _ = fs::remove_file(partial);
                }
                Ok(())
            }
        }
    }

    /// Completes the output: on disk, and under its final name. Whatever had that name is replaced.
    ///
    /// # Errors
    /// [`SinkError::Write`]; the partial file stays.
    pub fn finish(mut self) -> Result<(), SinkError> {
        let outcome = match &mut self.goal {
            Goal::Stdout(stdout) => stdout.lock().flush(),
            Goal::Direct(_) => Ok(()),
            Goal::Partial { file, partial, last } => {
                atomic_file::rename(file, partial, last, Durability::OnDisk)
            }
            Goal::InPlace { file, begun, .. } => begin(file, begun).and_then(|()| file.sync_all()),
        };
        outcome.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &io::Error) -> SinkError {
        SinkError::writing(&self.name, self.path(), error)
    }
}

/// Takes away what was in a file that is written in place, before the first new bytes.
fn begin(file: &File, begun: &mut bool) -> io::Result<()> {
    if std::mem::replace(begun, true) { Ok(()) } else { file.set_len(0) }
}

/// A file that is open for writing by us alone.
pub(super) struct Opened {
    pub(super) file: File,
    /// Where it lies: under the partial name, or under the last one where nothing can be made beside it.
    pub(super) target: PathBuf,
}

/// Opens the partial file of `path` empty for writing, unless another handle of ours or of another run holds it: two
/// writers would make rubbish of it. Where its folder is closed to us, but the file `last` is there and open, that one is
/// opened, with what is in it.
pub(super) fn open_alone(path: &Path, partial: &Path, last: &Path) -> Result<Opened, SinkError> {
    let open = |target: &Path, create: bool| -> io::Result<File> {
        let file = OpenOptions::new().write(true).create(create).truncate(false).open(target)?;
        // Where locks bind (not on Unix) an encoder could not write the file that we hold for it.
        if cfg!(unix) && matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(file)
    };
    let beside = open(partial, true).and_then(|file| file.set_len(0).map(|()| file));
    let error = match beside {
        Ok(file) => return Ok(Opened { file, target: partial.to_owned() }),
        Err(error) => error,
    };
    if atomic_file::is_closed(&error)
        && let Ok(file) = open(last, false)
    {
        log::warn!(
            "{}: nothing can be written beside it: what it held goes when the first result comes, and until the run \
             ends it is not complete",
            path.display()
        );
        return Ok(Opened { file, target: last.to_owned() });
    }
    let refuse = |why: String| SinkError::Place { path: path.display().to_string(), why };
    Err(match error.kind() {
        io::ErrorKind::WouldBlock => {
            refuse("another output or another run is writing it; choose another name".to_owned())
        }
        io::ErrorKind::IsADirectory => {
            refuse(format!("{} is a folder; remove it or choose another name", partial.display()))
        }
        _ => SinkError::opening(path, folder_of(partial), &error),
    })
}

/// The ending of a name, in lower case and without its dot; empty where there is none.
pub(super) fn ending(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// Whether `path` is standard output, a device or a FIFO: something whose name says nothing of a format.
pub(super) fn is_special(path: &Path) -> bool {
    path.as_os_str() == "-" || fs::metadata(path).is_ok_and(|known| !known.is_file() && !known.is_dir())
}

/// The error for an ending that nothing is known for.
pub(super) fn unknown_ending(path: &Path, known: String) -> SinkError {
    let ending = path.extension().map(|extension| {
        let mut dotted = OsString::from(".");
        dotted.push(extension);
        dotted.to_string_lossy().into_owned()
    });
    SinkError::Ending {
        path: path.display().to_string(),
        ending: ending.unwrap_or_else(|| "(none)".to_owned()),
        known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn has_its_name_only_when_finished_and_replaces_only_then() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.b.txt");
        fs::write(&path, "old").unwrap();
        let mut file = PartialFile::create(&path).unwrap();
        file.append(b"new").unwrap();
        assert_eq!(names(folder.path()), ["a.b.partial.txt", "a.b.txt"]);
        assert_eq!(fs::read_to_string(folder.path().join("a.b.partial.txt")).unwrap(), "new");
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        file.replace(0, b"N").unwrap();
        file.append(b"!").unwrap();
        file.finish().unwrap();
        assert_eq!(names(folder.path()), ["a.b.txt"]);
        assert_eq!(fs::read_to_string(&path).unwrap(), "New!");
    }

    #[test]
    fn dropped_unfinished_it_stays_partial_and_can_be_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        PartialFile::create(&path).unwrap().append(b"half a file").unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("out.partial")).unwrap(), "half a file");
        assert!(!path.exists());
        PartialFile::create(&path).unwrap().finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
        assert_eq!(names(folder.path()), ["out"]);
    }

    #[test]
    fn all_of_it_is_exchanged_in_one_step() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let mut file = PartialFile::create(&path).unwrap();
        for text in ["a long text", "short", "another one"] {
            file.exchange(text.as_bytes()).unwrap();
            assert_eq!(names(folder.path()), ["a.partial.json"]);
            assert_eq!(fs::read_to_string(folder.path().join("a.partial.json")).unwrap(), text);
            if cfg!(unix) {
                assert!(PartialFile::create(&path).is_err());
            }
        }
        file.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "another one");
        assert_eq!(names(folder.path()), ["a.json"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.txt"), folder.path().join("link.txt"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let mut file = PartialFile::create(&link).unwrap();
        file.append(b"new").unwrap();
        file.finish().unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
    }

    #[test]
    fn places_that_cannot_be_say_why() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let file = at("file");
        fs::write(&file, "").unwrap();
        let protected = at("protected.txt");
        fs::write(&protected, "mine").unwrap();
        let mut permissions = fs::metadata(&protected).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&protected, permissions).unwrap();
        for (path, wanted) in [
            (at("missing/out.txt"), "does not exist; create it first"),
            (folder.path().to_owned(), "it is a folder; name a file in it"),
            (at("new/"), "names no file"),
            (PathBuf::new(), "names no file"),
            (at("file/out.txt"), "is not a folder"),
            (protected, "write-protected"),
        ] {
            let said = PartialFile::create(&path).unwrap_err().to_string();
            assert!(said.starts_with("cannot write ") && said.contains(wanted), "{path:?}: {said}");
        }
        assert_eq!(names(folder.path()), ["file", "protected.txt"]);
    }

    #[test]
    fn one_file_has_one_writer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.txt");
        let first = PartialFile::create(&path).unwrap();
        if cfg!(unix) {
            let said = PartialFile::create(&path).unwrap_err().to_string();
            assert!(said.contains("another run is writing it"), "{said}");
        }
        first.finish().unwrap();
        PartialFile::create(&path).unwrap();
    }

    #[test]
    fn mount_points_are_found_by_their_whole_names() {
        let mounts = "36 35 98:0 / /mnt rw shared:1 - ext3 /dev/root rw\n\
                      37 36 0:9 /x /a\\040b\\134c.txt ro - overlay o rw\n";
        assert!(is_listed(mounts, "/mnt") && is_listed(mounts, "/a b\\c.txt"));
        assert!(!is_listed(mounts, "/") && !is_listed(mounts, "/mnt/a") && !is_listed(mounts, "rw"));
        assert!(!is_mounted(Path::new("Cargo.toml")));
    }

    #[cfg(unix)]
    #[test]
    fn where_nothing_can_be_made_beside_it_the_file_itself_is_written() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.txt");
        fs::write(&path, "old and long").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
        if File::create(folder.path().join("probe")).is_ok() {
            println!("skipped: this user writes to closed folders");
            return;
        }
        let mut file = PartialFile::create(&path).unwrap();
        assert!(PartialFile::create(&path).unwrap_err().to_string().contains("another run"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old and long");
        file.append(b"new").unwrap();
        file.replace(0, b"N").unwrap();
        file.append(b"!").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "New!");
        file.finish().unwrap();
        PartialFile::create(&path).unwrap().end(End::Discarded).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "New!");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_closed_folder_is_said() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
        match PartialFile::create(&folder.path().join("out.txt")) {
            // The superuser may write anywhere.
            Ok(_) => println!("skipped: this user writes to closed folders"),
            Err(error) => assert!(error.to_string().contains("no permission to write in"), "{error}"),
        }
        let error = PartialFile::create(Path::new("/proc/self/out.txt")).unwrap_err();
        assert!(matches!(error, SinkError::Place { .. }), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_whose_reader_goes_away_is_closed() {
        use std::process::{Command, Stdio};
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.txt");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let mut reader =
            Command::new("head").args(["-c", "1"]).arg(&pipe).stdout(Stdio::null()).spawn().unwrap();
        let mut file = PartialFile::create(&pipe).unwrap();
        let error = (0..1000).find_map(|_| file.append(&[b'x'; 10_000]).err()).unwrap();
        assert!(error.is_closed(), "{error}");
        reader.wait().unwrap();
        assert_eq!(names(folder.path()), ["pipe.txt"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_said_and_a_device_is_not_renamed() {
        let mut file = PartialFile::create(Path::new("/dev/full")).unwrap();
        let said = file.append(b"x").unwrap_err().to_string();
        assert!(said.contains("/dev/full") && said.contains("disk is full"), "{said}");
        file.finish().unwrap();
        assert!(!Path::new("/dev/full.partial").exists());
    }
}
