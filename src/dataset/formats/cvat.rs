//! CVAT for video 1.1: XML with a `track` for each object and a `box` for each frame. Single pictures ("for images") are
//! read too, where ids are in an attribute `track_id`.
//!
//! Frames are the video's, from 0. A box with `outside="1"` is none. Between two boxes of a track CVAT shows the boxes in
//! between, which some writers leave out; behind the last one it ends here.

use std::io::{self, Write};

use quick_xml::Reader;
use quick_xml::escape::{escape, unescape};
use quick_xml::events::{BytesStart, Event};

use super::super::dialect::Dialect;
use super::super::lines::MotError;
use super::{
    Annotation, Annotations, Lost, MAX_FILLED, Names, between, checked, fault, from_corners, too_many_filled,
};

/// A box of a track.
struct Shape {
    one: Annotation,
    outside: bool,
}

/// What is known while the file is read.
#[derive(Default)]
struct State {
    read: Annotations,
    names: Names,
    /// The elements around, from the outermost.
    path: Vec<String>,
    text: String,
    /// The track that is being read.
    track: Option<(u64, Option<u16>, Vec<Shape>)>,
    task: Option<String>,
    /// The picture that is being read.
    image: Option<u64>,
    filled: usize,
    turned: usize,
    width: Option<u32>,
    /// Of the element that is being read, from 1.
    line: u64,
}

pub(super) fn parse(bytes: &[u8], name: &str) -> Result<Annotations, MotError> {
    let mut reader = Reader::from_reader(bytes);
    let mut state = State { line: 1, ..State::default() };
    let mut read_until = 0;
    loop {
        let event = reader.read_event();
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX).min(bytes.len());
        let passed = bytes.get(read_until..at).unwrap_or_default();
        state.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        read_until = at;
        let fail = |why: String| {
            let before = bytes.get(..at).unwrap_or_default();
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let column = before.iter().rev().take_while(|byte| **byte != b'\n').count();
            fault(name, format_args!("line {line}, column {column}"), why)
        };
        match event.map_err(|error| fail(error.to_string()))? {
            Event::Start(element) => state.begin(&element).map_err(fail)?,
            Event::Empty(element) => {
                state.begin(&element).map_err(fail)?;
                state.end().map_err(fail)?;
            }
            Event::End(_) => state.end().map_err(fail)?,
            Event::Text(text) => state.text.push_str(&String::from_utf8_lossy(&text)),
            Event::CData(text) => state.text.push_str(&String::from_utf8_lossy(&text)),
            Event::GeneralRef(entity) => {
                let entity = format!("&{};", String::from_utf8_lossy(&entity));
                state.text.push_str(&unescape(&entity).map_err(|error| fail(error.to_string()))?);
            }
            Event::Eof if !state.path.is_empty() => {
                return Err(fail(format!("{} does not end", state.path.join("/"))));
            }
            Event::Eof => break,
            _ => {}
        }
        if state.text.len() > 100_000 {
            state.text.clear();
        }
    }
    if state.turned > 0 {
        log::warn!("{name}: {} boxes are turned; they are read as if they were not", state.turned);
    }
    state.read.labels = state.names.labels();
    Ok(state.read)
}

/// An attribute of an element.
fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, String> {
    for attribute in element.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        if attribute.key.as_ref() == name.as_bytes() {
            let value = String::from_utf8_lossy(&attribute.value).into_owned();
            return unescape(&value).map(|text| Some(text.into_owned())).map_err(|error| error.to_string());
        }
    }
    Ok(None)
}

fn number<T: std::str::FromStr>(element: &BytesStart<'_>, name: &str) -> Result<T, String> {
    let text = attribute(element, name)?.ok_or_else(|| format!("{name} is missing"))?;
    let found: String = text.chars().take(40).collect();
    text.trim().parse().map_err(|_| format!("{name}: expected a number, found `{}`", found.escape_debug()))
}

impl State {
    fn begin(&mut self, element: &BytesStart<'_>) -> Result<(), String> {
        if self.path.len() >= 64 {
            return Err("too many elements in each other".to_owned());
        }
        let name = String::from_utf8_lossy(element.name().as_ref()).into_owned();
        self.text.clear();
        if self.path.is_empty() && name != "annotations" {
            return Err(format!("expected <annotations>, found <{}>", name.escape_debug()));
        }
        let class =
            |names: &mut Names| attribute(element, "label")?.map(|label| names.place(&label)).transpose();
        match (name.as_str(), self.path.last().map(String::as_str)) {
            ("track", Some("annotations")) => {
                let task = attribute(element, "task_id")?;
                if self.task.is_some() && task.is_some() && self.task != task {
                    return Err("there are several tasks; export one at a time".to_owned());
                }
                self.task = self.task.take().or(task);
                self.track = Some((number(element, "id")?, class(&mut self.names)?, Vec::new()));
            }
            ("image", Some("annotations")) => {
                let frame: u64 = number(element, "id")?;
                let size = number(element, "width").ok().zip(number(element, "height").ok());
                self.read.size = self.read.size.or(size);
                self.read.frames = Some(self.read.frames.unwrap_or(0).max(frame.min(super::MAX_FRAME) + 1));
                self.image = Some(frame);
            }
            ("box", Some("track" | "image")) => {
                let side = |name| number::<f64>(element, name);
                let region = from_corners(side("xtl")?, side("ytl")?, side("xbr")?, side("ybr")?);
                let turned = attribute(element, "rotation")?.and_then(|text| text.trim().parse::<f64>().ok());
                self.turned += usize::from(turned.is_some_and(|angle| angle != 0.0));
                let outside = attribute(element, "outside")?.as_deref() == Some("1");
                let (id, class, frame) = match (&self.track, self.image) {
                    (Some((id, class, _)), _) => (Some(*id), *class, number(element, "frame")?),
                    (None, Some(frame)) => (None, class(&mut self.names)?, frame),
                    (None, None) => return Err("a box that belongs to no frame".to_owned()),
                };
                let row = self.line;
                let one = checked(Annotation { frame, id, region, class, row, ..Annotation::default() })?;
                match &mut self.track {
                    Some((_, _, shapes)) => shapes.push(Shape { one, outside }),
                    None => self.read.boxes.push(one),
                }
            }
            ("attribute", Some("box")) if attribute(element, "name")?.as_deref() == Some("track_id") => {
                self.path.push("track_id".to_owned());
                return Ok(());
            }
            _ => {}
        }
        self.path.push(name);
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let text = std::mem::take(&mut self.text);
        let text = text.trim();
        let Some(name) = self.path.pop() else { return Ok(()) };
        match (name.as_str(), self.path.last().map(String::as_str)) {
            ("track", _) => {
                if let Some((_, _, shapes)) = self.track.take() {
                    self.fill(shapes)?;
                }
            }
            ("image", _) => self.image = None,
            ("track_id", _) if self.track.is_none() => {
                if let Some(last) = self.read.boxes.last_mut() {
                    last.id = text.parse().ok();
                }
            }
            // Not those of attributes.
            ("name", Some("label")) => drop(self.names.place(text)?),
            ("size", Some("task" | "job")) => {
                self.read.frames = text.parse::<u64>().ok().filter(|frames| *frames <= super::MAX_FRAME);
            }
            ("width", Some("original_size")) => self.width = text.parse().ok(),
            ("height", Some("original_size")) => {
                self.read.size = self.read.size.or(self.width.zip(text.parse().ok()));
            }
            _ => {}
        }
        Ok(())
    }

    /// The boxes of a track in each frame from one to the next.
    fn fill(&mut self, mut shapes: Vec<Shape>) -> Result<(), String> {
        shapes.sort_by_key(|shape| shape.one.frame);
        let mut shapes = shapes.iter().peekable();
        while let Some(shape) = shapes.next() {
            if shape.outside {
                continue;
            }
            self.read.boxes.push(shape.one);
            let Some(next) = shapes.peek() else { continue };
            for frame in shape.one.frame + 1..next.one.frame {
                self.filled += 1;
                if self.filled > MAX_FILLED {
                    return Err(too_many_filled());
                }
                // Up to a box that is outside, it stays where it is.
                let one = if next.outside {
                    Annotation { frame, ..shape.one }
                } else {
                    between(&shape.one, &next.one, frame)
                };
                self.read.boxes.push(one);
            }
        }
        Ok(())
    }
}

pub(super) fn write(of: &Annotations, dialect: &Dialect, out: &mut dyn Write) -> io::Result<Lost> {
    let mut lost = Lost::default();
    lost.add("boxes without an id", of.boxes.iter().filter(|one| one.id.is_none()).count());
    lost.add("scores", of.boxes.iter().filter(|one| one.score.is_some_and(|score| score != 1.0)).count());
    lost.add("that a box is predicted", of.boxes.iter().filter(|one| one.predicted).count());
    let size = dialect.size.or(of.size);
    lost.add("the size of the picture, which Datumaro asks for (--size)", usize::from(size.is_none()));
    let frames = of.length();
    writeln!(
        out,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<annotations>\n  <version>1.1</version>\n  <meta>\n    <task>"
    )?;
    writeln!(
        out,
        "      <size>{frames}</size>\n      <mode>interpolation</mode>\n      <start_frame>0</start_frame>"
    )?;
    writeln!(out, "      <stop_frame>{}</stop_frame>\n      <labels>", frames.saturating_sub(1))?;
    let mut names: Vec<String> = of.labels.iter().map(str::to_owned).collect();
    for one in &of.boxes {
        let name = of.class_name(one.class);
        if one.class.is_none_or(|class| usize::from(class) >= of.labels.len()) && !names.contains(&name) {
            names.push(name);
        }
    }
    for name in &names {
        writeln!(
            out,
            "        <label><name>{}</name><attributes></attributes></label>",
            escape(name.as_str())
        )?;
    }
    writeln!(out, "      </labels>")?;
    if let Some((width, height)) = size {
        writeln!(
            out,
            "      <original_size><width>{width}</width><height>{height}</height></original_size>"
        )?;
    }
    writeln!(out, "    </task>\n  </meta>")?;
    for (id, boxes) in of.tracks() {
        let Some(first) = boxes.first() else { continue };
        // A track has one class.
        lost.add(
            "classes that change within a track",
            boxes.iter().filter(|one| one.class != first.class).count(),
        );
        writeln!(out, "  <track id=\"{id}\" label=\"{}\">", escape(of.class_name(first.class).as_str()))?;
        let mut boxes = boxes.iter().peekable();
        while let Some(one) = boxes.next() {
            shape(out, one, one.frame, false)?;
            let next = boxes.peek().map(|next| next.frame);
            // Where the track pauses, or ends before the video does.
            if next.is_none_or(|next| next > one.frame + 1) && one.frame + 1 < frames {
                shape(out, one, one.frame + 1, true)?;
            }
        }
        writeln!(out, "  </track>")?;
    }
    writeln!(out, "</annotations>")?;
    Ok(lost)
}

fn shape(out: &mut dyn Write, one: &Annotation, frame: u64, outside: bool) -> io::Result<()> {
    let r = one.region;
    let outside = u8::from(outside);
    writeln!(
        out,
        "    <box frame=\"{frame}\" outside=\"{outside}\" occluded=\"0\" keyframe=\"1\" xtl=\"{:.3}\" ytl=\"{:.3}\" \
         xbr=\"{:.3}\" ybr=\"{:.3}\" z_order=\"0\"></box>",
        r.left,
        r.top,
        r.left + r.width,
        r.top + r.height
    )
}
