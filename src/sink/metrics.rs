//! Numbers for Prometheus: a page in its text format, served while the run goes on.
//!
//! `GET /metrics` on the address of `--metrics`. Anything but the loopback needs a token, `TRAILSIGHT_METRICS_TOKEN` in the
//! environment, which whoever asks shows as `Authorization: Bearer TOKEN`. One request is answered at a time.
//!
//! | name | labels | |
//! |---|---|---|
//! | `trailsight_frames_total` | `source` | frames that were tracked |
//! | `trailsight_source_time_seconds` | `source` | source time of the newest frame |
//! | `trailsight_tracks` | `source`, `class` | objects that are seen now |
//! | `trailsight_events_total` | `source`, `event` | events by kind |
//! | `trailsight_line_crossings_total` | `source`, `line`, `direction`, `class` | crossings |
//! | `trailsight_zone_occupancy` | `source`, `zone` | objects in a zone now |
//! | `trailsight_zone_passages_total` | `source`, `zone`, `direction`, `class` | entries and exits |
//! | `trailsight_zone_dwell_seconds` | `source`, `zone` | a histogram of ended visits |
//! | `trailsight_rule_active` | `source`, `rule` | events of a rule that are under way |
//! | `trailsight_rule_events_total` | `source`, `rule` | events of a rule that have started |

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{End, FrameFacts, RunInfo, Sink, SinkError};
use crate::counts::{Counts, DWELL_BINS, RuleState};
use crate::labels::Labels;
use crate::scene::Scene;
use crate::sync::lock;

/// The environment variable with the token.
const TOKEN: &str = "TRAILSIGHT_METRICS_TOKEN";
/// A request that takes longer, or is longer in bytes, is given up.
const PATIENCE: Duration = Duration::from_secs(2);
const LONGEST: u64 = 8192;
/// How often it looks whether the run is over.
const LOOK: Duration = Duration::from_millis(20);

/// Serves the numbers of the address `metrics://HOST:PORT`.
pub(super) fn sink(target: &Path) -> Result<Box<dyn Sink>, SinkError> {
    let target = target.to_string_lossy();
    let place = target.strip_prefix("metrics://").unwrap_or(&target);
    let failed = |why: &str| SinkError::failed(&format!("metrics at {place}"), why);
    let address: SocketAddr =
        place.parse().map_err(|_| failed("an address is an IP and a port, such as 127.0.0.1:9464"))?;
    let token = std::env::var(TOKEN).ok().filter(|token| !token.is_empty());
    if !address.ip().is_loopback() && token.is_none() {
        return Err(failed(&format!(
            "it can be reached from other machines: set {TOKEN} to a token that whoever asks must show, or use 127.0.0.1"
        )));
    }
    Ok(Box::new(MetricsSink {
        name: format!("metrics at {place}"),
        address,
        token,
        labels: Arc::default(),
        numbers: Arc::default(),
        ended: Arc::default(),
        thread: None,
    }))
}

struct MetricsSink {
    name: String,
    address: SocketAddr,
    token: Option<String>,
    labels: Arc<Labels>,
    numbers: Arc<Mutex<Numbers>>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sink for MetricsSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn begin(&mut self, run: &RunInfo) -> Result<(), SinkError> {
        let failed = |error: std::io::Error| SinkError::failed(&self.name, error);
        let listener = TcpListener::bind(self.address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        if let Ok(address) = listener.local_addr() {
            log::info!("metrics: http://{address}/metrics");
        }
        self.labels = Arc::clone(&run.labels);
        lock(&self.numbers).source.clone_from(&run.source);
        let (numbers, ended, token) =
            (Arc::clone(&self.numbers), Arc::clone(&self.ended), self.token.clone());
        let thread = std::thread::Builder::new().name("metrics".to_owned());
        let serve = move || {
            while !ended.load(Ordering::SeqCst) {
                match listener.accept() {
                    // Whoever asks and does not wait for the answer is no matter.
                    Ok((stream, _)) => drop(answer(stream, &numbers, token.as_deref())),
                    Err(_) => std::thread::sleep(LOOK),
                }
            }
        };
        self.thread = Some(thread.spawn(serve).map_err(failed)?);
        Ok(())
    }

    fn scene(&mut self, scene: &Scene, _: &FrameFacts) -> Result<(), SinkError> {
        let mut numbers = lock(&self.numbers);
        numbers.frames += 1;
        numbers.time = scene.time;
        for event in &scene.events {
            *numbers.events.entry(event.kind.to_string()).or_default() += 1;
        }
        // A class that was there once stays, at 0.
        numbers.tracks.values_mut().for_each(|number| *number = 0);
        for track in scene.seen() {
            *numbers.tracks.entry(self.labels.name(track.class).into_owned()).or_default() += 1;
        }
        if scene.counts.is_some() {
            numbers.counts.clone_from(&scene.counts);
        }
        numbers.rules = Arc::clone(&scene.rules);
        numbers.labels = Arc::clone(&self.labels);
        Ok(())
    }

    fn finish(mut self: Box<Self>, _: End) -> Result<(), SinkError> {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        Ok(())
    }
}

/// What is served.
#[derive(Default)]
struct Numbers {
    source: String,
    frames: u64,
    time: f64,
    events: BTreeMap<String, u64>,
    tracks: BTreeMap<String, u64>,
    counts: Option<Arc<Counts>>,
    rules: Arc<Vec<RuleState>>,
    labels: Arc<Labels>,
}

/// Text of the format that Prometheus reads (version 0.0.4).
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "# HELP trailsight_{name} {help}\n# TYPE trailsight_{name} {kind}\n");
    }

    fn value(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<String> =
            labels.iter().map(|(name, text)| format!("{name}=\"{}\"", quoted(text))).collect();
        let _ = writeln!(self.0, "trailsight_{name}{{{}}} {value}", labels.join(","));
    }
}

impl Numbers {
    fn page(&self) -> String {
        let mut page = Page(String::new());
        let source = ("source", self.source.as_str());
        page.head("frames_total", "counter", "Frames that were tracked.");
        page.value("frames_total", &[source], self.frames as f64);
        page.head("source_time_seconds", "gauge", "Source time of the newest frame.");
        page.value("source_time_seconds", &[source], self.time);
        page.head("tracks", "gauge", "Objects that are seen now.");
        for (class, number) in &self.tracks {
            page.value("tracks", &[source, ("class", class)], *number as f64);
        }
        page.head("events_total", "counter", "Events.");
        for (kind, number) in &self.events {
            page.value("events_total", &[source, ("event", kind)], *number as f64);
        }
        if let Some(counts) = &self.counts {
            self.add_counts(&mut page, counts);
        }
        if !self.rules.is_empty() {
            page.head("rule_active", "gauge", "Events of a rule that are under way.");
            for rule in self.rules.iter() {
                page.value("rule_active", &[source, ("rule", &*rule.name)], rule.active as f64);
            }
            page.head("rule_events_total", "counter", "Events of a rule that have started.");
            for rule in self.rules.iter() {
                page.value("rule_events_total", &[source, ("rule", &*rule.name)], rule.started as f64);
            }
        }
        page.0
    }

    fn add_counts(&self, page: &mut Page, counts: &Counts) {
        let source = ("source", self.source.as_str());
        page.head("line_crossings_total", "counter", "Crossings of lines.");
        for line in &counts.lines {
            for (class, ways) in line.crossed.by_name(&self.labels) {
                for (direction, number) in [("in", ways.inwards), ("out", ways.outwards)] {
                    let labels = [source, ("line", &*line.name), ("direction", direction), ("class", &class)];
                    page.value("line_crossings_total", &labels, number as f64);
                }
            }
        }
        page.head("zone_occupancy", "gauge", "Objects in a zone now.");
        for zone in &counts.zones {
            page.value("zone_occupancy", &[source, ("zone", &*zone.name)], zone.occupancy as f64);
        }
        page.head("zone_passages_total", "counter", "Objects that came into a zone, and that went out.");
        for zone in &counts.zones {
            for (class, ways) in zone.passed.by_name(&self.labels) {
                for (direction, number) in [("in", ways.inwards), ("out", ways.outwards)] {
                    let labels = [source, ("zone", &*zone.name), ("direction", direction), ("class", &class)];
                    page.value("zone_passages_total", &labels, number as f64);
                }
            }
        }
        page.head("zone_dwell_seconds", "histogram", "How long visits were that have ended.");
        for zone in &counts.zones {
            let (name, mut sum) = (("zone", &*zone.name), 0);
            for (number, end) in zone.dwell.visits_by_length.iter().zip(DWELL_BINS) {
                sum += number;
                page.value(
                    "zone_dwell_seconds_bucket",
                    &[source, name, ("le", &end.to_string())],
                    sum as f64,
                );
            }
            let all = zone.dwell.visits as f64;
            page.value("zone_dwell_seconds_bucket", &[source, name, ("le", "+Inf")], all);
            page.value("zone_dwell_seconds_sum", &[source, name], zone.dwell.seconds);
            page.value("zone_dwell_seconds_count", &[source, name], all);
        }
    }
}

/// Answers one request.
fn answer(mut stream: TcpStream, numbers: &Mutex<Numbers>, token: Option<&str>) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = head(&mut stream)?;
    let mut lines = request.lines();
    let first = lines.next().unwrap_or_default();
    let path = first.strip_prefix("GET ").and_then(|rest| rest.split([' ', '?']).next());
    let shown = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("authorization").then(|| value.trim().to_owned())
    });
    let known = token.is_none_or(|token| {
        shown
            .as_deref()
            .and_then(|shown| shown.strip_prefix("Bearer "))
            .is_some_and(|shown| same(shown, token))
    });
    let (status, body) = match path {
        _ if !known => ("401 Unauthorized", "a token is needed: Authorization: Bearer TOKEN\n".to_owned()),
        Some("/metrics") => ("200 OK", lock(numbers).page()),
        Some("/") => ("200 OK", "trailsight: see /metrics\n".to_owned()),
        Some(_) => ("404 Not Found", "see /metrics\n".to_owned()),
        None => ("405 Method Not Allowed", "GET alone\n".to_owned()),
    };
    let length = body.len();
    let kind = "Content-Type: text/plain; version=0.0.4; charset=utf-8";
    write!(
        stream,
        "HTTP/1.1 {status}\r\n{kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// The request up to its empty line.
fn head(stream: &mut TcpStream) -> std::io::Result<String> {
    let begun = Instant::now();
    let mut bytes = Vec::new();
    let mut buffer = [0; 1024];
    while !bytes.windows(4).any(|window| window == b"\r\n\r\n") {
        let left = PATIENCE.saturating_sub(begun.elapsed());
        if left.is_zero() || bytes.len() as u64 > LONGEST {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => bytes.extend_from_slice(&buffer[..read]),
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether two texts are the same, in a time that does not tell where they differ.
fn same(one: &str, other: &str) -> bool {
    let differences = one.bytes().zip(other.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::super::tracks::format::tests::{facts, run, scene};
    use super::*;
    use crate::counts::{ByClass, Dwell, LineCounts, ZoneCounts};
    use crate::event::Event;

    fn counted() -> Scene {
        let mut crossed = ByClass::default();
        crossed.add(0, true);
        crossed.add(0, true);
        crossed.add(0, false);
        let mut dwell = Dwell::default();
        [0.5, 3.0, 1000.0].into_iter().for_each(|seconds| dwell.add(seconds));
        let line = LineCounts {
            name: "a \"b\"\\".into(),
            points: Vec::new(),
            crossed: crossed.clone(),
            speeds: Default::default(),
        };
        let zone = ZoneCounts {
            name: "square".into(),
            corners: Vec::new(),
            occupancy: 2,
            most: 3,
            presence: 9.0,
            seconds: 9.0,
            passed: crossed,
            dwell,
            longest_now: 1.0,
        };
        let counts = Counts { lines: vec![line], zones: vec![zone], ..Counts::default() };
        let rule = RuleState { name: "somebody waits".into(), active: 1, since: Some(0.1), started: 4 };
        Scene {
            counts: Some(Arc::new(counts)),
            rules: Arc::new(vec![rule]),
            events: vec![Event::new(1, 0.1, "cross")],
            ..scene()
        }
    }

    fn ask(port: u16, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    /// A sink that serves, and its port.
    fn serving(token: Option<&str>) -> (Box<MetricsSink>, u16) {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut sink = MetricsSink {
            name: "metrics".to_owned(),
            address: ([127, 0, 0, 1], port).into(),
            token: token.map(str::to_owned),
            labels: Arc::default(),
            numbers: Arc::default(),
            ended: Arc::default(),
            thread: None,
        };
        sink.begin(&run()).unwrap();
        (Box::new(sink), port)
    }

    #[test]
    fn the_page_has_each_number_once_under_its_name() {
        let (mut sink, port) = serving(None);
        sink.scene(&counted(), &facts()).unwrap();
        sink.scene(&counted(), &facts()).unwrap();
        let text = ask(port, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        let (head, page) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("text/plain; version=0.0.4"),
            "{head}"
        );
        let source = "source=\"a \\\"clip\\\".avi\"";
        for line in [
            format!("trailsight_frames_total{{{source}}} 2"),
            format!("trailsight_events_total{{{source},event=\"cross\"}} 2"),
            format!(
                "trailsight_line_crossings_total{{{source},line=\"a \\\"b\\\"\\\\\",direction=\"in\",class=\"person\"}} 2"
            ),
            format!("trailsight_rule_active{{{source},rule=\"somebody waits\"}} 1"),
            format!("trailsight_rule_events_total{{{source},rule=\"somebody waits\"}} 4"),
            format!("trailsight_zone_occupancy{{{source},zone=\"square\"}} 2"),
            format!("trailsight_zone_dwell_seconds_bucket{{{source},zone=\"square\",le=\"5\"}} 2"),
            format!("trailsight_zone_dwell_seconds_bucket{{{source},zone=\"square\",le=\"+Inf\"}} 3"),
            format!("trailsight_zone_dwell_seconds_sum{{{source},zone=\"square\"}} 1003.5"),
        ] {
            assert_eq!(page.lines().filter(|known| **known == line).count(), 1, "{line}\n{page}");
        }
        // Each name is announced once, before its values.
        let mut announced = std::collections::BTreeSet::new();
        for line in page.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                assert!(announced.insert(rest.split(' ').next().unwrap().to_owned()), "{line}");
            } else if !line.starts_with('#') {
                let name = line.split('{').next().unwrap();
                let family = ["_bucket", "_sum", "_count"]
                    .iter()
                    .find_map(|end| name.strip_suffix(end))
                    .unwrap_or(name);
                assert!(announced.contains(family), "{line}");
                line.rsplit(' ').next().unwrap().parse::<f64>().unwrap();
            }
        }
        assert!(ask(port, "GET /other HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
        assert!(ask(port, "POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
        sink.finish(End::Complete).unwrap();
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    }

    #[test]
    fn who_has_no_token_sees_nothing_and_rubbish_does_no_harm() {
        let (mut sink, port) = serving(Some("s3cret"));
        sink.scene(&counted(), &facts()).unwrap();
        for shown in [
            "",
            "Authorization: Bearer s3cre\r\n",
            "Authorization: s3cret\r\n",
            "Authorization: Bearer s3creT\r\n",
        ] {
            let text = ask(port, &format!("GET /metrics HTTP/1.1\r\n{shown}\r\n"));
            assert!(text.starts_with("HTTP/1.1 401") && !text.contains("frames_total"), "{text}");
        }
        assert!(
            ask(port, "GET /metrics HTTP/1.1\r\nauthorization:  Bearer s3cret\r\n\r\n")
                .contains("frames_total")
        );
        // Too much, and too little.
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let _ = stream.write_all(&[0xff; 40_000]);
        drop(stream);
        drop(TcpStream::connect(("127.0.0.1", port)).unwrap());
        assert!(
            ask(port, "GET / HTTP/1.1\r\nAuthorization: Bearer s3cret\r\n\r\n").starts_with("HTTP/1.1 200")
        );
        sink.finish(End::Stopped).unwrap();
    }

    #[test]
    fn other_machines_need_a_token() {
        for wrong in ["metrics://localhost:1", "metrics://127.0.0.1", "metrics://"] {
            assert!(sink(wrong.as_ref()).err().unwrap().to_string().contains("127.0.0.1:9464"), "{wrong}");
        }
        if std::env::var_os(TOKEN).is_none() {
            let told = sink("metrics://0.0.0.0:9464".as_ref()).err().unwrap().to_string();
            assert!(told.contains(TOKEN), "{told}");
        }
        assert!(sink("metrics://[::1]:9464".as_ref()).is_ok());
    }
}
