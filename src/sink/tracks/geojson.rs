//! Tracks as GeoJSON (RFC 7946): where each object went on the ground, one feature a line.
//!
//! ```json
//! {"type":"FeatureCollection","version":1,"source":"gate.mp4","features":[
//! {"type":"Feature","id":7,"geometry":{"type":"LineString","coordinates":[[11.57,48.13],[11.571,48.13]]},"properties":
//!  {"track":7,"class":"person","unit":"degrees","times":[0.04,0.08],"speeds":[null,1.4]}}
//! ]}
//! ```
//!
//! A track is written when it has ended. Coordinates are longitude and latitude (WGS 84), `"unit": "degrees"`, where the ground
//! has an origin on earth; else metres as the ground has them, `"unit": "metres"`, which a map cannot place. A way of one place
//! is a `Point`. Tracks that were never on the ground are not in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::super::{End, FrameFacts, PartialFile, RunInfo, Sink, SinkError};
use super::format::rounded;
use crate::attribute::{GROUND_X, GROUND_Y, SPEED};
use crate::detection::ClassId;
use crate::ground::Ground;
use crate::scene::Scene;

/// The version of this layout: goes up when a field changes its meaning or goes away.
const VERSION: u32 = 1;
/// A way of so many places is written, and goes on in another feature: memory stays bounded.
const LONGEST: usize = 4096;

/// Writes GeoJSON.
pub(in crate::sink) struct GeoJson {
    path: PathBuf,
    name: String,
    open: Option<(PartialFile, RunInfo)>,
    ways: BTreeMap<u64, Way>,
    /// Something stands before the next feature.
    begun: bool,
}

/// Where an object went so far.
#[derive(Debug, Default)]
struct Way {
    class: ClassId,
    in_degrees: bool,
    coordinates: Vec<[f64; 2]>,
    times: Vec<f64>,
    speeds: Vec<Option<f64>>,
}

impl GeoJson {
    pub(in crate::sink) fn new(path: &Path) -> Self {
        let (path, name) = (path.to_owned(), path.display().to_string());
        Self { path, name, open: None, ways: BTreeMap::new(), begun: false }
    }

    /// Writes the ways of these tracks.
    fn write(&mut self, ended: impl Fn(u64, &Way) -> bool) -> Result<(), SinkError> {
        let Some((file, run)) = &mut self.open else { return Ok(()) };
        let mut text = String::new();
        self.ways.retain(|&id, way| {
            let ends = ended(id, way);
            if ends {
                text.push_str(if self.begun { ",\n" } else { "\n" });
                text.push_str(&way.feature(id, &run.labels.name(way.class)).to_string());
                self.begun = true;
            }
            !ends
        });
        if text.is_empty() { Ok(()) } else { file.append(text.as_bytes()) }
    }
}

impl Way {
    fn feature(&self, id: u64, class: &str) -> Json {
        let geometry = match self.coordinates.as_slice() {
            [only] => json!({ "type": "Point", "coordinates": only }),
            all => json!({ "type": "LineString", "coordinates": all }),
        };
        json!({
            "type": "Feature",
            "id": id,
            "geometry": geometry,
            "properties": {
                "track": id,
                "class": class,
                "unit": if self.in_degrees { "degrees" } else { "metres" },
                "times": self.times,
                "speeds": self.speeds,
            },
        })
    }
}

/// A place as coordinates: longitude and latitude where the origin is known.
fn coordinates(ground: Option<&Ground>, x: f64, y: f64) -> ([f64; 2], bool) {
    match ground.and_then(Ground::origin) {
        Some(origin) => {
            let (latitude, longitude) = origin.on_earth(x, y);
            // A hundred millionth of a degree is a millimetre.
            ([rounded(longitude, 8), rounded(latitude, 8)], true)
        }
        None => ([rounded(x, 3), rounded(y, 3)], false),
    }
}

impl Sink for GeoJson {
    fn name(&self) -> &str {
        &self.name
    }

    fn begin(&mut self, run: &RunInfo) -> Result<(), SinkError> {
        let file = PartialFile::create(&self.path)?;
        let (file, _) = self.open.insert((file, run.clone()));
        let source = Json::from(run.source.as_str());
        let head = format!(
            "{{\"type\":\"FeatureCollection\",\"version\":{VERSION},\"source\":{source},\"features\":["
        );
        file.append(head.as_bytes())
    }

    fn scene(&mut self, scene: &Scene, _: &FrameFacts) -> Result<(), SinkError> {
        let ground = scene.ground.as_deref();
        if let Some(ground) = ground {
            // Settings may change on the way: what is in another unit is a feature of its own.
            let in_degrees = ground.origin().is_some();
            self.write(|_, way| way.in_degrees != in_degrees)?;
        }
        for track in scene.seen() {
            let number = |name: &str| scene.attributes.get(track.id, name)?.as_number();
            let (Some(x), Some(y)) = (number(GROUND_X), number(GROUND_Y)) else { continue };
            let (at, in_degrees) = coordinates(ground, x, y);
            let way = self.ways.entry(track.id).or_default();
            (way.class, way.in_degrees) = (track.class, in_degrees);
            way.coordinates.push(at);
            way.times.push(rounded(scene.time, 6));
            way.speeds.push(number(SPEED));
        }
        let is_there = |id: u64| scene.tracks.binary_search_by_key(&id, |track| track.id).is_ok();
        self.write(|id, way| !is_there(id) || way.coordinates.len() >= LONGEST)
    }

    fn finish(mut self: Box<Self>, end: End) -> Result<(), SinkError> {
        let written = if end == End::Discarded { Ok(()) } else { self.write(|_, _| true) };
        let Some((mut file, _)) = self.open.take() else { return written };
        let closed = if end == End::Discarded { Ok(()) } else { file.append(b"\n]}\n") };
        written.and(closed).and(file.end(end))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::format::tests::{facts, run, scene};
    use super::*;
    use crate::ground::{KnownPoint, Origin};
    use crate::sink::{Purpose, Registry, Sinks};

    /// The person walks east for three frames and is gone; in the second its speed is known.
    fn written(origin: Option<Origin>) -> Json {
        let corner = |x: f64, y: f64| KnownPoint { at: (x, y), metres: (x * 32.0, (1.0 - y) * 24.0) };
        let corners = [corner(0.0, 0.0), corner(1.0, 0.0), corner(1.0, 1.0), corner(0.0, 1.0)];
        let ground = Ground::from_points((640, 480), &corners, 0.0).unwrap().with_origin(origin);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.geojson");
        let sink = Registry::default().make(Purpose::Tracks, &path, 80).unwrap();
        let mut sinks = Sinks::begin(vec![sink], &run()).unwrap();
        for frame in 0..4_u32 {
            let mut scene =
                Scene { time: f64::from(frame), ground: Some(Arc::new(ground.clone())), ..scene() };
            if frame == 3 {
                scene.tracks.remove(0);
            } else {
                scene.attributes.set(7, "x_m", 1000.0 * f64::from(frame));
                scene.attributes.set(7, "y_m", 5.5);
            }
            if frame == 1 {
                scene.attributes.set(7, "speed_m_per_s", 1.25);
            }
            sinks.scene(&scene, &facts()).unwrap();
        }
        let so_far = std::fs::read_to_string(folder.path().join("a.partial.geojson")).unwrap();
        assert_eq!(so_far.matches("Feature\"").count(), 1, "a track that has ended is written at once");
        sinks.finish(End::Complete).unwrap();
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    #[test]
    fn a_way_is_in_metres_or_on_earth() {
        let metres = written(None);
        let feature = &metres["features"][0];
        assert_eq!(
            feature["geometry"],
            json!({"type": "LineString", "coordinates": [[0.0, 5.5], [1000.0, 5.5], [2000.0, 5.5]]})
        );
        assert_eq!(
            feature["properties"],
            json!({"track": 7, "class": "person", "unit": "metres", "times": [0.0, 1.0, 2.0],
                   "speeds": [null, 1.25, null]})
        );
        assert_eq!(metres["features"].as_array().unwrap().len(), 1);
        let earth = written(Some(Origin { latitude: 48.0, longitude: 11.0, bearing: 0.0 }));
        let feature = &earth["features"][0];
        let second = &feature["geometry"]["coordinates"][1];
        let (longitude, latitude) = (second[0].as_f64().unwrap(), second[1].as_f64().unwrap());
        assert!((longitude - 11.0134).abs() < 1e-4 && (latitude - 48.00005).abs() < 1e-5, "{second}");
        assert_eq!(feature["properties"]["unit"], "degrees");
    }

    #[test]
    fn without_a_ground_the_collection_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.geojson");
        let sink = Registry::default().make(Purpose::Tracks, &path, 80).unwrap();
        let mut sinks = Sinks::begin(vec![sink], &run()).unwrap();
        sinks.scene(&scene(), &facts()).unwrap();
        sinks.finish(End::Complete).unwrap();
        let read: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!((&read["type"], &read["features"]), (&json!("FeatureCollection"), &json!([])));
    }
}
