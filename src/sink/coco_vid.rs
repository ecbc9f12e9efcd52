//! Tracks as one JSON document in the layout of COCO-VID, which TAO and others share: `videos`, `images`, `categories`,
//! `annotations`.
//!
//! ```json
//! {"info":{"description":"tracks by trailsight"},"videos":[{"id":1,"name":"clip.avi","width":768,"height":576}],
//! "categories":[{"id":1,"name":"person"}],
//! "images":[{"id":5,"video_id":1,"frame_id":4,"file_name":"clip.avi/000005.jpg","width":768,"height":576,"time":0.571}],
//! "annotations":[{"id":9,"image_id":5,"video_id":1,"category_id":1,"track_id":7,"instance_id":7,
//! "bbox":[10.25,20.0,30.5,61.25],"area":1868.12,"iscrowd":0,"score":0.83}]}
//! ```
//!
//! An image's `id` is the frame's number from 1, its `frame_id` that from 0; `file_name` is what a tool would call the
//! frame that takes the video apart from 1 on, no file is there. Categories have COCO's own ids for COCO's names, else
//! the class's number from 1. Only tracks that were seen in a frame have an annotation.
//!
//! Images and annotations come together, and stand in two lists. So that memory stays bounded, the partial file holds one
//! object a line, each a small document of the same layout: the head, then for each frame its image and its annotations.
//! At any orderly end they are put together in two passes over that file. After a kill
//! `jq -s 'reduce .[] as $o ({}; reduce ($o|to_entries[]) as $e (.; .[$e.key] += $e.value))'` does the same. What has no
//! name (a pipe) gets the lines.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;

use super::SinkError;
use super::format::{FrameFacts, TrackFileInfo, rounded};
use super::partial::{PartialFile, partial_name};
use crate::detection::ClassId;
use crate::labels::{Labels, coco_id};
use crate::scene::Scene;

/// How the line of a frame begins, what stands between its two lists, and how it ends. In the names inside, quotes are
/// escaped: these can only be what they are.
const IMAGES: &str = "{\"images\":[";
const ANNOTATIONS: &str = "],\"annotations\":[";
const END: &str = "]}";

#[derive(Serialize)]
struct Image<'a> {
    id: u64,
    video_id: u32,
    frame_id: u64,
    file_name: &'a str,
    width: u32,
    height: u32,
    time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    wall: Option<String>,
}

#[derive(Serialize)]
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
}

/// A document that is being written.
#[derive(Debug)]
pub(super) struct CocoVid {
    /// `None` once it is finished.
    file: Option<PartialFile>,
    info: TrackFileInfo,
    /// COCO's names have COCO's ids.
    is_coco: bool,
    /// Classes that came and have no name.
    nameless: BTreeSet<ClassId>,
    /// Of the first frame.
    size: Option<(u32, u32)>,
    annotations: u64,
}

impl CocoVid {
    /// Writes the head.
    pub(super) fn begin(file: PartialFile, info: TrackFileInfo) -> Result<Self, SinkError> {
        let is_coco = *info.labels == Labels::coco();
        let mut coco =
            Self { file: None, info, is_coco, nameless: BTreeSet::new(), size: None, annotations: 0 };
        let head = format!("{}\n", coco.head());
        let file = coco.file.insert(file);
        file.append(head.as_bytes())?;
        Ok(coco)
    }

    pub(super) fn name(&self) -> &str {
        self.file.as_ref().map_or("", PartialFile::name)
    }

    /// Writes the line of a frame.
    pub(super) fn write(&mut self, scene: &Scene, facts: FrameFacts) -> Result<(), SinkError> {
        self.size.get_or_insert(facts.size);
        let id = scene.sequence.saturating_add(1);
        let image = Image {
            id,
            video_id: 1,
            frame_id: scene.sequence,
            file_name: &format!("{}/{id:06}.jpg", self.info.source),
            width: facts.size.0,
            height: facts.size.1,
            time: rounded(scene.time, 6),
            wall: facts.wall(),
        };
        let mut line = IMAGES.to_owned();
        push(&mut line, &image);
        line.push_str(ANNOTATIONS);
        for (index, track) in scene.seen().filter(|track| track.rect.is_sound()).enumerate() {
            self.annotations += 1;
            if usize::from(track.class) >= self.info.labels.len() {
                self.nameless.insert(track.class);
            }
            let rect = track.rect;
            let annotation = Annotation {
                id: self.annotations,
                image_id: id,
                video_id: 1,
                category_id: self.category(track.class),
                track_id: track.id,
                instance_id: track.id,
                bbox: [rect.left, rect.top, rect.width, rect.height].map(|edge| rounded(edge, 2)),
                area: rounded(f64::from(rect.width) * f64::from(rect.height), 2),
                iscrowd: 0,
                score: rounded(track.score, 4),
            };
            line.push_str(if index > 0 { "," } else { "" });
            push(&mut line, &annotation);
        }
        line.push_str(END);
        line.push('\n');
        self.file.as_mut().map_or(Ok(()), |file| file.append(line.as_bytes()))
    }

    /// Puts the document together and gives it its name.
    pub(super) fn finish(mut self) -> Result<(), SinkError> {
        let Some(file) = self.file.take() else { return Ok(()) };
        self.put_together(&file)?;
        file.finish()
    }

    /// The id of a class: COCO's own, or its number from 1; beyond all names behind COCO's last, 90.
    fn category(&self, class: ClassId) -> u32 {
        let number = u32::from(class) + 1;
        if self.is_coco { coco_id(class).map_or(number + 10, u32::from) } else { number }
    }

    /// What is not of a single frame.
    fn head(&self) -> serde_json::Value {
        let named = self.info.labels.iter().enumerate().map(|(class, name)| (class as ClassId, name.into()));
        let nameless = self.nameless.iter().map(|&class| (class, self.info.labels.name(class)));
        let categories: Vec<_> = named
            .chain(nameless)
            .map(|(class, name)| json!({"id": self.category(class), "name": name}))
            .collect();
        let mut video = json!({"id": 1, "name": self.info.source});
        if let Some((width, height)) = self.size {
            video["width"] = width.into();
            video["height"] = height.into();
        }
        let info = json!({"description": "tracks by trailsight"});
        json!({"info": info, "videos": [video], "categories": categories})
    }

    /// Replaces the lines in the partial file by the document.
    fn put_together(&self, file: &PartialFile) -> Result<(), SinkError> {
        let Some(lines) = file.path() else { return Ok(()) };
        let whole = partial_name(lines);
        let write = || {
            self.write_document(lines, &whole)?;
            fs::rename(&whole, lines)
        };
        write().map_err(|error| {
            // Half a document is of no use; the lines are whole.
            let _ = fs::remove_file(&whole);
            SinkError::writing(file.name(), Some(&PathBuf::from(lines)), &error)
        })
    }

    fn write_document(&self, lines: &Path, whole: &Path) -> io::Result<()> {
        let mut out = BufWriter::new(File::create(whole)?);
        let head = self.head().to_string();
        // Without its last brace, so that it goes on.
        out.write_all(head.strip_suffix('}').unwrap_or(&head).as_bytes())?;
        for (list, before, after) in [("images", IMAGES, ANNOTATIONS), ("annotations", ANNOTATIONS, END)] {
            write!(out, ",\n\"{list}\":[")?;
            let mut first = true;
            let mut reader = BufReader::new(File::open(lines)?);
            let mut line = String::new();
            while reader.read_line(&mut line)? > 0 {
                let part = line.trim_end().split_once(before).map(|(_, rest)| rest);
                let part = part.and_then(|rest| rest.rsplit_once(after)).map_or("", |(part, _)| part);
                if !part.is_empty() {
                    out.write_all(if std::mem::take(&mut first) { b"\n" } else { b",\n" })?;
                    out.write_all(part.as_bytes())?;
                }
                line.clear();
            }
            out.write_all(b"\n]")?;
        }
        out.write_all(b"}\n")?;
        out.into_inner()?.sync_all()
    }
}

impl Drop for CocoVid {
    /// Not complete, but a document: under the partial name.
    fn drop(&mut self) {
        if let Some(file) = self.file.take()
            && let Err(error) = self.put_together(&file)
        {
            log::warn!("{error}");
        }
    }
}

/// Appends something that is made of strings and numbers alone, which cannot fail to become JSON.
fn push(line: &mut String, thing: &impl Serialize) {
    if let Ok(text) = serde_json::to_string(thing) {
        line.push_str(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::tests::{facts, info, scene};
    use super::*;
    use crate::scene::{Track, TrackState};
    use serde_json::Value;
    use std::sync::Arc;

    /// Three frames: the person and the car, both; none; a class that has no name.
    fn written(path: &Path, labels: Labels) -> CocoVid {
        let info = TrackFileInfo { labels: Arc::new(labels), ..info() };
        let mut coco = CocoVid::begin(PartialFile::create(path).unwrap(), info).unwrap();
        let mut both = scene();
        both.tracks[1].state = TrackState::Confirmed;
        coco.write(&both, facts()).unwrap();
        coco.write(&Scene { sequence: 5, time: 2.1, ..Scene::default() }, facts()).unwrap();
        let odd = Track { class: 300, ..both.tracks[0] };
        coco.write(&Scene { sequence: 6, time: 2.2, tracks: vec![odd], ..Scene::default() }, facts())
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
        written(&path, Labels::coco()).finish().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
        let document = read(&path);
        assert_eq!(
            document["videos"],
            json!([{"id": 1, "name": "a \"clip\".avi", "width": 640, "height": 480}])
        );
        assert_eq!(document["categories"].as_array().unwrap().len(), 81);
        assert_eq!(document["categories"][80], json!({"id": 311, "name": "class 300"}));
        let image = json!({"id": 5, "video_id": 1, "frame_id": 4, "file_name": "a \"clip\".avi/000005.jpg",
            "width": 640, "height": 480, "time": 2.0});
        assert_eq!(document["images"][0], image);
        assert_eq!(document["images"].as_array().unwrap().len(), 3);
        let annotation = json!({"id": 2, "image_id": 5, "video_id": 1, "category_id": 3, "track_id": 9,
            "instance_id": 9, "bbox": [10.25, 20.0, 30.5, 61.25], "area": 1868.09, "iscrowd": 0, "score": 0.83});
        assert_eq!(document["annotations"][1], annotation);
        assert_eq!(document["annotations"][2]["category_id"], 311);
        assert_eq!(document["annotations"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn other_models_have_ids_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        written(&path, Labels::parse("cat\ndog")).finish().unwrap();
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
        CocoVid::begin(PartialFile::create(&path).unwrap(), info()).unwrap().finish().unwrap();
        let document = read(&path);
        assert_eq!((&document["images"], &document["annotations"]), (&json!([]), &json!([])));
    }
}
