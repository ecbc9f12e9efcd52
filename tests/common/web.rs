//! A web server on the loopback that answers as a test says, and a table of models that are there.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};

use super::{Done, trailsight};

/// What was asked: the first line and the headers, in small letters.
pub struct Request {
    pub text: String,
    /// From which byte on, where a part was asked for.
    pub begin: Option<usize>,
}

/// Answers the request of this number.
type Answer = dyn Fn(usize, &Request, &mut TcpStream) + Send + Sync;

pub struct Server {
    pub port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn new(answer: impl Fn(usize, &Request, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answer): (_, Arc<Answer>) = (Arc::clone(&asked), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                let Ok(mut stream) = stream else { return };
                std::thread::spawn(move || {
                    let Some(request) = read(&stream) else { return };
                    let number = {
                        let mut log = log.lock().unwrap();
                        log.push(request.text.clone());
                        log.len() - 1
                    };
                    answer(number, &request, &mut stream);
                    let _ = stream.shutdown(Shutdown::Write);
                });
            }
        });
        Self { port, asked }
    }

    /// A server that has these bytes and knows of ranges.
    pub fn of(bytes: Vec<u8>) -> Self {
        Self::new(move |_, request, stream| send(stream, &bytes, request))
    }

    pub fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut text = String::new();
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    while !text.ends_with("\r\n\r\n") {
        if reader.read_line(&mut text).ok()? == 0 {
            return None;
        }
    }
    let text = text.to_lowercase();
    let begin = text.split_once("range: bytes=").and_then(|(_, rest)| rest.split('-').next()?.parse().ok());
    Some(Request { text, begin })
}

/// Writes an answer; that nobody reads it any more is no matter.
pub fn say(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n");
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

/// Sends what was asked for of these bytes.
pub fn send(stream: &mut TcpStream, bytes: &[u8], request: &Request) {
    send_some(stream, bytes, request, usize::MAX);
}

/// The same, and hangs up after `most` bytes.
pub fn send_some(stream: &mut TcpStream, bytes: &[u8], request: &Request, most: usize) {
    let begin = request.begin.unwrap_or(0);
    let rest = &bytes[begin..];
    let length = format!("Content-Length: {}\r\n", rest.len());
    let (status, headers) = match request.begin {
        Some(begin) => {
            let range = format!("Content-Range: bytes {begin}-{}/{}\r\n", bytes.len() - 1, bytes.len());
            ("206 Partial Content", length + &range)
        }
        None => ("200 OK", length),
    };
    say(stream, status, &headers, &rest[..most.min(rest.len())]);
}

/// A cache folder of its own, and a table of models of its own.
pub struct Shelf {
    pub folder: tempfile::TempDir,
}

impl Shelf {
    /// With one model `tiny-net` of these bytes, at these addresses.
    pub fn new(bytes: &[u8], addresses: &[String]) -> Self {
        let shelf = Self { folder: tempfile::tempdir().unwrap() };
        shelf.write_table(bytes, addresses);
        shelf
    }

    pub fn write_table(&self, bytes: &[u8], addresses: &[String]) {
        let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let text = format!(
            "[[model]]\nname = \"tiny-net\"\ntitle = \"Tiny Net\"\nfamily = \"YOLO\"\ninput = \"64x64\"\nap = 99.5\n\
             ap_from = \"nobody\"\nbytes = {}\nsha256 = \"{hash}\"\npinned = \"a test\"\nauto = true\nlicence = \"MIT\"\n\
             weights = \"CC0-1.0\"\ndata = \"noise\"\naddresses = {addresses:?}\n",
            bytes.len()
        );
        std::fs::write(self.folder.path().join("table.toml"), text).unwrap();
    }

    /// Where its file is or will be.
    pub fn file(&self) -> PathBuf {
        self.models().join("tiny-net.onnx")
    }

    pub fn partial(&self) -> PathBuf {
        self.models().join("tiny-net.onnx.partial")
    }

    pub fn models(&self) -> PathBuf {
        self.folder.path().join("cache/trailsight/models")
    }

    /// Puts a file where a fetched one would be.
    pub fn put(&self, bytes: &[u8]) {
        std::fs::create_dir_all(self.models()).unwrap();
        std::fs::write(self.file(), bytes).unwrap();
    }

    /// The program with this cache and this table.
    pub fn command(&self) -> Command {
        let mut command = trailsight();
        self.prepare(&mut command);
        command
    }

    pub fn prepare(&self, command: &mut Command) {
        command.current_dir(self.folder.path());
        command.env("XDG_CACHE_HOME", self.folder.path().join("cache"));
        command.env("TRAILSIGHT_MODEL_TABLE", self.folder.path().join("table.toml"));
    }

    pub fn run(&self, arguments: &[&str]) -> Done {
        Done::of(&self.command().args(arguments).output().unwrap())
    }

    pub fn pull(&self) -> Done {
        self.run(&["models", "pull", "tiny-net"])
    }

    /// Asserts that nothing looks like a whole model.
    pub fn has_no_model(&self) {
        assert!(std::fs::symlink_metadata(self.file()).is_err(), "{}", self.file().display());
    }
}

/// Bytes that are no repetition of each other.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// The bytes of a model that can be run, with COCO's classes.
pub fn real_model() -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/families/ultralytics.onnx"))
        .unwrap()
}
