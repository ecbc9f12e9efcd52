//! What was counted at all lines and in all zones, as one JSON document that is replaced as a whole while the run goes on.
//!
//! ```json
//! {"version":1,"source":"clip.avi","time":60.0,"seconds":60.0,
//! "lines":[{"name":"door","in":3,"out":2,"classes":{"person":{"in":3,"out":2}}}],
//! "zones":[{"name":"square","occupancy":1,"occupancy_most":4,"occupancy_mean":1.7,"longest_now":3.2,
//! "in":9,"out":8,"classes":{"person":{"in":9,"out":8}},
//! "dwell":{"visits":8,"mean":11.5,"longest":31.0,"bins":[1,2,5,10,20,30,60,120,300,600],
//! "visits_by_length":[0,1,1,2,2,1,1,0,0,0,0]}}],
//! "flows":{"square":{"bench":2}}}
//! ```
//!
//! `time` is the source time of the newest frame, `seconds` for how long was counted. `dwell` has the visits that have
//! ended; `visits_by_length` counts those shorter than each of `bins` (seconds) and not than the one before, and last those
//! that were longer than all. `flows` has how many went from one zone to another next, where any did.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json, json};

use super::tracks::format::rounded;
use super::{End, FrameFacts, PartialFile, RunInfo, Sink, SinkError};
use crate::counts::{BothWays, ByClass, Counts, DWELL_BINS, LineCounts, ZoneCounts};
use crate::labels::Labels;
use crate::scene::Scene;

/// The version of this layout: goes up when a field changes its meaning or goes away.
const VERSION: u32 = 1;

/// While the run goes on the file is replaced at most this often.
const PAUSE: Duration = Duration::from_secs(1);

/// The document, as it stands.
pub(super) struct CountsSink {
    path: PathBuf,
    name: String,
    open: Option<(PartialFile, RunInfo)>,
    newest: Option<Arc<Counts>>,
    written: Option<Instant>,
}

impl CountsSink {
    pub(super) fn new(path: &Path) -> Self {
        let (path, name) = (path.to_owned(), path.display().to_string());
        Self { path, name, open: None, newest: None, written: None }
    }

    fn write(&mut self) -> Result<(), SinkError> {
        let Some((file, run)) = &mut self.open else { return Ok(()) };
        let nothing = Counts::default();
        let counts = self.newest.as_deref().unwrap_or(&nothing);
        let text = format!("{:#}\n", document(counts, &run.source, &run.labels));
        self.written = Some(Instant::now());
        file.exchange(text.as_bytes())
    }
}

impl Sink for CountsSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn begin(&mut self, run: &RunInfo) -> Result<(), SinkError> {
        self.open = Some((PartialFile::create(&self.path)?, run.clone()));
        Ok(())
    }

    fn scene(&mut self, scene: &Scene, _: &FrameFacts) -> Result<(), SinkError> {
        if scene.counts.is_some() {
            self.newest.clone_from(&scene.counts);
        }
        let replaceable = self.open.as_ref().is_some_and(|(file, _)| file.can_replace());
        if replaceable && self.written.is_none_or(|written| written.elapsed() >= PAUSE) {
            self.write()?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, end: End) -> Result<(), SinkError> {
        let written = if end == End::Discarded { Ok(()) } else { self.write() };
        let ended = self.open.take().map_or(Ok(()), |(file, _)| file.end(end));
        written.and(ended)
    }
}

fn document(counts: &Counts, source: &str, labels: &Labels) -> Json {
    let lines = counts.lines.iter().map(|line| line_document(line, labels));
    let zones = counts.zones.iter().map(|zone| zone_document(zone, labels));
    let names = || counts.zones.iter().map(|zone| zone.name.to_string());
    let flows = names().zip(&counts.flows).filter_map(|(from, row)| {
        let row: Map<_, _> = names()
            .zip(row)
            .filter(|(_, number)| **number > 0)
            .map(|(to, number)| (to, Json::from(*number)))
            .collect();
        (!row.is_empty()).then_some((from, Json::Object(row)))
    });
    json!({
        "version": VERSION,
        "source": source,
        "time": rounded(counts.time, 6),
        "seconds": rounded(counts.seconds, 6),
        "lines": lines.collect::<Vec<_>>(),
        "zones": zones.collect::<Vec<_>>(),
        "flows": flows.collect::<Map<_, _>>(),
    })
}

/// What was counted at a line.
pub(super) fn line_document(line: &LineCounts, labels: &Labels) -> Json {
    let BothWays { inwards, outwards } = line.crossed.total();
    let mut document = json!({
        "name": &*line.name, "in": inwards, "out": outwards, "classes": classes(&line.crossed, labels)
    });
    if let (Some(mean), Some(percentile)) = (line.speeds.mean(), line.speeds.percentile(0.85)) {
        document["speed"] = json!({
            "measured": line.speeds.measured(),
            "mean": rounded(mean, 2),
            "percentile_85": rounded(percentile, 2),
        });
    }
    document
}

/// What was counted in a zone.
pub(super) fn zone_document(zone: &ZoneCounts, labels: &Labels) -> Json {
    let BothWays { inwards, outwards } = zone.passed.total();
    json!({
        "name": &*zone.name,
        "occupancy": zone.occupancy,
        "occupancy_most": zone.most,
        "occupancy_mean": if zone.seconds > 0.0 { rounded(zone.presence / zone.seconds, 4) } else { 0.0 },
        "longest_now": rounded(zone.longest_now, 3),
        "in": inwards,
        "out": outwards,
        "classes": classes(&zone.passed, labels),
        "dwell": {
            "visits": zone.dwell.visits,
            "mean": zone.dwell.mean().map(|mean| rounded(mean, 3)),
            "longest": rounded(zone.dwell.longest, 3),
            "bins": DWELL_BINS,
            "visits_by_length": zone.dwell.visits_by_length,
        },
    })
}

fn classes(counted: &ByClass, labels: &Labels) -> Map<String, Json> {
    let of = |(name, ways): (_, BothWays)| (name, json!({ "in": ways.inwards, "out": ways.outwards }));
    counted.by_name(labels).into_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tracks::format::tests::{facts, run, scene};
    use super::*;
    use crate::sink::{Purpose, Registry, Sinks};

    fn counted() -> Counts {
        let mut crossed = ByClass::default();
        for (class, inwards) in [(0, true), (0, true), (2, false)] {
            crossed.add(class, inwards);
        }
        let zone = |name: &str| ZoneCounts {
            name: name.into(),
            corners: Vec::new(),
            occupancy: 1,
            most: 4,
            presence: 30.0,
            seconds: 20.0,
            passed: crossed.clone(),
            dwell: Default::default(),
            longest_now: 2.0,
        };
        Counts {
            time: 20.0,
            seconds: 20.0,
            lines: vec![LineCounts {
                name: "door".into(),
                points: Vec::new(),
                crossed: crossed.clone(),
                speeds: Default::default(),
            }],
            zones: vec![zone("a"), zone("b")],
            flows: vec![vec![0, 2], vec![0, 0]],
            ..Counts::default()
        }
    }

    #[test]
    fn the_document_has_all_that_was_counted() {
        let document = document(&counted(), "x.avi", &Labels::coco());
        assert_eq!(document["lines"][0]["classes"]["person"], json!({"in": 2, "out": 0}));
        assert_eq!((&document["lines"][0]["in"], &document["lines"][0]["out"]), (&2.into(), &1.into()));
        assert_eq!(document["zones"][1]["occupancy_mean"], 1.5);
        assert_eq!(document["zones"][0]["dwell"]["mean"], Json::Null);
        assert_eq!(document["flows"], json!({"a": {"b": 2}}));
    }

    #[test]
    fn it_can_be_read_while_the_run_goes_on_and_gets_its_name_in_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("counts.json");
        let sink = Registry::default().make(Purpose::Counts, &path, 80).unwrap();
        let mut sinks = Sinks::begin(vec![sink], &run()).unwrap();
        let scene = Scene { counts: Some(Arc::new(counted())), ..scene() };
        sinks.scene(&scene, &facts()).unwrap();
        let read = |path: &Path| -> Json { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
        assert_eq!(read(&folder.path().join("counts.partial.json"))["lines"][0]["in"], 2);
        sinks.finish(End::Complete).unwrap();
        assert_eq!(read(&path)["zones"][0]["occupancy"], 1);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn without_lines_and_zones_it_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("counts.json");
        let sink = Registry::default().make(Purpose::Counts, &path, 80).unwrap();
        Sinks::begin(vec![sink], &run()).unwrap().finish(End::Complete).unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().contains("\"lines\": []"));
    }
}
