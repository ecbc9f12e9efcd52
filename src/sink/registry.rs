//! Which sink writes which output: one table, looked up by the ending of a file's name or the scheme of an address.

use std::path::Path;

use super::counts::CountsSink;
use super::events;
use super::heat::{Form, HeatSink};
#[cfg(feature = "messages")]
use super::messages;
use super::metrics;
use super::partial::{ending, is_special, unknown_ending};
use super::snapshot::SnapshotSink;
use super::tracks::{CocoVid, GeoJson, csv, jsonl, mot};
use super::video::{FFMPEG_ENDINGS, OWN_ENDINGS, clip_sink, video_sink};
use super::{Needs, Pictures, Sink, SinkError};

/// What an output is for: the same ending may mean one thing for one of them and nothing for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Tracks, and what is known of them.
    Tracks,
    /// What happened: lines crossed, zones entered and left.
    Events,
    /// What was counted at lines and in zones.
    Counts,
    /// The same and more as numbers that are fetched.
    Metrics,
    /// For how long objects were where.
    Heat,
    /// The annotated video.
    Video,
    /// The same pictures without what is drawn into them.
    RawVideo,
    /// A short clip of the annotated video.
    Clip,
    /// A picture of the fullest scene.
    Snapshot,
}

/// What sinks can be told when they are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkOptions {
    /// The quality of pictures, from 1 (small) to 100 (nearly without loss).
    pub quality: u8,
    /// Which pictures it is to get; what the table says, but for the raw video.
    pub pictures: Pictures,
}

/// Makes a sink for a file or an address.
pub type MakeSink = fn(&Path, &SinkOptions) -> Result<Box<dyn Sink>, SinkError>;

/// One line of the table: a sink, and what it is chosen by.
#[derive(Debug, Clone, Copy)]
pub struct SinkKind {
    /// What it is for.
    pub purpose: Purpose,
    /// Endings of file names in small letters, without the dot.
    pub endings: &'static [&'static str],
    /// Schemes of addresses in small letters, without `://`.
    pub schemes: &'static [&'static str],
    /// The ending or scheme and what it is, for messages and help: `.txt (MOTChallenge)`.
    pub help: &'static str,
    /// What it has to be given.
    pub needs: Needs,
    /// Makes the sink for a file or an address, without touching either.
    pub make: MakeSink,
}

/// All that comes with the crate. The first of a purpose writes what has no ending: standard output and devices.
const BUILT_IN: &[SinkKind] = &[
    SinkKind {
        purpose: Purpose::Tracks,
        endings: &["txt"],
        schemes: &[],
        help: ".txt (MOTChallenge)",
        needs: Needs::SCENES,
        make: |path, _| Ok(mot::sink(path)),
    },
    SinkKind {
        purpose: Purpose::Tracks,
        endings: &["jsonl"],
        schemes: &[],
        help: ".jsonl (one JSON object a frame)",
        needs: Needs::SCENES,
        make: |path, _| Ok(jsonl::sink(path)),
    },
    SinkKind {
        purpose: Purpose::Tracks,
        endings: &["json"],
        schemes: &[],
        help: ".json (COCO-VID)",
        needs: Needs::SCENES,
        make: |path, _| Ok(Box::new(CocoVid::new(path))),
    },
    SinkKind {
        purpose: Purpose::Tracks,
        endings: &["csv"],
        schemes: &[],
        help: ".csv",
        needs: Needs::SCENES,
        make: |path, _| Ok(csv::sink(path)),
    },
    SinkKind {
        purpose: Purpose::Tracks,
        endings: &["geojson"],
        schemes: &[],
        help: ".geojson (ways on the ground)",
        needs: Needs::SCENES,
        make: |path, _| Ok(Box::new(GeoJson::new(path))),
    },
    SinkKind {
        purpose: Purpose::Events,
        endings: &["jsonl"],
        schemes: &[],
        help: ".jsonl (one JSON object an event)",
        needs: Needs::SCENES,
        make: |path, _| Ok(events::jsonl(path)),
    },
    SinkKind {
        purpose: Purpose::Events,
        endings: &["csv"],
        schemes: &[],
        help: ".csv",
        needs: Needs::SCENES,
        make: |path, _| Ok(events::csv(path)),
    },
    #[cfg(feature = "messages")]
    SinkKind {
        purpose: Purpose::Events,
        endings: &[],
        schemes: &["http", "https"],
        help: "http(s)://… (posted as JSON)",
        needs: Needs::SCENES,
        make: |address, _| messages::webhook(address),
    },
    #[cfg(feature = "messages")]
    SinkKind {
        purpose: Purpose::Events,
        endings: &[],
        schemes: &["mqtt"],
        help: "mqtt://HOST/PREFIX (published to a broker)",
        needs: Needs::SCENES,
        make: |address, _| messages::mqtt(address),
    },
    SinkKind {
        purpose: Purpose::Counts,
        endings: &["json"],
        schemes: &[],
        help: ".json",
        needs: Needs::SCENES,
        make: |path, _| Ok(Box::new(CountsSink::new(path))),
    },
    SinkKind {
        purpose: Purpose::Metrics,
        endings: &[],
        schemes: &["metrics"],
        help: "metrics://ADDRESS:PORT",
        needs: Needs::SCENES,
        make: |address, _| metrics::sink(address),
    },
    SinkKind {
        purpose: Purpose::Heat,
        endings: &["png"],
        schemes: &[],
        help: ".png",
        needs: Needs { scenes: true, pictures: Pictures::Clean },
        make: |path, _| Ok(Box::new(HeatSink::new(path, Form::Png))),
    },
    SinkKind {
        purpose: Purpose::Heat,
        endings: &["json"],
        schemes: &[],
        help: ".json",
        needs: Needs::SCENES,
        make: |path, _| Ok(Box::new(HeatSink::new(path, Form::Json))),
    },
    SinkKind {
        purpose: Purpose::Heat,
        endings: &["csv"],
        schemes: &[],
        help: ".csv",
        needs: Needs::SCENES,
        make: |path, _| Ok(Box::new(HeatSink::new(path, Form::Csv))),
    },
    SinkKind {
        purpose: Purpose::Video,
        endings: &["avi"],
        schemes: &[],
        help: OWN_ENDINGS,
        needs: Needs::DRAWN_PICTURES,
        make: |path, options| Ok(video_sink(path, options)),
    },
    SinkKind {
        purpose: Purpose::Video,
        endings: &["mp4", "mkv", "mov", "webm"],
        schemes: &[],
        help: FFMPEG_ENDINGS,
        needs: Needs::DRAWN_PICTURES,
        make: |path, options| Ok(video_sink(path, options)),
    },
    SinkKind {
        purpose: Purpose::Clip,
        endings: &["gif"],
        schemes: &[],
        help: ".gif",
        needs: Needs::DRAWN_PICTURES,
        make: |path, options| Ok(clip_sink(path, options)),
    },
    SinkKind {
        purpose: Purpose::Snapshot,
        endings: &["png"],
        schemes: &[],
        help: ".png",
        needs: Needs::DRAWN_PICTURES,
        make: |path, _| Ok(Box::new(SnapshotSink::new(path))),
    },
];

/// The sinks that there are to choose from.
///
/// ```
/// use trailsight::sink::{Needs, Purpose, Registry, SinkKind, SinkError};
///
/// let mut registry = Registry::default();
/// registry.add(SinkKind {
///     purpose: Purpose::Tracks,
///     endings: &[],
///     schemes: &["mqtt"],
///     help: "mqtt://HOST/TOPIC",
///     needs: Needs::SCENES,
///     make: |address, _| Err(SinkError::failed(&address.display().to_string(), "this is an example")),
/// });
/// assert!(registry.check(Purpose::Tracks, "mqtt://broker/tracks".as_ref()).is_ok());
/// assert!(registry.check(Purpose::Tracks, "amqp://broker/tracks".as_ref()).is_err());
/// ```
#[derive(Debug, Clone)]
pub struct Registry(Vec<SinkKind>);

impl Default for Registry {
    /// What comes with the crate.
    fn default() -> Self {
        Self(BUILT_IN.to_vec())
    }
}

impl Registry {
    /// Adds a kind of sink. It is found before those that were there, so that it can take an ending over.
    pub fn add(&mut self, kind: SinkKind) {
        self.0.push(kind);
    }

    /// The same sinks, where MOTChallenge text has -1 instead of classes, as scorers of pedestrians alone want it.
    #[must_use]
    pub fn without_mot_classes(mut self) -> Self {
        let is_mot = |kind: &&mut SinkKind| kind.purpose == Purpose::Tracks && kind.endings.contains(&"txt");
        for kind in self.0.iter_mut().filter(is_mot) {
            kind.make = |path, _| Ok(mot::sink_without_classes(path));
        }
        self
    }

    /// The same sinks, where CSV has columns for places and speeds on the ground.
    #[must_use]
    pub fn with_ground_columns(mut self) -> Self {
        let is_csv = |kind: &&mut SinkKind| kind.purpose == Purpose::Tracks && kind.endings.contains(&"csv");
        for kind in self.0.iter_mut().filter(is_csv) {
            kind.make = |path, _| Ok(csv::sink_with_ground(path));
        }
        self
    }

    /// All kinds, in the order in which they were added.
    pub fn kinds(&self) -> &[SinkKind] {
        &self.0
    }

    /// Says so where no sink is known for this output.
    ///
    /// # Errors
    /// [`SinkError::Ending`], [`SinkError::Scheme`]: with what there is.
    pub fn check(&self, purpose: Purpose, target: &Path) -> Result<(), SinkError> {
        self.find(purpose, target).map(drop)
    }

    /// Makes the sink for an output, a file or an address; nothing is opened yet.
    ///
    /// # Errors
    /// As [`Registry::check`], and what the sink has to say of an address.
    pub fn make(&self, purpose: Purpose, target: &Path, quality: u8) -> Result<Box<dyn Sink>, SinkError> {
        let kind = self.find(purpose, target)?;
        let pictures = if purpose == Purpose::RawVideo { Pictures::Clean } else { kind.needs.pictures };
        (kind.make)(target, &SinkOptions { quality: quality.clamp(1, 100), pictures })
    }

    fn find(&self, purpose: Purpose, target: &Path) -> Result<&SinkKind, SinkError> {
        let purpose = if purpose == Purpose::RawVideo { Purpose::Video } else { purpose };
        let kinds = || self.0.iter().filter(|kind| kind.purpose == purpose);
        let known = || kinds().map(|kind| kind.help).collect::<Vec<_>>().join(", ");
        if let Some(scheme) = scheme_of(target) {
            let found = kinds().rev().find(|kind| kind.schemes.contains(&scheme.as_str()));
            return found.ok_or_else(|| SinkError::Scheme {
                path: target.display().to_string(),
                scheme,
                known: known(),
            });
        }
        let ending = ending(target);
        if let Some(kind) = kinds().rev().find(|kind| kind.endings.contains(&ending.as_str())) {
            return Ok(kind);
        }
        kinds().next().filter(|_| is_special(target)).ok_or_else(|| unknown_ending(target, known()))
    }
}

/// The scheme of an address, in small letters; `None` for a file.
fn scheme_of(target: &Path) -> Option<String> {
    let (scheme, _) = target.to_str()?.split_once("://")?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme.then(|| scheme.to_ascii_lowercase())
}

/// Whether an output is an address (`scheme://…`) rather than a file.
pub fn is_address(target: &Path) -> bool {
    scheme_of(target).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(purpose: Purpose, target: &str) -> String {
        Registry::default().check(purpose, target.as_ref()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_not_known_says_what_there_is() {
        assert_eq!(
            refused(Purpose::Tracks, "a.xml"),
            "cannot write a.xml: the ending .xml is not known; known are .txt (MOTChallenge), .jsonl (one JSON object a \
             frame), .json (COCO-VID), .csv, .geojson (ways on the ground)"
        );
        assert_eq!(
            refused(Purpose::Video, "video"),
            "cannot write video: the ending (none) is not known; known are .avi (Motion JPEG, needs nothing), and with \
             ffmpeg .mp4, .mkv, .mov, .webm"
        );
        let said = refused(Purpose::Tracks, "mqtt://host/a.txt");
        assert!(said.contains("the scheme mqtt:// is not known; known are .txt"), "{said}");
        assert!(refused(Purpose::Clip, "a.webp").ends_with("known are .gif"));
    }

    #[test]
    fn endings_are_known_for_their_purpose_whatever_their_capitals() {
        let registry = Registry::default();
        let known = |purpose, target: &str| registry.check(purpose, target.as_ref()).is_ok();
        assert!(known(Purpose::Tracks, "a.JSONL") && known(Purpose::Tracks, "-"));
        assert!(known(Purpose::RawVideo, "a.raw.mp4") && known(Purpose::Video, "-"));
        assert!(!known(Purpose::Tracks, "a.avi") && !known(Purpose::Video, "a.txt"));
        assert!(!is_address("c:/a.txt".as_ref()) && !is_address("1://a".as_ref()));
    }

    #[test]
    fn every_kind_makes_a_sink_that_needs_what_the_table_says_and_touches_nothing() {
        let folder = tempfile::tempdir().unwrap();
        for kind in Registry::default().kinds() {
            for ending in kind.endings {
                let path = folder.path().join(format!("a.{ending}"));
                let sink = Registry::default().make(kind.purpose, &path, 80).unwrap();
                assert_eq!(sink.needs(), kind.needs, "{ending}");
                assert_eq!(sink.name(), path.display().to_string());
                assert!(kind.help.contains(&format!(".{ending}")), "{ending} is not in its help");
            }
        }
        let raw = Registry::default().make(Purpose::RawVideo, &folder.path().join("a.avi"), 80).unwrap();
        assert_eq!(raw.needs(), Needs::CLEAN_PICTURES);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
