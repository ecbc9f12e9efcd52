//! A sequence of a data set: truth, detections and results in one place.

use std::collections::BTreeSet;
use std::path::Path;

use super::benchmark::Benchmark;
use super::classes::{KITTI, VISDRONE, find, table, translated};
use super::detections::DetectionFile;
use super::dialect::{Dialect, labels_beside};
#[cfg(feature = "cli")]
use super::formats::Format;
use super::info::MAX_FRAMES;
use super::lines::MotError;
use super::places::Place;
#[cfg(feature = "cli")]
use super::rows::read_other;
use super::rows::{ResultFile, Row, RowFile, read_regions, read_rows, refuse_parts_of};
use super::{DatasetError, ReadOptions};
use crate::labels::Labels;
use crate::metrics::{Region, Role, Truth, TruthBox, covered_share};

/// More regions than that in one frame are a mistake.
const MAX_REGIONS: usize = 1000;

/// A sequence with its truth, as it is on disk or thinned.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    /// Its name: that of its folder, or of its file.
    pub name: String,
    /// Whose rules count.
    pub benchmark: Benchmark,
    /// How many frames are scored.
    pub frames: usize,
    /// How many of them there were in a second, where that is known.
    pub fps: Option<f64>,
    /// Width and height of the picture in pixels, where that is known.
    pub size: Option<(u32, u32)>,
    place: Place,
    every: usize,
    /// Only the frames that are scored, numbered anew.
    truth: RowFile,
    options: ReadOptions,
    /// The names of the truth's classes, where they are known.
    labels: Option<Labels>,
    /// The coordinate of the picture's top-left corner in the truth.
    origin: f64,
    form: Form,
}

/// What the format of the truth means for its rules and classes.
#[cfg_attr(
    not(feature = "cli"),
    expect(dead_code, reason = "without the formats of other programs there is text alone")
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// MOTChallenge text: classes are numbers, which mean the same in the results.
    Numbers,
    /// VisDrone: so are these, and they have names besides.
    VisDrone,
    /// UAVDT with classes.
    Uavdt,
    /// KITTI's labels.
    Kitti,
    /// Others: classes have names.
    Names,
}

impl Form {
    fn numbered(self) -> bool {
        matches!(self, Self::Numbers | Self::VisDrone | Self::Uavdt)
    }

    fn benchmark(self) -> Option<Benchmark> {
        match self {
            Self::Kitti => Some(Benchmark::Kitti),
            Self::VisDrone => Some(Benchmark::VisDrone),
            Self::Uavdt => Some(Benchmark::Uavdt),
            Self::Numbers | Self::Names => None,
        }
    }
}

#[cfg(feature = "cli")]
impl From<Format> for Form {
    fn from(format: Format) -> Self {
        match format {
            Format::Mot => Self::Numbers,
            Format::VisDrone => Self::VisDrone,
            Format::Uavdt => Self::Uavdt,
            Format::Kitti => Self::Kitti,
            _ => Self::Names,
        }
    }
}

impl Sequence {
    /// Reads the sequence `name` of a data set, wherever its truth is (see [`Place`]).
    ///
    /// # Errors
    /// [`DatasetError`]: the file and line that cannot be used.
    pub fn read(data: &Path, name: &str, options: &ReadOptions) -> Result<Self, DatasetError> {
        Self::open(Place::find(data, name), options)
    }

    /// Reads the sequence of a place: its truth in MOTChallenge text or any other format, and `seqinfo.ini` and the file of
    /// regions where they are there. Without a number of frames in `seqinfo.ini` or in the truth itself, the truth's last
    /// frame is the last.
    ///
    /// # Errors
    /// [`DatasetError`]: the file and line that cannot be used.
    pub fn open(place: Place, options: &ReadOptions) -> Result<Self, DatasetError> {
        let info = place.info()?;
        let last = info.frames.unwrap_or(MAX_FRAMES);
        let regions = match place.ignored.is_file() {
            true => Some(read_regions(&place.ignored, last, &options.truth)?),
            false => None,
        };
        let size = options.truth.size.or(info.width.zip(info.height));
        let dialect = Dialect { size, video: place.video.clone(), ..options.truth.clone() };
        let (mut truth, form) = read_truth(&place, last, regions.is_some(), options.benchmark, &dialect)?;
        let of_name = || match place.ignored_of_uavdt() {
            true => Benchmark::Uavdt,
            false => Benchmark::of(&place.name, regions.is_some()),
        };
        let benchmark = options.benchmark.or(form.benchmark()).unwrap_or_else(of_name);
        truth.regions.extend(regions.into_iter().flatten());
        truth.regions.sort_by_key(|(frame, _)| *frame);
        if let Some(pair) = truth.regions.windows(MAX_REGIONS + 1).find(|all| all[0].0 == all[MAX_REGIONS].0)
        {
            let why = format!("more than {MAX_REGIONS} regions that nobody annotated");
            let place = format!("frame {}", pair[0].0 + 1);
            return Err(MotError::Format { path: truth.path, place, why }.into());
        }
        let frames = info.frames.or(truth.info.frames);
        let frames = frames.unwrap_or_else(|| truth.rows.iter().map(|row| row.frame + 1).max().unwrap_or(0));
        let size = size.or(truth.info.width.zip(truth.info.height));
        let mut labels = match truth.labels.take() {
            Some(labels) => Some(labels),
            None => names(&options.truth, &place.truth)?,
        };
        if benchmark == Benchmark::Kitti && form != Form::Numbers {
            let own = table(&KITTI);
            if let Some(theirs) = labels.replace(own.clone()) {
                truth.rows.iter_mut().for_each(|row| row.class = translated(row.class, &theirs, &own));
            }
        }
        let origin = match form {
            Form::Numbers | Form::Uavdt => options.truth.mot_pixels(),
            Form::VisDrone => f64::from(options.truth.pixels_from.unwrap_or(0)),
            Form::Kitti | Form::Names => 0.0,
        };
        truth.rows.iter_mut().for_each(|row| {
            if form != Form::Numbers {
                row.region = moved(row.region, origin);
            }
        });
        if form == Form::VisDrone {
            truth.regions.iter_mut().for_each(|(_, region)| *region = moved(*region, origin));
            drop_as_visdrone(&mut truth, size);
        }
        let every = options.every.max(1);
        truth.rows.retain(|row| row.frame % every == 0);
        truth.rows.iter_mut().for_each(|row| row.frame /= every);
        truth.regions.retain(|(frame, _)| frame % every == 0);
        truth.regions.iter_mut().for_each(|(frame, _)| *frame /= every);
        Ok(Self {
            name: place.name.clone(),
            benchmark,
            frames: frames.div_ceil(every),
            fps: info.fps.or(truth.info.fps).map(|fps| fps / every as f64),
            size,
            place,
            every,
            truth,
            options: options.clone(),
            labels,
            origin,
            form,
        })
    }

    /// Whether the truth has what the rules of its benchmark for each class ask for, so that they are followed to the letter.
    pub fn by_rules(&self) -> bool {
        match self.benchmark {
            Benchmark::Kitti => self.form != Form::Numbers,
            Benchmark::VisDrone => self.form == Form::VisDrone,
            _ => !self.benchmark.by_class(),
        }
    }

    /// The classes that the benchmark scores one by one, from 1; none where that depends on what there is.
    pub fn scored_classes(&self) -> &'static [i32] {
        if self.by_rules() { self.benchmark.classes() } else { &[] }
    }

    /// The names of the classes, by number from 1, where they are known.
    pub fn labels(&self) -> Option<&Labels> {
        self.labels.as_ref()
    }

    /// The truth by the rules of the benchmark, or of one class: by the rules that the benchmark has for it, or else all its
    /// boxes, and no results in regions that nobody annotated. Prepared once, it is compared with many results.
    ///
    /// # Errors
    /// With the line where an id is in a frame for the second time, or a class is none.
    pub fn truth(&self, class: Option<i32>) -> Result<Truth, DatasetError> {
        let mut boxes = Vec::new();
        let mut used = Vec::new();
        let ruled = class.filter(|class| self.scored_classes().contains(class));
        for row in &self.truth.rows {
            let role = match (class, ruled) {
                (_, Some(class)) => Ok(self.benchmark.role_in_class(row, class)),
                (Some(class), None) => Ok((row.class == class).then_some(Role::Counts)),
                (None, None) => self.benchmark.role(row),
            };
            if let Some(role) = role.map_err(|why| self.truth.fault(row.line, why))? {
                boxes.push(TruthBox { frame: row.frame, id: row.id, region: row.region, role });
                used.push(*row);
            }
        }
        if !self.truth.rows.is_empty() && class.is_none() && !boxes.iter().any(|one| one.role == Role::Counts)
        {
            let path = &self.truth.path;
            log::warn!(
                "no box of {path} counts: a box counts if column 7 (conf) is 1 and its class is scored"
            );
        }
        let judged_everywhere = class.is_none() && !self.benchmark.ignores_always();
        let regions = if judged_everywhere { &[] } else { self.truth.regions.as_slice() };
        let rule = self.benchmark.ignore_rule(self.size, ruled.is_some());
        let truth = Truth::new(self.frames, boxes, regions.iter().copied());
        truth.map(|truth| truth.with_rule(rule)).map_err(|error| self.truth.refused(&used, error))
    }

    /// The classes that the truth has, from 1.
    pub fn classes(&self) -> BTreeSet<i32> {
        self.truth.rows.iter().map(|row| row.class).filter(|class| *class > 0).collect()
    }

    /// Reads a tracker's results of this sequence. Where it is thinned, their frames must be numbered so. Their boxes come
    /// out in the pixels of the truth, and their classes as the numbers of the truth: as [`ReadOptions::classes`] says, by name
    /// where both have names, else by number. Of MOTChallenge text without names the numbers are those of the truth, or
    /// COCO's where the truth has only names.
    ///
    /// # Errors
    /// [`DatasetError`]: the line that cannot be used; a frame behind the last is one, but for VisDrone and UAVDT, whose
    /// files do not say how long a sequence is: such results are left out, and told.
    pub fn results(&self, path: &Path) -> Result<ResultFile, DatasetError> {
        let dialect = &self.options.results;
        let clipped = matches!(self.benchmark, Benchmark::VisDrone | Benchmark::Uavdt);
        let last = if clipped { MAX_FRAMES } else { self.frames };
        let (mut file, is_text) = self.read_results(path, last)?;
        let own_pixels = is_text && self.form == Form::VisDrone && dialect.pixels_from.is_none();
        if own_pixels {
            log::warn!(
                "{}: taken to count pixels from 0, as VisDrone does; trailsight's own .txt counts from 1 \
                 (--results-pixels-from 1)",
                path.display()
            );
        }
        let shift = match is_text {
            true if own_pixels => 0.0,
            true => self.origin - dialect.mot_pixels(),
            false => self.origin,
        };
        if shift != 0.0 {
            file.rows.iter_mut().for_each(|row| row.region = moved(row.region, shift));
        }
        if is_text {
            refuse_parts_of(path, &file.rows, &self.truth.rows)?;
        }
        let before = file.rows.len();
        file.rows.retain(|row| row.frame < self.frames);
        if file.rows.len() < before {
            let behind = before - file.rows.len();
            log::warn!("{}: {behind} boxes behind the truth's last frame were left out", path.display());
        }
        let theirs = match file.labels.take() {
            Some(labels) => Some(labels),
            None => names(dialect, path)?.or_else(|| (!self.form.numbered()).then(Labels::coco)),
        };
        let own = self.labels.clone().or_else(|| (!is_text).then(Labels::coco));
        let both = own.as_ref().zip(theirs.as_ref());
        let by_name = |class| both.map_or(class, |(own, theirs)| translated(class, theirs, own));
        let mut classes = file.rows.iter_mut().map(|row| &mut row.class);
        let mapped = self.options.classes.apply(own.as_ref(), theirs.as_ref(), &mut classes, &by_name);
        mapped.map_err(|why| DatasetError::Labels(format!("--map: {}: {why}", path.display())))?;
        Ok(ResultFile(file))
    }

    /// What a file of results says, and whether it is MOTChallenge text.
    fn read_results(&self, path: &Path, last: usize) -> Result<(RowFile, bool), DatasetError> {
        let dialect = &self.options.results;
        #[cfg(feature = "cli")]
        match Format::of(path)? {
            Format::Mot => {}
            format => {
                let (size, video) = (dialect.size.or(self.size), Some(self.name.clone()));
                let dialect = Dialect { size, video, ..dialect.clone() };
                return Ok((read_other(path, format, last, &dialect)?, false));
            }
        }
        Ok((read_rows(path, last, false, dialect)?, true))
    }

    /// The results of a tracker that said nothing: everything is missed.
    pub fn no_results(&self) -> ResultFile {
        ResultFile(RowFile {
            path: String::new(),
            rows: Vec::new(),
            regions: Vec::new(),
            ..self.truth.clone()
        })
    }

    /// Gives the classes the numbers that they have among these names, from 1.
    pub fn renumber(&mut self, labels: &Labels) {
        if let Some(theirs) = self.labels.replace(labels.clone()).filter(|theirs| theirs != labels) {
            self.truth.rows.iter_mut().for_each(|row| row.class = translated(row.class, &theirs, labels));
        }
    }

    /// The coordinate of the picture's top-left corner in the truth.
    pub fn origin(&self) -> f64 {
        self.origin
    }

    /// Reads a detector's boxes from a file of the sequence's folder (`det/det.txt`), thinned as the sequence is.
    ///
    /// # Errors
    /// [`DatasetError`]: the line that cannot be used.
    pub fn detections(&self, file: &Path) -> Result<DetectionFile, DatasetError> {
        let file = DetectionFile::read_as(&self.place.folder.join(file), &self.options.detections)?;
        Ok(file.every(self.every as u64))
    }

    /// The number that the truth has for a class of these detections, both from 1: by name, where both have names; else the
    /// same. The numbers of MOTChallenge text without names are COCO's where the truth has only names.
    ///
    /// # Errors
    /// [`DatasetError`]: the file of names that cannot be read.
    pub fn class_of_detections(
        &self,
        file: &Path,
        detections: &DetectionFile,
    ) -> Result<impl Fn(i32) -> i32 + use<>, DatasetError> {
        let theirs = match detections.labels() {
            Some(labels) => Some(labels.clone()),
            None => names(&self.options.detections, &self.place.folder.join(file))?
                .or_else(|| (!self.form.numbered()).then(Labels::coco)),
        };
        let both = self.labels.clone().zip(theirs);
        Ok(move |class| both.as_ref().map_or(class, |(own, theirs)| translated(class, theirs, own)))
    }
}

/// Gives the classes of several sequences the same numbers, where all have names and these are not all the same.
pub fn share_classes(sequences: &mut [Sequence]) {
    let mut all: Vec<String> = Vec::new();
    for sequence in sequences.iter() {
        let Some(labels) = &sequence.labels else { return };
        for name in labels.iter() {
            if find(&Labels::parse(&all.join("\n")), name).is_none() {
                all.push(name.to_owned());
            }
        }
    }
    let shared = Labels::parse(&all.join("\n"));
    // One list of names stays as it is, with names that it has twice.
    if sequences.windows(2).any(|pair| pair[0].labels != pair[1].labels) {
        sequences.iter_mut().for_each(|sequence| sequence.renumber(&shared));
    }
}

/// Reads the truth of a place, and says what its format means.
fn read_truth(
    place: &Place,
    last: usize,
    has_regions: bool,
    benchmark: Option<Benchmark>,
    dialect: &Dialect,
) -> Result<(RowFile, Form), DatasetError> {
    #[cfg(feature = "cli")]
    {
        let format = match (Format::of(&place.truth)?, benchmark) {
            (Format::Mot, Some(Benchmark::VisDrone)) => Format::VisDrone,
            (format, _) => format,
        };
        if format != Format::Mot {
            return Ok((read_other(&place.truth, format, last, dialect)?, format.into()));
        }
    }
    let benchmark = benchmark.unwrap_or_else(|| Benchmark::of(&place.name, has_regions));
    Ok((read_rows(&place.truth, last, benchmark.needs_class(), dialect)?, Form::Numbers))
}

/// Leaves out of VisDrone's truth what its own kit leaves out: what lies in regions that nobody annotated. Things of the
/// class "others" are such regions too.
fn drop_as_visdrone(truth: &mut RowFile, size: Option<(u32, u32)>) {
    let others = VISDRONE.len() as i32 - 1;
    let regions = truth.rows.iter().filter(|row| row.class == others).map(|row| (row.frame, row.region));
    truth.regions.extend(regions);
    truth.regions.sort_by_key(|(frame, _)| *frame);
    let regions = &truth.regions;
    truth.rows.retain(|row: &Row| {
        let start = regions.partition_point(|(frame, _)| *frame < row.frame);
        let of_frame = regions.iter().skip(start).take_while(|(frame, _)| *frame == row.frame);
        covered_share(row.region, of_frame.map(|(_, region)| *region), size) < 0.5
    });
}

/// A box in pixels that count from elsewhere.
fn moved(region: Region, by: f64) -> Region {
    Region { left: region.left + by, top: region.top + by, ..region }
}

/// The names of a file's classes: those that were given, or those in `labels.txt` beside it, which is said.
fn names(dialect: &Dialect, file: &Path) -> Result<Option<Labels>, DatasetError> {
    if dialect.labels.is_some() {
        return Ok(dialect.labels.clone());
    }
    let found = labels_beside(file).map_err(DatasetError::Labels)?;
    Ok(found.map(|(path, labels)| {
        log::info!("{}: the names of the classes are in {}", file.display(), path.display());
        labels
    }))
}
