//! JSON in COCO's layout: documents with images and annotations that have tracks (COCO-VID, CVAT, Datumaro), and lists of
//! results.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{self, Write};

use serde::Deserialize;
use serde_json::json;

use super::super::dialect::Dialect;
use super::super::lines::MotError;
use super::{Annotation, Annotations, Ids, Lost, checked, class_numbers, fault, json_fault, short};
use crate::detection::ClassId;
use crate::labels::{Labels, coco_id};
use crate::metrics::Region;

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    videos: Vec<Video>,
    images: Vec<Image>,
    #[serde(default)]
    categories: Vec<Category>,
    #[serde(default)]
    annotations: Vec<Entry>,
}

#[derive(Deserialize)]
struct Video {
    id: Option<i64>,
    name: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
}

#[derive(Deserialize)]
struct Image {
    id: i64,
    video_id: Option<i64>,
    frame_id: Option<u64>,
    /// From 1: ours.
    frame: Option<u64>,
    width: Option<u32>,
    height: Option<u32>,
}

#[derive(Deserialize)]
struct Category {
    id: i64,
    #[serde(default)]
    name: String,
}

/// A number or a word.
#[derive(Deserialize, Clone)]
#[serde(untagged)]
enum Word {
    Number(serde_json::Number),
    Text(String),
}

impl Word {
    fn id(&self, ids: &mut Ids) -> Option<u64> {
        match self {
            Self::Number(number) => number.as_u64(),
            Self::Text(text) if text.is_empty() => None,
            Self::Text(text) => Some(ids.id(text)),
        }
    }
}

#[derive(Deserialize)]
struct Entry {
    image_id: i64,
    category_id: i64,
    bbox: [f64; 4],
    track_id: Option<Word>,
    instance_id: Option<Word>,
    #[serde(default)]
    attributes: Option<EntryAttributes>,
    score: Option<f64>,
}

#[derive(Deserialize)]
struct EntryAttributes {
    track_id: Option<Word>,
}

/// The class of COCO's own category numbers, which have gaps; `None` for numbers that COCO never used.
fn class_of_coco(id: i64) -> Option<ClassId> {
    (0..80).find(|class| coco_id(*class).map(i64::from) == Some(id))
}

pub(super) fn parse(bytes: &[u8], name: &str, dialect: &Dialect) -> Result<Annotations, MotError> {
    let mut document: Document = serde_json::from_slice(bytes).map_err(|error| json_fault(name, &error))?;
    let videos = names_of_videos(&document);
    if videos.len() > 1 {
        let wanted = dialect.video.as_deref();
        let chosen = videos.iter().find(|(_, video)| wanted == Some(video.as_str())).map(|(id, _)| *id);
        let chosen = chosen.ok_or_else(|| {
            let known: Vec<&str> = videos.iter().take(6).map(|(_, video)| video.as_str()).collect();
            let what =
                wanted.map_or("one is read at a time".to_owned(), |wanted| format!("none is {wanted}"));
            fault(name, "images", format_args!("{} videos ({}); {what}", videos.len(), known.join(", ")))
        })?;
        let others = document.images.iter().filter(|image| image.video_id != chosen).map(|image| image.id);
        let others: HashSet<i64> = others.collect();
        document.images.retain(|image| image.video_id == chosen);
        document.videos.retain(|video| video.id == chosen);
        document.annotations.retain(|entry| !others.contains(&entry.image_id));
    }
    let frames = frames_of(&document.images, dialect).map_err(|why| fault(name, "images", why))?;
    let mut categories: Vec<&Category> = document.categories.iter().collect();
    categories.sort_by_key(|category| category.id);
    categories.truncate(super::MAX_CLASSES);
    let clean = |category: &&Category| {
        let line = category.name.replace(['\n', '\r'], " ");
        if line.trim().is_empty() { format!("class {}", category.id) } else { line }
    };
    let labels: Vec<String> = categories.iter().map(clean).collect();
    let classes: HashMap<i64, ClassId> =
        categories.iter().zip(0..).map(|(category, class)| (category.id, class)).collect();
    let mut read = Annotations {
        labels: Labels::parse(&labels.join("\n")),
        frames: frames.values().max().map(|last| last + 1),
        size: document.images.iter().find_map(|image| image.width.zip(image.height)),
        ..Annotations::default()
    };
    read.size = read.size.or_else(|| document.videos.iter().find_map(|video| video.width.zip(video.height)));
    let mut ids = Ids::default();
    for (number, entry) in (1..).zip(&document.annotations) {
        let place = || format!("annotation {number}");
        let frame = frames.get(&entry.image_id).copied();
        let frame = frame
            .ok_or_else(|| fault(name, place(), format_args!("there is no image {}", entry.image_id)))?;
        let word = [&entry.track_id, &entry.instance_id].into_iter().flatten().next();
        let word =
            word.or_else(|| entry.attributes.as_ref().and_then(|attributes| attributes.track_id.as_ref()));
        let [left, top, width, height] = entry.bbox;
        let one = checked(Annotation {
            frame,
            id: word.and_then(|word| word.id(&mut ids)),
            region: Region::new(left, top, width, height),
            score: entry.score,
            class: classes.get(&entry.category_id).copied(),
            row: number,
            ..Annotation::default()
        });
        read.boxes.push(one.map_err(|why| fault(name, place(), why))?);
    }
    Ok(read)
}

/// The videos that the images are of, in the order of their ids, with names: their own without a folder before it, or their
/// ids where names are missing or not different.
fn names_of_videos(document: &Document) -> Vec<(Option<i64>, String)> {
    let ids: BTreeSet<Option<i64>> = document.images.iter().map(|image| image.video_id).collect();
    let name = |id: &Option<i64>| {
        let video = document.videos.iter().find(|video| video.id.is_some() && video.id == *id);
        let name = video.and_then(|video| video.name.as_deref()).unwrap_or_default();
        name.rsplit(['/', '\\']).next().unwrap_or_default().trim().to_owned()
    };
    let names: Vec<String> = ids.iter().map(name).collect();
    let different: HashSet<&String> = names.iter().filter(|name| !name.is_empty()).collect();
    let named = different.len() == ids.len();
    let number = |id: &Option<i64>| id.map_or("none".to_owned(), |id| id.to_string());
    ids.iter().zip(&names).map(|(id, name)| (*id, if named { name.clone() } else { number(id) })).collect()
}

/// The names of the videos in a document, where there are several.
pub(super) fn videos(bytes: &[u8], name: &str) -> Result<Vec<String>, MotError> {
    let document: Document = serde_json::from_slice(bytes).map_err(|error| json_fault(name, &error))?;
    let names = names_of_videos(&document);
    let several = names.len() > 1;
    Ok(names.into_iter().filter(|_| several).map(|(_, name)| name).collect())
}

/// The frame of each image, from 0: the number that it has, or else its place by its id.
fn frames_of(images: &[Image], dialect: &Dialect) -> Result<BTreeMap<i64, u64>, String> {
    // Frames without gaps from 1 to the last count from 1.
    let numbers: BTreeSet<u64> = images.iter().filter_map(|image| image.frame_id).collect();
    let whole = numbers.len() == images.len() && numbers.last() == Some(&(images.len() as u64));
    let from_one = whole && numbers.first() == Some(&1);
    let from = dialect.frames_from.map_or(u64::from(from_one), u64::from);
    let mut frames = BTreeMap::new();
    let mut sorted: Vec<&Image> = images.iter().collect();
    sorted.sort_by_key(|image| image.id);
    for (place, image) in (0..).zip(sorted) {
        let told = image
            .frame
            .map(|frame| frame.checked_sub(1))
            .or(image.frame_id.map(|frame| frame.checked_sub(from)));
        let frame = told.unwrap_or(Some(place)).filter(|frame| *frame <= super::MAX_FRAME);
        let frame =
            frame.ok_or_else(|| format!("the image {} has a frame number that cannot be", image.id))?;
        if frames.insert(image.id, frame).is_some() {
            return Err(format!("the id {} is there twice", image.id));
        }
    }
    Ok(frames)
}

pub(super) fn parse_results(bytes: &[u8], name: &str, dialect: &Dialect) -> Result<Annotations, MotError> {
    let list: Vec<Entry> = serde_json::from_slice(bytes).map_err(|error| json_fault(name, &error))?;
    let from = i64::from(dialect.frames_from.unwrap_or(1));
    let mut read =
        Annotations { labels: dialect.labels.clone().unwrap_or_else(Labels::coco), ..Annotations::default() };
    let mut ids = Ids::default();
    for (number, entry) in (1..).zip(&list) {
        let frame = entry.image_id.checked_sub(from).and_then(|frame| u64::try_from(frame).ok());
        let why = || format!("image_id {}: expected a number from {from}", entry.image_id);
        let one = frame.ok_or_else(why).and_then(|frame| {
            let class = match &dialect.labels {
                // Classes of the user's own count without gaps.
                Some(_) => entry.category_id.checked_sub(i64::from(dialect.classes_from.unwrap_or(1))),
                None => class_of_coco(entry.category_id).map(i64::from),
            };
            let [left, top, width, height] = entry.bbox;
            checked(Annotation {
                frame,
                id: entry.track_id.as_ref().and_then(|word| word.id(&mut ids)),
                region: Region::new(left, top, width, height),
                score: entry.score,
                class: class.and_then(|class| ClassId::try_from(class).ok()),
                row: number,
                ..Annotation::default()
            })
        });
        read.boxes.push(one.map_err(|why| fault(name, format_args!("object {number}"), why))?);
    }
    Ok(read)
}

/// The number of a class: COCO's own, or from 1.
fn category(of: &Annotations, class: Option<ClassId>) -> u32 {
    let number = class.map_or(of.labels.len() as u32 + 1, |class| u32::from(class) + 1);
    let coco = *coco_labels() == of.labels;
    class.filter(|_| coco).and_then(coco_id).map_or(if coco { number + 10 } else { number }, u32::from)
}

fn coco_labels() -> &'static Labels {
    static LABELS: std::sync::OnceLock<Labels> = std::sync::OnceLock::new();
    LABELS.get_or_init(Labels::coco)
}

pub(super) fn write(of: &Annotations, dialect: &Dialect, out: &mut dyn Write) -> io::Result<Lost> {
    let mut lost = Lost::default();
    lost.add("that a box is predicted", of.boxes.iter().filter(|one| one.predicted).count());
    let size = dialect.size.or(of.size);
    let mut classes: Vec<Option<ClassId>> = (0..of.labels.len() as ClassId).map(Some).collect();
    for one in &of.boxes {
        if !classes.contains(&one.class) {
            classes.push(one.class);
        }
    }
    let named = |class: &Option<ClassId>| json!({"id": category(of, *class), "name": of.class_name(*class)});
    let images = (0..of.length()).map(|frame| {
        let mut image =
            json!({"id": frame + 1, "video_id": 1, "frame_id": frame, "frame": frame + 1, "file_name": format!("{:06}.jpg", frame + 1)});
        if let Some((width, height)) = size {
            (image["width"], image["height"]) = (width.into(), height.into());
        }
        image
    });
    let boxes = of.boxes.iter().zip(1u64..).map(|(one, number)| {
        let Region { left, top, width, height } = one.region;
        let mut entry = json!({"id": number, "image_id": one.frame + 1, "video_id": 1,
            "category_id": category(of, one.class), "bbox": [short(left), short(top), short(width), short(height)],
            "area": short(width * height), "iscrowd": 0, "segmentation": []});
        if let Some(id) = one.id {
            (entry["track_id"], entry["instance_id"]) = (id.into(), id.into());
            entry["attributes"] = json!({"track_id": id});
        }
        if let Some(score) = one.score {
            entry["score"] = json!(score);
        }
        entry
    });
    // Written as it goes: a far frame number, and there is an entry for each frame before it.
    write!(
        out,
        "{{\"info\":{{\"description\":\"tracks by trailsight\"}},\"videos\":[{{\"id\":1,\"name\":\"video\"}}]"
    )?;
    write_list(out, "categories", classes.iter().map(named))?;
    write_list(out, "images", images)?;
    write_list(out, "annotations", boxes)?;
    writeln!(out, "}}")?;
    Ok(lost)
}

/// A further key of the document, with a list.
fn write_list(
    out: &mut dyn Write,
    key: &str,
    entries: impl Iterator<Item = serde_json::Value>,
) -> io::Result<()> {
    write!(out, ",\"{key}\":[")?;
    for (number, entry) in entries.enumerate() {
        let comma = if number == 0 { "" } else { "," };
        write!(out, "{comma}{entry}")?;
    }
    write!(out, "]")
}

pub(super) fn write_results(of: &Annotations, out: &mut dyn Write) -> io::Result<Lost> {
    let mut lost = Lost::default();
    lost.add("that a box is predicted", of.boxes.iter().filter(|one| one.predicted).count());
    lost.add("the size of the picture", usize::from(of.size.is_some()));
    let numbers = class_numbers(of, &Dialect::default());
    if numbers.is_none() {
        lost.add("names of classes", of.labels.len());
    }
    let number = |class: Option<ClassId>| {
        let class = class
            .map(|class| numbers.as_ref().and_then(|all| all.get(usize::from(class))).map_or(class, |n| *n));
        class.map_or(91, |class| coco_id(class).map_or(u32::from(class) + 11, u32::from))
    };
    lost.add("missing scores (written as 1)", of.boxes.iter().filter(|one| one.score.is_none()).count());
    let rows = of.boxes.iter().map(|one| {
        let Region { left, top, width, height } = one.region;
        let mut entry = json!({"image_id": one.frame + 1, "category_id": number(one.class),
            "bbox": [short(left), short(top), short(width), short(height)], "score": one.score.unwrap_or(1.0)});
        if let Some(id) = one.id {
            entry["track_id"] = id.into();
        }
        entry
    });
    writeln!(out, "{}", serde_json::Value::from(rows.collect::<Vec<_>>()))?;
    Ok(lost)
}
