//! Tracks as one JSON document in the layout of COCO-VID: `videos`, `images`, `categories`, `annotations`. (TAO's layout has
//! more lists, and its results are a bare list.)
//!
//! ```json
//! {"info":{"description":"tracks by trailsight"},"videos":[{"id":1,"name":"clip.avi","width":768,"height":576}],
//! "categories":[{"id":1,"name":"person"}],
//! "images":[{"id":5,"video_id":1,"frame_id":4,"frame":5,"file_name":"clip.avi/000005.jpg","width":768,"height":576,"time":0.571}],
//! "annotations":[{"id":9,"image_id":5,"video_id":1,"category_id":1,"track_id":7,"instance_id":7,
//! "bbox":[10.25,20.0,30.5,61.25],"area":1868.12,"iscrowd":0,"score":0.83,"attributes":{"track_id":7}}]}
//! ```
//!
//! An image's `id` and `frame` are the frame's number from 1. Its `frame_id` counts the images: 0, 1, 2 …, without the gaps
//! that frame numbers have where frames of a live source were left out, for readers use it as an index. `file_name` is the
//! picture's own where there is one; else what a tool would call the frame that takes the video apart from 1 on, and no file
//! is there. Categories have COCO's own ids for COCO's names, else
//! the class's number from 1. Only tracks that were seen in a frame have an annotation.
//!
//! Images and annotations come together, and stand in two lists. So that memory stays bounded, the partial file holds one
//! object a line, each a small document of the same layout: the head, then for each frame its image and its annotations.
//! At any orderly end they are put together in two passes over that file. After a kill
//! `jq -s 'reduce .[] as $o ({}; reduce ($o|to_entries[]) as $e (.; .[$e.key] += $e.value))'` does the same. What has no
//! name (a pipe) gets the lines.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::{End, FrameFacts, PartialFile, RunInfo, Sink, SinkError, partial_name};
use super::format::{rounded, wall};
use crate::atomic_file::{self, Durability};
use crate::dataset::MaskRecord;
use crate::detection::{ClassId, Keypoint, LEAST_POINT};
use crate::labels::{Labels, coco_id};
use crate::scene::Scene;

#[derive(Serialize, Deserialize)]
struct Image<'a> {
    id: u64,
    video_id: u32,
    frame_id: u64,
    frame: u64,
    #[serde(borrow)]
    file_name: Cow<'a, str>,
    width: u32,
    height: u32,
    time: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wall: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Annotation {
    id: u64,
    image_id: u64,
    video_id: u32,
    category_id: u32,
    track_id: u64,
    instance_id: u64,
    bbox: [f64; 4],
    area: f64,
    iscrowd: u8,
    score: f64,
    /// The pixels of the object; left out where the network tells none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    segmentation: Option<MaskRecord>,
    /// For each point of a body x, y and how well it is to be seen: 2, or 0 with zeros where the network is not sure of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    keypoints: Vec<f64>,
    /// How many points have a 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    num_keypoints: Option<usize>,
    attributes: Attributes,
}

/// Where Datumaro and CVAT look for a track's id.
#[derive(Serialize, Deserialize)]
struct Attributes {
    track_id: u64,
}

/// The line of a frame; the head, read as one, is a frame without anything.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    #[serde(borrow, default)]
    images: Vec<Image<'a>>,
    #[serde(default)]
    annotations: Vec<Annotation>,
}

/// A document that is being written.
pub(in crate::sink) struct CocoVid {
    path: PathBuf,
    name: String,
    /// From the begin to the end.
    open: Option<Open>,
}

/// The file, and what the head of the document needs.
struct Open {
    file: PartialFile,
    run: RunInfo,
    /// COCO's names have COCO's ids.
    is_coco: bool,
    /// Classes that came and have no name.
    nameless: BTreeSet<ClassId>,
    /// Of the first frame.
    size: Option<(u32, u32)>,
    images: u64,
    annotations: u64,
}

impl CocoVid {
    pub(in crate::sink) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), name: path.display().to_string(), open: None }
    }
}

impl Sink for CocoVid {
    fn name(&self) -> &str {
        &self.name
    }

    fn begin(&mut self, run: &RunInfo) -> Result<(), SinkError> {
        let open = Open {
            file: PartialFile::create(&self.path)?,
            is_coco: *run.labels == Labels::coco(),
            run: run.clone(),
            nameless: BTreeSet::new(),
            size: None,
            images: 0,
            annotations: 0,
        };
        let open = self.open.insert(open);
        let head = format!("{}\n", open.head());
        open.file.append(head.as_bytes())
    }

    fn scene(&mut self, scene: &Scene, frame: &FrameFacts) -> Result<(), SinkError> {
        self.open.as_mut().map_or(Ok(()), |open| open.write(scene, frame))
    }

    fn finish(mut self: Box<Self>, end: End) -> Result<(), SinkError> {
        let Some(open) = self.open.take() else { return Ok(()) };
        if end != End::Discarded {
            open.put_together()?;
        }
        open.file.end(end)
    }
}

impl Drop for CocoVid {
    /// Not complete, but a document: under the partial name.
    fn drop(&mut self) {
        if let Some(open) = self.open.take()
            && let Err(error) = open.put_together()
        {
            log::warn!("{error}");
        }
    }
}

impl Open {
    /// Writes the line of a frame.
    fn write(&mut self, scene: &Scene, frame: &FrameFacts) -> Result<(), SinkError> {
        self.size.get_or_insert(frame.size);
        let id = scene.sequence.saturating_add(1);
        let image = Image {
            id,
            video_id: 1,
            frame_id: self.images,
            frame: id,
            file_name: match &frame.file {
                Some(file) => Cow::Borrowed(&**file),
                None => format!("{}/{id:06}.jpg", self.run.source).into(),
            },
            width: frame.size.0,
            height: frame.size.1,
            time: rounded(scene.time, 6),
            wall: wall(frame),
        };
        self.images += 1;
        let mut annotations = Vec::new();
        for track in scene.seen().filter(|track| track.rect.is_sound()) {
            self.annotations += 1;
            if usize::from(track.class) >= self.run.labels.len() {
                self.nameless.insert(track.class);
            }
            let (rect, extra) = (track.rect, scene.extra(track.id));
            let mask = extra.and_then(|extra| extra.mask.as_ref());
            let mask = mask.map(|mask| MaskRecord::of(mask, frame.size));
            let keypoints = extra.map(|extra| visible(&extra.keypoints)).unwrap_or_default();
            let seen = keypoints.iter().skip(2).step_by(3).filter(|sight| **sight > 0.0).count();
            annotations.push(Annotation {
                id: self.annotations,
                image_id: id,
                video_id: 1,
                category_id: self.category(track.class),
                track_id: track.id,
                instance_id: track.id,
                bbox: [rect.left, rect.top, rect.width, rect.height].map(|edge| rounded(edge, 2)),
                area: mask.as_ref().map_or_else(
                    || rounded(f64::from(rect.width) * f64::from(rect.height), 2),
                    |(_, area)| *area as f64,
                ),
                iscrowd: 0,
                score: rounded(track.score, 4),
                segmentation: mask.map(|(mask, _)| mask),
                num_keypoints: (!keypoints.is_empty()).then_some(seen),
                keypoints,
                attributes: Attributes { track_id: track.id },
            });
        }
        let mut line = json_text(&Line { images: vec![image], annotations });
        line.push('\n');
        self.file.append(line.as_bytes())
    }

    /// The id of a class: COCO's own, or its number from 1; beyond all names behind COCO's last, 90.
    fn category(&self, class: ClassId) -> u32 {
        let number = u32::from(class) + 1;
        if self.is_coco { coco_id(class).map_or(number + 10, u32::from) } else { number }
    }

    /// What is not of a single frame.
    fn head(&self) -> serde_json::Value {
        let named = self.run.labels.iter().enumerate().map(|(class, name)| (class as ClassId, name.into()));
        let nameless = self.nameless.iter().map(|&class| (class, self.run.labels.name(class)));
        let categories: Vec<_> = named
            .chain(nameless)
            .map(|(class, name)| json!({"id": self.category(class), "name": name}))
            .collect();
        let mut video = json!({"id": 1, "name": self.run.source});
        if let Some((width, height)) = self.size {
            video["width"] = width.into();
            video["height"] = height.into();
        }
        let info = json!({"description": "tracks by trailsight"});
        json!({"info": info, "videos": [video], "categories": categories})
    }

    /// Replaces the lines in the partial file by the document.
    fn put_together(&self) -> Result<(), SinkError> {
        let Some(lines) = self.file.path() else { return Ok(()) };
        let replaced = atomic_file::replace(lines, &partial_name(lines), Durability::OnDisk, |file| {
            self.write_document(lines, BufWriter::new(file))
        });
        // Half a document is of no use; the lines are whole.
        replaced.map_err(|error| SinkError::writing(self.file.name(), Some(lines), &error))
    }

    fn write_document(&self, lines: &Path, mut out: impl Write) -> io::Result<()> {
        let head = self.head().to_string();
        // Without its last brace, so that it goes on.
        out.write_all(head.strip_suffix('}').unwrap_or(&head).as_bytes())?;
        write_list(&mut out, "images", lines, |line| line.images.iter().map(json_text).collect())?;
        write_list(&mut out, "annotations", lines, |line| line.annotations.iter().map(json_text).collect())?;
        out.write_all(b"}\n")?;
        out.flush()
    }
}

/// The points of a body as COCO has them.
fn visible(points: &[Keypoint]) -> Vec<f64> {
    let one = |point: &Keypoint| {
        let seen = point.score >= LEAST_POINT && point.x.is_finite() && point.y.is_finite();
        if seen { [rounded(point.x, 2), rounded(point.y, 2), 2.0] } else { [0.0; 3] }
    };
    points.iter().flat_map(one).collect()
}

/// Writes a list of the document, with what `part` takes from each line of the partial file: one frame a line.
fn write_list(
    out: &mut impl Write,
    name: &str,
    lines: &Path,
    part: impl Fn(&Line<'_>) -> Vec<String>,
) -> io::Result<()> {
    write!(out, ",\n\"{name}\":[")?;
    let mut first = true;
    let mut reader = BufReader::new(File::open(lines)?);
    let mut text = String::new();
    while reader.read_line(&mut text)? > 0 {
        let part = part(&serde_json::from_str(&text)?);
        if !part.is_empty() {
            out.write_all(if std::mem::take(&mut first) { b"\n" } else { b",\n" })?;
            out.write_all(part.join(",").as_bytes())?;
        }
        text.clear();
    }
    out.write_all(b"\n]")
}

/// Something that is made of strings and numbers alone, which cannot fail to become JSON.
fn json_text(thing: &impl Serialize) -> String {
    serde_json::to_string(thing).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::format::tests::{facts, run, scene};
    use super::*;
    use crate::detection::{Extra, Mask};
    use crate::geometry::Rect;
    use crate::scene::{Track, TrackState};
    use serde_json::Value;
    use std::fs;
    use std::sync::Arc;

    /// Three frames: the person and the car, both; none; a class that has no name.
    fn written(path: &Path, labels: Labels) -> Box<CocoVid> {
        let mut coco = Box::new(CocoVid::new(path));
        coco.begin(&RunInfo { labels: Arc::new(labels), ..run() }).unwrap();
        let mut both = scene();
        both.tracks[1].state = TrackState::Confirmed;
        coco.scene(&both, &facts()).unwrap();
        let named = FrameFacts { file: Some("d/14.png".into()), ..facts() };
        coco.scene(&Scene { sequence: 5, time: 2.1, ..Scene::default() }, &named).unwrap();
        let odd = Track { class: 300, ..both.tracks[0] };
        coco.scene(&Scene { sequence: 6, time: 2.2, tracks: vec![odd], ..Scene::default() }, &facts())
            .unwrap();
        coco
    }

    fn read(path: &Path) -> Value {
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }

    #[test]
    fn a_document_has_its_four_lists() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        written(&path, Labels::coco()).finish(End::Complete).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
        let document = read(&path);
        assert_eq!(
            document["videos"],
            json!([{"id": 1, "name": "a \"clip\".avi", "width": 640, "height": 480}])
        );
        assert_eq!(document["categories"].as_array().unwrap().len(), 81);
        assert_eq!(document["categories"][80], json!({"id": 311, "name": "class 300"}));
        let image = json!({"id": 5, "video_id": 1, "frame_id": 0, "frame": 5, "file_name": "a \"clip\".avi/000005.jpg",
            "width": 640, "height": 480, "time": 2.0});
        assert_eq!(document["images"][0], image);
        assert_eq!(document["images"][1]["file_name"], "d/14.png");
        let numbers = |key: &str| -> Vec<u64> {
            document["images"].as_array().unwrap().iter().map(|image| image[key].as_u64().unwrap()).collect()
        };
        assert_eq!(
            (numbers("frame_id"), numbers("frame"), numbers("id")),
            (vec![0, 1, 2], vec![5, 6, 7], vec![5, 6, 7])
        );
        let annotation = json!({"id": 2, "image_id": 5, "video_id": 1, "category_id": 3, "track_id": 9,
            "instance_id": 9, "bbox": [10.25, 20.0, 30.5, 61.25], "area": 1868.09, "iscrowd": 0, "score": 0.83,
            "attributes": {"track_id": 9}});
        assert_eq!(document["annotations"][1], annotation);
        assert_eq!(document["annotations"][2]["category_id"], 311);
        assert_eq!(document["annotations"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn pixels_and_points_stand_where_coco_has_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let mut coco = Box::new(CocoVid::new(&path));
        coco.begin(&run()).unwrap();
        let mut scene = scene();
        scene.tracks[1].state = TrackState::Confirmed;
        let keypoints = [(1.5, 2.25, 0.9), (7.0, 8.0, 0.1), (f32::NAN, 8.0, 0.9)];
        let keypoints = keypoints.map(|(x, y, score)| Keypoint { x, y, score }).to_vec();
        let mask = Mask::new(Rect::new(2.0, 1.0, 4.0, 3.0), (4, 3), |_, _| true);
        scene.extras =
            vec![(7, Extra { mask, ..Extra::default() }), (9, Extra { keypoints, ..Extra::default() })];
        coco.scene(&scene, &FrameFacts { size: (7, 5), ..facts() }).unwrap();
        coco.finish(End::Complete).unwrap();
        let document = read(&path);
        let (first, second) = (&document["annotations"][0], &document["annotations"][1]);
        // As pycocotools encodes this rectangle.
        assert_eq!(first["segmentation"], json!({"size": [5, 7], "counts": ";32000004"}));
        assert_eq!((&first["area"], first.get("keypoints")), (&json!(12.0), None));
        assert_eq!(second["keypoints"], json!([1.5, 2.25, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]));
        assert_eq!((&second["num_keypoints"], second.get("segmentation")), (&json!(1), None));
    }

    #[test]
    fn other_models_have_ids_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        written(&path, Labels::parse("cat\ndog")).finish(End::Complete).unwrap();
        let ids: Vec<u64> =
            read(&path)["categories"].as_array().unwrap().iter().map(|c| c["id"].as_u64().unwrap()).collect();
        // The car of the scene is class 2, which has no name here.
        assert_eq!(ids, [1, 2, 3, 301]);
    }

    #[test]
    fn every_line_is_an_object_until_the_end_and_given_up_it_is_a_document_too() {
        let folder = tempfile::tempdir().unwrap();
        let partial = folder.path().join("a.partial.json");
        let coco = written(&folder.path().join("a.json"), Labels::coco());
        let text = fs::read_to_string(&partial).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((lines.len(), lines[1]["annotations"].as_array().unwrap().len()), (4, 2));
        drop(coco);
        assert_eq!(read(&partial)["annotations"].as_array().unwrap().len(), 3);
        assert!(!folder.path().join("a.json").exists());
    }

    #[test]
    fn a_run_without_a_frame_is_a_document_without_any() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let mut coco = Box::new(CocoVid::new(&path));
        coco.begin(&run()).unwrap();
        coco.finish(End::Complete).unwrap();
        let document = read(&path);
        assert_eq!((&document["images"], &document["annotations"]), (&json!([]), &json!([])));
    }
}
