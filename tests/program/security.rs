//! What must never happen: a shell that runs a file's name, an open port, a password that is shown, unchecked memory in
//! new places.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{Done, demo, ffmpeg, has, names, root, signal, trailsight, wait_until};

/// Names that a shell, a program that reads options, or ffmpeg would take for something else.
const ODD: [&str; 14] = [
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned;",
    "| touch pwned",
    "& touch pwned &",
    "-i",
    "--help",
    "-y -f null -",
    "with\nnewline",
    "it's \"so\"",
    "%03d",
    "rtsp:cam",
    "*",
    "\u{1b}]0;title\u{7}",
];

/// Names, some of which no text can spell.
fn odd_names() -> Vec<OsString> {
    let mut all: Vec<OsString> = ODD.iter().map(OsString::from).collect();
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::ffi::OsStringExt;
        all.push(OsString::from_vec(b"no \xff text".to_vec()));
    }
    all
}

/// Tracks files of these names, `ending` behind them, into files named after them.
fn track_odd(ending: &str, clip: &Path, video: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for mut name in odd_names() {
        name.push(ending);
        fs::copy(clip, folder.path().join(&name)).unwrap();
        files.push(name);
    }
    let video = format!("out/{{name}}{video}");
    let output = trailsight()
        .current_dir(folder.path())
        .args(["track", "--end", "0.4", "--tracks", "out/{name}.txt", "--video", &video, "--"])
        .args(&files)
        .output()
        .unwrap();
    let done = Done::of(&output).ok();
    assert!(!names(folder.path()).contains(&"pwned".to_owned()), "a shell ran a name: {done:#?}");
    assert!(!done.stderr.contains(['\u{1b}', '\u{7}']), "a name steers the terminal: {done:#?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), files.len() + 1, "{done:#?}");
    // Each has its two results.
    for mut name in odd_names() {
        name.push(".txt");
        assert!(folder.path().join("out").join(&name).is_file(), "{name:?} is missing: {done:#?}");
    }
    assert_eq!(fs::read_dir(folder.path().join("out")).unwrap().count(), files.len() * 2, "{done:#?}");
}

#[test]
fn a_files_name_is_only_a_name() {
    track_odd(".avi", Path::new(&demo()), ".avi");
}

#[test]
fn a_files_name_is_only_a_name_to_ffmpeg_too() {
    if !has("ffmpeg") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    ffmpeg(&["-i", &demo(), "-t", "1", "-c:v", "mpeg4", &clip.display().to_string()]);
    track_odd(".mp4", &clip, ".mp4");
}

/// The children of a process, and theirs.
#[cfg(target_os = "linux")]
fn family(process: u32) -> Vec<u32> {
    let mut all = vec![process];
    let mut next = 0;
    while let Some(&member) = all.get(next) {
        next += 1;
        let tasks = fs::read_dir(format!("/proc/{member}/task")).into_iter().flatten().flatten();
        for task in tasks {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            all.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
    }
    all
}

/// The sockets of the network that a process holds, by their numbers in `/proc`.
#[cfg(target_os = "linux")]
fn network_sockets(process: u32) -> Vec<String> {
    let mut network = Vec::new();
    for table in ["tcp", "tcp6", "udp", "udp6", "raw", "raw6"] {
        let lines = fs::read_to_string(format!("/proc/{process}/net/{table}")).unwrap_or_default();
        let inode = |line: &str| line.split_whitespace().nth(9).map(|inode| format!("socket:[{inode}]"));
        network.extend(lines.lines().skip(1).filter_map(inode));
    }
    let held = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    let held = held.filter_map(|entry| Some(fs::read_link(entry.path()).ok()?.display().to_string()));
    held.filter(|link| network.contains(link)).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_said_to_the_network_or_heard_from_it() {
    // What finds a socket at all: one of our own.
    let own = TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(!network_sockets(std::process::id()).is_empty(), "this test sees nothing");
    drop(own);

    let folder = tempfile::tempdir().unwrap();
    let video = if has("ffmpeg") { "out.mp4" } else { "out.avi" };
    let mut child = trailsight()
        .current_dir(folder.path())
        .args(["track", "demo", "--tracks", "out.txt", "--video", video])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut looked = 0;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        for process in family(child.id()) {
            let sockets = network_sockets(process);
            assert!(sockets.is_empty(), "process {process} holds {sockets:?}");
        }
        looked += 1;
        thread::sleep(Duration::from_millis(10));
    };
    assert!(status.success() && looked > 5, "looked {looked} times");
}

/// What a run said, and what it wrote.
fn everything(done: &Done, folder: &Path) -> String {
    let mut all = format!("{}\n{}", done.stdout, done.stderr);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            all.push_str(&entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                all.push_str(&String::from_utf8_lossy(&fs::read(entry.path()).unwrap()));
            }
        }
    }
    all
}

/// Runs a command over an address with secrets; gives what it said. What waits for a stream to come is ended after a
/// while.
fn no_secret_in(arguments: &[&str]) -> Done {
    let (folder, said) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let [out, err] = ["out", "err"].map(|name| said.path().join(name));
    let mut child = trailsight()
        .current_dir(folder.path())
        .args(arguments)
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&err).unwrap())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(if arguments.contains(&"-vv") { 3 } else { 30 });
    while child.try_wait().unwrap().is_none() && Instant::now() < until {
        thread::sleep(Duration::from_millis(20));
    }
    if child.try_wait().unwrap().is_none() {
        signal(&child, "INT");
        wait_until("the end of what was interrupted", 30, || child.try_wait().unwrap().is_some());
    }
    let code = child.wait().unwrap().code();
    let [stdout, stderr] =
        [out, err].map(|file| String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned());
    let done = Done { code, stdout, stderr };
    let all = everything(&done, folder.path());
    assert!(!all.contains("Zq7"), "{arguments:?} shows a secret: {done:#?}");
    assert!(!done.stderr.contains("panicked"), "{done:#?}");
    done
}

#[test]
fn passwords_of_addresses_are_not_shown() {
    // Nobody listens there.
    let closed = "rtsp://me:Zq7@127.0.0.1:1/live";
    for arguments in [
        &["track", closed, "-vv", "--tracks", "t.jsonl"][..],
        &["track", closed, "demo", "--tracks", "{name}.txt"],
        &["track", "http://me:Zq7@127.0.0.1:1/a.mp4", "gone.avi", "-vv", "--tracks", "{name}.txt"],
        &["detect", closed, "-vv"],
        &[closed, "-vv"],
        &["demo", closed, "--end", "0.4"],
        &["bench", closed],
        &["render", closed, "--tracks", "rtsp://me:Zq7@h/x.txt", "--video", "v.avi"],
        &["simulate:rtsp://me:Zq7@127.0.0.1:1/live", "-vv"],
        &["simulate:http://127.0.0.1:1/v?user=a&password=Zq7"],
        &["rtsp://me:p'Zq7@127.0.0.1:1/live"],
        // In the path, as many cameras have it, with whatever stands between two pairs.
        &[
            "track",
            "rtsp://127.0.0.1:1/user=admin&password=Zq7secret&channel=1&stream=0.sdp",
            "-vv",
            "--tracks",
            "{name}.txt",
        ],
        &["track", "rtsp://127.0.0.1:1/live;user=admin;password=Zq7secret", "-vv", "--tracks", "{name}.txt"],
        &[
            "track",
            "http://127.0.0.1:1/user=admin_password=Zq7secret_channel=1",
            "-vv",
            "--tracks",
            "{name}.txt",
        ],
        &["track", "rtsp://127.0.0.1:1/ch?loginuse=a&loginpas=Zq7secret", "-vv", "--tracks", "{name}.txt"],
        &["track", "http://127.0.0.1:1/a/b?u=a&p=Zq7", "-vv", "--tracks", "{name}.txt"],
        &["track", "http://a:Zq7%2Fse%21cret@127.0.0.1:1/b", "-vv", "--tracks", "{name}.txt"],
        &["track", "rtsp:/me:Zq7@127.0.0.1/live", "--tracks", "{name}.txt"],
        &["track", "me:Zq7@127.0.0.1/live", "--tracks", "{name}.txt"],
        &["rtsp://127.0.0.1:1/user=admin&password=Zq7secret", "rtsp://127.0.0.1:1/password=Zq7secret", "-vv"],
        // And where an address has no place.
        &["track", "demo", "--tracks", "rtsp://me:Zq7@h/x.txt"],
        &["track", "demo", "--video", "rtsp://me:Zq7@h/x"],
        &["--config", "http://me:Zq7@h/c.toml", "config", "show"],
        &["--set", "detector.model=http://me:Zq7@h/m.onnx", "track", "demo"],
        &["--set", "rtsp://me:Zq7@h/x", "track", "demo"],
        &["cameras", closed],
        &["config", closed],
    ] {
        no_secret_in(arguments);
    }
}

/// Gives the same bytes to whoever asks, for as long as the test runs; tells the port.
fn serve(bytes: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut peer in listener.incoming().flatten() {
            let bytes = bytes.clone();
            thread::spawn(move || {
                let mut asked = [0; 4096];
                let _ = peer.read(&mut asked);
                let head = "HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nConnection: close\r\n";
                let _ = write!(peer, "{head}Content-Length: {}\r\n\r\n", bytes.len());
                let _ = peer.write_all(&bytes);
            });
        }
    });
    port
}

#[test]
fn passwords_of_addresses_are_in_no_result() {
    if !has("ffmpeg") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    let file = clip.display().to_string();
    ffmpeg(&["-i", &demo(), "-t", "2", "-c:v", "mpeg4", "-movflags", "+faststart", &file]);
    let port = serve(fs::read(&clip).unwrap());
    let address = format!("http://me:Zq7@127.0.0.1:{port}/clip.mp4?token=Zq7token");
    let names = ["t.txt", "t.jsonl", "t.json", "t.csv"];
    let mut line = vec!["track", &address, "--video", "v.mp4"];
    line.extend(names.iter().flat_map(|name| ["--tracks", name]));
    let done = no_secret_in(&line).ok();
    assert!(done.stderr.contains("wrote t.jsonl"), "{done:#?}");
    // Named after it, and among several.
    let done = no_secret_in(&["track", &address, "demo", "--end", "1", "--tracks", "{name}.jsonl"]).ok();
    assert!(done.stderr.contains("wrote clip.jsonl"), "{done:#?}");
    no_secret_in(&[&address, "--end", "1"]).ok();
    for path in ["user=a&password=Zq7secret&x=1", "live;pwd=Zq7secret", "a_password=Zq7secret_b=1/clip.mp4"] {
        let address = format!("http://127.0.0.1:{port}/{path}");
        let outputs = ["--tracks", "{name}.jsonl", "--status-file", "s.json", "--end", "0.5"];
        no_secret_in(&[&["track", &address, "-vv"], outputs.as_slice()].concat()).ok();
    }
    no_secret_in(&["detect", &address, "--coco", "c.json", "--mot", "m.txt", "--end", "0.5"]).ok();
}

/// Every Rust file below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn unchecked_memory_is_where_it_is_known_to_be() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"deny\""), "the lint that refuses it elsewhere");
    let mut all = Vec::new();
    sources(&root().join("src"), &mut all);
    all.retain(|path| {
        let text = fs::read_to_string(path).unwrap();
        let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        code.into_iter().any(|line| line.contains("unsafe_code"))
    });
    let native = root().join("src/detect/runtime/native");
    let files = ["execute/mod.rs", "kernels/mod.rs", "memory.rs", "session.rs"].map(|file| native.join(file));
    let mut known = files.to_vec();
    known.push(root().join("src/kernels/isa.rs"));
    known.sort();
    all.sort();
    assert_eq!(all, known, "each further place needs a reason, and a line in ARCHITECTURE.md");
}
