//! `detector.model = "auto"` in time: of the models that are here, the most accurate that keeps up with the source on this
//! machine. Each is timed once, on a grey picture at the budget `normal`, and its time remembered.
//!
//! In step nothing is chosen here: the detector takes the most accurate model that is here, however slow, so that results
//! depend on the models alone and not on the machine or its load.

use std::borrow::Cow;
use std::time::Instant;

use super::thread_count::thread_count;
use crate::config::Settings;
use crate::detect::{DetectError, DetectSettings, Detector, InputChoice, PixelBudget, Slicer};
use crate::engine::DetectionSource;
use crate::frame::Picture;
use crate::source::SourceInfo;
use crate::zoo::{self, Cache, Entry, Table, Times};

/// How often a network is run to be timed.
const RUNS: usize = 5;
/// A network that takes longer is run once alone (seconds).
const SLOW: f64 = 0.5;
/// The rate of a source that tells none (frames a second).
const USUAL_RATE: f64 = 30.0;
/// The size of a source that tells none.
const USUAL_SIZE: (u32, u32) = (1280, 720);

/// What a model has to keep up with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demand {
    /// Frames a second.
    rate: f64,
    /// The width and height of their pictures.
    size: (u32, u32),
    /// How many pieces of each are looked at.
    slices: usize,
}

impl Demand {
    /// That of a source.
    pub(crate) fn of(info: &SourceInfo, settings: &Settings) -> Self {
        Self::new(info.rate, info.size, settings)
    }

    fn new(rate: Option<f64>, size: Option<(u32, u32)>, settings: &Settings) -> Self {
        let rate = rate.filter(|rate| rate.is_finite() && *rate > 0.0).unwrap_or(USUAL_RATE);
        let interval = settings.detector.min_interval;
        // More often than this it is not asked.
        let most = if interval > 0.0 { 1.0 / interval } else { f64::INFINITY };
        let Slicer { columns, rows, .. } = settings.slicer();
        let pieces = columns * rows;
        let slices = if pieces > 1 { pieces + 1 } else { 1 };
        Self { rate: rate.min(most), size: size.unwrap_or(USUAL_SIZE), slices }
    }

    /// That of so many sources of which nothing is known yet.
    #[cfg(any(feature = "window", test))]
    pub(crate) fn of_unknown(sources: usize, settings: &Settings) -> Self {
        Self::new(None, None, settings).times(sources as u64)
    }

    /// The same from several such sources, which share the network.
    pub(super) fn times(self, sources: u64) -> Self {
        Self { rate: self.rate * sources.max(1) as f64, ..self }
    }
}

/// Loads the network for tracking in time.
///
/// # Errors
/// As [`settled`] and [`DetectionSource::load`].
pub(crate) fn load_in_time(settings: &Settings, demand: Demand) -> Result<DetectionSource, DetectError> {
    DetectionSource::load(&*settled(&settings.detect_for_tracking(), demand)?)
}

/// The settings with a model in the place of `auto`; others stay as they are.
///
/// # Errors
/// [`DetectError`] where the table of models cannot be read, or no model that is here can be run.
pub(super) fn settled(
    settings: &DetectSettings,
    demand: Demand,
) -> Result<Cow<'_, DetectSettings>, DetectError> {
    if !settings.model.as_deref().is_some_and(zoo::is_auto) {
        return Ok(Cow::Borrowed(settings));
    }
    let table = Table::load().map_err(|error| DetectError::Named { why: error.to_string() })?;
    let models = zoo::there(&table);
    let cache = Cache::of_user().ok();
    let mut times = Times::load(cache.as_ref());
    let (name, why) = choose(&models, demand.rate, |entry| {
        let key = Times::key(entry, &how(settings, demand));
        if let Some(seconds) = times.get(&key) {
            return Ok(seconds);
        }
        let seconds = time(entry, settings, demand)?;
        times.remember(key, seconds);
        Ok(seconds)
    })?;
    zoo::announce(&format!("detector.model = \"auto\" is {name}: {why}"));
    Ok(Cow::Owned(DetectSettings { model: Some(name.into()), ..settings.clone() }))
}

/// The first of the models, which stand best first, that takes at most the time of a frame; where none does, the fastest. And
/// why.
fn choose(
    models: &[Entry],
    rate: f64,
    mut time: impl FnMut(&Entry) -> Result<f64, DetectError>,
) -> Result<(String, String), DetectError> {
    let (mut slower, mut last): (Vec<(f64, &Entry)>, _) = (Vec::new(), None);
    for entry in models {
        let seconds = match time(entry) {
            Ok(seconds) => seconds,
            Err(error) => {
                log::warn!("detector.model = \"auto\" passes over {}: {error}", entry.name);
                last = Some(error);
                continue;
            }
        };
        let ms = seconds * 1e3;
        if seconds * rate <= 1.0 {
            let better = slower
                .last()
                .map(|(seconds, entry)| format!("; {} takes {:.0} ms", entry.name, seconds * 1e3));
            let why = format!(
                "of the models that are here the most accurate that keeps up with {rate:.0} frames a second ({ms:.0} ms{})",
                better.unwrap_or_default()
            );
            return Ok((entry.name.clone(), why));
        }
        slower.push((seconds, entry));
    }
    let fastest = slower.iter().min_by(|a, b| a.0.total_cmp(&b.0));
    match (fastest, last) {
        (Some((seconds, entry)), _) => {
            let ms = seconds * 1e3;
            let why = format!(
                "no model that is here keeps up with {rate:.0} frames a second; it is the fastest ({ms:.0} ms)"
            );
            Ok((entry.name.clone(), why))
        }
        (None, Some(error)) => Err(error),
        (None, None) => {
            Err(DetectError::Named { why: "no model that is here may be chosen by \"auto\"".to_owned() })
        }
    }
}

/// How a model is run, as far as its time depends on it.
fn how(settings: &DetectSettings, Demand { size: (width, height), slices, .. }: Demand) -> String {
    let threads = thread_count(settings.threads);
    format!("{} threads {} {} {width}x{height} {slices}", threads, settings.runtime, input(settings))
}

/// The budget that is chosen for; what is asked for by its size has that.
fn input(settings: &DetectSettings) -> InputChoice {
    match settings.input {
        InputChoice::Size(size) => InputChoice::Size(size),
        InputChoice::Auto | InputChoice::Budget(_) => InputChoice::Budget(PixelBudget::Normal),
    }
}

/// The seconds that a model takes for a picture: the median of a few runs after one that does not count.
fn time(entry: &Entry, settings: &DetectSettings, demand: Demand) -> Result<f64, DetectError> {
    let settings = DetectSettings {
        model: Some(entry.name.clone().into()),
        input: input(settings),
        classes: Vec::new(),
        ..settings.clone()
    };
    let mut detector = Detector::load(&settings)?.with_threads(thread_count(settings.threads))?;
    let (width, height) = demand.size;
    let grey = Picture::filled(width, height, [114; 3]);
    let grey = grey.map_err(|error| DetectError::Named { why: error.to_string() })?;
    let mut seconds = Vec::with_capacity(RUNS);
    for run in 0..=RUNS {
        let started = Instant::now();
        detector.detect(&grey)?;
        let took = started.elapsed().as_secs_f64();
        if run > 0 || took > SLOW {
            seconds.push(took);
        }
        if took > SLOW {
            break;
        }
    }
    seconds.sort_by(f64::total_cmp);
    Ok(seconds.get(seconds.len() / 2).copied().unwrap_or_default() * demand.slices as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(rate: f64, seconds: impl Fn(&str) -> Option<f64>) -> (String, String, Vec<String>) {
        let table = Table::with(None).unwrap();
        let models = ["yolox-s", "yolox-tiny", "yolox-nano"].map(|name| table.find(name).unwrap().clone());
        let mut timed = Vec::new();
        let (name, why) = choose(&models, rate, |entry| {
            timed.push(entry.name.clone());
            seconds(&entry.name).ok_or_else(|| DetectError::Named { why: "broken".to_owned() })
        })
        .unwrap();
        (name, why, timed)
    }

    #[test]
    fn the_most_accurate_that_keeps_up_is_chosen() {
        let seconds = |name: &str| match name {
            "yolox-s" => Some(0.060),
            "yolox-tiny" => Some(0.018),
            _ => Some(0.006),
        };
        let (name, why, timed) = chosen(30.0, seconds);
        assert_eq!((name.as_str(), timed.len()), ("yolox-tiny", 2), "what is less accurate is not timed");
        assert!(why.contains("30 frames a second (18 ms; yolox-s takes 60 ms)"), "{why}");
        assert_eq!(chosen(10.0, seconds).0, "yolox-s");
        assert_eq!(chosen(100.0, seconds).0, "yolox-nano");
        let (name, why, _) = chosen(1000.0, seconds);
        assert!(name == "yolox-nano" && why.contains("no model that is here keeps up"), "{name}: {why}");
        let (name, ..) = chosen(10.0, |name| seconds(name).filter(|_| name != "yolox-s"));
        assert_eq!(name, "yolox-tiny", "one that cannot be run is passed over");
    }

    #[test]
    fn pieces_and_pauses_change_what_is_demanded() {
        let mut settings = Settings::default();
        settings.enhance.tiles = "2x2".parse().unwrap();
        settings.detector.min_interval = 0.1;
        let demand = Demand::of_unknown(3, &settings);
        assert_eq!((demand.rate, demand.slices, demand.size), (30.0, 5, USUAL_SIZE));
        let demand = Demand::of_unknown(2, &Settings::default());
        assert_eq!((demand.rate, demand.slices), (2.0 * USUAL_RATE, 1));
    }

    #[test]
    fn the_model_in_the_program_can_be_timed() {
        let table = Table::with(None).unwrap();
        let settings = DetectSettings { threads: 1, ..DetectSettings::default() };
        let demand = Demand { size: (64, 64), ..Demand::of_unknown(1, &Settings::default()) };
        let seconds = time(table.find("yolox-nano").unwrap(), &settings, demand).unwrap();
        assert!(seconds > 1e-4 && seconds < 10.0, "{seconds}");
    }
}
