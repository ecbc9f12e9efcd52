//! How files of boxes count: the same flags for every command that reads such files, under a prefix where a command reads
//! two kinds.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::dataset::{Dialect, read_labels};

/// Makes the flags of one kind of file: their names and what the help calls the file.
macro_rules! dialect_args {
    ($name:ident, $doc:literal, $file:literal, $pixels:literal, $frames:literal, $classes:literal, $labels:literal) => {
        #[doc = $doc]
        #[derive(Debug, Args)]
        pub struct $name {
            #[doc = concat!("The coordinate of the picture's top-left corner in ", $file, ": 1 (MOTChallenge), or 0 (CVAT, ",
                "Datumaro, BoxMOT, Roboflow, Norfair)")]
            #[arg(id = $pixels, long = $pixels, value_name = "0|1", value_parser = clap::value_parser!(u8).range(0..=1))]
            pixels_from: Option<u8>,
            #[doc = concat!("The number of the first frame in ", $file)]
            #[arg(id = $frames, long = $frames, value_name = "0|1", value_parser = clap::value_parser!(u8).range(0..=1))]
            frames_from: Option<u8>,
            #[doc = concat!("The number of the first class in ", $file, ": 1 (MOTChallenge), or 0 (BoxMOT)")]
            #[arg(id = $classes, long = $classes, value_name = "0|1", value_parser = clap::value_parser!(u8).range(0..=1))]
            classes_from: Option<u8>,
            #[doc = concat!("The names of the classes in ", $file, ", one a line; the word coco for COCO's 80; default: \
                labels.txt beside the file")]
            #[arg(id = $labels, long = $labels, value_name = "FILE")]
            labels: Option<PathBuf>,
        }

        impl $name {
            /// The file of class names, as it was typed.
            pub fn labels(&self) -> Option<&Path> {
                self.labels.as_deref()
            }

            /// The first of these flags that was given.
            pub fn given(&self) -> Option<&'static str> {
                let flags = [
                    (self.pixels_from.is_some(), concat!("--", $pixels)),
                    (self.frames_from.is_some(), concat!("--", $frames)),
                    (self.classes_from.is_some(), concat!("--", $classes)),
                    (self.labels.is_some(), concat!("--", $labels)),
                ];
                flags.into_iter().find(|(given, _)| *given).map(|(_, flag)| flag)
            }

            /// These arguments for the reader.
            ///
            /// # Errors
            /// Says which file of names cannot be read.
            pub fn dialect(&self) -> Result<Dialect, String> {
                let labels = self.labels.as_deref().map(read_labels).transpose()?;
                let Self { pixels_from, frames_from, classes_from, .. } = *self;
                Ok(Dialect { pixels_from, frames_from, classes_from, labels, ..Dialect::default() })
            }
        }
    };
}

dialect_args!(
    FileDialectArgs,
    "How the one file that a command reads counts.",
    "the file",
    "pixels-from",
    "frames-from",
    "classes-from",
    "labels"
);
dialect_args!(
    TruthDialectArgs,
    "How the files of ground truth count.",
    "the ground truth",
    "pixels-from",
    "frames-from",
    "classes-from",
    "labels"
);
dialect_args!(
    WrittenDialectArgs,
    "How the file that a command writes counts.",
    "the written file",
    "to-pixels-from",
    "to-frames-from",
    "to-classes-from",
    "to-labels"
);
dialect_args!(
    ResultsDialectArgs,
    "How the files of results count.",
    "the results",
    "results-pixels-from",
    "results-frames-from",
    "results-classes-from",
    "results-labels"
);
dialect_args!(
    DetectionsDialectArgs,
    "How the files of detections count.",
    "the detections",
    "detections-pixels-from",
    "detections-frames-from",
    "detections-classes-from",
    "detections-labels"
);
