//! Where a data set has its files: the truth of each sequence, and what is known beside it.
//!
//! ```text
//! DATA/NAME/gt/gt.txt                a folder for each sequence (MOTChallenge); gt.zip, gt.xml, gt.json, gt.jsonl, gt.csv likewise,
//!                                    or what the folder was exported as: annotations.xml, labels/ (Ultralytics)
//! DATA/NAME.txt                      a file for each sequence (label_02 of KITTI, annotations of VisDrone), in any format
//! DATA/NAME_gt.txt                   UAVDT, with NAME_gt_ignore.txt beside; NAME_gt_whole.txt where there is no other
//! DATA                               one file, which is the truth of the only sequence, or of each video in it (COCO-VID)
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::DatasetError;
#[cfg(feature = "cli")]
use super::formats::Format;
use super::info::SequenceInfo;

/// The endings of files of boxes, the likeliest first. Without the formats of other programs there is text alone.
#[cfg(feature = "cli")]
const ENDINGS: [&str; 6] = ["txt", "zip", "xml", "json", "jsonl", "csv"];
#[cfg(not(feature = "cli"))]
const ENDINGS: [&str; 1] = ["txt"];
/// What follows a sequence's name in the files of UAVDT.
const UAVDT: [&str; 2] = ["_gt", "_gt_whole"];
const UAVDT_IGNORED: &str = "_gt_ignore";

/// The files of one sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The name of the sequence, which its results have too.
    pub name: String,
    /// The truth.
    pub truth: PathBuf,
    /// The folder with what else there is: `seqinfo.ini`, detections.
    pub folder: PathBuf,
    /// Regions that nobody annotated, of KITTI or UAVDT; the file need not be there.
    pub(super) ignored: PathBuf,
    /// Which video of the truth, where there are several in it.
    pub(super) video: Option<String>,
}

impl Place {
    /// All sequences of a data set by name, sorted.
    ///
    /// # Errors
    /// [`DatasetError`]: a folder, or a file with several videos, that cannot be read.
    pub fn all(data: &Path) -> Result<Vec<Self>, DatasetError> {
        if data.is_file() {
            let whole = Self::of_file(data);
            #[cfg(feature = "cli")]
            {
                let videos = Format::videos(data)?;
                let videos: Vec<Self> = videos.iter().map(|name| Self::of_video(data, name)).collect();
                if !videos.is_empty() {
                    return Ok(videos);
                }
            }
            return Ok(vec![whole]);
        }
        let fail = |error| DatasetError::Folder { path: data.display().to_string(), error };
        let (mut folders, mut files) = (Vec::new(), BTreeMap::new());
        for entry in std::fs::read_dir(data).map_err(fail)? {
            let path = entry.map_err(fail)?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if path.is_dir() {
                folders.extend(Self::in_folder(&path, &name));
            } else if path.is_file()
                && let Some(name) = name_of_truth(&path)
            {
                // Of several files of one name, the one with the likeliest ending.
                let place = Self::flat(data, &name);
                files.entry(name).or_insert(place);
            }
        }
        // A data set whose truth is elsewhere may have labels besides.
        if folders.iter().any(|place: &Self| !place.truth.is_dir()) {
            folders.retain(|place| !place.truth.is_dir());
        }
        // Beside folders with sequences lie lists and notes.
        let mut all = if folders.is_empty() { files.into_values().flatten().collect() } else { folders };
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// The sequence of this name; where it has no truth, its truth is where MOTChallenge has it.
    pub fn find(data: &Path, name: &str) -> Self {
        if data.is_file() {
            let whole = Self::of_file(data);
            // Without a look into a file that may be long.
            let video = Some(name.to_owned());
            return if whole.name == name { Self { video, ..whole } } else { Self::of_video(data, name) };
        }
        let folder = data.join(name);
        let found = Self::in_folder(&folder, name).or_else(|| Self::flat(data, name));
        found.unwrap_or_else(|| Self::with(name, folder.join("gt/gt.txt"), folder))
    }

    /// The files that are read besides detections, whether they are there or not.
    pub fn files(&self) -> [PathBuf; 3] {
        [self.truth.clone(), self.ignored.clone(), self.folder.join("seqinfo.ini")]
    }

    fn in_folder(folder: &Path, name: &str) -> Option<Self> {
        let gt = ENDINGS.map(|ending| folder.join(format!("gt/gt.{ending}")));
        let exported = ["gt/annotations.xml", "annotations.xml"].map(|file| folder.join(file));
        let mut known = gt.into_iter().chain(exported.into_iter().take(ENDINGS.len() - 1));
        let labels = folder.join("labels");
        let labels = (cfg!(feature = "cli") && labels.is_dir()).then_some(labels);
        let truth = known.find(|file| file.is_file()).or(labels)?;
        Some(Self::with(name, truth, folder.to_owned()))
    }

    fn flat(data: &Path, name: &str) -> Option<Self> {
        let plain = ENDINGS.map(|ending| format!("{name}.{ending}"));
        let uavdt = UAVDT.map(|ending| format!("{name}{ending}.txt"));
        let truth = plain.into_iter().chain(uavdt).map(|file| data.join(file)).find(|file| file.is_file())?;
        let ignored = data.join(format!("{name}{UAVDT_IGNORED}.txt"));
        Some(Self { ignored, ..Self::with(name, truth, data.join(name)) })
    }

    /// A video of a file with several.
    fn of_video(file: &Path, name: &str) -> Self {
        let folder = file.parent().map(|folder| folder.join(name)).unwrap_or_default();
        Self { video: Some(name.to_owned()), ..Self::with(name, file.to_owned(), folder) }
    }

    fn of_file(file: &Path) -> Self {
        let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let folder = file.parent().map(Path::to_owned).unwrap_or_default();
        // NAME/gt/gt.txt is that of NAME.
        let above = folder.parent().filter(|_| folder.ends_with("gt") && stem(file).as_deref() == Some("gt"));
        if let Some((above, name)) = above.and_then(|above| Some((above, above.file_name()?))) {
            return Self::with(&name.to_string_lossy(), file.to_owned(), above.to_owned());
        }
        let name = name_of_truth(file).or_else(|| stem(file)).unwrap_or_default();
        let ignored = folder.join(format!("{name}{UAVDT_IGNORED}.txt"));
        Self { ignored, ..Self::with(&name, file.to_owned(), folder) }
    }

    fn with(name: &str, truth: PathBuf, folder: PathBuf) -> Self {
        let beside = ["dontcare.txt", "gt_ignore.txt"].map(|file| truth.with_file_name(file));
        let [dontcare, uavdt] = beside;
        let ignored = if uavdt.is_file() { uavdt } else { dontcare };
        Self { name: name.to_owned(), truth, folder, ignored, video: None }
    }

    /// Whether the regions are those of UAVDT.
    pub(super) fn ignored_of_uavdt(&self) -> bool {
        let stem = self.ignored.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        stem.is_some_and(|stem| stem.ends_with("gt_ignore")) && self.ignored.is_file()
    }

    /// What `seqinfo.ini` says, and of KITTI's sequences the list of their lengths beside `label_02`.
    pub(super) fn info(&self) -> Result<SequenceInfo, DatasetError> {
        let mut info = SequenceInfo::read(&self.folder.join("seqinfo.ini"))?;
        if info.frames.is_none() {
            info.frames =
                self.truth.parent().and_then(|labels| SequenceInfo::length_in_map(labels, &self.name));
        }
        Ok(info)
    }
}

/// The name of the sequence that a file of its own is the truth of; `None` where it is no such file.
fn name_of_truth(file: &Path) -> Option<String> {
    let ending = file.extension()?.to_string_lossy().to_ascii_lowercase();
    let stem = file.file_stem()?.to_string_lossy().into_owned();
    if !ENDINGS.contains(&ending.as_str()) || stem.ends_with(UAVDT_IGNORED) || stem == "labels" {
        return None;
    }
    if ending != "txt" {
        return Some(stem);
    }
    let uavdt = UAVDT.iter().find_map(|end| stem.strip_suffix(end)).filter(|name| !name.is_empty());
    let name = uavdt.map(str::to_owned).unwrap_or(stem);
    // Notes are no numbers; nothing at all is an empty truth.
    let begin = crate::bounded::read_begin(file, 256).ok()?;
    let begin = String::from_utf8_lossy(&begin);
    let first = begin.trim_start_matches('\u{feff}').trim_start().chars().next();
    first.is_none_or(|first| first.is_ascii_digit() || "+-.\"'#".contains(first)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(files: &[&str]) -> Vec<(String, String)> {
        let data = tempfile::tempdir().unwrap();
        for file in files {
            let path = data.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, if file.contains("readme") { "Notes" } else { "1,1,1,1,9,9,1\n" }).unwrap();
        }
        let told = |place: Place| {
            let truth = place.truth.strip_prefix(data.path()).unwrap().display().to_string();
            assert_eq!(Place::find(data.path(), &place.name), place);
            (place.name, truth)
        };
        Place::all(data.path()).unwrap().into_iter().map(told).collect()
    }

    #[test]
    fn folders_come_before_files() {
        let found = |files: &[&str], expected: &[(&str, &str)]| {
            let expected: Vec<_> = expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            assert_eq!(places(files), expected, "{files:?}");
        };
        found(
            &["B/gt/gt.txt", "A/gt/gt.txt", "A/gt/labels.txt", "C/det/det.txt", "list.txt"],
            &[("A", "A/gt/gt.txt"), ("B", "B/gt/gt.txt")],
        );
        found(
            &["0001.txt", "0000.txt", "readme.txt", "labels.txt"],
            &[("0000", "0000.txt"), ("0001", "0001.txt")],
        );
        let uavdt = ["M1_gt.txt", "M1_gt_whole.txt", "M1_gt_ignore.txt", "M2_gt_whole.txt"];
        found(&uavdt, &[("M1", "M1_gt.txt"), ("M2", "M2_gt_whole.txt")]);
    }

    #[cfg(feature = "cli")]
    #[test]
    fn other_formats_are_found_by_their_endings() {
        let found = places(&["A/gt/gt.zip", "B/annotations.xml", "C/gt/gt.jsonl", "D/labels/x_1.txt"]);
        let found: Vec<&str> = found.iter().map(|one| one.1.as_str()).collect();
        assert_eq!(found, ["A/gt/gt.zip", "B/annotations.xml", "C/gt/gt.jsonl"]);
        assert_eq!(places(&["D/labels/x_1.txt", "E/det/det.txt"]), [("D".to_owned(), "D/labels".to_owned())]);
        assert_eq!(places(&["a.json", "b.csv"]).len(), 2);
    }

    #[test]
    fn one_file_is_one_sequence() {
        let data = tempfile::tempdir().unwrap();
        for (file, name) in [("lobby/gt/gt.txt", "lobby"), ("yard.txt", "yard"), ("M1_gt.txt", "M1")] {
            let path = data.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "1,1,1,1,9,9,1\n").unwrap();
            let all = Place::all(&path).unwrap();
            assert_eq!((all.len(), all[0].name.as_str(), &all[0].truth), (1, name, &path));
        }
    }
}
