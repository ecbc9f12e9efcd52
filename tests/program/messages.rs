//! Events as messages: what arrives at a web server, over kills of the program, and what is told where nobody takes them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value as Json;

use crate::common::{run_in, trailsight, wait_for};
use crate::counting::{SETTINGS, TRACK};

/// One who walks to and fro over the line.
fn make_boxes(folder: &Path, frames: i32) {
    let row = |frame: i32| {
        let way = frame % 80;
        format!("{frame},-1,{},100,40,100,0.9\n", 100 + 10 * way.min(80 - way))
    };
    fs::write(folder.join("det.txt"), (1..=frames).map(row).collect::<String>()).unwrap();
    fs::write(folder.join("config.toml"), SETTINGS).unwrap();
}

/// Takes what is posted on this port, each message once by its id.
fn take(listener: TcpListener) -> Arc<Mutex<Vec<Json>>> {
    let taken = Arc::<Mutex<Vec<Json>>>::default();
    let kept = Arc::clone(&taken);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let _ = answer(stream, &kept);
        }
    });
    taken
}

fn answer(mut stream: TcpStream, taken: &Mutex<Vec<Json>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let (mut length, mut begun) = (0, false);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(number) = line.strip_prefix("content-length: ") {
                length = number.parse().unwrap();
            }
            begun |= line.starts_with("post / ");
            if line.is_empty() {
                break;
            }
        }
        assert!(begun);
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let message: Json = serde_json::from_slice(&body).unwrap();
        let mut taken = taken.lock().unwrap();
        if !taken.iter().any(|known| known["id"] == message["id"]) {
            taken.push(message);
        }
        drop(taken);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
    }
}

/// What an event is, whichever run tells it.
fn what(event: &Json) -> String {
    format!("{} {} {} {}", event["event"], event["frame"], event["line"], event["zone"])
}

#[test]
fn a_server_gets_what_the_file_has() {
    let folder = tempfile::tempdir().unwrap();
    make_boxes(folder.path(), 300);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let taken = take(listener);
    let mut command = trailsight();
    command.current_dir(folder.path()).env("XDG_STATE_HOME", folder.path().join("state"));
    command.args(TRACK).args(["--events", &address, "--events", "e.jsonl"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    wait_for(command.spawn().unwrap(), 60).ok();
    let text = fs::read_to_string(folder.path().join("e.jsonl")).unwrap();
    let mut file: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let taken = taken.lock().unwrap();
    assert!(file.len() >= 14, "{}", file.len());
    for (event, message) in file.iter_mut().zip(taken.iter()) {
        event["id"] = message["id"].clone();
        assert_eq!(event, message);
    }
    assert_eq!(file.len(), taken.len());
}

#[test]
fn what_a_killed_program_has_seen_arrives_with_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    make_boxes(folder.path(), 20_000);
    // Nobody listens at first.
    let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = reserved.local_addr().unwrap().port();
    drop(reserved);
    let address = format!("http://127.0.0.1:{port}/");
    let start = |file: &str| {
        let mut command = trailsight();
        command.current_dir(folder.path()).env("XDG_STATE_HOME", folder.path().join("state"));
        // The message is kept before the line is written.
        command.args(TRACK).args(["--events", &address, "--events", file]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let kills = std::env::var("TRAILSIGHT_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let mut expected = BTreeMap::<String, usize>::new();
    let mut seen = 0;
    for kill in 0..kills {
        let file = format!("e{kill}.jsonl");
        let mut child = start(&file);
        std::thread::sleep(Duration::from_millis(120 + kill * 37 % 400));
        child.kill().unwrap();
        child.wait().unwrap();
        let partial = folder.path().join(format!("e{kill}.partial.jsonl"));
        let whole = folder.path().join(&file);
        let bytes = fs::read(if whole.exists() { whole } else { partial }).unwrap_or_default();
        let text = String::from_utf8(bytes).unwrap();
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            *expected.entry(what(&serde_json::from_str(line).unwrap())).or_default() += 1;
            seen += 1;
        }
    }
    assert!(seen > 0, "it was killed before it had seen anything");
    let taken = take(TcpListener::bind(("127.0.0.1", port)).unwrap());
    let done = wait_for(start("last.jsonl"), 120);
    assert_eq!(done.code, Some(0), "{done:#?}");
    let text = fs::read_to_string(folder.path().join("last.jsonl")).unwrap();
    for line in text.lines() {
        *expected.entry(what(&serde_json::from_str(line).unwrap())).or_default() += 1;
    }
    // What is still under way when the last run ends is told, and delivered by one that has nothing to add.
    fs::write(folder.path().join("det.txt"), "1,-1,0,0,40,100,0.9\n").unwrap();
    let delivers = |_: &i32| wait_for(start("none.jsonl"), 120).stderr.contains("wait in");
    assert!((0..100).take_while(delivers).count() < 100, "it never comes to an end");
    let mut got = BTreeMap::<String, usize>::new();
    for message in taken.lock().unwrap().iter() {
        *got.entry(what(message)).or_default() += 1;
    }
    for (event, times) in expected {
        assert!(
            got.get(&event).is_some_and(|got| *got >= times),
            "{event}: {:?} of {times}",
            got.get(&event)
        );
    }
}

#[test]
fn an_address_that_is_none_and_one_where_nobody_is_are_told() {
    let folder = tempfile::tempdir().unwrap();
    make_boxes(folder.path(), 100);
    let track = |address: &str| run_in(folder.path(), &[&TRACK[..], &["--events", address]].concat());
    track("mqtt://host:99999/").fails(2, &["mqtt://", "no port"]);
    track("amqp://host/").fails(2, &["amqp://", "mqtt://HOST/PREFIX", ".jsonl"]);
    let mut command = trailsight();
    command.current_dir(folder.path()).env("XDG_STATE_HOME", folder.path().join("state"));
    command.args(TRACK).args(["--events", "http://me:secret@127.0.0.1:9/hook?token=secret"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let done = wait_for(command.spawn().unwrap(), 60).ok();
    assert!(done.stderr.contains("http://127.0.0.1:9/hook: 4 messages wait in"), "{done:#?}");
    assert!(!done.stderr.contains("secret"), "{done:#?}");
}
