//! Watches the config file, and tells of it once it has come to rest.
//!
//! The system tells at once when something happens to the file's name or to the file that it leads to (editors write
//! beside it and rename); a look at its size and time every so often catches what the system does not tell: folders on
//! other machines, links further up in the path, systems that can watch nothing. Only another content is told.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{Receiver, Sender, bounded, select};
use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::file::is_toml;
use super::write::follow_links;
use super::{LONGEST, bounded as limited};
use crate::latest;

/// The file is read once nothing has happened for so long.
const QUIET: Duration = Duration::from_millis(30);
/// What looks like half a file, or is gone, is looked at again for so long before it is believed; and a file to which
/// something happens all the time is read after so long all the same.
const PATIENCE: Duration = Duration::from_millis(130);
/// From one such look to the next.
const AGAIN: Duration = Duration::from_millis(20);
/// How often size and time are looked at.
const LOOK: Duration = Duration::from_millis(150);
/// How long the end of the thread is waited for: it may be held by a file on another machine.
const END: Duration = Duration::from_millis(500);

/// What a look at the file gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// What stands in it.
    Text(String),
    /// There is no such file.
    Gone,
    /// It cannot be read: why.
    Unreadable(String),
}

impl Reading {
    /// Reads the file.
    pub fn of(path: &Path) -> Self {
        if path.is_dir() {
            return Self::Unreadable("it is a folder".to_owned());
        }
        match limited::read_text(path, LONGEST) {
            Ok(text) => Self::Text(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Gone,
            Err(error) => Self::Unreadable(error.to_string()),
        }
    }

    /// Whether another program may still be writing it.
    fn may_be_half(&self, before: &Self) -> bool {
        let Self::Text(text) = self else { return true };
        let cut = matches!(before, Self::Text(before) if before.starts_with(text));
        text.trim().is_empty() || !text.ends_with('\n') || cut || !is_toml(text)
    }
}

/// A file that is being watched, until this is dropped.
#[derive(Debug)]
pub struct Watch {
    readings: Receiver<Reading>,
    /// Closed to end the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Begins to watch `path`, which need not be there. `known` is what is not told again.
    ///
    /// # Errors
    /// What the system says when it gives no thread.
    pub fn start(path: &Path, known: Reading) -> io::Result<Self> {
        let (readings_out, readings) = latest::channel();
        let (stop, stopped) = bounded(0);
        let watching = Watching { path: path.to_owned(), told: known, outlet: readings_out, stopped };
        let thread = std::thread::Builder::new().name("config".into()).spawn(move || watching.run())?;
        Ok(Self { readings, stop: Some(stop), thread: Some(thread) })
    }

    /// Where the readings come; only the newest waits there.
    pub fn readings(&self) -> &Receiver<Reading> {
        &self.readings
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.take();
        let until = Instant::now() + END;
        if let Some(thread) = self.thread.take() {
            while !thread.is_finished() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

/// What has happened and was not looked into yet.
struct Pending {
    first: Instant,
    /// When to look.
    due: Instant,
}

impl Pending {
    fn since(before: Option<Self>) -> Self {
        let now = Instant::now();
        let first = before.map_or(now, |pending| pending.first);
        Self { first, due: (now + QUIET).min(first + PATIENCE) }
    }
}

/// The thread.
struct Watching {
    path: PathBuf,
    told: Reading,
    outlet: latest::Sender<Reading>,
    stopped: Receiver<()>,
}

impl Watching {
    fn run(mut self) {
        // One that is kept here holds the channel open where the system can watch nothing.
        let (wake, woken) = bounded(1);
        let mut watched = names(&self.path);
        let mut watcher = watch(&watched, &wake);
        let mut stamp = Stamp::of(&self.path);
        // It may have changed since it was loaded.
        let mut pending = Some(Pending::since(None));
        loop {
            let nap = pending.as_ref().map_or(LOOK, |p| p.due.saturating_duration_since(Instant::now()));
            let told = select! {
                recv(self.stopped) -> _ => return,
                recv(woken) -> _ => true,
                default(nap.min(LOOK)) => false,
            };
            let now_stamp = Stamp::of(&self.path);
            if told || now_stamp != stamp {
                stamp = now_stamp;
                pending = Some(Pending::since(pending));
            }
            let now = Instant::now();
            let Some(due) = pending.take_if(|pending| pending.due <= now) else { continue };
            // A link may lead elsewhere by now, or a folder have come into being; before it is read, so that what is
            // written from now on is told.
            let names = names(&self.path);
            if names != watched || watcher.is_none() {
                watched = names;
                watcher = watch(&watched, &wake);
            }
            let reading = Reading::of(&self.path);
            if reading != self.told {
                if reading.may_be_half(&self.told) && now < due.first + PATIENCE {
                    let again = (now + AGAIN).min(due.first + PATIENCE);
                    pending = Some(Pending { due: again, ..due });
                    continue;
                }
                self.told = reading.clone();
                // An older one may still wait.
                self.outlet.send(reading);
            }
        }
    }
}

/// The file itself and, where it is a link, the file that it leads to.
fn names(path: &Path) -> Vec<PathBuf> {
    let mut names = vec![path.to_owned(), follow_links(path)];
    names.dedup();
    names
}

/// Asks the system to tell of these files: of their folders, for a file that is replaced is another file. `None` where
/// it can watch none of them.
fn watch(files: &[PathBuf], wake: &Sender<()>) -> Option<RecommendedWatcher> {
    let own: Vec<OsString> = files.iter().filter_map(|file| file.file_name().map(OsString::from)).collect();
    let wake = wake.clone();
    let tell = move |event: notify::Result<notify::Event>| {
        let matters = event.is_ok_and(|event| {
            // Reading it is no change; to close it after writing is.
            let changes = match event.kind {
                EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
                _ => true,
            };
            let is_own = |path: &PathBuf| path.file_name().is_some_and(|name| own.iter().any(|o| o == name));
            changes && (event.paths.is_empty() || event.paths.iter().any(is_own))
        });
        if matters {
            // Full: the thread is awake already.
            let _ = wake.try_send(());
        }
    };
    let mut watcher = notify::recommended_watcher(tell).ok()?;
    let mut any = false;
    for file in files {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => any = true,
            Err(error) => log::debug!("cannot watch {}: {error}", folder.display()),
        }
    }
    any.then_some(watcher)
}

/// Tells one state of a file from another without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp(Option<(u64, Option<SystemTime>, u64)>);

impl Stamp {
    fn of(path: &Path) -> Self {
        let found = std::fs::metadata(path).ok();
        Self(found.map(|found| (found.len(), found.modified().ok(), number(&found))))
    }
}

/// What tells a file from another one of the same size and time.
#[cfg(unix)]
fn number(found: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(found)
}

#[cfg(not(unix))]
fn number(_: &std::fs::Metadata) -> u64 {
    0
}
