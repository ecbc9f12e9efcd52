//! Sequences with detections and truth, on which settings are evaluated.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::crossings::{CrossingExample, CrossingWatch};
use super::jitter::jittered;
use crate::dataset::{ClassWord, DatasetError, ReadOptions, Sequence, share_classes};
use crate::detection::{ClassId, Detection};
use crate::metrics::{Evaluation, MetricsError, Region, Results, Scorer, Truth};
use crate::scene::{Swap, Track, TrackState};
use crate::track::{LookAhead, Observation, TrackSettings, Tracker};

/// What is read.
#[derive(Debug, Clone)]
pub struct SequenceSetOptions {
    /// The detections of a sequence, in its folder.
    pub detections: PathBuf,
    /// How sequences are read.
    pub read: ReadOptions,
    /// Only these classes of the truth, each for itself; none: as the benchmark has it.
    pub classes: Vec<ClassWord>,
    /// Only detections of these classes; none: all.
    pub wanted: Vec<ClassId>,
}

/// Why there is no benchmark.
#[derive(Debug, thiserror::Error)]
pub enum SequenceSetError {
    /// A file that cannot be used.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// Nothing says how much time lies between two frames.
    #[error("{0}: seqinfo.ini must say how many frames there are in a second (frameRate = 30)")]
    Rate(String),
    /// Truth and detections do not go together.
    #[error("{0}")]
    Classes(String),
}

/// A sequence as it is run.
#[derive(Debug)]
struct LoadedSequence {
    name: String,
    group: usize,
    fps: f64,
    picture: Option<(f32, f32)>,
    frames: Vec<Vec<Detection>>,
    /// The truth, or that of each class.
    truths: Vec<(Option<i32>, Truth)>,
    /// The coordinate of the picture's top-left corner in the truth.
    origin: f64,
}

/// Sequences in groups.
#[derive(Debug)]
pub struct SequenceSet {
    sequences: Vec<LoadedSequence>,
    groups: Vec<String>,
}

/// The evaluation of each class of a sequence, or of all together.
type ByClass = Vec<(Option<i32>, Evaluation)>;

/// How one settings did: of each sequence that was run, the evaluations by class.
#[derive(Debug, Clone, Default)]
pub struct SetEvaluation {
    /// With the group of each.
    sequences: Vec<(usize, ByClass)>,
}

/// The one number that a search raises, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Objective {
    /// Higher-order tracking accuracy: finding and keeping count alike.
    #[default]
    Hota,
    /// Its part that asks only whether identities are kept.
    AssA,
    /// The share of boxes with the right identity over the whole sequence.
    Idf1,
    /// Misses, false boxes and switches; knows little of identities.
    Mota,
}

impl Objective {
    /// All of them by name.
    pub const ALL: [(&'static str, Self); 4] =
        [("hota", Self::Hota), ("assa", Self::AssA), ("idf1", Self::Idf1), ("mota", Self::Mota)];

    /// The number, in percent.
    pub fn of(self, evaluation: &Evaluation) -> f64 {
        100.0
            * match self {
                Self::Hota => evaluation.hota.hota.mean(),
                Self::AssA => evaluation.hota.ass_a.mean(),
                Self::Idf1 => evaluation.identity.idf1,
                Self::Mota => evaluation.clear.mota,
            }
    }
}

impl SetEvaluation {
    /// The evaluation of a group: its sequences together, by class, and the mean over the classes. `None` where no
    /// sequence of the group was run.
    pub fn group(&self, group: usize) -> Option<Evaluation> {
        let mut classes: BTreeMap<Option<i32>, Vec<Evaluation>> = BTreeMap::new();
        for (_, evaluations) in self.sequences.iter().filter(|(of, _)| *of == group) {
            for (class, evaluation) in evaluations {
                classes.entry(*class).or_default().push(*evaluation);
            }
        }
        let combined: Vec<Evaluation> = classes.values().map(Evaluation::combine).collect();
        (!combined.is_empty()).then(|| Evaluation::mean_of(&combined))
    }

    /// The objective, in percent: the mean over the groups.
    pub fn score(&self, objective: Objective) -> f64 {
        let groups: BTreeSet<usize> = self.sequences.iter().map(|(group, _)| *group).collect();
        let scores = groups.iter().filter_map(|group| self.group(*group)).map(|e| objective.of(&e));
        scores.sum::<f64>() / groups.len().max(1) as f64
    }
}

impl SequenceSet {
    /// Reads the sequences `names` (each with the number of its group) of a data set.
    ///
    /// # Errors
    /// [`SequenceSetError`]: the file and line that cannot be used, or what is missing.
    pub fn load(
        folder: &Path,
        names: &[(String, usize)],
        groups: Vec<String>,
        options: &SequenceSetOptions,
    ) -> Result<Self, SequenceSetError> {
        let mut read = Vec::new();
        let all = names.iter().map(|(name, _)| Sequence::read(folder, name, &options.read));
        let mut all = all.collect::<Result<Vec<Sequence>, DatasetError>>()?;
        share_classes(&mut all);
        for (sequence, (_, group)) in all.into_iter().zip(names) {
            let detections = sequence.detections(&options.detections)?;
            let wanted = |d: &Detection| options.wanted.is_empty() || options.wanted.contains(&d.class);
            let of_truth = sequence.class_of_detections(&options.detections, &detections)?;
            let class = |class| ClassId::try_from(of_truth(file_class(class)) - 1).unwrap_or(class);
            let numbered = |d: Detection| Detection { class: class(d.class), ..d };
            let frames: Vec<Vec<Detection>> = (0..sequence.frames as u64)
                .map(|frame| detections.at(frame).filter(wanted).map(numbered).collect())
                .collect();
            read.push((sequence, frames, *group));
        }
        let found: BTreeSet<i32> = read
            .iter()
            .flat_map(|(_, frames, _)| frames.iter().flatten())
            .map(|d| file_class(d.class))
            .collect();
        let by_class = |sequence: &Sequence| sequence.benchmark.by_class();
        let mixed = read.iter().any(|one| by_class(&one.0)) && !read.iter().all(|one| by_class(&one.0));
        if mixed && options.classes.is_empty() {
            let why = "some sequences are scored class by class, some are not; choose with --seq, or give --class or --benchmark";
            return Err(SequenceSetError::Classes(why.to_owned()));
        }
        let classes = |sequence: &Sequence| match sequence.scored_classes() {
            [] => sequence.classes(),
            scored => scored.iter().copied().collect(),
        };
        let there: BTreeSet<i32> = read.iter().flat_map(|one| classes(&one.0)).collect();
        let classes: Vec<Option<i32>> = match read.first() {
            Some((one, ..)) if !options.classes.is_empty() => {
                let number = |word: &ClassWord| word.number(one.labels()).map(Some);
                let numbers = options.classes.iter().map(number).collect::<Result<_, _>>();
                numbers.map_err(SequenceSetError::Classes)?
            }
            Some(one) if by_class(&one.0) => there.intersection(&found).copied().map(Some).collect(),
            _ => vec![None],
        };
        if classes.is_empty() {
            return Err(SequenceSetError::Classes("truth and detections have no class in common".to_owned()));
        }
        let mut sequences = Vec::new();
        for (sequence, frames, group) in read {
            let truths = classes
                .iter()
                .map(|class| Ok((*class, sequence.truth(*class)?)))
                .collect::<Result<Vec<_>, DatasetError>>()?;
            let fps = sequence.fps.ok_or_else(|| SequenceSetError::Rate(sequence.name.clone()))?;
            let picture = sequence.size.map(|(width, height)| (width as f32, height as f32));
            sequences.push(LoadedSequence {
                name: sequence.name.clone(),
                group,
                fps,
                picture,
                frames,
                truths,
                origin: sequence.origin(),
            });
        }
        Ok(Self { sequences, groups })
    }

    /// The names of the groups.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// How many sequences there are.
    pub fn len(&self) -> usize {
        self.sequences.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sequences.is_empty()
    }

    /// The name of a sequence.
    pub fn name(&self, sequence: usize) -> &str {
        self.sequences.get(sequence).map_or("", |sequence| &sequence.name)
    }

    /// The group of a sequence.
    pub fn group_of(&self, sequence: usize) -> usize {
        self.sequences.get(sequence).map_or(0, |sequence| sequence.group)
    }

    /// All frames of these sequences.
    pub fn frames(&self, sequences: &[usize]) -> usize {
        sequences
            .iter()
            .filter_map(|sequence| self.sequences.get(*sequence))
            .map(|sequence| sequence.frames.len())
            .sum()
    }

    /// Runs each of the settings over each of the sequences `sequences`, on all processors, and tells how they did, in the order
    /// of the settings; the outcome does not depend on the number of processors. `jitter` moves every edge of every
    /// detection by up to half a pixel, in another way for each number. `None` where `stop` said so before the end.
    pub fn evaluate(
        &self,
        settings: &[TrackSettings],
        sequences: &[usize],
        jitter: Option<u64>,
        stop: &(impl Fn() -> bool + Sync),
    ) -> Option<Vec<SetEvaluation>> {
        let jobs: Vec<(usize, &LoadedSequence)> = (0..settings.len())
            .flat_map(|one| {
                sequences
                    .iter()
                    .filter_map(|sequence| self.sequences.get(*sequence))
                    .map(move |sequence| (one, sequence))
            })
            .collect();
        // Sequences differ much in length: each is a job that an idle thread can take.
        let done = jobs
            .par_iter()
            .with_max_len(1)
            .map_init(Scorer::default, |scorer, (one, sequence)| {
                (!stop()).then(|| (*one, sequence.group, sequence.run(&settings[*one], jitter, scorer)))
            })
            .collect::<Option<Vec<_>>>()?;
        let mut evaluated = vec![SetEvaluation::default(); settings.len()];
        for (one, group, evaluations) in done {
            evaluated[one].sequences.push((group, evaluations));
        }
        Some(evaluated)
    }
}

/// The number of a class in files, which count from 1.
fn file_class(class: ClassId) -> i32 {
    i32::from(class) + 1
}

/// The ids of a frame that is held back.
fn correct((time, tracks): &mut (f64, Vec<Track>), swap: &Swap) {
    if *time > swap.since {
        tracks.iter_mut().for_each(|track| track.id = swap.rename(track.id));
    }
}

impl SequenceSet {
    /// The crossings of these sequences whose outcome the truth tells, in order; `jitter` as for [`SequenceSet::evaluate`].
    pub fn crossings(
        &self,
        settings: &TrackSettings,
        sequences: &[usize],
        jitter: Option<u64>,
    ) -> Vec<CrossingExample> {
        let known = sequences.iter().filter_map(|sequence| Some((*sequence, self.sequences.get(*sequence)?)));
        let found = known.collect::<Vec<_>>().into_par_iter().map(|(number, sequence)| {
            let mut watch = CrossingWatch::new(number, sequence.fps);
            let mut moved = Vec::new();
            let mut tracker = Tracker::new(*settings).keeping_ids();
            for (frame, detections) in sequence.frames.iter().enumerate() {
                let detections = match jitter {
                    Some(seed) => {
                        jittered(detections, seed, frame, &mut moved);
                        &moved
                    }
                    None => detections,
                };
                let observation =
                    Observation { detections, picture: sequence.picture, ..Observation::default() };
                tracker.observe(frame as f64 / sequence.fps, &observation);
                watch.take(&tracker, |tracks| sequence.objects(frame, tracks));
            }
            watch.examples
        });
        found.flatten().collect()
    }
}

impl LoadedSequence {
    /// The true object, with its class, that each of these tracks is on.
    fn objects(&self, frame: usize, tracks: &[&Track]) -> Vec<Option<(usize, u32)>> {
        let mut objects = vec![None; tracks.len()];
        for (number, (class, truth)) in self.truths.iter().enumerate() {
            let wanted = |track: &&Track| class.is_none_or(|class| class == file_class(track.class));
            let places: Vec<usize> = (0..tracks.len()).filter(|place| wanted(&tracks[*place])).collect();
            let regions: Vec<Region> = places.iter().map(|place| self.region(tracks[*place])).collect();
            for (place, object) in places.into_iter().zip(truth.objects_at(frame, &regions)) {
                objects[place] = object.map(|object| (number, object));
            }
        }
        objects
    }

    /// Where a track is, in the coordinates of the truth.
    fn region(&self, track: &Track) -> Region {
        let region = Region::from(track.rect);
        Region { left: region.left + self.origin, top: region.top + self.origin, ..region }
    }

    /// Adds the tracks of the next frame to the results of each class.
    fn take(&self, tracks: &[Track], results: &mut [Results]) {
        for ((class, _), results) in self.truths.iter().zip(results) {
            let seen = tracks.iter().filter(|t| t.state == TrackState::Confirmed);
            for track in seen.filter(|t| class.is_none_or(|class| class == file_class(t.class))) {
                // A tracker gives an id once a frame.
                let _: Result<(), MetricsError> = results.push(track.id, self.region(track));
            }
            results.end_frame();
        }
    }

    fn run(&self, settings: &TrackSettings, jitter: Option<u64>, scorer: &mut Scorer) -> ByClass {
        let mut tracker = Tracker::new(*settings);
        let mut results = vec![Results::default(); self.truths.len()];
        let mut moved = Vec::new();
        let mut held = LookAhead::new(settings.decide_seconds);
        for (number, frame) in self.frames.iter().enumerate() {
            let detections = match jitter {
                Some(seed) => {
                    jittered(frame, seed, number, &mut moved);
                    &moved
                }
                None => frame,
            };
            let observation = Observation { detections, picture: self.picture, ..Observation::default() };
            let time = number as f64 / self.fps;
            let tracks = tracker.observe(time, &observation).to_vec();
            held.push(time, (time, tracks), tracker.swaps(), correct);
            while let Some((_, tracks)) = held.pop() {
                self.take(&tracks, &mut results);
            }
        }
        while let Some((_, tracks)) = held.pop_rest() {
            self.take(&tracks, &mut results);
        }
        let evaluated = self.truths.iter().zip(&results).map(|((class, truth), results)| {
            // There are no results behind the last frame.
            (*class, scorer.evaluate(truth, results).unwrap_or_default())
        });
        evaluated.collect()
    }
}
