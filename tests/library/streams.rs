//! Network streams against real servers on the loopback: RTSP from GStreamer's server (`streams/rtsp.py`), HTTP and UDP
//! with ffmpeg's streams; servers that stop, freeze and come back.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::common::{demo, has, missing, root, run_in, signal};
use trailsight::frame::{Frame, Picture};
use trailsight::source::{
    CameraSettings, Condition, RtspTransport, Source, SourceError, SourceKind, SourceSettings, SourceSpec,
    open_file,
};

/// A server, ended with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Debian's Python: the one that has the bindings.
fn python() -> Option<&'static str> {
    let bindings = "import gi; gi.require_version('GstRtspServer', '1.0'); gi.require_version('Gst', '1.0'); \
                    from gi.repository import Gst; Gst.init(None); assert Gst.ElementFactory.find('rtpjpegpay')";
    let found = ["/usr/bin/python3", "python3"].into_iter().find(|python| {
        let run = Command::new(python).args(["-c", bindings]).stderr(Stdio::null()).status();
        run.is_ok_and(|status| status.success())
    });
    if found.is_none() {
        missing("GStreamer's RTSP server for Python");
    }
    found.filter(|_| has("ffmpeg"))
}

/// An RTSP server on this port, once it listens.
fn rtsp(python: &str, port: u16, more: &[&str]) -> Server {
    let script = root().join("tests/streams/rtsp.py");
    let mut child = Command::new(python)
        .arg(script)
        .args([port.to_string(), "25".to_owned()])
        .args(more)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    Server(child)
}

fn open(url: &str) -> Result<Box<dyn Source>, SourceError> {
    let camera = CameraSettings { stall_seconds: 1.0, ..CameraSettings::default() };
    open_file(&SourceSpec::parse(url), &SourceSettings { camera, ..SourceSettings::default() })
}

fn next(source: &mut dyn Source) -> Frame {
    source.next_frame().unwrap().expect("a stream goes on")
}

/// How old the picture is, in milliseconds, by the clock in it.
fn age(picture: &Picture) -> i64 {
    let (width, row) = (picture.width() as usize, 100 * picture.width() as usize);
    let stamp = (0..16).fold(0_i64, |stamp, bit| {
        let at = row + (2 * bit + 1) * width / 32;
        stamp << 1 | i64::from(picture.rgb()[at][1] > 127)
    });
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() % 65536;
    (now as i64 - stamp).rem_euclid(65536)
}

#[test]
fn rtsp_is_shown_as_it_happens_however_slow_its_reader_is() {
    let Some(python) = python() else { return };
    let port = free_port();
    let _server = rtsp(python, port, &[]);
    let mut source = open(&format!("rtsp://127.0.0.1:{port}/live")).unwrap();
    assert_eq!(source.info().kind, SourceKind::Stream);
    let mut last = next(&mut *source);
    assert_eq!(last.picture.size(), (640, 480));
    // What piled up while the connection was made is soon behind.
    for _ in 0..25 {
        last = next(&mut *source);
    }
    let mut ages: Vec<i64> = (0..50).map(|_| age(&next(&mut *source).picture)).collect();
    ages.sort_unstable();
    eprintln!("age of a picture behind the decoder: median {} ms, worst {} ms", ages[25], ages[49]);
    assert!(ages[25] < 400, "{ages:?}");
    // A queue in between would make every picture half a second older than the one before.
    for _ in 0..8 {
        sleep(Duration::from_millis(500));
        let frame = next(&mut *source);
        assert!(age(&frame.picture) < 500, "{} ms", age(&frame.picture));
        assert!(frame.time > last.time && frame.sequence > last.sequence);
        last = frame;
    }
}

#[test]
fn an_rtsp_server_that_stops_and_comes_back_is_followed() {
    let Some(python) = python() else { return };
    let port = free_port();
    let server = rtsp(python, port, &[]);
    let mut source = open(&format!("rtsp://127.0.0.1:{port}/live")).unwrap();
    let health = source.health().unwrap();
    for _ in 0..10 {
        next(&mut *source);
    }
    let (before, begun) = (next(&mut *source), Instant::now());
    let (first, number) = (before.time, before.sequence);
    drop(server);
    let reader = std::thread::spawn(move || {
        // Pictures that were on their way come first.
        loop {
            let frame = next(&mut *source);
            if frame.time > before.time + 1.5 {
                return (frame, source);
            }
        }
    });
    while !matches!(health.condition(), Condition::Gone { .. }) {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", health.condition());
        sleep(Duration::from_millis(20));
    }
    sleep(Duration::from_secs(2));
    eprintln!("{:?}", health.condition());
    assert_eq!(health.reopened(), 0, "a try is no success");
    let _server = rtsp(python, port, &[]);
    let (after, _source) = reader.join().unwrap();
    let passed = begun.elapsed().as_secs_f64();
    assert!((after.time - first - passed).abs() < 2.5, "{} in {passed} s", after.time - first);
    assert!(after.sequence > number);
    assert!(health.reopened() >= 1);
}

#[test]
fn an_rtsp_server_that_freezes_is_told_and_followed_when_it_goes_on() {
    let Some(python) = python() else { return };
    let port = free_port();
    let server = rtsp(python, port, &[]);
    let mut source = open(&format!("rtsp://127.0.0.1:{port}/live")).unwrap();
    let health = source.health().unwrap();
    for _ in 0..10 {
        next(&mut *source);
    }
    signal(&server.0, "STOP");
    let thread = std::thread::spawn(move || {
        let begun = Instant::now();
        loop {
            let frame = next(&mut *source);
            // What was on its way when it froze comes at once.
            if begun.elapsed() > Duration::from_secs(1) {
                return (frame, begun.elapsed(), source);
            }
        }
    });
    sleep(Duration::from_millis(2_500));
    assert!(matches!(health.condition(), Condition::Stalled(_)), "{:?}", health.condition());
    // Long enough to be given up and tried anew, which a frozen server does not answer.
    sleep(Duration::from_millis(5_000));
    assert!(!health.is_good());
    signal(&server.0, "CONT");
    let (_, after, mut source) = thread.join().unwrap();
    eprintln!("pictures again {after:?} after the freeze, opened again {} times", health.reopened());
    for _ in 0..20 {
        next(&mut *source);
    }
    assert!(health.is_good());
}

#[test]
fn a_password_opens_the_door_and_is_never_told() {
    let Some(python) = python() else { return };
    let port = free_port();
    let _server = rtsp(python, port, &["locked"]);
    let mut source = open(&format!("rtsp://me:hunter2@127.0.0.1:{port}/live")).unwrap();
    next(&mut *source);
    assert!(!source.info().name.contains("hunter2"), "{}", source.info().name);
    drop(source);
    let folder = tempfile::tempdir().unwrap();
    let wrong = format!("rtsp://me:wrong-hunter2@127.0.0.1:{port}/live");
    let run = run_in(folder.path(), &["track", &wrong, "-vv", "--tracks", "t.txt"]).fails(1, &["401"]);
    assert!(!format!("{run:?}").contains("hunter2"), "{run:?}");
}

#[test]
fn a_server_that_sends_over_udp_alone_is_read_unless_tcp_is_asked_for() {
    let Some(python) = python() else { return };
    let port = free_port();
    let _server = rtsp(python, port, &["udp"]);
    let address = format!("rtsp://127.0.0.1:{port}/live");
    let open = |rtsp_transport| {
        open_file(
            &SourceSpec::parse(&address),
            &SourceSettings { rtsp_transport, ..SourceSettings::default() },
        )
    };
    for transport in [RtspTransport::Auto, RtspTransport::Udp] {
        let mut source = open(transport).unwrap();
        assert_eq!(next(&mut *source).picture.size(), (640, 480), "{transport:?}");
    }
    let error = open(RtspTransport::Tcp).unwrap().next_frame().err().unwrap().to_string();
    assert!(error.contains("461"), "{error}");
}

/// The demo clip, over and over, as an MPEG stream in time.
fn stream(to: &str) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-re", "-stream_loop", "-1", "-i", &demo()]);
    command.args([
        "-c:v",
        "mpeg2video",
        "-g",
        "10",
        "-bf",
        "0",
        "-b:v",
        "4M",
        "-r",
        "25",
        "-f",
        "mpegts",
        to,
    ]);
    command.stderr(Stdio::null());
    command
}

/// An HTTP server that sends the stream to whoever asks, until it is dropped.
struct Http {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Http {
    fn start(port: u16) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&ended);
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let serve = move || {
            let mut streams = Vec::new();
            while !flag.load(Ordering::SeqCst) {
                match listener.accept() {
                    Ok((client, _)) => streams.push(Self::answer(client)),
                    Err(_) => sleep(Duration::from_millis(10)),
                }
            }
        };
        Self { ended, thread: Some(std::thread::spawn(serve)) }
    }

    /// The encoder writes to the client itself.
    fn answer(mut client: TcpStream) -> Server {
        client.set_nonblocking(false).unwrap();
        let mut request = [0; 4096];
        let _ = client.read(&mut request).unwrap();
        client
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\n\r\n")
            .unwrap();
        Server(stream("pipe:1").stdout(OwnedFd::from(client)).spawn().unwrap())
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = self.thread.take().unwrap().join();
    }
}

/// Reads a stream, ends its server, starts another one, and reads on.
fn survives<S>(address: &str, serve: impl Fn() -> S) {
    let server = serve();
    let mut source = open(address).unwrap();
    assert_eq!(source.info().kind, SourceKind::Stream);
    let health = source.health().unwrap();
    let mut before = next(&mut *source);
    assert_eq!(before.picture.size(), (768, 576));
    for _ in 0..10 {
        before = next(&mut *source);
    }
    drop(server);
    let thread = std::thread::spawn(move || {
        loop {
            let frame = next(&mut *source);
            if frame.time > before.time + 1.5 {
                return frame;
            }
        }
    });
    let begun = Instant::now();
    while health.is_good() {
        assert!(begun.elapsed() < Duration::from_secs(60), "nobody noticed");
        sleep(Duration::from_millis(50));
    }
    eprintln!("{address}: {:?} after {:?}", health.condition(), begun.elapsed());
    sleep(Duration::from_millis(1_500));
    let _server = serve();
    let after = thread.join().unwrap();
    assert!(after.sequence > before.sequence);
    assert!(health.is_good(), "{:?}", health.condition());
}

#[test]
fn an_http_stream_that_breaks_off_is_followed_when_it_is_back() {
    if !has("ffmpeg") {
        return;
    }
    let port = free_port();
    survives(&format!("http://127.0.0.1:{port}/live.ts"), || Http::start(port));
}

#[test]
fn a_udp_stream_that_breaks_off_is_followed_when_it_is_back() {
    if !has("ffmpeg") {
        return;
    }
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("udp://127.0.0.1:{port}");
    let to = format!("{address}?pkt_size=1316");
    survives(&address, || Server(stream(&to).spawn().unwrap()));
}
