//! Track files, one sink each.
//!
//! Whole frames are written at once and unbuffered, so that the file can be read along (`tail -f`) and never holds half
//! a line. Frames are numbered from 1, as MOTChallenge does, in every kind (and from 0 too, where COCO-VID does).
//!
//! | file | what it is for |
//! |---|---|
//! | `lines` | what is written line by line: `mot`, `jsonl`, `csv` say how a line looks |
//! | `coco_vid` | lines that become one document in the end |
//! | `geojson` | where objects went on the ground |
//! | `record` | a track as JSON, the same in track files and status files |
//! | `format` | how numbers, states and times are written |

mod coco_vid;
pub(super) mod csv;
pub(super) mod format;
mod geojson;
pub(super) mod jsonl;
pub(super) mod lines;
pub(super) mod mot;
pub(super) mod record;

pub(super) use coco_vid::CocoVid;
pub(super) use geojson::GeoJson;
pub use record::{TrackAttributes, TrackRecord};
