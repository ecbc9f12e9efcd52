//! Fetching a model: into `NAME.onnx.partial`, resumed where it was cut, its length and SHA-256 checked, then renamed. A
//! process that is killed at any moment leaves no file under the model's own name.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use ureq::http::{Response, StatusCode, header};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

use super::cache::{self, Cache, FileState};
use super::error::ZooError;
use super::table::Entry;
use crate::atomic_file::{self, Durability};
use crate::bounded;

/// Bytes that are read at a time.
const BLOCK: usize = 1 << 16;
/// Redirects that are followed.
const MOST_REDIRECTS: u32 = 8;
/// How often an address is asked without giving a byte more than before.
const TRIES: u32 = 3;
/// Between two of these.
const PAUSE: Duration = Duration::from_millis(300);
/// Of an answer that is no model so much is looked at, to say what it is.
const LOOKED_AT: u64 = 512;
/// What a name is that nobody knows.
const NO_NAME: &str = "the server's name is not known: is this machine connected, or is there a proxy to be named as HTTPS_PROXY?";
/// No file of certificates is longer.
const LONGEST_CERTIFICATES: u64 = 1 << 24;

/// How a model is fetched.
#[derive(Debug, Clone)]
pub struct PullOptions {
    /// A copy of a cache's folder to fetch from instead: an `http(s)://` address, or a folder of this machine.
    pub mirror: Option<String>,
    /// How long a server may say nothing.
    pub patience: Duration,
}

impl Default for PullOptions {
    fn default() -> Self {
        Self { mirror: None, patience: Duration::from_secs(30) }
    }
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullStep<'a> {
    /// Another process fetches the same model; it is waited for.
    Waiting,
    /// It is fetched from here, beginning at this byte.
    From(&'a str, u64),
    /// So many bytes are there.
    Bytes(u64),
    /// An address failed, for this reason; the next is tried.
    Failed(&'a str),
}

/// Fetches a model into the cache, unless it is there. True: it was fetched.
///
/// # Errors
/// [`ZooError::Download`] with the reason of the last address, [`ZooError::BuiltIn`], or [`ZooError::File`] where the cache
/// cannot be written.
pub fn pull(
    entry: &Entry,
    cache: &Cache,
    options: &PullOptions,
    tell: &mut dyn FnMut(PullStep<'_>),
) -> Result<bool, ZooError> {
    if entry.built_in {
        return Err(ZooError::BuiltIn { name: entry.name.clone(), what: "fetch" });
    }
    if cache.verify(entry).is_ok() {
        return Ok(false);
    }
    let path = cache.path(entry);
    let file = |path: &Path, tried: &'static str| {
        let path = path.to_owned();
        move |why: io::Error| ZooError::File { path, tried, why }
    };
    fs::create_dir_all(cache.folder()).map_err(file(cache.folder(), "make the folder"))?;
    let _lock = lock(cache, entry, tell)?;
    // While it was waited for, another process may have fetched it.
    if cache.verify(entry).is_ok() {
        return Ok(false);
    }
    let mut pull = Pull { entry, options, path: cache.partial(entry), tell };
    let from = match &options.mirror {
        Some(mirror) => vec![in_mirror(mirror, &entry.file_name())],
        None => entry.addresses.clone(),
    };
    let mut failed = None;
    for address in &from {
        if let Some(before) = failed.take() {
            let before: ZooError = before;
            (pull.tell)(PullStep::Failed(&before.to_string()));
        }
        match pull.from(address) {
            Ok(done) => {
                atomic_file::rename(&done, &pull.path, &path, Durability::OnDisk)
                    .map_err(file(&path, "write"))?;
                return match cache.state(entry) {
                    FileState::There => Ok(true),
                    _ => Err(file(&path, "write")(io::Error::other("another file is in its place"))),
                };
            }
            // The next address does not help with our own disk.
            Err(error @ ZooError::File { .. }) => return Err(error),
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(|| ZooError::Missing { name: entry.name.clone() }))
}

/// Lets one process fetch a model at a time. The file that is locked stays: another process may wait for it.
fn lock(cache: &Cache, entry: &Entry, tell: &mut dyn FnMut(PullStep<'_>)) -> Result<File, ZooError> {
    let path = cache.folder().join(format!(".{}.lock", entry.name));
    let fail = |tried: &'static str| {
        let path = path.clone();
        move |why: io::Error| ZooError::File { path, tried, why }
    };
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(fail("write"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            tell(PullStep::Waiting);
            file.lock().map_err(fail("lock"))?;
        }
        // Some network file systems know no locks.
        Err(TryLockError::Error(error)) => log::debug!("cannot lock {}: {error}", path.display()),
    }
    Ok(file)
}

/// One model on its way.
struct Pull<'a> {
    entry: &'a Entry,
    options: &'a PullOptions,
    /// The beginning of the file.
    path: PathBuf,
    tell: &'a mut dyn FnMut(PullStep<'_>),
}

/// How one request ended.
enum Ended {
    /// All bytes are there.
    Whole,
    /// The connection broke, for this reason.
    Cut(String),
}

impl Pull<'_> {
    /// Fetches from one address, with as many requests as it takes.
    fn from(&mut self, address: &str) -> Result<File, ZooError> {
        let mut file = self.open()?;
        let (mut tries, mut anew) = (0, false);
        let mut furthest = self.length(&mut file)?;
        loop {
            let begin = self.length(&mut file)?;
            if begin < self.entry.bytes {
                (self.tell)(PullStep::From(address, begin));
                match self.request(address, begin, &mut file)? {
                    Ended::Whole => {}
                    Ended::Cut(why) => {
                        let have = self.length(&mut file)?;
                        // A server that begins anew each time, and never comes further, must not go on for ever.
                        tries = if have > furthest { 1 } else { tries + 1 };
                        furthest = furthest.max(have);
                        if tries >= TRIES {
                            return Err(self.failed(address, self.kept(why, &mut file)?));
                        }
                        std::thread::sleep(PAUSE * tries);
                        continue;
                    }
                }
            }
            let found = sha256_of(&self.path).map_err(self.file("read"))?;
            if found == self.entry.sha256 {
                return Ok(file);
            }
            // Its bytes are wrong, and a part of them may be from an earlier run: once more from the beginning.
            self.empty(&mut file)?;
            if begin == 0 || anew {
                let _ = fs::remove_file(&self.path);
                let why = cache::hash(&found, &self.entry.sha256);
                return Err(self
                    .failed(address, format!("what came is another file ({why}); nothing of it was kept")));
            }
            anew = true;
        }
    }

    /// Why it failed, and what is left for the next time.
    fn kept(&self, why: String, file: &mut File) -> Result<String, ZooError> {
        let (have, all, name) = (self.length(file)?, self.entry.bytes, &self.entry.name);
        if have > 0 {
            let again = format!("`trailsight models pull {name}` goes on from there");
            return Ok(format!("{why}; {have} of {all} bytes are there, and {again}"));
        }
        // That it cannot be removed changes nothing.
        let _ = fs::remove_file(&self.path);
        Ok(why)
    }

    /// The file of what is there already.
    fn open(&self) -> Result<File, ZooError> {
        // What a link leads to is not ours to write.
        if fs::symlink_metadata(&self.path).is_ok_and(|about| !about.is_file()) {
            fs::remove_file(&self.path).map_err(self.file("replace"))?;
        }
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).read(true).write(true).open(&self.path);
        let mut file = file.map_err(self.file("write"))?;
        if self.length(&mut file)? > self.entry.bytes {
            self.empty(&mut file)?;
        }
        Ok(file)
    }

    fn length(&self, file: &mut File) -> Result<u64, ZooError> {
        file.seek(SeekFrom::End(0)).map_err(self.file("read"))
    }

    fn empty(&self, file: &mut File) -> Result<(), ZooError> {
        file.set_len(0).and_then(|()| file.rewind()).map_err(self.file("write"))
    }

    fn file(&self, tried: &'static str) -> impl Fn(io::Error) -> ZooError + use<> {
        let path = self.path.clone();
        move |why| ZooError::File { path: path.clone(), tried, why }
    }

    fn failed(&self, address: &str, why: impl Into<String>) -> ZooError {
        ZooError::Download { name: self.entry.name.clone(), address: address.to_owned(), why: why.into() }
    }

    /// Asks for what is missing, and writes it.
    fn request(&mut self, address: &str, begin: u64, file: &mut File) -> Result<Ended, ZooError> {
        if !is_web(address) {
            return self.copy(address, file);
        }
        let agent = agent(self.options.patience).map_err(|why| self.failed(address, why))?;
        let mut request = agent.get(address);
        if begin > 0 {
            request = request.header(header::RANGE, format!("bytes={begin}-"));
        }
        let mut answer = match request.call() {
            Ok(answer) => answer,
            Err(error) if is_passing(&error) => return Ok(Ended::Cut(said(&error))),
            Err(error) => return Err(self.failed(address, said(&error))),
        };
        let left = match answer.status() {
            StatusCode::OK => self.entry.bytes,
            StatusCode::PARTIAL_CONTENT if range_begin(&answer) == Some(begin) => self.entry.bytes - begin,
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if begin > 0 => {
                // It does not go with what is there.
                self.empty(file)?;
                return Ok(Ended::Cut("its file does not go with what was fetched before".to_owned()));
            }
            status if status.is_server_error() => {
                return Ok(Ended::Cut(format!("the server answers {status}")));
            }
            StatusCode::NOT_FOUND => {
                let why = match self.options.mirror {
                    Some(_) => "the server answers 404 Not Found: the mirror does not have this file",
                    None => "the server answers 404 Not Found: it has no such file any more",
                };
                return Err(self.failed(address, why));
            }
            status => return Err(self.failed(address, format!("the server answers {status}"))),
        };
        if let Some(what) = another_thing(&mut answer, left) {
            return Err(self.failed(address, what));
        }
        if left == self.entry.bytes {
            // Also where the server does not know of ranges, or has another file now.
            self.empty(file)?;
        }
        self.write(address, &mut answer.body_mut().as_reader(), left, file)
    }

    /// Copies from a mirror that is a folder.
    fn copy(&mut self, address: &str, file: &mut File) -> Result<Ended, ZooError> {
        let from = address.strip_prefix("file://").unwrap_or(address);
        let from = File::open(from).map_err(|error| self.failed(address, error.to_string()))?;
        self.empty(file)?;
        match self.write(address, &mut { from }, self.entry.bytes, file)? {
            Ended::Whole => Ok(Ended::Whole),
            Ended::Cut(why) => Err(self.failed(address, why)),
        }
    }

    /// Writes `left` bytes, which must be all that comes.
    fn write(
        &mut self,
        address: &str,
        from: &mut dyn Read,
        left: u64,
        file: &mut File,
    ) -> Result<Ended, ZooError> {
        let (mut block, mut new) = (vec![0; BLOCK], 0);
        let have = self.entry.bytes - left;
        loop {
            match from.read(&mut block) {
                Ok(0) if new == left => return Ok(Ended::Whole),
                Ok(0) => return Ok(Ended::Cut("the connection ended too early".to_owned())),
                Ok(read) if new + read as u64 > left => {
                    self.empty(file)?;
                    let all = self.entry.bytes;
                    return Err(self.failed(address, format!("more comes than the {all} bytes of the model")));
                }
                Ok(read) => {
                    file.write_all(block.get(..read).unwrap_or_default()).map_err(self.file("write"))?;
                    new += read as u64;
                    (self.tell)(PullStep::Bytes(have + new));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // All is there, and only the end was not heard.
                Err(_) if new == left => return Ok(Ended::Whole),
                Err(error) => {
                    let why = match error.kind() {
                        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
                            let seconds = self.options.patience.as_secs_f64();
                            format!("nothing came for {seconds} s")
                        }
                        _ => format!("the connection broke ({})", io_said(&error)),
                    };
                    return Ok(Ended::Cut(why));
                }
            }
        }
    }
}

/// The SHA-256 of a file, as 64 hexadecimal digits.
fn sha256_of(path: &Path) -> io::Result<String> {
    let (mut file, mut hasher, mut block) = (File::open(path)?, Sha256::new(), vec![0; BLOCK]);
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(cache::hex(&hasher.finalize())),
            Ok(read) => hasher.update(block.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Where a mirror has a file: in its folder; what follows a question mark in an address stays behind it.
fn in_mirror(mirror: &str, file: &str) -> String {
    let (folder, query) = match mirror.split_once('?') {
        Some((folder, query)) if is_web(mirror) => (folder, format!("?{query}")),
        _ => (mirror, String::new()),
    };
    format!("{}/{file}{query}", folder.trim_end_matches('/'))
}

/// Whether an address is of the web; others are folders.
fn is_web(address: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| address.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme)))
}

/// The client. Proxies are those of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`; certificates those of Mozilla, or
/// of the file that `SSL_CERT_FILE` names.
fn agent(patience: Duration) -> Result<Agent, String> {
    let mut tls = TlsConfig::builder();
    if let Some(path) = std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        let fail = |why: String| format!("SSL_CERT_FILE: cannot read {}: {why}", path.display());
        let text = bounded::read(&path, LONGEST_CERTIFICATES).map_err(|error| fail(error.to_string()))?;
        let certificates: Vec<Certificate<'static>> = parse_pem(&text)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        if certificates.is_empty() {
            return Err(fail("it holds no certificate".to_owned()));
        }
        tls = tls.root_certs(RootCerts::from(certificates.into_iter()));
    }
    let config = Agent::config_builder()
        .tls_config(tls.build())
        .user_agent(concat!("trailsight/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        .max_redirects(MOST_REDIRECTS)
        .max_redirects_will_error(true)
        .timeout_resolve(Some(patience))
        .timeout_connect(Some(patience))
        .timeout_recv_response(Some(patience))
        .timeout_per_read(Some(patience))
        .build();
    Ok(config.new_agent())
}

/// Whether the same request may succeed a moment later.
fn is_passing(error: &ureq::Error) -> bool {
    use ureq::Error::{ConnectionFailed, Io, Timeout};
    matches!(error, Io(_) | Timeout(_) | ConnectionFailed)
}

fn said(error: &ureq::Error) -> String {
    match error {
        ureq::Error::TooManyRedirects => {
            format!("the server sends from address to address, more than {MOST_REDIRECTS} times")
        }
        ureq::Error::HostNotFound => NO_NAME.to_owned(),
        ureq::Error::Timeout(_) => "the server does not answer".to_owned(),
        ureq::Error::Io(error) => io_said(error),
        other => other.to_string(),
    }
}

fn io_said(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "the server refuses the connection".to_owned(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => "it was cut".to_owned(),
        _ if error.to_string().starts_with("failed to lookup address") => NO_NAME.to_owned(),
        _ if error.to_string().contains("certificate") => {
            format!("{error}; where a proxy has a certificate of its own, name its file as SSL_CERT_FILE")
        }
        _ => error.to_string(),
    }
}

/// Where the part of a file begins that an answer holds.
fn range_begin(answer: &Response<Body>) -> Option<u64> {
    let range = answer.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.trim().strip_prefix("bytes")?.trim_start().split('-').next()?.trim().parse().ok()
}

/// Says what an answer is that cannot be the `left` bytes of a model, as far as that is told before they have come.
fn another_thing(answer: &mut Response<Body>, left: u64) -> Option<String> {
    let text = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_page = text(header::CONTENT_TYPE).to_ascii_lowercase().starts_with("text/html");
    let length: Option<u64> = text(header::CONTENT_LENGTH).trim().parse().ok();
    if !is_page && length.is_none_or(|length| length == left) {
        return None;
    }
    let mut begin = Vec::new();
    let _ = answer.body_mut().as_reader().take(LOOKED_AT).read_to_end(&mut begin);
    Some(match (kind(&begin).filter(|_| !is_page), length) {
        (Some(kind), _) => format!("{kind} came instead of the model"),
        (None, _) if is_page => {
            "a web page came instead of the model: a login page of the network, or a wrong mirror".to_owned()
        }
        (None, length) => {
            format!("{} bytes are offered, and {left} were expected", length.unwrap_or_default())
        }
    })
}

/// What a file is that is no model, by its beginning.
fn kind(begin: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(begin).trim_start().to_ascii_lowercase();
    let kinds = [
        ("<!doctype html", "a web page"),
        ("<html", "a web page"),
        ("<?xml", "an XML text, as servers send for an error,"),
        ("version https://git-lfs", "a pointer of Git LFS, which only names the file,"),
        ("{\"", "a JSON text, as servers send for an error,"),
    ];
    kinds.into_iter().find(|(begins, _)| text.starts_with(begins)).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_has_the_file_in_its_folder() {
        for (mirror, expected) in [
            ("https://a.example/m", "https://a.example/m/x.onnx"),
            ("https://a.example/m/", "https://a.example/m/x.onnx"),
            ("HTTPS://a.example/m/?key=1/2", "HTTPS://a.example/m/x.onnx?key=1/2"),
            ("/media/what?/m", "/media/what?/m/x.onnx"),
        ] {
            assert_eq!(in_mirror(mirror, "x.onnx"), expected);
        }
    }
}
