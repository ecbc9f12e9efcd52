//! Messages over real sockets: to a broker that is killed, to a server that breaks off, lies and is away.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use crate::common::missing;
use trailsight::outbox::{Courier, Limits, Mqtt, Outbox, Webhook};

const LIMITS: Limits = Limits { bytes: 8 << 20, age: Duration::from_secs(3600) };
const LONG: Duration = Duration::from_secs(60);

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// How many times a server is killed: few in every run of the tests, more with `TRAILSIGHT_KILLS`.
fn kills() -> u64 {
    std::env::var("TRAILSIGHT_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(3)
}

/// Mosquitto on a port, ended with it: in order, as a broker that is killed loses what it has acknowledged and not yet saved,
/// whoever sent it.
struct Broker(Child);

impl Broker {
    /// `None` where it is not installed.
    fn start(port: u16, folder: &Path) -> Option<Self> {
        let config = folder.join("mosquitto.conf");
        // Its memory of sessions and retained messages is on disk at once, as a kill leaves no time for that.
        let text = format!(
            "user root\nlistener {port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {}/\nautosave_interval 1\nautosave_on_changes true\n",
            folder.display()
        );
        std::fs::write(&config, text).unwrap();
        let program = ["/usr/sbin/mosquitto", "mosquitto"].into_iter().find_map(|program| {
            let mut command = Command::new(program);
            command
                .arg("-c")
                .arg(&config)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .ok()
        })?;
        let broker = Self(program);
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(begun.elapsed() < LONG, "the broker does not come up");
            sleep(Duration::from_millis(20));
        }
        Some(broker)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// What a client of another make receives.
struct Listener {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    fn start(port: u16, name: &str) -> Self {
        let port = port.to_string();
        // A session of its own, which the broker keeps while the client is away.
        let mut child = Command::new("mosquitto_sub")
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &port,
                "-q",
                "1",
                "-i",
                name,
                "-c",
                "-t",
                "yard/#",
                "-F",
                "%t %r %p",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let (kept, out) = (Arc::clone(&lines), child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                kept.lock().unwrap().push(line);
            }
        });
        Self { child, lines }
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    fn wait_for(&self, is_there: impl Fn(&[String]) -> bool) {
        let begun = Instant::now();
        while !is_there(&self.lines()) {
            assert!(begun.elapsed() < LONG, "{:?}", self.lines().iter().rev().take(5).collect::<Vec<_>>());
            sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_broker_that_goes_again_and_again_has_every_message_in_the_end() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let Some(mut broker) = Broker::start(port, folder.path()) else { return missing("mosquitto") };
    let listener = Listener::start(port, "listener");
    let address = format!("mqtt://127.0.0.1:{port}/yard");
    let courier = Mqtt::new(&address).unwrap();
    let mut outbox = Outbox::open(folder.path(), ("broker", &address), LIMITS, courier).unwrap();
    listener.wait_for(|lines| lines.iter().any(|line| line == "yard/available 0 online"));
    let mut ids = Vec::new();
    let mut put = |outbox: &mut Outbox, number: u64| {
        outbox.set_state("zones/square", format!("{{\"now\":{number}}}"));
        outbox.put(|id| {
            ids.push(id.to_owned());
            format!("{{\"id\":\"{id}\"}}")
        })
    };
    for kill in 0..kills() {
        for number in 0..40 {
            put(&mut outbox, kill * 100 + number).unwrap();
            sleep(Duration::from_millis(3));
            if number == 25 {
                drop(broker);
                sleep(Duration::from_millis(150));
                broker = Broker::start(port, folder.path()).unwrap();
            }
        }
    }
    put(&mut outbox, 999_999).unwrap();
    assert_eq!(outbox.finish(LONG), 0);
    listener.wait_for(|lines| {
        lines.iter().any(|line| line.ends_with(ids.last().map(|id| format!("\"{id}\"}}")).unwrap().as_str()))
    });
    listener.wait_for(|lines| lines.last().is_some_and(|line| line == "yard/available 0 offline"));
    let mut known = BTreeSet::new();
    let lines = listener.lines();
    let once: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("yard/events 0 {\"id\":\"")?.strip_suffix("\"}"))
        .filter(|id| known.insert(id.to_string()))
        .collect();
    assert_eq!(once, ids);
    // How things stand, and that the program is gone, is told to whoever comes later.
    let late = Listener::start(port, "late");
    late.wait_for(|lines| lines.len() >= 2);
    let told: BTreeSet<String> = late.lines().into_iter().collect();
    assert!(told.contains("yard/available 1 offline"), "{told:?}");
    assert!(told.iter().any(|line| line.starts_with("yard/zones/square 1 {\"now\":")), "{told:?}");
    drop(broker);
}

#[test]
fn a_program_that_is_gone_is_told_as_gone() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let Some(_broker) = Broker::start(port, folder.path()) else { return missing("mosquitto") };
    let listener = Listener::start(port, "listener");
    // A connection that breaks off without a goodbye, as that of a killed program does.
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let cut = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let through = cut.local_addr().unwrap().port();
    let pipe = std::thread::spawn(move || {
        let (mut client, _) = cut.accept().unwrap();
        let mut back = stream.try_clone().unwrap();
        let mut to_client = client.try_clone().unwrap();
        let answers = std::thread::spawn(move || std::io::copy(&mut back, &mut to_client));
        let mut buffer = [0; 1024];
        client.set_read_timeout(Some(Duration::from_millis(800))).unwrap();
        while let Ok(read) = client.read(&mut buffer) {
            stream.write_all(&buffer[..read]).unwrap();
        }
        let _ = stream.shutdown(std::net::Shutdown::Both);
        let _ = client.shutdown(std::net::Shutdown::Both);
        let _ = answers.join();
    });
    let address = format!("mqtt://127.0.0.1:{through}/yard");
    let outbox =
        Outbox::open(folder.path(), ("broker", &address), LIMITS, Mqtt::new(&address).unwrap()).unwrap();
    listener.wait_for(|lines| lines.iter().any(|line| line == "yard/available 0 online"));
    listener.wait_for(|lines| lines.iter().any(|line| line == "yard/available 0 offline"));
    pipe.join().unwrap();
    drop(outbox);
}

/// An HTTP server with moods; keeps what it has said it has, and what it has without having said so.
struct Server {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    got: Arc<Mutex<Vec<(String, String)>>>,
}

#[derive(Clone, Copy)]
enum Mood {
    Fine,
    /// Takes the message and breaks off before it says so.
    Silent,
    /// Answers with this number.
    Says(u16),
    /// Breaks off in the middle of the message.
    Deaf,
}

impl Server {
    fn start(
        port: u16,
        moods: impl Fn(usize) -> Mood + Send + 'static,
        got: &Arc<Mutex<Vec<(String, String)>>>,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let ended = Arc::<AtomicBool>::default();
        let (over, kept) = (Arc::clone(&ended), Arc::clone(got));
        let thread = std::thread::spawn(move || {
            let mut number = 0;
            while !over.load(Ordering::SeqCst) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        stream.set_nonblocking(false).unwrap();
                        number += 1;
                        let _ = Self::answer(stream, moods(number), &kept);
                    }
                    Err(_) => sleep(Duration::from_millis(3)),
                }
            }
        });
        Self { ended, thread: Some(thread), got: Arc::clone(got) }
    }

    fn answer(stream: TcpStream, mood: Mood, got: &Mutex<Vec<(String, String)>>) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let (mut length, mut id) = (0, String::new());
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(": ").unwrap_or((line, ""));
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "idempotency-key" => id = value.to_owned(),
                _ => {}
            }
        }
        if matches!(mood, Mood::Deaf) {
            return Ok(());
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        if matches!(mood, Mood::Fine | Mood::Silent) {
            got.lock().unwrap().push((id, String::from_utf8(body).unwrap()));
        }
        let mut stream = stream;
        match mood {
            Mood::Silent | Mood::Deaf => Ok(()),
            Mood::Fine => stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"),
            Mood::Says(number) => stream.write_all(
                format!("HTTP/1.1 {number} No\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n")
                    .as_bytes(),
            ),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = self.thread.take().unwrap().join();
    }
}

#[test]
fn a_server_that_is_killed_breaks_off_and_refuses_has_every_message_once_by_id() {
    let (folder, port, got) = (tempfile::tempdir().unwrap(), free_port(), Arc::default());
    let address = format!("http://user:pass@127.0.0.1:{port}/hook?x=1");
    let mut ids = Vec::new();
    for round in 0..kills() {
        // Nobody listens at first.
        let mut outbox =
            Outbox::open(folder.path(), ("server", &address), LIMITS, Webhook::new(&address).unwrap())
                .unwrap();
        for _ in 0..12 {
            outbox
                .put(|id| {
                    ids.push(id.to_owned());
                    format!("{{\"id\":\"{id}\"}}")
                })
                .unwrap();
        }
        sleep(Duration::from_millis(100));
        let mood = move |number: usize| match (number + round as usize) % 7 {
            1 => Mood::Silent,
            3 => Mood::Says(503),
            5 => Mood::Deaf,
            6 => Mood::Says(302),
            _ => Mood::Fine,
        };
        let server = Server::start(port, mood, &got);
        let begun = Instant::now();
        while server.got.lock().unwrap().len() < 4 && begun.elapsed() < LONG {
            sleep(Duration::from_millis(10));
        }
        drop(server);
        // Nor when the program ends: the rest is for the next run.
        assert!(outbox.finish(Duration::from_millis(100)) > 0);
    }
    let server = Server::start(port, |_| Mood::Fine, &got);
    let outbox =
        Outbox::open(folder.path(), ("server", &address), LIMITS, Webhook::new(&address).unwrap()).unwrap();
    assert_eq!(outbox.finish(LONG), 0);
    drop(server);
    let got = got.lock().unwrap();
    let mut known = BTreeSet::new();
    let once: Vec<&String> = got.iter().map(|(id, _)| id).filter(|id| known.insert((*id).clone())).collect();
    assert_eq!(once, ids.iter().collect::<Vec<_>>());
    assert!(got.iter().all(|(id, body)| *body == format!("{{\"id\":\"{id}\"}}")));
}

#[test]
fn what_a_server_refuses_for_good_is_put_aside_and_the_rest_goes_on() {
    let (folder, port, got) = (tempfile::tempdir().unwrap(), free_port(), Arc::default());
    let address = format!("http://127.0.0.1:{port}/");
    let server = Server::start(port, |number| if number == 2 { Mood::Says(400) } else { Mood::Fine }, &got);
    let mut outbox =
        Outbox::open(folder.path(), ("server", &address), LIMITS, Webhook::new(&address).unwrap()).unwrap();
    for number in 0..4 {
        outbox.put(|_| number.to_string()).unwrap();
    }
    assert_eq!(outbox.finish(LONG), 0);
    drop(server);
    let bodies: Vec<String> = got.lock().unwrap().iter().map(|(_, body)| body.clone()).collect();
    assert_eq!(bodies, ["0", "2", "3"]);
    let queue = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let aside = std::fs::read_to_string(queue.join("refused.jsonl")).unwrap();
    assert!(aside.contains("400") && aside.contains("\"body\":\"1\""), "{aside}");
}

#[test]
fn a_broker_that_talks_rubbish_does_no_harm() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut random = fastrand::Rng::with_seed(1);
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 512]);
            let mut bytes: Vec<u8> = Vec::new();
            // Right answers to a greeting and to the first message, sometimes.
            bytes.extend(random.bool().then_some([0x20, 2, 0, 0]).into_iter().flatten());
            bytes.extend(random.bool().then_some([0x40, 2, 0, 1]).into_iter().flatten());
            bytes.extend((0..random.usize(0..40)).map(|_| match random.bool() {
                true => [0x20, 0x30, 0x32, 0x40, 0x50, 0x62, 0x90, 0xd0, 0xe0, 0, 1, 2, 0x80, 0xff]
                    [random.usize(0..14)],
                false => random.u8(..),
            }));
            let _ = stream.write_all(&bytes);
        }
    });
    for _ in 0..500 {
        let mut broker = Mqtt::new(&format!("mqtt://127.0.0.1:{port}/x")).unwrap();
        assert!(broker.state("a", "b").is_err(), "nobody has acknowledged it");
    }
}
