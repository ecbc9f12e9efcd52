//! The messages of one consumer on disk.
//!
//! A folder holds `messages-N.jsonl`, one message a line, to which new ones are added, and `done`, which says which of these files
//! is in use and up to which byte its messages are done with. Where all are, or the file has grown large, a new one is begun:
//! it is written whole before `done` names it. Whatever moment the program ends at, the folder holds each message that was
//! put in and not crossed off. A line that was being written then has no end and is no message.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// A file that is done with up to here, in bytes, is begun anew.
const ANEW: u64 = 256 << 10;
/// `done` always has this length, so that a shorter number leaves nothing of a longer one behind.
const DONE: usize = 42;
/// No message is longer, in bytes.
const LONGEST: usize = 1 << 20;
/// So many consumers of one name may have a queue at a time.
const PROCESSES: u32 = 16;

/// What is to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The same however often it is sent, and no other message's.
    pub id: String,
    /// What is sent.
    pub body: String,
}

/// What waits at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a queue.
    pub bytes: u64,
    /// How long a message waits.
    pub age: Duration,
}

/// The queue cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{what} {}: {error}", path.display())]
pub struct QueueError {
    what: &'static str,
    path: PathBuf,
    error: io::Error,
}

impl QueueError {
    fn at(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self { what, path, error }
    }

    pub(super) fn thread(error: io::Error) -> Self {
        Self { what: "cannot start a thread for the queue", path: PathBuf::new(), error }
    }
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    id: String,
    /// Seconds since 1970.
    at: u64,
    body: String,
}

/// A message in the file.
#[derive(Debug)]
struct Place {
    id: String,
    at: u64,
    from: u64,
    to: u64,
}

/// The queue of one consumer.
#[derive(Debug)]
pub(super) struct Queue {
    folder: PathBuf,
    limits: Limits,
    number: u64,
    file: File,
    /// Where the next message goes.
    end: u64,
    done: File,
    waiting: VecDeque<Place>,
    /// Held as long as this process uses the folder.
    _lock: File,
}

impl Queue {
    /// Opens the queue of the consumer `key` below `folder`; where another process has it, one beside it. What processes that
    /// are gone have left in such ones is taken over.
    pub(super) fn open(folder: &Path, key: &str, limits: Limits) -> Result<Self, QueueError> {
        make_private(folder).map_err(QueueError::at("cannot make", folder))?;
        let name = format!("{:016x}", hash(key));
        let mut own = None;
        let mut left = Vec::new();
        for process in 1..=PROCESSES {
            let path = folder.join(format!("{name}-{process}"));
            if own.is_some() && !path.is_dir() {
                continue;
            }
            let Some(lock) = lock(&path)? else { continue };
            match own {
                None => own = Some(Self::open_own(path, lock, limits)?),
                // One that cannot be read is left where it is.
                Some(_) => left.extend(Self::open_own(path, lock, limits)),
            }
        }
        let Some(mut queue) = own else {
            let error = io::Error::other("too many other runs use it");
            return Err(QueueError::at("cannot open a queue in", folder)(error));
        };
        for mut other in left {
            queue.take_over(&mut other)?;
        }
        Ok(queue)
    }

    /// Adds what waits in another queue, and empties that. A kill between both leaves messages twice, with their ids.
    fn take_over(&mut self, other: &mut Self) -> Result<(), QueueError> {
        while let Some(place) = other.waiting.front() {
            if let Ok(message) = other.read(place) {
                self.put_at(message, place.at)?;
            }
            other.waiting.pop_front();
        }
        other.write_done()
    }

    fn open_own(folder: PathBuf, lock: File, limits: Limits) -> Result<Self, QueueError> {
        let path = folder.join("done");
        let mut done = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .map_err(QueueError::at("cannot open", &path))?;
        let mut text = String::new();
        // What is no text has no numbers in it.
        let _ = (&mut done).take(DONE as u64).read_to_string(&mut text);
        let mut numbers = text.split_whitespace().map(|number| number.parse::<u64>().ok());
        let known = numbers.next().flatten().zip(numbers.next().flatten());
        // Without it, all that is in the newest file is still to be delivered.
        let (number, from) = known.unwrap_or_else(|| (newest(&folder).unwrap_or(0), 0));
        let path = messages(&folder, number);
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .map_err(QueueError::at("cannot open", &path))?;
        let (waiting, end) = scan(&mut file, from).map_err(QueueError::at("cannot read", &path))?;
        // A line that has no end was never put in.
        file.set_len(end).map_err(QueueError::at("cannot write", &path))?;
        let mut queue = Self { folder, limits, number, file, end, done, waiting, _lock: lock };
        queue.sweep();
        queue.forget_old();
        queue.write_done()?;
        Ok(queue)
    }

    /// Where it lies.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many messages wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The message to be delivered next. One that was damaged meanwhile is none.
    pub(super) fn first(&mut self) -> io::Result<Option<Message>> {
        while let Some(place) = self.waiting.front() {
            match self.read(place) {
                Ok(message) => return Ok(Some(message)),
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
                {
                    log::warn!("a message in {} is damaged, and lost", self.folder.display());
                    self.waiting.pop_front();
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Adds a message; gives how many old ones had to go for it.
    pub(super) fn put(&mut self, message: Message) -> Result<usize, QueueError> {
        self.put_at(message, now())
    }

    fn put_at(&mut self, message: Message, at: u64) -> Result<usize, QueueError> {
        let line = Line { id: message.id, at, body: message.body };
        // Strings and numbers alone cannot fail to become JSON.
        let mut text = serde_json::to_string(&line).unwrap_or_default();
        if text.len() > LONGEST {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "the message is longer than a megabyte");
            return Err(QueueError::at("cannot write", &self.path())(error));
        }
        text.push('\n');
        let path = self.path();
        let written =
            self.file.seek(SeekFrom::Start(self.end)).and_then(|_| self.file.write_all(text.as_bytes()));
        if let Err(error) = written {
            // Half a line must not be in the way of the next one.
            let _ = self.file.set_len(self.end);
            return Err(QueueError::at("cannot write", &path)(error));
        }
        let to = self.end + text.len() as u64;
        self.waiting.push_back(Place { id: line.id, at, from: self.end, to });
        self.end = to;
        let mut dropped = self.forget_old();
        while self.bytes() > self.limits.bytes && self.waiting.len() > 1 {
            self.waiting.pop_front();
            dropped += 1;
        }
        if dropped > 0 {
            self.write_done()?;
        }
        // Of a file twice as large as what may wait, half is done with.
        if self.end > self.limits.bytes.max(ANEW) * 2 {
            self.begin_anew()?;
        }
        Ok(dropped)
    }

    /// The message has been delivered.
    pub(super) fn cross_off(&mut self, message: &Message) -> Result<(), QueueError> {
        // One that had to go meanwhile is not the first any more.
        if self.waiting.front().is_some_and(|place| place.id == message.id) {
            self.waiting.pop_front();
        }
        if self.waiting.is_empty() && self.end > ANEW {
            return self.begin_anew();
        }
        self.write_done()
    }

    /// The message will never be taken: it goes to `refused.jsonl`, which holds no more than the queue may.
    pub(super) fn put_aside(&mut self, message: &Message, why: &str) -> Result<(), QueueError> {
        let path = self.folder.join("refused.jsonl");
        let line = serde_json::json!({ "why": why, "id": message.id, "body": message.body });
        let aside = || {
            let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
            if file.metadata()?.len() > self.limits.bytes {
                return Ok(());
            }
            file.write_all(format!("{line}\n").as_bytes())
        };
        let written = aside().map_err(QueueError::at("cannot write", &path));
        self.cross_off(message)?;
        written
    }

    /// Bytes that wait.
    fn bytes(&self) -> u64 {
        self.waiting.front().map_or(0, |first| self.end - first.from)
    }

    fn path(&self) -> PathBuf {
        messages(&self.folder, self.number)
    }

    /// Takes out what waits for too long; gives how many.
    fn forget_old(&mut self) -> usize {
        let oldest = now().saturating_sub(self.limits.age.as_secs());
        let before = self.waiting.len();
        while self.waiting.front().is_some_and(|place| place.at < oldest) {
            self.waiting.pop_front();
        }
        before - self.waiting.len()
    }

    fn read(&self, place: &Place) -> io::Result<Message> {
        let mut file = &self.file;
        let mut bytes = vec![0; (place.to - place.from) as usize];
        file.seek(SeekFrom::Start(place.from))?;
        file.read_exact(&mut bytes)?;
        let Line { id, body, .. } =
            serde_json::from_slice(&bytes).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        Ok(Message { id, body })
    }

    /// Notes in one write which messages are done with.
    fn write_done(&mut self) -> Result<(), QueueError> {
        let from = self.waiting.front().map_or(self.end, |first| first.from);
        let text = format!("{:<20} {from:<20}\n", self.number);
        let written = self.done.seek(SeekFrom::Start(0)).and_then(|_| self.done.write_all(text.as_bytes()));
        written.map_err(QueueError::at("cannot write", &self.folder.join("done")))
    }

    /// Goes on in a new file with what waits.
    fn begin_anew(&mut self) -> Result<(), QueueError> {
        let (number, from) = (self.number + 1, self.end - self.bytes());
        let path = messages(&self.folder, number);
        let copy = || {
            let mut file =
                OpenOptions::new().create(true).read(true).write(true).truncate(true).open(&path)?;
            let mut old = &self.file;
            old.seek(SeekFrom::Start(from))?;
            io::copy(&mut old.take(self.end - from), &mut file)?;
            file.sync_data()?;
            io::Result::Ok(file)
        };
        let file = copy().map_err(QueueError::at("cannot write", &path))?;
        let old = self.path();
        for place in &mut self.waiting {
            (place.from, place.to) = (place.from - from, place.to - from);
        }
        (self.number, self.file, self.end) = (number, file, self.end - from);
        self.write_done()?;
        let _ = std::fs::remove_file(old);
        Ok(())
    }

    /// Removes files that are not in use, as a kill at the wrong moment leaves them.
    fn sweep(&self) {
        for (number, path) in files(&self.folder) {
            if number != self.number {
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

/// Makes a folder that nobody else may look into: its messages tell who passed when.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// The lock on the folder of a queue, which is made where it is not there; `None`: another process has it.
fn lock(folder: &Path) -> Result<Option<File>, QueueError> {
    make_private(folder).map_err(QueueError::at("cannot make", folder))?;
    let path = folder.join("lock");
    let file = File::create(&path).map_err(QueueError::at("cannot open", &path))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(None),
        // A file system without locks: there is no other process to be told apart.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(file)),
    }
}

/// FNV-1a, which stays the same from one version of the program to the next.
fn hash(key: &str) -> u64 {
    key.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn messages(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("messages-{number}.jsonl"))
}

/// The files of messages in a folder.
fn files(folder: &Path) -> Vec<(u64, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let numbered = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let number = name.strip_prefix("messages-")?.strip_suffix(".jsonl")?.parse().ok()?;
        Some((number, entry.path()))
    });
    numbered.collect()
}

fn newest(folder: &Path) -> Option<u64> {
    files(folder).into_iter().map(|(number, _)| number).max()
}

/// The messages from a byte on, and where the last whole line ends.
fn scan(file: &mut File, from: u64) -> io::Result<(VecDeque<Place>, u64)> {
    let from = from.min(file.metadata()?.len());
    file.seek(SeekFrom::Start(from))?;
    let mut reader = io::BufReader::new(file);
    let (mut waiting, mut at) = (VecDeque::new(), from);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = (&mut reader).take(LONGEST as u64 * 2);
        let read = io::BufRead::read_until(&mut limited, b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            return Ok((waiting, at));
        }
        let to = at + read as u64;
        // What is damaged is no message, and what stands behind it is.
        if let Ok(Line { id, at: time, .. }) = serde_json::from_slice(&line) {
            waiting.push_back(Place { id, at: time, from: at, to });
        }
        at = to;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The file of messages that `done` names.
    pub(in super::super) fn in_use(folder: &Path) -> PathBuf {
        let text = std::fs::read_to_string(folder.join("done")).unwrap();
        messages(folder, text.split_whitespace().next().unwrap().parse().unwrap())
    }
}
