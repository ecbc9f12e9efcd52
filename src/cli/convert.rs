//! The arguments of `convert`.

use std::path::PathBuf;

use clap::Args;

use super::{FileDialectArgs, WrittenDialectArgs};
use crate::dataset::Format;

pub(super) const HELP: &str = "\
Formats:
  mot               MOTChallenge text (results, gt.txt, det.txt)
  jsonl, csv        as track writes them
  coco              COCO-VID, and COCO documents of CVAT and Datumaro
  coco-results      COCO results, as detect --coco writes them
  cvat              CVAT for video 1.1, XML (or a .zip with annotations.xml)
  cvat-mot          CVAT MOT 1.1, a .zip with gt/gt.txt, gt/labels.txt and seqinfo.ini
  supervision-csv, supervision-json
  label-studio      JSON of a video task (needs --size)
  kitti             KITTI tracking, label_02
  ultralytics       a folder of labels, one file a frame (needs --size)
  visdrone          VisDrone, ten columns
  uavdt             UAVDT, *_gt_whole.txt

The format of IN is known by its begin; --from says it where that is not enough. What OUT cannot carry is said.

Examples:
  trailsight convert draft.txt --to cvat-mot draft.zip --size 1280x720 --fps 25    load it into CVAT as MOT 1.1
  trailsight convert annotations.xml --to jsonl truth.jsonl                        tracks from CVAT
  trailsight convert runs/detect/track --to jsonl tracks.jsonl --size 1920x1080
  trailsight convert tracks.csv --to mot out.txt --frames-from 1                   a frame column that begins with 1";

/// The arguments of `convert`.
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// The file or folder that is read
    #[arg(value_name = "IN")]
    pub file: PathBuf,
    /// The format that is written
    #[arg(long, value_name = "FORMAT", value_parser = Format::ALL.map(|(name, _)| name))]
    pub to: String,
    /// The file that is written, or the new folder; - writes to standard output
    #[arg(value_name = "OUT")]
    pub target: PathBuf,
    /// The format of IN; default: as its begin tells
    #[arg(long, value_name = "FORMAT", value_parser = Format::ALL.map(|(name, _)| name))]
    pub from: Option<String>,
    /// The size of the picture, for formats with boxes in parts of it
    #[arg(long, value_name = "WxH")]
    pub size: Option<String>,
    /// The video that is read, by name, of COCO-VID with several
    #[arg(long, value_name = "NAME")]
    pub video: Option<String>,
    /// Frames a second, for formats with times
    #[arg(long, value_name = "F", value_parser = super::study::positive)]
    pub fps: Option<f64>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub read: FileDialectArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub write: WrittenDialectArgs,
}
