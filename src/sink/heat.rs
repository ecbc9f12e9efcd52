//! The heat map: as a picture, or as numbers.
//!
//! ```json
//! {"version":1,"source":"clip.avi","time":60.0,"watched_seconds":60.0,"width":640,"height":480,"cell":4,
//! "total_seconds":131.2,"seconds":[[0.0,0.4],[0.0,1.25]],"seconds_per_square_metre":[[null,0.1],[null,0.3]]}
//! ```
//!
//! `seconds` has a list for each row of cells from the top, from the left; a cell is a square of `cell` pixels. The last list is
//! there where the ground is known, with `null` for cells whose ground is not. In a CSV file each cell in which somebody was has
//! a line.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::snapshot::encode;
use super::tracks::format::rounded;
use super::{End, FrameFacts, Needs, PartialFile, Pictures, RunInfo, Sink, SinkError, SinkPicture};
use crate::frame::Raster;
use crate::ground::Ground;
use crate::heat::HeatMap;
use crate::scene::Scene;
use crate::view::{Canvas, Mapping, Scale, Text, draw_heat};

/// The version of the JSON layout: goes up when a field changes its meaning or goes away.
const VERSION: u32 = 1;
/// While the run goes on the file is replaced at most this often.
const PAUSE: Duration = Duration::from_secs(10);
/// Behind the map where there is no picture.
const NO_PICTURE: u32 = 0x18_1C20;

/// How a heat map is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Png,
    Json,
    Csv,
}

/// The newest heat map.
pub(super) struct HeatSink {
    path: PathBuf,
    name: String,
    form: Form,
    open: Option<(PartialFile, String)>,
    newest: Option<Arc<HeatMap>>,
    ground: Option<Arc<Ground>>,
    /// What the map is drawn on, and when that was seen.
    picture: Option<(Canvas, f64)>,
    written: Instant,
}

impl HeatSink {
    pub(super) fn new(path: &Path, form: Form) -> Self {
        Self {
            path: path.to_owned(),
            name: path.display().to_string(),
            form,
            open: None,
            newest: None,
            ground: None,
            picture: None,
            written: Instant::now(),
        }
    }

    fn write(&mut self) -> Result<(), SinkError> {
        self.written = Instant::now();
        let Some((file, source)) = &mut self.open else { return Ok(()) };
        let Some(heat) = &self.newest else { return Ok(()) };
        let ground = self.ground.as_deref().filter(|ground| ground.size() == heat.size());
        let bytes = match self.form {
            Form::Json => document(heat, ground, source).into_bytes(),
            Form::Csv => lines(heat, ground).into_bytes(),
            Form::Png => png(heat, self.picture.as_ref().map(|(picture, _)| picture))
                .map_err(|why| SinkError::Picture { path: self.name.clone(), why })?,
        };
        file.exchange(&bytes)
    }
}

impl Sink for HeatSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn needs(&self) -> Needs {
        match self.form {
            Form::Png => Needs { scenes: true, pictures: Pictures::Clean },
            Form::Json | Form::Csv => Needs::SCENES,
        }
    }

    fn begin(&mut self, run: &RunInfo) -> Result<(), SinkError> {
        self.open = Some((PartialFile::create(&self.path)?, run.source.clone()));
        Ok(())
    }

    fn scene(&mut self, scene: &Scene, _: &FrameFacts) -> Result<(), SinkError> {
        if scene.heat.is_some() {
            self.newest.clone_from(&scene.heat);
        }
        if scene.ground.is_some() {
            self.ground.clone_from(&scene.ground);
        }
        let replaceable = self.open.as_ref().is_some_and(|(file, _)| file.can_replace());
        if replaceable && self.written.elapsed() >= PAUSE { self.write() } else { Ok(()) }
    }

    fn picture(&mut self, picture: &SinkPicture<'_>) -> Result<(), SinkError> {
        // The first one, which may be dark, and a later one when twice the time has passed.
        if self.picture.as_ref().is_none_or(|(_, time)| picture.time > 2.0 * time + 0.5) {
            let mut canvas = Canvas::new(picture.pixels.width(), picture.pixels.height());
            if canvas.pixels().len() == picture.pixels.pixels().len() {
                canvas.pixels_mut().copy_from_slice(picture.pixels.pixels());
            }
            self.picture = Some((canvas, picture.time));
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, end: End) -> Result<(), SinkError> {
        if self.newest.is_none() && end != End::Discarded {
            // Nothing was tracked: an empty map is the result.
            self.newest = Some(Arc::default());
        }
        let written = if end == End::Discarded { Ok(()) } else { self.write() };
        let ended = self.open.take().map_or(Ok(()), |(file, _)| file.end(end));
        written.and(ended)
    }
}

fn document(heat: &HeatMap, ground: Option<&Ground>, source: &str) -> String {
    let seconds: Vec<Vec<f64>> =
        heat.rows().map(|row| row.map(|value| rounded(value, 3)).collect()).collect();
    let mut document = json!({
        "version": VERSION,
        "source": source,
        "time": rounded(heat.time, 6),
        "watched_seconds": rounded(heat.seconds, 6),
        "width": heat.size().0,
        "height": heat.size().1,
        "cell": heat.cell(),
        "total_seconds": rounded(heat.total(), 3),
        "seconds": seconds,
    });
    if let Some(ground) = ground {
        let by_area: Vec<Vec<Option<f64>>> = heat
            .rows()
            .enumerate()
            .map(|(y, row)| {
                row.enumerate().map(|(x, value)| per_metre(heat, ground, (x, y), value)).collect()
            })
            .collect();
        document["seconds_per_square_metre"] = json!(by_area);
    }
    format!("{document}\n")
}

fn per_metre(heat: &HeatMap, ground: &Ground, (column, row): (usize, usize), seconds: f32) -> Option<f64> {
    let metres = heat.square_metres(ground, column, row)?;
    let share = f64::from(seconds) / metres;
    share.is_finite().then(|| rounded(share, 4))
}

fn lines(heat: &HeatMap, ground: Option<&Ground>) -> String {
    let mut text = String::from("left,top,width,height,seconds,seconds_per_square_metre\n");
    let cell = heat.cell() as usize;
    for (row, values) in heat.rows().enumerate() {
        for (column, seconds) in values.enumerate().filter(|(_, seconds)| *seconds > 0.0) {
            let by_area = ground.and_then(|ground| per_metre(heat, ground, (column, row), seconds));
            let by_area = by_area.map(|value| format!("{value:?}")).unwrap_or_default();
            let (left, top) = (column * cell, row * cell);
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{left},{top},{cell},{cell},{:?},{by_area}", rounded(seconds, 3));
        }
    }
    text
}

/// The map over a picture, or over nothing.
fn png(heat: &HeatMap, picture: Option<&Canvas>) -> Result<Vec<u8>, String> {
    let (width, height) = (heat.size().0.max(1) as usize, heat.size().1.max(1) as usize);
    let mut canvas = match picture {
        Some(picture) => picture.clone(),
        None => {
            let mut canvas = Canvas::new(width, height);
            canvas.clear(NO_PICTURE);
            canvas
        }
    };
    // A source may change its size; the picture is the newer one then.
    let scale = (canvas.width() as f64 / width as f64).min(canvas.height() as f64 / height as f64);
    let letters = Scale::Auto.factor(canvas.width(), canvas.height());
    draw_heat(&mut canvas, &mut Text::new(), &Mapping { scale, left: 0.0, top: 0.0 }, heat, letters);
    encode(Raster::from(&canvas))
}

#[cfg(test)]
mod tests {
    use super::super::tracks::format::tests::{facts, run, scene};
    use super::*;
    use crate::ground::KnownPoint;
    use crate::sink::{Purpose, Registry, Sinks};

    fn heat() -> HeatMap {
        let mut heat = HeatMap::new((640, 480));
        heat.add((10, 20), 1.5);
        heat.add((11, 20), 0.25);
        heat.seconds = 12.0;
        heat
    }

    /// A pixel is five centimetres: a cell of four pixels 0.04 m².
    fn ground() -> Ground {
        let corner = |x: f64, y: f64| KnownPoint { at: (x, y), metres: (x * 32.0, y * -24.0) };
        let corners = [corner(0.0, 0.0), corner(1.0, 0.0), corner(1.0, 1.0), corner(0.0, 1.0)];
        Ground::from_points((640, 480), &corners, 0.0).unwrap()
    }

    fn written(name: &str, ground: Option<Ground>) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let sink = Registry::default().make(Purpose::Heat, &path, 80).unwrap();
        let mut sinks = Sinks::begin(vec![sink], &run()).unwrap();
        let heat = Some(Arc::new(heat()));
        sinks.scene(&Scene { heat, ground: ground.map(Arc::new), ..scene() }, &facts()).unwrap();
        sinks.finish(End::Complete).unwrap();
        std::fs::read(path).unwrap()
    }

    #[test]
    fn numbers_are_seconds_and_by_square_metre_where_the_ground_is_known() {
        let json: serde_json::Value = serde_json::from_slice(&written("a.json", Some(ground()))).unwrap();
        assert_eq!((&json["cell"], &json["watched_seconds"]), (&json!(4), &json!(12.0)));
        assert_eq!((&json["seconds"][20][10], &json["total_seconds"]), (&json!(1.5), &json!(1.75)));
        assert_eq!(json["seconds_per_square_metre"][20][10], json!(37.5));
        let without: serde_json::Value = serde_json::from_slice(&written("a.json", None)).unwrap();
        assert!(without.get("seconds_per_square_metre").is_none());
        let csv = String::from_utf8(written("a.csv", Some(ground()))).unwrap();
        assert_eq!(
            csv,
            "left,top,width,height,seconds,seconds_per_square_metre\n40,80,4,4,1.5,37.5\n44,80,4,4,0.25,6.25\n"
        );
        assert!(String::from_utf8(written("a.csv", None)).unwrap().ends_with("\n44,80,4,4,0.25,\n"));
    }

    #[test]
    fn the_picture_has_the_size_of_the_source_and_is_bright_there() {
        let png = image::load_from_memory(&written("a.png", None)).unwrap().to_rgb8();
        assert_eq!(png.dimensions(), (640, 480));
        assert_eq!(png.get_pixel(300, 200).0, [0x18, 0x1C, 0x20]);
        assert!(png.get_pixel(42, 82).0[0] > 150, "{:?}", png.get_pixel(42, 82));
    }

    #[test]
    fn nothing_tracked_is_an_empty_map() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.png", "a.csv", "a.json"] {
            let path = folder.path().join(name);
            let sink = Registry::default().make(Purpose::Heat, &path, 80).unwrap();
            Sinks::begin(vec![sink], &run()).unwrap().finish(End::Complete).unwrap();
            assert!(path.metadata().unwrap().len() > 10, "{name}");
        }
    }
}
