//! What rules told of a recording: kept as it comes, and shown as a table or as JSON.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value as Json, json};

use crate::attribute::Value;
use crate::cli::EventsArgs;
use crate::event::Event;
use crate::scene::Scene;
use crate::sink::{End, FrameFacts, Needs, Pictures, Sink, SinkError, SinkPicture, write_png};
use crate::sync::lock;

/// The events of rules in a recording, shared with the thread that hears of them.
#[derive(Debug, Clone)]
pub(super) struct Log {
    source: String,
    /// How many recordings of this name were asked before.
    before: usize,
    pictures: Option<PathBuf>,
    told: Arc<Mutex<Told>>,
}

#[derive(Debug, Default)]
struct Told {
    events: Vec<Occurrence>,
    /// Of events by their ids.
    pictures: BTreeMap<String, PathBuf>,
    /// Source time of the newest frame.
    time: f64,
    frames: u64,
}

/// One event of a rule, from its start to its end.
#[derive(Debug)]
struct Occurrence {
    id: String,
    start: Event,
    end: Option<f64>,
}

impl Log {
    /// `before`: how many recordings of this name were asked before.
    pub(super) fn new(source: &str, before: usize, args: &EventsArgs) -> Self {
        Self { source: source.to_owned(), before, pictures: args.pictures.clone(), told: Arc::default() }
    }

    /// How much was told so far, in words.
    pub(super) fn so_far(&self) -> String {
        let events = lock(&self.told).events.len();
        format!("{events} event{}", if events == 1 { "" } else { "s" })
    }

    fn take(&self, scene: &Scene) {
        let mut told = lock(&self.told);
        for event in &scene.events {
            let Some(id) = text(event, "event_id") else { continue };
            match &*event.kind {
                "start" => {
                    told.events.push(Occurrence { id: id.to_owned(), start: event.clone(), end: None });
                }
                "end" => {
                    if let Some(known) = told.events.iter_mut().rfind(|known| known.id == id) {
                        let lasted = event.detail("duration").and_then(Value::as_number);
                        known.end = Some(known.start.time + lasted.unwrap_or(0.0));
                    }
                }
                _ => {}
            }
        }
        told.time = scene.time;
        told.frames += 1;
    }

    /// One line for each event.
    pub(super) fn table(&self, name_source: bool) -> String {
        let told = lock(&self.told);
        let mut rows =
            vec![["TIME", "FRAME", "RULE", "TRACK", "CLASS", "LASTED", "PICTURE"].map(str::to_owned)];
        for event in &told.events {
            let start = &event.start;
            let lasted = event.end.map_or_else(String::new, |end| format!("{:.1} s", end - start.time));
            rows.push([
                clock(start.time),
                start.frame.saturating_add(1).to_string(),
                text(start, "rule").unwrap_or_default().to_owned(),
                start.track.map(|track| track.to_string()).unwrap_or_default(),
                text(start, "class").unwrap_or_default().to_owned(),
                lasted,
                told.pictures.get(&event.id).map(|path| path.display().to_string()).unwrap_or_default(),
            ]);
        }
        let mut page = String::new();
        if name_source {
            let _ = writeln!(page, "{}", self.source);
        }
        if rows.len() == 1 {
            page.push_str("no event\n");
            return page;
        }
        // A column that is empty but for its heading is left out.
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            let has_cells = cells.clone().skip(1).any(|length| length > 0);
            cells.max().filter(|_| has_cells).unwrap_or(0)
        };
        let widths: Vec<usize> = (0..7).map(width).collect();
        for row in &rows {
            let mut line = String::new();
            for ((column, cell), &width) in
                row.iter().enumerate().zip(&widths).filter(|(_, width)| **width > 0)
            {
                // Numbers stand to the right.
                let _ = match column {
                    0 | 1 | 3 | 5 => write!(line, "{cell:>width$}  "),
                    _ => write!(line, "{cell:<width$}  "),
                };
            }
            let _ = writeln!(page, "{}", line.trim_end());
        }
        page
    }

    /// One object a line.
    pub(super) fn json(&self) -> String {
        let told = lock(&self.told);
        let mut page = String::new();
        for event in &told.events {
            let start = &event.start;
            let mut object = Map::new();
            object.insert("version".to_owned(), 1.into());
            object.insert("source".to_owned(), self.source.as_str().into());
            for (name, value) in start.details.iter().filter(|(name, _)| !["x", "y"].contains(&&**name)) {
                object.insert(name.to_string(), as_json(value));
            }
            object.insert("frame".to_owned(), start.frame.saturating_add(1).into());
            object.insert("start".to_owned(), rounded(start.time));
            if let Some(end) = event.end {
                object.insert("end".to_owned(), rounded(end));
                object.insert("duration".to_owned(), rounded(end - start.time));
            }
            if let Some(track) = start.track {
                object.insert("track".to_owned(), track.into());
            }
            let number = |name| start.detail(name).and_then(Value::as_number);
            if let (Some(x), Some(y)) = (number("x"), number("y")) {
                object.insert("point".to_owned(), json!([rounded(x), rounded(y)]));
            }
            if let Some(picture) = told.pictures.get(&event.id) {
                object.insert("picture".to_owned(), picture.display().to_string().into());
            }
            let _ = writeln!(page, "{}", Json::Object(object));
        }
        page
    }

    /// How often each rule held, and which ones never did.
    pub(super) fn summary(&self, rules: &[&str]) -> String {
        let told = lock(&self.told);
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for event in &told.events {
            *counts.entry(text(&event.start, "rule").unwrap_or_default()).or_default() += 1;
        }
        let each = rules.iter().map(|rule| match counts.get(rule) {
            Some(count) => format!("\"{rule}\" {count}"),
            None => format!("\"{rule}\" never"),
        });
        format!(
            "{}: {} frames up to {}: {}",
            self.source,
            told.frames,
            clock(told.time),
            each.collect::<Vec<_>>().join(", ")
        )
    }
}

fn text<'a>(event: &'a Event, name: &str) -> Option<&'a str> {
    event.detail(name).and_then(Value::as_text)
}

fn as_json(value: &Value) -> Json {
    match value {
        Value::Number(number) => rounded(*number),
        Value::Whole(number) => (*number).into(),
        Value::Flag(flag) => (*flag).into(),
        Value::Text(text) => (&**text).into(),
    }
}

fn rounded(number: f64) -> Json {
    ((number * 1000.0).round() / 1000.0).into()
}

/// `1:02.5`, from an hour on `1:02:03.5`.
fn clock(seconds: f64) -> String {
    let tenths = (seconds.max(0.0) * 10.0).round() as u64;
    let (hours, minutes) = (tenths / 36_000, tenths / 600 % 60);
    let rest = format!("{:02}.{}", tenths / 10 % 60, tenths % 10);
    if hours > 0 { format!("{hours}:{minutes:02}:{rest}") } else { format!("{minutes}:{rest}") }
}

/// Hears of events.
pub(super) struct ToldSink {
    log: Log,
}

impl ToldSink {
    pub(super) fn new(log: &Log) -> Self {
        Self { log: log.clone() }
    }
}

impl Sink for ToldSink {
    fn name(&self) -> &str {
        "events"
    }

    fn needs(&self) -> Needs {
        let pictures = if self.log.pictures.is_some() { Pictures::Drawn } else { Pictures::Nothing };
        Needs { scenes: true, pictures }
    }

    fn scene(&mut self, scene: &Scene, _: &FrameFacts) -> Result<(), SinkError> {
        self.log.take(scene);
        Ok(())
    }

    fn last(&mut self, scene: &Scene, _: &FrameFacts) -> Result<(), SinkError> {
        self.log.take(scene);
        lock(&self.log.told).frames -= 1;
        Ok(())
    }

    fn picture(&mut self, picture: &SinkPicture<'_>) -> Result<(), SinkError> {
        let Some(folder) = &self.log.pictures else { return Ok(()) };
        for event in picture.scene.events.iter().filter(|event| &*event.kind == "start") {
            let Some(id) = text(event, "event_id") else { continue };
            let source = (self.log.source.as_str(), self.log.before);
            let path = folder.join(file_name(source, event.frame.saturating_add(1), id));
            write_png(picture.pixels, &path)?;
            // The scene of an event may come before its picture or behind it.
            lock(&self.log.told).pictures.insert(id.to_owned(), path);
        }
        Ok(())
    }

    fn finish(self: Box<Self>, _: End) -> Result<(), SinkError> {
        Ok(())
    }
}

/// `clip-000087-somebody_waits-1.png`; of a second recording of that name `clip_2-…`.
fn file_name((source, before): (&str, usize), frame: u64, id: &str) -> String {
    let stem = std::path::Path::new(source).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let plain = |text: &str| -> String {
        text.chars().take(60).map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }).collect()
    };
    // The number at the end tells events of one frame apart.
    let (name, number) = id.rsplit_once('-').unwrap_or((id, ""));
    let again = if before > 0 { format!("_{}", before + 1) } else { String::new() };
    format!("{}{again}-{frame:06}-{}-{number}.png", plain(&stem.unwrap_or_default()), plain(name))
}
